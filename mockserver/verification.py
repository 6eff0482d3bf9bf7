"""Questions about the journal: which requests match, and was an upgrade accepted exactly so often."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mockserver.journal import Entry

_MAX_SHOWN = 5
"""Requests that a message shows."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a request must be; what is None does not matter."""

    method: str | None = None
    path: str | None = None
    status: int | None = None
    scenario: str | None = None
    accepted: bool | None = None
    instance_id: str | None = None

    @classmethod
    def of(cls, document: dict[str, Any]) -> Criteria:
        """The criteria of a document that its schema has accepted."""
        return cls(**{name: document.get(name) for name in cls.__slots__})

    def holds(self, entry: Entry) -> bool:
        """Whether an entry is what the criteria ask for."""
        exchange = entry.exchange
        seen = {
            "method": exchange.request.method,
            "path": exchange.request.path,
            "status": exchange.reply.status,
            "scenario": exchange.scenario,
            "accepted": exchange.accepted,
        }
        if any(wanted not in (None, seen[name]) for name in seen for wanted in [getattr(self, name)]):
            return False
        return self.instance_id is None or self.instance_id in entry.instance_ids()


def check_upgraded(entries: Sequence[Entry], instances: Sequence[str], exactly: int = 1) -> str | None:
    """None when each instance was upgraded exactly so often; else what came instead, nearest requests first.

    An upgrade counts when the operation took place, whether or not the client learned of it.
    """
    complaints = []
    for instance_id in instances:
        found = [entry for entry in entries if instance_id in entry.exchange.upgraded]
        if len(found) != exactly:
            complaints.append(_complaint(entries, found, instance_id, exactly))
    return "\n".join(complaints) or None


def _complaint(entries: Sequence[Entry], found: Sequence[Entry], instance_id: str, exactly: int) -> str:
    lines = [f"expected {_times(exactly)} of {instance_id}, found {len(found) or 'none'}"]
    shown = found or sorted(entries, key=lambda entry: -_likeness(entry, instance_id))
    lines += [f"  {_describe(entry, instance_id)}" for entry in shown[:_MAX_SHOWN]]
    if not entries:
        lines.append("  no request came at all")
    if len(shown) > _MAX_SHOWN:
        lines.append(f"  and {len(shown) - _MAX_SHOWN} more")
    return "\n".join(lines)


def _times(count: int) -> str:
    return "exactly 1 accepted upgrade" if count == 1 else f"exactly {count} accepted upgrades"


def _describe(entry: Entry, instance_id: str) -> str:
    """One request and how it differs from an accepted upgrade of the instance."""
    exchange = entry.exchange
    line = f"#{entry.number} {exchange.request.method} {exchange.request.path} -> {exchange.reply.status}"
    ids = entry.instance_ids()
    if not exchange.accepted:
        reason = exchange.reply.body.decode("utf-8", "replace")[:200]
        is_forced = exchange.scenario not in (None, "success")
        line += f", not accepted (scenario {exchange.scenario}): {reason}" if is_forced else f", refused: {reason}"
    elif not exchange.upgraded:
        line += ", is no upgrade"
    elif exchange.scenario != "success":
        line += f", accepted under the scenario {exchange.scenario}"
    if instance_id not in ids:
        line += f", names {', '.join(ids[:_MAX_SHOWN]) or 'no instance'}{' ...' if ids[_MAX_SHOWN:] else ''}"
    return line


def _likeness(entry: Entry, instance_id: str) -> float:
    """How near a request is to the upgrade that was looked for."""
    alike = (SequenceMatcher(None, instance_id, name).ratio() for name in entry.instance_ids())
    return max(alike, default=0.0) + bool(entry.exchange.upgraded)
