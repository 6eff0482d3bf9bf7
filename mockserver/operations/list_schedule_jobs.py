"""ListScheduleJobs: the jobs for the maintenance window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.listing import job_page
from mockserver.model import json_reply
from mockserver.presenting import ENGINE, JOB_NAMES, ended, instance_status
from mockserver.times import shown_time

if TYPE_CHECKING:
    from typing import Any

    from mockserver.calls import Call
    from mockserver.fleet import Job


def decide(call: Call) -> Decision:
    """A page of the jobs that the filters keep, the newest first, and how many these are in all."""
    jobs, total = job_page(call, "scheduled")
    return Decision(json_reply({"schedules": [_row(call, job) for job in jobs], "total_count": total}))


def _row(call: Call, job: Job) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "instance_id": job.instance_id,
        "instance_name": job.instance_name,
        "instance_status": instance_status(call, job),
        "project_id": call.path["project_id"],
        "job_name": JOB_NAMES[job.kind],
        "create_time": shown_time(job.created),
        "start_time": shown_time(job.starts),
        "end_time": ended(job, call.fleet.now),
        "job_status": job.status(call.fleet.now),
        "datastore_type": ENGINE,
        "target_config": {},
        "proxy_id": "",
        "proxy_name": "",
    }
