"""ShowKernelUpgradeCheckResult: what the last pre-check of instances found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.model import json_reply
from mockserver.pre_check import check_items, checked_at, require_one_version
from mockserver.upgrading import require

if TYPE_CHECKING:
    from mockserver.calls import Call


def decide(call: Call) -> Decision:
    """Four checks of each instance, and whether all of them passed; refused when no pre-check was made."""
    items = call.body["databases_instance_infos"]
    require_one_version(items)
    stated = {item["instance_id"]: item["current_version"] for item in items}
    instances = [require(call, instance_id) for instance_id in stated]
    ended = checked_at(call, instances)
    rows = [row for instance in instances for row in check_items(call, instance, stated[instance.id])]
    passed = all(row["check_status"] == "passed" for row in rows)
    return Decision(
        json_reply(
            {
                "upgrade_precheck_result": "true" if passed else "false",
                "updated_at": int(ended * 1000),
                "upgrade_precheck_detail": rows,
            }
        )
    )
