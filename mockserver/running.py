"""A mock and its servers: on threads of their own for tests, on the main thread for the command line."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from mockserver.app import create_admin_app, create_api_app
from mockserver.client import MockProject
from mockserver.errors import ServerError
from mockserver.mock import Mock, load_mock
from mockserver.server import Server
from mockserver.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class RunningMock:
    """The listening servers of a mock: one, or two when the admin API has a port of its own."""

    def __init__(self, mock: Mock) -> None:
        """Bind; raises ServerError when that is impossible."""
        settings = mock.settings
        self._api = Server(create_api_app(mock), settings.host, settings.port)
        self._admin: Server | None = None
        if settings.admin and settings.admin_port is not None:
            try:
                self._admin = Server(create_admin_app(mock), settings.host, settings.admin_port, "--admin-port")
            except ServerError:
                self._api.close()
                raise
        self.url = self._api.url
        self.port = self._api.port
        self.admin_url = (self._admin or self._api).url if settings.admin else None

    def run(self) -> None:
        """Serve until `stop`, then answer what is in flight and close."""
        if self._admin is None:
            self._api.run()
            return
        admin = threading.Thread(target=self._admin.run, name="taurus-mock-admin", daemon=True)
        admin.start()
        self._api.run()
        self._admin.stop()
        admin.join()

    def stop(self) -> None:
        """Make `run` return soon. For another thread than the one in `run`, and not for a signal handler."""
        self._api.stop()


class MockServer(MockProject):
    """The mock on a thread of its own and a free port, as a context manager; also a handle of one of its projects.

    >>> with MockServer(Settings(port=0, scenario="throttled")) as mock:
    ...     mock.url
    'http://127.0.0.1:...'
    """

    def __init__(self, settings: Settings | None = None, *, clock: Callable[[], float] = time.time) -> None:
        """Read the documents; raises TaurusMockError when a setting is unusable. The port is free unless given."""
        self._running: RunningMock | None = None
        self._thread: threading.Thread | None = None
        super().__init__(load_mock(settings or Settings(port=0), clock), self._running_url)

    def project(self, project_id: str | None = None) -> MockProject:
        """A handle of another project, by default one that nobody else has."""
        return MockProject(self._mock, self._running_url, project_id)

    def start(self) -> MockServer:
        """Listen, and serve until `stop`, unless it does already; raises ServerError when that is impossible."""
        if self._running is not None:
            return self
        self._running = RunningMock(self._mock)
        self._thread = threading.Thread(target=self._running.run, name="taurus-mock", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Answer what is in flight and end the thread; harmless when not running."""
        if self._running is not None and self._thread is not None:
            self._running.stop()
            self._thread.join()
        self._running = self._thread = None

    def _running_url(self) -> str:
        if self._running is None:
            raise ServerError("the mock is not running; use `with MockServer() as mock:` or call start()")
        return self._running.url

    @property
    def admin_url(self) -> str | None:
        """Where the admin API is; None when it is switched off or the mock does not run."""
        return self._running.admin_url if self._running else None

    def __enter__(self) -> MockServer:  # noqa: PYI034  # typing.Self needs Python 3.11
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()
