"""One mock: its core, its journal, and what it takes from the world."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mockserver.engine import Engine, load_engine
from mockserver.journal import Journal
from mockserver.logs import LOGGER, log_exchange
from mockserver.model import ApiError, ApiRequest, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockserver.settings import Settings


def new_request_id() -> str:
    """32 hexadecimal digits that no other request has."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Mock:
    """What the applications of one mock share."""

    settings: Settings
    engine: Engine
    journal: Journal
    clock: Callable[[], float] = time.time
    """Unix time in seconds."""
    new_request_id: Callable[[], str] = new_request_id

    def exchange(self, request: ApiRequest) -> Exchange:
        """The engine's answer, journalled; a failure of the engine itself becomes a documented 500.

        The journal has it before the answer goes out, so that a client that has the answer finds it there.
        """
        started = time.perf_counter()
        self.engine.library.refresh(started)
        try:
            exchange = self.engine.handle(request)
        except Exception:  # noqa: BLE001  # logged, and answered in the documented form
            LOGGER.exception("the mock failed; request_id=%s", request.request_id)
            exchange = self.engine.refuse(request, ApiError("mock-failure"))
        self._keep(exchange, started)
        return exchange

    def refuse(self, request: ApiRequest, error: ApiError) -> Exchange:
        """The answer to what is no request, journalled."""
        exchange = self.engine.refuse(request, error)
        self._keep(exchange, time.perf_counter())
        return exchange

    def _keep(self, exchange: Exchange, started: float) -> None:
        milliseconds = (time.perf_counter() - started) * 1000
        self.journal.add(exchange, milliseconds)
        log_exchange(exchange, milliseconds)


def load_mock(
    settings: Settings,
    clock: Callable[[], float] = time.time,
    new_request_id: Callable[[], str] = new_request_id,
) -> Mock:
    """The mock that the settings ask for; raises TaurusMockError for a setting or document that is unusable."""
    engine = load_engine(settings, secrets.token_bytes(32))
    return Mock(settings, engine, Journal(per_project=settings.journal_size), clock, new_request_id)
