"""The WSGI application: what every answer has, under any server and beside other applications."""

from __future__ import annotations

import contextlib
import io
import json
import re
import threading
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator

import pytest
from support import INSTANCE, UPGRADE_PATH, batch, send
from werkzeug.datastructures import Headers
from werkzeug.test import Client, EnvironBuilder, run_wsgi_app

from mockserver.app import create_app
from mockserver.engine import MAX_BODY
from mockserver.errors import ScenarioError
from mockserver.settings import Settings

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from mockserver.app import MockApp

TOKEN = {"X-Auth-Token": "a-token"}
BODY = json.dumps(batch()).encode()


@pytest.fixture(scope="module")
def app() -> MockApp:
    """An application that accepts the same upgrade any number of times: what becomes of instances is no matter here."""
    return create_app(Settings(unknown_instances="accept"))


HERE = {"REMOTE_ADDR": "127.0.0.1"}
"""The admin API answers this machine only."""


@pytest.fixture(scope="module")
def client(app: MockApp) -> Client:
    """A client that holds the application to the WSGI specification, too."""
    return Client(validator(app))


def call(client: Client, path: str = UPGRADE_PATH, method: str = "POST", **options: Any) -> TestResponse:  # noqa: ANN401  # what werkzeug takes
    """The reply to the documented example, unless told otherwise."""
    # Buffered: the specification wants every reply closed.
    return client.open(
        path, method=method, buffered=True, environ_base=HERE, **{"headers": TOKEN, "data": BODY, **options}
    )


def assert_documented(reply: TestResponse, status: int, code: str) -> None:
    """The reply has the form of every documented error."""
    body = json.loads(reply.data)
    assert (reply.status_code, body["error_code"]) == (status, code)
    assert isinstance(body["error_msg"], str)
    assert_common(reply)


def assert_common(reply: TestResponse) -> None:
    """The reply has what every reply has, and nothing that a framework likes to add."""
    assert reply.headers["Content-Type"] == "application/json"
    assert re.fullmatch("[0-9a-f]{32}", reply.headers["X-Request-Id"])
    assert not {"Vary", "Set-Cookie", "Location"} & {name.title() for name, _ in reply.headers}


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("POST", UPGRADE_PATH, {}, 200),
        ("POST", UPGRADE_PATH, {"data": b"{"}, 400),
        ("POST", UPGRADE_PATH, {"headers": {}}, 401),
        ("POST", UPGRADE_PATH, {"headers": {**TOKEN, "Prefer": "code=429"}}, 429),
        ("POST", UPGRADE_PATH, {"headers": {**TOKEN, "Prefer": "code=500"}}, 500),
        ("GET", UPGRADE_PATH, {}, 405),
        ("GET", "/", {}, 404),
        ("GET", "/openapi.json", {}, 200),
        ("GET", "/__admin/health", {}, 200),
    ],
    ids=["success", "bad", "unauthorized", "throttled", "failed", "method", "path", "openapi", "health"],
)
def test_every_answer_is_json_with_a_request_id_of_its_own(
    client: Client, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    replies = [call(client, path, method, **options) for _ in range(2)]
    for reply in replies:
        assert reply.status_code == status
        assert_common(reply)
        assert int(reply.headers["Content-Length"]) == len(reply.data)
    assert replies[0].headers["X-Request-Id"] != replies[1].headers["X-Request-Id"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/favicon.ico",
        "/v3",
        f"{UPGRADE_PATH}/",
        f"/{UPGRADE_PATH}",
        UPGRADE_PATH.replace("/instances", "//instances"),
        UPGRADE_PATH.replace("/instances", "/%2Finstances"),
        f"{UPGRADE_PATH}/post-check",
        f"/prefix{UPGRADE_PATH}",
        UPGRADE_PATH.upper(),
        f"{UPGRADE_PATH}%0A",
        f"{UPGRADE_PATH}%00",
        "/static/openapi.json",
        "/__admin",
        "/openapi.json/",
        "//openapi.json",
        "/\u5347\u7ea7/%FF%FE",
    ],
)
def test_an_unknown_path_is_404_and_never_a_redirect(client: Client, path: str) -> None:
    assert_documented(call(client, path), 404, "APIGW.0101")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_another_method_is_405_with_the_allowed_one(client: Client, method: str) -> None:
    reply = call(client, method=method)
    assert_documented(reply, 405, "APIGW.0101")
    assert reply.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("path", "status"),
    [(UPGRADE_PATH, 405), ("/unknown", 404), ("/openapi.json", 200), ("/__admin/health", 200)],
    ids=["upgrade", "unknown", "openapi", "health"],
)
def test_head_has_the_headers_but_no_body(client: Client, path: str, status: int) -> None:
    reply = call(client, path, "HEAD")
    assert (reply.status_code, reply.data) == (status, b"")
    assert_common(reply)
    assert int(reply.headers["Content-Length"]) > 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "a" * 300},
        {"Host": "a..b"},
        {"Host": ""},
        {"Connection": "Upgrade", "Upgrade": "websocket"},
        {"Range": "bytes=0-1"},
        {"If-None-Match": "*"},
        {"Cookie": "session=forged"},
        {"X-Forwarded-Host": "elsewhere", "X-Forwarded-Proto": "https"},
        {"X-HTTP-Method-Override": "GET"},
    ],
    ids="-".join,
)
def test_headers_that_mean_something_to_a_framework_mean_nothing_here(client: Client, headers: dict[str, str]) -> None:
    reply = call(client, headers={**TOKEN, **headers})
    assert (reply.status_code, reply.data) == (200, b'{"resp":"success"}')
    assert_common(reply)


# Bodies


def test_a_body_over_the_limit_is_413(client: Client) -> None:
    assert_documented(call(client, data=BODY.ljust(MAX_BODY + 1)), 413, "APIGW.0201")
    assert call(client, data=BODY.ljust(MAX_BODY)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [(BODY, 200), (b"", 400), (BODY.ljust(MAX_BODY), 200), (BODY.ljust(MAX_BODY + 1), 413)],
    ids=["example", "empty", "limit", "too-large"],
)
def test_a_body_without_length_is_read_where_the_server_marks_its_end(app: MockApp, body: bytes, status: int) -> None:
    assert call_without_length(app, body, {"wsgi.input_terminated": True})[0] == status


def test_a_body_that_says_it_is_too_large_is_not_read(app: MockApp) -> None:
    class Unread(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("read")

    environ = EnvironBuilder(UPGRADE_PATH, method="POST", headers=Headers(TOKEN)).get_environ()
    environ |= {"CONTENT_LENGTH": str(MAX_BODY + 1), "wsgi.input": Unread()}
    assert run_wsgi_app(app, environ, buffered=True)[1].startswith("413 ")


def test_a_body_without_length_is_not_waited_for_elsewhere(app: MockApp) -> None:
    status, reply = call_without_length(app, BODY, {})
    assert (status, reply["error_code"]) == (400, "DBS.200006")


def call_without_length(app: MockApp, body: bytes, marks: dict[str, object]) -> tuple[int, dict[str, Any]]:
    """Status and body of the reply to a chunked request."""
    environ = EnvironBuilder(
        UPGRADE_PATH, method="POST", headers=Headers(TOKEN), input_stream=io.BytesIO(body)
    ).get_environ()
    del environ["CONTENT_LENGTH"]
    parts, status, _ = run_wsgi_app(validator(app), {**environ, **marks}, buffered=True)
    return int(status.split()[0]), json.loads(b"".join(parts))


# Applications side by side


def test_two_applications_share_nothing() -> None:
    one = create_app(Settings(scenario="throttled", auth="off", delay="string"))
    other = create_app(Settings(max_batch=1, unknown_instances="accept"))
    two = json.dumps(batch(INSTANCE, INSTANCE)).encode()
    text = json.dumps(batch(delay="true")).encode()
    for _ in range(2):
        assert call(one.test_client(), headers={}, data=text).status_code == 429
        assert call(one.test_client()).status_code == 400
        assert call(other.test_client(), data=text).status_code == 200
        assert call(other.test_client(), data=two).status_code == 400
        assert call(other.test_client(), headers={}).status_code == 401


def test_an_instance_that_one_application_has_upgraded_is_a_new_one_to_another() -> None:
    clients = [create_app().test_client() for _ in range(2)]
    assert [call(each).status_code for each in (*clients, *clients)] == [200, 200, 400, 400]


def test_an_unusable_setting_fails_at_the_start() -> None:
    with pytest.raises(ScenarioError, match="'throttled'"):
        create_app(Settings(scenario="throtled"))


def test_clock_and_request_ids_can_be_given() -> None:
    app = create_app(Settings(ak=("a",), sk=("s",)), clock=lambda: 0.0, new_request_id=lambda: "0" * 32)
    authorization = f"SDK-HMAC-SHA256 Access=a, SignedHeaders=x-sdk-date, Signature={'0' * 64}"
    headers = {"Authorization": authorization, "X-Sdk-Date": "20260101T000000Z"}
    reply = call(app.test_client(), headers=headers)
    assert_documented(reply, 401, "APIGW.0301")
    body = json.loads(reply.data)
    assert "19700101T000000Z" in body["error_msg"]
    assert reply.headers["X-Request-Id"] == body["request_id"] == "0" * 32


def test_another_wsgi_server_serves_it_as_well(app: MockApp) -> None:
    class Silent(WSGIRequestHandler):
        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  # its name in the base

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(make_server("127.0.0.1", 0, validator(app), handler_class=Silent))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        url = f"http://127.0.0.1:{server.server_port}"
        reply = send(url)
        assert (reply.status, reply.body) == (200, b'{"resp":"success"}')
        assert reply.headers["content-type"] == "application/json"
        assert send(url, "GET", headers={}, body=b"").status == 405
        assert send(url, "GET", "/openapi.json", headers={}, body=b"").status == 200


# Our own bugs


def test_a_bug_of_our_own_is_answered_without_and_logged_with_its_trace(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(call: object) -> None:
        del call
        raise ZeroDivisionError("divided the fleet")

    monkeypatch.setattr("mockserver.operations.batch_upgrade_databases.decide", fail)
    reply = call(create_app().test_client())
    assert_documented(reply, 500, "MOCK.0002")
    request_id = reply.headers["X-Request-Id"]
    assert request_id in reply.text
    assert not re.search("Traceback|ZeroDivision|divided|decide", reply.text)
    (record,) = caplog.records
    assert request_id in record.getMessage()
    assert "ZeroDivisionError: divided the fleet" in caplog.text
