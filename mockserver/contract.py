"""The contract that the mock enforces, compiled once at start: one Operation for each method and path of the API."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from mockserver.documents import as_list, as_object, narrowed, resolve
from mockserver.errors import ResourceError, nearest
from mockserver.model import ApiError, ApiRequest, Reply, json_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mockserver.settings import Settings

IDENTITY = "identity"
"""The tag of the operations that belong to the vendor's identity service, IAM."""
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
class QueryParameter:
    """One parameter of the query."""

    type: str
    """The JSON type that its text stands for: `string`, `integer` or `boolean`."""
    schema: Schema
    default: object
    """The value when it is not given; None when the document states none."""
    required: str | None
    """The clause that its absence breaks; None when it may be absent."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API."""

    id: str
    method: str
    path: str
    pattern: re.Pattern[str]
    path_parameters: Mapping[str, Schema]
    query: Mapping[str, QueryParameter]
    body: Schema | None
    is_body_required: bool
    is_open: bool
    """Whether it demands no credentials, as the one that gives tokens."""
    is_identity: bool
    """Whether it belongs to the identity service, which has a form of errors of its own."""
    success: Reply
    """The documented example of success."""
    examples: Mapping[str, str]
    """Documented examples by path parameter, and of the `body` as JSON unless the settings forbid it."""


class Contract:
    """The OpenAPI document that the mock enforces, and its operations."""

    def __init__(self, document: Mapping[str, object], operations: Sequence[Operation]) -> None:
        self.document = document
        self.operations = tuple(operations)
        self._by_length: dict[int, list[Operation]] = {}
        # A path without parameters goes before one that has them, as OpenAPI demands.
        for operation in sorted(operations, key=lambda each: len(each.path_parameters)):
            self._by_length.setdefault(operation.path.count("/"), []).append(operation)

    @property
    def ids(self) -> list[str]:
        """The ids of the operations."""
        return [operation.id for operation in self.operations]

    def operation(self, operation_id: str) -> Operation:
        """The operation with an id, which must be one of the document's."""
        return next(operation for operation in self.operations if operation.id == operation_id)

    def route(self, request: ApiRequest) -> tuple[Operation, Mapping[str, str]]:
        """The operation for a request, with its path parameters; raises ApiError for 404 and 405."""
        allowed = []
        for operation in self._by_length.get(request.path.count("/"), ()):
            match = operation.pattern.fullmatch(request.path)
            if match and operation.method == request.method:
                return operation, match.groupdict()
            if match:
                allowed.append(operation.method)
        if allowed:
            raise not_allowed(request.method, allowed)
        raise ApiError("api-not-found", {"path": request.path, "nearest": self._nearest(request)})

    def _nearest(self, request: ApiRequest) -> str:
        """The operation that was perhaps meant."""
        served = {f"{each.method} {each.path}": f"{each.method} {each.path}" for each in self.operations}
        project_id = next((part for part in request.path.split("/") if re.fullmatch("[0-9A-Za-z]{32}", part)), None)
        asked = f"{request.method} {request.path[:200]}"
        if project_id:
            asked = asked.replace(project_id, "{project_id}", 1)
        return nearest(asked, served) or f"POST {self.operation('BatchUpgradeDatabases').path}"


def not_allowed(method: str, allowed: Sequence[str]) -> ApiError:
    """The error for a method that a path does not have."""
    methods = ", ".join(sorted(allowed))
    return ApiError("method-not-allowed", {"method": method, "allowed": methods}, (("Allow", methods),))


def load_contract(settings: Settings) -> Contract:
    """The contract as `settings` narrow it; raises ResourceError for a document that the mock cannot enforce."""
    document = narrowed(settings)
    return Contract(document, list(_operations(document)))


def _operations(document: dict[str, object]) -> Iterator[Operation]:
    for path, item in as_object(document["paths"]).items():
        for method, entry in as_object(item).items():
            if method in _METHODS:
                yield _operation(document, path, method, as_object(entry))


def _operation(document: dict[str, object], path: str, method: str, entry: dict[str, Any]) -> Operation:
    parameters = [resolve(document, parameter) for parameter in as_list(entry, "parameters")]
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
            str(each["name"]): _compile(document, as_object(each["schema"]))
            for each in parameters
            if each["in"] == "path"
        },
        query={str(each["name"]): _query_parameter(document, each) for each in parameters if each["in"] == "query"},
        body=body,
        is_body_required=bool(as_object(entry.get("requestBody", {})).get("required")),
        is_open=entry.get("security") == [],
        is_identity=IDENTITY in as_list(entry, "tags"),
        success=_success(entry),
        examples=_examples(parameters, entry),
    )


def _query_parameter(document: dict[str, object], parameter: dict[str, object]) -> QueryParameter:
    schema = as_object(parameter["schema"])
    clause = parameter.get("x-clause-required")
    if bool(parameter.get("required")) != (clause is not None):
        raise ResourceError(
            f"query parameter {parameter['name']}: expected x-clause-required where it is required, and only there"
        )
    return QueryParameter(
        type=str(schema["type"]),
        schema=_compile(document, schema),
        default=schema.get("default"),
        required=None if clause is None else str(clause),
    )


def _json_content(part: object) -> dict[str, Any]:
    """What a request or response says of JSON."""
    return as_object(as_object(as_object(part)["content"])["application/json"])


def _body_schema(document: dict[str, object], entry: dict[str, object]) -> Schema | None:
    if "requestBody" not in entry:
        return None
    return _compile(document, as_object(_json_content(entry["requestBody"])["schema"]))


def _examples(parameters: list[dict[str, object]], entry: dict[str, object]) -> dict[str, str]:
    examples = {str(each["name"]): str(each["example"]) for each in parameters if "example" in each}
    if "requestBody" in entry:
        content = _json_content(entry["requestBody"])
        if "example" in content:
            examples["body"] = json.dumps(content["example"])
    return examples


def _drop_wrong_example(entry: dict[str, object], body: Schema) -> None:
    """A setting may narrow the contract so far that the documented example is no example any more."""
    content = _json_content(entry["requestBody"])
    if "example" in content and not body.validator.is_valid(content["example"]):
        del content["example"]


def _success(entry: dict[str, object]) -> Reply:
    for status, response in as_object(entry["responses"]).items():
        if status.startswith("2"):
            return Reply(int(status), json_bytes(_json_content(response)["example"]))
    raise ResourceError(f"operation {entry['operationId']}: documents no success")


def _compile(document: dict[str, object], schema: dict[str, object]) -> Schema:
    # Only what the schema refers to: compiling every model for every parameter would triple the time of the start.
    models = {str(model["title"]): model for model in _models(document, schema)}
    whole: dict[str, object] = {**schema, **({"components": {"schemas": models}} if models else {})}
    # The text of a path or query is always a string, so saying so is no constraint.
    constraints = {key: value for key, value in schema.items() if (key, value) != ("type", "string")}
    _require_clauses(document, constraints, str(schema.get("title", "of a parameter")), "")
    return Schema(jsonschema_rs.Draft202012Validator(whole), whole)


def _models(document: Mapping[str, object], node: object) -> Iterator[dict[str, Any]]:
    """Every model that a schema refers to, those behind others included."""
    if isinstance(node, dict) and "$ref" in node:
        model = resolve(document, node)
        yield model
        yield from _models(document, model)
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from _models(document, child)


def _require_clauses(document: Mapping[str, object], schema: object, title: str, pointer: str) -> None:
    """Refuse a constraint that belongs to no clause, so that no keyword is enforced without an explanation."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        model = resolve(document, schema)
        _require_clauses(document, model, str(model["title"]), "")
    clauses = as_object(schema.get("x-clauses", {}))
    for keyword, value in schema.items():
        if keyword in _ANNOTATIONS or keyword.startswith("x-") or value is True:
            continue
        if keyword not in clauses:
            raise ResourceError(
                f"schema {title}: at {pointer or 'the top'}: keyword {keyword!r} has no entry in x-clauses"
            )
    absent = set(map(str, as_list(schema, "required"))) - set(as_object(clauses.get("required", {})))
    if absent:
        raise ResourceError(
            f"schema {title}: at {pointer}/x-clauses/required: no clause for {', '.join(sorted(absent))}"
        )
    for name, child in as_object(schema.get("properties", {})).items():
        _require_clauses(document, child, title, f"{pointer}/properties/{name}")
    _require_clauses(document, schema.get("items"), title, f"{pointer}/items")
