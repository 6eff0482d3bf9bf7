"""BatchUpgradeDatabases: upgrade the kernel version of several instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver.contract import Operation
    from mockserver.model import Reply


def decide(operation: Operation, body: object) -> Reply:
    """Every valid batch is accepted with the documented success, whose text the vendor's Terraform provider demands."""
    del body  # any instance exists and can be upgraded
    return operation.success
