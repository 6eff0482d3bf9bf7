"""Frozen values that the core takes and gives."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Location = Literal["path", "header", "body"]


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request as it arrived, before any check."""

    method: str
    path: str
    """Percent-decoded, as WSGI gives it."""
    query: str
    """The received query text, still encoded, without the question mark."""
    headers: Mapping[str, str]
    """Header values by lower-case name."""
    body: bytes
    """The received bytes; empty when `body_size` is over the limit, since the body is not kept then."""
    body_size: int
    """Bytes of the body as sent."""
    request_id: str
    """32 hexadecimal digits."""
    received_at: float
    """Unix time in seconds."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to the client."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    """Further headers; Content-Type and X-Request-Id are added to every reply."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One place at which a request breaks the contract."""

    location: Location
    pointer: str
    """JSON pointer within the location; the empty pointer is the whole body."""
    rule: str
    """The JSON Schema keyword, or a rule of the mock's own, that is broken."""
    clause: str
    """Which clause of the contract states the rule."""
    expected: object = None
    received: object = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, what it got, and why."""

    request: ApiRequest
    reply: Reply
    operation: str | None = None
    scenario: str | None = None
    violations: tuple[Violation, ...] = ()


@dataclass(slots=True)
class ApiError(Exception):
    """Ends the pipeline with an error of `fixtures/errors.json`."""

    name: str
    """The error's name in the catalogue."""
    parameters: Mapping[str, object] = field(default_factory=dict)
    """Values for the placeholders of its text."""
    headers: tuple[tuple[str, str], ...] = ()
    violations: tuple[Violation, ...] = ()


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def json_bytes(value: object) -> bytes:
    """Compact UTF-8 JSON, as the vendor answers; a lone surrogate becomes a question mark."""
    return _ENCODER.encode(value).encode("utf-8", "replace")
