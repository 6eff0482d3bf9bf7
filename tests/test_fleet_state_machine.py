"""A project's fleet, jobs and clock against a model of them, in any order; and many who ask for the same at once."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
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
from support import NOW, PROJECT_ID, api_request, batch, send

from mockserver.fleet import Fleet, Instance, Policy
from mockserver.fleet_control import FleetControl
from mockserver.stores import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mockserver import MockServer
    from mockserver.engine import Engine
    from mockserver.model import Exchange

DAY = 86_400
OLD, MIDDLE, LATEST, NEWER = "2.0.48.231200", "2.0.54.240600", "2.0.69.250900", "2.1.0.1"
VERSIONS = (OLD, MIDDLE, LATEST, NEWER)
"""In order; the third is the one that upgrades lead to."""
IDS = [f"{letter * 32}in07" for letter in "abcdexyz"]
FLEET: tuple[dict[str, Any], ...] = (
    {"id": IDS[0], "version": OLD, "window": 2},
    {"id": IDS[1], "version": MIDDLE, "window": 8},
    {"id": IDS[2], "version": LATEST, "window": 2},
    {"id": IDS[3], "version": OLD, "window": 23, "fails": "no luck"},
    {"id": IDS[4], "version": OLD, "window": 2, "status": "frozen"},
)
"""What every project begins with, the others of IDS are unknown; `window` is the hour at which maintenance begins."""
OTHER_PROJECT = "f" * 32
UPGRADED, PROJECT = f"/v3/{PROJECT_ID}/instances/database-version/upgrade", f"/v3/{PROJECT_ID}"
OF_V3_1 = f"/v3.1/{PROJECT_ID}/instances"
CODES = {
    "unknown": (400, "DBS.200002"), "frozen": (409, "DBS.200019"), "abnormal": (409, "DBS.200019"),
    "running": (409, "DBS.200011"), "latest": (400, "DBS.200041"), "mismatch": (400, "DBS.200037"),
    "bad": (400, "DBS.200001"),
}  # fmt: skip
"""Status and code of each refusal."""

ids = st.sampled_from(IDS)
batches = st.lists(st.tuples(ids, st.sampled_from([None, None, None, None, None, *VERSIONS])), max_size=3)
"""Instances with the version that is stated; None: the one that it has."""
groups = st.lists(ids, min_size=1, max_size=3)
moves = st.sampled_from([1, 59, 600, 3600, 5 * 3600, DAY, 10 * DAY, -1, -600, -3600, -DAY])
delays = st.sampled_from([True, False, "true", "false"])


def shown(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+0000")


class Model:
    """What a project must be, in dictionaries."""

    def __init__(self, seconds: int) -> None:
        self.seconds, self.now = seconds, NOW
        self.reset()

    def reset(self) -> None:
        self.now = NOW
        self.instances: dict[str, dict[str, Any]] = {
            each["id"]: {"status": "normal", "fails": None, **each} for each in FLEET
        }
        self.jobs: list[dict[str, Any]] = []

    def version(self, instance_id: str) -> str:
        done = [j for j in self.of(instance_id) if j["decides"] and j["ends"] <= self.now and not j["fails"]]
        return str(done[-1]["version"] if done else self.instances[instance_id]["version"])

    def of(self, instance_id: str) -> list[dict[str, Any]]:
        """The upgrades of an instance."""
        return [job for job in self.jobs if job["instance"] == instance_id and job["kind"] != "check"]

    def status(self, job: dict[str, Any]) -> str:
        if self.now < job["starts"]:
            return "Pending"
        if self.now < job["ends"]:
            return "Running"
        return "Failed" if job["fails"] else "Completed"

    def hindrance(self, instance_id: str, stated: str | None) -> str | None:
        one = self.instances[instance_id]
        if one["status"] != "normal":
            return "frozen" if one["status"] == "frozen" else "abnormal"
        if any(self.now < job["ends"] for job in self.of(instance_id)):
            return "running"
        version = self.version(instance_id)
        if VERSIONS.index(version) >= VERSIONS.index(LATEST):
            return "latest"
        return "mismatch" if stated not in (None, version) else None

    def adopt(self, items: list[tuple[str, str]]) -> list[str]:
        """Add the unknown ones of a batch."""
        new = [each for each in items if each[0] not in self.instances]
        for instance_id, stated in new:
            plain = {"id": instance_id, "version": stated, "window": 2, "status": "normal", "fails": None}
            self.instances.setdefault(instance_id, plain)
        return list(dict.fromkeys(instance_id for instance_id, _ in new))

    def submit(self, kind: str, instance_id: str) -> None:
        one, starts = self.instances[instance_id], self.now
        if kind == "scheduled":  # the first begin of a window after now
            starts = math.floor(self.now / DAY) * DAY + one["window"] * 3600
            while starts <= self.now:
                starts += DAY
        takes = 0 if kind == "check" else self.seconds
        made = {"kind": kind, "instance": instance_id, "starts": starts, "ends": starts + takes, "version": LATEST}
        fails = None if kind == "check" else one["fails"]
        self.jobs.append({**made, "id": None, "created": self.now, "fails": fails, "decides": True})

    def remove(self, instance_id: str) -> None:
        del self.instances[instance_id]
        self.jobs = [job for job in self.jobs if job["instance"] != instance_id]


class FleetBesideModel(RuleBasedStateMachine):
    """Every step goes to the engine and to the model, and both must say the same."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine

    @initialize(seconds=st.sampled_from([0, 600, 2 * DAY]))
    def begin(self, seconds: int) -> None:
        self.model = Model(seconds)
        store = Store(fleet())
        self.engine = replace(self.engine, store=store, policy=Policy(upgrade_seconds=seconds))
        self.control = FleetControl(store, lambda: NOW)

    def ask(self, method: str, path: str, body: object = b"", query: str = "") -> Exchange:
        return self.engine.handle(api_request(body, method=method, path=path, query=query))

    def expect(self, exchange: Exchange, refusal: str | None) -> Any:  # noqa: ANN401  # a JSON value
        """The reply, which must be a good one, or have the code of a refusal."""
        reply = json.loads(exchange.reply.body)
        expected = (200, None) if refusal is None else CODES[refusal]
        assert (exchange.reply.status, reply.get("error_code")) == expected, reply
        assert exchange.accepted is (refusal is None)
        return reply

    def stated(self, items: list[tuple[str, str | None]]) -> list[tuple[str, str]]:
        """A batch with the version that each instance has where none is stated."""
        known = self.model.instances
        return [(each, version or (self.model.version(each) if each in known else OLD)) for each, version in items]

    # requests

    @rule(items=batches, delay=delays)
    def upgrade(self, items: list[tuple[str, str | None]], delay: object) -> None:
        stated = self.stated(items)
        before = list(self.model.instances)
        self.model.adopt(stated)
        found = [each for each in (self.model.hindrance(*item) for item in stated) if each is not None]
        exchange = self.ask("POST", UPGRADED, self.body(stated, delay=delay))
        self.expect(exchange, found[0] if found else None)
        granted = [] if found else list(dict.fromkeys(instance_id for instance_id, _ in stated))
        assert exchange.upgraded == tuple(granted)
        for instance_id in granted:
            self.model.submit("scheduled" if delay in (True, "true") else "immediate", instance_id)
        if found:  # then nothing was adopted either
            self.model.instances = {each: self.model.instances[each] for each in before}

    @rule(instance_id=ids, delay=st.none() | delays)
    def upgrade_one(self, instance_id: str, delay: object) -> None:
        known = instance_id in self.model.instances
        refusal = self.model.hindrance(instance_id, None) if known else "unknown"
        body = b"" if delay is None else {"delay": delay}
        exchange = self.ask("POST", f"{PROJECT}/instances/{instance_id}/db-upgrade", body)
        reply = self.expect(exchange, refusal)
        assert exchange.upgraded == ((instance_id,) if refusal is None else ())
        if refusal is None:
            self.model.submit("scheduled" if delay in (True, "true") else "immediate", instance_id)
            self.model.jobs[-1]["id"] = reply["job_id"]

    @precondition(lambda self: any(self.model.status(job) == "Pending" for job in self.model.jobs))
    @rule(number=st.integers(0, 9), count=st.integers(1, 2))
    def cancel_what_is_pending(self, number: int, count: int) -> None:
        pending = [job for job in self.model.jobs if self.model.status(job) == "Pending"]
        self.cancel([job["id"] for job in (pending * 2)[number % len(pending) :][:count]])

    @precondition(lambda self: self.model.jobs)
    @rule(numbers=st.lists(st.integers(0, 30), min_size=1, max_size=3), unknown=st.booleans())
    def cancel_anything(self, numbers: list[int], unknown: bool) -> None:  # noqa: FBT001  # Hypothesis passes it by name
        names = [self.model.jobs[number % len(self.model.jobs)]["id"] for number in numbers]
        self.cancel([*names, *["no-job"] * unknown])

    def cancel(self, names: list[str]) -> None:
        pending = {job["id"] for job in self.model.jobs if self.model.status(job) == "Pending"}
        scheduled = {job["id"] for job in self.model.jobs if job["kind"] == "scheduled"}
        can = set(names) <= pending & scheduled
        exchange = self.ask("DELETE", f"{PROJECT}/scheduled-jobs", {"job_ids": names})
        reply = self.expect(exchange, None if can else "bad")
        if can:
            assert reply["job_ids"] == list(dict.fromkeys(names))
            self.model.jobs = [job for job in self.model.jobs if job["id"] not in names]

    @rule(group=groups, stated=st.sampled_from([None, None, *VERSIONS]))
    def check(self, group: list[str], stated: str | None) -> None:
        items = self.stated([(each, stated) for each in group])
        mixed = len({version for _, version in items}) > 1
        exchange = self.ask("POST", f"{UPGRADED}/pre-check", self.body(items))
        reply = self.expect(exchange, "bad" if mixed else None)
        if not mixed:
            self.model.adopt(items)
            for instance_id in dict(items):
                self.model.submit("check", instance_id)
            assert len(reply["job_ids"]) == len(dict(items))

    @rule(group=groups, stated=st.sampled_from([None, *VERSIONS]))
    def ask_what_a_check_found(self, group: list[str], stated: str | None) -> None:
        items = self.stated([(each, stated) for each in group])
        checked = {job["instance"]: job["ends"] for job in self.model.jobs if job["kind"] == "check"}
        refusal = None
        if len({version for _, version in items}) > 1:
            refusal = "bad"
        elif not set(group) <= set(self.model.instances):
            refusal = "unknown"
        elif not set(group) <= set(checked):
            refusal = "bad"
        reply = self.expect(self.ask("POST", f"{UPGRADED}/pre-check-result", self.body(items)), refusal)
        if refusal is None:
            good = all(self.model.hindrance(*item) is None for item in items)
            assert reply["upgrade_precheck_result"] == ("true" if good else "false")
            assert len(reply["upgrade_precheck_detail"]) == 4 * len(set(group))
            assert reply["updated_at"] == int(max(checked[each] for each in group) * 1000)

    @precondition(lambda self: any(job["kind"] == "check" for job in self.model.jobs))
    @rule(number=st.integers(0, 9))
    def ask_what_was_checked(self, number: int) -> None:
        checked = [job["instance"] for job in self.model.jobs if job["kind"] == "check"]
        self.ask_what_a_check_found([checked[number % len(checked)]], None)

    @staticmethod
    def body(stated: list[tuple[str, str]], **more: object) -> dict[str, object]:
        items = [{"instance_id": instance_id, "current_version": version} for instance_id, version in stated]
        return {"databases_instance_infos": items, **more}

    # the world

    @rule(by=moves)
    def move_the_clock(self, by: float) -> None:
        self.model.now += by
        self.engine.store.move_clock(PROJECT_ID, self.model.now - NOW)

    @rule(instance_id=ids, after=st.sampled_from([0, 0, -0.5, 0.5]))
    def delay_an_upgrade_when_maintenance_begins(self, instance_id: str, after: float) -> None:
        window = self.model.instances.get(instance_id, {"window": 2})["window"]
        begin = (math.floor(self.model.now / DAY) + 1) * DAY + window * 3600
        self.move_the_clock(begin + after - self.model.now)
        self.upgrade([(instance_id, None)], delay=True)

    @precondition(lambda self: self.model.jobs)
    @rule(number=st.integers(0, 30), before=st.sampled_from([0, 0.5, -0.5]))
    def move_the_clock_to_a_turn(self, number: int, before: float) -> None:
        """To where a job begins or ends, or just beside."""
        times = [job[name] for job in self.model.jobs for name in ("starts", "ends")]
        self.move_the_clock(times[number % len(times)] - before - self.model.now)

    @rule(
        instance_id=ids,
        status=st.sampled_from(["normal", "frozen", "abnormal"]),
        version=st.none() | st.sampled_from(VERSIONS),
    )
    def edit(self, instance_id: str, status: str, version: str | None) -> None:
        known = self.model.instances.get(instance_id)
        if known is None and version is None:
            return
        self.control.edit(PROJECT_ID, instance_id, {"status": status, **({"version": version} if version else {})})
        shown = version or self.model.version(instance_id)
        plain = {"id": instance_id, "window": 2, "fails": None}
        self.model.instances[instance_id] = {**(known or plain), "version": shown, "status": status}
        for job in self.model.jobs:
            if job["instance"] == instance_id and job["ends"] <= self.model.now:
                job["decides"] = False

    @precondition(lambda self: any(job["kind"] != "check" for job in self.model.jobs))
    @rule(number=st.integers(0, 9), version=st.none() | st.sampled_from(VERSIONS))
    def edit_what_was_upgraded(self, number: int, version: str | None) -> None:
        upgraded = [job["instance"] for job in self.model.jobs if job["kind"] != "check"]
        self.edit(upgraded[number % len(upgraded)], "normal", version)

    @rule(instance_id=ids)
    def remove(self, instance_id: str) -> None:
        known = instance_id in self.model.instances
        assert self.control.remove(PROJECT_ID, instance_id) is known
        if known:
            self.model.remove(instance_id)

    @rule()
    def reset(self) -> None:
        self.engine.store.clear_state(PROJECT_ID)
        self.model.reset()

    # what must hold

    @invariant()
    def the_instances_are_the_models(self) -> None:
        reply = json.loads(self.ask("GET", OF_V3_1).reply.body)
        unified = {"frozen": "abnormal"}
        begin = [each["id"] for each in FLEET if each["id"] in self.model.instances]
        order = [*begin, *(each for each in self.model.instances if each not in begin)]
        assert reply["total_count"] == len(order)
        assert {each["id"]: (each["datastore"]["kernel_version"], each["status"]) for each in reply["instances"]} == {
            name: (self.model.version(name), unified.get(one["status"], one["status"]))
            for name, one in self.model.instances.items()
        }
        assert [each["id"] for each in reply["instances"]][: len(begin)] == begin

    @invariant()
    def the_jobs_are_the_models(self) -> None:
        for path, names, kinds in (
            ("immediate-jobs", ("jobs", "status", "created_time", "ended_time"), ("immediate", "check")),
            ("scheduled-jobs", ("schedules", "job_status", "create_time", "end_time", "start_time"), ("scheduled",)),
        ):
            expected = [job for job in reversed(self.model.jobs) if job["kind"] in kinds]
            found = self.all_rows(path, names[0])
            assert len(found) == len(expected)
            for row, job in zip(found, expected, strict=True):
                job["id"] = job["id"] or row["job_id"]
                over = shown(job["ends"]) if self.model.now >= job["ends"] else ""
                times = (shown(job["created"]), over, shown(job["starts"]))
                assert [row[name] for name in ("job_id", "instance_id", *names[1:])] == [
                    job["id"], job["instance"], self.model.status(job), *times[: len(names) - 2],
                ]  # fmt: skip
        ids_now = {job["id"] for job in self.model.jobs}
        assert len(ids_now) == len(self.model.jobs), "no id comes twice"

    def all_rows(self, path: str, rows: str) -> list[dict[str, Any]]:
        """Every row of a list of jobs, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            query = f"offset={len(found) + 1}&limit=20"
            reply = json.loads(self.ask("GET", f"{PROJECT}/{path}", query=query).reply.body)
            found += reply[rows]
            if len(found) >= reply["total_count"] or not reply[rows]:
                return found

    @invariant()
    def nobody_else_is_touched(self) -> None:
        reply = self.ask("GET", f"/v3/{OTHER_PROJECT}/instances").reply
        shown = {each["id"]: each["datastore"]["kernel_version"] for each in json.loads(reply.body)["instances"]}
        assert shown == {each["id"]: each["version"] for each in FLEET}


def fleet() -> Fleet:
    instances = [
        Instance(
            id=each["id"],
            name=f"name-{each['id']}",
            version=each["version"],
            status=each.get("status", "normal"),
            maintenance_window=f"{each['window']:02}:00-{(each['window'] + 4) % 24:02}:00",
            upgrade_fails=each.get("fails"),
        )
        for each in FLEET
    ]
    return Fleet({each.id: each for each in instances}, LATEST)


def test_any_sequence_of_requests_edits_and_times_leaves_fleet_and_model_the_same(loaded_engine: Engine) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call, unused-ignore]  # Hypothesis does not type it
        lambda: FleetBesideModel(loaded_engine),
        settings=settings(bounded, max_examples=250, stateful_step_count=40),
    )


# Many at once

THREADS = 16
NEW = [f"{number:032x}in07" for number in range(12)]
some = st.lists(st.sampled_from(NEW), min_size=1, max_size=8)


class Together:
    """Sixteen clients who ask at the same moment."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS)
        self._barrier = Barrier(THREADS)

    def __call__(self, ask: Callable[[int], Any]) -> list[Any]:
        """What each of them gets."""

        def at_once(number: int) -> Any:  # noqa: ANN401  # whatever is asked for
            self._barrier.wait(30)
            return ask(number)

        return list(self._pool.map(at_once, range(THREADS)))

    def close(self) -> None:
        self._pool.shutdown()


@pytest.fixture(scope="module")
def together() -> Iterator[Together]:
    clients = Together()
    yield clients
    clients.close()


def upgrade_of(instance_ids: list[str], *, delay: bool) -> dict[str, object]:
    return batch(*({"instance_id": each, "current_version": OLD} for each in instance_ids), delay=delay)


def upgrades(engine: Engine) -> list[str]:
    """The instance of every upgrade in the project's lists of jobs."""
    found = []
    for path, rows in (("immediate-jobs", "jobs"), ("scheduled-jobs", "schedules")):
        query = "limit=50" if rows == "jobs" else "limit=100"
        reply = engine.handle(api_request(b"", method="GET", path=f"{PROJECT}/{path}", query=query)).reply
        found += [row["instance_id"] for row in json.loads(reply.body)[rows]]
    return sorted(found)


@settings(bounded, max_examples=40)
@given(instance_ids=some, delay=st.booleans(), seconds=st.sampled_from([0, 60]))
def test_one_batch_that_many_submit_at_once_is_upgraded_exactly_once(
    loaded_engine: Engine,
    together: Together,
    instance_ids: list[str],
    delay: bool,  # noqa: FBT001  # Hypothesis passes it by name
    seconds: int,
) -> None:
    engine = replace(loaded_engine, store=Store(fleet()), policy=Policy(upgrade_seconds=seconds))
    request = api_request(upgrade_of(instance_ids, delay=delay))
    exchanges = together(lambda _: engine.handle(request))
    refusal = (409, "DBS.200011") if delay or seconds else (400, "DBS.200041")
    statuses = sorted((e.reply.status, json.loads(e.reply.body).get("error_code")) for e in exchanges)
    assert statuses == sorted([(200, None), *[refusal] * (THREADS - 1)])
    distinct = list(dict.fromkeys(instance_ids))
    assert [e.upgraded for e in exchanges if e.upgraded] == [tuple(distinct)]
    assert upgrades(engine) == sorted(distinct)


@settings(bounded, max_examples=40)
@given(asked=st.lists(some, min_size=THREADS, max_size=THREADS))
def test_of_batches_that_overlap_each_instance_is_upgraded_at_most_once_and_a_refused_batch_not_at_all(
    loaded_engine: Engine, together: Together, asked: list[list[str]]
) -> None:
    engine = replace(loaded_engine, store=Store(fleet()), policy=Policy())
    requests = [api_request(upgrade_of(each, delay=False)) for each in asked]
    exchanges = together(lambda number: engine.handle(requests[number]))
    granted = [each.upgraded for each in exchanges if each.accepted]
    assert granted
    assert all(each.upgraded == () and each.reply.status == 400 for each in exchanges if not each.accepted)
    assert [tuple(dict.fromkeys(asked[n])) for n, each in enumerate(exchanges) if each.accepted] == granted
    instances = [instance_id for each in granted for instance_id in each]
    assert len(instances) == len(set(instances))
    assert upgrades(engine) == sorted(instances)


@pytest.mark.parametrize("delay", [True, False], ids=["delayed", "at-once"])
def test_over_http_one_batch_that_many_submit_at_once_is_upgraded_exactly_once(
    mock: MockServer, together: Together, *, delay: bool
) -> None:
    project = mock.project()
    body = json.dumps(upgrade_of(NEW, delay=delay)).encode()
    statuses = together(lambda _: send(mock.url, path=project.path, body=body).status)
    assert sorted(statuses) == [200, *[409 if delay else 400] * (THREADS - 1)]
    project.assert_upgraded(*NEW)
    assert [job["instance_id"] for job in project.jobs] == NEW
