"""ListImmediateJobs: the jobs that began when they were asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.listing import job_page
from mockserver.model import json_reply
from mockserver.presenting import JOB_NAMES, ended, failure, instance_status
from mockserver.times import shown_time

if TYPE_CHECKING:
    from typing import Any

    from mockserver.calls import Call
    from mockserver.fleet import Job

KINDS = ("immediate", "check")


def decide(call: Call) -> Decision:
    """A page of the jobs that the filters keep, the newest first, and how many these are in all."""
    jobs, total = job_page(call, *KINDS)
    names = [JOB_NAMES[kind] for kind in KINDS]
    return Decision(
        json_reply({"jobs": [_row(call, job) for job in jobs], "total_count": total, "action_names": names})
    )


def _row(call: Call, job: Job) -> dict[str, Any]:
    now = call.fleet.now
    return {
        "job_id": job.id,
        "job_name": JOB_NAMES[job.kind],
        "status": job.status(now),
        "process": job.progress(now),
        "instance_id": job.instance_id,
        "instance_name": job.instance_name,
        "instance_status": instance_status(call, job),
        "order_id": "",
        "created_time": shown_time(job.created),
        "ended_time": ended(job, now),
        "fail_reason": failure(job, now),
        "show_detail": False,
    }
