"""The proof that a clause is broken, as a value and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract_tests.clauses import BY_ID

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Finding:
    """The proof that a clause is broken."""

    clause: str
    case: str
    """What was special about the request."""
    expected: str
    received: str
    curl: str
    requests: int
    """How many requests it takes, one after another or at once."""


class ContractBroken(AssertionError):  # noqa: N818  # says what happened
    """A test's findings, as pytest shows them."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        super().__init__("\n\n".join(map(explain_finding, findings)))


def explain_finding(finding: Finding) -> str:
    """A finding in words, with the line that shows it again."""
    clause = BY_ID[finding.clause]
    return (
        f"{clause.id} is broken: {clause.sentence} ({clause.level}; {', '.join(clause.source)})\n"
        f"  sent      {finding.case}\n"
        f"  expected  {finding.expected}\n"
        f"  received  {finding.received}\n"
        f"  again     {finding.curl}"
    )
