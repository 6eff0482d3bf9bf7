"""ShowGaussMySqlEngineVersion: the versions of the database engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.model import json_reply
from mockserver.presenting import COMPATIBLE_VERSION

if TYPE_CHECKING:
    from mockserver.calls import Call


def decide(call: Call) -> Decision:
    """The one version of the engine, with the kernel that upgrades lead to."""
    version = {
        "id": "87620726-6802-46c0-9028-a8785e1f1921",
        "name": ".".join(COMPATIBLE_VERSION.split(".")[:2]),
        "version": COMPATIBLE_VERSION,
        "kernel_version": call.fleet.latest_version,
    }
    return Decision(json_reply({"datastores": [version]}))
