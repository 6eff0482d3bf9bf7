"""Schemathesis against a running mock and the OpenAPI document that the mock serves."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.logs import LOGGER

pytest.importorskip("schemathesis", reason="Schemathesis 4.32 needs Python 3.11")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import StartMock

OPERATION = "POST /v3/{project_id}/instances/database-version/upgrade"
TOKEN = ("-H", "X-Auth-Token: a-token")
SIGNATURE = ("-H", "Authorization: SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 64)
FAILURE = {"status": 500}  # a log line that is not about one request tells of a bug of the mock
KNOWN_TOKEN = {"token": ("a-token",)}


def run_schemathesis(url: str, folder: Path, *options: str) -> tuple[int, str, dict[str, Any]]:
    """Exit code, output and JSON report of `schemathesis run` with every check."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SCHEMATHESIS_")},
        # A home without .netrc and a mock without a proxy: both would add to what is sent.
        "HOME": str(folder),
        "USERPROFILE": str(folder),
        "no_proxy": "127.0.0.1",
        "NO_PROXY": "127.0.0.1",
        "PYTHONUTF8": "1",
    }
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", "--no-color"]
    command += ["--checks", "all", "--max-examples", "50", "--seed", "1", "--generation-deterministic"]
    command += ["--continue-on-failure", "--report", "json", "--report-json-path", "report.json", *options]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    report = folder / "report.json"
    assert report.is_file(), done.stdout + done.stderr
    return done.returncode, done.stdout, json.loads(report.read_text("utf-8"))


@pytest.fixture
def statuses(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[int]]:
    """How often the mock, which runs in this process, answered with each status, by its own log."""
    counter: Counter[int] = Counter()
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda record: counter.update([getattr(record, "fields", FAILURE)["status"]]))
    monkeypatch.setattr(LOGGER, "handlers", [handler])
    monkeypatch.setattr(LOGGER, "propagate", False)  # hundreds of lines would bury a failure
    previous = LOGGER.level
    LOGGER.setLevel(logging.INFO)
    yield counter
    LOGGER.setLevel(previous)


@pytest.mark.parametrize(
    ("contract", "options"),
    [
        # Without --token any token will do, so ignored_auth rightly finds that a made-up one is taken.
        pytest.param({}, (*TOKEN, "--exclude-checks", "ignored_auth"), id="default"),
        pytest.param({"auth": "off"}, (), id="auth-off"),
        pytest.param(KNOWN_TOKEN, TOKEN, id="auth-any"),
        pytest.param({"auth": "signed"}, SIGNATURE, id="auth-signed"),
        pytest.param({**KNOWN_TOKEN, "auth": "token", "delay": "boolean"}, TOKEN, id="auth-token-delay-boolean"),
        pytest.param(
            {**KNOWN_TOKEN, "delay": "string", "strict_ids": True, "min_batch": 1, "max_batch": 3},
            TOKEN,
            id="narrowed",
        ),
    ],
)
def test_schemathesis_finds_nothing(
    start_mock: StartMock,
    tmp_path: Path,
    statuses: Counter[int],
    contract: dict[str, object],
    options: tuple[str, ...],
) -> None:
    code, output, report = run_schemathesis(start_mock(**contract).url, tmp_path, *options)
    assert code == 0, output
    assert (report["failures"], report["errors"]) == ([], []), output
    assert [name for name, found in report["warnings"].items() if found] == [], output
    assert report["operations"]["tested"] == report["operations"]["total"] == 1

    # Nothing of this is worth anything unless every phase ran and had valid requests that were accepted.
    # The stateful phase follows links between operations, and there is only one operation.
    ran = {name: phase["status"] for name, phase in report["phases"].items() if name != "stateful"}
    assert ran == {"examples": "success", "coverage": "success", "fuzzing": "success"}
    rates = report["valid_rates"][OPERATION]
    assert all(rates[phase]["accepted"] > 0 and rates[phase]["rejected"] == 0 for phase in ran), rates

    # The mock's own log confirms that the checks provoked what they are about.
    provoked = {200, 400, 405} | ({401} if options and "ignored_auth" not in options else set())
    assert provoked <= set(statuses) <= provoked | {404}, statuses
    assert min(statuses[200], statuses[400]) >= 10, statuses


def test_schemathesis_would_find_that_a_wrong_token_is_taken(start_mock: StartMock, tmp_path: Path) -> None:
    """What the default mock means by any token, and the proof that a finding fails the test above."""
    code, output, report = run_schemathesis(start_mock().url, tmp_path, *TOKEN, "--phases", "examples")
    assert code == 1, output
    assert len(report["failures"]) == 1
    assert "accepts invalid authentication" in output
