"""The vendor's Java SDK from its public repository, unmodified, against a running mock."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import workflow
from programs import Program, install, made_once, run, running
from support import INSTANCE
from workflow import ACCESS_KEY, SECRET_KEY, SIGNED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import StartMock

    from mockserver.running import MockServer

JAVA, JAVAC, MAVEN = shutil.which("java"), shutil.which("javac"), shutil.which("mvn")
HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(not (JAVA and JAVAC and MAVEN), reason="needs a JDK and Maven")


@pytest.fixture(scope="session")
def classpath() -> str:
    """Our few classes and the published packages, made once for each content of our files."""

    def make(folder: Path) -> None:
        command = [
            str(MAVEN),
            "--batch-mode",
            "--quiet",
            "--file",
            str(HERE / "pom.xml"),
            f"-Dmade={folder}",
            "compile",
        ]
        try:
            install([*command, "--offline"], folder)
        except AssertionError:  # something was never fetched
            install(command, folder)

    made = made_once("java", [HERE / "pom.xml", *sorted(HERE.glob("*.java"))], make)
    return os.pathsep.join([str(made / "classes"), str(made / "lib" / "*")])


@pytest.fixture(scope="module")
def program(classpath: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    home = tmp_path_factory.mktemp("java")
    with running(java(classpath, home, "Calls"), home) as started:
        yield started


def java(classpath: str, home: Path, name: str) -> list[str]:
    """The command that runs a class; Java takes the home folder from the system, whatever the environment says."""
    return [str(JAVA), f"-Duser.home={home}", "-cp", classpath, name]


def test_java_lists_a_fleet_by_page_and_by_filter(sdk: Program) -> None:
    """Its models take no value of another type than they declare."""
    workflow.list_by_page_and_filter(sdk)


def test_java_checks_and_upgrades_a_batch_to_the_latest_version(sdk: Program, server: MockServer) -> None:
    workflow.check_and_upgrade_a_batch(sdk, server)


def test_java_schedules_upgrades_and_cancels_one(sdk: Program) -> None:
    workflow.delay_and_cancel(sdk)


def test_java_upgrades_a_single_instance_by_its_own_call(sdk: Program, server: MockServer) -> None:
    workflow.upgrade_a_single_instance(sdk, server)


def test_java_meets_a_refusal_when_it_repeats_an_upgrade(sdk: Program, server: MockServer) -> None:
    workflow.repeat_an_upgrade(sdk, server)


def test_java_looks_the_project_of_a_region_up(program: Program, server: MockServer) -> None:
    workflow.look_the_project_up(program, server)


def test_java_finds_no_project_for_an_unknown_region(program: Program, server: MockServer) -> None:
    workflow.look_no_project_up(program, server)


@pytest.mark.parametrize("delay", [True, False, "true", "false"])
def test_either_encoding_of_delay_is_accepted_from_java(sdk: Program, delay: object) -> None:
    assert workflow.upgrade(sdk, INSTANCE, delay=delay) == {"resp": "success", "httpStatusCode": 200}


def test_a_signature_of_java_covers_odd_characters(sdk: Program) -> None:
    workflow.sign_odd_characters(sdk)


@pytest.mark.parametrize("instance_id", workflow.MAGIC)
def test_a_magic_instance_id_is_an_exception_of_java(sdk: Program, instance_id: str) -> None:
    workflow.meet_magic(sdk, instance_id)


def test_java_shows_messages_in_the_language_that_it_asked_for(sdk: Program) -> None:
    workflow.ask_for_another_language(sdk)


def test_a_wrong_secret_key_of_java_is_refused(program: Program, server: MockServer) -> None:
    workflow.sign_with_a_wrong_key(program, server)


def test_a_call_of_java_with_temporary_keys_is_verified(program: Program, server: MockServer) -> None:
    workflow.connect(program, server, securityToken="a-security-token")
    assert workflow.upgrade(program, INSTANCE)["resp"] == "success"


def test_a_program_of_a_java_user_is_redirected_by_its_environment_alone(
    classpath: str, start_mock: StartMock, tmp_path: Path
) -> None:
    server = start_mock(**SIGNED)
    lines = run(
        java(classpath, tmp_path, "UpgradeFleet"),
        tmp_path,
        HUAWEICLOUD_SDK_REGION_GAUSSDB_CN_NORTH_4=server.url,
        HUAWEICLOUD_SDK_IAM_ENDPOINT=server.url,
        HUAWEICLOUD_SDK_AK=ACCESS_KEY,
        HUAWEICLOUD_SDK_SK=SECRET_KEY,
    )
    assert lines[0] == {"resp": "success"}
    assert {line["instance"]: line["status"] for line in lines[1:]} == {
        "orders-db": "Completed",
        "users-db": "Completed",
        "reports-db": "Completed",
        "crowded-db": "Completed",
        "stubborn-db": "Failed",
    }
