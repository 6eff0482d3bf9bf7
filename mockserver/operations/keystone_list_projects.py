"""KeystoneListProjects: the account's projects that match filters; SDKs look for exactly one by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.model import json_reply
from mockserver.presenting import links, project

if TYPE_CHECKING:
    from mockserver.calls import Call


def decide(call: Call) -> Decision:
    """The projects, page by page when the query says so. All of them are enabled, and none is a domain."""
    query, account = call.query, call.identity.account_id
    everything = query["enabled"] is not False and query["is_domain"] is not True
    found = [
        {**project(call, region), "links": links(call, f"/v3/projects/{region.project_id}")}
        for region in call.identity.regions
        if everything
        and query["name"] in (None, region.id)
        and query["domain_id"] in (None, account)
        and query["parent_id"] in (None, account)
    ]
    if query["page"] is not None and query["per_page"] is not None:
        first = (query["page"] - 1) * query["per_page"]
        found = found[first : first + query["per_page"]]
    return Decision(json_reply({"projects": found, "links": links(call, "/v3/projects")}))
