"""ShowGaussMySqlJobInfo: one job, whatever its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.listing import require_job
from mockserver.model import json_reply
from mockserver.presenting import COMPATIBLE_VERSION, ENGINE, JOB_NAMES, ended, failure
from mockserver.times import shown_time

if TYPE_CHECKING:
    from mockserver.calls import Call


def decide(call: Call) -> Decision:
    """The job as it is now."""
    job, now = require_job(call, call.query["id"]), call.fleet.now
    shown = {
        "id": job.id,
        "name": JOB_NAMES[job.kind],
        "status": job.status(now),
        "created": shown_time(job.created),
        "ended": ended(job, now),
        "process": job.progress(now),
        "instance": {"id": job.instance_id, "name": job.instance_name},
        "entities": {"instance": {"type": "Cluster", "datastore": {"type": ENGINE, "version": COMPATIBLE_VERSION}}},
        "fail_reason": failure(job, now),
    }
    return Decision(json_reply({"job": shown}))
