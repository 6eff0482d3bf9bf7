"""Requests and replies as values; no reply is a value, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is sent, but for Host, Content-Length and credentials."""

    method: str
    target: str
    """Path and query as sent, percent-encoded."""
    headers: tuple[Header, ...] = ()
    body: bytes = b""
    note: str = ""
    """What is special about it."""
    cuts: tuple[str, ...] = ()
    """Where it is cut into TCP segments: after the request `line`, after the `head`, in the middle of the `body`."""
    instances: Literal["new", "same", "as written"] = "new"
    """Which instances its made-up ids stand for: new ones, or where the request before has the same ids, the same."""

    def to_bytes(self, host: str) -> bytes:
        """The bytes on the wire; a target beyond ASCII goes out as UTF-8."""
        headers = [("Host", host), *self.headers]
        if not {"transfer-encoding", "content-length"} & {name.lower() for name, _ in headers}:
            headers.append(("Content-Length", str(len(self.body))))
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body

    def segments(self, host: str) -> list[bytes]:
        """The bytes on the wire, cut where the request says."""
        data = self.to_bytes(host)
        places = {"line": data.index(b"\r\n") + 2, "head": len(data) - len(self.body)}
        places["body"] = places["head"] + len(self.body) // 2
        starts = [0, *sorted(places[cut] for cut in self.cuts)]
        return [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that arrived."""

    status: int
    headers: tuple[Header, ...]
    """Names in small letters."""
    body: bytes
    """Without chunks and compression."""
    problems: tuple[str, ...] = ()
    """What is wrong with how it was framed."""

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class NoReply:
    """Why no reply arrived."""

    kind: Literal["refused", "timeout", "closed", "reset", "cut", "stalled", "not-http"]
    detail: str


Outcome = Reply | NoReply
