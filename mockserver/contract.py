"""The contract documents, read once at start: one Operation for each method and path of the API."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jsonschema_rs

from mockserver.errors import ResourceError, nearest
from mockserver.model import ApiError, ApiRequest, Reply, json_bytes
from mockserver.resources import bundle_root, read_object
from mockserver.settings import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mockserver.settings import Settings

_METHODS = frozenset({"get", "put", "post", "delete", "patch"})
_ANNOTATIONS = frozenset(
    {"$ref", "$schema", "title", "description", "default", "examples", "example", "properties", "items"}
)


@dataclass(frozen=True, slots=True)
class Schema:
    """A compiled schema, the clause of each of its constraints, and the order in which its properties stand."""

    validator: jsonschema_rs.Draft202012Validator
    document: Mapping[str, object]

    def clause(self, schema_path: list[str | int], missing: str | None) -> str:
        """The clause behind the constraint at `schema_path`; `missing` is the absent property of `required`."""
        node: object = self.document
        for part in schema_path[:-1]:
            node = node[part]  # type: ignore[index]  # the path comes from the validator of this very document
        clause = node["x-clauses"][schema_path[-1]]  # type: ignore[index]  # likewise, and _require_clauses has looked
        return str(clause[missing] if missing is not None else clause)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API."""

    id: str
    method: str
    path: str
    pattern: re.Pattern[str]
    path_parameters: Mapping[str, Schema]
    body: Schema | None
    success: Reply
    """The documented example of success."""
    examples: Mapping[str, str]
    """Documented examples by path parameter, and of the `body` as JSON unless the settings forbid it."""


@dataclass(frozen=True, slots=True)
class Contract:
    """The OpenAPI document that the mock enforces, and its operations."""

    document: Mapping[str, object]
    operations: tuple[Operation, ...]

    def route(self, request: ApiRequest) -> tuple[Operation, Mapping[str, str]]:
        """The operation for a request, with its path parameters; raises ApiError for 404 and 405."""
        allowed = []
        for operation in self.operations:
            match = operation.pattern.fullmatch(request.path)
            if match and operation.method == request.method:
                return operation, match.groupdict()
            if match:
                allowed.append(operation.method)
        if allowed:
            raise not_allowed(request.method, allowed)
        served = ", ".join(f"{operation.method} {operation.path}" for operation in self.operations)
        raise ApiError("api-not-found", {"path": request.path, "served": served})


def not_allowed(method: str, allowed: Sequence[str]) -> ApiError:
    """The error for a method that a path does not have."""
    methods = ", ".join(sorted(allowed))
    return ApiError("method-not-allowed", {"method": method, "allowed": methods}, (("Allow", methods),))


def load_contract(settings: Settings) -> Contract:
    """The contract as `settings` narrow it; raises ResourceError for a document that the mock cannot enforce."""
    document = bundle()
    for action in _list(read_object(bundle_root() / "schemas" / "overlays.json", schema="overlays"), "actions"):
        _apply(document, _object(action), settings)
    return Contract(document, tuple(_operations(document)))


def bundle() -> dict[str, object]:
    """The OpenAPI document with every file that it refers to drawn in: models under `components/schemas`."""
    folder = bundle_root() / "schemas"
    document = read_object(folder / "openapi.json")
    paths = _object(document["paths"])
    for path, item in paths.items():
        paths[path] = read_object(folder / str(_object(item)["$ref"]))
    models = {file.name: read_object(file) for file in sorted((folder / "models").glob("*.json"))}
    titles = {name: str(model["title"]) for name, model in models.items()}
    _object(document["components"])["schemas"] = {titles[name]: model for name, model in models.items()}
    bundled = _point_inside(document, titles)
    if not isinstance(bundled, dict):
        raise ResourceError(f"{folder / 'openapi.json'}: expected a JSON object")
    return bundled


def schema_files() -> dict[str, Path]:
    """Every contract document and closed schema by its path below `schemas/`."""
    folder = bundle_root() / "schemas"
    return {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*.json"))}


def _point_inside(node: object, titles: Mapping[str, str]) -> object:
    """A copy of `node` in which each reference to a model's file points into the bundle."""
    if isinstance(node, list):
        return [_point_inside(item, titles) for item in node]
    if not isinstance(node, dict):
        return node
    copied = {key: _point_inside(value, titles) for key, value in node.items()}
    reference = node.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#"):
        name = reference.rpartition("/")[2]
        if name not in titles:
            raise ResourceError(f"$ref {reference}: schemas/models/ has no {name}")
        copied["$ref"] = f"#/components/schemas/{titles[name]}"
    return copied


def _apply(document: dict[str, object], action: dict[str, object], settings: Settings) -> None:
    name = str(action["setting"])
    if name not in BY_NAME:
        match = nearest(name, BY_NAME)
        raise ResourceError(
            f"schemas/overlays.json: no setting is named {name!r}{f'; did you mean {match!r}?' if match else ''}"
        )
    value = getattr(settings, name)
    if value is None or value != action.get("equals", value):
        return
    *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in str(action["target"])[1:].split("/"))
    node = document
    for part in parents:
        if part not in node:
            raise ResourceError(f"schemas/overlays.json: {action['target']} leads to nothing in the bundled document")
        node = _object(node[part])
    node[last] = copy.deepcopy(action.get("value", value))


def _operations(document: dict[str, object]) -> list[Operation]:
    found = []
    for path, item in _object(document["paths"]).items():
        for method, entry in _object(item).items():
            if method in _METHODS:
                found.append(_operation(document, path, method, _object(entry)))
    return found


def _operation(document: dict[str, object], path: str, method: str, entry: dict[str, object]) -> Operation:
    parameters = [_object(parameter) for parameter in _list(entry, "parameters")]
    body = _body_schema(document, entry)
    if body is not None:
        _drop_wrong_example(entry, body)
    return Operation(
        id=str(entry["operationId"]),
        method=method.upper(),
        path=path,
        # A part of a path is never empty and has no slash, not even an encoded one. It may have a line feed.
        pattern=re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))),
        path_parameters={
            str(parameter["name"]): _compile(document, _object(parameter["schema"]))
            for parameter in parameters
            if parameter["in"] == "path"
        },
        body=body,
        success=_success(entry),
        examples=_examples(parameters, entry),
    )


def _body_schema(document: dict[str, object], entry: dict[str, object]) -> Schema | None:
    if "requestBody" not in entry:
        return None
    content = _object(_object(entry["requestBody"])["content"])
    return _compile(document, _object(_object(content["application/json"])["schema"]))


def _examples(parameters: list[dict[str, object]], entry: dict[str, object]) -> dict[str, str]:
    examples = {str(each["name"]): str(each["example"]) for each in parameters if "example" in each}
    if "requestBody" in entry:
        content = _object(_object(_object(entry["requestBody"])["content"])["application/json"])
        if "example" in content:
            examples["body"] = json.dumps(content["example"])
    return examples


def _drop_wrong_example(entry: dict[str, object], body: Schema) -> None:
    """A setting may narrow the contract so far that the documented example is no example any more."""
    content = _object(_object(_object(entry["requestBody"])["content"])["application/json"])
    if "example" in content and not body.validator.is_valid(content["example"]):
        del content["example"]


def _success(entry: dict[str, object]) -> Reply:
    for status, response in _object(entry["responses"]).items():
        if status.startswith("2"):
            content = _object(_object(response)["content"])
            return Reply(int(status), json_bytes(_object(content["application/json"])["example"]))
    raise ResourceError(f"operation {entry['operationId']}: documents no success")


def _compile(document: dict[str, object], schema: dict[str, object]) -> Schema:
    components = {"schemas": _object(document["components"])["schemas"]}
    whole: dict[str, object] = {**schema, "components": components}
    _require_clauses(schema, str(schema.get("title", "of a parameter")), "")
    for title, part in _object(components["schemas"]).items():
        _require_clauses(part, title, "")
    return Schema(jsonschema_rs.Draft202012Validator(whole), whole)


def _require_clauses(schema: object, title: str, pointer: str) -> None:
    """Refuse a constraint that belongs to no clause, so that no keyword is enforced without an explanation."""
    if not isinstance(schema, dict):
        return
    clauses = _object(schema.get("x-clauses", {}))
    for keyword, value in schema.items():
        if keyword in _ANNOTATIONS or keyword.startswith("x-") or value is True:
            continue
        if keyword not in clauses:
            raise ResourceError(
                f"schema {title}: at {pointer or 'the top'}: keyword {keyword!r} has no entry in x-clauses"
            )
    absent = set(map(str, _list(schema, "required"))) - set(_object(clauses.get("required", {})))
    if absent:
        raise ResourceError(
            f"schema {title}: at {pointer}/x-clauses/required: no clause for {', '.join(sorted(absent))}"
        )
    for name, child in _object(schema.get("properties", {})).items():
        _require_clauses(child, title, f"{pointer}/properties/{name}")
    _require_clauses(schema.get("items"), title, f"{pointer}/items")


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ResourceError(f"expected a JSON object in a contract document, got {value!r}")
    return value


def _list(container: Mapping[str, object], key: str) -> list[object]:
    value = container.get(key, [])
    if not isinstance(value, list):
        raise ResourceError(f"expected a JSON array at {key!r} in a contract document")
    return value
