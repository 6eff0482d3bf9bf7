"""The guard of the admin API: who may call, under which name, from which page; and that nothing gets past it."""

from __future__ import annotations

import http.client
import json
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from support import send

from mockserver.app import create_admin_app, create_app
from mockserver.guard import Guard
from mockserver.model import ApiError
from mockserver.resources import bundle_root
from mockserver.running import MockServer
from mockserver.settings import Settings

if TYPE_CHECKING:
    from conftest import StartMock

    from mockserver.app import MockApp

PORT = 8080
RIGHT = "s3cret"
HERE = f"127.0.0.1:{PORT}"
METHODS = ("get", "put", "post", "delete")
DOCUMENT: dict[str, Any] = json.loads((bundle_root() / "schemas" / "admin.json").read_text("utf-8"))
OPERATIONS = [
    (method.upper(), path.replace("{name}", "slow").replace("{id}", "1"))
    for path, item in DOCUMENT["paths"].items()
    for method in METHODS
    if method in item
]


def refusal(
    headers: dict[str, str], remote: str = "127.0.0.1", *, token: str | None = None, host: str = "127.0.0.1"
) -> str | None:
    """What the guard has against a request: an error's name, or the reason that it gives; None when it may go on."""
    try:
        Guard(token, frozenset({host})).check(headers, remote)
    except ApiError as error:
        return str(error.parameters.get("reason", error.name))
    return None


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        (HERE, True),
        ("127.0.0.1", True),
        (f"localhost:{PORT}", True),
        (f"LOCALHOST:{PORT}", True),
        (f"127.0.0.2:{PORT}", True),
        (f"[::1]:{PORT}", True),
        ("[::1]", True),
        (f"[::ffff:127.0.0.1]:{PORT}", True),
        (f"mock.internal:{PORT}", True),
        (f"MOCK.internal:{PORT}", True),
        ("attacker.example", False),
        (f"attacker.example:{PORT}", False),
        (f"localhost.attacker.example:{PORT}", False),
        (f"127.0.0.1.attacker.example:{PORT}", False),
        (f"attacker.example#@{HERE}", False),
        (f"attacker.example/@{HERE}", False),
        (f"attacker.example?@{HERE}", False),
        (f"10.0.0.1:{PORT}", False),
        (f"0.0.0.0:{PORT}", False),
        (f"192.168.1.{PORT}", False),
        (f"[::2]:{PORT}", False),
        ("[::1", False),
        ("", False),
        (None, False),
        ("a:b:c", False),
        (f":{PORT}", False),
        ("\xff", False),
    ],
)
def test_only_names_of_this_machine_may_be_called(host: str | None, allowed: bool) -> None:  # noqa: FBT001  # a table
    found = refusal({} if host is None else {"host": host}, host="mock.internal")
    if allowed:
        assert found is None
    else:
        assert found is not None
        assert found.startswith("the Host '")
        assert found.endswith("' is not a name of this machine")


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, None),
        ({"origin": f"http://{HERE}"}, None),
        ({"origin": f"HTTP://{HERE}"}, None),
        ({"origin": f"https://{HERE}"}, None),
        ({"host": f"LOCALHOST:{PORT}", "origin": f"http://localhost:{PORT}"}, None),
        ({"host": f"[::1]:{PORT}", "origin": f"http://[::1]:{PORT}"}, None),
        ({"origin": "http://attacker.example"}, "the Origin 'http://attacker.example' is another site's"),
        (
            {"origin": f"http://attacker.example:{PORT}"},
            f"the Origin 'http://attacker.example:{PORT}' is another site's",
        ),
        ({"origin": "http://127.0.0.1:3000"}, "the Origin 'http://127.0.0.1:3000' is another site's"),
        ({"origin": f"http://localhost:{PORT}"}, f"the Origin 'http://localhost:{PORT}' is another site's"),
        ({"origin": "null"}, "the Origin 'null' is another site's"),
        ({"origin": ""}, "the Origin '' is another site's"),
        ({"origin": "http://[::1"}, "the Origin 'http://[::1' is another site's"),
        ({"origin": "http://" + "a" * 500}, f"the Origin 'http://{'a' * 73}' is another site's"),
        ({"sec-fetch-site": "none"}, None),
        ({"sec-fetch-site": "same-origin"}, None),
        ({"sec-fetch-site": "same-site"}, "the request comes from another site's page"),
        ({"sec-fetch-site": "cross-site"}, "the request comes from another site's page"),
        ({"sec-fetch-site": ""}, "the request comes from another site's page"),
        ({"origin": f"http://{HERE}", "sec-fetch-site": "cross-site"}, "the request comes from another site's page"),
    ],
)
@pytest.mark.parametrize("token", [None, "a-token"], ids=["open", "with-token"])
def test_no_page_of_another_site_may_call(headers: dict[str, str], reason: str | None, token: str | None) -> None:
    """Not even with the right token."""
    assert refusal({"host": HERE, "x-admin-token": "a-token", **headers}, token=token) == reason


@pytest.mark.parametrize(
    ("remote", "allowed"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104  # an address of a caller, nothing is bound
        ("::", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_without_a_token_only_this_machine_may_call(remote: str, allowed: bool) -> None:  # noqa: FBT001  # a table
    reason = None if allowed else "without --admin-token only this machine may use it"
    assert refusal({"host": HERE}, remote) == reason


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"x-admin-token": "s3cret"}, True),
        ({"authorization": "Bearer s3cret"}, True),
        ({}, False),
        ({"x-admin-token": ""}, False),
        ({"x-admin-token": "s3cre"}, False),
        ({"x-admin-token": "s3crett"}, False),
        ({"x-admin-token": "geheim-\xfc"}, False),
        ({"x-admin-token": "\ud800"}, False),
        ({"authorization": "Bearer "}, False),
        ({"authorization": "Bearer wrong"}, False),
        ({"authorization": "Basic s3cret"}, False),
        ({"x-admin-token": "wrong", "authorization": "Bearer s3cret"}, False),
        ({"x-auth-token": "s3cret"}, False),
    ],
)
@pytest.mark.parametrize("remote", ["127.0.0.1", "10.0.0.1"])
def test_with_a_token_whoever_has_it_may_call(
    headers: dict[str, str],
    allowed: bool,  # noqa: FBT001  # a table
    remote: str,
) -> None:
    assert refusal({"host": HERE, **headers}, remote, token=RIGHT) == (None if allowed else "admin-unauthorized")


def test_an_empty_token_is_nobodys_key() -> None:
    """As from `--admin-token "$UNSET"`: who sends no token must not have the right one."""
    assert refusal({"host": HERE}, "10.0.0.1", token="") is not None


def test_another_machine_with_the_token_calls_by_the_address_that_it_knows() -> None:
    headers = {"host": f"10.0.0.5:{PORT}", "x-admin-token": RIGHT}
    assert refusal(headers, "10.0.0.1", token=RIGHT, host="0.0.0.0") is None  # noqa: S104  # nothing is bound


@pytest.mark.parametrize(
    ("headers", "address", "settings", "status", "code", "text"),
    [
        ({"Host": "attacker.example"}, "127.0.0.1", {}, 403, "MOCK.0102", "the Host 'attacker.example' is not a name"),
        ({"Origin": "null"}, "127.0.0.1", {}, 403, "MOCK.0102", "the Origin 'null' is another site's"),
        ({"Origin": "http://[::1"}, "127.0.0.1", {}, 403, "MOCK.0102", "is another site's"),
        ({"Sec-Fetch-Site": "cross-site"}, "127.0.0.1", {}, 403, "MOCK.0102", "another site's page"),
        ({}, "10.0.0.1", {}, 403, "MOCK.0102", "without --admin-token only this machine may use it"),
        ({}, "127.0.0.1", {"admin_token": "t"}, 401, "MOCK.0101", "Send X-Admin-Token"),
    ],
    ids=["host", "origin", "broken-origin", "fetch-site", "address", "token"],
)
def test_a_refusal_says_why_in_the_documented_form(
    headers: dict[str, str], address: str, settings: dict[str, Any], status: int, code: str, text: str
) -> None:
    client = create_app(Settings(**settings)).test_client()
    reply = client.get("/__admin/health", headers=headers, environ_overrides={"REMOTE_ADDR": address})
    assert reply.json is not None, reply.text
    assert (reply.status_code, reply.json["error_code"]) == (status, code)
    assert text in reply.json["error_msg"]
    assert len(reply.headers["X-Request-Id"]) == 32


UNKNOWN = [
    ("GET", "/__admin/openapi.json"),
    ("HEAD", "/__admin/settings"),
    ("GET", "/__admin/"),
    ("PATCH", "/__admin/rules"),
    ("OPTIONS", "/__admin/rules"),
    ("OPTIONS", "/__admin/openapi.json"),
]


@lru_cache
def app_of(*, own_port: bool) -> MockApp:
    app = create_app()
    return create_admin_app(app.mock) if own_port else app


def test_the_operations_are_all_there() -> None:
    assert len(OPERATIONS) == 25
    assert ("DELETE", "/__admin/rules/1") in OPERATIONS


@pytest.mark.parametrize("own_port", [False, True], ids=["shared-port", "own-port"])
@pytest.mark.parametrize(
    ("method", "path"), [*OPERATIONS, *UNKNOWN], ids=[" ".join(each) for each in [*OPERATIONS, *UNKNOWN]]
)
def test_the_guard_stands_before_everything(method: str, path: str, own_port: bool) -> None:  # noqa: FBT001  # a table
    reply = (
        app_of(own_port=own_port).test_client().open(path, method=method, environ_overrides={"REMOTE_ADDR": "10.0.0.1"})
    )
    assert reply.status_code == 403, reply.text
    assert "allow" not in {name.lower() for name in reply.headers.keys()}  # noqa: SIM118  # names, not pairs
    assert reply.text == "" or "only this machine" in reply.text


TRICKS = [
    "/__admin/../__admin/settings",
    "/v3/../__admin/settings",
    "/./__admin/settings",
    "/__ADMIN/settings",
    "//__admin/settings",
    "/__admin//settings",
    "/__admin/settings/",
    "/__admin%2Fsettings",
    "/%5f%5fadmin/settings",
    "/__admin/%73ettings",
    "/__admin/settings%00",
    "/__admin/settings%0a",
    "/%2e%2e/__admin/settings",
    "/__admin\\settings",
    "/__admin/settings%23",
]


@pytest.mark.parametrize("path", TRICKS)
def test_no_spelling_of_a_path_gets_past_the_guard(path: str, start_mock: StartMock) -> None:
    """Over HTTP, since a test client tidies paths; without the token every answer is a refusal or a 404."""
    reply = send(start_mock(admin_token=RIGHT).url, "GET", path, headers={})
    assert reply.status in (401, 404), reply.body
    assert b"journal_size" not in reply.body
    assert b"error_code" in reply.body


def test_a_body_without_a_length_is_bounded_as_well(mock: MockServer) -> None:
    address = urlsplit(mock.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    pieces = (b" " * 65536 for _ in range(17))
    connection.request("POST", "/__admin/reset", pieces, {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_without_the_admin_api_its_paths_are_unknown_to_the_api() -> None:
    client = create_app(Settings(admin=False)).test_client()
    for path in ("/__admin/health", "/__admin/openapi.json", "/__admin/rules"):
        reply = client.get(path)
        assert reply.json is not None
        assert (reply.status_code, reply.json["error_code"]) == (404, "APIGW.0101")


def test_the_admin_api_may_have_a_port_of_its_own() -> None:
    before = set(threading.enumerate())
    with MockServer(Settings(port=0, admin_port=0)) as mock:
        assert mock.admin_url not in (None, mock.url)
        assert send(str(mock.admin_url), "GET", "/__admin/health", headers={}).status == 200
        elsewhere = send(mock.url, "GET", "/__admin/health", headers={})
        assert (elsewhere.status, b"APIGW.0101" in elsewhere.body) == (404, True)
        upgrade_there = send(str(mock.admin_url))
        assert (upgrade_there.status, b"MOCK.0103" in upgrade_there.body) == (404, True)
        rule = {"scenario": "conflict"}
        added = send(str(mock.admin_url), "POST", "/__admin/rules", body=json.dumps(rule).encode())
        assert (added.status, send(mock.url).status) == (201, 409)
    assert mock.admin_url is None
    assert set(threading.enumerate()) <= before
