"""The wire of the suite: every reply and every fault of a connection becomes a value, whatever a server sends."""

from __future__ import annotations

import gzip
import logging
import socket
import struct
import threading
import time
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from processes import GUARD, until

from contract_tests.messages import NoReply, Reply, Request
from contract_tests.wire import Address, Connection, Wire, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from contract_tests.messages import Outcome

    Step = bytes | str | Callable[[], object]

POST = Request("POST", "/path", (("Content-Type", "application/json"), ("X-Auth-Token", "a-secret")), b'{"a": 1}')
GET = Request("GET", "/")
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
SHORT = 0.15
"""Seconds that a test waits for something that does not come."""


class Scripted:
    """A server that plays one script for each connection, in the order of their arrival.

    A step is bytes to send, something to call, or a word: `read` a request, `reset` the connection, `stay` until the
    client ends it. What follows the script is a close.
    """

    def __init__(self, scripts: Sequence[Sequence[Step]]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._scripts = scripts
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[list[bytes]] = [[] for _ in scripts]
        """What came on each connection."""
        self.ended = 0
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        with suppress(OSError):
            for number, script in enumerate(self._scripts):
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._play, args=(connection, script, self.requests[number]))
                self._threads.append(thread)
                thread.start()

    def _play(self, connection: socket.socket, script: Sequence[Step], requests: list[bytes]) -> None:
        connection.settimeout(GUARD)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError), connection:
            for step in script:
                if isinstance(step, bytes):
                    connection.sendall(step)
                elif step == "read":
                    requests.append(read_request(connection))
                elif step == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                elif step == "stay":
                    while connection.recv(1 << 16):
                        pass
                elif callable(step):
                    step()
        self.ended += 1

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in list(self._threads):
            thread.join(GUARD)
            assert not thread.is_alive()


def read_request(connection: socket.socket) -> bytes:
    """The next request, whose body has a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(1 << 16) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lines and len(body) < int(lines[0]):
        received = connection.recv(1 << 16)
        body += received
        if not received:
            break
    return head + b"\r\n\r\n" + body


@contextmanager
def scripted(*scripts: Sequence[Step]) -> Iterator[Scripted]:
    """A server with a script for each connection, until the block ends."""
    server = Scripted(scripts)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def wire_to(server: Scripted, timeout: float = 5.0) -> Iterator[Wire]:
    wire = Wire(Address("127.0.0.1", server.port), f"127.0.0.1:{server.port}", timeout)
    try:
        yield wire
    finally:
        wire.close()


def outcome_of(*steps: Step, request: Request = POST, timeout: float = 5.0) -> Outcome:
    """What one exchange gives with a server that reads the request and then takes these steps."""
    with scripted(("read", *steps)) as server, wire_to(server, timeout) as wire:
        return wire.exchange(request)


def deflated(data: bytes) -> bytes:
    return zlib.compress(data)


def encoded(encoding: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BODY = b'{"resp":"success"}'
WHOLE = {
    "content-length": (b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n" + BODY, BODY),
    "no-body": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    "chunks": (CHUNKED + b"4\r\n" + BODY[:4] + b"\r\ne\r\n" + BODY[4:] + b"\r\n0\r\n\r\n", BODY),
    "chunks-with-extension-and-trailer": (CHUNKED + b"12;a=b\r\n" + BODY + b"\r\n0\r\nX-Sum: 1\r\n\r\n", BODY),
    "http-1.0-with-length": (b"HTTP/1.0 200 OK\r\nContent-Length: 18\r\n\r\n" + BODY, BODY),
    "http-1.0-until-the-end": (b"HTTP/1.0 200 OK\r\n\r\n" + BODY, BODY),
    "http-1.1-until-the-end": (b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\n" + BODY, BODY),
    "announced-end": (CLOSING, b"{}"),
    "no-reason": (b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}", b"{}"),
    "line-feeds-only": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", b"{}"),
    "folded-header": (b"HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
    "100-continue-first": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"{}"),
    "three-interim-replies-first": (
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        + OK,
        b"{}",
    ),
    "gzip": (encoded("gzip", gzip.compress(BODY)), BODY),
    "x-gzip": (encoded("X-GZip", gzip.compress(BODY)), BODY),
    "deflate": (encoded("deflate", deflated(BODY)), BODY),
    "identity": (encoded("identity", BODY), BODY),
    "bare-deflate": (encoded("deflate", deflated(BODY)[2:-4]), BODY),
    "gzip-in-two-members": (encoded("gzip", gzip.compress(BODY[:5]) + gzip.compress(BODY[5:])), BODY),
    "gzip-in-identity": (encoded("gzip, identity", gzip.compress(BODY)), BODY),
    "deflate-in-gzip-in-one-line": (encoded("deflate,gzip", gzip.compress(deflated(BODY))), BODY),
    "no-encoding": (encoded("", BODY), BODY),
    "gzip-of-nothing": (encoded("gzip", b""), b""),
    "gzip-in-chunks": (
        CHUNKED[:-2] + b"Content-Encoding: gzip\r\n\r\n%x\r\n" % len(gzip.compress(BODY, mtime=0))
        + gzip.compress(BODY, mtime=0) + b"\r\n0\r\n\r\n",
        BODY,
    ),
    "deflate-in-gzip": (
        b"HTTP/1.0 200 OK\r\nContent-Encoding: deflate\r\nContent-Encoding: gzip\r\n\r\n"
        + gzip.compress(deflated(BODY)),
        BODY,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "body"), WHOLE.values(), ids=WHOLE)
def test_a_whole_reply_arrives_however_it_is_framed(data: bytes, body: bytes) -> None:
    outcome = outcome_of(data)
    assert isinstance(outcome, Reply)
    assert (outcome.status, outcome.body, outcome.problems) == (200, body, ())


@pytest.mark.parametrize(("data", "body"), WHOLE.values(), ids=WHOLE)
def test_a_reply_that_arrives_byte_by_byte_is_the_same(
    data: bytes, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contract_tests.wire._CHUNK", 1)
    outcome = outcome_of(*(bytes([byte]) for byte in data))
    assert isinstance(outcome, Reply)
    assert (outcome.status, outcome.body, outcome.problems) == (200, body, ())


def test_a_reply_has_its_headers_in_small_letters_and_in_their_order() -> None:
    data = b"HTTP/1.1 429 Slow\r\nX-B: 1\r\nRETRY-After: 2\r\nx-b: \xe9\r\nContent-Length: 0\r\n\r\n"
    reply = outcome_of(data)
    assert isinstance(reply, Reply)
    assert reply.headers == (("x-b", "1"), ("retry-after", "2"), ("x-b", "é"), ("content-length", "0"))
    assert (reply.status, reply.header("x-b"), reply.header("x-c")) == (429, "1", None)


@pytest.mark.parametrize(
    ("method", "data"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"),
    ],
    ids=["head", "204", "304"],
)
def test_a_reply_that_has_no_body_is_not_waited_for(method: str, data: bytes) -> None:
    outcome = outcome_of(data, "stay", request=Request(method, "/"))
    assert isinstance(outcome, Reply)
    assert (outcome.body, outcome.problems) == (b"", ())


LIES = {
    "gzip-that-is-plain": (encoded("gzip", BODY), "Content-Encoding says gzip, but the body is none: "),
    "gzip-that-is-deflate": (encoded("gzip", deflated(BODY)), "Content-Encoding says gzip, but the body is none: "),
    "deflate-that-is-gzip": (encoded("deflate", gzip.compress(BODY)), "Content-Encoding says deflate, but the body "),
    "cut-gzip": (encoded("gzip", gzip.compress(BODY)[:-9]), "is none: it is cut, or has more than 67108864 bytes"),
    "endless-gzip": (encoded("gzip", gzip.compress(bytes(1 << 27), 1)), "is none: it is cut, or has more than 671"),
    "gzip-and-more": (encoded("gzip", gzip.compress(BODY) + b"x"), "but the body is none: it is cut"),
    "gzip-and-text": (encoded("gzip", gzip.compress(BODY) + BODY), "but the body is none: Error -3"),
    "deflate-and-more": (encoded("deflate", deflated(BODY) + b"x"), "is none: it is followed by something"),
    "one-of-two": (encoded("gzip, br", gzip.compress(BODY)), "Content-Encoding says br, but the body is none: only "),
    "unknown": (encoded("br", BODY), "Content-Encoding says br, but the body is none: only gzip and deflate were off"),
    "a-byte-after-it": (OK + b"x", "1 bytes follow the reply: b'x'"),
    "the-reply-twice": (OK + OK, f"{len(OK)} bytes follow the reply: b'HTTP/1.1 200 OK"),
    "after-an-announced-end": (CLOSING + b"rest", "4 bytes follow the reply: b'rest'"),
    "after-the-last-chunk": (CHUNKED + b"0\r\n\r\n12", "2 bytes follow the reply: b'12'"),
    "content-length-too-short": (OK[:-2] + b'{"a":1}', "5 bytes follow the reply"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "problem"), LIES.values(), ids=LIES)
def test_what_is_wrong_with_the_framing_is_told(data: bytes, problem: str) -> None:
    outcome = outcome_of(data)
    assert isinstance(outcome, Reply)
    [text] = outcome.problems
    assert problem in text
    assert len(text) < 200


def test_what_follows_an_announced_end_later_is_told() -> None:
    arrived = threading.Event()
    with scripted(("read", CLOSING, arrived.wait, b"late")) as server:
        connection = Connection(Address("127.0.0.1", server.port), 5, goodbye=GUARD)
        threading.Timer(0.02, arrived.set).start()
        outcome = connection.exchange(POST.segments("host"), "POST")
    assert isinstance(outcome, Reply)
    assert outcome.problems == ("4 bytes follow the reply: b'late'",)
    assert not connection.lingers


MISSING: dict[str, tuple[tuple[Step, ...], str, str]] = {
    "no-reply": ((), "closed", "the connection was closed without a reply"),
    "reset": (("reset",), "reset", "Connection reset by peer"),
    "length-too-long": ((OK[:-1],), "cut", "status 200 and 1 bytes of the body came, then peer closed connection"),
    "reset-in-the-body": ((OK[:-1], "reset"), "cut", "status 200 and "),
    "no-last-chunk": ((CHUNKED + b"2\r\n{}\r\n",), "cut", "status 200 and 2 bytes of the body came, then peer closed"),
    "bad-chunk-size": ((CHUNKED + b"x\r\n{}\r\n",), "cut", "status 200 and 0 bytes of the body came, then illegal"),
    "cut-head": ((b"HTTP/1.1 200 OK\r\nContent-Le",), "cut", "closed"),
    "cut-status-line": ((b"HTTP/1.1 2",), "cut", "closed"),
    "interim-reply-only": ((b"HTTP/1.1 100 Continue\r\n\r\n",), "closed", "closed without a reply"),
    "bad-length": ((b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}",), "cut", "bad Content-Length"),
    "two-lengths": ((b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",), "cut", "conflicting"),
    "no-colon": ((b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",), "cut", "illegal header line"),
    "huge-head": ((b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * (1 << 21), "stay"), "cut", "too long"),
    "many-headers": ((b"HTTP/1.1 200 OK\r\n" + b"X-A: aaaaaaaa\r\n" * (1 << 17), "stay"), "cut", "too long"),
    "garbage": ((b"SSH-2.0-OpenSSH_9.6\r\n\r\n",), "not-http", "illegal status line"),
    "binary-garbage": ((bytes(range(1, 256)) + b"\r\n\r\n",), "not-http", ""),
    "tls": ((b"\x15\x03\x01\x00\x02\x02\x46",), "not-http", ""),
    "tls-alert-kept-open": ((b"\x15\x03\x01\x00\x02\x02\x46", "stay"), "not-http", ""),
}


@pytest.mark.parametrize(("steps", "kind", "detail"), MISSING.values(), ids=MISSING)
def test_a_reply_that_is_not_whole_is_told_by_its_kind(steps: tuple[Step, ...], kind: str, detail: str) -> None:
    outcome = outcome_of(*steps)
    assert isinstance(outcome, NoReply)
    assert (outcome.kind, detail in outcome.detail) == (kind, True), outcome
    assert "a-secret" not in outcome.detail


@pytest.mark.parametrize(
    ("begin", "kind", "detail"),
    [
        (b"", "timeout", "nothing came"),
        (OK[:-1], "stalled", "status 200 and 1 bytes of the body came, then nothing came"),
        (b"HTTP/1.0 200 OK\r\n\r\n{}", "stalled", "status 200 and 2 bytes of the body came, then nothing came"),
        (CHUNKED, "stalled", "status 200 and 0 bytes of the body came, then nothing came"),
    ],
    ids=["no-reply", "length-too-long", "no-end", "no-chunks"],
)
def test_what_does_not_come_is_waited_for_no_longer_than_allowed(
    begin: bytes, kind: str, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contract_tests.wire.STALL", SHORT)
    started = time.monotonic()
    outcome = outcome_of(begin, "stay", timeout=5 if begin else SHORT)
    assert outcome == NoReply(kind, detail)  # type: ignore[arg-type]  # the table has the kinds
    assert time.monotonic() - started < 2


def test_a_reply_may_take_its_time_after_an_interim_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contract_tests.wire.STALL", 0.02)
    go = threading.Event()
    threading.Timer(SHORT, go.set).start()
    outcome = outcome_of(b"HTTP/1.1 102 Processing\r\n\r\n", go.wait, OK)
    assert isinstance(outcome, Reply)
    assert outcome.body == b"{}"


def test_a_body_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contract_tests.wire.MAX_REPLY", 1 << 20)
    more = [b"10000\r\n" + b" " * 0x10000 + b"\r\n"] * 64
    outcome = outcome_of(CHUNKED, *more, "stay")
    assert isinstance(outcome, NoReply)
    assert (outcome.kind, "has more than 1048576 bytes" in outcome.detail) == ("cut", True)


def test_what_follows_an_announced_end_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contract_tests.wire.MAX_REPLY", 1 << 20)
    outcome = outcome_of(CLOSING, *[b" " * 0x10000] * 64, "stay")
    assert isinstance(outcome, Reply)
    assert "bytes follow the reply: b'  " in outcome.problems[0]


def test_an_announced_end_that_does_not_come_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contract_tests.wire._GOODBYE", 0.5)
    again: list[Step] = ["read", CLOSING, "stay"]
    with scripted(again, again, again) as server:
        with wire_to(server) as wire:
            started = time.monotonic()
            outcomes = [wire.exchange(POST) for _ in range(3)]
            took = time.monotonic() - started
        until(lambda: server.ended == 3, "all connections have ended")
    assert {(outcome.body, outcome.problems) for outcome in outcomes if isinstance(outcome, Reply)} == {(b"{}", ())}
    assert 0.5 <= took < 1


def test_a_connection_is_kept_for_one_exchange_after_another() -> None:
    with scripted(["read", OK] * 3 + ["stay"], ["read", OK, "stay"]) as server, wire_to(server) as wire:
        outcomes = [wire.exchange(POST), wire.exchange(GET), wire.exchange(POST), wire.exchange(GET, fresh=True)]
        assert [len(requests) for requests in server.requests] == [3, 1]
    assert all(isinstance(outcome, Reply) and not outcome.problems for outcome in outcomes)


def test_bytes_after_a_reply_are_told_with_the_next_one_and_not_taken_for_it() -> None:
    go, done = threading.Event(), threading.Event()
    with (
        scripted(("read", OK, go.wait, OK, done.set, "stay"), ("read", CLOSING)) as server,
        wire_to(server) as wire,
    ):
        first = wire.exchange(POST)
        go.set()
        assert done.wait(GUARD)
        second = wire.exchange(POST)
        assert [len(requests) for requests in server.requests] == [1, 1]
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert (first.problems, second.headers[-1]) == ((), ("connection", "close"))
    [text] = second.problems
    assert text.startswith(f"{len(OK)} bytes came after the reply before: b'HTTP/1.1 200 OK")


def test_a_fresh_connection_knows_nothing_of_bytes_on_the_one_before() -> None:
    go, done = threading.Event(), threading.Event()
    with (
        scripted(("read", OK, go.wait, b"x", done.set, "stay"), ("read", OK, "stay")) as server,
        wire_to(server) as wire,
    ):
        wire.exchange(POST)
        go.set()
        assert done.wait(GUARD)
        outcome = wire.exchange(POST, fresh=True)
    assert isinstance(outcome, Reply)
    assert outcome.problems == ()


def test_an_idle_connection_that_the_server_has_closed_is_replaced() -> None:
    with scripted(("read", OK), ("read", OK)) as server, wire_to(server) as wire:
        wire.exchange(POST)
        until(lambda: server.ended == 1, "the first connection has ended")
        assert isinstance(wire.exchange(POST), Reply)
        assert [len(requests) for requests in server.requests] == [1, 1]


@pytest.mark.parametrize("end", [(), ("reset",)], ids=["closed", "reset"])
def test_an_idle_connection_that_ends_at_the_moment_of_a_request_is_replaced_once(end: tuple[str, ...]) -> None:
    with (
        scripted(("read", OK, "read", *end), ("read", *end), ("read", OK)) as server,
        wire_to(server) as wire,
    ):
        assert isinstance(wire.exchange(POST), Reply)
        again = wire.exchange(POST)
        assert isinstance(again, NoReply)
        assert again.kind == (end[0] if end else "closed")
        assert isinstance(wire.exchange(POST), Reply)


def test_a_request_that_breaks_its_own_connection_is_not_sent_again() -> None:
    with scripted(("read",), ("read", OK)) as server, wire_to(server) as wire:
        outcome = wire.exchange(POST)
        assert isinstance(outcome, NoReply)
        assert [len(requests) for requests in server.requests] == [1, 0]


def test_a_reply_before_the_whole_request_was_read_arrives() -> None:
    large = Request("POST", "/", body=b"x" * (1 << 18))
    with scripted((b"HTTP/1.1 413 Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", "stay")) as server:
        connection = Connection(Address("127.0.0.1", server.port), 2, goodbye=0)
        outcome = connection.exchange(large.segments("host"), "POST")
    assert isinstance(outcome, Reply)
    assert (outcome.status, connection.is_open, connection.lingers) == (413, False, True)


@pytest.mark.parametrize("cuts", [(), ("line",), ("head",), ("body",), ("line", "head", "body")], ids="-".join)
def test_a_request_arrives_as_it_is_however_it_is_cut(cuts: tuple[str, ...]) -> None:
    request = Request(POST.method, POST.target, POST.headers, POST.body, cuts=cuts)
    with scripted(("read", OK)) as server, wire_to(server) as wire:
        wire.exchange(request)
        host = f"127.0.0.1:{server.port}"
        assert server.requests == [[POST.to_bytes(host)]]
    assert len(request.segments(host)) == len(cuts) + 1
    assert b"".join(request.segments(host)) == POST.to_bytes(host)


def test_a_request_has_one_length_and_one_host() -> None:
    own = Request("PUT", "/ü?a=b", (("content-length", "3"), ("X-A", "数")), b"123")
    assert (
        own.to_bytes("[::1]:80")
        == "PUT /ü?a=b HTTP/1.1\r\nHost: [::1]:80\r\ncontent-length: 3\r\nX-A: 数\r\n\r\n123".encode()
    )
    assert b"Content-Length: 0\r\n\r\n" in GET.to_bytes("a")
    assert b"ontent-" not in Request("POST", "/", (("Transfer-Encoding", "chunked"),), b"0\r\n\r\n").to_bytes("a")


def test_eight_requests_at_once_meet_and_get_their_own_replies() -> None:
    """Every reply is held back until all requests have come."""
    gate, count = threading.Barrier(8), 8
    heads = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size for size in range(count)]
    with scripted(
        *[("read", lambda: gate.wait(GUARD), head + b" " * size) for size, head in enumerate(heads)]
    ) as server:
        with wire_to(server) as wire:
            outcomes = wire.at_once([Request("POST", f"/{number}", body=b"x") for number in range(count)])
        targets = [requests[0].split()[1].decode() for requests in server.requests]
    sizes = [len(outcome.body) if isinstance(outcome, Reply) else None for outcome in outcomes]
    assert [targets[size] for size in sizes if size is not None] == [f"/{number}" for number in range(count)]


def test_requests_at_once_end_the_kept_connection_first() -> None:
    with scripted(("read", OK, "stay"), ("read", OK), ("read",)) as server, wire_to(server) as wire:
        wire.exchange(POST)
        kinds = sorted(type(outcome).__name__ for outcome in wire.at_once([POST, POST]))
        until(lambda: server.ended == 3, "all connections have ended")
    assert kinds == ["NoReply", "Reply"]


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_nobody_who_listens_is_told_for_one_request_and_for_many() -> None:
    wire = Wire(Address("127.0.0.1", unused_port()), "host", 1)
    outcomes = [wire.exchange(POST), *wire.at_once([POST] * 8)]
    assert {outcome.kind for outcome in outcomes if isinstance(outcome, NoReply)} == {"refused"}
    assert "refused" in outcomes[0].detail  # type: ignore[union-attr]  # see above
    wire.close()


def test_the_wire_writes_no_secret_anywhere(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for steps in (("reset",), (), (b"garbage\r\n\r\n",), (OK,)):
        assert "a-secret" not in repr(outcome_of(*steps))
    assert (caplog.text, capfd.readouterr()) == ("", ("", ""))


def test_a_moment_that_has_passed_is_not_waited_for() -> None:
    started = time.monotonic()
    wait_until(started - 10)
    wait_until(started + 0.02)
    assert 0.02 <= time.monotonic() - started < 1
