"""The mock over HTTP against a model of it: scenarios, rules, positions, resets and the journal, in any order."""

from __future__ import annotations

import http.client
import itertools
import json
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from strategies import bounded

from mockserver import MockServer, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 7
KEPT = 6
"""Requests of a project that the journal keeps here, so that it drops some in most runs."""
STATUS = {"success": 200, "missing-resp": 200, "conflict": 409, "throttled": 429, "internal-error": 500}
"""What always answers the same."""
FAILS_TWICE, FLAKY = "fail-twice-then-succeed", "flaky"
IDS = ["6754902da1f447269c6979b0590102a5in07", "0123456789abcdef0123456789abcdefin07", "any-other-id"]
FORGETTING = {
    "rules": ["rules"],
    "requests": ["journal"],
    "reset journal": ["journal"],
    "reset rules": ["rules"],
    "reset state": ["state"],
    "reset all": ["journal", "rules", "state"],
}
"""What each operation of the admin API forgets."""


class NewRule(NamedTuple):
    """A rule as it is asked for."""

    scenario: str
    times: int | None
    instance_id: str | None
    for_all: bool


scenarios = st.sampled_from([FAILS_TWICE, FLAKY, FLAKY, *STATUS])
bursts = st.integers(1, 4)
batches = st.lists(st.sampled_from(IDS), min_size=1, max_size=3)
new_rules = st.builds(
    NewRule,
    scenarios,
    times=st.sampled_from([1, 2, 3, None]),
    instance_id=st.none() | st.sampled_from(IDS),
    for_all=st.booleans(),
)


class Wire:
    """One connection to a mock, kept."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)

    def send(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and JSON of the answer."""
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())

    def admin(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  # each operation has its own
        """The answer of the admin API, which must be a good one."""
        status, answer = self.send(method, f"/__admin/{path}", body)
        assert status in (200, 201), answer
        return answer


class MockBesideModel(RuleBasedStateMachine):
    """Every step goes to the mock and to the model, and both must say the same.

    The model: how often each scenario was met, the rules, and what the journal must say.
    """

    def __init__(self, wire: Wire, project: str) -> None:
        super().__init__()
        self.wire, self.project = wire, project
        self.met = {FAILS_TWICE: 0, FLAKY: 0}
        self.chance: dict[int, int] = {}
        """The statuses that the flaky scenario has given, by position: they never change."""
        self.rules: list[dict[str, Any]] = []
        self.rules_for_all: list[dict[str, Any]] = []
        self.journal: list[list[Any]] = []
        """Status, scenario, what chose it, whether accepted, and the instances of each request."""

    @initialize(new=st.lists(new_rules, min_size=1, max_size=4))
    def start_with_some_rules(self, new: list[NewRule]) -> None:
        self.wire.admin("DELETE", "rules")  # those that a former run left for all projects
        for each in new:
            self.add_a_rule(each)

    # requests

    @rule(ids=batches, times=bursts)
    def upgrade(self, ids: list[str], times: int) -> None:
        for _ in range(times):
            self._upgrade(ids, None, "")

    @rule(ids=batches, scenario=scenarios, times=bursts)
    def upgrade_with_a_scenario_in_the_header(self, ids: list[str], scenario: str, times: int) -> None:
        for _ in range(times):
            self._upgrade(ids, scenario, "header", {"X-Mock-Scenario": scenario})

    @rule(ids=batches, scenario=scenarios, place=st.integers(0, 3))
    def upgrade_with_a_magic_id(self, ids: list[str], scenario: str, place: int) -> None:
        magic = "mock" + scenario.replace("-", "")
        magic += "0" * (32 - len(magic)) + "in07"
        self._upgrade([*ids[:place], magic, *ids[place:]], scenario, "magic id")

    @rule(delay=st.sampled_from(["maybe", 1, None]))
    def send_what_the_contract_forbids(self, delay: object) -> None:
        path = f"/v3/{self.project}/instances/database-version/upgrade"
        headers = {"X-Auth-Token": "t", "X-Mock-Scenario": FAILS_TWICE}  # which a refused request never reaches
        status, _ = self.wire.send("POST", path, {"databases_instance_infos": [], "delay": delay}, headers)
        assert status == 400
        self.journal.append([400, None, None, False, []])

    def _upgrade(self, ids: list[str], scenario: str | None, by: str, headers: dict[str, str] | None = None) -> None:
        if scenario is None:
            scenario, by = self._take_rule(ids)
        batch = [{"current_version": "2.0.48.231200", "instance_id": each} for each in ids]
        path = f"/v3/{self.project}/instances/database-version/upgrade"
        body = {"databases_instance_infos": batch, "delay": False}
        status, answer = self.wire.send("POST", path, body, {"X-Auth-Token": "t", **(headers or {})})
        assert status == self._predict(scenario, status)
        accepted = status == 200 and scenario != "missing-resp"
        assert (answer == {"resp": "success"}) == accepted
        self.journal.append([status, scenario, by, accepted, ids])

    def _take_rule(self, ids: list[str]) -> tuple[str, str]:
        for each in [*self.rules, *self.rules_for_all]:
            if each["left"] != 0 and each["instance_id"] in (None, *ids):
                each["left"] -= 1
                each["used"] += 1
                return each["scenario"], "rule"
        return "success", "start"

    def _predict(self, scenario: str, seen: int) -> int:
        """The status that a scenario must give; chance may choose, but only once for a position."""
        if scenario in STATUS:
            return STATUS[scenario]
        position = self.met[scenario]
        self.met[scenario] += 1
        if scenario == FAILS_TWICE:
            return 503 if position < 2 else 200
        assert seen in (200, 503)
        return self.chance.setdefault(position, seen)

    # the admin API

    @rule(new=new_rules)
    def add_a_rule(self, new: NewRule) -> None:
        given = {"project_id": None if new.for_all else self.project, "instance_id": new.instance_id}
        only = {name: value for name, value in given.items() if value is not None}
        body = {"scenario": new.scenario, "only": only, **({} if new.times is None else {"times": new.times})}
        answer = self.wire.admin("POST", "rules", body)
        left = -1 if new.times is None else new.times  # counts down, and never reaches 0 from -1
        added = {"id": answer["id"], "scenario": new.scenario, "instance_id": new.instance_id, "left": left, "used": 0}
        (self.rules_for_all if new.for_all else self.rules).append(added)

    @precondition(lambda self: self.rules or self.rules_for_all)
    @rule(data=st.data())
    def remove_a_rule(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.rules) + len(self.rules_for_all) - 1))
        removed = [*self.rules, *self.rules_for_all][number]["id"]
        self.wire.admin("DELETE", f"rules/{removed}")
        for rules in (self.rules, self.rules_for_all):
            rules[:] = [each for each in rules if each["id"] != removed]
        assert self.wire.send("DELETE", f"/__admin/rules/{removed}")[0] == 404

    @rule(scenario=st.sampled_from([FAILS_TWICE, FLAKY]), position=st.integers(0, 4))
    def set_a_position(self, scenario: str, position: int) -> None:
        self.wire.admin("PUT", f"scenarios/{scenario}/state", {"project_id": self.project, "position": position})
        self.met[scenario] = position

    @rule(what=st.sampled_from([*FORGETTING]), everyone=st.booleans())
    def forget(self, what: str, everyone: bool) -> None:  # noqa: FBT001  # Hypothesis passes it by name
        project = {} if everyone else {"project_id": self.project}
        if what.startswith("reset "):
            self.wire.admin("POST", "reset", {"level": what.removeprefix("reset "), **project})
        else:
            self.wire.admin("DELETE", "?".join([what, *(f"project_id={each}" for each in project.values())]))
        if "journal" in FORGETTING[what]:
            self.journal.clear()
        if "state" in FORGETTING[what]:
            self.met = dict.fromkeys(self.met, 0)
        if "rules" in FORGETTING[what]:
            self.rules.clear()
            if everyone:
                self.rules_for_all.clear()

    # what must hold

    @rule(instance_id=st.sampled_from(IDS), exactly=st.integers(0, 3))
    def verify(self, instance_id: str, exactly: int) -> None:
        body = {"project_id": self.project, "instances": [instance_id], "exactly": exactly}
        upgrades = [ids for _, _, _, accepted, ids in self.journal[-KEPT:] if accepted and instance_id in ids]
        assert self.wire.admin("POST", "requests/verify", body)["ok"] == (len(upgrades) == exactly)

    @rule(status=st.sampled_from([200, 400, 409, 503]), accepted=st.none() | st.booleans())
    def count(self, status: int, accepted: bool | None) -> None:  # noqa: FBT001  # Hypothesis passes it by name
        wanted = {"project_id": self.project, "status": status, **({} if accepted is None else {"accepted": accepted})}
        kept = [each for each in self.journal[-KEPT:] if each[0] == status and accepted in (None, each[3])]
        assert self.wire.admin("POST", "requests/count", wanted)["count"] == len(kept)

    @invariant()
    def the_journal_is_the_models(self) -> None:
        answer = self.wire.admin("GET", f"requests?project_id={self.project}")
        kept, total = self.journal[-KEPT:], len(self.journal)
        assert [answer[name] for name in ("matched", "total", "dropped")] == [len(kept), total, total - len(kept)]
        assert [each["number"] for each in answer["requests"]] == list(range(total - len(kept) + 1, total + 1))
        names = ("status", "scenario", "chosen_by", "accepted")
        assert [[each[name] for name in names] for each in answer["requests"]] == [each[:4] for each in kept]
        bodies = [json.loads(each["body"])["databases_instance_infos"] for each in answer["requests"]]
        assert [[item["instance_id"] for item in batch] for batch in bodies] == [each[4] for each in kept]

    @invariant()
    def the_rules_are_the_models(self) -> None:
        rules = self.wire.admin("GET", f"rules?project_id={self.project}")["rules"]
        names = ("id", "scenario", "used")
        assert [[each[name] for name in names] for each in rules] == [
            [each[name] for name in names] for each in [*self.rules, *self.rules_for_all]
        ]

    @invariant()
    def the_positions_are_the_models(self) -> None:
        rows = self.wire.admin("GET", f"scenarios?project_id={self.project}")["scenarios"]
        positions = {each["name"]: each["position"] for each in rows}
        assert {name: positions[name] for name in self.met} == self.met


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    """A connection to a mock of this module's own, since rules for all projects are set.

    It accepts the same upgrade any number of times: what becomes of instances is test_fleet_state_machine.py's.
    """
    with MockServer(Settings(port=0, journal_size=KEPT, seed=SEED, unknown_instances="accept")) as mock:
        wire = Wire(mock.url)
        yield wire
        wire.connection.close()


def test_any_sequence_of_requests_and_changes_leaves_mock_and_model_the_same(wire: Wire) -> None:
    numbers = itertools.count(1)
    run_state_machine_as_test(  # type: ignore[no-untyped-call, unused-ignore]  # Hypothesis does not type it
        lambda: MockBesideModel(wire, f"{next(numbers):032x}"),
        settings=settings(bounded, max_examples=40, stateful_step_count=25),
    )


def test_chance_depends_on_the_seed_the_project_and_the_position_only(wire: Wire) -> None:
    """The model above takes the flaky scenario's first choice as given; this is what it may choose."""

    one, other = "a" * 32, "b" * 32
    first, second = _meet_flaky(wire, one), _meet_flaky(wire, other)
    for project in (one, other):
        wire.admin("POST", "reset", {"level": "state", "project_id": project})
    assert _meet_flaky(wire, other) == second
    assert _meet_flaky(wire, one) == first != second
    assert set(first) == {200, 503}
    wire.admin("POST", "reset", {"level": "state", "project_id": one})
    wire.admin("PUT", "seed", {"seed": 8})
    try:
        assert _meet_flaky(wire, one) != first
    finally:
        wire.admin("PUT", "seed", {"seed": SEED})


def _meet_flaky(wire: Wire, project: str) -> list[int]:
    """The statuses of 40 requests."""
    path = f"/v3/{project}/instances/database-version/upgrade"
    headers = {"X-Auth-Token": "t", "X-Mock-Scenario": FLAKY}
    body = {"databases_instance_infos": [], "delay": False}
    return [wire.send("POST", path, body, headers)[0] for _ in range(40)]
