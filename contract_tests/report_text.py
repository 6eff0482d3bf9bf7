"""What the report files have in common: the facts of a run, and texts that any of them can hold."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import timezone
from typing import TYPE_CHECKING, get_args

from contract_tests.report import EXIT_BROKEN, EXIT_GUARD, EXIT_KEPT, EXIT_NO_TARGET, EXIT_WORTHLESS, Name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from contract_tests.report import Report, Verdict

NAMES: tuple[Name, ...] = get_args(Name)
"""Every verdict."""
_NO_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef]")
_LAST_OF_PLANE = 0xFFFE
_MAX_NARROW, _MAX_WIDE = 0xFF, 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a report says about its run beside the verdicts; nothing here is secret."""

    target: str
    """The base URL."""
    profile: str
    seed: int
    started: datetime
    """With a time zone."""
    seconds: float
    exit_code: int
    """Of the whole run, which can be that of the guard, unlike a report's own."""
    problem: str | None = None
    """Why there are no verdicts, or why the run ended early."""
    tool: str = "taurus-mock"
    version: str = "unknown"

    @property
    def began(self) -> str:
        """When the run began, such as `2026-03-01T09:30:00Z`."""
        return self.started.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def ended_badly(self) -> bool:
        """Whether the run as a whole went wrong, whatever the verdicts are."""
        return self.exit_code not in (EXIT_KEPT, EXIT_BROKEN) or self.problem is not None


def legible(text: str) -> str:
    """A text that XML and HTML can hold: control characters, surrogates and changes of direction as escapes."""
    text = _NO_TEXT.sub(lambda match: _escape(match[0]), text)
    return "".join(_escape(each) if ord(each) & _LAST_OF_PLANE == _LAST_OF_PLANE else each for each in text)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code <= _MAX_NARROW else f"\\u{code:04x}" if code <= _MAX_WIDE else f"\\U{code:08x}"


def counts(verdicts: Sequence[Verdict]) -> Counter[Name]:
    """How many clauses got which verdict."""
    return Counter(verdict.name for verdict in verdicts)


def headline(report: Report, circumstances: Circumstances) -> str:
    """The result of a run in one sentence."""
    number = counts(report.verdicts)
    if circumstances.exit_code == EXIT_NO_TARGET:
        return "The target could not be checked."
    if circumstances.exit_code == EXIT_GUARD:
        return "The safety guard stopped the run."
    broken = number["broken"]
    if broken:
        return "1 clause is broken." if broken == 1 else f"{broken} clauses are broken."
    if circumstances.exit_code == EXIT_WORTHLESS:
        return "Nothing is shown: too little was exercised."
    if number["accepted"]:
        return f"No clause is broken anew; {number['accepted']} known."
    return "Every checked clause is kept."


def remarks(report: Report) -> list[str]:
    """What there is to say about the baseline: rows that are expired or no longer needed."""
    if not report.baseline:
        return []
    verdicts = report.verdicts
    broken = {verdict.clause.id for verdict in verdicts if verdict.finding}
    checked = {verdict.clause.id for verdict in verdicts if verdict.name != "not checked"}
    return [*report.baseline.expired, *report.baseline.unneeded(broken, checked)]
