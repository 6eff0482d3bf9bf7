"""The form of replies: every call of a run is judged for it, these are calls that differ in what could matter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from contract_tests.calls import DELAY, DELAYS, changed, without
from contract_tests.clauses import CLAUSES, REFUSAL, SUCCESS
from contract_tests.mutations import MISTAKES
from contract_tests.verdicts import ACCEPTED, EITHER, Expectation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.judge import Judge
    from contract_tests.messages import Request


ANY_BUT_FAILURE = Expectation(frozenset(range(200, 500)), "no server error")
"""Which mistake gets which status is the matter of other clauses."""


def clauses_of(group: str) -> list[object]:
    return [
        pytest.param(marks=pytest.mark.clause(clause.id), id=clause.id) for clause in CLAUSES if clause.group == group
    ]


@pytest.mark.parametrize((), clauses_of(SUCCESS))
def test_every_success_has_the_documented_form(judge: Judge) -> None:
    judge.needs_acceptance(once=True)
    if judge.clause.id != "reply.status" or judge.calls.habits.is_used_up:
        return  # every reply of the run is judged; one test sends what differs
    judge.expect_all(good_calls(judge), ACCEPTED)
    for delay in DELAYS:
        judge.expect(judge.calls.post(changed(judge.calls.body(), **{DELAY: delay}), f"delay {delay!r}"), EITHER)


def good_calls(judge: Judge) -> Iterator[Request]:
    """Good calls of many kinds."""
    calls = judge.calls
    yield calls.good("a good call")
    for size in (1, 2, 7, 25, 100):
        if calls.instances(size):
            yield calls.good(f"a batch of {size}", size)
    for name, value in (
        ("Accept", "application/json"),
        ("Accept-Encoding", "identity"),
        ("User-Agent", "contract-check"),
        ("X-Request-Id", "0" * 32),
        ("X-Project-Id", calls.habits.project_id),
    ):
        yield without(calls.good(), name, (name, value), note=f"the header {name}: {value}")
    yield without(calls.good(), "Accept", note="no Accept")
    yield without(calls.good(), "Accept-Encoding", note="no Accept-Encoding")


@pytest.mark.parametrize((), clauses_of(REFUSAL))
def test_every_refusal_has_the_documented_form(judge: Judge) -> None:
    if judge.clause.id != "error.no-server-error":
        return  # every reply of the run is judged; one test sends what differs
    for mistake in MISTAKES:
        body = mistake.apply(judge.calls.body(3), mistake.values[0], 2)
        judge.expect(judge.calls.post(body, mistake.note(mistake.values[0], 2, 3)), ANY_BUT_FAILURE)
    bare = without(judge.calls.post({}), judge.calls.credentials[0][0], note="neither credentials nor a good body")
    judge.expect(bare, ANY_BUT_FAILURE)
    everything = replace(bare, target=judge.calls.path("short"), body=b"{", note="everything wrong at once")
    judge.expect(everything, ANY_BUT_FAILURE)
