"""The requests that are measured: the documented example, longer batches of it, and the same with one mistake."""

from __future__ import annotations

import json

ROUTE = "/v3/{project_id}/instances/database-version/upgrade"
PATH = ROUTE.format(project_id="054e292c9880d4992f02c0196d3ea468")
HEADERS = {"Content-Type": "application/json", "X-Auth-Token": "a-token"}
SUCCESS = b'{"resp":"success"}'


def body(instances: int, *, valid: bool = True) -> bytes:
    """A batch of distinct instances; the id of the last is a number unless the body shall be valid."""
    batch: list[dict[str, object]] = [
        {"current_version": "2.0.48.231200", "instance_id": f"{6754902 + number:07}da1f447269c6979b0590102a5in07"}
        for number in range(instances)
    ]
    if not valid:
        batch[-1]["instance_id"] = 6754902
    return json.dumps({"databases_instance_infos": batch, "delay": False}).encode()
