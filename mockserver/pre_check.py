"""The pre-check of an upgrade: its jobs, and what it finds for each instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.fleet import CHECKS, Job
from mockserver.upgrading import hindrance, job_id, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mockserver.calls import Call
    from mockserver.fleet import Instance

_PERMISSION, _VERSION = CHECKS[:2]
_FOUND_BY = {
    "instance-frozen": _PERMISSION,
    "instance-abnormal": _PERMISSION,
    "operation-running": _PERMISSION,
    "already-latest": _VERSION,
    "version-mismatch": _VERSION,
}
"""The check that finds what would refuse an upgrade. The others fail only where the fleet file says so."""
_DESCRIPTIONS = dict(
    zip(
        CHECKS,
        (
            "Whether the instance is in a state in which it may be upgraded.",
            "Whether the instance has the stated version and a later one exists.",
            "Whether the instance has the resources that the upgrade needs.",
            "Whether the features in use exist in the later version.",
        ),
        strict=True,
    )
)


def require_one_version(items: Sequence[Mapping[str, str]]) -> None:
    """Refuse a pre-check of instances with different versions, as the vendor's page demands; raises ApiError."""
    versions = tuple(dict.fromkeys(item["current_version"] for item in items))
    if len(versions) > 1:
        raise refusal("pre-check-versions", versions)


def check_jobs(call: Call, instances: Iterable[Instance]) -> list[Job]:
    """A check job for each instance; a check takes no time."""
    now = call.fleet.now
    return [
        Job(job_id(call, number, "check"), "check", each.id, each.name, now, now, now, each.version)
        for number, each in enumerate(instances)
    ]


def checked_at(call: Call, instances: Iterable[Instance]) -> float:
    """When the last check of the instances ended, Unix seconds; raises ApiError when one was never checked."""
    checks = {each.id: call.fleet.last_check(each.id) for each in instances}
    missing = [instance_id for instance_id, check in checks.items() if check is None]
    if missing:
        raise refusal("pre-check-missing", missing)
    return max(check.ends for check in checks.values() if check is not None)


def check_items(call: Call, instance: Instance, stated: str) -> list[dict[str, str]]:
    """The result of each check of an instance: what would refuse its upgrade now, and what the fleet file lets fail."""
    failing = {*instance.failing_checks, _FOUND_BY.get(str(hindrance(call, instance, stated)))}
    return [
        {
            "check_item": check,
            "check_description": _DESCRIPTIONS[check],
            "check_object": instance.id,
            "check_status": "failed" if check in failing else "passed",
        }
        for check in CHECKS
    ]
