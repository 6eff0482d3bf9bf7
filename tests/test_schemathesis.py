"""Schemathesis against a running mock and the OpenAPI document that the mock serves.

Two runs go through all operations, the others through the upgrade with each form that its contract can have.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from support import UPGRADE

from mockserver.contract import load_contract
from mockserver.logs import LOGGER
from mockserver.settings import Settings

pytest.importorskip("schemathesis", reason="Schemathesis 4.32 needs Python 3.11")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import StartMock

OPERATION = "POST /v3/{project_id}/instances/database-version/upgrade"
FLEET = {"unknown_instances": "accept", "unknown_status": "404"}
"""The same upgrade is accepted any number of times, and what does not exist is not found: what a document can say."""
UPGRADE_ONLY = ("--include-operation-id", UPGRADE, "--max-examples", "50")
TOKEN = ("-H", "X-Auth-Token: a-token")
SIGNATURE = ("-H", "Authorization: SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 64)
PHASES = ("examples", "coverage", "fuzzing")
"""The stateful phase follows links between operations, and the document has none."""
RAN = {**dict.fromkeys(PHASES, "success"), "stateful": "skip"}
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
    command += ["--checks", "all", "--phases", ",".join(PHASES), "--seed", "1", "--generation-deterministic"]
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
        pytest.param({"auth": "signed"}, SIGNATURE, id="auth-signed"),
        pytest.param({**KNOWN_TOKEN, "auth": "token", "delay": "boolean"}, TOKEN, id="auth-token-delay-boolean"),
        pytest.param({**KNOWN_TOKEN, "delay": "string", "min_batch": 1, "max_batch": 3}, TOKEN, id="narrowed"),
    ],
)
def test_schemathesis_finds_nothing_about_the_upgrade(
    start_mock: StartMock,
    tmp_path: Path,
    statuses: Counter[int],
    contract: dict[str, object],
    options: tuple[str, ...],
) -> None:
    url = start_mock(**FLEET, **contract).url
    code, output, report = run_schemathesis(url, tmp_path, *UPGRADE_ONLY, *options)
    assert code == 0, output
    assert (report["failures"], report["errors"]) == ([], []), output
    assert [name for name, found in report["warnings"].items() if found] == [], output
    assert report["operations"]["tested"] == 1

    # Nothing of this is worth anything unless every phase ran and had valid requests that were accepted.
    assert {name: phase["status"] for name, phase in report["phases"].items()} == RAN
    rates = report["valid_rates"][OPERATION]
    assert all(rates[phase]["accepted"] > 0 and rates[phase]["rejected"] == 0 for phase in PHASES), rates

    # The mock's own log confirms that the checks provoked what they are about.
    provoked = {200, 400, 405} | ({401} if options and "ignored_auth" not in options else set())
    assert provoked <= set(statuses) <= provoked | {404}, statuses
    assert min(statuses[200], statuses[400]) >= 10, statuses


CONFIGURATION = """
# What no document can say: which jobs and instances there are, in which state they are,
{state}
# that a pre-check states one version of all its instances,
{versions}
# and that the 30th of February is no day.
{days}
"""
STATE = (
    "POST /v3/{project_id}/instances/{instance_id}/db-upgrade",
    "GET /v3/{project_id}/jobs",
    "DELETE /v3/{project_id}/scheduled-jobs",
    "POST /v3/{project_id}/instances/database-version/upgrade/pre-check-result",
)
VERSIONS = ("POST /v3/{project_id}/instances/database-version/upgrade/pre-check",)
DAYS = ("GET /v3/{project_id}/immediate-jobs", "GET /v3/{project_id}/scheduled-jobs")
TOKENS = "POST /v3/auth/tokens"
NEVER_ACCEPTED = {STATE[1], STATE[2], STATE[3]}
"""There are no jobs and no pre-checks unless something makes them."""


def may_be_refused(operations: tuple[str, ...], status: str = "200") -> str:
    """The configuration that lets a valid request of some operations meet a 400."""
    return "\n".join(
        f'[[operations]]\ninclude-name = "{each}"\n'
        f'checks.positive_data_acceptance.expected-statuses = ["{status}", "400", "404", "409"]\n'
        for each in operations
    )


@pytest.mark.parametrize(
    ("contract", "options"),
    [
        pytest.param({}, (*TOKEN, "--exclude-checks", "ignored_auth"), id="default"),
        pytest.param(KNOWN_TOKEN, TOKEN, id="a-token"),
    ],
)
def test_schemathesis_finds_nothing_about_any_operation(
    start_mock: StartMock,
    tmp_path: Path,
    statuses: Counter[int],
    contract: dict[str, object],
    options: tuple[str, ...],
) -> None:
    written = {"state": may_be_refused(STATE), "versions": may_be_refused(VERSIONS), "days": may_be_refused(DAYS)}
    configuration = CONFIGURATION.format(**written) + may_be_refused((TOKENS,), "201")
    (tmp_path / "schemathesis.toml").write_text(configuration, "utf-8")
    url = start_mock(**FLEET, **contract).url
    code, output, report = run_schemathesis(url, tmp_path, "--max-examples", "10", *options)
    assert code == 0, output
    assert (report["failures"], report["errors"]) == ([], []), output
    assert report["operations"]["tested"] == report["operations"]["total"] == len(load_contract(Settings()).operations)
    assert {name: phase["status"] for name, phase in report["phases"].items()} == RAN

    accepted = {name: sum(rates[each]["accepted"] for each in rates) for name, rates in report["valid_rates"].items()}
    assert {name for name, count in accepted.items() if not count} == NEVER_ACCEPTED, accepted
    others = set(accepted) - NEVER_ACCEPTED - {TOKENS, *STATE, *VERSIONS, *DAYS}
    rejected = {name: report["valid_rates"][name] for name in others}
    assert all(rates[phase]["rejected"] == 0 for rates in rejected.values() for phase in rates), rejected
    assert not {status for status in statuses if status >= 500}, statuses


def test_schemathesis_would_find_that_a_wrong_token_is_taken(start_mock: StartMock, tmp_path: Path) -> None:
    """What the default mock means by any token, and the proof that a finding fails the test above."""
    options = (*UPGRADE_ONLY, *TOKEN, "--phases", "examples")
    code, output, report = run_schemathesis(start_mock(**FLEET).url, tmp_path, *options)
    assert code == 1, output
    assert len(report["failures"]) == 1
    assert "accepts invalid authentication" in output
