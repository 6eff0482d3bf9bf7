"""How a reply goes out when it is not simply answered: as bytes on the connection, and what ends it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, NoReturn, Protocol

if TYPE_CHECKING:
    from mockserver.model import Delivery, Exchange, Fault

Ending = Literal["close", "reset", "hang"]


@dataclass(frozen=True, slots=True)
class Script:
    """What happens on the connection."""

    pieces: tuple[bytes, ...]
    pause: float
    """Seconds between two pieces."""
    ending: Ending


class Connection(Protocol):
    """The client's connection, as `taurus-mock serve` and MockServer put it into the WSGI environment."""

    def wait(self, seconds: float) -> bool:
        """Wait; False when the client has left or the server stops."""

    def play(self, script: Script) -> NoReturn:
        """Play a script instead of a WSGI answer."""
        ...


def script_of(exchange: Exchange, delivery: Delivery) -> Script:
    """The script of an exchange whose reply breaks or drips."""
    if delivery.fault is None:
        pieces = _cut(_head(exchange) + _framed(exchange.reply.body), delivery.pieces)
        return Script(pieces, delivery.spread / max(len(pieces) - 1, 1), "close")
    data = _broken(exchange, delivery)
    return Script((data,) if data else (), 0, _ENDINGS.get(delivery.fault, "close"))


_ENDINGS: dict[Fault, Ending] = {"connection-reset": "reset", "hang": "hang"}


def _broken(exchange: Exchange, delivery: Delivery) -> bytes:
    """What a fault sends before the connection ends."""
    head, body = _head(exchange), exchange.reply.body
    half = body[: len(body) // 2]
    sent = {
        "garbage": delivery.garbage,
        "malformed-chunk": head + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n" + body,
        "malformed-json": head + _framed(half or b"{"),
        "truncated": head + _framed(half, missing=max(len(body) - len(half), 1)),
    }
    return sent.get(str(delivery.fault), b"")


def status_line(status: int) -> str:
    """Such as `429 Too Many Requests`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Request Header Too Large"  # 494, the only status of ours that no RFC has


def reply_headers(exchange: Exchange) -> list[tuple[str, str]]:
    """The headers of a reply, without those that frame its body."""
    reply = exchange.reply
    headers = [("Content-Type", reply.content_type), ("X-Request-Id", exchange.request.request_id), *reply.headers]
    if exchange.scenario is not None:
        headers.append(("X-Mock-Scenario", exchange.scenario))
    return headers


def _head(exchange: Exchange) -> bytes:
    lines = [f"HTTP/1.1 {status_line(exchange.reply.status)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in reply_headers(exchange)]
    return ("\r\n".join(lines) + "\r\n").encode("latin-1")


def _framed(body: bytes, *, missing: int = 0) -> bytes:
    """The body behind a Content-Length that promises `missing` bytes more."""
    return f"Content-Length: {len(body) + missing}\r\n\r\n".encode() + body


def _cut(data: bytes, pieces: int) -> tuple[bytes, ...]:
    """The data in so many pieces of about the same size, none of them empty."""
    size = max(1, -(-len(data) // pieces))
    return tuple(data[i : i + size] for i in range(0, len(data), size))
