"""waitress serving an application: bound, with a thread for every request in progress, and a stop that answers all."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.server import create_server

from mockserver.errors import ServerError
from mockserver.logs import LOGGER
from mockserver.wire import MAX_HEADERS, Channel

if TYPE_CHECKING:
    from mockserver.app import MockApp

MAX_WORKERS = 512
"""Requests answered at one time; threads start as they are needed, so that slow exchanges starve no other."""
GRACE = 0.7
"""Seconds that requests in flight have to be answered when the server stops."""


class Server:
    """A bound and listening server; `run` serves until `stop`."""

    def __init__(self, app: MockApp, host: str, port: int, port_flag: str = "--port") -> None:
        """Bind to `host` and `port`, 0 for a free one; raises ServerError, naming the flag, when that is impossible."""
        listener = _listen(host, port, port_flag)
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
            max_request_body_size=2**62,  # wire.Body bounds what is kept, and the application refuses
            clear_untrusted_proxy_headers=False,  # a header of the client's is the client's to send
        )
        self._waitress.channel_class = Channel
        self._waitress.stopping = self._stopping = threading.Event()
        self._ended = False
        self._ending = threading.Lock()
        self.host, self.port = host, int(listener.getsockname()[1])

    @property
    def url(self) -> str:
        """Such as `http://127.0.0.1:8080`."""
        return f"http://{_shown(self.host)}:{self.port}"

    def run(self) -> None:
        """Serve until `stop`, then answer what is in flight and close."""
        try:
            while not self._stopping.is_set():
                self._turn(1)
            self._drain()
        finally:
            self.close()

    def stop(self) -> None:
        """Make `run` return soon; harmless once it has. For another thread than that of `run`, so no signal handler."""
        with self._ending:
            if not self._ended:
                self._waitress.trigger.pull_trigger(self._stopping.set)

    def close(self) -> None:
        """Close every socket and end every thread; only needed for a server that does not `run`."""
        self._stopping.set()
        for channel in list(self._waitress.active_channels.values()):
            channel.handle_close()
        # A thread pulls the trigger when it has answered. The trigger closes after it, since its descriptor may soon
        # belong to somebody else.
        self._waitress.task_dispatcher.shutdown()
        with self._ending:
            self._ended = True
            wasyncore.close_all(self._sockets, ignore_all=True)

    def _turn(self, timeout: float) -> None:
        wasyncore.loop(timeout, use_poll=self._waitress.adj.asyncore_use_poll, map=self._sockets, count=1)

    def _drain(self) -> None:
        connections = -1
        while connections != len(self._sockets):  # what clients sent before the stop is in flight too
            connections = len(self._sockets)
            self._turn(0)
        wasyncore.dispatcher.close(self._waitress)  # no new connection
        deadline = time.monotonic() + GRACE
        while any(_is_busy(channel) for channel in self._waitress.active_channels.values()):
            if time.monotonic() >= deadline:
                LOGGER.warning("stopped with requests unanswered after %s s", GRACE)
                return
            self._turn(0.02)


def _is_busy(channel: Channel) -> bool:
    return bool(channel.requests or channel.request is not None or channel.total_outbufs_len)


def _listen(host: str, port: int, port_flag: str) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except (socket.gaierror, UnicodeError) as error:  # UnicodeError: what cannot be a host name
        reason = getattr(error, "strerror", None) or error
        raise ServerError(f"--host {host}: no such address ({reason})") from error
    except OSError as error:
        hint = f" Choose another {port_flag}, or 0 for a free one." if port else ""
        reason = (error.strerror or str(error)).lower()
        raise ServerError(f"cannot listen on {_shown(host)}:{port}: {reason}.{hint}") from error


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class _Workers:
    """waitress's task dispatcher, on a pool that has a thread for every request in progress."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(MAX_WORKERS, thread_name_prefix="taurus-mock")

    def add_task(self, task: Channel) -> None:
        with contextlib.suppress(RuntimeError):  # the server has stopped, and the connection is closed
            self._pool.submit(self._serve, task)

    def shutdown(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    @staticmethod
    def _serve(task: Channel) -> None:
        try:
            task.service()
        except Exception:  # noqa: BLE001  # nobody else would see it
            LOGGER.exception("a connection failed")
