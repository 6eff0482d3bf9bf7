"""A request body as a JSON value, or the reason why it is none."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_DEPTH = 100
"""Levels of nesting; RFC 8259 allows a limit, and no real request has more than four."""
MAX_DIGITS = 4300
"""Digits of an integer; the bound that newer Pythons set themselves against slow conversions."""

MAX_CONTAINERS = 400_000
"""Arrays and objects of a text. A batch below 12 MB has fewer; without a bound, a hostile body takes half a minute."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(slots=True)
class JsonTextError(Exception):
    """The bytes are no JSON text that every client and server reads alike."""

    rule: str
    """`empty`, `encoding`, `byte-order-mark`, `syntax`, `containers`, `number`, `depth` or `surrogate`."""
    pointer: str = ""
    expected: object = None
    received: object = None


def parse_json(body: bytes) -> object:
    """The value of a JSON text; raises JsonTextError.

    A key given twice has its last value, as in the parsers of the official clients. NaN and Infinity, which Python's
    parser would take, are no JSON.
    """
    text = _decode(body)
    brackets = _opening_brackets(body)
    if brackets > MAX_CONTAINERS:
        brackets = _opening_brackets(_STRING.sub(b"", body))
    if brackets > MAX_CONTAINERS:
        raise JsonTextError("containers", expected=MAX_CONTAINERS)
    value = _parse(text)
    if brackets > MAX_DEPTH and _is_too_deep(value):
        raise JsonTextError("depth", expected=MAX_DEPTH)
    if b"\\u" in body and _SURROGATE_ESCAPE.search(body):
        path = _lone_surrogate(value)
        if path is not None:
            raise JsonTextError("surrogate", "".join(f"/{escape(part)}" for part in path))
    return value


def escape(key: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def _opening_brackets(body: bytes) -> int:
    """At least the number of arrays and objects; quickly counted."""
    return body.count(b"[") + body.count(b"{")


def _decode(body: bytes) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonTextError("encoding", received=error.start) from None
    if text.startswith("\ufeff"):
        raise JsonTextError("byte-order-mark")
    return text


def _parse(text: str) -> object:
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        if not text.strip(" \t\r\n"):
            raise JsonTextError("empty") from None
        where = f"{error.msg} at line {error.lineno} column {error.colno}"
        raise JsonTextError("syntax", received=where) from None
    except RecursionError:
        raise JsonTextError("depth", expected=MAX_DEPTH) from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise JsonTextError("syntax", received=f"{name} is not a JSON value")


def _parse_int(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise JsonTextError("number", expected=MAX_DIGITS)
    return int(digits)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_parse_int)


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def _lone_surrogate(value: object) -> list[str] | None:
    """The path to a string or key that is no Unicode text: it has no UTF-8 form, so nothing could store or log it."""
    if isinstance(value, str):
        return None if _is_unicode(value) else []
    children: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict):
        if not all(map(_is_unicode, value)):
            return []
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    for key, child in children:
        # Paths are made only on the way back from a find: making them for every child took minutes for 12 MB.
        if isinstance(child, (str, dict, list)) and (path := _lone_surrogate(child)) is not None:
            return [str(key), *path]
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
