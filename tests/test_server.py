"""The server: its life from bind to stop, what is no proper HTTP, and clients that are slow, huge or rude."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import re
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from processes import GUARD, Wire, is_listening, until
from support import UPGRADE_PATH, batch, send
from waitress.channel import HTTPChannel

from mockserver import server as server_module
from mockserver.app import MockApp, create_app
from mockserver.engine import MAX_BODY, Engine
from mockserver.errors import ServerError
from mockserver.running import MockServer
from mockserver.server import Server
from mockserver.settings import Settings
from mockserver.wire import MAX_HEADERS, Body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support import HttpReply

    from mockserver.model import ApiRequest, Exchange

BODY = json.dumps(batch()).encode()
LINE = f"POST {UPGRADE_PATH} HTTP/1.1\r\n".encode()
HEADERS = b"Host: mock\r\nX-Auth-Token: a-token\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
EXAMPLE = LINE + HEADERS + LENGTH + b"\r\n" + BODY
CHUNKED = LINE + HEADERS + b"Transfer-Encoding: chunked\r\n\r\n"
HEALTH = b"GET /openapi.json HTTP/1.1\r\nHost: mock\r\n\r\n"


ACCEPTING = Settings(port=0, unknown_instances="accept")
"""The same upgrade is accepted any number of times: what becomes of instances is no matter here."""


def application() -> MockApp:
    return create_app(ACCEPTING)


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    with MockServer(ACCEPTING) as running:
        yield running


@contextlib.contextmanager
def serving(app: MockApp) -> Iterator[Server]:
    """A server of `app` on a free port."""
    server = Server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(GUARD)
        assert not thread.is_alive()


class SlowApp:
    """An application whose upgrades are all in progress until `go_on` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arrived = threading.Semaphore(0)
        self.go_on = threading.Event()
        handle = Engine.handle

        def wait(engine: Engine, request: ApiRequest) -> Exchange:
            self.arrived.release()
            assert self.go_on.wait(GUARD)
            return handle(engine, request)

        monkeypatch.setattr(Engine, "handle", wait)
        self.app = application()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowApp:
    return SlowApp(monkeypatch)


def assert_refused(reply: HttpReply, status: int, code: str, reason: str = "") -> None:
    """The reply has the form of every documented error."""
    body: Any = reply.json()
    assert (reply.status, body["error_code"]) == (status, code)
    assert reason in body["error_msg"]
    assert reply.headers["content-type"] == "application/json"
    assert re.fullmatch("[0-9a-f]{32}", reply.headers["x-request-id"])
    assert body["request_id"] == reply.headers["x-request-id"]


# Start


def test_it_starts_on_a_free_port_of_loopback() -> None:
    with MockServer() as one, MockServer() as other:
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d+", one.url)
        assert one.url != other.url
        assert send(one.url).status == send(other.url).status == 200


def test_the_url_of_an_ipv6_address_has_brackets() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with MockServer(Settings(host="::1", port=0)) as mock:
        assert mock.url.startswith("http://[::1]:")
        assert send(mock.url).status == 200


def test_the_url_before_the_start_is_a_clear_error() -> None:
    with pytest.raises(
        ServerError, match=r"^the mock is not running; use `with MockServer\(\) as mock:` or call start"
    ):
        _ = MockServer().url


def test_a_port_in_use_is_named_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            ServerError,
            match=rf"^cannot listen on 127\.0\.0\.1:{port}: .+\. Choose another --port, or 0 for a free one\.$",
        ):
            MockServer(Settings(port=port)).start()


def test_an_unknown_host_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "name not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)  # a test asks no name server
    with pytest.raises(ServerError, match=r"^--host nowhere: no such address \(name not known\)$"):
        MockServer(Settings(host="nowhere", port=0)).start()


@pytest.mark.parametrize("host", ["a" * 64, "a..b", "a\udcffb"], ids=["long-label", "empty-label", "no-text"])
def test_a_host_that_cannot_be_a_name_is_named(host: str) -> None:
    with pytest.raises(ServerError, match=r"^--host "):
        MockServer(Settings(host=host, port=0)).start()


# Stop


def test_200_starts_leave_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    with MockServer():
        pass  # loads what is loaded once
    gc.collect()
    threads, descriptors = threading.enumerate(), open_descriptors()
    for _ in range(200):
        with MockServer() as mock, Wire(mock.url) as wire:
            wire.send(EXAMPLE)
            assert wire.reply().status == 200
        assert threading.enumerate() == threads
    gc.collect()
    assert open_descriptors() <= descriptors
    assert caplog.text == ""


def open_descriptors() -> int:
    """How many descriptors this process has open; 0 where the system does not tell."""
    folders = [folder for folder in (Path("/proc/self/fd"), Path("/dev/fd")) if folder.is_dir()]
    return len(list(folders[0].iterdir())) if folders else 0


def test_stopping_twice_is_harmless() -> None:
    mock = MockServer().start()
    mock.stop()
    mock.stop()
    with pytest.raises(ServerError):
        _ = mock.url


def test_stopping_a_server_that_has_ended_is_harmless() -> None:
    with serving(application()) as server:
        server.stop()
        until(lambda: not is_listening(server.url), "the server stopped")
    server.stop()


def test_stop_is_done_before_the_server_takes_down_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(application(), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    trigger = server._waitress.trigger  # noqa: SLF001  # the race is inside
    pull = trigger._physical_pull  # noqa: SLF001  # the race is inside

    def pull_slowly() -> None:
        pull()
        thread.join(0.2)  # a server that does not wait has ended by then
        pull()

    monkeypatch.setattr(trigger, "_physical_pull", pull_slowly)
    thread.start()
    server.stop()
    thread.join(GUARD)
    assert not thread.is_alive()


def test_the_server_takes_down_nothing_that_an_answering_thread_still_needs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    may_go_on = threading.Event()
    with serving(application()) as server, Wire(server.url) as wire:
        waitress = server._waitress  # noqa: SLF001  # the race is inside
        pull = waitress.pull_trigger

        def pull_late() -> None:
            assert may_go_on.wait(GUARD)
            pull()

        monkeypatch.setattr(waitress, "pull_trigger", pull_late)
        wire.send(EXAMPLE)
        assert wire.reply().status == 200
        server.stop()
        assert wire.is_ended()
        may_go_on.set()
    assert caplog.text == ""


def test_a_pipelined_request_that_comes_to_its_turn_after_the_stop_is_dropped() -> None:
    workers = server_module._Workers()  # noqa: SLF001  # the race is inside
    workers.shutdown()
    workers.add_task(HTTPChannel.__new__(HTTPChannel))


def test_it_starts_again_after_a_stop() -> None:
    mock = MockServer(ACCEPTING)
    for _ in range(2):
        with mock:
            assert send(mock.url).status == 200


def test_requests_that_wait_for_their_answer_get_it_although_the_server_stops(
    monkeypatch: pytest.MonkeyPatch, slow: SlowApp
) -> None:
    monkeypatch.setattr(server_module, "GRACE", GUARD)
    with serving(slow.app) as server, Wire(server.url) as wire:
        wire.send(EXAMPLE)
        assert slow.arrived.acquire(timeout=GUARD)
        server.stop()
        until(lambda: not is_listening(server.url), "the stop began")
        slow.go_on.set()
        assert wire.reply().body == b'{"resp":"success"}'
        assert wire.is_ended()


def test_a_request_that_has_half_arrived_is_answered_although_the_server_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "GRACE", GUARD)
    with serving(application()) as server, Wire(server.url) as wire:
        wire.send(EXAMPLE[:-20])
        # The server reads in the order of arrival, so it knows of the half when it has answered what came later.
        assert send(server.url).status == 200
        server.stop()
        until(lambda: not is_listening(server.url), "the stop began")
        wire.send(EXAMPLE[-20:])
        assert wire.reply().body == b'{"resp":"success"}'


def test_requests_sent_before_the_stop_are_answered_although_nobody_has_accepted_them_yet() -> None:
    server = Server(application(), "127.0.0.1", 0)
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server.url)) for _ in range(20)]
        for wire in wires:
            wire.send(EXAMPLE)
        server.stop()
        server.run()
        assert [wire.reply().status for wire in wires] == [200] * 20


def test_idle_connections_do_not_delay_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "GRACE", 2 * GUARD)
    with contextlib.ExitStack() as clients, serving(application()) as server:  # which guards against the delay
        wires = [clients.enter_context(Wire(server.url)) for _ in range(10)]
        for wire in wires[:5]:
            wire.send(EXAMPLE)
            assert wire.reply().status == 200
        with Wire(server.url) as refused:
            refused.send(b"no HTTP\r\n\r\n")
            assert refused.reply().status == 400
            server.stop()
            until(lambda: not is_listening(server.url), "the stop began")
            assert all(wire.is_ended() for wire in wires)


def test_a_request_that_never_ends_does_not_keep_the_server_from_stopping(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server_module, "GRACE", 0.05)
    with serving(application()) as server, Wire(server.url) as wire:
        wire.send(EXAMPLE[:-1])
        assert send(server.url).status == 200
        server.stop()
        assert wire.is_ended()
    assert "stopped with requests unanswered after 0.05 s" in caplog.text


# What is no proper HTTP


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"HELLO\r\n\r\n", ""),
        (b"\x00" * 64 + b"\r\n\r\n", ""),
        (b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + bytes(range(128)), ""),
        (b"GET /\r\n\r\n", ""),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
        (EXAMPLE.replace(b"HTTP/1.1", b"HTTP/9.9"), ""),
        (b"GET http://[ HTTP/1.1\r\n\r\n", ""),
        ("GET /é HTTP/1.1\r\n\r\n".encode(), ""),
        (LINE + b"Host mock\r\n\r\n", "header"),
        (LINE + b"Host : mock\r\n\r\n", "header"),
        (LINE + b" Host: mock\r\n\r\n", "header"),
        (LINE + b"Host: mo\rck\r\n\r\n", "CR"),
        (LINE + b"Host: mo\nck\r\n\r\n", "LF"),
        (LINE + b"Host: mo\x00ck\r\n\r\n", "header"),
        (EXAMPLE.replace(b"\r\n", b"\n"), "LF"),
        (LINE + HEADERS + LENGTH + b"Content-Length: 1\r\n\r\n" + BODY, "Content-Length"),
        (LINE + HEADERS + b"Content-Length: -1\r\n\r\n", "Content-Length"),
        (LINE + HEADERS + b"Content-Length: 0x8\r\n\r\n", "Content-Length"),
        (LINE + HEADERS + b"Content-Length: \r\n\r\n", "Content-Length"),
        (LINE + HEADERS + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", ""),
        (CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n") + b"0\r\n\r\n", "Content-Length"),
        (CHUNKED.replace(b"chunked", b"gzip, chunked") + b"0\r\n\r\n", "Transfer-Encoding"),
        (CHUNKED.replace(b"chunked", b"brotli"), "Transfer-Encoding"),
        (CHUNKED + b"eight\r\n", "chunk"),
        (CHUNKED + b"-8\r\n", "chunk"),
        (CHUNKED + b"2;a=\x00\r\n{}\r\n", "chunk"),
        (CHUNKED + b"2\r\n{}{}\r\n", "Chunk"),
        (CHUNKED + b"1" * 100_000, ""),
        (CHUNKED + b"0\r\n" + b"X-Trailer: x\r\n" * 50_000, ""),
    ],
    ids=[
        "no-http",
        "nul-bytes",
        "tls",
        "http-0.9",
        "http-2",
        "http-9.9",
        "broken-url",
        "raw-utf-8-path",
        "header-without-colon",
        "blank-before-colon",
        "folded-first-header",
        "bare-cr",
        "bare-lf",
        "nul-in-header",
        "lf-only",
        "two-lengths",
        "negative-length",
        "hexadecimal-length",
        "empty-length",
        "length-of-5000-digits",
        "length-and-chunked",
        "gzip-and-chunked",
        "unknown-coding",
        "chunk-size-no-number",
        "chunk-size-negative",
        "chunk-extension",
        "chunk-without-line-end",
        "chunk-size-endless",
        "trailer-endless",
    ],
)
def test_what_is_no_proper_http_is_answered_in_the_documented_form(mock: MockServer, data: bytes, reason: str) -> None:
    with Wire(mock.url) as wire:
        wire.send(data)
        reply = wire.reply()
        assert_refused(reply, 400, "APIGW.0201", reason)
        assert reply.headers["connection"] == "close"
        assert wire.is_ended()


@pytest.mark.parametrize(
    "line",
    [
        b"X-Auth-Token a-secret",
        b"X-Auth-Token: a-secret\rx",
        b"X-Auth-Token: a-secret\nx",
        b"X-Auth-Token: a-secret\x00",
        b'X-Auth-Token: "a-secret\rx',
        b" X-Auth-Token: a-secret",
        b"X-Auth-Token : a-secret",
    ],
    ids=["no-colon", "bare-cr", "bare-lf", "nul", "quote", "folded", "blank"],
)
def test_a_token_in_a_malformed_line_is_not_repeated(
    mock: MockServer, line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), Wire(mock.url) as wire:
        wire.send(b"POST / HTTP/1.1\r\n" + line + b"\r\n\r\n")
        reply = wire.reply()
        assert wire.is_ended()
    assert_refused(reply, 400, "APIGW.0201", "malformed")
    assert b"secret" not in reply.body
    assert "secret" not in f"{reply.headers}{caplog.text}"


def test_headers_over_256_kib_are_refused(mock: MockServer) -> None:
    with Wire(mock.url) as wire:
        wire.send(LINE + HEADERS + b"X-Long: " + b"x" * MAX_HEADERS + b"\r\n\r\n")
        reply = wire.reply()
        assert_refused(reply, 494, "APIGW.0201", "larger than 262144 bytes")
        assert wire.is_ended()


def test_headers_of_200_kib_are_accepted(mock: MockServer) -> None:
    with Wire(mock.url) as wire:
        wire.send(LINE + HEADERS + LENGTH + b"X-Long: " + b"x" * 200 * 1024 + b"\r\n\r\n" + BODY)
        assert wire.reply().status == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"no HTTP\r\n\r\n" + b"x" * 5_000_000, 400),
        (LINE + HEADERS + b"X-Long: " + b"x" * 1_000_000 + b"\r\n\r\n", 494),
        (LINE + HEADERS + b"X-Long: " + b"x" * 10_000_000 + b"\r\n\r\n", 494),
        (CHUNKED + b"eight\r\n" + b"x" * 5_000_000, 400),
        (LINE.replace(b"1.1", b"1.0") + HEADERS + LENGTH + b"\r\n" + BODY + b"x" * 5_000_000, 200),
        (LINE + HEADERS + LENGTH + b"Connection: close\r\n\r\n" + BODY + b"x" * 5_000_000, 200),
    ],
    ids=["no-http", "headers-1-mb", "headers-10-mb", "bad-chunk", "http-1.0", "connection-close"],
)
def test_an_answer_reaches_a_client_that_goes_on_sending(mock: MockServer, data: bytes, status: int) -> None:
    """Closing a socket with unread bytes resets the connection, and the reset overtakes the answer."""
    with Wire(mock.url) as wire:
        wire.send(data)
        assert wire.reply().status == status
        assert wire.is_ended()


def test_a_client_that_never_closes_is_left_in_the_end(mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.wire.LINGER", 0.05)
    with Wire(mock.url) as wire:
        wire.send(b"no HTTP\r\n\r\n")
        assert wire.reply().status == 400
        assert wire.is_ended()

        def is_left() -> bool:
            try:
                wire.send(b"x")
            except ConnectionError:
                return True
            return False

        until(is_left, "the server closed the connection")


# Bodies over the limit


def chunks(body: bytes) -> bytes:
    """The body as two chunks and the end."""
    half = len(body) // 2
    parts = (body[:half], body[half:])
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


PADDED = BODY.ljust(MAX_BODY)


def test_a_body_of_the_limit_is_accepted(mock: MockServer) -> None:
    assert send(mock.url, body=PADDED).status == 200


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Length: %d\r\n" % (MAX_BODY + 1), PADDED + b" "),
        (b"Transfer-Encoding: chunked\r\n", chunks(PADDED + b" ")),
    ],
    ids=["content-length", "chunked"],
)
@pytest.mark.parametrize("expects", [False, True], ids=["at-once", "100-continue"])
def test_a_body_over_the_limit_is_refused_when_all_of_it_was_sent(
    mock: MockServer, headers: bytes, body: bytes, *, expects: bool
) -> None:
    with Wire(mock.url) as wire:
        wire.send(LINE + HEADERS + headers + b"Expect: 100-continue\r\n" * expects + b"\r\n")
        if expects:
            assert wire.reply().status == 100
        wire.send(body)
        assert_refused(wire.reply(), 413, "APIGW.0201", f"{MAX_BODY + 1} bytes")
        wire.send(EXAMPLE)
        assert wire.reply().status == 200


def test_a_length_that_no_body_can_have_is_refused_at_once(mock: MockServer) -> None:
    with Wire(mock.url) as wire:
        wire.send(LINE + HEADERS + b"Content-Length: " + b"9" * 20 + b"\r\n\r\n")
        assert_refused(wire.reply(), 413, "APIGW.0201")
        assert wire.is_ended()


def test_no_more_than_the_limit_of_a_body_is_kept() -> None:
    body = Body(1 << 20)
    piece = b" " * (1 << 20)
    for _ in range(40):
        body.append(piece)
    assert len(body) == 40 << 20
    assert len(body.getfile().read()) == MAX_BODY
    body.close()


# Requests of every legal form


def test_a_chunked_body_is_accepted(mock: MockServer) -> None:
    with Wire(mock.url) as wire:
        wire.send(CHUNKED, chunks(BODY))
        assert wire.reply().status == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (LINE + HEADERS + LENGTH + b"Expect: 100-continue\r\n\r\n", 200),
        (LINE + HEADERS + b"Content-Length: 0\r\nExpect: 100-continue\r\n\r\n", 400),
        (LINE + HEADERS + b"Expect: 100-continue\r\n\r\n", 400),
        (LINE.replace(b"POST", b"GET") + HEADERS + b"Expect: 100-continue\r\n\r\n", 405),
    ],
    ids=["body", "length-0", "no-length", "get"],
)
def test_a_client_that_expects_100_continue_gets_its_answer(mock: MockServer, data: bytes, status: int) -> None:
    """The continuation may be left out where no body is to come, says RFC 9110 in 10.1.1."""
    with Wire(mock.url) as wire:
        wire.socket.settimeout(5)
        wire.send(data)
        reply = wire.reply()
        if reply.status == 100:
            if status == 200:
                wire.send(BODY)
            reply = wire.reply()
        assert reply.status == status


def test_one_connection_serves_many_requests(mock: MockServer) -> None:
    with Wire(mock.url) as wire:
        for _ in range(20):
            wire.send(EXAMPLE)
            assert wire.reply().status == 200


def test_pipelined_requests_are_answered_in_their_order(mock: MockServer) -> None:
    refused = EXAMPLE.replace(b"POST", b"PATCH")
    with Wire(mock.url) as wire:
        wire.send(EXAMPLE, refused, EXAMPLE + HEALTH + refused)
        assert [wire.reply().status for _ in range(5)] == [200, 405, 200, 200, 405]


def test_http_1_0_gets_an_answer_and_the_end(mock: MockServer) -> None:
    with Wire(mock.url) as wire:
        wire.send(EXAMPLE.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert wire.reply().body == b'{"resp":"success"}'
        assert wire.is_ended()


def test_http_1_0_can_keep_the_connection(mock: MockServer) -> None:
    data = EXAMPLE.replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\nConnection: keep-alive\r\n")
    with Wire(mock.url) as wire:
        for _ in range(2):
            wire.send(data)
            assert wire.reply().status == 200


def test_a_client_that_has_closed_its_direction_gets_the_answer(mock: MockServer) -> None:
    with Wire(mock.url) as wire:
        wire.send(EXAMPLE)
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.reply().status == 200
        assert wire.is_ended()


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (f"http://elsewhere:1{UPGRADE_PATH}", 200),
        (f"HTTP://elsewhere{UPGRADE_PATH}", 200),
        (f"{UPGRADE_PATH}?a=b", 200),
        (f"{UPGRADE_PATH}#part", 200),
        ("http://elsewhere", 404),
        ("*", 404),
        (f"/{UPGRADE_PATH}", 404),
        (f"//{UPGRADE_PATH}", 404),
        ("//openapi.json", 404),
        ("///openapi.json", 404),
        (f"{UPGRADE_PATH}/", 404),
    ],
    ids=[
        "absolute",
        "absolute-upper-case",
        "query",
        "fragment",
        "absolute-without-path",
        "asterisk",
        "two-slashes",
        "three-slashes",
        "two-slashes-openapi",
        "three-slashes-health",
        "slash-at-the-end",
    ],
)
def test_every_form_of_request_target_is_understood(mock: MockServer, target: str, status: int) -> None:
    with Wire(mock.url) as wire:
        wire.send(EXAMPLE.replace(UPGRADE_PATH.encode(), target.encode()))
        reply = wire.reply()
    assert reply.status == status
    if status != 200:
        assert_refused(reply, status, "APIGW.0101")


def test_options_asterisk_has_the_documented_form(mock: MockServer) -> None:
    with Wire(mock.url) as wire:
        wire.send(b"OPTIONS * HTTP/1.1\r\nHost: mock\r\n\r\n")
        assert_refused(wire.reply(), 404, "APIGW.0101")


@pytest.mark.parametrize(
    "headers",
    [
        b"",
        b"Host: \r\n",
        b"Host: " + b"a" * 300 + b"\r\n",
        b"Host: a..b\r\n",
        b"Host: \xff/@:[\r\n",
        b"Host: a\r\n" * 2,
    ],
    ids=["none", "empty", "long", "empty-label", "garbage", "two"],
)
def test_no_host_header_disturbs(mock: MockServer, headers: bytes) -> None:
    with Wire(mock.url) as wire:
        wire.send(EXAMPLE.replace(b"Host: mock\r\n", headers))
        assert wire.reply().status == 200


def test_an_upgrade_to_websocket_is_ignored(mock: MockServer) -> None:
    with Wire(mock.url) as wire:
        wire.send(EXAMPLE.replace(HEADERS, HEADERS + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"))
        assert wire.reply().status == 200


def test_a_reply_to_head_has_no_body(mock: MockServer) -> None:
    with Wire(mock.url) as wire:
        wire.send(HEALTH.replace(b"GET", b"HEAD"), EXAMPLE.replace(b"POST", b"HEAD"), HEALTH)
        assert [wire.reply(has_body=False).status, wire.reply(has_body=False).status] == [200, 405]
        assert json.loads(wire.reply().body)["openapi"] == "3.1.0"


# Slow and rude clients


def test_many_clients_that_stop_in_the_middle_of_a_request_starve_no_other() -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(application()))
        wires = [stack.enter_context(Wire(server.url)) for _ in range(100)]
        for position, wire in enumerate(wires):
            wire.send(EXAMPLE[: 1 + position * (len(EXAMPLE) - 1) // 100])
        assert send(server.url).status == 200
        for position, wire in enumerate(wires):
            wire.send(EXAMPLE[1 + position * (len(EXAMPLE) - 1) // 100 :])
        assert [wire.reply().status for wire in wires] == [200] * 100


def test_many_slow_exchanges_starve_no_other(slow: SlowApp) -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(slow.app))
        wires = [stack.enter_context(Wire(server.url)) for _ in range(60)]
        for wire in wires:
            wire.send(EXAMPLE)
        assert all(slow.arrived.acquire(timeout=GUARD) for _ in wires)
        assert send(server.url, "GET", "/openapi.json", body=b"", headers={}).status == 200
        slow.go_on.set()
        assert [wire.reply().status for wire in wires] == [200] * 60


@pytest.mark.parametrize("leave", [Wire.close, Wire.reset], ids=["close", "reset"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        LINE[:10],
        LINE + HEADERS,
        EXAMPLE[:-10],
        CHUNKED + b"5\r\nab",
        EXAMPLE,
        EXAMPLE * 50,
        b"no HTTP\r\n\r\n",
        CHUNKED + b"eight\r\n",
    ],
    ids=["nothing", "line", "headers", "body", "chunk", "answer", "answers", "refusal", "chunk-refusal"],
)
def test_a_client_that_leaves_does_no_harm(
    data: bytes, leave: Callable[[Wire], None], caplog: pytest.LogCaptureFixture
) -> None:
    with serving(application()) as server:
        for _ in range(5):
            wire = Wire(server.url)
            wire.send(data)
            leave(wire)
        assert send(server.url).status == 200
    assert caplog.text == ""


def test_a_client_that_leaves_before_a_slow_answer_does_no_harm(
    slow: SlowApp, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(slow.app) as server:
        wire = Wire(server.url)
        wire.send(EXAMPLE)
        assert slow.arrived.acquire(timeout=GUARD)
        wire.reset()
        slow.go_on.set()
        assert send(server.url).status == 200
    assert caplog.text == ""
