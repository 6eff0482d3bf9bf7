"""The official Go SDK, unmodified, against a running mock: main.go makes the calls and prints what the SDK returned."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from processes import GUARD
from programs import client_environment, install, made_once
from support import INSTANCE, PROJECT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import StartMock

    from mockserver.client import MockProject
    from mockserver.running import MockServer

GO = shutil.which("go")
pytestmark = pytest.mark.skipif(GO is None, reason="building the official Go SDK needs Go")

FOLDER = Path(__file__).parent
SOURCES = ("main.go", "go.mod", "go.sum")
DOCUMENTED = f"{INSTANCE['instance_id']}={INSTANCE['current_version']}"
KEYS = {"auth": "signed", "ak": ("AKEXAMPLE",), "sk": ("SKEXAMPLE",)}
"""Settings of a mock that verifies the signatures of main.go's default keys and takes nothing else."""


@pytest.fixture(scope="session")
def command() -> Path:
    """The command, built once for these sources."""
    name = "client.exe" if os.name == "nt" else "client"

    def build(folder: Path) -> None:
        flags = ["-p", "2", "-mod=readonly", "-buildvcs=false", "-trimpath"]
        install([str(GO), "build", *flags, "-o", str(folder / name), "."], FOLDER)

    return made_once("go-client", [FOLDER / source for source in SOURCES], build) / name


class Client:
    """The built command with one project of a mock."""

    def __init__(self, command: Path, home: Path, project: MockProject) -> None:
        self._start = [str(command), "-url", project.url]
        self._project = ["-project", project.project_id]
        self._environment = client_environment(home)

    def __call__(self, *arguments: str, look_up_project: bool = False) -> dict[str, Any]:
        """The one line that a step prints."""
        done = subprocess.run(
            self._command(arguments, look_up_project=look_up_project),
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            timeout=GUARD,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def lines(self, *arguments: str) -> Iterator[Iterator[dict[str, Any]]]:
        """The lines that a step prints, as they come."""
        with subprocess.Popen(
            self._command(arguments), env=self._environment, stdout=subprocess.PIPE, encoding="utf-8"
        ) as process:
            assert process.stdout is not None
            try:
                yield map(json.loads, process.stdout)
                assert process.wait(GUARD) == 0
            finally:
                process.kill()

    def _command(self, arguments: tuple[str, ...], *, look_up_project: bool = False) -> list[str]:
        return [*self._start, *([] if look_up_project else self._project), *arguments]


@pytest.fixture
def project(mock: MockServer) -> MockProject:
    """A project of its own of a mock with default settings."""
    return mock.project()


@pytest.fixture
def client(command: Path, tmp_path: Path, project: MockProject) -> Client:
    return Client(command, tmp_path, project)


def refusal(line: dict[str, Any]) -> tuple[int, str, str]:
    """Status, code and message of the SDK's error object, which has to be complete."""
    error = line["error"]
    assert error["type"] == "*sdkerr.ServiceResponseError"
    assert re.fullmatch("[0-9a-f]{32}", error["request_id"])
    return error["status_code"], error["error_code"], error["error_message"]


def upgradable(client: Client) -> tuple[str, str]:
    """An instance of the project's fleet that is behind the latest version, and its version."""
    for instance in client("instances-v3.1")["answer"]["instances"]:
        answer = client("version", instance["id"])["answer"]
        if answer["upgrade_flag"]:
            return instance["id"], answer["datastore"]["current_kernel_version"]
    raise AssertionError("no instance of the fleet can be upgraded")


# The upgrade


@pytest.mark.parametrize("delay", ["true", "false"])
def test_the_delay_of_the_sdk_is_a_string_that_is_accepted(client: Client, project: MockProject, delay: str) -> None:
    assert client("-delay", delay, "upgrade", DOCUMENTED) == {
        "step": "upgrade",
        "status": 200,
        "answer": {"resp": "success"},
    }
    (request,) = project.requests
    assert json.loads(request["body"]) == {"databases_instance_infos": [INSTANCE], "delay": delay}


def test_a_call_signed_by_the_sdk_is_verified(command: Path, tmp_path: Path, start_mock: StartMock) -> None:
    """The Go SDK signs neither the host nor the content type, other than the Python SDK."""
    sdk = Client(command, tmp_path, start_mock(**KEYS))
    assert sdk("-language", "zh-cn", "upgrade", DOCUMENTED)["answer"] == {"resp": "success"}
    assert sdk("instances")["status"] == 200
    assert sdk("jobs")["status"] == 200


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("-sk", "SKWRONG"), "the signature does not match"),
        (("-ak", "AKUNKNOWN"), "the access key AKUNKNOWN is none of those"),
    ],
    ids=["secret-key", "access-key"],
)
def test_wrong_keys_are_refused_with_the_reason(
    command: Path, tmp_path: Path, start_mock: StartMock, flags: tuple[str, ...], message: str
) -> None:
    sdk = Client(command, tmp_path, start_mock(**KEYS))
    status, code, text = refusal(sdk(*flags, "upgrade", DOCUMENTED))
    assert (status, code) == (401, "APIGW.0301")
    assert message in text


@pytest.mark.parametrize(
    ("instance_id", "expected"),
    [
        ("mockconflict00000000000000000000in07", (409, "DBS.200011")),
        ("mockinternalerror000000000000000in07", (500, "DBS.200005")),
        ("mockthrottled0000000000000000000in07", (429, "APIGW.0308")),
        ("mockunauthorized0000000000000000in07", (401, "APIGW.0301")),
    ],
    ids=["conflict", "internal-error", "throttled", "unauthorized"],
)
def test_a_magic_instance_id_is_an_error_object_of_the_sdk(
    client: Client, project: MockProject, instance_id: str, expected: tuple[int, str]
) -> None:
    line = client("upgrade", f"{instance_id}=2.0.48.231200")
    *status_and_code, message = refusal(line)
    assert tuple(status_and_code) == expected
    (request,) = project.requests
    reply = json.loads(request["reply"])
    assert (message, line["error"]["request_id"]) == (reply["error_msg"], request["id"])


def test_a_delay_that_was_never_set_is_refused_by_the_mock(client: Client) -> None:
    """The SDK checks nothing itself, and sends an empty string."""
    status, code, message = refusal(client("-delay", "", "upgrade", DOCUMENTED))
    assert (status, code) == (400, "DBS.200001")
    assert message.startswith("Parameter error: /delay must be one of ")


# What is around it


def test_both_lists_of_instances_are_decoded_by_the_sdk(client: Client) -> None:
    """The SDK decodes strictly: a value of another type would be its error."""
    old, unified = client("instances")["answer"], client("instances-v3.1")["answer"]
    ids = [instance["id"] for instance in old["instances"]]
    assert ids
    assert all(re.fullmatch("[0-9a-f]{32}in07", each) for each in ids)
    assert [instance["id"] for instance in unified["instances"]] == ids
    assert (old["total_count"], unified["total_count"]) == (len(ids), len(ids))
    first = old["instances"][0]
    assert client("instances", first["name"])["answer"]["instances"][0]["id"] == first["id"]
    detail = client("instance", first["id"])["answer"]["instance"]
    assert (detail["id"], detail["name"]) == (first["id"], first["name"])


def test_the_project_of_a_region_is_looked_up(command: Path, tmp_path: Path, start_mock: StartMock) -> None:
    """Without a project id the SDK asks the identity service, which is the same mock, for the region's."""
    mock = start_mock()
    assert Client(command, tmp_path, mock)("instances", look_up_project=True)["status"] == 200
    (request,) = mock.project(PROJECT_ID).requests
    assert request["path"] == f"/v3/{PROJECT_ID}/instances"


def test_the_whole_upgrade_can_be_followed(command: Path, tmp_path: Path, start_mock: StartMock) -> None:
    """From the list of instances to the latest version; the clock moves, so that nothing has to be waited for.

    It moves by more than the 15 minutes that a signature lasts, which are those of the wall clock.
    """
    mock = start_mock(upgrade_seconds=3600, **KEYS)
    sdk = Client(command, tmp_path, mock)
    instance_id, version = upgradable(sdk)

    assert sdk("upgrade", f"{instance_id}={version}")["answer"] == {"resp": "success"}
    (job,) = [each for each in sdk("jobs")["answer"]["jobs"] if each["instance_id"] == instance_id]
    assert (job["job_name"], job["status"]) == ("UpgradeGaussDBforMySQLDatabaseVersion", "Running")
    assert refusal(sdk("upgrade", f"{instance_id}={version}"))[:2] == (409, "DBS.200011")

    with sdk.lines("wait", job["job_id"]) as polls:
        running = next(polls)["answer"]["job"]
        mock.move_clock(3600)
        (completed,) = [each["answer"]["job"] for each in polls]
    assert (running["status"], completed["status"]) == ("Running", "Completed")
    assert (completed["id"], completed["instance"]["id"]) == (job["job_id"], instance_id)

    after = sdk("version", instance_id)["answer"]
    assert after["upgrade_flag"] is False
    assert after["datastore"]["current_kernel_version"] == after["datastore"]["latest_kernel_version"] != version
    assert refusal(sdk("upgrade", f"{instance_id}={after['datastore']['current_kernel_version']}"))[0] == 400


def test_an_upgrade_of_one_instance_has_a_job(client: Client) -> None:
    instance_id, _ = upgradable(client)
    job_id = client("upgrade-one", instance_id)["answer"]["job_id"]
    with client.lines("wait", job_id) as polls:
        *_, last = polls
    assert last["answer"]["job"]["status"] == "Completed"
    assert client("version", instance_id)["answer"]["upgrade_flag"] is False


def test_a_delayed_upgrade_is_a_scheduled_job_that_can_be_cancelled(client: Client) -> None:
    instance_id, version = upgradable(client)
    assert client("-delay", "true", "upgrade", f"{instance_id}={version}")["answer"] == {"resp": "success"}
    (job,) = client("scheduled")["answer"]["schedules"]
    assert (job["instance_id"], job["job_name"], job["job_status"]) == (instance_id, "VERSION_UPGRADE", "Pending")
    assert client("cancel", job["job_id"])["answer"] == {"job_ids": [job["job_id"]]}
    assert client("version", instance_id)["answer"]["datastore"]["current_kernel_version"] == version
