"""Terraform with the vendor's provider, unmodified, against a running mock."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from processes import GUARD
from support import INSTANCE, PROJECT_ID, send

if TYPE_CHECKING:
    from conftest import StartMock

    from mockserver.client import MockProject
    from mockserver.running import MockServer

pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="building Terraform and its provider needs Go")

FOLDER = Path(__file__).parent
COMMAND_SECONDS = 300
UPGRADE = "BatchUpgradeDatabases"
MAGIC = "mock{:0<28}in07"
QUOTED = {
    "badrequest": '"error_code":"DBS.200001","error_msg":"Parameter error.',
    "forbidden": '"error_code":"APIGW.0302","error_msg":"The user may not call this API.',
    "throttled": '"error_code":"APIGW.0308","error_msg":"The throttling threshold has been reached.',
    "internalerror": '"error_code":"DBS.200005","error_msg":"Server failure.',
}
UNQUOTED = {
    "conflict": "The request could not be processed due to conflict in the request",
    "unauthorized": "Authentication failed",
    "unavailable": "This is a temporary condition. Try again later.",
    "respnotsuccess": "the response is not success, got:",
}
"""What the provider shows for magic instance ids."""
DOCUMENTED = [{"id": INSTANCE["instance_id"], "version": INSTANCE["current_version"]}]


class Terraform:
    """Terraform in a folder of its own that has main.tf."""

    def __init__(self, command: str, mirror: str, folder: Path) -> None:
        self._command = command
        self._folder = folder
        folder.mkdir()
        shutil.copy(FOLDER / "main.tf", folder)
        # Without `direct` beside the mirror, Terraform asks no registry.
        settings = f"provider_installation {{\n  filesystem_mirror {{\n    path = {json.dumps(mirror)}\n  }}\n}}\n"
        (folder / "terraform.rc").write_text(settings, "utf-8")
        # Nothing of the machine's: no other settings of Terraform or the provider, no proxy, no files of the user.
        self._environment = {
            "HOME": str(folder),
            "USERPROFILE": str(folder),
            "TF_CLI_CONFIG_FILE": str(folder / "terraform.rc"),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        self._environment |= {name: os.environ[name] for name in ("SYSTEMROOT", "PATH") if name in os.environ}

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """What a command prints, in one line and without the frame around errors."""
        with subprocess.Popen(
            [self._command, *arguments],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            try:
                output = "".join(process.communicate(timeout=COMMAND_SECONDS))
            except subprocess.TimeoutExpired:
                process.terminate()  # at which Terraform ends its provider; killed, it would leave it behind
                output = "".join(process.communicate(timeout=GUARD))
            finally:
                process.kill()
        assert process.returncode == code, output
        return re.sub(r"[\s│╷╵]+", " ", output)

    def configure(self, **variables: object) -> None:
        """Set the variables of main.tf."""
        (self._folder / "terraform.tfvars.json").write_text(json.dumps(variables), "utf-8")

    def plan(self) -> list[dict[str, Any]]:
        """The planned changes of resources."""
        self("plan", "-input=false", "-no-color", "-out=plan")
        shown = self("show", "-json", "plan")
        return [each for each in json.loads(shown)["resource_changes"] if each["change"]["actions"] != ["no-op"]]

    def apply(self, *, code: int = 0) -> str:
        """What an apply prints."""
        return self("apply", "-input=false", "-no-color", "-auto-approve", code=code)

    def names(self) -> dict[str, str]:
        """The names of the fleet by instance id, as the data source read them."""
        return json.loads(self("output", "-json", "names"))


@pytest.fixture(scope="session")
def tools() -> dict[str, str]:
    """The built command and the mirror with the provider; the first time this takes minutes."""
    done = subprocess.run([sys.executable, FOLDER / "build.py"], stdout=subprocess.PIPE, encoding="utf-8", check=False)
    assert done.returncode == 0, "build.py could not build Terraform or its provider; it says why on standard error"
    return json.loads(done.stdout)


@pytest.fixture
def terraform(tools: dict[str, str], tmp_path: Path) -> Terraform:
    """Terraform, initialised as a user does it."""
    made = Terraform(tools["terraform"], tools["mirror"], tmp_path / "terraform")
    assert "Terraform has been successfully initialized!" in made("init", "-input=false", "-no-color")
    return made


@pytest.fixture
def project(mock: MockServer) -> MockProject:
    """A project of its own of a mock with default settings."""
    return mock.project()


def get(project: MockProject, path: str, version: str = "v3") -> Any:  # noqa: ANN401  # whatever JSON the mock answers
    """What the mock answers below the project's path."""
    path = f"/{version}/{project.project_id}/{path}"
    reply = send(project.url, "GET", path, body=b"", headers={"X-Auth-Token": "a-token"})
    assert reply.status == 200, reply.body
    return reply.json()


def upgradable(project: MockProject) -> list[dict[str, str]]:
    """Two instances of the fleet that work and are behind the latest version, as main.tf takes them."""
    found = []
    for instance in get(project, "instances", "v3.1")["instances"]:
        version = get(project, f"instances/{instance['id']}/database-version")
        if version["upgrade_flag"] and instance["status"] == "normal":
            found.append({"id": instance["id"], "version": version["datastore"]["current_kernel_version"]})
        if len(found) == 2:
            return found
    raise AssertionError("the fleet has no two instances that can be upgraded")


def upgrades(project: MockProject) -> list[Any]:
    """The bodies of the upgrades that the project was asked for."""
    return [json.loads(each["body"]) for each in project.requests if each["operation"] == UPGRADE]


def batch(instances: list[dict[str, str]], delay: str) -> dict[str, object]:
    """The body in which the provider sends instances of main.tf."""
    infos = [{"current_version": each["version"], "instance_id": each["id"]} for each in instances]
    return {"databases_instance_infos": infos, "delay": delay}


def test_a_plan_reads_the_fleet_and_upgrades_nothing(terraform: Terraform, project: MockProject) -> None:
    instances = upgradable(project)
    terraform.configure(mock_url=project.url, project_id=project.project_id, batches={"all": instances})
    (change,) = terraform.plan()
    assert change["type"] == "huaweicloud_taurusdb_instance_database_batch_upgrade"
    assert change["change"]["actions"] == ["create"]
    assert upgrades(project) == []
    assert project.refused == []


def test_an_apply_upgrades_the_batch_and_the_next_one_does_nothing(terraform: Terraform, project: MockProject) -> None:
    instances = upgradable(project)
    terraform.configure(mock_url=project.url, project_id=project.project_id, batches={"all": instances})
    assert "Apply complete! Resources: 1 added, 0 changed, 0 destroyed." in terraform.apply()
    assert upgrades(project) == [batch(instances, "false")]
    project.assert_upgraded(*(each["id"] for each in instances))
    listed = get(project, "instances")["instances"]
    assert terraform.names() == {each["id"]: each["name"] for each in listed}
    for each in instances:
        version = get(project, f"instances/{each['id']}/database-version")
        assert version["upgrade_flag"] is False
        assert version["datastore"]["current_kernel_version"] == version["datastore"]["latest_kernel_version"]

    assert "No changes." in terraform.apply()
    assert len(upgrades(project)) == 1
    assert project.refused == []


def test_a_batch_that_was_applied_can_only_leave_the_state(terraform: Terraform, project: MockProject) -> None:
    first, second = upgradable(project)
    configuration = {"mock_url": project.url, "project_id": project.project_id}
    terraform.configure(**configuration, batches={"all": [first]})
    terraform.apply()
    terraform.configure(**configuration, batches={"all": [second]})
    assert "databases_instance_infos.0.instance_id can't be updated" in terraform.apply(code=1)
    terraform.configure(**configuration)
    assert "The resource is only removed from the state" in terraform.apply()
    assert upgrades(project) == [batch([first], "false")]


def test_a_delayed_batch_becomes_scheduled_jobs(terraform: Terraform, project: MockProject) -> None:
    instances = upgradable(project)
    terraform.configure(mock_url=project.url, project_id=project.project_id, batches={"all": instances}, delay="true")
    terraform.apply()
    assert upgrades(project) == [batch(instances, "true")]
    jobs = get(project, "scheduled-jobs")["schedules"]
    assert {job["instance_id"] for job in jobs} == {each["id"] for each in instances}
    assert {(job["job_name"], job["job_status"]) for job in jobs} == {("VERSION_UPGRADE", "Pending")}


def test_an_error_of_the_service_is_in_the_output(terraform: Terraform, project: MockProject) -> None:
    """For most statuses with code and message; for some the provider has only a text of its own."""
    batches = {name: [{"id": MAGIC.format(name), "version": "2.0.48.231200"}] for name in [*QUOTED, *UNQUOTED]}
    terraform.configure(mock_url=project.url, project_id=project.project_id, batches=batches)
    output = terraform.apply(code=1)
    assert output.count("error upgrading TaurusDB instance database version in batches") == len(batches)
    for code_and_message in QUOTED.values():
        assert code_and_message in output
    for text in UNQUOTED.values():
        assert text in output
    requests = {each["status"]: each["id"] for each in project.requests if each["operation"] == UPGRADE}
    assert len(requests) == len(batches)
    assert f"request_id: {requests[500]}, error message" in output
    assert terraform("state", "list").split() == ["data.huaweicloud_taurusdb_instances.fleet"]


def test_a_failed_apply_can_be_repeated(terraform: Terraform, project: MockProject) -> None:
    instances = upgradable(project)
    terraform.configure(mock_url=project.url, project_id=project.project_id, batches={"all": instances})
    with project.scenario("internal-error", operation=UPGRADE):
        terraform.apply(code=1)
    terraform.apply()
    assert upgrades(project) == [batch(instances, "false")] * 2
    project.assert_upgraded(*(each["id"] for each in instances))


def test_signatures_are_verified_and_the_project_is_looked_up(terraform: Terraform, start_mock: StartMock) -> None:
    """The provider signs neither the host nor the project, other than the SDKs."""
    mock = start_mock(auth="signed", ak=("AKEXAMPLE",), sk=("SKEXAMPLE",))
    project = mock.project(PROJECT_ID)
    terraform.configure(mock_url=mock.url, batches={"documented": DOCUMENTED})
    terraform.apply()
    project.assert_upgraded(DOCUMENTED[0]["id"])
    terraform.configure(mock_url=mock.url, secret_key="SKWRONG")  # noqa: S106  # no real one
    assert "Authentication failed" in terraform("plan", "-input=false", "-no-color", code=1)


def test_a_user_with_a_password_gets_a_token(terraform: Terraform, start_mock: StartMock) -> None:
    mock = start_mock(auth="token", user=("operator:Example-1",))
    project = mock.project(PROJECT_ID)
    user = {"name": "operator", "password": "Example-1", "domain": "taurus-mock"}
    terraform.configure(mock_url=mock.url, user=user, batches={"documented": DOCUMENTED})
    terraform.apply()
    project.assert_upgraded(DOCUMENTED[0]["id"])
    terraform.configure(mock_url=mock.url, user={**user, "password": "Example-2"})
    assert "Authentication failed" in terraform("plan", "-input=false", "-no-color", code=1)
