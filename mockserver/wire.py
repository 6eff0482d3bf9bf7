"""waitress's connections, with what a mock needs of them: every answer documented, every fault possible.

Nothing here decides what is answered; it only sees to it that an answer arrives, or breaks as it should.
"""

from __future__ import annotations

import contextlib
import socket
import string
import struct
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

from waitress.buffers import OverflowableBuffer
from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver, FixedStreamReceiver
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import BadRequest, InternalServerError, RequestEntityTooLarge, RequestHeaderFieldsTooLarge

from mockserver.app import CONNECTION
from mockserver.delivery import Script, reply_headers, status_line
from mockserver.engine import MAX_BODY
from mockserver.model import ApiError, ApiRequest

if TYPE_CHECKING:
    import threading

    from mockserver.mock import Mock

MAX_HEADERS = 256 * 1024
"""Bytes of the request line and headers, and of the trailer of a chunked body."""
MAX_CHUNK_LINE = 4096
"""Bytes of the line before a chunk."""
LINGER = 10.0
"""Seconds for which a connection is read on after its last answer, unless the client closes it."""
_GLANCE = 0.05
"""Seconds between two looks at whether a client still waits."""
_METHOD_CHARACTERS = (string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode()


class Body(OverflowableBuffer):
    """A request body that counts all its bytes, but keeps none beyond what the application reads.

    An oversized body is read to its end before it is refused: a client that still sends would meet a reset
    connection instead of the answer.
    """

    size = 0

    def append(self, data: bytes) -> None:
        """Count the bytes, and keep them while the body is not too large."""
        self.size += len(data)
        if self.size <= MAX_BODY:
            super().append(data)

    def __len__(self) -> int:
        return self.size


class _Chunks(ChunkedReceiver):
    """A chunked body; what is around its chunks is bounded."""

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if len(self.control_line) > MAX_CHUNK_LINE or len(self.trailer) > MAX_HEADERS:
            self.error = BadRequest("Chunk line or trailer is too long")
        return consumed


class _Parser(HTTPRequestParser):
    """Refuses what waitress would wait for, fail at or take for something else, and receives bodies into a Body."""

    body_rcv: Any
    path = "-"  # of a request whose first line is not understood

    def received(self, data: bytes) -> int:
        if self.body_rcv is None:
            first = (self.header_plus[:8] + data[:8]).lstrip(b"\r\n")[:1]
            if first and first not in _METHOD_CHARACTERS:
                return self._refuse("It does not start with a method; TLS is not spoken here", data)
        consumed: int = super().received(data)
        if self.completed:
            self.expect_continue = False  # waitress would wait for a body after all
        if not self.headers_finished and b"\n\n" in self.header_plus:
            return self._refuse("Lines end in LF, not CR LF", data)
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        method, _, rest = header_plus.partition(b" ")
        try:
            # waitress takes only methods in capitals; another method is the application's to refuse.
            super().parse_header(method.upper() + b" " + rest)
            self.command = method.decode("latin-1")
        except ValueError as error:  # of urlsplit() or int(), which waitress does not expect
            raise ParsingError("URI or Content-Length is invalid") from error
        if self.version not in ("1.0", "1.1"):
            raise ParsingError("Version of HTTP is neither 1.0 nor 1.1")
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Content-Length and Transfer-Encoding exclude each other")
        if isinstance(self.body_rcv, ChunkedReceiver):
            self.body_rcv = _Chunks(Body(self.adj.inbuf_overflow))
        elif isinstance(self.body_rcv, FixedStreamReceiver):
            self.body_rcv = FixedStreamReceiver(self.content_length, Body(self.adj.inbuf_overflow))

    def _refuse(self, reason: str, data: bytes) -> int:
        self.error = BadRequest(reason)
        self.completed = True
        return len(data)


class _Task(WSGITask):
    """A request to the application, with path and method as they came."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[CONNECTION] = _Connection(self.channel)
        environ["PATH_INFO"] = self.request.path or "/"  # waitress merges leading slashes
        environ["REQUEST_METHOD"] = self.request.command  # and raises the case
        return environ


class _Connection:
    """A client's connection in the hands of the worker that answers it."""

    def __init__(self, channel: HTTPChannel) -> None:
        self._channel = channel

    def wait(self, seconds: float) -> bool:
        """Wait; False when the client has left or the server stops."""
        stopping: threading.Event = self._channel.server.stopping
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if stopping.wait(min(left, _GLANCE)) or self._client_has_left():
                return False
        return True

    def play(self, script: Script) -> NoReturn:
        """Send the pieces, end as the script says, and leave nothing for waitress to send."""
        for number, piece in enumerate(script.pieces):
            if number and script.pause and not self.wait(script.pause) and self._client_has_left():
                break
            self._send(piece)
        if script.ending == "hang":
            while self.wait(3600):
                pass
        if script.ending == "reset":
            self._channel.resets = True
        raise ClientDisconnected  # which makes waitress close the connection

    def _send(self, data: bytes) -> None:
        self._channel.write_soon(data)
        with self._channel.outbuf_lock:
            # waitress would hold small pieces back until the answer is complete.
            self._channel._flush_exception(self._channel._flush_some, do_close=False)  # noqa: SLF001  # the only way to flush

    def _client_has_left(self) -> bool:
        try:
            return bool(self._channel.socket.recv(1, socket.MSG_PEEK) == b"")
        except BlockingIOError:
            return False
        except OSError:
            return True


class _RefusalTask(ErrorTask):
    """Answers what is no HTTP request, in the documented form."""

    def execute(self) -> None:
        mock: Mock = self.channel.server.application.mock
        request = ApiRequest(
            method="-", path="-", query="", headers={}, body=b"", body_size=0,
            request_id=mock.new_request_id(), received_at=mock.clock(),
        )  # fmt: skip
        exchange = mock.refuse(request, _api_error(self.request))
        reply = exchange.reply
        self.status = status_line(reply.status)
        self.response_headers.extend(reply_headers(exchange))
        self.set_close_on_finish()
        self.content_length = len(reply.body)
        self.write(reply.body)


def _api_error(request: HTTPRequestParser) -> ApiError:
    error = request.error
    if isinstance(error, RequestEntityTooLarge):
        return ApiError("body-too-large", {"size": request.content_length, "limit": MAX_BODY})
    if isinstance(error, RequestHeaderFieldsTooLarge):
        return ApiError("headers-too-large", {"limit": MAX_HEADERS})
    if isinstance(error, InternalServerError):
        return ApiError("mock-failure")
    # waitress quotes the line at fault, which may hold a token.
    return ApiError("malformed-request", {"reason": str(getattr(error, "body", error)).partition(' "')[0].rstrip(".")})


class Channel(HTTPChannel):
    """A connection that ends in a way that lets the client read the last answer.

    Closing a socket with unread bytes resets the connection, and the reset overtakes the answer. So the server first
    closes its own direction, and throws away what still comes until the client closes, too (RFC 9112, section 9.6).
    """

    task_class = _Task
    error_task_class = _RefusalTask
    parser_class = _Parser
    resets = False
    """Whether the connection shall end with a reset."""
    _lingers_until: float | None = None

    def writable(self) -> bool:
        """Whether there is something to send or to close."""
        if self._lingers_until is not None and time.monotonic() > self._lingers_until:
            self.will_close = True
        return bool(super().writable())

    def handle_write(self) -> None:
        """Send, and linger where waitress would close."""
        if self.close_when_flushed and not self.will_close:
            self._flush_exception(self._flush_some)
            if self.connected and not self.will_close and not self.total_outbufs_len:
                self._end()
        if not self.close_when_flushed:
            super().handle_write()

    def handle_read(self) -> None:
        """Receive; while lingering, throw away."""
        if self._lingers_until is None:
            super().handle_read()
            return
        with contextlib.suppress(OSError):
            for _ in range(100):  # no client may keep the server to itself
                if not self.recv(1 << 16):
                    break

    def _end(self) -> None:
        self.close_when_flushed = False
        self.request = None
        if self.resets:
            # Closing with a linger time of zero sends a reset instead of a regular end.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self.will_close = True
            return
        self._lingers_until = time.monotonic() + LINGER
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.will_close = True  # the client has gone


# The two members of `struct linger` are shorts on Windows, ints elsewhere.
_NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
