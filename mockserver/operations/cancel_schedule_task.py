"""CancelScheduleTask: take back jobs that wait for the maintenance window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.listing import require_job
from mockserver.model import ApiError, json_reply
from mockserver.project_fleet import Changes

if TYPE_CHECKING:
    from mockserver.calls import Call


def decide(call: Call) -> Decision:
    """The ids of the cancelled jobs: all that were named, or the call is refused and cancels none."""
    ids = list(dict.fromkeys(call.body["job_ids"]))
    jobs = [require_job(call, job_id) for job_id in ids]
    begun = [job.id for job in jobs if job.kind != "scheduled" or job.status(call.fleet.now) != "Pending"]
    if begun:
        raise ApiError("job-not-pending", about=tuple(begun))
    return Decision(json_reply({"job_ids": ids}), Changes(cancelled=jobs))
