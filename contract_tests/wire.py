"""The wire: sends requests, reads replies, and makes a value of every fault of a connection."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import h11

from contract_tests.messages import NoReply, Outcome, Reply, Request

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

STALL = 2.0
"""Seconds without a byte in the middle of a reply, after which the reply is cut."""
MAX_REPLY = 1 << 26
"""Bytes of a reply, after which it is cut: some never end."""
_GOODBYE = 0.2
"""Seconds that a server which announced the end of a connection has for it."""
_PAUSE = 0.01
"""Seconds between two segments, so that they arrive apart."""
_CHUNK = 1 << 16
_MAX_HEAD = 1 << 20
_SHOWN = 60
"""Bytes of what is too much that a message shows."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the target listens."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def connect(self, timeout: float) -> socket.socket:
        """A connection; raises OSError."""
        connection = socket.create_connection((self.host, self.port), timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.tls.wrap_socket(connection, server_hostname=self.host) if self.tls else connection


class Connection:
    """One connection, for one exchange after another."""

    def __init__(self, address: Address, timeout: float, goodbye: float = _GOODBYE) -> None:
        """Connect; raises OSError. `goodbye` is how long an announced end is waited for, in seconds."""
        self._socket = address.connect(timeout)
        self._timeout, self._goodbye = timeout, goodbye
        self.is_open = True
        self.lingers = False
        """Whether the server announced the end and did not come to it."""

    def close(self) -> None:
        """End it; harmless when it has ended."""
        self.is_open = False
        self._socket.close()

    def stray(self) -> bytes:
        """What came without a request since the last reply; notices a connection that has ended."""
        with contextlib.suppress(OSError):
            if not select.select([self._socket], [], [], 0)[0]:
                return b""
            data = self._socket.recv(_CHUNK)
            if data:
                return data
        self.close()
        return b""

    def exchange(self, segments: Sequence[bytes], method: str) -> Outcome:
        """Send a request, and give what comes back."""
        try:
            self._socket.settimeout(self._timeout)
            for number, segment in enumerate(segments):
                if number:
                    time.sleep(_PAUSE)
                self._socket.sendall(segment)
        except OSError:
            pass  # a server may answer and close before it has read everything
        reader = _ReplyReader(method)
        try:
            outcome = self._read(reader)
        except TimeoutError:
            outcome = reader.missing("timeout", "nothing came")
        except OSError as error:
            outcome = reader.missing("reset", error.strerror or str(error))
        except h11.RemoteProtocolError as error:
            outcome = reader.missing("cut" if reader.is_http else "not-http", str(error))
        if isinstance(outcome, NoReply) or not reader.keeps:
            self.close()
        return outcome

    def _read(self, reader: _ReplyReader) -> Outcome:
        while not reader.is_complete:
            data = self._receive(min(STALL, self._timeout) if reader.has_begun else self._timeout)
            if not data and not reader.has_begun:
                return NoReply("closed", "the connection was closed without a reply")
            reader.feed(data)
        if not reader.keeps:
            reader.trailing += self._until_end()
        return reader.reply()

    def _until_end(self) -> bytes:
        """What still comes on a connection whose end is announced."""
        rest = b""
        try:
            while len(rest) < MAX_REPLY and (data := self._receive(self._goodbye)):
                rest += data
        except (TimeoutError, BlockingIOError):
            self.lingers = True
        except OSError:
            pass
        return rest

    def _receive(self, timeout: float) -> bytes:
        self._socket.settimeout(timeout)
        if hasattr(socket, "TCP_QUICKACK"):
            # Servers that send a head and a body apart would wait 40 ms for the acknowledgement of the head.
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return self._socket.recv(_CHUNK)


class _ReplyReader:
    """Bytes to one reply."""

    def __init__(self, method: str) -> None:
        self._parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        self._parser.send(h11.Request(method=method, target="/", headers=[("Host", "-")]))
        self._parser.send(h11.EndOfMessage())
        self._response: h11.Response | None = None
        self._body = bytearray()
        self.is_complete = self.has_begun = False
        self.is_http = True
        self.trailing = b""
        self._size = 0

    @property
    def keeps(self) -> bool:
        """Whether the connection can be used again."""
        return self.is_complete and self._parser.their_state is h11.DONE

    def feed(self, data: bytes) -> None:
        """Take bytes, none at the end of the connection; raises h11.RemoteProtocolError."""
        if not self._size:
            self.is_http = b"HTTP/".startswith(data[:5])
        self.has_begun = True
        self._size += len(data)
        if self._size > MAX_REPLY:
            raise h11.RemoteProtocolError(f"it has more than {MAX_REPLY} bytes")
        self._parser.receive_data(data)
        while not self.is_complete:
            event = self._parser.next_event()
            if isinstance(event, h11.Response):
                self._response = event
            elif isinstance(event, h11.InformationalResponse):
                self.has_begun = bool(self._parser.trailing_data[0])  # the reply itself may take its time
            elif isinstance(event, h11.Data):
                self._body += event.data
            elif isinstance(event, h11.EndOfMessage):
                self.is_complete = True
                self.trailing = self._parser.trailing_data[0]
            elif isinstance(event, h11.ConnectionClosed):
                raise h11.RemoteProtocolError("the connection was closed in the middle")
            elif event in (h11.NEED_DATA, h11.PAUSED):
                return

    def missing(self, kind: Literal["timeout", "reset", "cut", "not-http"], detail: str) -> NoReply:
        """Why there is no whole reply."""
        if self._response is None:
            return NoReply(kind, detail)
        got = f"status {self._response.status_code} and {len(self._body)} bytes of the body came, then {detail}"
        return NoReply("stalled" if kind == "timeout" else "cut", got)

    def reply(self) -> Reply:
        """The whole reply."""
        if self._response is None:
            raise AssertionError("a complete reply has a head")
        headers = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in self._response.headers)
        problems = []
        if self.trailing:
            problems.append(f"{len(self.trailing)} bytes follow the reply: {self.trailing[:_SHOWN]!r}")
        body = bytes(self._body)
        codings = ",".join(value.lower() for name, value in headers if name == "content-encoding").split(",")
        for encoding in filter(None, map(str.strip, reversed(codings))):
            try:
                body = _decoded(body, encoding)
            except (zlib.error, ValueError) as error:  # noqa: PERF203  # there is seldom more than one
                problems.append(f"Content-Encoding says {encoding}, but the body is none: {error}")
                break
        return Reply(self._response.status_code, headers, body, tuple(problems))


def _decoded(body: bytes, encoding: str) -> bytes:
    """The body without its compression; raises zlib.error or ValueError."""
    if encoding == "identity":
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise ValueError("only gzip and deflate were offered")
    is_gzip, plain = "gzip" in encoding, b""
    while body:
        # Deflate is meant to be in zlib's wrapping, which begins with an x, but some send it bare.
        machine = zlib.decompressobj(wbits=31 if is_gzip else 15 if body.startswith(b"x") else -15)
        plain += machine.decompress(body, MAX_REPLY)
        if not machine.eof:
            raise ValueError(f"it is cut, or has more than {MAX_REPLY} bytes")
        if machine.unused_data and not is_gzip:
            raise ValueError("it is followed by something")
        body = machine.unused_data  # gzip can have several members
    return plain


class Wire:
    """Exchanges with one address, on a connection that is kept as long as the server keeps it."""

    def __init__(self, address: Address, host: str, timeout: float) -> None:
        self._address, self._host, self._timeout = address, host, timeout
        self._goodbye = _GOODBYE
        self._kept: Connection | None = None

    def close(self) -> None:
        """End the kept connection."""
        if self._kept:
            self._kept.close()
        self._kept = None

    def exchange(self, request: Request, *, fresh: bool = False) -> Outcome:
        """One exchange, on the kept connection if there is one, unless `fresh`."""
        segments, stray = request.segments(self._host), b""
        if fresh:
            self.close()
        if self._kept and self._kept.is_open:
            stray = self._kept.stray()
            if stray or not self._kept.is_open:
                self.close()
        reused = self._kept is not None and self._kept.is_open
        outcome = self._on_kept(segments, request.method)
        if reused and isinstance(outcome, NoReply) and outcome.kind in ("closed", "reset"):
            # The server may have closed the idle connection at this very moment, as it may at any time.
            outcome = self._on_kept(segments, request.method)
        if stray and isinstance(outcome, Reply):
            text = f"{len(stray)} bytes came after the reply before: {stray[:_SHOWN]!r}"
            return Reply(outcome.status, outcome.headers, outcome.body, (*outcome.problems, text))
        return outcome

    def _on_kept(self, segments: Sequence[bytes], method: str) -> Outcome:
        if self._kept is None or not self._kept.is_open:
            try:
                self._kept = Connection(self._address, self._timeout, self._goodbye)
            except OSError as error:
                return NoReply("refused", str(error))
        outcome = self._kept.exchange(segments, method)
        if self._kept.lingers:
            self._goodbye = 0.0  # it keeps connections that it says it ends, so there is nothing to wait for
        return outcome

    def at_once(self, requests: Sequence[Request]) -> list[Outcome]:
        """An exchange for each request at the same moment, each on a connection of its own."""
        self.close()  # a server with one thread would wait for it
        outcomes: list[Outcome] = [NoReply("refused", "not sent")] * len(requests)
        start = threading.Barrier(len(requests))

        def run(index: int) -> None:
            try:
                connection = Connection(self._address, self._timeout)
            except OSError as error:
                outcomes[index] = NoReply("refused", str(error))
                start.abort()
                return
            with contextlib.suppress(threading.BrokenBarrierError):
                start.wait(self._timeout)
            outcomes[index] = connection.exchange(requests[index].segments(self._host), requests[index].method)
            connection.close()

        threads = [threading.Thread(target=run, args=(index,)) for index in range(len(requests))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcomes


def wait_until(moment: float) -> None:
    """Wait until a moment of the monotonic clock."""
    time.sleep(max(0.0, moment - time.monotonic()))
