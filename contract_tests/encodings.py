"""Views of some bytes as lenient servers might read them: every encoding undone that may be there, one inside another.

A decoder yields what it finds, or nothing; none raises for any input, and each takes time in proportion to its input.
"""

from __future__ import annotations

import binascii
import html
import re
import string
import sys
import zlib
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SLICE = 1 << 20
"""Bytes of the largest data that should be looked at in one piece."""
FOREIGN_TO_JSON = frozenset({"percent-encoding", "HTML references", "quoted-printable", "base64", "hexadecimal"})
"""Encodings that no reader of JSON undoes by itself."""
_DEPTH = 7
"""Encodings that are undone one inside the other."""
_MAX_INFLATED = 1 << 20
_FEW = 8
_FEWEST_UNITS = 36
_MAX_GUESSED = 1 << 14
"""Bytes up to which data that is no text is also tried from its second byte on."""


class View(NamedTuple):
    """One way to read the data."""

    data: bytes
    steps: tuple[str, ...]
    """Which encodings were undone, the outermost first."""


class TooLargeError(Exception):
    """Compressed data is larger than what can be searched."""


def views(data: bytes, *, fewest: int) -> Iterator[View]:
    """The data as it is, then with encodings undone, the outer ones first; decoded views of fewer bytes are left out.

    Raises TooLargeError.
    """
    queue = deque([View(data, ())])
    seen = {data}
    budget = 6 * len(data) + (1 << 18)
    while queue:
        view = queue.popleft()
        yield view
        budget -= len(view.data)
        # What remains when the budget is spent is still yielded, but not decoded further.
        if len(view.steps) == _DEPTH or budget < 0:
            continue
        for name, decode in _DECODERS.items():
            if decode is _units and name in view.steps[-1:]:
                continue  # nobody reads text as UTF-16 again, and what that gives looks like anything
            for found in decode(view.data):
                if len(found) >= fewest and found not in seen:
                    seen.add(found)
                    queue.append(View(found, (*view.steps, name)))


def is_text(data: bytes) -> bool:
    """Whether the data is UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _character(number: int) -> bytes:
    return chr(number).encode("utf-8", "surrogatepass") if number <= sys.maxunicode else b""


def _undo(pattern: bytes, replace: Callable[[re.Match[bytes]], bytes]) -> Callable[[bytes], Iterator[bytes]]:
    """A decoder that replaces what matches; it yields nothing where nothing does."""
    compiled = re.compile(pattern, re.DOTALL)

    def decode(data: bytes) -> Iterator[bytes]:
        text, number = compiled.subn(replace, data)
        if number:
            yield text

    return decode


def _backslash(match: re.Match[bytes]) -> bytes:
    pairs, high, low, *hexadecimal, octal, other = match.groups()
    if pairs:
        return bytes(match[0][: len(match[0]) // 2])
    if other:
        return b" " if other in b"bfnrtv" else bytes(other)
    if high:
        return _character(0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF))
    if octal:
        return _character(int(octal, 8))
    return _character(int(next(filter(None, hexadecimal)), 16))


def _reference(match: re.Match[bytes]) -> bytes:
    decimal, hexadecimal, name = match.groups()
    if name:
        return html.unescape(f"&{name.decode()};").encode("utf-8", "replace")
    return _character(int(decimal) if decimal else int(hexadecimal, 16))


def _percent(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[2], 16)]) if match[2] else _character(int(match[1], 16))


def _units(data: bytes) -> Iterator[bytes]:
    """UTF-16 and UTF-32, also where they start in the middle of something else."""
    nulls = data.count(0)
    # One byte of each character of an id has one of these values; random data has fewer of them.
    if nulls + data.count(0xFF) + data.count(0xD8) < max(_FEWEST_UNITS, len(data) // 64):
        return
    yield data.replace(b"\0", b"")
    if nulls * 2 >= len(data):
        yield from (data.decode(codec, "ignore").encode() for codec in ("utf-32-le", "utf-32-be"))
    first, second = ((data[start::2].count(0) + data[start::2].count(0xFF)) for start in (0, 1))
    codecs = ("utf-16-be", "utf-16-le") if first > second else ("utf-16-le", "utf-16-be")
    for start, codec in enumerate(codecs if len(data) <= _MAX_GUESSED else codecs[:1]):
        yield data[start:].decode(codec, "ignore").encode()


def _packed(data: bytes) -> Iterator[bytes]:
    """Compressed data: gzip and zlib, wherever they start, and deflate without a header at the start."""
    starts = [match.start() for match, _ in zip(_MAGIC.finditer(data), range(_FEW), strict=False)]
    for start, bits in [*((start, 47) for start in starts), *([] if data.isascii() else [(0, -15)])]:
        inflater, size = zlib.decompressobj(bits), 0
        parts: list[bytes] = []
        step = 64 if len(data) < _MAX_GUESSED else 4096  # what comes before an error is kept, but for the last step
        for position in range(start, len(data), step):
            try:
                parts.append(inflater.decompress(data[position : position + step], _MAX_INFLATED))
            except zlib.error:
                break
            size += len(parts[-1])
            if size >= _MAX_INFLATED:
                raise TooLargeError
            if inflater.eof:
                break
        else:
            if len(data) >= SLICE:
                raise TooLargeError
        yield b"".join(parts)


def _base64(data: bytes) -> Iterator[bytes]:
    """Text in base64, of either alphabet in lines of any length, wherever it starts."""
    data = data.translate(None, b" \t\r\n")
    if _LONG_RUN not in data.translate(_IN_RUNS):
        return
    runs = filter(_could_be_base64, _BASE64.findall(data))
    yield from _joined([decoded for run in runs for decoded in _from_base64(run)])


def _could_be_base64(run: bytes) -> bool:
    """Paths, words and numbers are none: of nearly all else, many characters are capitals, or + or - in their place."""
    return len(run.translate(None, _NO_CAPITAL)) >= _FEW


def _from_base64(run: bytes) -> Iterator[bytes]:
    """The decoded run, or when no reading of it is text, what it may be with one to three characters before it."""
    found = []
    for start in range(4):
        part = run[start : len(run) - ((len(run) - start) % 4 == 1)]
        found.append(binascii.a2b_base64(part.translate(_URL_SAFE) + b"=" * (-len(part) % 4)))
        if is_text(found[-1]) and not _CONTROL.search(found[-1]):
            yield found[-1]
            return
    yield from found


def _hexadecimal(data: bytes) -> Iterator[bytes]:
    """The hexadecimal form of bytes, wherever it starts."""
    runs = _HEXADECIMAL.findall(data) if _LONG_RUN in data.translate(_IN_RUNS) else []
    for offset in range(2) if runs else ():
        yield from _joined([binascii.unhexlify(run[offset : len(run) - (len(run) - offset) % 2]) for run in runs])


def _joined(found: list[bytes]) -> list[bytes]:
    """The views themselves, or when there are many all in one, as each view has its cost."""
    return found if len(found) <= _FEW else [b" x ".join(found)]


_CONTROL = re.compile(rb"[^\t\n\r -\xff]")
_MAGIC = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_BASE64 = re.compile(rb"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}")  # 18 bytes: a packed id
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_HEXADECIMAL = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{40,}")
_NO_CAPITAL = bytes(set(range(256)) - set(string.ascii_uppercase.encode() + b"+-"))
_LONG_RUN = b"x" * 24
# Tells at a small price that nothing has a long run: the usual case.
_IN_RUNS = bytes(ord("x" if chr(byte) in f"{string.ascii_letters}{string.digits}+/_-" else " ") for byte in range(256))
_DECODERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "backslash escapes": _undo(
        rb"\\(?:(\\(?:\\\\)*)|u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
        rb"|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|[ux]\{([0-9a-fA-F]{1,6})\}|U([0-9a-fA-F]{8})|([0-7]{2,3})|([\"'/0-9A-Za-z]))",
        _backslash,
    ),
    "percent-encoding": _undo(rb"%(?:u([0-9a-fA-F]{4})|([0-9a-fA-F]{2}))", _percent),
    "HTML references": _undo(
        rb"&(?:#0*([0-9]{1,7});?|#[xX]0*([0-9a-fA-F]{1,6});?|([A-Za-z][A-Za-z0-9]{1,31});)", _reference
    ),
    "quoted-printable": _undo(rb"=(?:([0-9a-fA-F]{2})|\r?\n)", lambda match: binascii.unhexlify(match[1] or b"")),
    "chunks": _undo(rb"\r\n[0-9a-fA-F]{1,8}(?:;[^\r\n]{0,80})?\r\n", lambda _: b""),
    "UTF-16 or UTF-32": _units,
    "compression": _packed,
    "base64": _base64,
    "hexadecimal": _hexadecimal,
}
