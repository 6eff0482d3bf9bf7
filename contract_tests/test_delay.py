"""The encodings of delay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract_tests.calls import BATCH, DELAY, changed
from contract_tests.messages import Reply
from contract_tests.mutations import BY_CLAUSE
from contract_tests.strategies import mistaken
from contract_tests.verdicts import ACCEPTED, EITHER, REFUSED, Expectation, Problem, describe

if TYPE_CHECKING:
    from contract_tests.judge import Judge

ONE_OF_TWO = Expectation(frozenset({200, 400}), "200, or 400 with the documented error body")


@pytest.mark.parametrize(
    "clause", [pytest.param(name, marks=pytest.mark.clause(name)) for name in ("delay.present", "delay.encoding")]
)
def test_a_wrong_delay_is_refused(judge: Judge, clause: str) -> None:
    mistake = BY_CLAUSE[clause]
    for size in (1, 3):
        good = judge.calls.body(size)
        judge.expect_all(
            (judge.calls.post(mistake.apply(good, value), mistake.note(value)) for value in mistake.values), REFUSED
        )
    large = [judge.calls.body(size) for size in (11, 51, 100)]
    judge.expect_all(
        (
            judge.calls.post(mistake.apply(good, value), f"{mistake.note(value)}, {len(good[BATCH])} instances")
            for good in large
            for value in mistake.values[:4]
        ),
        REFUSED,
    )
    if clause == "delay.present":
        in_items = [{**each, DELAY: judge.calls.habits.delay} for each in large[0][BATCH]]
        judge.expect_all([judge.calls.post({BATCH: in_items}, "delay is in each item instead")], REFUSED)
        judge.expect_all([judge.calls.post({BATCH: in_items[:1]}, "delay is in the item instead")], REFUSED)
    if not judge.is_broken:
        judge.explore(lambda made: judge.expect(judge.calls.post(*made), REFUSED), mistaken(clause, judge.calls.body))


@pytest.mark.parametrize(
    ("boolean", "text"),
    [
        pytest.param(True, "true", marks=pytest.mark.clause("delay.true")),
        pytest.param(False, "false", marks=pytest.mark.clause("delay.false")),
    ],
)
def test_each_delay_is_accepted_in_an_encoding(judge: Judge, boolean: bool, text: str) -> None:  # noqa: FBT001  # the value that is sent
    judge.needs_acceptance()
    requests = [
        judge.calls.post(
            changed(judge.calls.body(size), **{DELAY: value}), f"delay is the {kind} {text}, {size} instances"
        )
        for size in (1, 2, 11)
        if judge.calls.instances(size)
        for value, kind in ((boolean, "boolean"), (text, "string"))
    ]
    outcomes = [judge.expect(request, ONE_OF_TWO) for request in requests]
    accepted = [isinstance(outcome, Reply) and outcome.status == ACCEPTED_STATUS for outcome in outcomes]
    for first in range(0, len(requests), 2):
        if not any(accepted[first : first + 2]):
            judge.add(
                Problem(judge.clause.id, "200 for the boolean or for the string", describe(outcomes[first])),
                [requests[first]],
            )
        elif accepted[first : first + 2] != accepted[:2]:
            judge.add(
                Problem(judge.clause.id, "the same encodings for every batch", describe(outcomes[first])),
                [requests[first]],
            )
    judge.observe(
        f"{text} is accepted as "
        + " and ".join(name for name, good in zip(("boolean", "string"), accepted, strict=False) if good)
    )


ACCEPTED_STATUS = next(iter(ACCEPTED.statuses))


@pytest.mark.clause("delay.case")
def test_the_case_of_a_delay_is_observed(judge: Judge) -> None:
    judge.observe_all(
        (
            judge.calls.post(changed(judge.calls.body(), **{DELAY: text}), f"delay is {text}")
            for text in ("TRUE", "True", "FALSE", "False", "tRuE")
        ),
        EITHER,
    )
