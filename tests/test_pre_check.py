"""The pre-check of an upgrade: what it demands, its jobs, and that it finds what would refuse the upgrade."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fleets import ACCEPT, ADOPT, OLD, REJECT, batch_of, call, decide, fleet_of, instance, instance_id
from support import LATEST, NOW

from mockserver.fleet import CHECKS, Instance, Policy
from mockserver.model import ApiError
from mockserver.pre_check import check_items, check_jobs, checked_at, require_one_version

if TYPE_CHECKING:
    from mockserver.project_fleet import ProjectFleet

CHECK, RESULT = "CheckKernelUpgrade", "ShowKernelUpgradeCheckResult"
PERMISSION, VERSION, RESOURCE, FEATURES = CHECKS


def failed(state: ProjectFleet, number: int = 1, stated: str = OLD, now: float = NOW) -> list[str]:
    """The checks of an instance that do not pass."""
    asked = call(RESULT, state=state, now=now)
    one = asked.fleet.instance(instance_id(number))
    assert one is not None
    rows = check_items(asked, one, stated)
    assert [row["check_item"] for row in rows] == list(CHECKS)
    assert {row["check_object"] for row in rows} == {one.id}
    assert {row["check_status"] for row in rows} <= {"passed", "failed"}
    assert all(row["check_description"].endswith(".") for row in rows)
    return [row["check_item"] for row in rows if row["check_status"] == "failed"]


@pytest.mark.parametrize(
    ("one", "stated", "found"),
    [
        (instance(1), OLD, []),
        (instance(1, status="frozen"), OLD, [PERMISSION]),
        (instance(1, status="creating"), OLD, [PERMISSION]),
        (instance(1, version=LATEST), LATEST, [VERSION]),
        (instance(1, version=LATEST), OLD, [VERSION]),
        (instance(1), "2.0.54.240600", [VERSION]),
        (instance(1, status="frozen", version=LATEST), OLD, [PERMISSION]),
        (instance(1, failing_checks=(RESOURCE,)), OLD, [RESOURCE]),
        (instance(1, failing_checks=CHECKS), OLD, list(CHECKS)),
        (instance(1, status="abnormal", failing_checks=(FEATURES, PERMISSION)), OLD, [PERMISSION, FEATURES]),
        (instance(1, upgrade_fails="no luck"), OLD, []),
    ],
    ids=[
        "good", "frozen", "not-normal", "latest", "latest-and-another-stated", "another-stated", "frozen-and-latest",
        "told-to-fail", "told-to-fail-in-all", "told-and-found", "an-upgrade-that-will-fail",
    ],
)  # fmt: skip
def test_the_check_fails_that_finds_what_would_refuse_the_upgrade(one: Instance, stated: str, found: list[str]) -> None:
    assert failed(fleet_of(one), stated=stated) == found


def test_an_upgrade_in_progress_fails_the_permission_check_until_it_is_over() -> None:
    state = fleet_of(instance(1))
    decide(state=state, body=batch_of(1, delay=False), policy=Policy(upgrade_seconds=60))
    assert [failed(state, now=NOW + later) for later in (0, 59, 60)] == [[PERMISSION], [PERMISSION], [VERSION]]


# Which may be checked


@pytest.mark.parametrize("versions", [[], [OLD], [OLD, OLD]], ids=["none", "one", "the-same-twice"])
def test_instances_of_one_version_may_be_checked_together(versions: list[str]) -> None:
    require_one_version([{"current_version": each, "instance_id": "i"} for each in versions])


@pytest.mark.parametrize("operation", [CHECK, RESULT])
def test_instances_of_several_versions_may_not(operation: str) -> None:
    items = [{"current_version": each, "instance_id": instance_id(1)} for each in ("1.0", "2.0", "1.0")]
    with pytest.raises(ApiError) as caught:
        decide(operation, state=fleet_of(instance(1)), body={"databases_instance_infos": items})
    assert (caught.value.name, caught.value.about) == ("pre-check-versions", ("1.0", "2.0"))


# Its jobs


def test_a_check_is_a_job_that_takes_no_time() -> None:
    jobs = check_jobs(call(CHECK), [instance(1), instance(2)])
    assert [(job.kind, job.instance_id, job.created, job.starts, job.ends) for job in jobs] == [
        ("check", instance_id(number), NOW, NOW, NOW) for number in (1, 2)
    ]
    assert len({job.id for job in jobs}) == 2
    assert {job.status(NOW) for job in jobs} == {"Completed"}


def test_a_pre_check_answers_the_ids_of_its_jobs_and_upgrades_nothing() -> None:
    state = fleet_of(instance(1), instance(2))
    decision = decide(CHECK, state=state, body=batch_of(1, 2, 1))
    assert json.loads(decision.reply.body) == {"job_ids": list(state.jobs)}
    assert [job.instance_id for job in state.jobs.values()] == [instance_id(1), instance_id(2)]
    assert decision.upgraded == ()
    assert failed(state) == []


@pytest.mark.parametrize(
    ("policy", "kept", "checked"),
    [(ADOPT, [1, 2], [1, 2]), (ACCEPT, [1], [1])],
    ids=["adopt", "accept"],
)
def test_unknown_instances_are_treated_as_in_an_upgrade(policy: Policy, kept: list[int], checked: list[int]) -> None:
    state = fleet_of(instance(1))
    decide(CHECK, state=state, body=batch_of(1, 2), policy=policy)
    assert [each.id for each in state.all_stated()] == [instance_id(number) for number in kept]
    assert [job.instance_id for job in state.jobs.values()] == [instance_id(number) for number in checked]


def test_rejected_instances_refuse_a_pre_check() -> None:
    state = fleet_of(instance(1))
    with pytest.raises(ApiError) as caught:
        decide(CHECK, state=state, body=batch_of(1, 2), policy=REJECT)
    assert (caught.value.name, caught.value.about) == ("instance-unknown", (instance_id(2),))
    assert not state.jobs


# Its result


def result(state: ProjectFleet, *numbers: int, **asked: Any) -> Any:  # noqa: ANN401  # a JSON value
    return json.loads(decide(RESULT, state=state, body=batch_of(*numbers), **asked).reply.body)


def test_the_result_tells_every_check_of_every_instance_and_whether_all_passed() -> None:
    state = fleet_of(instance(1), instance(2, failing_checks=(RESOURCE,)))
    decide(CHECK, state=state, body=batch_of(1, 2))
    both = result(state, 1, 2)
    assert both["upgrade_precheck_result"] == "false"
    assert [(row["check_object"], row["check_item"]) for row in both["upgrade_precheck_detail"]] == [
        (instance_id(number), check) for number in (1, 2) for check in CHECKS
    ]
    assert result(state, 1)["upgrade_precheck_result"] == "true"


def test_the_result_is_of_the_last_check_and_of_the_state_now() -> None:
    state = fleet_of(instance(1), instance(2))
    for number, now in ((1, NOW), (2, NOW + 5), (1, NOW + 9)):
        decide(CHECK, state=state, body=batch_of(number), now=now)
    assert [result(state, *each, now=NOW + 20)["updated_at"] for each in ((1,), (2,), (1, 2))] == [
        int(NOW + 9) * 1000, int(NOW + 5) * 1000, int(NOW + 9) * 1000,
    ]  # fmt: skip
    assert result(state, 1)["upgrade_precheck_result"] == "true"
    decide(state=state, body=batch_of(1, delay=False), now=NOW + 10)
    assert result(state, 1, now=NOW + 10)["upgrade_precheck_result"] == "false"


def test_without_a_pre_check_there_is_no_result() -> None:
    state = fleet_of(instance(1), instance(2), instance(3))
    decide(CHECK, state=state, body=batch_of(2))
    decide(state=state, body=batch_of(3, delay=False))
    asked = call(RESULT, state=state)
    assert checked_at(asked, [instance(2)]) == NOW
    with pytest.raises(ApiError) as caught:
        result(state, 1, 2, 3)
    assert (caught.value.name, caught.value.about) == ("pre-check-missing", (instance_id(1), instance_id(3)))


def test_an_unknown_instance_has_no_result_whatever_the_policy() -> None:
    for policy in (ADOPT, ACCEPT, REJECT):
        with pytest.raises(ApiError) as caught:
            result(fleet_of(instance(1)), 2, policy=policy)
        assert (caught.value.name, caught.value.about) == ("instance-unknown", (instance_id(2),))
