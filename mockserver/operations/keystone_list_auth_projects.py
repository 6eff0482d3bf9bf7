"""KeystoneListAuthProjects: the projects that the caller can use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.model import json_reply
from mockserver.presenting import project, self_link

if TYPE_CHECKING:
    from mockserver.calls import Call


def decide(call: Call) -> Decision:
    """All of the account's projects."""
    projects = [
        {**project(call, region), "links": self_link(call, f"/v3/projects/{region.project_id}")}
        for region in call.identity.regions
    ]
    return Decision(json_reply({"projects": projects, "links": self_link(call, "/v3/auth/projects")}))
