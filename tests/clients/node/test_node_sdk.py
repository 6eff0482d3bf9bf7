"""The vendor's Node SDK, its published core and identity packages unmodified, against a running mock."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import workflow
from programs import Program, install, made_once, run, running
from support import INSTANCE, PROJECT_ID
from workflow import ACCESS_KEY, REGION, SECRET_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mockserver.running import MockServer

NODE, NPM = shutil.which("node"), shutil.which("npm")
HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(not (NODE and NPM), reason="needs Node and npm")


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder with the published packages, fetched once for each content of the two files that pin them."""
    pins = [HERE / "package.json", HERE / "package-lock.json"]

    def make(folder: Path) -> None:
        for pin in pins:
            shutil.copy(pin, folder)
        install([str(NPM), "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder)

    return made_once("node", pins, make) / "node_modules"


@pytest.fixture(scope="module")
def program(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    home = tmp_path_factory.mktemp("node")
    with running([str(NODE), str(HERE / "calls.js")], home, NODE_PATH=str(packages)) as started:
        yield started


def test_node_lists_a_fleet_by_page_and_by_filter(sdk: Program) -> None:
    workflow.list_by_page_and_filter(sdk)


def test_node_checks_and_upgrades_a_batch_to_the_latest_version(sdk: Program, server: MockServer) -> None:
    workflow.check_and_upgrade_a_batch(sdk, server)


def test_node_schedules_upgrades_and_cancels_one(sdk: Program) -> None:
    workflow.delay_and_cancel(sdk)


def test_node_upgrades_a_single_instance_by_its_own_call(sdk: Program, server: MockServer) -> None:
    workflow.upgrade_a_single_instance(sdk, server)


def test_node_meets_a_refusal_when_it_repeats_an_upgrade(sdk: Program, server: MockServer) -> None:
    workflow.repeat_an_upgrade(sdk, server)


def test_node_looks_the_project_of_a_region_up(program: Program, server: MockServer) -> None:
    """By a signed GET that has a body."""
    workflow.look_the_project_up(program, server)


def test_node_finds_no_project_for_an_unknown_region(program: Program, server: MockServer) -> None:
    workflow.look_no_project_up(program, server)


@pytest.mark.parametrize("delay", [True, False, "true", "false"])
def test_either_encoding_of_delay_is_accepted_from_node(sdk: Program, delay: object) -> None:
    assert workflow.upgrade(sdk, INSTANCE, delay=delay) == {"resp": "success", "httpStatusCode": 200}


def test_a_signature_of_node_covers_odd_characters(sdk: Program) -> None:
    """The query travels unsorted and half encoded, the body as UTF-8."""
    workflow.sign_odd_characters(sdk)


@pytest.mark.parametrize("instance_id", workflow.MAGIC)
def test_a_magic_instance_id_is_an_exception_of_node(sdk: Program, instance_id: str) -> None:
    workflow.meet_magic(sdk, instance_id)


def test_node_shows_messages_in_the_language_that_it_asked_for(sdk: Program) -> None:
    workflow.ask_for_another_language(sdk)


def test_a_wrong_secret_key_of_node_is_refused(program: Program, server: MockServer) -> None:
    workflow.sign_with_a_wrong_key(program, server)


def test_a_call_of_node_with_temporary_keys_is_verified(program: Program, server: MockServer) -> None:
    workflow.connect(program, server, securityToken="a-security-token")
    assert workflow.upgrade(program, INSTANCE)["resp"] == "success"


def test_node_gets_a_token_by_password_and_lists_projects(sdk: Program) -> None:
    user = {"name": "a-user", "password": "a-password", "domain": {"name": "an-account"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    auth = {"identity": identity, "scope": {"project": {"name": REGION}}}
    issued = sdk("keystoneCreateUserTokenByPassword", body={"auth": auth})
    assert issued["httpStatusCode"] == 201
    assert issued["X-Subject-Token"]
    assert issued["token"]["project"]["id"] == PROJECT_ID
    named = sdk("keystoneListProjects", name=REGION)["projects"]
    assert [(project["id"], project["name"]) for project in named] == [(PROJECT_ID, REGION)]
    assert PROJECT_ID in {project["id"] for project in sdk("keystoneListAuthProjects")["projects"]}
    assert REGION in {region["id"] for region in sdk("keystoneListRegions")["regions"]}
    assert len(sdk("keystoneListAuthDomains")["domains"]) == 1


def test_a_program_of_a_node_user_takes_its_keys_from_the_environment(
    packages: Path, server: MockServer, tmp_path: Path
) -> None:
    instance_id, version = INSTANCE["instance_id"], INSTANCE["current_version"]
    lines = run(
        [str(NODE), str(HERE / "upgrade.js"), server.url, instance_id, version],
        tmp_path,
        NODE_PATH=str(packages),
        HUAWEICLOUD_SDK_AK=ACCESS_KEY,
        HUAWEICLOUD_SDK_SK=SECRET_KEY,
        HUAWEICLOUD_SDK_PROJECT_ID=server.project_id,
    )
    assert lines == [{"resp": "success"}, {"instance": instance_id, "status": "Running"}]
    server.assert_upgraded(instance_id)
