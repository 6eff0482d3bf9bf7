"""Which requests a scenario or rule is for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockserver.model import ApiRequest


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, as far as scenarios care."""

    request: ApiRequest
    operation: str
    """The operation's id."""
    is_identity: bool
    """Whether it belongs to the identity service, which meets only those scenarios that are meant for it."""
    project_id: str
    body: object
    instance_id: str | None
    """The instance that the path names."""

    @property
    def instance_ids(self) -> list[str]:
        """The instances that the request names: that of the path, and those of a batch in their order."""
        named = instance_ids(self.body)
        return named if self.instance_id is None else [self.instance_id, *named]


@dataclass(frozen=True, slots=True)
class Only:
    """Which requests a scenario or rule is for; what is not given holds for every request."""

    operations: tuple[str, ...] = ()
    """Ids of operations; none: it is for all."""
    project_id: str | None = None
    instance_id: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: tuple[tuple[str, object], ...] = ()

    def holds(self, asked: Asked) -> bool:
        """Whether every condition holds for a request."""
        return (
            (not self.operations or asked.operation in self.operations)
            and (self.project_id is None or self.project_id == asked.project_id)
            and (self.instance_id is None or self.instance_id in asked.instance_ids)
            and all(asked.request.headers.get(name.lower()) == value for name, value in self.headers)
            and all(_is_at(asked.body, pointer, value) for pointer, value in self.body)
        )


EVERY_REQUEST = Only()


def parse_only(document: dict[str, Any]) -> Only:
    """The conditions of a document that its schema has accepted."""
    named = document.get("operation", [])
    return Only(
        operations=(named,) if isinstance(named, str) else tuple(named),
        project_id=document.get("project_id"),
        instance_id=document.get("instance_id"),
        headers=tuple(document.get("headers", {}).items()),
        body=tuple(document.get("body", {}).items()),
    )


def instance_ids(body: object) -> list[str]:
    """The instance ids of a batch in their order; none when the body is no batch."""
    batch = body.get("databases_instance_infos") if isinstance(body, dict) else None
    items = batch if isinstance(batch, list) else []
    return [
        item["instance_id"] for item in items if isinstance(item, dict) and isinstance(item.get("instance_id"), str)
    ]


def _is_at(body: object, pointer: str, value: object) -> bool:
    """Whether a JSON pointer leads to a value; 1 and true differ, as in JSON."""
    node = body
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
            node = node[int(key)]
        else:
            return False
    return json.dumps(node, sort_keys=True) == json.dumps(value, sort_keys=True)
