"""CheckKernelUpgrade: check whether instances can be upgraded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.model import json_reply
from mockserver.pre_check import check_jobs, require_one_version
from mockserver.project_fleet import Changes
from mockserver.upgrading import look_up

if TYPE_CHECKING:
    from mockserver.calls import Call


def decide(call: Call) -> Decision:
    """The id of a check job for each instance."""
    items = call.body["databases_instance_infos"]
    require_one_version(items)
    batch = look_up(call, items)
    jobs = check_jobs(call, batch.kept.values())
    return Decision(json_reply({"job_ids": [job.id for job in jobs]}), Changes(adopted=batch.adopted, submitted=jobs))
