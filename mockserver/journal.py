"""What happened, in order: every request of a project with its reply and the reasons, bounded."""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from mockserver.conditions import instance_ids
from mockserver.filtering import FILTERED, SECRET_HEADERS, shown_body
from mockserver.model import MAX_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mockserver.model import Exchange

NO_PROJECT = ""
"""Where requests go whose path names no project."""
_OVERHEAD = 1024
"""Bytes that an entry takes beside the bodies, about."""
_BURST = 64
"""Exchanges that wait to be filed, at most."""
_LARGE = 64 * 1024
"""Bytes of a request body that is filed at once, so that what waits stays small beside the journal."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange, as the journal keeps it."""

    number: int
    """Counts the requests of a project from 1, dropped ones included."""
    exchange: Exchange
    milliseconds: float
    """The mock's own work, without the wait of a scenario."""

    @property
    def size(self) -> int:
        """Bytes, about."""
        request = self.exchange.request
        texts = (request.path, request.query, *request.headers, *request.headers.values())
        return len(request.body) + len(self.exchange.reply.body) + sum(map(len, texts)) + _OVERHEAD

    def to_json(self) -> dict[str, Any]:
        """The entry as the admin API shows it, without secrets."""
        request, reply = self.exchange.request, self.exchange.reply
        return {
            "id": request.request_id,
            "number": self.number,
            "time": request.received_at,
            "project_id": self.exchange.project_id,
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": {k: FILTERED if k in SECRET_HEADERS else v for k, v in request.headers.items()},
            "body": shown_body(request.body),
            "operation": self.exchange.operation,
            "scenario": self.exchange.scenario,
            "chosen_by": self.exchange.chosen_by,
            "accepted": self.exchange.accepted,
            "upgraded": list(self.exchange.upgraded),
            "violations": [
                {"in": v.location, "pointer": v.pointer, "rule": v.rule, "clause": v.clause}
                for v in self.exchange.violations
            ],
            "status": reply.status,
            "reply": reply.body.decode("utf-8", "replace"),
            "fault": reply.delivery.fault if reply.delivery else None,
            "wait": reply.delivery.wait if reply.delivery else 0,
            "milliseconds": round(self.milliseconds, 3),
        }

    def instance_ids(self) -> list[str]:
        """The instances that the request names: that of the path, and those of a batch in their order."""
        named = [] if self.exchange.instance_id is None else [self.exchange.instance_id]
        try:
            return [*named, *instance_ids(json.loads(self.exchange.request.body))]
        except (ValueError, RecursionError):
            return named


@dataclass(slots=True)
class _Pages:
    entries: deque[Entry] = field(default_factory=deque)
    total: int = 0
    """Requests ever seen."""


class Journal:
    """The exchanges of every project: at most `per_project` each, and `max_bytes` in all."""

    def __init__(self, *, per_project: int = 1000, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._per_project = per_project
        self._max_bytes = max_bytes
        self._bytes = 0
        self._projects: OrderedDict[str, _Pages] = OrderedDict()
        self._filled: OrderedDict[str, _Pages] = OrderedDict()
        """Those that have entries, so that making room does not search through those that have none."""
        self._lock = Lock()
        self._arrived: deque[tuple[Exchange, float]] = deque()
        """What is not filed yet: filing in bursts keeps it out of most requests, and every reader files first."""

    def add(self, exchange: Exchange, milliseconds: float) -> None:
        """Keep an exchange; the oldest go when there are too many, first those of the longest idle project."""
        self._arrived.append((exchange, milliseconds))
        if len(self._arrived) >= _BURST or exchange.request.body_size > _LARGE:
            with self._up_to_date():
                pass

    @contextmanager
    def _up_to_date(self) -> Iterator[None]:
        """Hold the lock, with everything filed that has arrived."""
        with self._lock:
            while self._arrived:
                self._file(*self._arrived.popleft())
            yield

    def _file(self, exchange: Exchange, milliseconds: float) -> None:
        project = exchange.project_id or NO_PROJECT
        pages = self._projects.get(project)
        if pages is None:
            pages = self._projects[project] = _Pages()
        self._projects.move_to_end(project)
        pages.total += 1
        entry = Entry(pages.total, exchange, milliseconds)
        pages.entries.append(entry)
        self._filled[project] = pages
        self._filled.move_to_end(project)
        self._bytes += entry.size
        if len(pages.entries) > self._per_project:
            self._drop(pages)
        while self._bytes > self._max_bytes:
            name, oldest = next(iter(self._filled.items()))
            self._drop(oldest)
            if not oldest.entries:
                del self._filled[name]
        if len(self._projects) > MAX_PROJECTS:
            name, oldest = self._projects.popitem(last=False)
            self._filled.pop(name, None)
            self._bytes -= sum(each.size for each in oldest.entries)

    def entries(self, project: str | None = None, keep: Callable[[Entry], bool] | None = None) -> list[Entry]:
        """The kept entries of a project, or of all, in order."""
        with self._up_to_date():
            chosen = [pages for name, pages in self._projects.items() if project in (None, name)]
            found = [entry for pages in chosen for entry in pages.entries]
        if project is None:
            found.sort(key=lambda entry: entry.exchange.request.received_at)
        return [entry for entry in found if keep is None or keep(entry)]

    def counts(self, project: str | None = None) -> Mapping[str, int]:
        """How many requests came, and how many of them are not kept any more."""
        with self._up_to_date():
            chosen = [pages for name, pages in self._projects.items() if project in (None, name)]
            total = sum(pages.total for pages in chosen)
            return {"total": total, "dropped": total - sum(len(pages.entries) for pages in chosen)}

    def clear(self, project: str | None = None) -> None:
        """Forget a project's entries, or everyone's."""
        with self._up_to_date():
            for name in [project] if project is not None else list(self._projects):
                pages = self._projects.pop(name, None)
                self._filled.pop(name, None)
                self._bytes -= sum(entry.size for entry in pages.entries) if pages else 0

    def discard(self, project: str, unwanted: Callable[[Entry], bool]) -> None:
        """Forget some of a project's entries."""
        with self._up_to_date():
            pages = self._projects.get(project, _Pages())
            kept = deque(entry for entry in pages.entries if not unwanted(entry))
            self._bytes -= sum(entry.size for entry in pages.entries) - sum(entry.size for entry in kept)
            pages.total -= len(pages.entries) - len(kept)
            pages.entries = kept

    def _drop(self, pages: _Pages) -> None:
        self._bytes -= pages.entries.popleft().size
