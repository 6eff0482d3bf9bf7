"""waitress serving the mock: for `taurus-mock serve` on the main thread, for tests on a thread of its own."""

from __future__ import annotations

import select
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver, FixedStreamReceiver
from waitress.server import create_server
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import InternalServerError, RequestHeaderFieldsTooLarge

from mockserver.app import MockApp, create_app
from mockserver.engine import MAX_BODY
from mockserver.errors import ServerError
from mockserver.logs import LOGGER, log_exchange
from mockserver.model import ApiError, ApiRequest
from mockserver.settings import Settings

if TYPE_CHECKING:
    from types import TracebackType

MAX_HEADERS = 256 * 1024
"""Bytes of the request line and headers."""
MAX_WORKERS = 512
"""Requests answered at one time; threads start as they are needed, so that slow exchanges starve no other."""
GRACE = 0.7
"""Seconds that requests in flight have to be answered when the server stops."""


class Server:
    """A bound and listening server; `run` serves until `stop`."""

    def __init__(self, app: MockApp, host: str, port: int) -> None:
        """Bind to `host` and `port`, 0 for a free one; raises ServerError when that is impossible."""
        listener = _listen(host, port)
        self._sockets: dict[int, Any] = {}
        self._waitress = create_server(
            app,
            map=self._sockets,
            _dispatcher=_Workers(),
            sockets=[listener],
            ident="taurus-mock",
            connection_limit=4 * MAX_WORKERS,
            asyncore_use_poll=hasattr(select, "poll"),  # select() knows no descriptor over 1,023
            max_request_header_size=MAX_HEADERS,
            max_request_body_size=2**62,  # _Body bounds what is kept, and the application refuses
            clear_untrusted_proxy_headers=False,  # a header of the client's is the client's to send
        )
        self._waitress.channel_class = _Channel
        self._stopping = False
        self.host, self.port = host, int(listener.getsockname()[1])

    @property
    def url(self) -> str:
        """Such as `http://127.0.0.1:8080`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def run(self) -> None:
        """Serve until `stop`, then answer what is in flight and close."""
        try:
            while not self._stopping:
                self._turn(1)
            self._drain()
        finally:
            wasyncore.close_all(self._sockets, ignore_all=True)
            self._waitress.task_dispatcher.shutdown()

    def stop(self) -> None:
        """Make `run` return soon. For another thread than the one in `run`, and not for a signal handler."""
        self._waitress.trigger.pull_trigger(self._begin_to_stop)

    def _begin_to_stop(self) -> None:
        self._stopping = True

    def _turn(self, timeout: float) -> None:
        wasyncore.loop(timeout, use_poll=self._waitress.adj.asyncore_use_poll, map=self._sockets, count=1)

    def _drain(self) -> None:
        wasyncore.dispatcher.close(self._waitress)  # no new connection
        deadline = time.monotonic() + GRACE
        while any(_is_busy(channel) for channel in self._waitress.active_channels.values()):
            if time.monotonic() >= deadline:
                LOGGER.warning("stopped with requests unanswered after %s s", GRACE)
                return
            self._turn(0.02)


def _is_busy(channel: HTTPChannel) -> bool:
    return bool(channel.requests or channel.request is not None or channel.total_outbufs_len)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except socket.gaierror as error:
        raise ServerError(f"--host {host}: no such address ({error.strerror})") from error
    except OSError as error:
        hint = " Choose another --port, or 0 for a free one." if port else ""
        raise ServerError(f"cannot listen on {host}:{port}: {(error.strerror or str(error)).lower()}.{hint}") from error


class _Workers:
    """waitress's task dispatcher, on a pool that has a thread for every request in progress."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(MAX_WORKERS, thread_name_prefix="taurus-mock")

    def add_task(self, task: HTTPChannel) -> None:
        self._pool.submit(self._serve, task)

    def shutdown(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    @staticmethod
    def _serve(task: HTTPChannel) -> None:
        try:
            task.service()
        except Exception:  # noqa: BLE001  # nobody else would see it
            LOGGER.exception("a connection failed")


class _Body(OverflowableBuffer):
    """A request body that counts all its bytes, but keeps none beyond what the application reads.

    An oversized body is read to its end before it is refused: a client that still sends would meet a reset
    connection instead of the answer.
    """

    size = 0

    def append(self, data: bytes) -> None:
        self.size += len(data)
        if self.size <= MAX_BODY:
            super().append(data)

    def __len__(self) -> int:
        return self.size


class _Parser(HTTPRequestParser):
    """Receives bodies into a _Body."""

    body_rcv: Any

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if isinstance(self.body_rcv, ChunkedReceiver):
            self.body_rcv = ChunkedReceiver(_Body(self.adj.inbuf_overflow))
        elif isinstance(self.body_rcv, FixedStreamReceiver):
            self.body_rcv = FixedStreamReceiver(self.content_length, _Body(self.adj.inbuf_overflow))


class _Task(WSGITask):
    """A request to the application, with path and method as they came."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ["PATH_INFO"] = self.request.path or "/"  # waitress merges leading slashes
        environ["REQUEST_METHOD"] = self.request.command  # and raises the case
        return environ


class _RefusalTask(ErrorTask):
    """Answers what is no HTTP request, in the documented form."""

    def execute(self) -> None:
        app: MockApp = self.channel.server.application
        request = ApiRequest(
            method="-", path="-", query="", headers={}, body=b"", body_size=0,
            request_id=app.new_request_id(), received_at=time.time(),
        )  # fmt: skip
        exchange = app.engine.refuse(request, _api_error(self.request.error))
        log_exchange(exchange, 0)
        reply = exchange.reply
        self.status = f"{reply.status} {_phrase(reply.status)}"
        self.response_headers.extend(
            [("Content-Type", "application/json"), ("X-Request-Id", request.request_id), *reply.headers]
        )
        self.set_close_on_finish()
        self.content_length = len(reply.body)
        self.write(reply.body)


def _api_error(error: object) -> ApiError:
    if isinstance(error, RequestHeaderFieldsTooLarge):
        return ApiError("headers-too-large", {"limit": MAX_HEADERS})
    if isinstance(error, InternalServerError):
        return ApiError("mock-failure")
    # waitress quotes the line at fault, which may hold a token.
    return ApiError("malformed-request", {"reason": str(getattr(error, "body", error)).partition(' "')[0].rstrip(".")})


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Request Header Too Large"  # 494, the only status of ours that no RFC has


class _Channel(HTTPChannel):
    task_class = _Task
    error_task_class = _RefusalTask
    parser_class = _Parser


class MockServer:
    """The mock on a thread of its own and a free port, as a context manager.

    >>> with MockServer(Settings(scenario="throttled")) as mock:
    ...     mock.url
    'http://127.0.0.1:...'
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """Take settings; the port is 0, a free one, unless they were given."""
        self.settings = settings or Settings(port=0)
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Such as `http://127.0.0.1:49152`; raises ServerError when the mock is not running."""
        if self._server is None:
            raise ServerError("the mock is not running; use `with MockServer() as mock:` or call start()")
        return self._server.url

    def start(self) -> MockServer:
        """Listen, and serve until `stop`; raises TaurusMockError when a setting is unusable."""
        self._server = Server(create_app(self.settings), self.settings.host, self.settings.port)
        self._thread = threading.Thread(target=self._server.run, name="taurus-mock", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Answer what is in flight and end the thread; harmless when not running."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> MockServer:  # noqa: PYI034  # typing.Self needs Python 3.11
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()
