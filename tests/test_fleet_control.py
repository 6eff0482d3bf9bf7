"""Reading and changing a project's fleet: by a test's handle, and by the admin API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support import PROJECT_ID, UPGRADE_PATH, batch, send

from mockserver.errors import FleetError, ScenarioError

if TYPE_CHECKING:
    from conftest import StartMock

    from mockserver.running import MockServer

ID = "0123456789abcdef0123456789abcdefin07"
DEMONSTRATION_ID = "d0000000000000000000000000000001in07"
LATEST = "2.0.69.250900"


def admin(mock: MockServer, method: str, path: str, body: object = None) -> tuple[int, Any]:
    content = b"" if body is None else json.dumps(body).encode()
    reply = send(mock.url, method, f"/__admin/{path}", body=content, headers={"Content-Type": "application/json"})
    return reply.status, reply.json()


def upgrade(mock: MockServer, instance_id: str, version: str, project_id: str = PROJECT_ID) -> int:
    path = UPGRADE_PATH.replace(PROJECT_ID, project_id)
    body = json.dumps(batch({"instance_id": instance_id, "current_version": version})).encode()
    return send(mock.url, path=path, body=body).status


# By a test's handle


def test_a_project_begins_with_the_demonstration_fleet_and_no_jobs(mock: MockServer) -> None:
    project = mock.project()
    assert [each["name"] for each in project.instances][:2] == ["orders-db", "users-db"]
    assert project.jobs == []


def test_a_loaded_fleet_is_what_requests_meet_and_no_other_project_has_it(start_mock: StartMock) -> None:
    mock = start_mock(unknown_instances="reject")
    mine, other = mock.project(), mock.project()
    mine.load_fleet([{"id": ID, "version": "2.0.1.1", "failing_checks": ["Resource check"]}], latest_version="2.0.2.2")
    assert mine.instances == [
        {"id": ID, "name": "instance-01234567", "version": "2.0.1.1", "failing_checks": ["Resource check"]}
    ]
    assert upgrade(mock, ID, "2.0.1.1", mine.project_id) == 200
    assert upgrade(mock, ID, "2.0.1.1", other.project_id) == 400
    assert mine.instances[0]["version"] == "2.0.2.2"
    assert [(job["instance_id"], job["status"], job["version"]) for job in mine.jobs] == [(ID, "Completed", "2.0.2.2")]
    assert len(other.instances) == 8


def test_jobs_follow_the_projects_clock(start_mock: StartMock) -> None:
    mock = start_mock(upgrade_seconds=600)
    assert upgrade(mock, DEMONSTRATION_ID, "2.0.48.231200", mock.project_id) == 200
    seen = []
    for seconds in (0, 600, 0):  # back again, too: a job is a function of time
        mock.move_clock(seconds)
        seen.append((mock.jobs[0]["status"], mock.instances[0]["version"]))
    assert seen == [("Running", "2.0.48.231200"), ("Completed", LATEST), ("Running", "2.0.48.231200")]


def test_an_edited_version_counts_although_a_job_has_led_to_another(mock: MockServer) -> None:
    project = mock.project()
    assert upgrade(mock, DEMONSTRATION_ID, "2.0.48.231200", project.project_id) == 200
    project.edit_instance(DEMONSTRATION_ID, version="2.0.54.240600")
    assert project.instances[0]["version"] == "2.0.54.240600"
    assert upgrade(mock, DEMONSTRATION_ID, "2.0.54.240600", project.project_id) == 200
    assert project.instances[0]["version"] == LATEST


def test_an_edit_of_something_else_keeps_the_version_that_a_job_has_led_to(mock: MockServer) -> None:
    project = mock.project()
    assert upgrade(mock, DEMONSTRATION_ID, "2.0.48.231200", project.project_id) == 200
    project.edit_instance(DEMONSTRATION_ID, status="frozen")
    assert (project.instances[0]["version"], project.instances[0]["status"]) == (LATEST, "frozen")
    assert upgrade(mock, DEMONSTRATION_ID, LATEST, project.project_id) == 409


def test_a_removed_instance_takes_its_jobs_along(mock: MockServer) -> None:
    project = mock.project()
    assert upgrade(mock, DEMONSTRATION_ID, "2.0.48.231200", project.project_id) == 200
    project.remove_instance(DEMONSTRATION_ID)
    assert (len(project.instances), project.jobs) == (7, [])
    with pytest.raises(FleetError, match=f"the project has no instance '{DEMONSTRATION_ID}'"):
        project.remove_instance(DEMONSTRATION_ID)


def test_a_reset_brings_the_fleet_of_the_start_back(mock: MockServer) -> None:
    project = mock.project()
    project.load_fleet([])
    assert project.instances == []
    project.reset()
    assert len(project.instances) == 8


@pytest.mark.parametrize(
    ("instances", "parts"),
    [
        ([{"id": ID}], ["at /instances/0", '"version" is a required property']),
        ([{"id": ID, "version": "2"}], ["at /instances/0/version"]),
        ([{"id": ID, "version": "2.0.1.1", "statsu": "x"}], ["'statsu' is perhaps 'status'"]),
        ([{"id": ID, "version": "2.0.1.1"}] * 2, [f"at /instances/1/id: {ID} comes twice"]),
        (
            [{"id": ID, "version": "2.0.1.1", "maintenance_window": "25:00-01:00"}],
            ["at /instances/0/maintenance_window"],
        ),
    ],
    ids=["no-version", "form-of-the-version", "unknown-key", "twice", "window"],
)
def test_an_unusable_fleet_is_refused_and_changes_nothing(
    mock: MockServer, instances: list[dict[str, Any]], parts: list[str]
) -> None:
    project = mock.project()
    with pytest.raises(FleetError) as caught:
        project.load_fleet(instances)
    assert [part for part in ["the fleet, ", *parts] if part not in str(caught.value)] == []
    assert len(project.instances) == 8


def test_an_adopted_instance_of_any_version_can_be_edited(mock: MockServer) -> None:
    project = mock.project()
    assert upgrade(mock, "any", "no-version", project.project_id) == 200
    project.edit_instance("any", status="frozen")
    assert project.instances[-1]["status"] == "frozen"


def test_a_rule_for_an_operation_that_does_not_exist_is_refused(mock: MockServer) -> None:
    with pytest.raises(ScenarioError, match="did you mean 'BatchUpgradeDatabases'"):
        mock.project().scenario("conflict", operation="BatchUpgradeDatabase")
    rule = {"scenario": "conflict", "only": {"operation": "BatchUpgradeDatabase"}}
    status, answer = admin(mock, "POST", "rules", rule)
    assert (status, "did you mean 'BatchUpgradeDatabases'" in answer["error_msg"]) == (400, True)


# By the admin API


def test_the_admin_api_lists_loads_edits_and_removes(mock: MockServer) -> None:
    project = {"project_id": PROJECT_ID}
    fleet = {"instances": [{"id": ID, "version": "2.0.51.240300"}], "latest_version": "2.0.54.240600"}
    loaded = {"project_id": PROJECT_ID, "latest_version": "2.0.54.240600", "total": 1, "jobs": 0}
    assert admin(mock, "PUT", "fleet", {**project, "fleet": fleet}) == (200, loaded)
    new = {"id": "another", "name": "instance-another", "version": "2.0.1.1"}
    edit = {**project, "instance": {"version": "2.0.1.1"}}
    assert admin(mock, "PUT", "fleet/instances/another", edit) == (200, new)
    frozen = {**new, "status": "frozen"}
    edit = {**project, "instance": {"status": "frozen"}}
    assert admin(mock, "PUT", "fleet/instances/another", edit) == (200, frozen)
    status, listed = admin(mock, "GET", f"fleet?project_id={PROJECT_ID}&offset=1&limit=1")
    assert (status, listed) == (200, {**loaded, "total": 2, "instances": [frozen]})
    assert admin(mock, "DELETE", f"fleet/instances/another?project_id={PROJECT_ID}") == (200, {})
    assert admin(mock, "GET", f"fleet?project_id={PROJECT_ID}")[1]["total"] == 1


def test_the_admin_api_shows_jobs_with_their_times(mock: MockServer) -> None:
    assert upgrade(mock, DEMONSTRATION_ID, "2.0.48.231200") == 200
    status, answer = admin(mock, "GET", f"jobs?project_id={PROJECT_ID}")
    (job,) = answer["jobs"]
    assert (status, job["kind"], job["status"], job["version"]) == (200, "immediate", "Completed", LATEST)
    assert job["created"] == job["starts"] == job["ends"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "parts"),
    [
        ("GET", "fleet", None, 400, ["'project_id' is required"]),
        ("PUT", "fleet", {"project_id": PROJECT_ID}, 400, ['"fleet" is a required property']),
        ("PUT", "fleet", {"project_id": PROJECT_ID, "fleet": {}}, 400, ["The fleet, at the top"]),
        (
            "PUT",
            "fleet/instances/new",
            {"project_id": PROJECT_ID, "instance": {"status": "normal"}},
            400,
            ["The instance new, ", '"version" is a required property'],
        ),
        ("DELETE", f"fleet/instances/x?project_id={PROJECT_ID}", None, 404, ["has no instance 'x'", "/__admin/fleet"]),
        ("GET", f"fleet?project_id={PROJECT_ID}&limit=0", None, 400, ["'limit'"]),
    ],
    ids=["no-project", "no-fleet", "empty-fleet", "new-without-version", "remove-unknown", "limit"],
)
def test_a_mistake_at_the_admin_api_is_named(  # one row of the table
    mock: MockServer, method: str, path: str, body: object, status: int, parts: list[str]
) -> None:
    found, answer = admin(mock, method, path, body)
    assert found == status
    assert [part for part in parts if part not in answer["error_msg"]] == []
