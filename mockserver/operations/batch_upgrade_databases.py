"""BatchUpgradeDatabases: upgrade the kernel version of several instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.upgrading import is_delayed, upgrade

if TYPE_CHECKING:
    from mockserver.calls import Call


def decide(call: Call) -> Decision:
    """The documented success, whose text the vendor's Terraform provider demands, and a job for each instance."""
    changes, upgraded = upgrade(call, call.body["databases_instance_infos"], delay=is_delayed(call.body))
    return Decision(call.operation.success, changes, upgraded)
