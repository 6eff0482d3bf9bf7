"""A test's handle of a project: what it sends to scenarios, what it saw, and what it leaves to others."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from support import INSTANCE, LATEST, batch, send

from mockserver.client import strictly
from mockserver.errors import FleetError, ScenarioError
from mockserver.model import json_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conftest import StartMock

    from mockserver import MockProject, MockServer

ID = INSTANCE["instance_id"]
OTHER_ID = "0123456789abcdef0123456789abcdefin07"
HEADERS = {"X-Auth-Token": "a-token", "Content-Type": "application/json"}


@pytest.fixture
def project(mock: MockServer) -> MockProject:
    """A project of the test's own."""
    return mock.project()


def upgrade(
    project: MockProject,
    *instance_ids: str,
    delay: object = False,
    headers: Mapping[str, str] | None = None,
) -> int:
    """The status that an upgrade gets."""
    body = batch(*({**INSTANCE, "instance_id": each} for each in instance_ids), delay=delay)
    return send(project.url, path=project.path, body=json_bytes(body), headers={**HEADERS, **(headers or {})}).status


def stray(project: MockProject, path: str | None = None) -> int:
    """The status of a request to a path of the project that no operation has."""
    return send(project.url, "GET", path or f"/v3/{project.project_id}/unknown", body=b"").status


def test_a_handle_says_where_to_send_requests(mock: MockServer, project: MockProject) -> None:
    assert project.url == mock.url
    assert re.fullmatch("[0-9a-f]{32}", project.project_id)
    assert project.path == f"/v3/{project.project_id}/instances/database-version/upgrade"


def test_every_project_has_an_id_of_its_own(mock: MockServer) -> None:
    handles = [mock, *(mock.project() for _ in range(50))]
    assert len({each.project_id for each in handles}) == len(handles)


def test_two_handles_of_a_project_see_the_same(mock: MockServer, project: MockProject) -> None:
    again = mock.project(project.project_id)
    with again.scenario("conflict"):
        assert upgrade(project) == 409
    assert again.requests == project.requests != []


def test_requests_are_shown_as_the_admin_api_shows_them(project: MockProject) -> None:
    assert upgrade(project) == 200
    assert upgrade(project, headers={"X-Mock-Scenario": "throttled"}) == 429
    answer = send(project.url, "GET", f"/__admin/requests?project_id={project.project_id}", body=b"").json()
    assert isinstance(answer, dict)
    assert project.requests == answer["requests"]
    wanted = ("number", "method", "path", "status", "scenario", "chosen_by", "accepted")
    assert [[each[name] for name in wanted] for each in project.requests] == [
        [1, "POST", project.path, 200, "success", "start", True],
        [2, "POST", project.path, 429, "throttled", "header", False],
    ]
    assert json.loads(project.requests[0]["body"]) == batch()
    assert "a-token" not in str(project.requests)


def test_refused_requests_are_those_that_the_contract_forbids(mock: MockServer, project: MockProject) -> None:
    other = mock.project()
    assert [upgrade(project), upgrade(project, headers={"Prefer": "code=500"})] == [200, 500]
    assert project.refused == []
    assert [upgrade(project, delay="maybe"), stray(project)] == [400, 404]
    assert send(project.url, path=project.path, headers={}).status == 401
    assert send(project.url, "GET", project.path, body=b"").status == 405
    assert [stray(other), upgrade(other, delay=1)] == [404, 400]
    assert sorted(each["status"] for each in project.refused) == [400, 401, 404, 405]
    assert all(project.project_id in each["path"] for each in project.refused)
    assert sorted(each["status"] for each in other.refused) == [400, 404]


def test_a_stray_belongs_to_the_project_in_its_path_alone(mock: MockServer) -> None:
    short, long = mock.project("a-team"), mock.project("a-team-2")
    assert stray(long) == 404
    assert [len(each.refused) for each in (long, short)] == [1, 0]
    assert stray(short, "/v3/a-team") == 404
    assert [len(each.refused) for each in (long, short)] == [1, 1]


def test_a_scenario_holds_until_it_ends(project: MockProject) -> None:
    rule = project.scenario("internal-error")
    assert [upgrade(project), upgrade(project)] == [500, 500]
    rule.end()
    assert upgrade(project) == 200
    rule.end()
    assert upgrade(project, OTHER_ID) == 200


def test_a_scenario_ends_with_its_block(project: MockProject) -> None:
    with project.scenario("throttled"):
        assert upgrade(project) == 429
        with project.scenario("conflict"):
            assert upgrade(project) == 429, "the first rule wins"
    assert upgrade(project) == 200


def test_a_scenario_ends_with_its_block_on_an_exception_as_well(project: MockProject) -> None:
    def fail() -> None:
        with project.scenario("throttled"):
            assert upgrade(project) == 429
            raise KeyError("the test's own")

    with pytest.raises(KeyError, match="the test's own"):
        fail()
    assert upgrade(project) == 200


def test_a_block_that_outlives_a_reset_ends_without_an_error(project: MockProject) -> None:
    with project.scenario("throttled"):
        project.reset()
        assert upgrade(project) == 200


def test_a_scenario_can_be_for_a_number_of_requests(project: MockProject) -> None:
    project.scenario("unavailable", times=2)
    project.scenario("conflict", times=1)
    assert [upgrade(project) for _ in range(4)] == [503, 503, 409, 200]


@pytest.mark.parametrize(
    ("only", "hit", "missed"),
    [
        ({"instance_id": ID}, {}, {"instance_ids": (OTHER_ID,)}),
        ({"instance_id": ID}, {"instance_ids": (OTHER_ID, ID)}, {"instance_ids": (OTHER_ID, OTHER_ID)}),
        ({"headers": {"X-Variant": "b"}}, {"headers": {"x-variant": "b"}}, {"headers": {"x-variant": "a"}}),
        ({"body": {"/delay": True}}, {"delay": True}, {"delay": False}),
        ({"body": {"/databases_instance_infos/0/instance_id": ID}}, {}, {"instance_ids": (OTHER_ID, ID)}),
        ({"instance_id": ID, "body": {"/delay": True}}, {"delay": True}, {}),
    ],
    ids=["instance", "instance-among-others", "header", "body", "body-pointer", "both"],
)
def test_a_scenario_can_be_for_some_requests(
    project: MockProject, only: dict[str, Any], hit: dict[str, Any], missed: dict[str, Any]
) -> None:
    project.scenario("conflict", **only)
    statuses = [upgrade(project, *given.pop("instance_ids", ()), **given) for given in (dict(missed), dict(hit))]
    assert statuses == [200, 409]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("internal-eror", "no scenario is named 'internal-eror'; did you mean 'internal-error'"),
        ("@", "named '@'; `tau"),
    ],
    ids=["misspelt", "unknown"],
)
def test_an_unknown_scenario_is_an_error_that_names_the_nearest(project: MockProject, name: str, text: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(text)):
        project.scenario(name)
    assert upgrade(project) == 200


def test_a_misspelt_condition_is_an_error_instead_of_a_scenario_for_every_request(project: MockProject) -> None:
    with pytest.raises((TypeError, ScenarioError), match="instence_id"):
        project.scenario("conflict", instence_id=ID)  # type: ignore[call-arg, unused-ignore]  # the mistake
    assert upgrade(project) == 200


def listed(project: MockProject) -> int:
    """The status that the list of the project's instances gets."""
    path = f"/v3/{project.project_id}/instances"
    return send(project.url, "GET", path, body=b"", headers={"X-Auth-Token": "a-token"}).status


def test_a_scenario_can_be_for_one_operation(project: MockProject) -> None:
    with project.scenario("throttled", operation="ListGaussMySqlInstances"):
        assert [upgrade(project), listed(project)] == [200, 429]
    with project.scenario("throttled"):
        assert [upgrade(project, OTHER_ID), listed(project)] == [429, 429]


def test_a_scenario_is_for_its_project_alone(mock: MockServer, project: MockProject) -> None:
    with project.scenario("conflict"):
        assert [upgrade(project), upgrade(mock.project())] == [409, 200]


def test_an_upgrade_that_took_place_is_confirmed(project: MockProject) -> None:
    assert [upgrade(project, ID, OTHER_ID), upgrade(project, ID)] == [200, 400]
    project.assert_upgraded(OTHER_ID, ID)
    project.assert_upgraded("never-sent", times=0)


def test_an_upgrade_that_took_place_twice_is_confirmed_as_such(start_mock: StartMock) -> None:
    project = start_mock(unknown_instances="accept").project()
    assert [upgrade(project, ID, OTHER_ID), upgrade(project, ID)] == [200, 200]
    project.assert_upgraded(OTHER_ID)
    project.assert_upgraded(ID, times=2)
    with pytest.raises(AssertionError, match=f"expected exactly 1 accepted upgrade of {ID}, found 2"):
        project.assert_upgraded(ID)


def test_an_upgrade_that_did_not_take_place_is_told_with_the_nearest_requests(project: MockProject) -> None:
    assert upgrade(project, headers={"X-Mock-Scenario": "conflict"}) == 409
    assert upgrade(project, OTHER_ID) == 200
    with pytest.raises(AssertionError) as raised:
        project.assert_upgraded(OTHER_ID, ID)
    text = str(raised.value)
    assert text.startswith(f"expected exactly 1 accepted upgrade of {ID}, found none\n")
    assert "-> 409, not accepted (scenario conflict)" in text
    assert f"-> 200, names {OTHER_ID}" in text


PLAIN = {"id": ID, "name": "plain", "version": "2.0.48.231200"}


def test_a_fleet_is_given_shown_changed_and_left_to_others(mock: MockServer, project: MockProject) -> None:
    frozen = {"id": OTHER_ID, "name": "cold", "version": "2.0.54.240600", "status": "frozen", "tags": {"stage": "test"}}
    project.load_fleet([PLAIN, frozen])
    assert project.instances == [PLAIN, frozen]
    assert upgrade(project, OTHER_ID) == 409
    project.edit_instance(OTHER_ID, status="normal", version="2.0.48.231200")
    assert upgrade(project, OTHER_ID) == 200
    assert [(each["id"], each["version"]) for each in project.instances] == [
        (ID, "2.0.48.231200"), (OTHER_ID, LATEST),
    ]  # fmt: skip
    assert [(each["kind"], each["instance_id"], each["status"]) for each in project.jobs] == [
        ("immediate", OTHER_ID, "Completed"),
    ]
    project.remove_instance(OTHER_ID)
    assert (project.instances, project.jobs) == ([PLAIN], [])
    assert ID not in [each["id"] for each in mock.project().instances]


def test_a_fleet_may_have_a_latest_version_of_its_own(project: MockProject) -> None:
    project.load_fleet([PLAIN], latest_version="2.0.48.231200")
    assert (upgrade(project), _code(project)) == (400, "DBS.200041")
    project.load_fleet([PLAIN], latest_version="2.0.48.231201")
    assert upgrade(project) == 200
    assert project.instances == [{**PLAIN, "version": "2.0.48.231201"}]


@pytest.mark.parametrize(
    ("work", "text"),
    [
        (lambda project: project.load_fleet([{**PLAIN, "sttus": "frozen"}]), "'sttus' is perhaps 'status'"),
        (lambda project: project.load_fleet([PLAIN, PLAIN]), f"at /instances/1/id: {ID} comes twice"),
        (lambda project: project.edit_instance(ID, status="thawed"), "at /status: "),
        (lambda project: project.edit_instance(OTHER_ID, status="frozen"), 'at the top: "version" is a required'),
        (lambda project: project.remove_instance(OTHER_ID), f"the project has no instance '{OTHER_ID}'"),
    ],
    ids=["unknown-key", "twice-the-same", "wrong-value", "key-missing", "no-such-instance"],
)
def test_a_fleet_that_cannot_be_is_refused_and_changes_nothing(
    project: MockProject, work: Callable[[MockProject], None], text: str
) -> None:
    project.load_fleet([PLAIN])
    with pytest.raises(FleetError, match=re.escape(text)):
        work(project)
    assert project.instances == [PLAIN]


def test_the_clock_of_a_project_moves_alone(mock: MockServer, project: MockProject) -> None:
    other = mock.project()
    project.move_clock(86_400)
    assert [round(_offset(each)) for each in (project, other)] == [86_400, 0]


def _offset(project: MockProject) -> float:
    """How far the project's clock is from the wall clock, as the admin API says."""
    answer = send(project.url, "GET", f"/__admin/clock?project_id={project.project_id}", body=b"").json()
    assert isinstance(answer, dict)
    return float(answer["offset"])


def test_a_reset_forgets_everything_of_its_project_alone(mock: MockServer, project: MockProject) -> None:
    other = mock.project()
    flow = {"X-Mock-Scenario": "fail-twice-then-succeed"}
    for each in (project, other):
        assert [upgrade(each, headers=flow) for _ in range(3)] == [503, 503, 200]
        each.scenario("conflict")
        each.move_clock(1000)
        assert [upgrade(each), upgrade(each, delay="maybe"), stray(each)] == [409, 400, 404]
    project.reset()
    assert (project.requests, project.refused, round(_offset(project))) == ([], [], 0)
    assert [upgrade(project), upgrade(project, headers=flow)] == [200, 503]
    assert (len(other.requests), len(other.refused), round(_offset(other))) == (5, 2, 1000)
    # The other's rule is left, its flow has come to its end, and its instance is upgraded.
    assert [upgrade(other), upgrade(other, headers=flow)] == [409, 400]
    assert _code(other) == "DBS.200041"


def _code(project: MockProject) -> str:
    """The error code of the project's last request."""
    return str(json.loads(project.requests[-1]["reply"])["error_code"])


def test_strictness_passes_what_keeps_the_contract(project: MockProject) -> None:
    with strictly(project) as same, same.scenario("internal-error"):
        assert same is project
        assert upgrade(project) == 500


def test_strictness_passes_what_the_fleet_refuses(project: MockProject) -> None:
    """An instance that cannot be upgraded is no mistake in a request."""
    with strictly(project):
        assert [upgrade(project), upgrade(project)] == [200, 400]
    assert (_code(project), project.refused) == ("DBS.200041", [])


def test_strictness_tells_each_refused_request_with_its_reply(project: MockProject) -> None:
    def break_the_contract() -> None:
        with strictly(project):
            assert [upgrade(project), upgrade(project, delay="maybe"), stray(project)] == [200, 400, 404]

    with pytest.raises(AssertionError) as raised:
        break_the_contract()
    head, *lines = str(raised.value).splitlines()
    assert head == "the mock refused requests:"
    assert len(lines) == 2
    assert lines[0].startswith(f"  POST {project.path} -> 400 ")
    assert "delay" in lines[0]
    assert lines[1].startswith(f"  GET /v3/{project.project_id}/unknown -> 404 ")


def test_strictness_does_not_hide_a_failure_of_the_block(project: MockProject) -> None:
    def fail() -> None:
        with strictly(project):
            assert upgrade(project, delay="maybe") == 400
            raise KeyError("the test's own")

    with pytest.raises(KeyError, match="the test's own"):
        fail()


def test_a_mock_server_is_a_handle_of_a_project_itself(mock: MockServer) -> None:
    mock.reset()
    with mock.scenario("conflict", times=1):
        assert [upgrade(mock), upgrade(mock)] == [409, 200]
    mock.assert_upgraded(ID)
    assert [each["status"] for each in mock.requests] == [409, 200]
    assert mock.refused == []
    mock.reset()
    assert mock.requests == []
