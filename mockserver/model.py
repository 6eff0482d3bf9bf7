"""Frozen values that the core takes and gives."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_PROJECTS = 10_000
"""Projects whose state and history are kept; the longest idle ones go."""

Location = Literal["path", "query", "header", "body"]


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

    @property
    def url(self) -> str:
        """The base URL that the client called, such as http://127.0.0.1:8080, for links in replies."""
        return f"http://{self.headers.get('host', '127.0.0.1')}"

    def text(self, header: str) -> str:
        """A header's value as text, empty when absent: clients send UTF-8, which WSGI hands on as latin-1."""
        value = self.headers.get(header, "")
        try:
            return value if value.isascii() else value.encode("latin-1").decode("utf-8")
        except UnicodeError:
            return value


Fault = Literal["connection-reset", "empty-reply", "truncated", "malformed-json", "garbage", "malformed-chunk", "hang"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a reply reaches the client, or does not."""

    wait: float = 0.0
    """Seconds before the first byte."""
    pieces: int = 1
    spread: float = 0.0
    """Seconds over which the pieces are spread."""
    fault: Fault | None = None
    garbage: bytes = b""
    """What the fault `garbage` sends."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to the client."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    """Further headers; X-Request-Id is added to every reply."""
    content_type: str = "application/json"
    delivery: Delivery | None = None
    """None: at once and whole."""


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
    project_id: str | None = None
    """The tenant, as the path names it; None when the path is no operation's."""
    scenario: str | None = None
    chosen_by: str | None = None
    """`header`, `prefer`, `magic id`, `rule`, `start`; None when no scenario was reached."""
    violations: tuple[Violation, ...] = ()
    accepted: bool = False
    """Whether the operation took place, even if the client never learned of it."""
    upgraded: tuple[str, ...] = ()
    """Ids of the instances whose upgrade was granted, even if the client never learned of it."""
    instance_id: str | None = None
    """The instance that the path names."""


@dataclass(slots=True)
class ApiError(Exception):
    """Ends the pipeline with an error of `fixtures/errors.json`."""

    name: str
    """The error's name in the catalogue."""
    parameters: Mapping[str, object] = field(default_factory=dict)
    """Values for the placeholders of its text."""
    headers: tuple[tuple[str, str], ...] = ()
    violations: tuple[Violation, ...] = ()
    about: tuple[str, ...] = ()
    """What the error is about, such as instances; its text ends with them."""


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def json_bytes(value: object) -> bytes:
    """Compact UTF-8 JSON, as the vendor answers; a lone surrogate becomes a question mark."""
    return _ENCODER.encode(value).encode("utf-8", "replace")


def json_reply(value: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """A reply with a JSON body."""
    return Reply(status, json_bytes(value), headers)
