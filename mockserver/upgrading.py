"""The rules of an upgrade: which instances may be upgraded, what refuses a batch, and the jobs of an accepted one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mockserver.fleet import Instance, Job, is_latest, window_begin
from mockserver.model import ApiError
from mockserver.project_fleet import Changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mockserver.calls import Call
    from mockserver.fleet import JobKind

Hindrance = Literal[
    "instance-unknown",
    "instance-not-found",
    "instance-frozen",
    "instance-abnormal",
    "operation-running",
    "already-latest",
    "version-mismatch",
    "pre-check-versions",
    "pre-check-missing",
]
"""Names of errors in `fixtures/errors.json`."""
MAX_NAMED = 5
"""Instances that a refusal names."""


@dataclass(slots=True)
class Batch:
    """The instances that a request names, looked up: each once, by id, in the request's order."""

    instances: dict[str, Instance] = field(default_factory=dict)
    kept: dict[str, Instance] = field(default_factory=dict)
    """Those of them that the fleet has or gets."""
    adopted: list[Instance] = field(default_factory=list)
    """Those of them that the fleet gets."""


def look_up(call: Call, items: Iterable[Mapping[str, str]]) -> Batch:
    """The instances of `databases_instance_infos`; an unknown one has the version that its first item states.

    Raises ApiError when the policy rejects unknown instances.
    """
    batch, unknown, treatment = Batch(), [], call.policy.unknown_instances
    for item in items:
        instance_id = item["instance_id"]
        if instance_id in batch.instances:
            continue
        instance = call.fleet.instance(instance_id)
        if instance is None:
            unknown.append(instance_id)
            instance = Instance(instance_id, f"instance-{instance_id[:8]}", item["current_version"])
            if treatment == "adopt":
                batch.adopted.append(instance)
                batch.kept[instance_id] = instance
        else:
            batch.kept[instance_id] = instance
        batch.instances[instance_id] = instance
    if unknown and treatment == "reject":
        raise unknown_instances(call, unknown)
    return batch


def require(call: Call, instance_id: str) -> Instance:
    """The instance with an id; raises ApiError when the fleet has none."""
    instance = call.fleet.instance(instance_id)
    if instance is None:
        raise unknown_instances(call, [instance_id])
    return instance


def unknown_instances(call: Call, ids: Sequence[str]) -> ApiError:
    """The refusal of instances that the fleet does not have, with the status that the settings ask for."""
    name: Hindrance = "instance-not-found" if call.policy.unknown_status == 404 else "instance-unknown"  # noqa: PLR2004  # HTTP's Not Found
    return refusal(name, ids)


def refusal(name: Hindrance, about: Sequence[str]) -> ApiError:
    """The error that refuses instances, whose message names the first of them, each once."""
    names = tuple(dict.fromkeys(about))
    return ApiError(name, about=names if len(names) <= MAX_NAMED else (*names[:MAX_NAMED], "…"))


def hindrance(call: Call, instance: Instance, stated: str | None) -> Hindrance | None:
    """Why an instance cannot be upgraded now; `stated` is the version that the request gives, if it gives one."""
    if instance.status == "frozen":
        return "instance-frozen"
    if instance.status != "normal":
        return "instance-abnormal"
    if call.fleet.unfinished(instance.id) is not None:
        return "operation-running"
    # Before the comparison of versions, so that a retry after a lost answer learns that the upgrade has taken place.
    if is_latest(instance.version, call.fleet.latest_version):
        return "already-latest"
    if stated is not None and stated != instance.version:
        return "version-mismatch"
    return None


def upgrade(call: Call, items: Sequence[Mapping[str, str]], *, delay: bool) -> tuple[Changes, tuple[str, ...]]:
    """The changes that upgrade every instance of a batch, and the instances' ids.

    One instance that cannot be upgraded refuses the whole batch: raises ApiError for the first kind of hindrance, and
    names the instances that have it.
    """
    batch = look_up(call, items)
    hindered: dict[Hindrance, list[str]] = {}
    for item in items:
        instance, stated = batch.instances[item["instance_id"]], item["current_version"]
        # Of an instance that is kept nowhere no version is known that the stated one could differ from.
        found = hindrance(call, instance, stated if instance.id in batch.kept else None)
        if found is not None:
            hindered.setdefault(found, []).append(_told(instance, stated, found))
    if hindered:
        raise refusal(*next(iter(hindered.items())))
    submitted = jobs(call, batch.kept.values(), delay=delay)
    return Changes(adopted=batch.adopted, submitted=submitted), tuple(batch.instances)


def upgrade_one(call: Call, instance: Instance, *, delay: bool) -> Changes:
    """The changes that upgrade one instance, whatever version it has; raises ApiError when it cannot be upgraded."""
    found = hindrance(call, instance, None)
    if found is not None:
        raise refusal(found, [instance.id])
    return Changes(submitted=jobs(call, [instance], delay=delay))


def is_delayed(body: object) -> bool:
    """Whether a body asks for the maintenance window: true as a boolean or, from Go and Terraform, as text."""
    return isinstance(body, dict) and body.get("delay") in (True, "true")


def jobs(call: Call, instances: Iterable[Instance], *, delay: bool) -> list[Job]:
    """The upgrade job of each instance: at once, or in its next maintenance window."""
    now, latest = call.fleet.now, call.fleet.latest_version
    kind: JobKind = "scheduled" if delay else "immediate"
    made = []
    for number, each in enumerate(instances):
        starts = window_begin(each.maintenance_window, now) if delay else now
        ends = starts + call.policy.upgrade_seconds
        name = job_id(call, number, kind)
        made.append(Job(name, kind, each.id, each.name, now, starts, ends, latest, each.upgrade_fails))
    return made


def job_id(call: Call, number: int, kind: JobKind) -> str:
    """The id of the request's job with a number: immediate ones have dashes, scheduled ones do not, as the vendor's."""
    digits = f"{call.request_id[:20]}{call.fleet.state.submitted + number:012x}"
    if kind == "scheduled":
        return digits
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _told(instance: Instance, stated: str, name: Hindrance) -> str:
    """An instance in a message, with both versions where they are the matter."""
    return f"{instance.id} ({stated} ≠ {instance.version})" if name == "version-mismatch" else instance.id
