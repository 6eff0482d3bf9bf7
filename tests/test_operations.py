"""Operations: each document has its module, and what the module decides."""

from __future__ import annotations

import json
from pathlib import Path
from re import sub
from typing import TYPE_CHECKING, Any

import pytest
from fleets import OLD, batch_of, decide, fleet_of, instance, instance_id
from support import LATEST, NOW, PROJECT_ID, UPGRADE, batch
from test_resources import copy_documents, edit

from mockserver import operations
from mockserver.contract import Contract, load_contract
from mockserver.engine import load_engine
from mockserver.errors import ResourceError
from mockserver.fleet import Network, Policy
from mockserver.model import ApiError, Reply
from mockserver.operations import load_decide
from mockserver.settings import Settings

if TYPE_CHECKING:
    from mockserver.project_fleet import ProjectFleet
UPGRADE_TEMPLATE = "/v3/{project_id}/instances/database-version/upgrade"


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract(Settings())


def test_documents_and_modules_of_operations_come_in_pairs(contract: Contract) -> None:
    modules = {path.stem for path in Path(operations.__file__).parent.glob("*.py")} - {"__init__"}
    assert {sub(r"(?<!^)(?=[A-Z])", "_", operation.id).lower() for operation in contract.operations} == modules
    for operation in contract.operations:
        assert callable(load_decide(operation.id))


@pytest.mark.parametrize(
    ("operation_id", "module"),
    [
        ("DeleteGaussMySqlInstance", "delete_gauss_my_sql_instance"),
        ("ListGaussMySqlBackups", "list_gauss_my_sql_backups"),
        ("ping", "ping"),
    ],
)
def test_an_operation_without_a_module_is_refused_with_the_name_of_the_module(operation_id: str, module: str) -> None:
    with pytest.raises(ResourceError) as caught:
        load_decide(operation_id)
    assert str(caught.value) == (
        f"operation {operation_id} has a document under schemas/ but no module mockserver.operations.{module}"
    )


def test_an_operation_document_without_a_module_is_refused_at_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copy_documents(tmp_path, monkeypatch) / "schemas" / "operations" / "batch-upgrade-databases.json"
    edit(path, f"/{UPGRADE_TEMPLATE.replace('/', '~1')}/post/operationId", "BatchDowngradeDatabases")
    with pytest.raises(ResourceError, match=r"no module .*batch_downgrade_databases"):
        load_engine(Settings())


BODIES = {
    "one": batch(),
    "delayed": batch(delay="true"),
    "many": batch_of(1, 2, 3, delay=False),
    "none": {"databases_instance_infos": [], "delay": False},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_an_upgrade_is_accepted_with_the_words_that_terraform_demands(body: dict[str, Any]) -> None:
    decision = decide(UPGRADE, state=fleet_of(), body=body)
    assert decision.reply == Reply(200, b'{"resp":"success"}')
    ids = tuple(each["instance_id"] for each in body["databases_instance_infos"])
    assert decision.upgraded == ids
    assert tuple(job.instance_id for job in decision.changes.submitted) == ids


def answer(operation: str, state: ProjectFleet | None = None, **asked: Any) -> Any:  # noqa: ANN401  # a JSON value
    """The body of an operation's reply."""
    return json.loads(decide(operation, state=fleet_of() if state is None else state, **asked).reply.body)


def refusal_of(operation: str, state: ProjectFleet, **asked: Any) -> tuple[str, tuple[str, ...]]:  # noqa: ANN401  # of call
    with pytest.raises(ApiError) as caught:
        decide(operation, state=state, **asked)
    return caught.value.name, caught.value.about


# Instances

SLOW = Policy(upgrade_seconds=60)


def states(now: float) -> tuple[list[str], list[str]]:
    """How v3 and v3.1 call the state of instances of each kind, the last of which is being upgraded."""
    kinds = ("normal", "abnormal", "creating", "createfail", "frozen")
    state = fleet_of(*(instance(number, status=kind) for number, kind in enumerate(kinds)), instance(9))
    decide(state=state, body=batch_of(9, delay=False), policy=SLOW)
    rows = [
        answer(each, state, now=now)["instances"]
        for each in ("ListGaussMySqlInstances", "ListGaussMySqlInstancesUnifyStatus")
    ]
    details = [
        [answer(each, state, now=now, instance=row["id"])["instance"]["status"] for row in rows[0]]
        for each in ("ShowGaussMySqlInstanceInfo", "ShowGaussMySqlInstanceInfoUnifyStatus")
    ]
    older, unified = ([row["status"] for row in each] for each in rows)
    assert details == [older, unified]
    return older, unified


def test_each_version_of_the_api_has_its_own_names_of_statuses() -> None:
    older = ["ACTIVE", "FAILED", "BUILD", "FAILED", "FROZEN", "REBOOTING"]
    unified = ["normal", "abnormal", "creating", "createfail", "abnormal", "normal"]
    assert states(NOW) == (older, unified)
    assert states(NOW + 60) == ([*older[:-1], "ACTIVE"], unified)


def test_an_instance_is_shown_with_its_version_and_when_it_got_it() -> None:
    state = fleet_of(
        instance(1, tags=(("stage", "test"),), network=Network(private_ip="10.0.0.1", proxy_ip="10.0.0.9"))
    )
    decide(state=state, body=batch_of(1, delay=False), policy=SLOW)
    shown = {
        now: answer("ShowGaussMySqlInstanceInfo", state, now=now, instance=instance_id(1))["instance"]
        for now in (NOW, NOW + 60)
    }
    before, after = shown.values()
    assert [each["datastore"]["kernel_version"] for each in (before, after)] == [OLD, LATEST]
    assert [each["updated"] for each in (before, after)] == ["2026-01-01T00:00:00+0000", "2027-01-15T08:01:00+0000"]
    assert after["tags"] == [{"key": "stage", "value": "test"}]
    assert after["private_write_ips"] == after["nodes"][0]["private_read_ips"] == ["10.0.0.1"]
    assert [each["address"] for each in after["proxies"]] == ["10.0.0.9"]
    assert after["project_id"] == PROJECT_ID


def test_an_instance_without_addresses_has_empty_lists() -> None:
    shown = answer("ShowGaussMySqlInstanceInfo", fleet_of(instance(1)), instance=instance_id(1))["instance"]
    assert (shown["private_write_ips"], shown["proxies"], shown["tags"]) == ([], [], [])
    assert [node["private_read_ips"] for node in shown["nodes"]] == [[], []]


@pytest.mark.parametrize(
    ("version", "flag", "latest"),
    [(OLD, True, LATEST), (LATEST, False, LATEST), ("99.0.0.0", False, "99.0.0.0"), ("my-own", True, LATEST)],
    ids=["older", "latest", "newer", "of-no-form"],
)
def test_a_version_is_shown_beside_the_one_that_an_upgrade_leads_to(version: str, latest: str, *, flag: bool) -> None:
    shown = answer("ShowInstanceDatabaseVersion", fleet_of(instance(1, version=version)), instance=instance_id(1))
    assert shown["upgrade_flag"] is flag
    assert (shown["datastore"]["current_kernel_version"], shown["datastore"]["latest_kernel_version"]) == (
        version,
        latest,
    )


def test_the_engine_has_the_version_that_upgrades_of_the_project_lead_to() -> None:
    found = answer("ShowGaussMySqlEngineVersion", fleet_of(latest="9.0.0.0"))["datastores"]
    assert [each["kernel_version"] for each in found] == ["9.0.0.0"]


# Jobs


def with_each_kind() -> tuple[ProjectFleet, dict[str, str]]:
    """A project with a job of each kind, and their ids."""
    state = fleet_of(instance(1, upgrade_fails="no luck"), instance(2), instance(3))
    decide(state=state, body=batch_of(1, delay=False), policy=SLOW)
    decide("UpgradeGaussMySqlInstanceDatabase", state=state, body={"delay": True}, instance=instance_id(2), policy=SLOW)
    decide("CheckKernelUpgrade", state=state, body=batch_of(3))
    return state, {job.kind: job.id for job in state.jobs.values()}


def test_the_upgrade_of_one_answers_the_id_of_its_job() -> None:
    state = fleet_of(instance(1))
    decision = decide("UpgradeGaussMySqlInstanceDatabase", state=state, body=None, instance=instance_id(1))
    assert json.loads(decision.reply.body) == {"job_id": next(iter(state.jobs))}
    assert (decision.upgraded, [job.kind for job in state.jobs.values()]) == ((instance_id(1),), ["immediate"])


def test_jobs_are_listed_with_their_state_at_the_time() -> None:
    state, _ = with_each_kind()
    seen = {
        later: [
            (row["status"], row["process"], row["ended_time"], row["fail_reason"])
            for row in answer("ListImmediateJobs", state, now=NOW + later)["jobs"]
        ]
        for later in (0, 30, 60)
    }
    check = ("Completed", "", "2027-01-15T08:00:00+0000", "")
    assert seen == {
        0: [check, ("Running", "0%", "", "")],
        30: [check, ("Running", "50%", "", "")],
        60: [check, ("Failed", "", "2027-01-15T08:01:00+0000", "no luck")],
    }
    (row,) = answer("ListScheduleJobs", state)["schedules"]
    begin = "2027-01-16T02:00:00+0000"
    assert (row["job_status"], row["create_time"], row["start_time"], row["end_time"]) == (
        "Pending", "2027-01-15T08:00:00+0000", begin, "",
    )  # fmt: skip


def test_a_job_is_shown_whatever_its_kind() -> None:
    state, ids = with_each_kind()
    shown = {kind: answer("ShowGaussMySqlJobInfo", state, query={"id": each})["job"] for kind, each in ids.items()}
    assert {kind: (job["status"], job["instance"]["id"]) for kind, job in shown.items()} == {
        "immediate": ("Running", instance_id(1)),
        "scheduled": ("Pending", instance_id(2)),
        "check": ("Completed", instance_id(3)),
    }
    assert refusal_of("ShowGaussMySqlJobInfo", state, query={"id": "another"}) == ("job-unknown", ("another",))


def test_the_jobs_of_a_removed_instance_go_with_it() -> None:
    state, ids = with_each_kind()
    state.remove(instance_id(1))
    assert [row["job_id"] for row in answer("ListImmediateJobs", state)["jobs"]] == [ids["check"]]


def test_a_pending_job_is_cancelled_and_its_instance_may_be_upgraded() -> None:
    state, ids = with_each_kind()
    job_id = ids["scheduled"]
    assert answer("CancelScheduleTask", state, body={"job_ids": [job_id, job_id]}) == {"job_ids": [job_id]}
    assert refusal_of("CancelScheduleTask", state, body={"job_ids": [job_id]}) == ("job-unknown", (job_id,))
    assert refusal_of("ShowGaussMySqlJobInfo", state, query={"id": job_id}) == ("job-unknown", (job_id,))
    assert answer("ListScheduleJobs", state)["schedules"] == []
    assert decide(state=state, body=batch_of(2, delay=True)).upgraded == (instance_id(2),)


@pytest.mark.parametrize("kind", ["immediate", "check"])
def test_only_scheduled_jobs_can_be_cancelled_and_all_or_none(kind: str) -> None:
    state, ids = with_each_kind()
    both = {"job_ids": [ids["scheduled"], ids[kind]]}
    assert refusal_of("CancelScheduleTask", state, body=both) == ("job-not-pending", (ids[kind],))
    assert refusal_of("CancelScheduleTask", state, body={"job_ids": [ids["scheduled"], "x"]}) == ("job-unknown", ("x",))
    assert len(state.jobs) == 3


@pytest.mark.parametrize("later", [18 * 3600, 18 * 3600 + 30, 18 * 3600 + 60], ids=["begins", "runs", "is-over"])
def test_a_scheduled_job_that_has_begun_cannot_be_cancelled(later: float) -> None:
    state, ids = with_each_kind()
    body = {"job_ids": [ids["scheduled"]]}
    assert refusal_of("CancelScheduleTask", state, body=body, now=NOW + later)[0] == "job-not-pending"
    assert answer("CancelScheduleTask", state, body=body, now=NOW + 18 * 3600 - 1) == body


# The identity service


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "all"),
        ({"name": "cn-north-1"}, ["cn-north-1"]),
        ({"name": "cn-north"}, []),
        ({"enabled": True, "is_domain": False}, "all"),
        ({"enabled": False}, []),
        ({"is_domain": True}, []),
        ({"domain_id": "another"}, []),
        ({"page": 1, "per_page": 2}, ["cn-north-4", "cn-north-1"]),
        ({"page": 2, "per_page": 2}, ["cn-north-9", "cn-east-3"]),
        ({"page": 10**30, "per_page": 2}, []),
        ({"page": 2}, "all"),
    ],
    ids=[
        "all", "name", "part-of-a-name", "good", "disabled", "domains", "another-account", "page", "second-page",
        "far-page", "page-without-its-size",
    ],
)  # fmt: skip
def test_projects_are_listed_by_what_the_query_says(query: dict[str, Any], found: object) -> None:
    projects = answer("KeystoneListProjects", query=query)["projects"]
    names = [region["id"] for region in answer("KeystoneListRegions")["regions"]]
    assert [each["name"] for each in projects] == (names if found == "all" else found)
    assert all(each["links"]["self"] == f"http://mock/v3/projects/{each['id']}" for each in projects)


def token_for(scope: object, **query: object) -> Any:  # noqa: ANN401  # a JSON value
    user = {"name": "anna", "password": "right", "domain": {"name": "company"}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    return answer("KeystoneCreateUserTokenByPassword", body=body, query=query)["token"]


def test_a_token_stands_for_the_project_or_the_account_that_was_asked_for() -> None:
    by_id, by_name, unknown = (
        token_for({"project": scope})["project"]
        for scope in ({"id": PROJECT_ID}, {"name": "cn-north-4"}, {"id": "f" * 32})
    )
    assert by_id == by_name == {"id": PROJECT_ID, "name": "cn-north-4", "domain": by_id["domain"]}
    assert (unknown["id"], unknown["domain"]["name"]) == ("f" * 32, "company")
    account = token_for({"domain": {"name": "company"}})
    assert ("project" in account, account["domain"]) == (False, by_id["domain"])


def test_a_token_says_when_it_ends_and_where_the_services_are() -> None:
    token = token_for({"project": {"id": PROJECT_ID}})
    assert (token["issued_at"], token["expires_at"]) == ("2027-01-15T08:00:00.000000Z", "2027-01-16T08:00:00.000000Z")
    urls = [endpoint["url"] for service in token["catalog"] for endpoint in service["endpoints"]]
    assert urls == ["http://mock/v3", f"http://mock/v3/{PROJECT_ID}"]
    assert token_for({"project": {"id": PROJECT_ID}}, nocatalog="true")["catalog"] == []


@pytest.mark.parametrize(
    ("scope", "pointer"),
    [
        ({}, "/auth/scope"),
        ({"project": {}}, "/auth/scope/project"),
        ({"domain": {}}, "/auth/scope/domain"),
        ({"project": {}, "domain": {"id": "x"}}, "/auth/scope/project"),
    ],
    ids=["nothing", "project-without-name", "domain-without-name", "project-before-domain"],
)
def test_a_token_for_nothing_is_refused_at_its_place(scope: object, pointer: str) -> None:
    with pytest.raises(ApiError) as caught:
        token_for(scope)
    assert [(each.location, each.pointer, each.clause) for each in caught.value.violations] == [
        ("body", pointer, "token.scope"),
    ]


def test_a_token_for_a_region_without_a_project_is_refused() -> None:
    with pytest.raises(ApiError) as caught:
        token_for({"project": {"name": "nowhere"}})
    assert (caught.value.name, caught.value.about) == ("project-unknown", ("nowhere",))
