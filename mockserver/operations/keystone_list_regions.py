"""KeystoneListRegions: the regions that the caller can use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.model import json_reply
from mockserver.presenting import links, self_link

if TYPE_CHECKING:
    from mockserver.calls import Call


def decide(call: Call) -> Decision:
    """The regions of the account's projects."""
    regions = [
        {
            "id": region.id,
            "type": "public",
            "description": "",
            "parent_region_id": None,
            "locales": dict(region.names),
            "links": self_link(call, f"/v3/regions/{region.id}"),
        }
        for region in call.identity.regions
    ]
    return Decision(json_reply({"regions": regions, "links": links(call, "/v3/regions")}))
