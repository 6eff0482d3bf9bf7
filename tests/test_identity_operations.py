"""Tokens through the engine and over HTTP: what they open, when they end, and that no password is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support import NOW, PROJECT_ID, api_request, send

from mockserver.engine import Engine, load_engine
from mockserver.settings import Settings
from mockserver.times import moment

if TYPE_CHECKING:
    from conftest import StartMock

INSTANCES = f"/v3/{PROJECT_ID}/instances"
DAY = 24 * 3600.0


def token_request(scope: object = None, name: str = "alice", password: str = "wonderland") -> dict[str, Any]:  # noqa: S107  # no real one
    user = {"name": name, "password": password, "domain": {"name": "any"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    return {"auth": {"identity": identity, "scope": scope or {"project": {"id": PROJECT_ID}}}}


def issue(engine: Engine, scope: object = None, *, at: float = NOW) -> str:
    request = api_request(token_request(scope), path="/v3/auth/tokens", headers={}, received_at=at)
    reply = engine.handle(request).reply
    assert reply.status == 201
    return dict(reply.headers)["X-Subject-Token"]


def test_a_token_ends_when_its_body_says(engine: Engine) -> None:
    request = api_request(token_request(), path="/v3/auth/tokens", headers={}, received_at=NOW + 0.75)
    reply = engine.handle(request).reply
    token, body = dict(reply.headers)["X-Subject-Token"], json.loads(reply.body)["token"]
    assert body["expires_at"] == f"{moment(NOW + DAY):%Y-%m-%dT%H:%M:%S}.000000Z"
    assert [use(engine, token, at=NOW + DAY + late) for late in (-0.01, 0)] == [200, 401]


def use(engine: Engine, token: str, *, at: float = NOW) -> int:
    request = api_request(b"", method="GET", path=INSTANCES, headers={"X-Auth-Token": token}, received_at=at)
    return engine.handle(request).reply.status


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(auth="token"),
        Settings(token=("another",)),
        Settings(user=("alice:wonderland",)),
        Settings(auth="token", token=("another",), user=("alice:wonderland", "bob:x")),
    ],
    ids=["any", "token-mode", "with-tokens", "with-users", "with-both"],
)
def test_an_issued_token_opens_the_api_for_a_day(settings: Settings) -> None:
    engine = load_engine(settings, b"a key")
    token = issue(engine)
    assert [use(engine, token, at=NOW + later) for later in (0, DAY - 1, DAY, 2 * DAY)] == [200, 200, 401, 401]


def test_an_expired_token_is_called_so(engine: Engine) -> None:
    token = issue(engine)
    request = api_request(b"", method="GET", path=INSTANCES, headers={"X-Auth-Token": token}, received_at=NOW + DAY)
    assert "the token has expired" in json.loads(engine.handle(request).reply.body)["error_msg"]


def test_with_users_no_other_token_is_right(engine: Engine) -> None:
    strict = load_engine(Settings(user=("alice:wonderland",)), b"a key")
    assert use(engine, "any-other") == 200
    assert use(strict, "any-other") == 401
    assert use(strict, issue(load_engine(Settings(), b"another key"))) == 401


def test_a_token_is_issued_and_ends_by_the_clock_of_its_project(engine: Engine) -> None:
    """A test that has moved the clock until a token has ended gets a new one that is good."""
    old = issue(engine)
    engine.store.move_clock(PROJECT_ID, DAY)
    assert use(engine, old) == 401
    assert use(engine, issue(engine)) == 200


def test_a_signature_is_judged_by_the_wall_clock(start_mock: StartMock) -> None:
    """Signers do not know of the clock that a test has moved; test_python_workflow.py does the same with an SDK."""
    signature = "SDK-HMAC-SHA256 Access=AK, SignedHeaders=x-sdk-date, Signature=" + "0" * 64
    mock = start_mock(auth="signed", ak=("AK",), sk=("SK",))
    mock.project(PROJECT_ID).move_clock(DAY)
    from datetime import datetime, timezone  # noqa: PLC0415  # only here

    date = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    reply = send(mock.url, "GET", INSTANCES, body=b"", headers={"Authorization": signature, "X-Sdk-Date": date})
    assert "the signature does not match" in str(reply.json())


def test_no_output_shows_a_password_or_token(start_mock: StartMock, capfd: pytest.CaptureFixture[str]) -> None:
    mock = start_mock(user=("alice:wonderland",))
    body = json.dumps(token_request()).encode()
    reply = send(mock.url, path="/v3/auth/tokens", body=body, headers={"Content-Type": "application/json"})
    token = reply.headers["x-subject-token"]
    wrong = json.dumps(token_request(password="")).replace('"password": ""', '"password": ["wonderland"]').encode()
    refused = send(mock.url, path="/v3/auth/tokens", body=wrong, headers={"Content-Type": "application/json"})
    assert refused.status == 400
    send(mock.url, "GET", INSTANCES, body=b"", headers={"X-Auth-Token": token})
    journal = send(mock.url, "GET", "/__admin/requests", body=b"", headers={}).body.decode()
    settings = send(mock.url, "GET", "/__admin/settings", body=b"", headers={}).body.decode()
    shown = journal + settings + refused.body.decode() + "".join(capfd.readouterr())
    assert "alice" in journal
    assert "wonderland" not in shown
    assert token not in shown
