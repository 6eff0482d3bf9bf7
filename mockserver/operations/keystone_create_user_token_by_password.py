"""KeystoneCreateUserTokenByPassword: a token for a user who knows the password."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

from mockserver.calls import Decision
from mockserver.identity import TOKEN_LIFETIME
from mockserver.model import ApiError, Violation, json_reply
from mockserver.times import moment

if TYPE_CHECKING:
    from mockserver.calls import Call

Json = dict[str, Any]


def decide(call: Call) -> Decision:
    """201 with the token in X-Subject-Token and what it stands for in the body; the user's domain may be any."""
    user, scope = call.body["auth"]["identity"]["password"]["user"], call.body["auth"]["scope"]
    if not call.identity.knows(user["name"], user["password"]):
        raise ApiError("password-wrong")
    domain = {"id": call.identity.account_id, "name": user["domain"]["name"]}
    project = _project(call, scope)
    # A token ends at a whole second, and the body says at which.
    now = math.floor(call.fleet.now if project is None else call.time_of(project["id"]))
    token: Json = {
        "methods": ["password"],
        "issued_at": _shown(now),
        "expires_at": _shown(now + TOKEN_LIFETIME),
        "user": {"id": _id(user["name"]), "name": user["name"], "domain": domain, "password_expires_at": ""},
        "roles": [{"id": "0", "name": "te_admin"}],
        "catalog": [] if call.query["nocatalog"] else _catalog(call, project),
        **({"domain": domain} if project is None else {"project": {**project, "domain": domain}}),
    }
    issued = call.identity.issue(call.request_id, now)
    return Decision(json_reply({"token": token}, status=201, headers=(("X-Subject-Token", issued),)))


def _project(call: Call, scope: Json) -> Json | None:
    """The project that the token is for; None when it is for the account."""
    chosen = scope.get("project", scope.get("domain"))
    if chosen is None or not {"id", "name"} & set(chosen):
        place = "".join(f"/{name}" for name in ("project", "domain") if name in scope)[:8]
        raise ApiError("bad-request", violations=(Violation("body", f"/auth/scope{place}", "scope", "token.scope"),))
    if "project" not in scope:
        return None
    if "id" in chosen:
        known = next((each for each in call.identity.regions if each.project_id == chosen["id"]), None)
        return {"id": chosen["id"], "name": chosen.get("name", known.id if known else chosen["id"])}
    region = next((each for each in call.identity.regions if each.id == chosen["name"]), None)
    if region is None:
        raise ApiError("project-unknown", about=(chosen["name"],))
    return {"id": region.project_id, "name": region.id}


def _catalog(call: Call, project: Json | None) -> list[Json]:
    """Where the services are: here."""
    region = "*" if project is None else call.identity.region_of(project["id"]).id
    services = [("iam", "identity", f"{call.url}/v3", "*")]
    if project is not None:
        services.append(("gaussdb", "gaussdb", f"{call.url}/v3/{project['id']}", region))
    return [
        {
            "id": _id(name),
            "name": name,
            "type": kind,
            "endpoints": [{"id": _id(url), "interface": "public", "region": where, "region_id": where, "url": url}],
        }
        for name, kind, url, where in services
    ]


def _id(name: str) -> str:
    """32 hexadecimal digits that a name always has."""
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:32]


def _shown(seconds: float) -> str:
    """A Unix time as the identity service shows it, with microseconds."""
    return moment(seconds).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
