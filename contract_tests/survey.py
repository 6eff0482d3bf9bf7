"""What a target is like: which good call it takes, and what it does where the contract leaves a choice."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from contract_tests import documents
from contract_tests.calls import DELAY, DELAYS, ID, KERNEL, VERSION, Calls, Habits, changed, made_up_id, made_up_project
from contract_tests.messages import NoReply, Outcome, Reply, Request
from contract_tests.options import Instance
from contract_tests.target import TOO_MANY, TargetLost
from contract_tests.verdicts import ACCEPTED, PROJECT_REFUSED, describe, problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.options import Options
    from contract_tests.target import Target

NOT_FOUND = PROJECT_REFUSED
"""What another path gets, with a body to look at."""
_SLOW = 0.008
"""Seconds for a reply, from which on it pays to have several connections."""
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

    @property
    def refusal(self) -> str:
        """What the first good call got, in words."""
        return describe(self.exchanges[0][1])


def survey(target: Target, options: Options) -> Survey:
    """Look for a good call; raises Unreachable and CredentialsRefused.

    Where nothing may be upgraded unasked, nothing is looked for: calls are built from what the options name.
    """
    if options.is_safe and not options.allow_upgrades:
        return Survey(_calls(target, options, next(_candidates(options))), accepts=False, exchanges=())
    exchanges: list[tuple[Request, Outcome]] = []
    for habits in _candidates(options):
        calls = _calls(target, options, habits)
        request = calls.good("a good call")
        outcome = target.exchange(request)
        if isinstance(outcome, NoReply) and outcome.kind == "refused":
            raise Unreachable(f"{target.url} cannot be reached: {outcome.detail}")
        exchanges.append((request, outcome))
        if isinstance(outcome, Reply) and 200 <= outcome.status < 300:  # noqa: PLR2004  # the class of successes
            with contextlib.suppress(TargetLost):  # the tests say so
                calls = _look_further(target, options, calls, exchanges)
                target.is_slow = not options.rate and _is_slow(target, request)
            return Survey(calls, accepts=True, exchanges=tuple(exchanges))
        if isinstance(outcome, NoReply) or outcome.status >= 500 or outcome.status == TOO_MANY:  # noqa: PLR2004  # the class of server errors
            break
    statuses = {outcome.status for _, outcome in exchanges if isinstance(outcome, Reply)}
    if statuses and statuses <= {401, 403}:
        refusal = target.filtered(describe(exchanges[0][1]))
        raise CredentialsRefused(f"every good call was refused: {refusal}")
    return Survey(_calls(target, options, next(_candidates(options))), accepts=False, exchanges=tuple(exchanges))


def _candidates(options: Options) -> Iterator[Habits]:
    """Good calls to try: made-up projects and instances first, then those of the documented example."""
    projects = [options.project_id] if options.project_id else [made_up_project(0, 0), documents.example_project()]
    made_up = Instance(made_up_id(options.seed, 0, safe=options.is_safe), KERNEL)
    instances = (
        [options.instances] if options.instances else [(made_up,)] if options.is_safe else [(made_up,), (EXAMPLE,)]
    )
    delays = (True, "true", False, "false") if options.is_safe else DELAYS
    for delay, project_id, known in product(delays, projects, instances):
        yield Habits(
            project_id, (delay,), known, takes_any_instance=not options.instances, refuses_projects_with=frozenset()
        )


def _calls(target: Target, options: Options, habits: Habits) -> Calls:
    return Calls(target.base, target.credentials, habits, seed=options.seed, safe=options.is_safe)


def _look_further(target: Target, options: Options, calls: Calls, exchanges: list[tuple[Request, Outcome]]) -> Calls:
    """The same calls, with what the target does to other instances and other projects; adds to the exchanges."""
    habits = calls.habits
    if options.is_safe:
        return _calls(target, options, replace(habits, takes_any_instance=False))
    stranger = replace(habits, known=(calls.made_up(1),))
    takes_any = not _twice(target, _calls(target, options, stranger).good("another instance"), exchanges) <= {400, 404}
    nowhere = target.exchange(replace(calls.good("an unknown path"), target=f"{target.base}/v3/nowhere"))
    elsewhere = replace(habits, project_id=made_up_project(options.seed, 1))
    statuses = _twice(target, _calls(target, options, elsewhere).good("another project"), exchanges)
    refuses = frozenset(filter(None, statuses)) if statuses <= {401, 403, 404} else frozenset()
    found = replace(
        habits,
        takes_any_instance=takes_any,
        refuses_projects_with=refuses,
        delays=_delays(target, calls, exchanges),
        documents_404=not any(problem.clause.startswith("error.") for problem in problems(nowhere, NOT_FOUND, "")),
    )
    return _calls(target, options, found)


def _delays(target: Target, calls: Calls, exchanges: list[tuple[Request, Outcome]]) -> tuple[object, ...]:
    """The values of delay that are taken, first the one that is known to be."""
    taken = [calls.habits.delay]
    for delay in DELAYS:
        if delay is not calls.habits.delay:
            request = calls.post(changed(calls.body(), **{DELAY: delay}), f"delay {json.dumps(delay)}")
            outcome = target.exchange(request)
            exchanges.append((request, outcome))
            if isinstance(outcome, Reply) and outcome.status in ACCEPTED.statuses:
                taken.append(delay)
    return tuple(taken)


def _is_slow(target: Target, request: Request) -> bool:
    """Whether the target answers late, but several calls together nearly as fast as one."""
    one = min(_seconds(lambda: target.exchange(request)) for _ in range(2))
    return one > _SLOW and _seconds(lambda: target.at_once([request] * 4)) < 2 * one


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _twice(target: Target, request: Request, exchanges: list[tuple[Request, Outcome]]) -> set[int | None]:
    """What a call gets, asked twice: what is refused once only is no habit."""
    outcomes = [target.exchange(request), target.exchange(request)]
    exchanges += [(request, outcome) for outcome in outcomes]
    return {outcome.status if isinstance(outcome, Reply) else None for outcome in outcomes}
