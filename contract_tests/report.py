"""From what the tests found to one verdict for each clause, the exit code, and the table."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from contract_tests.findings import Finding, explain_finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contract_tests.baseline import Baseline
    from contract_tests.clauses import Clause

PROPERTY = "contract"
"""The name under which a test's result travels through pytest."""
EXIT_KEPT, EXIT_BROKEN, EXIT_USAGE, EXIT_NO_TARGET, EXIT_WORTHLESS, EXIT_GUARD = range(6)
_MANY = 3
"""Observations that a line shows."""

Name = Literal["kept", "broken", "warning", "accepted", "observed", "not checked"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one clause."""

    clause: Clause
    name: Name
    text: str = ""
    """What was observed, why nothing was checked, or why a break is accepted."""
    finding: Finding | None = None

    def __str__(self) -> str:
        """Such as `observed: an empty array: 200`."""
        return f"{self.name}: {self.text}" if self.text else self.name


@dataclass
class Report:
    """Collects the results of tests; everything else follows from them, whatever their order."""

    clauses: Sequence[Clause]
    strict: bool = False
    baseline: Baseline | None = None
    results: list[tuple[dict[str, Any], str | None]] = field(default_factory=list)
    """What each test found, and why it ended early."""
    also_sent: int = 0
    """Requests that were sent before the tests."""
    stopped: str | None = None
    """Why the safety guard ended the run."""
    crash: str | None = None
    """A failure of the suite itself, which is no verdict on anybody."""

    def take(self, result: dict[str, Any], reason: str | None) -> None:
        """Take the result of one test."""
        self.results.append((result, reason))
        self.crash = self.crash or result["crash"]

    @property
    def requests(self) -> int:
        """How many requests the tests sent."""
        return self.also_sent + sum(int(result["requests"]) for result, _ in self.results)

    @property
    def verdicts(self) -> list[Verdict]:
        """A verdict for each clause, in the order of the register."""
        findings: dict[str, list[Finding]] = {}
        for result, _ in self.results:
            for each in result["findings"]:
                findings.setdefault(each["clause"], []).append(Finding(**each))
        return [self._verdict(clause, findings.get(clause.id, [])) for clause in self.clauses]

    @property
    def exit_code(self) -> int:
        """What the run ends with."""
        if any(verdict.name == "broken" for verdict in self.verdicts):
            return EXIT_BROKEN
        if self.crash or any(result.get("lost") for result, _ in self.results):
            return EXIT_WORTHLESS
        return EXIT_KEPT if any(result["accepted"] for result, _ in self.results) else EXIT_WORTHLESS

    def failing(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that fail a run: of chosen clauses, not of examples unless strict, not accepted before."""
        chosen = {clause.id: clause for clause in self.clauses}
        return [each for each in findings if each.clause in chosen and self._name(chosen[each.clause]) == "broken"]

    def _verdict(self, clause: Clause, findings: list[Finding]) -> Verdict:
        if findings:
            smallest = min(findings, key=lambda each: (each.requests, len(each.curl), each.curl, each.received))
            return Verdict(clause, self._name(clause), self._acceptance(clause), smallest)
        own = [(result, reason) for result, reason in self.results if result["clause"] == clause.id]
        observations = [text for result, _ in own for text in result["observations"]]
        if observations and not clause.can_break:
            return Verdict(clause, "observed", "; ".join(dict.fromkeys(observations)))
        reasons = [reason for _, reason in own if reason]
        if not own or len(reasons) == len(own):
            return Verdict(clause, "not checked", min(reasons, default="no test was run for it"))
        return Verdict(clause, "kept", "; ".join(dict.fromkeys(observations)))

    def _name(self, clause: Clause) -> Name:
        if self._acceptance(clause):
            return "accepted"
        return "warning" if clause.id == "reply.resp-success" and not self.strict else "broken"

    def _acceptance(self, clause: Clause) -> str:
        return self.baseline.acceptance(clause.id) if self.baseline else ""


def table(report: Report, width: int = 118, *, cut_short: bool = False) -> str:
    """The verdicts for people: a line for each clause, then the proof of each break.

    Of a run that was cut short, only what was checked.
    """
    lines, group = [], ""
    shown = [each for each in report.verdicts if not (cut_short and each.name == "not checked")]
    for verdict in shown:
        clause = verdict.clause
        if clause.group != group:
            group = clause.group
            lines += ["", group.upper()]
        lines += _row(verdict, width)
    for verdict in report.verdicts:
        if verdict.finding and verdict.name != "accepted":
            lines += ["", explain_finding(verdict.finding)]
    return "\n".join([*lines, "", summary(report)])


_MARKS: dict[Name, str] = {
    "kept": "ok",
    "broken": "BROKEN",
    "warning": "warning",
    "accepted": "known",
    "observed": "seen",
    "not checked": "-",
}


def _row(verdict: Verdict, width: int) -> list[str]:
    clause = verdict.clause
    source = f" ({clause.level}{': ' + ', '.join(clause.source) if clause.source else ''})"
    text = f"{clause.sentence}{source}"
    if verdict.text:
        shown = verdict.text.split("; ")
        more = f"; and {len(shown) - _MANY} more" if len(shown) > _MANY else ""
        text += f" {verdict.name}: {'; '.join(shown[:_MANY])}{more}"
    start = f"  {_MARKS[verdict.name]:8} {clause.id:26} "
    return textwrap.wrap(text, width, initial_indent=start, subsequent_indent=" " * len(start))


def summary(report: Report) -> str:
    """How many clauses got which verdict, in one line."""
    names = [verdict.name for verdict in report.verdicts]
    counts = [f"{names.count(name)} {name}" for name in _MARKS if name in names]
    return f"{len(names)} clauses: {', '.join(counts)}; {report.requests} requests"
