"""KeystoneListAuthDomains: the accounts that the caller can use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver.calls import Decision
from mockserver.model import json_reply
from mockserver.presenting import self_link

if TYPE_CHECKING:
    from mockserver.calls import Call


def decide(call: Call) -> Decision:
    """The one account of the mock."""
    identity = call.identity
    account = {
        "id": identity.account_id,
        "name": identity.account_name,
        "description": "",
        "enabled": True,
        "links": self_link(call, f"/v3/domains/{identity.account_id}"),
    }
    return Decision(json_reply({"domains": [account], "links": self_link(call, "/v3/auth/domains")}))
