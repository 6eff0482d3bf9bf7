"""Made-up instances are named once: every request that leaves has others in the place of those that left before.

No source says what a second upgrade of the same instance gets, so no verdict may depend on it. In the requests of the
tests a made-up id is a name, as the secrets are: what it stands for is filled in when a request leaves.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract_tests.messages import Request

_NAME = re.compile(rb"[0-9a-f]{24}(?=in07)")
"""What is replaced: the last of an id's 32 digits, as the first may be escaped or missing in what a test sends."""


class Renewal:
    """Fills in instances: as many bytes as their names, and on every run the same."""

    def __init__(self, kept: Iterable[str]) -> None:
        """`kept` are the ids that are not made up, so that no other can stand for them."""
        self._kept = {name for each in kept for name in _NAME.findall(each.encode())}
        self._times: Counter[bytes] = Counter()
        self._before: set[bytes] = set()

    def renewed(self, request: Request) -> Request:
        """The request as it leaves."""
        names = set(_NAME.findall(request.body)) - self._kept
        self._times.update(names - self._before if request.instances == "same" else names)
        self._before = names
        if request.instances == "as written":
            return request
        body = _NAME.sub(lambda name: _stands_for(name[0], self._times[name[0]]), request.body)
        return request if body == request.body else replace(request, body=body)


def _stands_for(name: bytes, times: int) -> bytes:
    """What a name stands for when it is used for the first time, the second, ...: at first for itself."""
    return name if times <= 1 else hashlib.sha256(b"%s %d" % (name, times)).hexdigest()[: len(name)].encode()
