"""What tests and the admin API do to a project's fleet, beside the requests of clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.errors import FleetError
from mockserver.fleet_files import kernel_versions, parse_fleet, parse_instance, show_instance
from mockserver.presenting import JOB_NAMES
from mockserver.project_fleet import FleetView
from mockserver.resources import problem_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mockserver.fleet import Job
    from mockserver.stores import Store

Json = dict[str, Any]


class FleetControl:
    """Reads and changes the fleets of a store; instances have the form of schemas/data/fleet.schema.json."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock

    def instances(self, project_id: str, offset: int = 0, limit: int | None = None) -> list[Json]:
        """The project's instances in the order of their list, each with the version that it has now."""
        with self._store.fleet(project_id) as fleet:
            found, _ = FleetView(fleet, self._now(project_id)).page((), offset, limit or len(fleet))
        return [show_instance(each) for each in found]

    def summary(self, project_id: str) -> Json:
        """How large the project's fleet is, and which version its upgrades lead to."""
        with self._store.fleet(project_id) as fleet:
            return {
                "project_id": project_id,
                "latest_version": fleet.fleet.latest_version,
                "total": len(fleet),
                "jobs": len(fleet.jobs),
            }

    def jobs(self, project_id: str) -> list[Json]:
        """The project's jobs, the oldest first, with their status now and times in Unix seconds of its clock."""
        now = self._now(project_id)
        with self._store.fleet(project_id) as fleet:
            return [_show_job(job, now) for job in fleet.jobs.values()]

    def load(self, project_id: str, document: Mapping[str, Any]) -> None:
        """Begin anew with a fleet as in a fleet file, and without jobs; raises FleetError when it is unusable."""
        problem = problem_of(document, schema="fleet")
        if problem is not None:
            raise FleetError(f"the fleet, {problem}")
        try:
            loaded = parse_fleet(document, kernel_versions()[-1])
        except ValueError as error:
            raise FleetError(f"the fleet, {error}") from None
        with self._store.fleet(project_id) as fleet:
            fleet.load(loaded)

    def edit(self, project_id: str, instance_id: str, changes: Mapping[str, Any]) -> Json:
        """Change some fields of an instance, or add one, and show it; raises FleetError when it is unusable."""
        now = self._now(project_id)
        with self._store.fleet(project_id) as fleet:
            known = FleetView(fleet, now).instance(instance_id)
            document = {**({} if known is None else show_instance(known)), **changes, "id": instance_id}
            # Requests may state any version for an instance that is adopted; only what is changed is judged.
            judged = document if known is None or "version" in changes else {**document, "version": "0.0.0.0"}  # noqa: S104  # no address
            problem = problem_of({"instances": [judged]}, schema="fleet")
            if problem is not None:
                problem = problem.replace("/instances/0:", "the top:").replace("/instances/0", "")
                raise FleetError(f"the instance {instance_id}, {problem}")
            edited = parse_instance(document)
            fleet.edit(edited, now)
        return show_instance(edited)

    def remove(self, project_id: str, instance_id: str) -> bool:
        """Remove an instance and its jobs; False when there is none."""
        with self._store.fleet(project_id) as fleet:
            return fleet.remove(instance_id)

    def _now(self, project_id: str) -> float:
        return self._store.project_time(project_id, self._clock())


def _show_job(job: Job, now: float) -> Json:
    return {
        "id": job.id,
        "kind": job.kind,
        "name": JOB_NAMES[job.kind],
        "instance_id": job.instance_id,
        "status": job.status(now),
        "created": job.created,
        "starts": job.starts,
        "ends": job.ends,
        "version": job.version,
        "fail_reason": job.fail_reason,
    }
