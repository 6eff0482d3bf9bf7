"""ShowGaussMySqlInstanceInfoUnifyStatus: one instance, with v3.1's names of statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.model import json_reply
from mockserver.presenting import detail, unified_status
from mockserver.upgrading import require

if TYPE_CHECKING:
    from mockserver.calls import Call


def decide(call: Call) -> Decision:
    """Everything about the instance."""
    instance = require(call, call.path["instance_id"])
    return Decision(json_reply({"instance": detail(call, instance, unified_status(instance))}))
