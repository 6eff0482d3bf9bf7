"""A request body as a JSON value, or the reason why it is none."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import NoReturn

MAX_DEPTH = 100
"""Levels of nesting; RFC 8259 allows a limit, and no real request has more than four."""
MAX_DIGITS = 4300
"""Digits of an integer; Python's own bound against slow conversions."""

_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(slots=True)
class JsonTextError(Exception):
    """The bytes are no JSON text that every client and server reads alike."""

    rule: str
    """`empty`, `encoding`, `byte-order-mark`, `syntax`, `number`, `depth` or `surrogate`."""
    pointer: str = ""
    expected: object = None
    received: object = None


def parse_json(body: bytes) -> object:
    """The value of a JSON text; raises JsonTextError.

    A key given twice has its last value, as in the parsers of the official clients. NaN and Infinity, which Python's
    parser would take, are no JSON.
    """
    text = _decode(body)
    value = _parse(text)
    # Counting brackets is quick, and few bodies have that many.
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _is_too_deep(value):
        raise JsonTextError("depth", expected=MAX_DEPTH)
    if b"\\u" in body and _SURROGATE_ESCAPE.search(body):
        pointer = _lone_surrogate(value, "")
        if pointer is not None:
            raise JsonTextError("surrogate", pointer)
    return value


def escape(key: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


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
    except ValueError:  # Python refuses to convert a huge integer
        raise JsonTextError("number", expected=MAX_DIGITS) from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise JsonTextError("syntax", received=f"{name} is not a JSON value")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


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


def _lone_surrogate(value: object, pointer: str) -> str | None:
    """Where a string or key is no Unicode text; such text has no UTF-8 form, so nothing could store or log it."""
    if isinstance(value, str):
        return None if _is_unicode(value) else pointer
    if isinstance(value, dict):
        if not all(map(_is_unicode, value)):
            return pointer
        children = [(str(key), child) for key, child in value.items()]
    elif isinstance(value, list):
        children = [(str(index), child) for index, child in enumerate(value)]
    else:
        return None
    found = (_lone_surrogate(child, f"{pointer}/{escape(key)}") for key, child in children)
    return next((place for place in found if place is not None), None)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
