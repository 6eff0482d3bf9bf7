"""What a target is like: which good call it takes, and what it does where the contract leaves a choice."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

from contract_tests import documents
from contract_tests.calls import DELAY, DELAYS, ID, VERSION, Calls, Habits, changed, made_up_project
from contract_tests.messages import NoReply, Outcome, Reply, Request
from contract_tests.options import Instance
from contract_tests.target import TOO_MANY, TargetLost
from contract_tests.verdicts import ACCEPTED, INSTANCE_REFUSED, PROJECT_REFUSED, describe, problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.options import Options
    from contract_tests.target import Target

NOT_FOUND = PROJECT_REFUSED
"""What another path gets, with a body to look at."""
_SLOW = 0.008
"""Seconds for a reply, from which on it pays to have several connections."""
_SUCCESSES = range(200, 300)
EXAMPLE = Instance(documents.example_item()[ID], documents.example_item()[VERSION])
"""The instance of the documented example."""


class Unreachable(Exception):  # noqa: N818  # says what happened
    """Nothing listens there."""


class CredentialsRefused(Exception):  # noqa: N818  # says what happened
    """Every good call was refused for who sent it."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The result: calls for this target, and every exchange that led to them."""

    calls: Calls
    accepts: bool
    """Whether any good call was answered with 200."""
    exchanges: tuple[tuple[Request, Outcome], ...]
    again: tuple[tuple[Request, Outcome], ...] = ()
    """The first call that was accepted, sent again for the same instance."""

    @property
    def refusal(self) -> str:
        """What the first good call got, in words."""
        return describe(self.exchanges[0][1])


def survey(target: Target, options: Options) -> Survey:
    """Look for a good call; raises Unreachable and CredentialsRefused.

    Where nothing may be upgraded unasked, nothing is looked for: calls are built from what the options name.
    """
    asker = _Asker(target, options)
    if options.is_safe and not options.allow_upgrades:
        return Survey(asker.calls(next(asker.candidates())), accepts=False, exchanges=())
    habits = asker.good_call()
    if habits is None:
        if asker.statuses and asker.statuses <= {401, 403}:
            refusal = target.filtered(describe(asker.exchanges[0][1]))
            raise CredentialsRefused(f"every good call was refused: {refusal}")
        # Named instances that are refused may be used up.
        habits = replace(next(asker.candidates()), upgrades_once=bool(options.instances))
        return Survey(asker.calls(habits), accepts=False, exchanges=tuple(asker.exchanges))
    with contextlib.suppress(TargetLost):  # the tests say so
        habits = asker.instances(habits)
        if not options.is_safe:
            habits = asker.surroundings(habits)
            target.is_slow = not options.rate and _is_slow(target, asker.calls(habits).good("a good call"))
    return Survey(asker.calls(habits), accepts=True, exchanges=tuple(asker.exchanges), again=tuple(asker.again))


@dataclass
class _Asker:
    """Asks one thing after the other, and keeps every exchange."""

    target: Target
    options: Options
    exchanges: list[tuple[Request, Outcome]] = field(default_factory=list)
    again: list[tuple[Request, Outcome]] = field(default_factory=list)

    @property
    def statuses(self) -> set[int]:
        """Of every reply."""
        return {outcome.status for _, outcome in self.exchanges if isinstance(outcome, Reply)}

    def calls(self, habits: Habits) -> Calls:
        """Calls of some habits."""
        target, options = self.target, self.options
        return Calls(target.base, target.credentials, habits, seed=options.seed, safe=options.is_safe)

    def ask(self, request: Request) -> Outcome:
        """What a call gets."""
        outcome = self.target.exchange(request)
        self.exchanges.append((request, outcome))
        return outcome

    def twice(self, request: Request) -> set[int | None]:
        """What a call gets, asked twice: what is refused once only is no habit."""
        return {_status(self.ask(request)), _status(self.ask(request))}

    def candidates(self) -> Iterator[Habits]:
        """Good calls to try: named instances first, then made-up projects and instances, and the documented example's.

        Former runs may have upgraded them all, so the last are for instances that nobody can have upgraded.
        """
        if self.options.instances or self.options.is_safe:
            yield from self._forms(self.options.instances)
        if self.options.is_safe:
            return
        for habits in self._forms():
            yield habits
            yield replace(habits, known=(EXAMPLE,))
        if self.statuses <= INSTANCE_REFUSED.statuses:
            series = _unused_series()
            yield from (replace(habits, series=series) for habits in self._forms())

    def _forms(self, known: tuple[Instance, ...] = ()) -> Iterator[Habits]:
        """Every delay in every project."""
        options = self.options
        projects = [options.project_id] if options.project_id else [made_up_project(0, 0), documents.example_project()]
        delays = (True, "true", False, "false") if options.is_safe else DELAYS
        for delay, project_id in product(delays, projects):
            yield Habits(project_id, (delay,), known, takes_any_instance=not known, refuses_projects_with=frozenset())

    def good_call(self) -> Habits | None:
        """What the first good call that is accepted takes for granted."""
        for habits in self.candidates():
            outcome = self.ask(self._first_call(habits))
            if isinstance(outcome, NoReply) and outcome.kind == "refused":
                raise Unreachable(f"{self.target.url} cannot be reached: {outcome.detail}")
            if isinstance(outcome, Reply) and outcome.status in _SUCCESSES:
                return habits
            if isinstance(outcome, NoReply) or outcome.status >= 500 or outcome.status == TOO_MANY:  # noqa: PLR2004  # the class of server errors
                break
        return None

    def instances(self, habits: Habits) -> Habits:
        """What the target does to other instances, and to one again, found out after a call that was accepted."""
        stranger = replace(habits, known=(self.calls(habits).made_up(1),))
        others = set() if self.options.is_safe else self.twice(self.calls(stranger).good("another instance"))
        again = replace(self._first_call(habits), note="the same instance again")
        self.again += [(again, self.target.exchange(again)) for _ in range(2)]
        repeated = {_status(outcome) for _, outcome in self.again}
        takes_any = not self.options.is_safe and (not habits.known or not others <= INSTANCE_REFUSED.statuses)
        is_refused = not repeated <= set(_SUCCESSES)
        if is_refused and habits.known and (takes_any or others & repeated):
            unused = self._unused(habits)
            takes_any, habits = unused is not None, unused or habits
        is_used_up = repeated.isdisjoint(_SUCCESSES)  # what is refused once only may be a flip
        return replace(habits, takes_any_instance=takes_any, upgrades_once=is_refused if takes_any else is_used_up)

    def _unused(self, habits: Habits) -> Habits | None:
        """The same for made-up instances that no former run has upgraded; None where made-up ones are not taken."""
        for series in ("", _unused_series()):
            unused = replace(habits, known=(), series=series)
            if _status(self.ask(self._first_call(unused))) in _SUCCESSES:
                return unused
        return None

    def _first_call(self, habits: Habits) -> Request:
        """A good call for the first instance of a series: where it is refused, so may be any other of the series."""
        return replace(self.calls(habits).good("a good call"), instances="as written")

    def surroundings(self, habits: Habits) -> Habits:
        """What the target does to other paths, projects and delays."""
        calls = self.calls(habits)
        nowhere = self.target.exchange(replace(calls.good("an unknown path"), target=f"{self.target.base}/v3/nowhere"))
        elsewhere = calls.path(made_up_project(self.options.seed, 1))
        statuses = self.twice(replace(calls.good("another project"), target=elsewhere))
        return replace(
            habits,
            refuses_projects_with=frozenset(filter(None, statuses)) if statuses <= {401, 403, 404} else frozenset(),
            delays=self._delays(calls),
            documents_404=not any(problem.clause.startswith("error.") for problem in problems(nowhere, NOT_FOUND, "")),
        )

    def _delays(self, calls: Calls) -> tuple[object, ...]:
        """The values of delay that are taken, first the one that is known to be."""
        taken = [calls.habits.delay]
        for delay in DELAYS:
            if delay is not calls.habits.delay:
                outcome = self.ask(calls.post(changed(calls.body(), **{DELAY: delay}), f"delay {json.dumps(delay)}"))
                if isinstance(outcome, Reply) and outcome.status in ACCEPTED.statuses:
                    taken.append(delay)
        return tuple(taken)


def _status(outcome: Outcome) -> int | None:
    return outcome.status if isinstance(outcome, Reply) else None


def _unused_series() -> str:
    """By chance: runs that depended on nothing but their seed would need as many tries as there were runs before."""
    return secrets.token_hex(8)


def _is_slow(target: Target, request: Request) -> bool:
    """Whether the target answers late, but several calls together nearly as fast as one."""
    one = min(_seconds(lambda: target.exchange(request)) for _ in range(2))
    return one > _SLOW and _seconds(lambda: target.at_once([request] * 4)) < 2 * one


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
