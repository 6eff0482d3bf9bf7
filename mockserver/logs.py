"""The log on standard error: one structured line for each request, as text or JSON, and never a secret."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver.model import Exchange
    from mockserver.settings import Settings

LOGGER = logging.getLogger("taurus_mock")
_MAX_PATH = 200


def log_exchange(exchange: Exchange, milliseconds: float) -> None:
    """Log one request. Headers and bodies stay out, since they may hold secrets."""
    if LOGGER.isEnabledFor(logging.INFO):
        request = exchange.request
        status = exchange.reply.status
        log_request(request.method, request.path, status, exchange.scenario, milliseconds, request.request_id)


def log_request(
    method: str, path: str, status: int, scenario: str | None, milliseconds: float, request_id: str
) -> None:
    """Log one request, whatever it was for."""
    fields = {
        "method": method,
        "path": path[:_MAX_PATH],
        "status": status,
        "scenario": scenario,
        "ms": round(milliseconds, 2),
        "request_id": request_id,
    }
    LOGGER.info("request", extra={"fields": fields})


def configure_logging(settings: Settings) -> None:
    """Send the log to standard error in the form that the settings ask for."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter())
    LOGGER.handlers[:] = [handler]
    LOGGER.propagate = False
    LOGGER.setLevel(logging.WARNING if settings.quiet else logging.INFO)
    waitress = logging.getLogger("waitress")
    waitress.handlers[:] = [handler]
    waitress.propagate = False


class TextFormatter(logging.Formatter):
    """`TIME LEVEL method=POST path=/v3/... status=200 ...`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for a request; other records keep their trace."""
        fields = getattr(record, "fields", {})
        words = [f"{name}={_plain(value)}" for name, value in fields.items()]
        if not fields:
            words = [super().format(record)]
        return " ".join((_time(record), record.levelname, *words))


class JsonFormatter(logging.Formatter):
    """One JSON object on a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's fields, or its text and trace."""
        fields = getattr(record, "fields", None) or {"message": super().format(record)}
        return json.dumps({"time": _time(record), "level": record.levelname, **fields})


def _time(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _plain(value: object) -> str:
    """A value that can not break the line or be taken for another field."""
    if value is None:
        return "-"
    text = str(value)
    return text if text.isprintable() and not set(text) & set(' "=') else json.dumps(text)
