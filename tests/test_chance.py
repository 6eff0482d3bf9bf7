"""Chance without randomness: the same on every run, and distributed as the scenario says."""

from __future__ import annotations

from statistics import mean, median

import pytest

from mockserver.chance import draw, draw_bytes, draw_lognormal, draw_uniform
from mockserver.scenarios import ErrorAnswer, Scenario, Step, Wait

USES = range(2000)
FLAKY = Scenario("flaky", "A third fails", steps=(Step(ErrorAnswer("unavailable"), probability=0.33),))


def hits(scenario: Scenario, seed: int = 0, project_id: str = "a") -> list[bool]:
    """For each use, whether the scenario happened."""
    return [scenario.step(use, seed, project_id).answer is not None for use in USES]


def test_a_draw_is_the_same_on_every_run() -> None:
    """The numbers are part of what a user sees under a seed, so they stay from release to release."""
    assert "".join("#" if hit else "." for hit in hits(FLAKY)[:8]) == "..###..."
    assert draw_bytes(8, 7, "garbage", "a").hex() == "28df346872a6552c"


def test_draws_lie_from_0_to_below_1_and_are_spread_evenly() -> None:
    numbers = [draw(0, use) for use in USES]
    assert all(0 <= number < 1 for number in numbers)
    assert mean(numbers) == pytest.approx(0.5, abs=0.03)
    tenths = [sum(int(number * 10) == tenth for number in numbers) for tenth in range(10)]
    assert all(150 < count < 250 for count in tenths), tenths


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((0, "a"), (1, "a")),
        ((0, "a"), (0, "b")),
        ((0, "ab", "c"), (0, "a", "bc")),
        ((0, 1), (0, "1")),
        ((0, 1), (0, 2)),
    ],
    ids=["seed", "name", "border-between-names", "type", "number"],
)
def test_draws_differ_by_seed_and_names(one: tuple[int, object], other: tuple[int, object]) -> None:
    assert draw(*one) != draw(*other)
    assert draw_bytes(16, *one) != draw_bytes(16, *other)


@pytest.mark.parametrize("size", [1, 8, 64])
def test_bytes_have_the_asked_size(size: int) -> None:
    assert len(draw_bytes(size, 0, "a")) == size


def test_a_uniform_wait_lies_between_its_ends() -> None:
    waits = [Wait("uniform", 0.5, 2.0).seconds(draw(0, use)) for use in USES]
    assert (draw_uniform(0.5, 2.0, 0), draw_uniform(0.5, 2.0, 0.5)) == (0.5, 1.25)
    assert 0.5 <= min(waits) < 0.51
    assert 1.99 < max(waits) < 2.0


def test_a_log_normal_wait_has_its_median_and_a_long_tail() -> None:
    waits = [Wait("lognormal", 0.2, 0.5).seconds(draw(0, use)) for use in USES]
    assert median(waits) == pytest.approx(0.2, rel=0.05)
    assert mean(waits) == pytest.approx(0.2 * 1.1331, rel=0.05)  # exp(sigma squared / 2)
    assert draw_lognormal(0.2, 0.5, 0.8413447) == pytest.approx(0.2 * 1.6487, rel=1e-3)  # one sigma above


@pytest.mark.parametrize("number", [0.0, 1 - 2**-53], ids=["least", "most"])
def test_the_ends_of_chance_give_a_log_normal_wait_within_the_limit(number: float) -> None:
    assert 0 < Wait("lognormal", 3600, 5).seconds(number) <= 3600


def test_a_log_normal_wait_without_a_spread_is_its_median() -> None:
    assert {Wait("lognormal", 0.2, 0).seconds(draw(0, use)) for use in range(10)} == {0.2}


def test_a_fixed_wait_does_not_depend_on_chance() -> None:
    assert {Wait("fixed", 2).seconds(draw(0, use)) for use in range(10)} == {2}


def test_a_probability_hits_about_its_share_and_the_same_requests_for_a_seed() -> None:
    assert hits(FLAKY) == hits(FLAKY)
    assert mean(hits(FLAKY)) == pytest.approx(0.33, abs=0.03)
    assert all(hits(Scenario("always", "Certain", steps=(Step(ErrorAnswer("unavailable"), probability=1.0),))))


@pytest.mark.parametrize(
    "other",
    [
        hits(FLAKY, seed=1),
        hits(FLAKY, project_id="b"),
        hits(Scenario("other", "Another name", steps=FLAKY.steps)),
    ],
    ids=["seed", "project", "scenario"],
)
def test_which_requests_are_hit_differs_by_seed_project_and_scenario(other: list[bool]) -> None:
    same = sum(one == another for one, another in zip(hits(FLAKY), other, strict=True))
    assert same / len(other) == pytest.approx(0.33**2 + 0.67**2, abs=0.04)  # as for two that know nothing of each other


def test_garbage_and_waits_are_drawn_for_each_request_apart() -> None:
    step = Step(wait=Wait("uniform", 0, 1), fault="garbage")
    one, again, next_one, other_seed = (
        step.delivery(seed, "a", "s", use) for seed, use in ((0, 0), (0, 0), (0, 1), (1, 0))
    )
    assert one is not None
    assert one == again
    assert len(one.garbage) == 64
    for other in (next_one, other_seed):
        assert other is not None
        assert (one.wait, one.garbage) != (other.wait, other.garbage)
        assert one.wait != other.wait
        assert one.garbage != other.garbage
