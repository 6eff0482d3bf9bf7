"""UpgradeGaussMySqlInstanceDatabase: upgrade the kernel version of one instance, whatever version it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.model import json_reply
from mockserver.upgrading import is_delayed, require, upgrade_one

if TYPE_CHECKING:
    from mockserver.calls import Call


def decide(call: Call) -> Decision:
    """The id of the upgrade's job."""
    instance = require(call, call.path["instance_id"])
    changes = upgrade_one(call, instance, delay=is_delayed(call.body))
    return Decision(json_reply({"job_id": changes.submitted[0].id}), changes, (instance.id,))
