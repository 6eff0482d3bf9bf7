"""The fleet of one project: what requests and admins change, what it is at a time, and what it forgets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from fleets import OLD, fleet_of, instance, instance_id
from support import LATEST

from mockserver.fleet import Fleet, Job
from mockserver.project_fleet import NO_CHANGES, Changes, FleetView, ProjectFleet

if TYPE_CHECKING:
    from mockserver.fleet import Instance, JobKind

ONE, TWO, THREE, FOUR = (instance(number) for number in range(1, 5))


def job(  # noqa: PLR0913  # keyword-only, each with its default
    name: str,
    of: int = 1,
    kind: JobKind = "immediate",
    *,
    starts: float = 100,
    ends: float = 200,
    version: str = LATEST,
    fails: str | None = None,
) -> Job:
    return Job(name, kind, instance_id(of), f"db-{of}", 50, starts, ends, version, fails)


def submit(state: ProjectFleet, *jobs: Job) -> None:
    state.apply(Changes(submitted=jobs))


def ids(state: ProjectFleet) -> list[str]:
    return [each.id for each in state.all_stated()]


def versions(state: ProjectFleet, now: float, *numbers: int) -> list[str | None]:
    """The version of each instance at a time; None where there is none."""
    found = [FleetView(state, now).instance(instance_id(number)) for number in numbers]
    return [None if each is None else each.version for each in found]


# Instances


def test_a_project_begins_with_the_fleet_and_no_jobs() -> None:
    state = fleet_of(ONE, TWO)
    assert list(state.all_stated()) == [ONE, TWO]
    assert (len(state), state.size, state.jobs) == (2, 0, {})
    assert state.stated(ONE.id) is ONE
    assert state.stated("unknown") is None
    state.apply(NO_CHANGES)
    assert (list(state.all_stated()), state.size) == ([ONE, TWO], 0)


def test_instances_stand_in_the_fleets_order_and_others_behind_them_as_they_came() -> None:
    state = fleet_of(ONE, TWO)
    state.put(FOUR)
    state.put(THREE)
    state.put(replace(ONE, name="edited"))
    state.put(replace(FOUR, name="edited"))
    assert [each.name for each in state.all_stated()] == ["edited", "db-2", "edited", "db-3"]
    assert (len(state), state.size) == (4, 3)


def test_a_removed_instance_is_gone_until_it_is_put_again() -> None:
    state = fleet_of(ONE, TWO)
    state.put(THREE)
    assert [state.remove(each) for each in (ONE.id, THREE.id, ONE.id, "unknown")] == [True, True, False, False]
    assert (ids(state), len(state), state.stated(ONE.id)) == ([TWO.id], 1, None)
    state.put(replace(ONE, version="2.0.0.1"))
    assert (ids(state), len(state)) == ([ONE.id, TWO.id], 2)
    assert state.remove(ONE.id)
    assert (ids(state), len(state)) == ([TWO.id], 1)


def test_a_removed_instance_takes_its_jobs_along() -> None:
    state = fleet_of(ONE, TWO)
    submit(state, job("a"), job("b", of=2), job("c", kind="check"))
    state.remove(ONE.id)
    assert list(state.jobs) == ["b"]
    state.put(ONE)
    assert versions(state, 1000, 1, 2) == [OLD, LATEST]
    assert FleetView(state, 1000).last_check(ONE.id) is None


def test_projects_of_one_fleet_share_nothing_but_it() -> None:
    fleet = Fleet({ONE.id: ONE}, LATEST)
    first, second = ProjectFleet(fleet), ProjectFleet(fleet)
    first.put(TWO)
    first.remove(ONE.id)
    assert (ids(first), ids(second)) == ([TWO.id], [ONE.id])


def test_another_fleet_leaves_nothing_of_the_former_one() -> None:
    state = fleet_of(ONE)
    state.put(TWO)
    submit(state, job("a"))
    state.load(Fleet({THREE.id: THREE, FOUR.id: FOUR}, "9.0.0.0"))
    assert (ids(state), len(state), state.size, state.jobs) == ([THREE.id, FOUR.id], 2, 0, {})
    assert FleetView(state, 0).latest_version == "9.0.0.0"
    assert state.submitted == 1, "ids of jobs never come again"


# What a request was granted


def test_a_request_adopts_submits_and_cancels() -> None:
    state = fleet_of(ONE)
    state.apply(Changes(adopted=[TWO], submitted=[job("a"), job("b", of=2)]))
    assert (ids(state), list(state.jobs), state.submitted) == ([ONE.id, TWO.id], ["a", "b"], 2)
    assert state.size == 3
    state.apply(Changes(submitted=[job("c")], cancelled=[state.jobs["b"]]))
    assert (list(state.jobs), state.submitted) == (["a", "c"], 3)
    assert FleetView(state, 0).job("b") is None
    assert versions(state, 1000, 1, 2) == [LATEST, OLD]


# At a time


@pytest.mark.parametrize(
    ("now", "version", "unfinished", "upgraded"),
    [(99, OLD, True, False), (100, OLD, True, False), (199, OLD, True, False), (200, LATEST, False, True)],
    ids=["pending", "running", "nearly-done", "completed"],
)
def test_an_instance_has_the_version_that_its_jobs_have_led_to(
    now: float, version: str, *, unfinished: bool, upgraded: bool
) -> None:
    state = fleet_of(ONE, TWO)
    submit(state, job("a"))
    view = FleetView(state, now)
    assert versions(state, now, 1, 2, 3) == [version, OLD, None]
    assert (view.unfinished(ONE.id) is not None) is unfinished
    assert (view.last_upgrade(ONE.id) is not None) is upgraded
    assert view.unfinished(TWO.id) is view.last_upgrade(TWO.id) is view.unfinished("unknown") is None


def test_time_may_go_back_and_the_instance_with_it() -> None:
    state = fleet_of(ONE)
    submit(state, job("a"))
    assert [versions(state, now, 1) for now in (300, 150, 300, 0)] == [[LATEST], [OLD], [LATEST], [OLD]]


def test_a_failed_upgrade_leaves_the_version_and_is_over() -> None:
    state = fleet_of(ONE)
    submit(state, job("a", fails="no luck"))
    view = FleetView(state, 1000)
    assert (versions(state, 1000, 1), view.unfinished(ONE.id), view.last_upgrade(ONE.id)) == ([OLD], None, None)
    submit(state, job("b", starts=2000, ends=2000))
    assert versions(state, 2000, 1) == [LATEST]


def test_a_check_neither_upgrades_nor_hinders() -> None:
    state = fleet_of(ONE)
    submit(state, job("a", kind="check", ends=100), job("b", kind="check", ends=150, version="9.0.0.0"))
    view = FleetView(state, 120)
    assert (versions(state, 1000, 1), view.unfinished(ONE.id), view.last_upgrade(ONE.id)) == ([OLD], None, None)
    assert view.last_check(ONE.id) == state.jobs["b"]


def test_the_last_of_several_upgrades_counts() -> None:
    state = fleet_of(ONE)
    submit(state, job("a", version="2.0.0.1"), job("b", starts=300, ends=400, version="2.0.0.2"))
    assert [versions(state, now, 1) for now in (199, 200, 399, 400)] == [[OLD], ["2.0.0.1"], ["2.0.0.1"], ["2.0.0.2"]]
    assert FleetView(state, 350).unfinished(ONE.id) == state.jobs["b"]


def test_jobs_are_shown_the_newest_first_by_kind() -> None:
    state = fleet_of(ONE)
    submit(state, job("a"), job("b", kind="check"), job("c", kind="scheduled"), job("d"))
    view = FleetView(state, 0)
    assert [each.id for each in view.jobs("immediate", "check")] == ["d", "b", "a"]
    assert [each.id for each in view.jobs("scheduled")] == ["c"]
    assert (view.job("a"), view.job("unknown")) == (state.jobs["a"], None)


def test_an_edit_counts_for_what_is_over_and_not_for_what_is_to_come() -> None:
    state = fleet_of(ONE)
    submit(state, job("a", version="2.0.0.1"), job("b", starts=300, ends=400, version="2.0.0.2"))
    state.edit(replace(ONE, version="1.0.0.0", name="edited"), 250)
    assert [versions(state, now, 1) for now in (150, 250, 350, 400)] == [
        ["1.0.0.0"], ["1.0.0.0"], ["1.0.0.0"], ["2.0.0.2"],
    ]  # fmt: skip
    assert list(state.jobs) == ["a", "b"]


# Pages


@pytest.mark.parametrize(
    ("offset", "limit", "found"),
    [
        (0, 10, [1, 2, 3, 4]),
        (0, 4, [1, 2, 3, 4]),
        (0, 3, [1, 2, 3]),
        (1, 2, [2, 3]),
        (3, 2, [4]),
        (4, 2, []),
        (5, 2, []),
        (10**40, 10**40, []),
    ],
    ids=["all", "exactly-all", "first", "middle", "last", "at-the-end", "behind-the-end", "far-behind"],
)
def test_a_page_has_so_many_from_there(offset: int, limit: int, found: list[int]) -> None:
    state = fleet_of(ONE, TWO, THREE)
    state.put(FOUR)
    page, total = FleetView(state, 0).page((), offset, limit)
    assert ([each.id for each in page], total) == ([instance_id(number) for number in found], 4)


def test_a_page_counts_what_passes_every_filter_and_shows_versions_as_they_are() -> None:
    def is_odd(each: Instance) -> bool:
        return int(each.name[-1]) % 2 == 1

    state = fleet_of(ONE, TWO, THREE, FOUR)
    submit(state, job("a", of=3))
    view = FleetView(state, 1000)
    page, total = view.page([is_odd], 1, 5)
    assert ([(each.name, each.version) for each in page], total) == ([("db-3", LATEST)], 2)
    assert view.page([is_odd, lambda each: each.name == "db-2"], 0, 5) == ([], 0)


# Forgetting


def test_the_oldest_jobs_go_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.project_fleet.MAX_JOBS", 3)
    state = fleet_of(ONE, TWO, THREE)
    submit(state, job("a"), job("b", of=2), job("c", of=3))
    assert list(state.jobs) == ["a", "b", "c"]
    submit(state, job("d", of=3, kind="check"), job("e", of=2, kind="check"))
    assert list(state.jobs) == ["c", "d", "e"]
    assert state.submitted == 5


def test_an_instance_of_the_fleet_keeps_the_version_of_a_forgotten_upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.project_fleet.MAX_JOBS", 1)
    state = fleet_of(ONE, TWO)
    submit(state, job("a"))
    submit(state, job("b", of=2, fails="no luck"))
    submit(state, job("c", of=2, kind="check"))
    assert (list(state.jobs), versions(state, 1000, 1, 2)) == (["c"], [LATEST, OLD])


def test_a_forgotten_upgrade_counts_although_a_later_check_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.project_fleet.MAX_JOBS", 1)
    state = fleet_of(ONE)
    submit(state, job("a"))
    submit(state, job("b", kind="check"))
    assert (list(state.jobs), versions(state, 1000, 1)) == (["b"], [LATEST])


def test_an_adopted_instance_goes_with_its_last_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.project_fleet.MAX_JOBS", 2)
    state = fleet_of(ONE)
    for number in range(2, 6):
        state.apply(Changes(adopted=[instance(number)], submitted=[job(f"job-{number}", of=number)]))
    assert ids(state) == [ONE.id, instance_id(4), instance_id(5)]
    assert (len(state), state.size) == (3, 4)


def test_what_is_kept_stays_bounded_however_much_is_adopted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.project_fleet.MAX_JOBS", 10)
    state = fleet_of(ONE)
    for number in range(2, 500):
        state.apply(Changes(adopted=[instance(number)], submitted=[job(f"job-{number}", of=number)]))
    assert (len(state), state.size, len(state.jobs_of)) == (11, 20, 10)


def test_what_is_kept_stays_bounded_when_every_job_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.project_fleet.MAX_JOBS", 10)
    state = fleet_of(ONE)
    for number in range(2, 500):
        scheduled = job(f"job-{number}", of=number, kind="scheduled")
        state.apply(Changes(adopted=[instance(number)], submitted=[scheduled]))
        state.apply(Changes(cancelled=[scheduled]))
    assert state.size <= 20


def test_a_forgotten_upgrade_that_has_not_begun_changes_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.project_fleet.MAX_JOBS", 1)
    state = fleet_of(ONE)
    waiting = replace(job("a", kind="scheduled"), starts=2000.0, ends=2000.0)
    state.apply(Changes(submitted=[waiting]), 1000.0)
    state.apply(Changes(submitted=[job("b", kind="check")]), 1000.0)
    assert (list(state.jobs), versions(state, 1000, 1)) == (["b"], [OLD])


def test_an_instance_that_was_put_stays_when_its_jobs_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.project_fleet.MAX_JOBS", 1)
    state = fleet_of(ONE)
    state.put(TWO)
    submit(state, job("a", of=2))
    submit(state, job("b"))
    assert (ids(state), versions(state, 1000, 2)) == ([ONE.id, TWO.id], [LATEST])
