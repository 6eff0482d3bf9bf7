"""What a user runs in production: bring every instance of a region to its latest kernel version.

Nothing here knows of a mock. The SDK takes keys and addresses from the environment, where a test replaces them. Each
line of the output is one JSON object.
"""

from __future__ import annotations

import json
import time
from itertools import groupby
from operator import attrgetter

from huaweicloudsdkgaussdb.v3 import (
    BatchUpgradeDatabasesRequest,
    BatchUpgradeDatabasesRequestBody,
    CheckKernelUpgradeRequest,
    GaussDBClient,
    ListGaussMySqlInstancesUnifyStatusRequest,
    ListImmediateJobsRequest,
    PreCheckForUpgradeDatabasesSingleInstance,
    ShowInstanceDatabaseVersionRequest,
    ShowKernelUpgradeCheckResultRequest,
    UpgradeDatabasesSingleInstance,
    UpgradePrecheckRequest,
)
from huaweicloudsdkgaussdb.v3.region.gaussdb_region import GaussDBRegion

JOB = "UpgradeGaussDBforMySQLDatabaseVersion"
SECONDS_BETWEEN_LOOKS = 20


def main() -> None:
    client = GaussDBClient.new_builder().with_region(GaussDBRegion.value_of("cn-north-4")).build()
    names, outdated = find_outdated(client)
    # The pre-check takes instances of one version only.
    for version, group in groupby(outdated, key=attrgetter("current_version")):
        instances = list(group)
        failing = check(client, instances)
        ready = [instance for instance in instances if instance.instance_id not in failing]
        report("check", version=version, failing=[names[instance_id] for instance_id in failing])
        if ready:
            body = BatchUpgradeDatabasesRequestBody(databases_instance_infos=ready, delay=False)
            report("upgrade", resp=client.batch_upgrade_databases(BatchUpgradeDatabasesRequest(body=body)).resp)
        for instance in ready:
            report("job", instance=names[instance.instance_id], status=wait(client, instance.instance_id))


def find_outdated(client: GaussDBClient) -> tuple[dict[str, str], list[UpgradeDatabasesSingleInstance]]:
    """The names of all instances by id, and every working instance with a later version, sorted by its own."""
    names: dict[str, str] = {}
    found: list[UpgradeDatabasesSingleInstance] = []
    count = 1
    while len(names) < count:
        page = client.list_gauss_my_sql_instances_unify_status(
            ListGaussMySqlInstancesUnifyStatusRequest(offset=len(names), limit=3)
        )
        count = page.total_count
        for instance in page.instances:
            names[instance.id] = instance.name
            version = client.show_instance_database_version(ShowInstanceDatabaseVersionRequest(instance_id=instance.id))
            if version.upgrade_flag and instance.status == "normal":
                found.append(UpgradeDatabasesSingleInstance(version.datastore.current_kernel_version, instance.id))
    return names, sorted(found, key=attrgetter("current_version"))


def check(client: GaussDBClient, instances: list[UpgradeDatabasesSingleInstance]) -> list[str]:
    """The ids of the instances that cannot be upgraded."""
    items = [PreCheckForUpgradeDatabasesSingleInstance(each.current_version, each.instance_id) for each in instances]
    body = UpgradePrecheckRequest(databases_instance_infos=items)
    client.check_kernel_upgrade(CheckKernelUpgradeRequest(body=body))
    result = client.show_kernel_upgrade_check_result(ShowKernelUpgradeCheckResultRequest(body=body))
    return sorted({item.check_object for item in result.upgrade_precheck_detail if item.check_status != "passed"})


def wait(client: GaussDBClient, instance_id: str) -> str:
    """How the instance's newest upgrade ends."""
    while True:
        jobs = client.list_immediate_jobs(ListImmediateJobsRequest(job_name=JOB, offset="1", limit="50")).jobs
        status = next(job.status for job in jobs if job.instance_id == instance_id)
        if status not in {"Pending", "Running"}:
            return status
        time.sleep(SECONDS_BETWEEN_LOOKS)


def report(step: str, **what: object) -> None:
    print(json.dumps({"step": step, **what}))


if __name__ == "__main__":
    main()
