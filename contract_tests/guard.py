"""The safety guard: on its way to a real account, no request leaves that could name a real instance.

An upgrade can not be rolled back, so the guard denies by default. It looks at the whole request as a lenient server
might read it: it undoes encodings, one after the other, and searches every view for ids. It does not know what the
suite meant to send.
"""

from __future__ import annotations

import re
import string
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract_tests.encodings import FOREIGN_TO_JSON, SLICE, TooLargeError, is_text, views

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

IMPOSSIBLE_ID = re.compile(r"nosuchinstance[0-9]{18}in07")
"""Ids of the suite: 36 characters that read as words and can not be real, as real ones are hexadecimal."""

_ID_SIZE = 36
_FEWEST = 18
"""Bytes that an id has at least, however it is packed: its 32 hexadecimal digits alone are 16."""
_SHOWN = 120
_OVERLAP = 1 << 12
"""Bytes that two slices of large data share, so that no id is cut."""

_REAL_ID = re.compile(rb"in07(?<=[0-9a-f]{32}in07)")  # the literal comes first: it is what is rare
_LIKE_AN_ID = re.compile(rb"in[0-9]{2}(?<=[0-9a-z]{32}in[0-9]{2})")
_ESCAPE = re.compile(rb"[\\%&#=][0-9a-z]*")
_BARE_ID = re.compile(rb"[0-9a-f]{32}")
_IMPOSSIBLE = re.compile(IMPOSSIBLE_ID.pattern.encode())
# Whatever may stand inside an id is ignored, but for what starts or ends an escape: its digits belong to no id.
_IGNORED = bytes(set(range(256)) - set((string.ascii_letters + string.digits + "\\%&#;=").encode()))
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
_KEY = re.compile(rb"instance[^0-9a-z:=]{0,8}id[^0-9a-z:=]{0,8}[:=]")
# A string that is never closed ends with the text: so no part of a text is read twice.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[{\]}]|[^\s",:\[\]{}&]+', re.DOTALL)


def impossible_id(number: int) -> str:
    """The id of the suite with this number, 0 to 10**18 - 1. Raises ValueError for another number."""
    if not 0 <= number < 10**18:
        raise ValueError(f"impossible ids have numbers of up to 18 digits, not {number}")
    return f"nosuchinstance{number:018d}in07"


class GuardStop(Exception):  # noqa: N818  # a decision, not an error of the suite
    """A request was not sent, as it could name a real instance; the text says what was found, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Looks at requests before any of their bytes leave."""

    allowed: frozenset[str] = frozenset()
    """The instance ids that the user named."""

    def check(self, target: str, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """Return when the request may be sent; raises GuardStop, and nothing else, when it may not.

        Stopped is, in the body, the target or a header: 32 hexadecimal digits and `in07`, in any letter case, with
        anything but letters, digits and escapes in between, in any encoding that `encodings` undoes. In the body, a
        value of `instance_id` is also stopped when it holds 32 letters or digits and then `in` and two digits, or is
        32 hexadecimal digits. So is a body in a content coding that can not be undone, or compressed beyond a
        megabyte. Ids of the suite and allowed ids pass.
        """
        allowed = {name.lower().encode("utf-8", "replace") for name in self.allowed}
        # An x is no hexadecimal digit: what stands on both sides of it is never read as one id.
        for encoding in ("utf-8", "latin-1"):
            head = [target, *(f"{name}: {value}" for name, value in headers)]
            line = " x ".join(head)
            self._search(line.encode(encoding, "replace"), allowed, target, in_body=False)
            if line.isascii():
                break
        self._search(body, allowed, target, in_body=True)
        codings = ",".join(value.lower() for name, value in headers if name.lower() == "content-encoding")
        unknown = {coding.strip() for coding in codings.split(",")} - {"", "identity", "gzip", "x-gzip", "deflate"}
        if unknown and not is_text(body):
            raise _stop(target, f"its body is encoded as {', '.join(sorted(unknown))}, which can not be searched")

    def _search(self, data: bytes, allowed: set[bytes], target: str, *, in_body: bool) -> None:
        place = "its body" if in_body else "its target or a header"
        for start in range(0, max(len(data), 1), SLICE - _OVERLAP):
            try:
                for view in views(data[start : start + SLICE], fewest=_FEWEST):
                    for found in _ids(view.data, by_key=in_body and FOREIGN_TO_JSON.isdisjoint(view.steps)):
                        if found not in allowed:
                            inside = f", inside {' in '.join(reversed(view.steps))}," if view.steps else ""
                            raise _stop(target, f"{place}{inside} holds {found.decode()}, which could be a real id")
            except TooLargeError:
                raise _stop(target, f"{place} holds compressed data that is too large to be searched") from None
            if start + SLICE >= len(data):
                break


def _stop(target: str, reason: str) -> GuardStop:
    shown = target if len(target) <= _SHOWN else f"{target[:_SHOWN]}..."
    return GuardStop(
        f"stopped before a request to {shown!r}: {reason}. Nothing was sent. Without --allow-upgrades the suite sends "
        "only ids that can not exist; to upgrade instances of yours, name each: --allow-upgrades --instance ID=VERSION."
    )


def _ids(data: bytes, *, by_key: bool) -> Iterator[bytes]:
    """What could be the id of a real instance, in lower case and without what is no letter or digit."""
    text = b""
    for text in _readings(data):
        squeezed = text.translate(None, _IGNORED)
        for match in _REAL_ID.finditer(squeezed):
            yield squeezed[match.end() - _ID_SIZE : match.end()]
    # The last reading has all characters.
    for escaped in _values_of_ids(text) if by_key else ():
        value = _ESCAPE.sub(b" ", escaped)  # what an escape stands for is judged where it is undone
        for match in _LIKE_AN_ID.finditer(value):
            found = value[match.end() - _ID_SIZE : match.end()]
            if not _IMPOSSIBLE.fullmatch(found):
                yield found
        if _BARE_ID.fullmatch(value):
            yield value


def _readings(data: bytes) -> Iterator[bytes]:
    """The data in lower case and ASCII: without all other characters, and with them replaced by their likes."""
    yield data.lower()
    if data.isascii() or (text := data.decode("utf-8", "ignore")).isascii():
        return
    # In pieces, as sorting a long run of combining marks takes quadratic time.
    pieces = (unicodedata.normalize("NFKD", text[start : start + 256]) for start in range(0, len(text), 256))
    plain = _FOREIGN_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), "".join(pieces).casefold())
    yield plain.encode("ascii", "ignore")


def _values_of_ids(text: bytes) -> Iterator[bytes]:
    """The letters and digits of each string that is, or is inside, a value of the key `instance_id`."""
    position = 0
    while key := _KEY.search(text, position):
        position, depth = key.end(), 0
        for token in _TOKEN.finditer(text, position):
            position = token.end()
            if token[0] in b"[{":
                depth += 1
            elif token[0] in b"]}":
                depth -= 1
            else:
                yield token[0].translate(None, _IGNORED)
            if depth <= 0:
                break
