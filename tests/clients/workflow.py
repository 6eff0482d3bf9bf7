"""The upgrade workflow in calls to a program: operations are named as Node and Java do, fields as the service does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from programs import Program, SdkError
from support import INSTANCE, PROJECT_ID

if TYPE_CHECKING:
    from mockserver.client import MockProject
    from mockserver.running import MockServer

ACCESS_KEY, SECRET_KEY = "AKEXAMPLE", "SKEXAMPLE"
LOOKUP_KEY = "AKLOOKUP"
"""The SDKs remember the project of an access key and a region, so that looking it up takes a key of its own."""
SIGNED: dict[str, Any] = {"auth": "signed", "ak": (ACCESS_KEY, LOOKUP_KEY), "sk": (SECRET_KEY, SECRET_KEY)}
"""Settings of a mock that takes nothing but signatures that it can verify."""
REGION = "cn-north-4"
IMMEDIATE_JOB, SCHEDULED_JOB = "UpgradeGaussDBforMySQLDatabaseVersion", "VERSION_UPGRADE"
UPGRADE_SECONDS = 300
CLIENT, SERVER = "ClientRequestException", "ServerResponseException"
MAGIC = {
    "mockconflict00000000000000000000in07": (CLIENT, 409, "DBS.200011"),
    "mockthrottled0000000000000000000in07": (CLIENT, 429, "APIGW.0308"),
    "mockinternalerror000000000000000in07": (SERVER, 500, "DBS.200005"),
    "mockunavailable00000000000000000in07": (SERVER, 503, "APIGW.0201"),
}
"""Magic instance ids, and what an SDK makes of what they bring."""


def connect(program: Program, project: MockProject, /, **options: str | None) -> None:
    """Make a client of the SDK for the project; it signs with the right key unless told otherwise."""
    usual = {"url": project.url, "ak": ACCESS_KEY, "sk": SECRET_KEY, "project": project.project_id}
    program("connect", **{name: value for name, value in {**usual, **options}.items() if value is not None})


def outdated(sdk: Program) -> list[dict[str, str]]:
    """The items of a batch with every working instance that has a later version."""
    items = []
    for instance in sdk("listGaussMySqlInstancesUnifyStatus", offset=0, limit=100)["instances"]:
        version = sdk("showInstanceDatabaseVersion", instance_id=instance["id"])
        if version["upgrade_flag"] and instance["status"] == "normal":
            current = version["datastore"]["current_kernel_version"]
            items.append({"current_version": current, "instance_id": instance["id"]})
    return items


def check(sdk: Program, items: list[dict[str, str]]) -> tuple[str, set[str]]:
    """Whether all instances pass the pre-check, in the service's word, and the ids of those that do not."""
    body = {"databases_instance_infos": items}
    assert len(sdk("checkKernelUpgrade", body=body)["job_ids"]) == len(items)
    result = sdk("showKernelUpgradeCheckResult", body=body)
    details = result["upgrade_precheck_detail"]
    assert {item["instance_id"] for item in items} <= {item["check_object"] for item in details}
    return result["upgrade_precheck_result"], {
        item["check_object"] for item in details if item["check_status"] != "passed"
    }


def upgrade(sdk: Program, *items: dict[str, str], delay: object = False, **headers: str) -> dict[str, Any]:
    return sdk("batchUpgradeDatabases", body={"databases_instance_infos": list(items), "delay": delay}, **headers)


def is_latest(sdk: Program, instance_id: str) -> bool:
    version = sdk("showInstanceDatabaseVersion", instance_id=instance_id)
    datastore = version["datastore"]
    return not version["upgrade_flag"] and datastore["current_kernel_version"] == datastore["latest_kernel_version"]


def job_status(sdk: Program, job_id: str) -> str:
    return sdk("showGaussMySqlJobInfo", id=job_id)["job"]["status"]


def assert_is(error: SdkError, kind: str, status: int, code: str) -> None:
    """It has the class, status and code, a message and the id of the request."""
    assert (error.kind, error.status, error.code) == (kind, status, code)
    assert error.message
    assert len(error.request_id or "") == 32


def list_by_page_and_filter(sdk: Program) -> None:
    everything = sdk("listGaussMySqlInstancesUnifyStatus")
    ids = [instance["id"] for instance in everything["instances"]]
    assert everything["total_count"] == len(ids) > 1
    pages = [sdk("listGaussMySqlInstances", offset=number, limit=1) for number in range(len(ids))]
    assert [[each["id"] for each in page["instances"]] for page in pages] == [[each] for each in ids]
    one = everything["instances"][-1]
    for filters in ({"id": one["id"]}, {"name": f"*{one['name'][1:]}"}):
        found = sdk("listGaussMySqlInstancesUnifyStatus", **filters)
        assert ([each["id"] for each in found["instances"]], found["total_count"]) == ([one["id"]], 1)
    for operation in ("showGaussMySqlInstanceInfo", "showGaussMySqlInstanceInfoUnifyStatus"):
        assert sdk(operation, instance_id=one["id"])["instance"]["name"] == one["name"]


def check_and_upgrade_a_batch(sdk: Program, server: MockServer) -> None:
    version = outdated(sdk)[0]["current_version"]
    batch = [item for item in outdated(sdk) if item["current_version"] == version]
    result, failing = check(sdk, batch)
    assert result == "false"
    batch = [item for item in batch if item["instance_id"] not in failing]
    assert check(sdk, batch) == ("true", set())

    answer = upgrade(sdk, *batch)
    assert (answer["httpStatusCode"], answer["resp"]) == (200, "success")
    ids = [item["instance_id"] for item in batch]
    jobs = sdk("listImmediateJobs", job_name=IMMEDIATE_JOB, offset="1", limit="10")["jobs"]
    assert sorted((job["instance_id"], job["status"]) for job in jobs) == sorted((each, "Running") for each in ids)
    server.move_clock(UPGRADE_SECONDS)
    for job in jobs:
        assert job_status(sdk, job["job_id"]) == "Completed"
        assert is_latest(sdk, job["instance_id"])
    server.assert_upgraded(*ids)


def delay_and_cancel(sdk: Program) -> None:
    waiting, cancelled = outdated(sdk)[:2]
    upgrade(sdk, waiting, cancelled, delay=True)
    jobs = sdk("listScheduleJobs", job_name=SCHEDULED_JOB, offset="1", limit="10")["schedules"]
    assert {job["job_status"] for job in jobs} == {"Pending"}
    job_id = next(job["job_id"] for job in jobs if job["instance_id"] == cancelled["instance_id"])
    assert sdk("cancelScheduleTask", body={"job_ids": [job_id]})["job_ids"] == [job_id]
    left = sdk("listScheduleJobs", status="Pending")["schedules"]
    assert [job["instance_id"] for job in left] == [waiting["instance_id"]]


def upgrade_a_single_instance(sdk: Program, server: MockServer) -> None:
    instance_id = outdated(sdk)[0]["instance_id"]
    answer = sdk("upgradeGaussMySqlInstanceDatabase", instance_id=instance_id, body={"delay": False})
    assert job_status(sdk, answer["job_id"]) == "Running"
    server.move_clock(UPGRADE_SECONDS)
    assert job_status(sdk, answer["job_id"]) == "Completed"
    offered = sdk("showGaussMySqlEngineVersion", database_name="gaussdb-mysql")["datastores"]
    version = sdk("showInstanceDatabaseVersion", instance_id=instance_id)["datastore"]["current_kernel_version"]
    assert version in {each["kernel_version"] for each in offered}


def repeat_an_upgrade(sdk: Program, server: MockServer) -> None:
    """With an instance of no fleet, which is kept from its first upgrade on."""
    upgrade(sdk, INSTANCE)
    with pytest.raises(SdkError) as running:
        upgrade(sdk, INSTANCE)
    assert_is(running.value, CLIENT, 409, "DBS.200011")
    assert INSTANCE["instance_id"] in running.value.message
    server.move_clock(UPGRADE_SECONDS)
    with pytest.raises(SdkError) as done:
        upgrade(sdk, INSTANCE)
    assert (done.value.kind, done.value.status) == (CLIENT, 400)
    server.assert_upgraded(INSTANCE["instance_id"])


def look_the_project_up(program: Program, server: MockServer) -> None:
    connect(program, server, ak=LOOKUP_KEY, project=None, region=REGION, iamUrl=server.url)
    assert program("listGaussMySqlInstances")["total_count"] > 0
    assert [each["status"] for each in server.project(PROJECT_ID).requests] == [200]


def look_no_project_up(program: Program, server: MockServer) -> None:
    """Java looks for it while the client is built, Node with the first call."""

    def call() -> None:
        connect(program, server, ak=LOOKUP_KEY, project=None, region="no-such-region", iamUrl=server.url)
        program("listGaussMySqlInstances")

    with pytest.raises(SdkError) as caught:
        call()
    assert (caught.value.kind, caught.value.status) == ("SdkException", None)


def sign_odd_characters(sdk: Program) -> None:
    assert sdk("listGaussMySqlInstances", name="*a b/c+d'()!~数据", offset=0, limit=1)["total_count"] == 0
    with pytest.raises(SdkError) as caught:
        upgrade(sdk, INSTANCE, delay="也许")
    assert_is(caught.value, CLIENT, 400, "DBS.200001")


def ask_for_another_language(sdk: Program) -> None:
    with pytest.raises(SdkError, match="参数错误：/delay 必须为"):
        upgrade(sdk, INSTANCE, delay=1, **{"X-Language": "zh-cn"})


def sign_with_a_wrong_key(program: Program, server: MockServer) -> None:
    connect(program, server, sk="SKWRONG")
    with pytest.raises(SdkError, match="the signature does not match") as caught:
        upgrade(program, INSTANCE)
    assert_is(caught.value, CLIENT, 401, "APIGW.0301")


def meet_magic(sdk: Program, instance_id: str) -> None:
    with pytest.raises(SdkError) as caught:
        upgrade(sdk, {**INSTANCE, "instance_id": instance_id})
    assert_is(caught.value, *MAGIC[instance_id])
