"""A request against its operation: every Violation, in the order in which the contract is documented."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

import jsonschema_rs

from mockserver.filtering import FILTERED
from mockserver.json_text import JsonTextError, escape, parse_json
from mockserver.model import ApiError, ApiRequest, Location, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mockserver.contract import Operation, Schema

_SAMPLE = 10_000
"""Items of a batch that are explained; explaining every item of a 12 MB body would take a minute and gigabytes."""

_JSON_MEDIA_TYPE = re.compile(r"(application|text)/([a-z0-9!#$&^_.+-]+\+)?json", re.IGNORECASE)
_INTEGER = re.compile(r"-?[0-9]{1,40}")
NO_BODY: Final = object()


def validate(
    operation: Operation, request: ApiRequest, path_parameters: Mapping[str, str]
) -> tuple[Mapping[str, object], object]:
    """The request's query parameters and its parsed body, which is NO_BODY where there is none.

    Raises ApiError that carries every violation; its name is that of the error that answers the first.
    """
    violations = list(_path_violations(operation, path_parameters))
    query: Mapping[str, object] = {}
    if operation.query:
        query, found = _query(operation, request.query)
        violations.extend(found)
    body: object = NO_BODY
    if operation.body is not None and (request.body or operation.is_body_required):
        violations.extend(_media_type_violations(request))
        try:
            body = parse_json(request.body)
        except JsonTextError as error:
            violations.append(
                Violation("body", error.pointer, error.rule, f"json.{error.rule}", error.expected, error.received)
            )
        else:
            violations.extend(_explain(operation.body, body, "body"))
    if violations:
        if operation.is_open:  # which takes a password, and it may stand anywhere
            violations = [replace(each, received=FILTERED) for each in violations]
        raise ApiError("bad-request", violations=tuple(violations))
    return query, body


def _query(operation: Operation, text: str) -> tuple[dict[str, object], list[Violation]]:
    """The operation's query parameters by name, typed, and what is wrong with them.

    An empty value counts as absent, a parameter given twice has its last value, and one that the document does not
    know is of no matter.
    """
    given = {name: value for name, value in parse_qsl(text) if name in operation.query}
    values: dict[str, object] = {}
    found: list[Violation] = []
    for name, parameter in operation.query.items():
        if name in given:
            values[name] = _typed(parameter.type, given[name])
            found.extend(_explain(parameter.schema, values[name], "query", f"/{name}"))
            continue
        values[name] = parameter.default
        if parameter.required is not None:
            found.append(Violation("query", f"/{name}", "required", parameter.required))
    return values, found


def _typed(kind: str, text: str) -> object:
    """The text of a query as the JSON type that it stands for; other text stays text, for the schema to refuse."""
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    return text


def _path_violations(operation: Operation, path_parameters: Mapping[str, str]) -> list[Violation]:
    found: list[Violation] = []
    for name, schema in operation.path_parameters.items():
        found.extend(_explain(schema, path_parameters[name], "path", f"/{name}"))
    return found


def _media_type_violations(request: ApiRequest) -> list[Violation]:
    """Parameters of the media type are not looked at: RFC 8259 gives JSON no charset other than UTF-8."""
    content_type = request.text("content-type")
    media_type = content_type.partition(";")[0].strip()
    if not media_type or _JSON_MEDIA_TYPE.fullmatch(media_type):
        return []
    return [Violation("header", "/Content-Type", "media-type", "media-type.json", received=content_type)]


def _explain(schema: Schema, value: object, location: Location, prefix: str = "") -> list[Violation]:
    """The violations of a value, by place; none when it is valid."""
    if schema.validator.is_valid(value):
        return []
    if value is None and location == "body":
        return [Violation("body", "", "null", "body.null")]
    errors = schema.validator.iter_errors(_sample(value))
    found = [
        _violation(schema, error, value, location, prefix) for error in errors if not _is_made_by_sample(error, value)
    ]
    found = found or [_first(schema, value, location, prefix)]
    distinct = {(violation.pointer, violation.clause): violation for violation in reversed(found)}
    return sorted(distinct.values(), key=lambda violation: (_place(violation.pointer), violation.rule))


def _sample(value: object) -> object:
    """The value with its long arrays cut."""
    if isinstance(value, list):
        return value[:_SAMPLE]
    if isinstance(value, dict):
        return {key: child[:_SAMPLE] if isinstance(child, list) else child for key, child in value.items()}
    return value


def _first(schema: Schema, value: object, location: Location, prefix: str) -> Violation:
    """The first violation of a value whose sample has none."""
    try:
        schema.validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return _violation(schema, error, value, location, prefix)
    raise AssertionError("an invalid value has an error")


def _place(pointer: str) -> list[tuple[int, str]]:
    """Sorts items of an array by number."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in pointer.split("/")]


def _violation(
    schema: Schema, error: jsonschema_rs.ValidationError, value: object, location: Location, prefix: str
) -> Violation:
    rule = str(error.schema_path[-1])
    details = error.kind.as_dict()
    missing = str(details["property"]) if rule == "required" else None
    places = [*map(str, error.instance_path), *([missing] if missing is not None else [])]
    received = _at(value, error.instance_path)
    return Violation(
        location=location,
        pointer=prefix + "".join(f"/{escape(place)}" for place in places),
        rule=rule,
        clause=schema.clause(error.schema_path, missing),
        expected=_expected(rule, details),
        received=len(received) if isinstance(received, list) and rule in _COUNTED else received,
    )


_COUNTED = frozenset({"minItems", "maxItems"})


def _is_made_by_sample(error: jsonschema_rs.ValidationError, value: object) -> bool:
    """Whether only the cut array is too short."""
    whole = _at(value, error.instance_path)
    limit = error.kind.as_dict().get("limit")
    return error.schema_path[-1] == "minItems" and isinstance(whole, list) and len(whole) >= int(str(limit))


def _at(value: object, path: Sequence[str | int]) -> Any:  # noqa: ANN401  # a JSON value
    """The value at a path; the library's own copy of it has lost numbers that a double cannot hold."""
    node: Any = value
    for part in path:
        node = node[part]
    return node


def _expected(rule: str, details: Mapping[str, object]) -> object:
    return details.get({"type": "types", "enum": "options", "const": "expected_value"}.get(rule, "limit"))
