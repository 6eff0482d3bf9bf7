"""Instances and jobs as the API shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.times import shown_time

if TYPE_CHECKING:
    from mockserver.calls import Call
    from mockserver.fleet import Instance, InstanceStatus, Job
    from mockserver.identity import Region

Json = dict[str, Any]

ENGINE = "gaussdb-mysql"
COMPATIBLE_VERSION = "8.0.22"
"""The MySQL version that every kernel is compatible with."""
JOB_NAMES = {
    "immediate": "UpgradeGaussDBforMySQLDatabaseVersion",
    "scheduled": "VERSION_UPGRADE",
    "check": "CheckGaussDBforMySQLDatabaseVersion",
}
"""Names by kind of job. The vendor documents the first two; no source names the job of a pre-check."""
OLDER_STATUSES: dict[InstanceStatus, str] = {
    "normal": "ACTIVE",
    "abnormal": "FAILED",
    "creating": "BUILD",
    "createfail": "FAILED",
    "frozen": "FROZEN",
}
"""v3's name for each status. v3.1 has the four names of the fleet file, and shows a frozen instance as abnormal."""


def older_status(call: Call, instance: Instance) -> str:
    """The status in v3: an upgrade reboots the instance."""
    job = call.fleet.unfinished(instance.id)
    if job is not None and job.status(call.fleet.now) == "Running":
        return "REBOOTING"
    return OLDER_STATUSES[instance.status]


def unified_status(instance: Instance) -> str:
    """The status in v3.1."""
    return "abnormal" if instance.status == "frozen" else instance.status


def _common(call: Call, instance: Instance, status: str) -> Json:
    """What lists and details have in common."""
    network = instance.network
    return {
        "id": instance.id,
        "name": instance.name,
        "status": status,
        "type": "Cluster",
        "datastore": {"type": ENGINE, "version": COMPATIBLE_VERSION, "kernel_version": instance.version},
        "port": "3306",
        "db_user_name": "root",
        "vpc_id": network.vpc_id,
        "subnet_id": network.subnet_id,
        "security_group_id": "8a6f0c2d-3b5e-4e1f-a7c9-1d2e3f4a5b6c",
        "backup_strategy": {"start_time": "19:00-20:00", "keep_days": "7"},
        "charge_info": {"charge_mode": "postPaid"},
        "enterprise_project_id": "0",
        "time_zone": "UTC",
        "tags": [{"key": key, "value": value} for key, value in instance.tags],
        "created": instance.created,
        "updated": _updated(call, instance),
    }


def summary(call: Call, instance: Instance, status: str) -> Json:
    """An instance in a list."""
    network = instance.network
    return {
        **_common(call, instance, status),
        "region": call.identity.region_of(call.path["project_id"]).id,
        "private_ips": _present(network.private_ip),
        "readonly_private_ips": _present(network.readonly_private_ip),
        "proxy_ips": _present(network.proxy_ip),
        "public_ips": [],
        "flavor_ref": "gaussdb.mysql.large.x86.4",
        "flavor_info": {"vcpus": "2", "ram": "8"},
        "volume": {"type": "POOL", "size": "40"},
    }


def detail(call: Call, instance: Instance, status: str) -> Json:
    """An instance on its own."""
    network = instance.network
    proxies = [{"pool_id": f"{instance.id[:-4]}po01", "name": "proxy", "address": network.proxy_ip}]
    return {
        **_common(call, instance, status),
        "project_id": call.path["project_id"],
        "alias": "",
        "maintenance_window": instance.maintenance_window,
        "private_write_ips": _present(network.private_ip),
        "private_dns_names": [],
        "public_ips": "",
        "proxies": proxies if network.proxy_ip else [],
        "configuration_id": "53570e0de54e40c5a15f331aa5d02176pr07",
        "node_count": 2,
        "nodes": [_node(call, instance, number, status) for number in (1, 2)],
        "az_mode": "single",
        "master_az_code": _zone(call),
        "backup_used_space": 0,
    }


def _node(call: Call, instance: Instance, number: int, status: str) -> Json:
    address = instance.network.private_ip if number == 1 else instance.network.readonly_private_ip
    return {
        "id": f"{instance.id[:-5]}{number}no07",
        "name": f"{instance.name}_node{number:02}",
        "type": "master" if number == 1 else "slave",
        "status": status,
        "port": 3306,
        "private_read_ips": _present(address),
        "az_code": _zone(call),
        "region_code": call.identity.region_of(call.path["project_id"]).id,
        "flavor_ref": "gaussdb.mysql.large.x86.4",
        "vcpus": "2",
        "ram": "8",
        "max_connections": "2500",
        "priority": number,
        "need_restart": False,
        "created": instance.created,
        "updated": _updated(call, instance),
        "volume": {"type": "POOL", "used": "10", "size": 40},
    }


def _zone(call: Call) -> str:
    return f"{call.identity.region_of(call.path['project_id']).id}a"


def _updated(call: Call, instance: Instance) -> str:
    """When an upgrade last ended, else when the instance was made."""
    last = call.fleet.last_upgrade(instance.id)
    return instance.created if last is None else shown_time(last.ends)


def _present(address: str) -> list[str]:
    return [address] if address else []


def ended(job: Job, now: float) -> str:
    """When a job ended; empty before."""
    return shown_time(job.ends) if job.is_over(now) else ""


def failure(job: Job, now: float) -> str:
    """Why a job failed; empty unless it has."""
    return job.fail_reason or "" if job.is_over(now) else ""


def instance_status(call: Call, job: Job) -> str:
    """The status of a job's instance; `deleted` when it is gone."""
    instance = call.fleet.instance(job.instance_id)
    return "deleted" if instance is None else unified_status(instance)


def project(call: Call, region: Region) -> Json:
    """The account's project in a region."""
    return {
        "id": region.project_id,
        "name": region.id,
        "description": "",
        "domain_id": call.identity.account_id,
        "parent_id": call.identity.account_id,
        "enabled": True,
        "is_domain": False,
    }


def self_link(call: Call, path: str) -> Json:
    """Where something is."""
    return {"self": call.url + path}


def links(call: Call, path: str) -> Json:
    """Where something is that has no neighbours."""
    return {**self_link(call, path), "previous": None, "next": None}
