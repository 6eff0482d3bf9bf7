"""The store: positions, rules, clocks and seeds of each project apart, bounded, and right under threads."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from support import INSTANCE, NOW, api_request, batch, send

from mockserver.scenarios import Only
from mockserver.stores import MAX_PROJECTS, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import StartMock

THREADS = 16
REQUEST = api_request()


def take(store: Store, project: str, body: object = None) -> str | None:
    return store.take_rule(REQUEST, project, batch() if body is None else body)


def test_uses_count_for_each_project_and_scenario_apart() -> None:
    store = Store()
    assert [store.use("a", "flaky") for _ in range(3)] == [0, 1, 2]
    assert (store.use("a", "drip"), store.use("b", "flaky")) == (0, 0)
    assert [store.position(*each) for each in [("a", "flaky"), ("a", "drip"), ("b", "flaky"), ("c", "flaky")]] == [
        3, 1, 1, 0,
    ]  # fmt: skip


def test_a_set_position_is_where_uses_go_on() -> None:
    store = Store()
    store.set_position("a", "flaky", 5)
    assert (store.use("a", "flaky"), store.position("a", "flaky"), store.position("b", "flaky")) == (5, 6, 0)


def test_rules_are_tried_in_order_those_of_the_project_first() -> None:
    store = Store()
    rules = [
        store.add_rule("for-all", Only(), None),
        store.add_rule("first", Only(project_id="a"), 2),
        store.add_rule("second", Only(project_id="a"), 1),
        store.add_rule("late", Only(), None),
    ]
    assert len({rule.id for rule in rules}) == 4
    assert [take(store, "a") for _ in range(5)] == ["first", "first", "second", "for-all", "for-all"]
    assert take(store, "b") == "for-all"
    assert [(rule.scenario, rule.used) for rule in store.rules("a")] == [
        ("first", 2), ("second", 1), ("for-all", 3), ("late", 0),
    ]  # fmt: skip
    assert [rule.scenario for rule in store.rules("b")] == ["for-all", "late"]
    assert {rule.id for rule in store.rules()} == {rule.id for rule in rules}


def test_a_rule_that_does_not_hold_is_passed_over_and_not_used_up() -> None:
    store = Store()
    store.add_rule("never", Only(instance_id="another"), 1)
    store.add_rule("here", Only(instance_id=INSTANCE["instance_id"]), 1)
    assert [take(store, "a") for _ in range(2)] == ["here", None]
    assert [rule.used for rule in store.rules()] == [0, 1]


def test_without_rules_no_request_is_taken() -> None:
    assert take(Store(), "a") is None


@pytest.mark.parametrize("project", ["a", None], ids=["of-a-project", "for-all"])
def test_a_rule_is_removed_once(project: str | None) -> None:
    store = Store()
    kept = store.add_rule("kept", Only(project_id=project), None)
    rule = store.add_rule("removed", Only(project_id=project), None)
    assert [store.remove_rule(rule.id) for _ in range(2)] == [True, False]
    assert not store.remove_rule("rule-0")
    assert store.rules() == [kept]
    assert store.add_rule("later", Only(), None).id not in (kept.id, rule.id)


@pytest.mark.parametrize(
    ("clear", "rules", "positions", "clocks"),
    [
        (lambda store: store.clear_rules("a"), ["b", "all"], [1, 1], [60, 60]),
        (lambda store: store.clear_rules(), [], [1, 1], [60, 60]),
        (lambda store: store.clear_state("a"), ["a", "b", "all"], [0, 1], [0, 60]),
        (lambda store: store.clear_state(), ["a", "b", "all"], [0, 0], [0, 0]),
        (lambda store: store.clear_rules("unknown"), ["a", "b", "all"], [1, 1], [60, 60]),
        (lambda store: store.clear_state("unknown"), ["a", "b", "all"], [1, 1], [60, 60]),
    ],
    ids=["rules-of-one", "rules", "state-of-one", "state", "rules-of-none", "state-of-none"],
)
def test_clearing_forgets_its_level_and_no_other(
    clear: Callable[[Store], None], rules: list[str], positions: list[int], clocks: list[int]
) -> None:
    store = Store(seed=3)
    for project in ("a", "b"):
        store.use(project, "flaky")
        store.add_rule(project, Only(project_id=project), None)
        store.move_clock(project, 60)
    store.add_rule("all", Only(), None)
    clear(store)
    assert [rule.scenario for rule in store.rules()] == rules
    assert [store.position(project, "flaky") for project in ("a", "b")] == positions
    assert [store.project_time(project, NOW) - NOW for project in ("a", "b")] == clocks
    assert store.seed == 3


def test_a_clock_differs_from_the_wall_by_its_offset() -> None:
    store = Store()
    store.move_clock("a", -5.5)
    assert (store.project_time("a", NOW), store.project_time("a", NOW + 1), store.project_time("b", NOW)) == (
        NOW - 5.5,
        NOW - 4.5,
        NOW,
    )


def test_the_longest_idle_project_goes_when_there_are_too_many() -> None:
    store = Store(max_projects=2)
    for project in ("a", "b", "a", "c"):
        store.use(project, "flaky")
    assert [store.position(project, "flaky") for project in ("a", "b", "c")] == [2, 0, 1]


def test_looking_at_a_project_neither_makes_nor_keeps_it() -> None:
    store = Store(max_projects=2)
    store.use("a", "flaky")
    store.use("b", "flaky")
    for project in ("a", "nobody"):
        store.position(project, "flaky")
        store.rules(project)
        store.project_time(project, NOW)
    store.use("c", "flaky")
    assert [store.position(project, "flaky") for project in ("a", "b", "c")] == [0, 1, 1]


def test_a_project_that_meets_its_rules_is_not_idle() -> None:
    store = Store(max_projects=2)
    store.add_rule("throttled", Only(project_id="a"), None)
    store.use("b", "flaky")
    assert take(store, "a") == "throttled"
    store.use("c", "flaky")
    assert take(store, "a") == "throttled"


def test_ten_thousand_projects_are_kept_unless_told_otherwise() -> None:
    store = Store()
    for number in range(MAX_PROJECTS + 1):
        store.use(str(number), "flaky")
    assert MAX_PROJECTS == 10_000
    assert [store.position(str(number), "flaky") for number in (0, 1, MAX_PROJECTS)] == [0, 1, 1]


def together(work: Callable[[int], Any]) -> list[Any]:
    """What each of 16 threads returns that begin at one moment."""
    barrier = Barrier(THREADS)

    def run(thread: int) -> Any:  # noqa: ANN401  # whatever the work gives
        barrier.wait(30)
        return work(thread)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_threads_take_a_rule_exactly_as_often_as_it_says() -> None:
    store = Store()
    store.add_rule("limited", Only(project_id="a"), 100)
    taken = sum(together(lambda _: sum(take(store, "a") is not None for _ in range(50))))
    assert (taken, store.rules("a")[0].used) == (100, 100)


def test_threads_get_every_position_once() -> None:
    store = Store(max_projects=50)
    got = together(lambda thread: [(store.use("a", "flaky"), store.use(str(thread), "drip"))[0] for _ in range(200)])
    assert sorted(position for positions in got for position in positions) == list(range(THREADS * 200))
    assert [store.position(str(thread), "drip") for thread in range(THREADS)] == [200] * THREADS


ANSWERS = [("throttled", 429), ("conflict", 409), ("forbidden", 403), ("not-found", 404)]


def test_sixteen_projects_with_conflicting_scenarios_never_see_each_other(start_mock: StartMock) -> None:
    mock = start_mock()

    def work(thread: int) -> tuple[list[int], list[tuple[str, str]]]:
        project = mock.project(f"{thread:032x}")
        scenario = ANSWERS[thread % 4][0]
        magic_id = f"mock{ANSWERS[(thread + 1) % 4][0].replace('-', '')}".ljust(32, "0") + "in07"
        rule = {"scenario": scenario, "times": 2, "only": {"project_id": project.project_id}}
        assert send(mock.url, "POST", "/__admin/rules", body=json.dumps(rule).encode()).status == 201
        forced = {"X-Auth-Token": "t", "Content-Type": "application/json", "X-Mock-Scenario": "fail-twice-then-succeed"}
        magic = json.dumps(batch({**INSTANCE, "instance_id": magic_id})).encode()
        calls: list[dict[str, Any]] = [{}, {"headers": forced}, {"body": magic}, {}, {"headers": forced}, {}]
        calls += [{"headers": forced}, {"body": magic}]
        seen = [send(mock.url, path=project.path, **call).status for call in calls]
        return seen, [(each["scenario"], each["chosen_by"]) for each in project.requests]

    for thread, (seen, journal) in enumerate(together(work)):
        (rule, by_rule), (magic, by_magic) = ANSWERS[thread % 4], ANSWERS[(thread + 1) % 4]
        assert seen == [by_rule, 503, by_magic, by_rule, 503, 200, 200, by_magic]
        sequence = ("fail-twice-then-succeed", "header")
        assert journal == [
            (rule, "rule"), sequence, (magic, "magic id"), (rule, "rule"),
            sequence, ("success", "start"), sequence, (magic, "magic id"),
        ]  # fmt: skip
