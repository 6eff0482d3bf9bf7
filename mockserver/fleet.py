"""Instances and jobs as values: what each of them is at a moment follows from what was submitted, and when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

InstanceStatus = Literal["normal", "abnormal", "creating", "createfail", "frozen"]
JobKind = Literal["immediate", "scheduled", "check"]
JobStatus = Literal["Pending", "Running", "Completed", "Failed"]

CHECKS = (
    "Upgrade permission check",
    "Instance version check",
    "Resource check",
    "Upgrade feature compatibility check",
)
"""The items of an upgrade pre-check, in the vendor's words and order (API page of the pre-check result)."""
_DAY = 24 * 3600
_KERNEL = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){2,}")


@dataclass(frozen=True, slots=True)
class Network:
    """Where an instance is in the network; filters of the instance list look for it."""

    vpc_id: str = "3e7d7e1c-7c3f-4f0b-9a53-0d6a5f2b8c11"
    subnet_id: str = "b1f5d9a2-64c8-4d0e-8f1a-5c2e9b7d4a60"
    private_ip: str = ""
    readonly_private_ip: str = ""
    proxy_ip: str = ""


NOWHERE = Network()


@dataclass(frozen=True, slots=True)
class Instance:
    """A database instance, as its fleet file or an admin's edit states it."""

    id: str
    name: str
    version: str
    """Its kernel version before any job of this project, such as 2.0.48.231200."""
    status: InstanceStatus = "normal"
    maintenance_window: str = "02:00-06:00"
    """Hours in UTC, as `hh:mm-hh:mm`; it may go past midnight."""
    failing_checks: tuple[str, ...] = ()
    """Which of CHECKS fail in a pre-check."""
    upgrade_fails: str | None = None
    """Why its upgrade job ends as Failed; None when it succeeds."""
    tags: tuple[tuple[str, str], ...] = ()
    network: Network = NOWHERE
    created: str = "2026-01-01T00:00:00+0000"


@dataclass(frozen=True, slots=True)
class Job:
    """Work on one instance. Its status is a function of time, so that no thread has to do it."""

    id: str
    kind: JobKind
    instance_id: str
    instance_name: str
    created: float
    """Unix time in seconds, by the project's clock, like every time of a job."""
    starts: float
    ends: float
    version: str
    """The kernel version that the instance has afterwards."""
    fail_reason: str | None = None
    decides: bool = True
    """False when the instance was edited after the job was over, so that the edit counts."""

    @property
    def decides_version(self) -> bool:
        """Whether the instance has the job's version once it is over."""
        return self.is_upgrade and self.fail_reason is None and self.decides

    @property
    def is_upgrade(self) -> bool:
        """Whether it changes the instance's version, at once or later."""
        return self.kind != "check"

    def status(self, now: float) -> JobStatus:
        """The status at a time of the project's clock."""
        if now < self.starts:
            return "Pending"
        if now < self.ends:
            return "Running"
        return "Completed" if self.fail_reason is None else "Failed"

    def is_over(self, now: float) -> bool:
        """Whether nothing more will happen."""
        return now >= self.ends

    def progress(self, now: float) -> str:
        """How far it is, such as `60%`; empty unless it is running, as the vendor's page says."""
        if self.status(now) != "Running":
            return ""
        return f"{int(100 * (now - self.starts) / (self.ends - self.starts))}%"


@dataclass(frozen=True, slots=True)
class Fleet:
    """The instances that every project begins with, and the version that upgrades lead to."""

    instances: Mapping[str, Instance]
    latest_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How the mock treats what a request asks of a fleet."""

    unknown_instances: str = "adopt"
    """`adopt` keeps them with the version that the request states, `accept` forgets them again, `reject` refuses."""
    unknown_status: int = 400
    """The status that refuses an instance which the fleet does not have."""
    upgrade_seconds: int = 0
    """How long an upgrade job is Running."""


def window_begin(window: str, now: float) -> float:
    """When a maintenance window begins next: strictly after `now`, both Unix seconds.

    A request within the window waits for the next day's, so that a delayed upgrade is Pending at any hour of the day.
    """
    hours, minutes = window[:5].split(":")
    begin = int(hours) * 3600 + int(minutes) * 60
    midnight = now // _DAY * _DAY
    return midnight + begin if midnight + begin > now else midnight + _DAY + begin


@lru_cache(maxsize=256)
def is_latest(version: str, latest: str) -> bool:
    """Whether a version is the latest or newer; one of an unknown form never is."""
    if version == latest:
        return True
    return bool(_KERNEL.fullmatch(version)) and _numbers(version) > _numbers(latest)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
