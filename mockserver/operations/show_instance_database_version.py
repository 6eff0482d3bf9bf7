"""ShowInstanceDatabaseVersion: an instance's kernel version, and the one that an upgrade leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.fleet import is_latest
from mockserver.model import json_reply
from mockserver.presenting import COMPATIBLE_VERSION
from mockserver.upgrading import require

if TYPE_CHECKING:
    from mockserver.calls import Call


def decide(call: Call) -> Decision:
    """Both versions, and whether they differ."""
    instance, latest = require(call, call.path["instance_id"]), call.fleet.latest_version
    upgradable = not is_latest(instance.version, latest)
    return Decision(
        json_reply(
            {
                "upgrade_flag": upgradable,
                "datastore": {
                    "current_version": COMPATIBLE_VERSION,
                    "current_kernel_version": instance.version,
                    "latest_version": COMPATIBLE_VERSION,
                    "latest_kernel_version": latest if upgradable else instance.version,
                },
            }
        )
    )
