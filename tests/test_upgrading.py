"""The rules of an upgrade: every hindrance, what refuses a batch, what becomes of unknown instances, and the jobs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fleets import ACCEPT, ADOPT, DAY, OLD, REJECT, batch_of, call, decide, fleet_of, instance, instance_id
from support import LATEST, NOW, REQUEST_ID

from mockserver.fleet import Job, Policy
from mockserver.model import ApiError
from mockserver.project_fleet import Changes, FleetView, ProjectFleet
from mockserver.upgrading import MAX_NAMED, hindrance, is_delayed, look_up, require, upgrade, upgrade_one

if TYPE_CHECKING:
    from mockserver.fleet import Instance

LAST = {
    "frozen": "instance-frozen",
    "abnormal": "instance-abnormal",
    "creating": "instance-abnormal",
    "createfail": "instance-abnormal",
}
"""What hinders by status."""


def running(number: int = 1, **fields: Any) -> Job:  # noqa: ANN401  # fields of Job
    """An upgrade that is on its way at NOW."""
    given = {"created": NOW - 10, "starts": NOW - 10, "ends": NOW + 10, "version": LATEST, **fields}
    return Job("a-job", given.pop("kind", "immediate"), instance_id(number), "name", **given)


def state_with(one: Instance, *jobs: Job) -> ProjectFleet:
    state = fleet_of(one)
    state.apply(Changes(submitted=jobs))
    return state


def items(body: dict[str, Any]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = body["databases_instance_infos"]
    return found


def refused(state: ProjectFleet, *batch: dict[str, str], policy: Policy = ADOPT) -> tuple[str, tuple[str, ...]]:
    """The name of the error that refuses a batch, and whom it is about; the fleet must not have changed."""
    before = (list(state.all_stated()), list(state.jobs))
    with pytest.raises(ApiError) as caught:
        decide(state=state, body={"databases_instance_infos": list(batch), "delay": False}, policy=policy)
    assert (list(state.all_stated()), list(state.jobs)) == before
    return caught.value.name, caught.value.about


def item(number: int, version: str = OLD) -> dict[str, str]:
    return {"current_version": version, "instance_id": instance_id(number)}


# Hindrances

PENDING = running(kind="scheduled", starts=NOW + 5)
HINDRANCES: dict[str, tuple[Instance, list[Job], str, str | None]] = {
    "nothing": (instance(1), [], OLD, None),
    **{status: (instance(1, status=status), [], OLD, error) for status, error in LAST.items()},
    "running": (instance(1), [running()], OLD, "operation-running"),
    "pending": (instance(1), [PENDING], OLD, "operation-running"),
    "just-over": (instance(1), [running(ends=NOW)], OLD, "already-latest"),
    "failed": (instance(1), [running(ends=NOW, fail_reason="x")], OLD, None),
    "only-checked": (instance(1), [running(kind="check")], OLD, None),
    "already-latest": (instance(1, version=LATEST), [], LATEST, "already-latest"),
    "newer": (instance(1, version="99.0.0.0"), [], "99.0.0.0", "already-latest"),
    "another-version-stated": (instance(1), [], "2.0.54.240600", "version-mismatch"),
    "an-empty-version-stated": (instance(1), [], "", "version-mismatch"),
    "letter-by-letter": (instance(1), [], f"{OLD} ", "version-mismatch"),
    # What refuses first, where several would.
    "frozen-before-running": (instance(1, status="frozen"), [running()], OLD, "instance-frozen"),
    "abnormal-before-latest": (instance(1, status="abnormal", version=LATEST), [], LATEST, "instance-abnormal"),
    "running-before-latest": (instance(1, version=LATEST), [running()], LATEST, "operation-running"),
    "running-before-mismatch": (instance(1), [running()], "9", "operation-running"),
    "latest-before-mismatch": (instance(1, version=LATEST), [], OLD, "already-latest"),
}


@pytest.mark.parametrize(("one", "jobs", "stated", "expected"), HINDRANCES.values(), ids=HINDRANCES)
def test_every_hindrance_is_found_and_the_first_of_several(
    one: Instance, jobs: list[Job], stated: str, expected: str | None
) -> None:
    state = state_with(one, *jobs)
    asked = call(state=state)
    seen = asked.fleet.instance(one.id)
    assert seen is not None
    assert hindrance(asked, seen, stated) == expected
    if expected is not None:
        name, (about,) = refused(state, item(1, stated))
        assert name == expected
        assert about == (f"{one.id} ({stated} ≠ {OLD})" if expected == "version-mismatch" else one.id)


def test_without_a_stated_version_none_can_differ() -> None:
    state = fleet_of(instance(1))
    asked = call(state=state)
    assert hindrance(asked, instance(1), None) is None
    changes = upgrade_one(asked, instance(1), delay=False)
    assert [job.version for job in changes.submitted] == [LATEST]


@pytest.mark.parametrize("name", [name for name in HINDRANCES if HINDRANCES[name][3] not in (None, "version-mismatch")])
def test_what_hinders_a_batch_hinders_the_upgrade_of_one(name: str) -> None:
    one, jobs, _, expected = HINDRANCES[name]
    asked = call(state=state_with(one, *jobs))
    with pytest.raises(ApiError) as caught:
        upgrade_one(asked, require(asked, one.id), delay=False)
    assert (caught.value.name, caught.value.about) == (expected, (one.id,))


def test_a_retry_after_a_lost_answer_learns_that_the_upgrade_took_place() -> None:
    """It still states the old version, and is told of the upgrade instead of the difference."""
    state = fleet_of(instance(1))
    decide(state=state, body=batch_of(1, delay=False))
    assert refused(state, item(1)) == ("already-latest", (instance_id(1),))


def test_with_upgrades_that_take_time_the_retry_meets_the_running_one() -> None:
    state = fleet_of(instance(1))
    slow = Policy(upgrade_seconds=60)
    decide(state=state, body=batch_of(1, delay=False), policy=slow)
    assert refused(state, item(1), policy=slow) == ("operation-running", (instance_id(1),))
    with pytest.raises(ApiError, match="already-latest"):
        decide(state=state, body=batch_of(1, delay=False), policy=slow, now=NOW + 60)


def test_a_failed_upgrade_may_be_tried_again() -> None:
    state = fleet_of(instance(1, upgrade_fails="no luck"))
    for _ in range(3):
        decide(state=state, body=batch_of(1, delay=False))
    assert [job.fail_reason for job in state.jobs.values()] == ["no luck"] * 3
    assert FleetView(state, NOW).instance(instance_id(1)) == instance(1, upgrade_fails="no luck")


# Batches


def test_one_hindered_instance_refuses_the_whole_batch() -> None:
    state = fleet_of(instance(1), instance(2, status="frozen"), instance(3))
    assert refused(state, item(1), item(2), item(3), item(9)) == ("instance-frozen", (instance_id(2),))


def test_the_first_kind_of_hindrance_answers_and_names_all_that_have_it() -> None:
    state = fleet_of(
        instance(1), instance(2, version=LATEST), instance(3, status="frozen"), instance(4, version=LATEST)
    )
    assert refused(state, *map(item, (1, 2, 3, 4))) == ("already-latest", (instance_id(2), instance_id(4)))
    assert refused(state, *map(item, (1, 3, 2, 4))) == ("instance-frozen", (instance_id(3),))


@pytest.mark.parametrize("count", [1, MAX_NAMED, MAX_NAMED + 1, 100])
def test_a_refusal_names_a_few_and_says_when_there_are_more(count: int) -> None:
    state = fleet_of(*(instance(number, status="frozen") for number in range(count)))
    name, about = refused(state, *map(item, range(count)))
    named = [instance_id(number) for number in range(min(count, MAX_NAMED))]
    assert (name, list(about)) == ("instance-frozen", named + (["…"] if count > MAX_NAMED else []))


def test_an_instance_that_comes_twice_is_upgraded_once() -> None:
    for state in (fleet_of(instance(1)), fleet_of()):
        decision = decide(state=state, body=batch_of(1, 2, 1, delay=False))
        assert decision.upgraded == (instance_id(1), instance_id(2))
        assert [job.instance_id for job in state.jobs.values()] == [instance_id(1), instance_id(2)]


def test_an_instance_that_comes_twice_with_two_versions_is_refused_for_the_one_that_it_has_not() -> None:
    for state in (fleet_of(instance(1)), fleet_of()):
        name, about = refused(state, item(1), item(1, "1.0.0.0"))
        assert (name, about) == ("version-mismatch", (f"{instance_id(1)} (1.0.0.0 ≠ {OLD})",))


def test_a_refusal_names_an_instance_that_comes_twice_once() -> None:
    state = fleet_of(instance(1, status="frozen"))
    assert refused(state, item(1), item(1)) == ("instance-frozen", (instance_id(1),))


def test_an_empty_batch_upgrades_nothing() -> None:
    state = fleet_of(instance(1))
    decision = decide(state=state, body=batch_of(delay=False))
    assert (decision.upgraded, list(state.jobs)) == ((), [])


# Unknown instances


def test_adopted_instances_are_kept_with_the_version_that_was_stated() -> None:
    state = fleet_of(instance(1))
    decide(state=state, body=batch_of(2, version="2.0.31.220700", delay=True))
    adopted = FleetView(state, NOW).instance(instance_id(2))
    assert adopted == replace(instance(2), name="instance-00000000", version="2.0.31.220700")
    assert [each.id for each in state.all_stated()] == [instance_id(1), instance_id(2)]
    assert refused(state, item(2, "2.0.31.220700")) == ("operation-running", (instance_id(2),))


def test_accepted_instances_are_forgotten_at_once() -> None:
    state = fleet_of(instance(1))
    for _ in range(3):
        decision = decide(state=state, body=batch_of(2, 3, delay=False), policy=ACCEPT)
        assert decision.upgraded == (instance_id(2), instance_id(3))
    assert (state.size, len(state)) == (0, 1)
    known = decide(state=state, body=batch_of(2, 1, delay=False), policy=ACCEPT)
    assert (known.upgraded, [job.instance_id for job in state.jobs.values()]) == (
        (instance_id(2), instance_id(1)), [instance_id(1)],
    )  # fmt: skip
    assert refused(state, item(2), item(1), policy=ACCEPT) == ("already-latest", (instance_id(1),))


def test_of_an_accepted_instance_two_versions_may_be_stated() -> None:
    """It is kept nowhere, so no version of it is known."""
    body = {"databases_instance_infos": [item(2), item(2, "1.0.0.0")], "delay": False}
    assert decide(state=fleet_of(), body=body, policy=ACCEPT).upgraded == (instance_id(2),)


@pytest.mark.parametrize("policy", [ADOPT, ACCEPT], ids=["adopt", "accept"])
def test_an_unknown_instance_with_the_latest_version_cannot_be_upgraded_either(policy: Policy) -> None:
    assert refused(fleet_of(), item(2, LATEST), policy=policy) == ("already-latest", (instance_id(2),))


@pytest.mark.parametrize(
    ("status", "name"), [(400, "instance-unknown"), (404, "instance-not-found")], ids=["400", "404"]
)
def test_rejected_instances_refuse_the_batch_before_anything_else(status: int, name: str) -> None:
    state = fleet_of(instance(1, status="frozen"))
    policy = replace(REJECT, unknown_status=status)
    assert refused(state, item(1), item(2), item(3), item(2), policy=policy) == (name, (instance_id(2), instance_id(3)))
    assert refused(state, item(1), policy=policy)[0] == "instance-frozen"


@pytest.mark.parametrize("policy", [ADOPT, ACCEPT, REJECT], ids=["adopt", "accept", "reject"])
def test_where_an_instance_is_asked_for_by_its_path_it_must_exist(policy: Policy) -> None:
    asked = call(state=fleet_of(instance(1)), policy=policy)
    assert require(asked, instance_id(1)) == instance(1)
    with pytest.raises(ApiError) as caught:
        require(asked, instance_id(2))
    assert (caught.value.name, caught.value.about) == ("instance-unknown", (instance_id(2),))


def test_a_batch_is_looked_up_once_for_each_instance() -> None:
    batch = look_up(call(state=fleet_of(instance(1))), items(batch_of(2, 1, 2)))
    assert list(batch.instances) == list(batch.kept) == [instance_id(2), instance_id(1)]
    assert [each.id for each in batch.adopted] == [instance_id(2)]


# Jobs


def submitted(*numbers: int, delay: bool = False, policy: Policy = ADOPT, now: float = NOW, **fields: Any) -> Changes:  # noqa: ANN401  # fields of Instance
    state = fleet_of(*(instance(number, **fields) for number in numbers))
    return upgrade(call(state=state, policy=policy, now=now), items(batch_of(*numbers)), delay=delay)[0]


def test_an_upgrade_at_once_begins_now_and_takes_as_long_as_the_policy_says() -> None:
    (job,) = submitted(1, policy=Policy(upgrade_seconds=90)).submitted
    assert (job.kind, job.created, job.starts, job.ends) == ("immediate", NOW, NOW, NOW + 90)
    assert (job.instance_id, job.instance_name, job.version, job.fail_reason) == (instance_id(1), "db-1", LATEST, None)


def test_a_delayed_upgrade_begins_with_the_next_maintenance_window() -> None:
    midnight = NOW // DAY * DAY
    (job,) = submitted(1, delay=True, maintenance_window="22:00-02:00", policy=Policy(upgrade_seconds=90)).submitted
    begin = midnight + 22 * 3600
    assert (job.kind, job.created, job.starts, job.ends) == ("scheduled", NOW, begin, begin + 90)
    inside = submitted(1, delay=True, maintenance_window="22:00-02:00", now=begin).submitted[0]
    assert inside.starts == begin + DAY


def test_the_job_of_an_instance_whose_upgrade_fails_says_why() -> None:
    assert [job.fail_reason for job in submitted(1, upgrade_fails="no luck").submitted] == ["no luck"]


def test_jobs_have_ids_of_the_vendors_forms_which_never_come_twice() -> None:
    state = fleet_of()
    for number in range(3):  # of the same request id, which a test may give
        decide(state=state, body=batch_of(10 + number, 20 + number, delay=number == 1))
    forms = {"immediate": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "scheduled": "[0-9a-f]{32}"}
    assert len(state.jobs) == 6
    assert all(re.fullmatch(forms[job.kind], job.id) for job in state.jobs.values())
    other = submitted(1).submitted[0].id
    assert other.startswith(f"{REQUEST_ID[:8]}-{REQUEST_ID[8:12]}-")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"delay": True}, True),
        ({"delay": "true"}, True),
        ({"delay": False}, False),
        ({"delay": "false"}, False),
        ({}, False),
        (None, False),
        ([], False),
    ],
    ids=["true", "text-true", "false", "text-false", "absent", "no-body", "no-object"],
)
def test_an_upgrade_is_delayed_when_the_body_says_so(body: object, *, expected: bool) -> None:
    assert is_delayed(body) is expected
