"""The state behind the mock, for each project apart: uses of scenarios, rules, clock and fleet. Kept in memory."""

from __future__ import annotations

import itertools
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from mockserver.model import MAX_PROJECTS
from mockserver.project_fleet import ProjectFleet

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockserver.conditions import Asked, Only
    from mockserver.fleet import Fleet


MAX_KEPT = 200_000
"""Instances and jobs that are kept for all projects together, beside the fleet that each begins with."""


@dataclass(slots=True)
class Rule:
    """Sends matching requests of a project, or of all, to a scenario."""

    id: str
    scenario: str
    only: Only
    times: int | None
    """How many requests it is for; None: all."""
    used: int = 0


@dataclass(slots=True)
class _Project:
    uses: Counter[str] = field(default_factory=Counter)
    rules: list[Rule] = field(default_factory=list)
    clock_offset: float = 0.0
    fleet: ProjectFleet | None = None
    """None until a request needs it."""
    kept: int = 0
    """How much of the fleet counts for MAX_KEPT."""
    in_use: Lock = field(default_factory=Lock)
    """Held by the one request that works on the fleet."""


class _Loan:
    """Holds a project's fleet for a `with` block; a class, since contextlib takes twice as long, for every request."""

    __slots__ = ("_project", "_project_id", "_store")

    def __init__(self, store: Store, project_id: str, project: _Project) -> None:
        self._store, self._project_id, self._project = store, project_id, project

    def __enter__(self) -> ProjectFleet:
        """Wait until no other request has the fleet."""
        self._project.in_use.acquire()
        return self._store.begin(self._project)

    def __exit__(self, *_: object) -> None:
        """Give it back, changed or not."""
        try:
            self._store.count(self._project_id, self._project)
        finally:
            self._project.in_use.release()


class Store:
    """The state of at most 10,000 projects; the longest idle ones go. Every method is safe under threads."""

    def __init__(self, fleet: Fleet, *, seed: int = 0, max_projects: int = MAX_PROJECTS) -> None:
        """Begin every project with the same fleet."""
        self.seed = seed
        self._fleet = fleet
        self._kept = 0
        self._max_projects = max_projects
        self._projects: OrderedDict[str, _Project] = OrderedDict()
        self._rules_for_all: list[Rule] = []
        self._numbers = itertools.count(1)
        self._any_rules = False
        """Whether a rule was ever set; most mocks have none, and their requests need not look for one."""
        self._lock = Lock()

    def use(self, project_id: str, scenario: str) -> int:
        """How often the project met the scenario before; counts this time."""
        with self._lock:
            uses = self._open(project_id).uses
            uses[scenario] += 1
            return uses[scenario] - 1

    def position(self, project_id: str, scenario: str) -> int:
        """How often the project met the scenario, which is its position in a sequence."""
        with self._lock:
            return self._peek(project_id).uses[scenario]

    def set_position(self, project_id: str, scenario: str, position: int) -> None:
        """Go on as if the project had met the scenario so often."""
        with self._lock:
            self._open(project_id).uses[scenario] = position

    def add_rule(self, scenario: str, only: Only, times: int | None) -> Rule:
        """Add a rule at the end, for the project that `only` names or for all."""
        with self._lock:
            rule = Rule(f"rule-{next(self._numbers)}", scenario, only, times)
            rules = self._rules_for_all if only.project_id is None else self._open(only.project_id).rules
            rules.append(rule)
            self._any_rules = True
            return rule

    def rules(self, project_id: str | None = None) -> list[Rule]:
        """The rules that a project's requests meet, in the order in which they are tried; for None, all rules."""
        with self._lock:
            projects = self._projects.values() if project_id is None else [self._peek(project_id)]
            return [*itertools.chain.from_iterable(project.rules for project in projects), *self._rules_for_all]

    def remove_rule(self, rule_id: str) -> bool:
        """Remove a rule; False when there is none with that id."""
        with self._lock:
            for rules in [self._rules_for_all, *(project.rules for project in self._projects.values())]:
                for rule in rules:
                    if rule.id == rule_id:
                        rules.remove(rule)
                        return True
        return False

    def take_rule(self, asked: Asked, is_for: Callable[[str], bool]) -> str | None:
        """The scenario of the first rule for a request; counts the rule as used.

        `is_for` tells whether a scenario is for the request: one that passes it over does not use a rule up.
        The identity service meets only rules that name one of its operations: whoever lets an upgrade fail does not
        mean the look-ups before it.
        """
        if not self._any_rules:
            return None
        with self._lock:
            if asked.project_id in self._projects:
                self._projects.move_to_end(asked.project_id)
            for rule in [*self._peek(asked.project_id).rules, *self._rules_for_all]:
                if asked.is_identity and not rule.only.operations:
                    continue
                is_left = rule.times is None or rule.used < rule.times
                if is_left and rule.only.holds(asked) and is_for(rule.scenario):
                    rule.used += 1
                    return rule.scenario
        return None

    def project_time(self, project_id: str, wall: float) -> float:
        """The project's time for a wall-clock time, both Unix seconds."""
        project = self._projects.get(project_id)
        return wall + project.clock_offset if project else wall

    def move_clock(self, project_id: str, offset: float) -> None:
        """Let the project's clock differ from the wall clock by `offset` seconds."""
        with self._lock:
            self._open(project_id).clock_offset = offset

    def fleet(self, project_id: str) -> _Loan:
        """A project's fleet, for one request at a time: what it reads stays so until it has made its changes."""
        with self._lock:
            project = self._open(project_id)
        return _Loan(self, project_id, project)

    def begin(self, project: _Project) -> ProjectFleet:
        """The fleet of a project, the one of the start when it has none yet."""
        if project.fleet is None:
            project.fleet = ProjectFleet(self._fleet)
        return project.fleet

    def count(self, project_id: str, project: _Project) -> None:
        """Count what a fleet keeps; when it is too much, the longest idle other projects begin anew."""
        size = project.fleet.size if project.fleet else 0
        if size == project.kept:
            return
        with self._lock:
            if self._projects.get(project_id) is not project:
                return  # it has gone meanwhile, and what it counted for with it
            self._kept += size - project.kept
            project.kept = size
            if self._kept <= MAX_KEPT:
                return
            for other in self._projects.values():
                if other.kept and other.in_use.acquire(blocking=False):
                    self._kept -= other.kept
                    other.fleet, other.kept = None, 0
                    other.in_use.release()
                if self._kept <= MAX_KEPT:
                    return

    def clear_rules(self, project_id: str | None = None) -> None:
        """Remove a project's rules; for None, every rule."""
        with self._lock:
            for project in self._some(project_id):
                project.rules.clear()
            if project_id is None:
                self._rules_for_all.clear()

    def clear_state(self, project_id: str | None = None) -> None:
        """Forget a project's uses of scenarios and its fleet, and set its clock right; for None, everyone's."""
        with self._lock:
            projects = self._some(project_id)
            for project in projects:
                project.uses.clear()
                project.clock_offset = 0.0
        for project in projects:
            with project.in_use, self._lock:
                self._kept -= project.kept
                project.fleet, project.kept = None, 0

    def _some(self, project_id: str | None) -> list[_Project]:
        return list(self._projects.values()) if project_id is None else [self._peek(project_id)]

    def _peek(self, project_id: str) -> _Project:
        return self._projects.get(project_id) or _Project()

    def _open(self, project_id: str) -> _Project:
        project = self._projects.get(project_id)
        if project is not None:
            self._projects.move_to_end(project_id)
            return project
        project = self._projects[project_id] = _Project()
        if len(self._projects) > self._max_projects:
            _, idle = self._projects.popitem(last=False)
            self._kept -= idle.kept
            idle.kept = 0  # whoever still holds it must not give it back a second time
        return project
