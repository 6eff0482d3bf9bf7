"""No call depends on another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from contract_tests.calls import BATCH, DELAY, VERSION, changed, item, without
from contract_tests.messages import Reply
from contract_tests.mutations import MISTAKES
from contract_tests.verdicts import (
    ACCEPTED,
    CREDENTIALS_REFUSED,
    EITHER_MEDIA_TYPE,
    INSTANCE_REFUSED,
    NOT_HERE,
    PROJECT_REFUSED,
    REFUSED,
    Expectation,
    Problem,
    describe,
)

if TYPE_CHECKING:
    from contract_tests.judge import Judge
    from contract_tests.messages import Outcome, Request

AGAIN = Expectation(ACCEPTED.statuses | INSTANCE_REFUSED.statuses, f"200, or {INSTANCE_REFUSED.sentence}")
"""What a second upgrade of an instance may get."""
TIMES = 30
AT_ONCE = 8
LATER = "2.0.60.241200"
ROUNDS = {"quick": 3, "standard": 8, "thorough": 24}


@pytest.mark.clause("independence.repeat")
def test_a_good_call_gets_the_same_answer_after_many_others(judge: Judge) -> None:
    judge.needs_acceptance()
    good = judge.calls.good("one good call after the other")
    for number in range(TIMES):
        if not judge.is_broken:
            judge.expect(good, ACCEPTED, before=[good] * number)


@pytest.mark.clause("independence.repeat")
def test_the_first_calls_of_a_run_got_the_same_answer(judge: Judge) -> None:
    """The calls that found out what the target takes were sent twice."""
    judge.needs_acceptance()
    first: dict[Request, Outcome] = {}
    for request, outcome in judge.survey.exchanges:
        before = first.setdefault(request, outcome)
        if _status(before) != _status(outcome):
            received = f"first {describe(before)}, then {describe(outcome)}"
            judge.add(Problem(judge.clause.id, "the same answer twice", received), [request, request])


def _status(outcome: Outcome) -> int | str:
    return outcome.status if isinstance(outcome, Reply) else outcome.kind


@pytest.mark.clause("independence.same-instance")
def test_what_an_instance_gets_again_is_observed(judge: Judge) -> None:
    judge.needs_acceptance(once=True)
    for request, outcome in judge.survey.again:
        judge.judge([replace(request, instances="new"), replace(request, instances="same")], outcome, AGAIN)
        judge.observe(f"{request.note}: {_status(outcome)}")
    calls = judge.calls
    if calls.habits.is_used_up:
        return
    good, body = calls.good(), calls.body()
    other = item(calls.made_up(1))
    again = [
        calls.post(changed(body, **{DELAY: calls.habits.delays[-1]}), "with another delay"),
        calls.post(changed(body, **{BATCH: [{**body[BATCH][0], VERSION: LATER}]}), "with a later version"),
        calls.post(changed(body, **{BATCH: [*body[BATCH], other]}), "with another instance"),
    ]
    judge.send(good)
    judge.observe_all((replace(each, instances="same") for each in again), AGAIN, before=[good])
    alone = calls.post(changed(body, **{BATCH: [other]}), "that other instance")
    before = [good, replace(again[-1], instances="same")]
    judge.observe_all([replace(alone, instances="same")], AGAIN, before=before)


def bad_calls(judge: Judge) -> list[tuple[Request, Expectation]]:
    """One call of each kind that is refused."""
    calls = judge.calls
    good = calls.good()
    bad = [
        (calls.post(mistake.apply(calls.body(2), mistake.values[0], 1), mistake.note(mistake.values[0], 1, 2)), REFUSED)
        for mistake in MISTAKES
    ]
    one = [
        (calls.post(mistake.apply(calls.body(), mistake.values[0]), mistake.note(mistake.values[0])), REFUSED)
        for mistake in MISTAKES
        if mistake.is_in_item
    ]
    project = PROJECT_REFUSED.also(*sorted(calls.habits.refuses_projects_with))
    no_json = without(good, "Content-Type", ("Content-Type", "text/plain"), note="another media type")
    return [
        (without(good, calls.credentials[0][0], note="no credentials"), CREDENTIALS_REFUSED),
        (replace(good, target=calls.path(calls.habits.project_id[1:]), note="a short project id"), project),
        (calls.post(b"{", "a cut body"), REFUSED),
        *bad,
        *one,
        (no_json, EITHER_MEDIA_TYPE),
        (calls.post(b"", "an empty body"), REFUSED),
        (calls.post(b"\xff", "bytes that are no text"), REFUSED),
        (calls.post({}, "an empty object"), REFUSED),
        (replace(good, method="PUT", note="the method PUT"), NOT_HERE),
        (replace(good, target=good.target + "s", note="another path"), NOT_HERE),
        (replace(good, target="/", note="the path /"), NOT_HERE),
        (
            replace(
                without(good, calls.credentials[0][0]),
                body=calls.good("", 100).body,
                note="no credentials and a large body",
            ),
            CREDENTIALS_REFUSED,
        ),
    ]


@pytest.mark.clause("independence.after-refusal")
@pytest.mark.parametrize("fresh", [False, True], ids=["kept-connection", "fresh-connections"])
def test_a_good_call_is_accepted_after_each_kind_of_bad_one(judge: Judge, fresh: bool) -> None:  # noqa: FBT001  # a parameter of the test
    judge.needs_acceptance()
    good = judge.calls.good("a good call after a bad one")
    for bad, _ in chosen(judge, bad_calls(judge), fresh=fresh):
        if judge.is_broken:
            return
        is_refused = _status(judge.send(bad, fresh=fresh)) in range(400, 500)
        note = f"a good call after one with {bad.note}"
        after = replace(good, note=note, instances="same" if is_refused else "new")
        judge.expect(after, ACCEPTED, fresh=fresh, before=[bad], unless=good)
        more = replace(good, note=f"{after.note}, once more")
        judge.expect(more, ACCEPTED, fresh=fresh, before=[bad, after], unless=good)


@pytest.mark.clause("independence.after-success")
@pytest.mark.parametrize("fresh", [False, True], ids=["kept-connection", "fresh-connections"])
def test_a_bad_call_is_refused_after_a_good_one(judge: Judge, fresh: bool) -> None:  # noqa: FBT001  # a parameter of the test
    judge.needs_acceptance()
    good = judge.calls.good("a good call before a bad one")
    for bad, expectation in chosen(judge, [*bad_calls(judge), *alike(judge)], fresh=fresh):
        if judge.is_broken:
            return
        judge.send(good, fresh=fresh)
        after = replace(bad, note=f"{bad.note}, after a good call")
        judge.expect(replace(after, instances="same"), expectation, fresh=fresh, before=[good], unless=bad)
        if judge.calls.habits.upgrades_once:  # who has upgraded an instance may not look at the rest
            judge.expect(after, expectation, fresh=fresh, before=[good], unless=bad)


def chosen(judge: Judge, calls: list[tuple[Request, Expectation]], *, fresh: bool) -> list[tuple[Request, Expectation]]:
    """Calls that must be sent one after another: fewer to a target that takes its time, half of them in a quick run."""
    if judge.target.is_slow:
        return calls[::3]
    return calls[int(fresh) :: 2] if judge.options.is_quick else calls


def alike(judge: Judge) -> list[tuple[Request, Expectation]]:
    """Bad calls that are as long as the good one, or begin or end like it."""
    good = judge.calls.good()
    length = len(good.body)
    bodies = {
        "other bytes of the same number": b"x" * length,
        "an object of the same length": b'{"a":"%s"}' % (b"x" * (length - 8)),
        "the same beginning": good.body[:-1] + b" ",
        "the same end": b" " + good.body[1:],
        "a delay of the same length": good.body.replace(b"false", b"falsy").replace(b"true", b"trug"),
        "a name of the same length": good.body.replace(DELAY.encode(), DELAY[:-1].encode() + b"s"),
        "a batch name of the same length": good.body.replace(BATCH.encode(), BATCH[:-1].encode() + b"z"),
    }
    return [(judge.calls.post(body, note), REFUSED) for note, body in bodies.items()]


@pytest.mark.clause("independence.connections")
def test_kept_and_fresh_connections_make_no_difference(judge: Judge) -> None:
    judge.needs_acceptance()
    good = judge.calls.good()
    for number in range(5):
        judge.expect(replace(good, note=f"fresh connection {number + 1}"), ACCEPTED, fresh=True)
    for number in range(10):
        judge.expect(
            replace(good, note=f"call {number + 1} on one connection"),
            ACCEPTED,
            fresh=number == 0,
            before=[good] * number,
        )
    closing = judge.calls.post(judge.calls.body(), "Connection: close", headers=(("Connection", "close"),))
    for _ in range(3):
        judge.expect(closing, ACCEPTED)
    judge.expect(replace(good, note="after Connection: close"), ACCEPTED)


@pytest.mark.clause("independence.parallel")
def test_calls_at_the_same_moment_do_not_meet(judge: Judge) -> None:
    judge.needs_acceptance()
    good = [
        (judge.calls.good(f"a batch of {size}", size), ACCEPTED) for size in (1, 2, 3, 4) if judge.calls.instances(size)
    ]
    bad = bad_calls(judge)
    close = ("Connection", "close")
    for number in range(ROUNDS[judge.options.profile]):
        if judge.is_broken:
            return
        refused = [bad[(number * AT_ONCE // 2 + offset) % len(bad)] for offset in range(AT_ONCE // 2)]
        mixed = [pair for offset in range(AT_ONCE // 2) for pair in (good[offset % len(good)], refused[offset])]
        requests = [replace(request, headers=(*request.headers, close)) for request, _ in mixed]
        judge.expect_at_once(requests, [expectation for _, expectation in mixed])
