"""The log: one structured line for each request, that nobody can forge, and never a secret."""

from __future__ import annotations

import contextlib
import json
import logging
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from processes import Wire, serve
from support import PROJECT_ID, UPGRADE_PATH, batch, send

from mockserver.app import create_app
from mockserver.logs import LOGGER, configure_logging
from mockserver.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask.testing import FlaskClient

TOKEN = {"X-Auth-Token": "a-token"}
REQUEST_ID = "0123456789abcdef0123456789abcdef"
FORMATS = ["text", "json"]


class LoggedMock:
    """A mock in this process that logs as `serve` does."""

    def __init__(self, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logging(settings)
        self.client: FlaskClient = create_app(settings, new_request_id=lambda: REQUEST_ID).test_client()
        self._capsys = capsys

    def call(self, path: str = UPGRADE_PATH, method: str = "POST", headers: dict[str, str] = TOKEN) -> int:
        """The status of the reply to the documented example, unless told otherwise."""
        return self.client.open(path, method=method, json=batch(), headers=headers).status_code

    def lines(self) -> list[str]:
        """What was logged since the last call."""
        output, errors = self._capsys.readouterr()
        assert output == ""
        return errors.removesuffix("\n").split("\n") if errors else []


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., LoggedMock]]:
    """Start a mock whose log goes to the standard error of this process until the test ends."""
    loggers = [LOGGER, logging.getLogger("waitress")]
    before = [(logger, logger.handlers[:], logger.propagate, logger.level) for logger in loggers]
    try:
        yield lambda **settings: LoggedMock(Settings(**settings), capsys)
    finally:
        for logger, handlers, propagate, level in before:
            logger.handlers[:] = handlers
            logger.propagate = propagate
            logger.setLevel(level)


def test_a_request_is_one_line_of_text(logged: Callable[..., LoggedMock]) -> None:
    mock = logged()
    assert mock.call() == 200
    (line,) = mock.lines()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO "
        rf"method=POST path={UPGRADE_PATH} status=200 scenario=success ms=\d+\.\d+ request_id={REQUEST_ID}",
        line,
    )


def test_a_request_is_one_line_of_json(logged: Callable[..., LoggedMock]) -> None:
    mock = logged(log_format="json")
    assert mock.call(headers={**TOKEN, "X-Mock-Scenario": "throttled"}) == 429
    (line,) = mock.lines()
    fields: dict[str, Any] = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", fields.pop("time"))
    milliseconds = fields.pop("ms")
    assert isinstance(milliseconds, float)
    assert 0 <= milliseconds < 30_000
    assert fields == {
        "level": "INFO",
        "method": "POST",
        "path": UPGRADE_PATH,
        "status": 429,
        "scenario": "throttled",
        "request_id": REQUEST_ID,
    }


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", UPGRADE_PATH, {**TOKEN, "X-Mock-Scenario": "no-such"}, 400),
        ("POST", UPGRADE_PATH, {}, 401),
        ("POST", "/nowhere", {}, 404),
        ("GET", UPGRADE_PATH, {}, 405),
    ],
    ids=["bad", "unauthorized", "path", "method"],
)
def test_a_request_that_meets_no_scenario_is_logged_too(
    logged: Callable[..., LoggedMock], method: str, path: str, headers: dict[str, str], status: int
) -> None:
    mock = logged()
    assert mock.call(path, method, headers) == status
    (line,) = mock.lines()
    assert f" method={method} path={path} status={status} scenario=- " in line


@pytest.mark.parametrize("log_format", FORMATS)
def test_quiet_logs_failures_of_the_mock_only(
    logged: Callable[..., LoggedMock], monkeypatch: pytest.MonkeyPatch, log_format: str
) -> None:
    def fail(call: object) -> None:
        del call
        raise ZeroDivisionError

    assert logged(quiet=True).call() == 200
    monkeypatch.setattr("mockserver.operations.batch_upgrade_databases.decide", fail)
    mock = logged(quiet=True, log_format=log_format)
    assert mock.call("/nowhere") == 404
    assert mock.lines() == []
    assert mock.call() == 500
    first, *rest = mock.lines()
    assert "the mock failed" in first
    assert REQUEST_ID in first
    if log_format == "text":
        assert rest[-1] == "ZeroDivisionError"
    else:
        assert rest == []
        assert "\nZeroDivisionError" in json.loads(first)["message"]


PARTS = {
    "forged-line": "%0A2026-01-01T00:00:00.000Z INFO method=POST path=/ status=200",
    "forged-field": " status=200",
    "forged-fields-in-quotes": "%22 status=200 x=%22",
    "crlf": "%0D%0A",
    "cr": "%0D",
    "nul": "%00",
    "terminal-escape": "%1B[2J",
    "delete": "%7F",
    "c1-control": "%C2%85",
    "line-separator": "%E2%80%A8",
    "right-to-left": "%E2%80%AE",
    "quote": '"',
    "single-quote": "'",
    "backslash": "\\",
    "backslash-n": "\\n",
    "backslash-quote": "\\%22",
    "equals": "=",
    "percent": "%25",
    "no-utf-8": "%FF%FE",
    "surrogate": "%ED%A0%80",
    "chinese": "升级",
    "emoji": "%F0%9F%98%80",
    "braces": "{}",
    "formats": "%s%d%(name)s",
    "long": "a" * 10_000,
}


@pytest.mark.parametrize("log_format", FORMATS)
@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_no_path_breaks_or_forges_a_line(logged: Callable[..., LoggedMock], log_format: str, part: str) -> None:
    mock = logged(log_format=log_format)
    assert mock.call(f"/v3/{part}") == 404
    (line,) = mock.lines()
    assert line.isprintable()
    assert len(line) < 3_000
    fields = json.loads(line) if log_format == "json" else fields_of(line)
    assert list(fields) == [*(["time", "level"] if log_format == "json" else []), *NAMES]
    assert (fields["method"], str(fields["status"])) == ("POST", "404")
    assert fields["path"].startswith("/v3/")


NAMES = ["method", "path", "status", "scenario", "ms", "request_id"]


def fields_of(line: str) -> dict[str, str]:
    """The fields of a line of text, read as a script would: NAME=WORD or NAME="JSON string"."""
    _, _, rest = line.split(" ", 2)
    pairs = re.findall(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^ "]*)(?: |$)', rest)
    assert " ".join(f"{name}={value}" for name, value in pairs) == rest
    return {name: json.loads(value) if value.startswith('"') else value for name, value in pairs}


# Secrets

SECRETS = {
    "token": "secret-token-of-the-mock",
    "other token": "secret-token-of-a-client",
    "key": "secret-key-of-the-mock",
    "signature": "5ec2e7" * 10 + "abcd",
    "security token": "secret-security-token",
}


@pytest.mark.parametrize("log_format", FORMATS)
def test_no_secret_appears_in_any_output(log_format: str) -> None:
    """One session of everything that succeeds and fails with credentials."""
    with serve(
        *("--token", SECRETS["token"], "--ak", "an-access-key", "--sk", SECRETS["key"], "--log-format", log_format)
    ) as mock:
        replies = [reply for headers in credentials() for reply in session(mock.url, headers)]
        replies += list(malformed(mock.url))
        mock.end()
    output = "\n".join([*replies, mock.output, mock.errors])
    assert {name for name, secret in SECRETS.items() if secret in output} == set()
    # The session did what it was to do, and all of it was logged.
    statuses = set(re.findall(r"^HTTP (\d+)", output, re.MULTILINE))
    assert statuses >= {"200", "400", "401", "404", "405", "429", "500"}
    assert mock.errors.count("request_id") == sum(reply.startswith("HTTP") for reply in replies)
    assert "x-auth-token:[Filtered]" in output  # in the canonical request of a signature that does not match


def credentials() -> Iterator[dict[str, str]]:
    """Headers with right, wrong and odd credentials."""
    signed = "host;x-auth-token;x-security-token;x-sdk-date;authorization"
    for token in ("token", "other token"):
        yield {"X-Auth-Token": SECRETS[token]}
    for scheme in ("SDK-HMAC-SHA256", "V11-HMAC-SHA256", "Bearer"):
        for access_key in ("an-access-key", "another"):
            yield {
                "Authorization": f"{scheme} Access={access_key}, SignedHeaders={signed}, "
                f"Signature={SECRETS['signature']}",
                "X-Auth-Token": SECRETS["other token"],
                "X-Security-Token": SECRETS["security token"],
            }
    for name in ("other token", "signature", "key"):
        yield {"Authorization": SECRETS[name]}
        yield {"Authorization": f"Basic {SECRETS[name]}"}
        yield {"Authorization": f"SDK-HMAC-SHA256 {SECRETS[name]}"}


def session(url: str, headers: dict[str, str]) -> Iterator[str]:
    """Replies to requests of every kind."""
    now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers = {"X-Sdk-Date": now, **headers}
    for path, method, extra, body in [
        (UPGRADE_PATH, "POST", {}, None),
        (UPGRADE_PATH, "POST", {"X-Language": "zh-cn"}, None),
        (UPGRADE_PATH, "POST", {}, b"{"),
        (UPGRADE_PATH, "POST", {"Content-Type": "text/plain"}, None),
        (UPGRADE_PATH, "POST", {"X-Mock-Scenario": "throttled"}, None),
        (UPGRADE_PATH, "POST", {"Prefer": "code=500"}, None),
        (UPGRADE_PATH, "POST", {"X-Mock-Scenario": "no-such"}, None),
        (UPGRADE_PATH.replace(PROJECT_ID, "short"), "POST", {}, None),
        (UPGRADE_PATH, "GET", {}, b""),
        ("/nowhere", "POST", {}, b""),
    ]:
        reply = send(url, method, path, headers={**headers, **extra}, body=body)
        yield f"HTTP {reply.status}\n{reply.headers}\n{reply.body.decode()}"


def malformed(url: str) -> Iterator[str]:
    """Replies to what is no proper HTTP."""
    for line in (
        f"X-Auth-Token {SECRETS['other token']}",
        f"X-Auth-Token: {SECRETS['other token']}\r",
        f"X-Auth-Token: {SECRETS['other token']}\x00",
        f" X-Auth-Token: {SECRETS['other token']}",
    ):
        with contextlib.closing(Wire(url)) as wire:
            wire.send(f"POST / HTTP/1.1\r\n{line}\r\n\r\n".encode())
            reply = wire.reply()
            yield f"HTTP {reply.status}\n{reply.headers}\n{reply.body.decode()}"
