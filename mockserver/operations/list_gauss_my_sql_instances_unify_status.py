"""ListGaussMySqlInstancesUnifyStatus: the project's instances, with v3.1's names of statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.listing import instance_page
from mockserver.model import json_reply
from mockserver.presenting import summary, unified_status

if TYPE_CHECKING:
    from mockserver.calls import Call


def decide(call: Call) -> Decision:
    """A page of the instances that the filters keep, and how many these are in all."""
    instances, total = instance_page(call)
    rows = [{**summary(call, each, unified_status(each)), "eos_tag": False} for each in instances]
    return Decision(json_reply({"instances": rows, "total_count": total}))
