"""The store: positions, rules, clocks and seeds of each project apart, bounded, and right under threads."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from support import INSTANCE, LATEST, NO_FLEET, NOW, asked, batch, send

from mockserver.conditions import Only
from mockserver.fleet import Fleet, Instance
from mockserver.project_fleet import Changes
from mockserver.stores import MAX_PROJECTS, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import StartMock

THREADS = 16


def take(store: Store, project: str) -> str | None:
    return store.take_rule(asked(project_id=project), lambda _: True)


def test_uses_count_for_each_project_and_scenario_apart() -> None:
    store = Store(NO_FLEET)
    assert [store.use("a", "flaky") for _ in range(3)] == [0, 1, 2]
    assert (store.use("a", "drip"), store.use("b", "flaky")) == (0, 0)
    assert [store.position(*each) for each in [("a", "flaky"), ("a", "drip"), ("b", "flaky"), ("c", "flaky")]] == [
        3, 1, 1, 0,
    ]  # fmt: skip


def test_a_set_position_is_where_uses_go_on() -> None:
    store = Store(NO_FLEET)
    store.set_position("a", "flaky", 5)
    assert (store.use("a", "flaky"), store.position("a", "flaky"), store.position("b", "flaky")) == (5, 6, 0)


def test_rules_are_tried_in_order_those_of_the_project_first() -> None:
    store = Store(NO_FLEET)
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
    store = Store(NO_FLEET)
    store.add_rule("never", Only(instance_id="another"), 1)
    store.add_rule("here", Only(instance_id=INSTANCE["instance_id"]), 1)
    assert [take(store, "a") for _ in range(2)] == ["here", None]
    assert [rule.used for rule in store.rules()] == [0, 1]


def test_without_rules_no_request_is_taken() -> None:
    assert take(Store(NO_FLEET), "a") is None


@pytest.mark.parametrize("project", ["a", None], ids=["of-a-project", "for-all"])
def test_a_rule_is_removed_once(project: str | None) -> None:
    store = Store(NO_FLEET)
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
    store = Store(NO_FLEET, seed=3)
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
    store = Store(NO_FLEET)
    store.move_clock("a", -5.5)
    assert (store.project_time("a", NOW), store.project_time("a", NOW + 1), store.project_time("b", NOW)) == (
        NOW - 5.5,
        NOW - 4.5,
        NOW,
    )


def test_the_longest_idle_project_goes_when_there_are_too_many() -> None:
    store = Store(NO_FLEET, max_projects=2)
    for project in ("a", "b", "a", "c"):
        store.use(project, "flaky")
    assert [store.position(project, "flaky") for project in ("a", "b", "c")] == [2, 0, 1]


def test_looking_at_a_project_neither_makes_nor_keeps_it() -> None:
    store = Store(NO_FLEET, max_projects=2)
    store.use("a", "flaky")
    store.use("b", "flaky")
    for project in ("a", "nobody"):
        store.position(project, "flaky")
        store.rules(project)
        store.project_time(project, NOW)
    store.use("c", "flaky")
    assert [store.position(project, "flaky") for project in ("a", "b", "c")] == [0, 1, 1]


def test_a_project_that_meets_its_rules_is_not_idle() -> None:
    store = Store(NO_FLEET, max_projects=2)
    store.add_rule("throttled", Only(project_id="a"), None)
    store.use("b", "flaky")
    assert take(store, "a") == "throttled"
    store.use("c", "flaky")
    assert take(store, "a") == "throttled"


def test_ten_thousand_projects_are_kept_unless_told_otherwise() -> None:
    store = Store(NO_FLEET)
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
    store = Store(NO_FLEET)
    store.add_rule("limited", Only(project_id="a"), 100)
    taken = sum(together(lambda _: sum(take(store, "a") is not None for _ in range(50))))
    assert (taken, store.rules("a")[0].used) == (100, 100)


def test_threads_get_every_position_once() -> None:
    store = Store(NO_FLEET, max_projects=50)
    got = together(lambda thread: [(store.use("a", "flaky"), store.use(str(thread), "drip"))[0] for _ in range(200)])
    assert sorted(position for positions in got for position in positions) == list(range(THREADS * 200))
    assert [store.position(str(thread), "drip") for thread in range(THREADS)] == [200] * THREADS


def test_the_identity_service_meets_only_rules_that_name_its_operations() -> None:
    store = Store(NO_FLEET)
    store.add_rule("for-everything", Only(), None)
    store.add_rule("for-tokens", Only(operations=("KeystoneCreateUserTokenByPassword",)), None)
    tokens = asked(operation="KeystoneCreateUserTokenByPassword", is_identity=True, project_id="")
    regions = asked(operation="KeystoneListRegions", is_identity=True, project_id="")
    assert [store.take_rule(each, lambda _: True) for each in (tokens, regions, asked())] == [
        "for-tokens",
        None,
        "for-everything",
    ]
    assert [rule.used for rule in store.rules()] == [1, 1]


PRESENT = Instance("p" * 32 + "in07", "present", "2.0.48.231200")
WITH_ONE = Fleet({PRESENT.id: PRESENT}, LATEST)


def adopt(store: Store, project: str, *names: str) -> None:
    with store.fleet(project) as fleet:
        fleet.apply(Changes(adopted=[Instance(name, name, "1.0.0") for name in names]))


def ids(store: Store, project: str) -> list[str]:
    with store.fleet(project) as fleet:
        return [each.id for each in fleet.all_stated()]


def test_every_project_begins_with_the_same_fleet_and_changes_its_own() -> None:
    store = Store(WITH_ONE)
    adopt(store, "a", "x")
    with store.fleet("b") as fleet:
        assert fleet.remove(PRESENT.id)
    assert [ids(store, project) for project in ("a", "b", "c")] == [[PRESENT.id, "x"], [], [PRESENT.id]]


@pytest.mark.parametrize(
    ("project", "left"),
    [("a", [[], ["y"]]), (None, [[], []]), ("unknown", [["x"], ["y"]])],
    ids=["of-one", "of-all", "of-none"],
)
def test_clearing_the_state_gives_a_project_its_first_fleet_again(project: str | None, left: list[list[str]]) -> None:
    store = Store(NO_FLEET)
    adopt(store, "a", "x")
    adopt(store, "b", "y")
    store.clear_rules(project)
    assert [ids(store, each) for each in ("a", "b")] == [["x"], ["y"]]
    store.clear_state(project)
    assert [ids(store, each) for each in ("a", "b")] == left


def test_a_project_that_goes_takes_its_fleet_along() -> None:
    store = Store(NO_FLEET, max_projects=2)
    for project in ("a", "b", "c"):
        adopt(store, project, project)
    assert [ids(store, project) for project in ("b", "c", "a")] == [["b"], ["c"], []]


def test_a_project_whose_fleet_is_in_use_is_not_idle() -> None:
    store = Store(NO_FLEET, max_projects=2)
    for project in ("a", "b", "a", "c"):
        adopt(store, project, project)
    assert ids(store, "a") == ["a"]


def test_of_too_many_instances_the_longest_idle_project_forgets_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.stores.MAX_KEPT", 5)
    store = Store(WITH_ONE)
    for project in ("a", "b", "c"):
        store.move_clock(project, 60)
    adopt(store, "a", "a1", "a2")
    adopt(store, "b", "b1", "b2")
    adopt(store, "c", "c1")  # that makes five
    assert [len(ids(store, project)) for project in ("b", "a", "c")] == [3, 3, 2]
    adopt(store, "c", "c2")
    assert [ids(store, project) for project in ("b", "a", "c")] == [
        [PRESENT.id], [PRESENT.id, "a1", "a2"], [PRESENT.id, "c1", "c2"],
    ]  # fmt: skip
    assert store.project_time("b", NOW) == NOW + 60


def test_what_was_forgotten_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.stores.MAX_KEPT", 8)
    store = Store(NO_FLEET, max_projects=3)
    adopt(store, "a", "a1", "a2", "a3", "a4")
    for _ in range(3):
        adopt(store, "b", "b1", "b2", "b3", "b4")
        store.clear_state("b")
    adopt(store, "b", "b1")
    assert [len(ids(store, project)) for project in ("b", "a")] == [1, 4]
    for project in ("c", "d"):  # which drives b out, and its one with it
        store.use(project, "flaky")
    adopt(store, "c", "c1", "c2", "c3", "c4")
    assert [len(ids(store, project)) for project in ("c", "a")] == [4, 4]


def test_one_project_may_keep_more_than_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is never half forgotten by what it does itself."""
    monkeypatch.setattr("mockserver.stores.MAX_KEPT", 2)
    store = Store(NO_FLEET)
    adopt(store, "a", "a1", "a2", "a3")
    assert ids(store, "a") == ["a1", "a2", "a3"]


def test_a_request_that_fails_leaves_the_fleet_for_the_next() -> None:
    store = Store(NO_FLEET)
    with pytest.raises(LookupError), store.fleet("a"):
        raise LookupError
    adopt(store, "a", "x")
    assert ids(store, "a") == ["x"]


def test_threads_have_a_fleet_one_after_the_other() -> None:
    store = Store(NO_FLEET, max_projects=50)

    def work(thread: int) -> None:
        for number in range(50):
            with store.fleet("shared") as fleet:
                before = len(list(fleet.all_stated()))
                fleet.put(Instance(f"{before}", "counted", "1.0.0"))
            adopt(store, str(thread), str(number))

    together(work)
    assert ids(store, "shared") == [str(number) for number in range(THREADS * 50)]
    assert [len(ids(store, str(thread))) for thread in range(THREADS)] == [50] * THREADS


ANSWERS = [("throttled", 429), ("conflict", 409), ("forbidden", 403), ("not-found", 404)]


def test_sixteen_projects_with_conflicting_scenarios_never_see_each_other(start_mock: StartMock) -> None:
    mock = start_mock(unknown_instances="accept")

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
