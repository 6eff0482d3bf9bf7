"""The table of cases: requests, and what the mock answers, from `fixtures/cases`; its schema explains each field."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from support import PROJECT_ID, UPGRADE_PATH, batch

from mockserver.resources import bundle_root, read_object
from mockserver.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CLOCK = 1_767_225_600.0
"""2026-01-01T00:00:00Z, the time at which every case happens."""
Recipe: TypeAlias = "dict[str, Any] | list[dict[str, Any]]"
"""How bytes are made: a part, several parts, or a change of the documented example."""

EXAMPLE_HEADERS = (("X-Auth-Token", "a-token"), ("Content-Type", "application/json"))
SUCCESS = '{"resp":"success"}'


@dataclass(frozen=True, slots=True)
class CaseRequest:
    method: str
    target: str
    """Path and query as they are sent."""
    headers: tuple[tuple[str, str], ...]
    transfer: str | None
    body_recipe: Recipe
    raw_recipe: Recipe | None

    @property
    def body(self) -> bytes:
        """The bytes, built anew at each use: some are 12 MB."""
        if self.transfer == "none":
            return b""
        if isinstance(self.body_recipe, dict) and self.body_recipe.keys() & {"batch", "with", "without"}:
            return _json(_changed_example(self.body_recipe))
        return _bytes(self.body_recipe)

    @property
    def raw(self) -> bytes | None:
        """The whole message of a case that is no well-formed request."""
        return None if self.raw_recipe is None else _bytes(self.raw_recipe)


@dataclass(frozen=True, slots=True)
class Expected:
    status: int
    error_code: str | None
    error: str | None
    error_msg: tuple[str, ...]
    violation: Mapping[str, str] | None
    violations: int | None
    """None when their number is not the point."""
    headers: Mapping[str, str | None]
    body: str | None
    title: str | None
    """Of an error of the identity service."""
    json: Mapping[str, object]
    """Values by JSON pointer."""


@dataclass(frozen=True, slots=True)
class Case:
    id: str
    group: str
    description: str
    level: str
    source: tuple[str, ...]
    settings: Settings
    before: tuple[CaseRequest, ...]
    request: CaseRequest
    expected: Expected


def case_files() -> list[Path]:
    return sorted((bundle_root() / "fixtures" / "cases").glob("*.json"))


def load_cases() -> list[Case]:
    """Every case; raises ResourceError for a file that the schema refuses, and SettingsError for unusable settings."""
    return [case for path in case_files() for case in _read(path)]


def _read(path: Path) -> list[Case]:
    document: dict[str, Any] = read_object(path, schema="case")
    return [_case(document["group"], entry) for entry in document["cases"]]


def _case(group: str, entry: dict[str, Any]) -> Case:
    given = {
        name: tuple(value) if isinstance(value, list) else value for name, value in entry.get("settings", {}).items()
    }
    settings: dict[str, Any] = {"port": 0, **given}
    return Case(
        id=entry["id"],
        group=group,
        description=entry["description"],
        level=entry["level"],
        source=tuple(entry["source"]),
        settings=Settings(**settings),
        before=tuple(map(_request, entry.get("before", []))),
        request=_request(entry.get("request", {})),
        expected=_expected(entry.get("expected", {"status": 200})),
    )


def _request(request: dict[str, Any]) -> CaseRequest:
    project_id = request.get("project_id", PROJECT_ID)
    return CaseRequest(
        method=request.get("method", "POST"),
        target=request.get("path", UPGRADE_PATH.replace(PROJECT_ID, project_id)),
        headers=_headers(request.get("headers", {})),
        transfer=request.get("transfer"),
        body_recipe=request.get("body", {"json": batch()}),
        raw_recipe=request.get("raw"),
    )


def _headers(given: dict[str, str | None] | list[list[str]]) -> tuple[tuple[str, str], ...]:
    if isinstance(given, list):
        return tuple((name, value) for name, value in given)
    replaced = {name.lower() for name in given}
    kept = [pair for pair in EXAMPLE_HEADERS if pair[0].lower() not in replaced]
    return (*kept, *((name, value) for name, value in given.items() if value is not None))


def _expected(expected: dict[str, Any]) -> Expected:
    return Expected(
        status=expected["status"],
        error_code=expected.get("error_code"),
        error=expected.get("error"),
        error_msg=tuple(expected.get("error_msg", ())),
        violation=expected.get("violation"),
        violations=expected.get("violations", 1),
        headers=expected.get("headers", {}),
        body=expected.get("body", SUCCESS if expected["status"] == 200 and "json" not in expected else None),
        title=expected.get("title"),
        json=expected.get("json", {}),
    )


def _bytes(recipe: Recipe) -> bytes:
    return b"".join(map(_part, recipe if isinstance(recipe, list) else [recipe]))


def _part(part: dict[str, Any]) -> bytes:
    if "text" in part:
        once = str(part["text"]).encode()
    elif "base64" in part:
        once = base64.b64decode(part["base64"], validate=True)
    else:
        once = _json(part["json"])
    return once * int(part.get("times", 1))


def _changed_example(change: dict[str, Any]) -> object:
    example: Any = copy.deepcopy(batch())
    if "batch" in change:
        (documented,) = example["databases_instance_infos"]
        runs = [[run.get("item", documented)] * run.get("times", 1) for run in change["batch"]]
        # Read again, so that no two items are one object that `with` would change in both places.
        example = json.loads(_json({**example, "databases_instance_infos": [item for run in runs for item in run]}))
    for pointer, value in change.get("with", {}).items():
        parent, last = _place(example, pointer)
        parent[last] = value
    for pointer in change.get("without", []):
        parent, last = _place(example, pointer)
        del parent[last]
    return example


def _place(value: dict[str, Any], pointer: str) -> tuple[Any, str | int]:
    """The container and the key of a place; no key of the cases has a slash or a tilde."""
    container: Any = value
    *parents, last = pointer[1:].split("/")
    for part in parents:
        container = container[_key(container, part)]
    return container, _key(container, last)


def _key(container: object, part: str) -> str | int:
    return int(part) if isinstance(container, list) else part


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
