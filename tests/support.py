"""What many tests need: the documented example, requests as values, and HTTP without a client library."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mockserver.conditions import Asked
from mockserver.fleet import Fleet
from mockserver.model import ApiRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT_ID = "054e292c9880d4992f02c0196d3ea468"
UPGRADE_PATH = f"/v3/{PROJECT_ID}/instances/database-version/upgrade"
INSTANCE = {"current_version": "2.0.48.231200", "instance_id": "6754902da1f447269c6979b0590102a5in07"}
REQUEST_ID = "0123456789abcdef0123456789abcdef"
NOW = 1_800_000_000.0
LATEST = "2.0.69.250900"
NO_FLEET = Fleet({}, LATEST)
"""A fleet without instances, so that a project adopts every instance that it upgrades."""
UPGRADE = "BatchUpgradeDatabases"


def batch(*instances: object, delay: object = False) -> dict[str, object]:
    """A request body; the documented example when no instance is given."""
    return {"databases_instance_infos": list(instances) or [INSTANCE], "delay": delay}


def api_request(
    body: object = None,
    *,
    method: str = "POST",
    path: str = UPGRADE_PATH,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    received_at: float = NOW,
) -> ApiRequest:
    """A request as the engine takes it: the documented example with a token unless told otherwise.

    `body` is bytes as they are, or a JSON value; `headers` replace the usual ones and have any letter case.
    """
    data = body if isinstance(body, bytes) else json.dumps(batch() if body is None else body).encode()
    given = {"X-Auth-Token": "a-token", "Content-Type": "application/json"} if headers is None else headers
    return ApiRequest(
        method=method,
        path=path,
        query=query,
        headers={name.lower(): value for name, value in given.items()},
        body=data,
        body_size=len(data),
        request_id=REQUEST_ID,
        received_at=received_at,
    )


def asked(**changes: Any) -> Asked:  # noqa: ANN401  # fields of Asked
    """What scenarios see of the documented example, with some of it changed."""
    example = Asked(
        request=api_request(),
        operation=UPGRADE,
        is_identity=False,
        project_id=PROJECT_ID,
        body=batch(),
        instance_id=None,
    )
    return replace(example, **changes)


@dataclass(frozen=True)
class HttpReply:
    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    def json(self) -> object:
        return json.loads(self.body)


def send(
    url: str,
    method: str = "POST",
    path: str = UPGRADE_PATH,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30,
) -> HttpReply:
    """One HTTP call; the documented example with a token unless told otherwise."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=timeout)
    try:
        connection.request(
            method,
            path,
            json.dumps(batch()).encode() if body is None else body,
            {"X-Auth-Token": "a-token", "Content-Type": "application/json"} if headers is None else dict(headers),
        )
        response = connection.getresponse()
        return HttpReply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()
