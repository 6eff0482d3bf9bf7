"""The fleet and the jobs of one project: what it began with, and what its requests changed since."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mockserver.fleet import Fleet, Instance, Job

MAX_JOBS = 100_000
"""Jobs of a project that are kept, and changed instances; the oldest go, with the instances adopted for them."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What an accepted request does to a fleet: all of it, or nothing."""

    adopted: Sequence[Instance] = ()
    submitted: Sequence[Job] = ()
    cancelled: Sequence[Job] = ()


NO_CHANGES = Changes()


@dataclass(slots=True)
class ProjectFleet:
    """Instances and jobs of a project. Not safe under threads by itself: the store lends it to one at a time."""

    fleet: Fleet
    changed: dict[str, Instance | None] = field(default_factory=dict)
    """Instances that the fleet does not have, or has otherwise; None: removed."""
    jobs: dict[str, Job] = field(default_factory=dict)
    """By id, in the order of their submission."""
    jobs_of: dict[str, list[Job]] = field(default_factory=dict)
    """The same jobs by instance."""
    adopted: set[str] = field(default_factory=set)
    """Ids of the instances that came with a request, and go when nothing of it is left."""
    submitted: int = 0
    """How many jobs there ever were, so that their ids can differ."""
    gained: int = 0
    """How many more instances there are than in the fleet; kept up, since counting 10,000 takes a while."""

    @property
    def size(self) -> int:
        """How many instances and jobs are kept for this project alone."""
        return len(self.changed) + len(self.jobs)

    def __len__(self) -> int:
        """How many instances there are."""
        return len(self.fleet.instances) + self.gained

    def load(self, fleet: Fleet) -> None:
        """Begin anew with another fleet, without jobs."""
        self.fleet, self.gained = fleet, 0
        for kept in (self.changed, self.jobs, self.jobs_of, self.adopted):
            kept.clear()

    def stated(self, instance_id: str) -> Instance | None:
        """An instance as it is stated, before its jobs; None when there is none."""
        if instance_id in self.changed:
            return self.changed[instance_id]
        return self.fleet.instances.get(instance_id)

    def all_stated(self) -> Iterator[Instance]:
        """Every instance as it is stated: those of the fleet first, then the others as they came."""
        known = self.fleet.instances
        if not self.changed:
            yield from known.values()
            return
        yield from (each for id_, one in known.items() if (each := self.changed.get(id_, one)) is not None)
        yield from (one for id_, one in self.changed.items() if one is not None and id_ not in known)

    def put(self, instance: Instance) -> None:
        """Add an instance to stay, or replace the one with its id."""
        self.adopted.discard(instance.id)
        self.gained += self.stated(instance.id) is None
        self.changed[instance.id] = instance

    def edit(self, instance: Instance, now: float) -> None:
        """Add or replace an instance, whose finished jobs do not decide on its version any more."""
        self.put(instance)
        for index, job in enumerate(self.jobs_of.get(instance.id, [])):
            if job.is_over(now):
                self.jobs[job.id] = self.jobs_of[instance.id][index] = replace(job, decides=False)

    def remove(self, instance_id: str) -> bool:
        """Remove an instance with its jobs; False when there is none."""
        if self.stated(instance_id) is None:
            return False
        self.gained -= 1
        self.adopted.discard(instance_id)
        for job in self.jobs_of.pop(instance_id, []):
            del self.jobs[job.id]
        if instance_id in self.fleet.instances:
            self.changed[instance_id] = None
        else:
            del self.changed[instance_id]
        return True

    def apply(self, changes: Changes, now: float = math.inf) -> None:
        """Do what a request was granted at a time of the project's clock."""
        for instance in changes.adopted:
            self.put(instance)
            self.adopted.add(instance.id)
        for job in changes.submitted:
            self.jobs[job.id] = job
            self.jobs_of.setdefault(job.instance_id, []).append(job)
        self.submitted += len(changes.submitted)
        for job in changes.cancelled:
            self._forget(job)
        if len(self.jobs) > MAX_JOBS:
            for job in list(islice(self.jobs.values(), len(self.jobs) - MAX_JOBS)):
                self._retire(job, now)
        if len(self.changed) > MAX_JOBS:
            self._remove_idle(len(self.changed) - MAX_JOBS + MAX_JOBS // 10)

    def _forget(self, job: Job) -> None:
        del self.jobs[job.id]
        others = self.jobs_of[job.instance_id]
        others.remove(job)
        if not others:
            del self.jobs_of[job.instance_id]

    def _retire(self, job: Job, now: float) -> None:
        """Forget an old job; its instance keeps the version, or goes as well when it was adopted for it."""
        self._forget(job)
        instance = self.stated(job.instance_id)
        if instance is None:
            return
        if job.decides_version and job.is_over(now):
            self.changed[instance.id] = replace(instance, version=job.version)
        if instance.id in self.adopted and instance.id not in self.jobs_of:
            self.remove(instance.id)

    def _remove_idle(self, count: int) -> None:
        """Remove the oldest of the adopted instances whose jobs were all cancelled; some more, to search seldom."""
        idle = [each for each in self.changed if each in self.adopted and each not in self.jobs_of]
        for instance_id in idle[:count]:
            self.remove(instance_id)


@dataclass(frozen=True, slots=True)
class FleetView:
    """A project's fleet at one time, for reading."""

    state: ProjectFleet
    now: float
    """Unix time in seconds, by the project's clock."""

    @property
    def latest_version(self) -> str:
        """The version that upgrades lead to."""
        return self.state.fleet.latest_version

    def instance(self, instance_id: str) -> Instance | None:
        """The instance with an id, with the version that its jobs have led to; None when there is none."""
        stated = self.state.stated(instance_id)
        return None if stated is None else self._as_it_is(stated)

    def page(
        self, filters: Sequence[Callable[[Instance], bool]], offset: int, limit: int
    ) -> tuple[list[Instance], int]:
        """Some of the instances that pass every filter, in their order, and how many there are in all."""
        found: Iterable[Instance] = self.state.all_stated()
        total = len(self.state)
        if filters:
            for passes in filters:
                found = filter(passes, found)
            found = list(found)
            total = len(found)
        return [self._as_it_is(each) for each in islice(found, min(offset, total), min(offset + limit, total))], total

    def unfinished(self, instance_id: str) -> Job | None:
        """The upgrade of an instance that is not over; None when none is."""
        return self._last_job(instance_id, lambda job: job.is_upgrade and not job.is_over(self.now))

    def last_upgrade(self, instance_id: str) -> Job | None:
        """The last upgrade of an instance that succeeded; None when none has."""
        return self._last_job(instance_id, lambda job: job.decides_version and job.is_over(self.now))

    def last_check(self, instance_id: str) -> Job | None:
        """The last pre-check of an instance; None when none was made."""
        return self._last_job(instance_id, lambda job: job.kind == "check")

    def job(self, job_id: str) -> Job | None:
        """The job with an id; None when there is none."""
        return self.state.jobs.get(job_id)

    def jobs(self, *kinds: str) -> list[Job]:
        """The jobs of some kinds, the newest first."""
        return [job for job in reversed(self.state.jobs.values()) if job.kind in kinds]

    def _last_job(self, instance_id: str, is_meant: Callable[[Job], bool]) -> Job | None:
        jobs = self.state.jobs_of.get(instance_id)
        return next(filter(is_meant, reversed(jobs)), None) if jobs else None

    def _as_it_is(self, instance: Instance) -> Instance:
        job = self.last_upgrade(instance.id)
        if job is None or job.version == instance.version:
            return instance
        return replace(instance, version=job.version)
