"""The body and its batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract_tests.calls import BATCH, changed, item
from contract_tests.mutations import BY_CLAUSE
from contract_tests.strategies import mistaken, sizes
from contract_tests.verdicts import ACCEPTED, EITHER, REFUSED

if TYPE_CHECKING:
    from contract_tests.judge import Judge

SIZES = (2, 3, 5, 10, 11, 12, 20, 50, 51, 64, 99, 100)


@pytest.mark.parametrize(
    "clause",
    [pytest.param(name, marks=pytest.mark.clause(name)) for name in ("body.object", "batch.present", "batch.array")],
)
def test_a_body_of_another_shape_is_refused(judge: Judge, clause: str) -> None:
    mistake = BY_CLAUSE[clause]
    for size in (1, 2):
        good = judge.calls.body(size)
        requests = (judge.calls.post(mistake.apply(good, value), mistake.note(value)) for value in mistake.values)
        judge.expect_all(requests, REFUSED)
    if not judge.is_broken:
        judge.explore(lambda made: judge.expect(judge.calls.post(*made), REFUSED), mistaken(clause, judge.calls.varied))


@pytest.mark.clause("batch.present")
def test_a_body_of_nothing_that_counts_is_refused(judge: Judge) -> None:
    for body in ({}, {"further": 1}, {"body": judge.calls.body()}):
        judge.expect_all([judge.calls.post(body, f"an object with {', '.join(body) or 'no properties'}")], REFUSED)


@pytest.mark.clause("batch.sizes")
def test_batches_of_many_sizes_are_accepted(judge: Judge) -> None:
    judge.needs_acceptance()
    if judge.calls.instances(2) is None:
        judge.not_checked("the target takes known instances only; name two or more with --instance ID=VERSION")
    fitting = [size for size in SIZES if judge.calls.instances(size)]
    judge.expect_all((judge.calls.good(f"a batch of {size}", size) for size in fitting), ACCEPTED)
    if not judge.is_broken:
        judge.explore(
            lambda size: judge.expect(judge.calls.good(f"a batch of {size}", size), ACCEPTED),
            sizes().filter(lambda size: judge.calls.instances(size) is not None),
        )


@pytest.mark.clause("batch.minimum")
def test_an_empty_batch_is_observed(judge: Judge) -> None:
    judge.observe_all([judge.calls.post(changed(judge.calls.body(), **{BATCH: []}), "an empty array")], EITHER)


@pytest.mark.clause("batch.maximum")
def test_large_batches_are_observed(judge: Judge) -> None:
    judge.observe_all((judge.calls.good(f"a batch of {size}", size) for size in (101, 1000)), EITHER)


@pytest.mark.clause("batch.duplicates")
def test_an_instance_twice_is_observed(judge: Judge) -> None:
    twice = judge.calls.body()[BATCH] * 2
    judge.observe_all(
        [judge.calls.post(changed(judge.calls.body(), **{BATCH: twice}), "the same instance twice")], EITHER
    )


@pytest.mark.clause("body.unknown-keys")
def test_unknown_properties_are_observed(judge: Judge) -> None:
    good = judge.calls.body()
    first = good[BATCH][0]
    bodies = {
        "an unknown property": changed(good, further="text"),
        "an unknown property that is an object": changed(good, further={"a": [1]}),
        "an unknown property that is null": changed(good, further=None),
        "an unknown property in an item": changed(good, **{BATCH: [{**first, "further": 1}]}),
        "the item's properties beside the batch": {**good, **item(judge.calls.made_up(3))},
    }
    judge.observe_all((judge.calls.post(body, note) for note, body in bodies.items()), EITHER)


@pytest.mark.clause("body.large")
def test_large_bodies_are_observed(judge: Judge) -> None:
    judge.observe_all(
        [
            judge.calls.post(
                changed(judge.calls.body(), further="x" * 300_000), "300,000 characters in an unknown property"
            )
        ],
        EITHER,
    )
