"""Calls to the operation: good ones for this target, and the same with one thing changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from contract_tests import documents
from contract_tests.guard import impossible_id
from contract_tests.messages import Header, Request
from contract_tests.options import Instance

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCH, DELAY, VERSION, ID = "databases_instance_infos", "delay", "current_version", "instance_id"
KERNEL = "2.0.48.231200"
"""The version of the documented example."""
DELAYS: tuple[object, ...] = (False, "false", True, "true")
CONTENT_TYPE: Header = ("Content-Type", "application/json")
_COMMON: tuple[Header, ...] = (("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate"))
"""As the official Python SDK sends them."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What the target takes, where the contract leaves a choice; found out by the survey."""

    project_id: str
    delays: tuple[object, ...]
    """The values of `delay` that it takes, the first for calls where another would not matter."""
    known: tuple[Instance, ...]
    """The instances that it takes, first those named with --instance."""
    takes_any_instance: bool
    """Whether made-up instances are accepted too."""
    refuses_projects_with: frozenset[int]
    """How it refuses well-formed projects of others; empty when it serves every project."""
    documents_404: bool = True
    """Whether its 404 for paths that it does not know has the documented form; else it is that of a framework."""
    upgrades_once: bool = False
    """Whether it refuses an instance that it has upgraded."""
    series: str = ""
    """Tells the made-up instances from those of former runs, where these are used up."""

    @property
    def delay(self) -> object:
        """A value of `delay` that it takes."""
        return self.delays[0]

    @property
    def is_used_up(self) -> bool:
        """Whether no further call can be accepted: the survey has upgraded what can be upgraded."""
        return self.upgrades_once and not self.takes_any_instance


class Calls:
    """Builds requests for one target."""

    def __init__(self, base: str, credentials: tuple[Header, ...], habits: Habits, *, seed: int, safe: bool) -> None:
        self.habits = habits
        self.credentials = credentials
        self._base, self._seed, self._safe = base, seed, safe

    def path(self, project_id: str | None = None) -> str:
        """The documented path for a project."""
        return self._base + documents.path().replace("{project_id}", project_id or self.habits.project_id)

    def instances(self, count: int) -> list[Instance] | None:
        """Distinct instances that the target takes; None when it does not take so many."""
        known = list(self.habits.known[:count])
        if len(known) == count:
            return known
        if not self.habits.takes_any_instance:
            return None
        return known + [self.made_up(number) for number in range(count - len(known))]

    def made_up(self, number: int) -> Instance:
        """An instance that nobody has: of the real form for a target on this machine, else of an impossible one."""
        series = f"{self._seed} {self.habits.project_id}{self.habits.series}"
        return Instance(made_up_id(series, number, safe=self._safe), KERNEL)

    def body(self, count: int = 1, variant: int = 0) -> dict[str, Any]:
        """A good body with so many distinct instances, made-up ones where the known do not suffice.

        Variants differ in their delay.
        """
        delay = self.habits.delays[variant % len(self.habits.delays)]
        known = list(self.habits.known[:count])
        chosen = known + [self.made_up(number) for number in range(count - len(known))]
        return {BATCH: [item(each) for each in chosen], DELAY: delay}

    def varied(self, count: int) -> dict[str, Any]:
        """A good body whose delay depends on its size."""
        return self.body(count, count)

    def good(self, note: str = "", count: int = 1) -> Request:
        """A call that must be accepted."""
        return self.post(self.body(count), note)

    def post(self, body: object, note: str = "", *, headers: tuple[Header, ...] = ()) -> Request:
        """A call with a body: bytes as they are, other values as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Request("POST", self.path(), (*_COMMON, CONTENT_TYPE, *self.credentials, *headers), content, note)


def item(instance: Instance) -> dict[str, Any]:
    """An item of a batch."""
    return {VERSION: instance.version, ID: instance.id}


def changed(body: Mapping[str, Any], **values: object) -> dict[str, Any]:
    """A body with other values of its properties."""
    return {**body, **values}


def without(request: Request, header: str, *instead: Header, note: str = "") -> Request:
    """The request without a header, or with others in its place."""
    kept = tuple(each for each in request.headers if each[0].lower() != header.lower())
    return replace(request, headers=(*kept, *instead), note=note or request.note)


def made_up_id(series: str, number: int, *, safe: bool) -> str:
    """An instance id by its number in a series."""
    return impossible_id(number) if safe else _hexadecimal(f"{series} instance {number}") + "in07"


def made_up_project(seed: int, number: int) -> str:
    """A project id by its number, of the real form."""
    return _hexadecimal(f"{seed} project {number}")


@lru_cache(maxsize=4096)
def _hexadecimal(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]
