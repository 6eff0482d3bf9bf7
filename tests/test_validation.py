"""Violations: which, where, in which order, and how many of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from support import INSTANCE, PROJECT_ID, api_request, batch

from mockserver.contract import Contract, Operation, Schema, load_contract
from mockserver.model import ApiError, Violation
from mockserver.settings import Settings
from mockserver.validation import NO_BODY, validate

if TYPE_CHECKING:
    from collections.abc import Mapping

ITEMS = "/databases_instance_infos"


@pytest.fixture(scope="module")
def operation() -> Operation:
    return operation_with()


def operation_with(**settings: Any) -> Operation:  # noqa: ANN401  # settings of any type
    (found,) = load_contract(Settings(**settings)).operations
    return found


def violations(
    operation: Operation, body: object, *, project_id: str = PROJECT_ID, content_type: str | None = "application/json"
) -> list[Violation]:
    """What is wrong with a request; bytes are the body as they are."""
    request = api_request(
        body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers={} if content_type is None else {"Content-Type": content_type},
    )
    try:
        validate(operation, request, {"project_id": project_id})
    except ApiError as error:
        return list(error.violations)
    return []


def places(found: list[Violation]) -> list[tuple[str, str]]:
    return [(violation.pointer, violation.rule) for violation in found]


def test_a_valid_request_gives_its_body(operation: Operation) -> None:
    assert validate(operation, api_request(), {"project_id": PROJECT_ID}) == batch()


def test_all_violations_are_raised_as_one_error(operation: Operation) -> None:
    with pytest.raises(ApiError) as caught:
        validate(operation, api_request({}), {"project_id": ""})
    assert caught.value.name == "bad-request"
    assert len(caught.value.violations) == 3


def test_an_operation_without_a_body_takes_any_and_gives_none(operation: Operation) -> None:
    bare = Operation(**{name: getattr(operation, name) for name in operation.__slots__} | {"body": None})
    request = api_request(b"not json", headers={"Content-Type": "text/plain"})
    assert validate(bare, request, {"project_id": PROJECT_ID}) is NO_BODY


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([], [("", "type")]),
        ("x", [("", "type")]),
        (1, [("", "type")]),
        (None, [("", "null")]),
        ({}, [(ITEMS, "required"), ("/delay", "required")]),
        ({"databases_instance_infos": None, "delay": None}, [(ITEMS, "type"), ("/delay", "enum")]),
        ({"delay": 1, "databases_instance_infos": {}}, [(ITEMS, "type"), ("/delay", "enum")]),
        (batch(1), [(f"{ITEMS}/0", "type")]),
        (batch(INSTANCE, [], INSTANCE), [(f"{ITEMS}/1", "type")]),
        (batch({}), [(f"{ITEMS}/0/current_version", "required"), (f"{ITEMS}/0/instance_id", "required")]),
        (
            batch({"instance_id": 1}, delay="no"),
            [(f"{ITEMS}/0/current_version", "required"), (f"{ITEMS}/0/instance_id", "type"), ("/delay", "enum")],
        ),
        (batch(*[INSTANCE] * 2, 1, *[INSTANCE] * 7, 1), [(f"{ITEMS}/2", "type"), (f"{ITEMS}/10", "type")]),
        (batch(delay="True"), [("/delay", "enum")]),
        (batch(delay=0), [("/delay", "enum")]),
    ],
    ids=[
        "array",
        "string",
        "number",
        "null",
        "all-missing",
        "all-null",
        "in-documented-order-whatever-the-order-sent",
        "item-no-object",
        "item-in-the-middle",
        "item-empty",
        "depth-first",
        "items-by-number",
        "letter-case",
        "number-for-boolean",
    ],
)
def test_violations_come_in_documented_order(
    operation: Operation, body: object, expected: list[tuple[str, str]]
) -> None:
    assert places(violations(operation, body)) == expected


def test_path_comes_before_headers_and_headers_before_the_body(operation: Operation) -> None:
    found = violations(operation, batch(delay=1), project_id="short", content_type="text/plain")
    assert [violation.location for violation in found] == ["path", "header", "body"]
    found = violations(operation, b"", project_id="short", content_type="text/plain")
    assert [violation.rule for violation in found] == ["pattern", "media-type", "empty"]


def test_a_violation_says_everything_about_its_place(operation: Operation) -> None:
    found = violations(operation, batch({"current_version": 7}, delay="no"), project_id="é")
    assert found == [
        Violation("path", "/project_id", "pattern", "project-id.form", received="é"),
        Violation("body", f"{ITEMS}/0/current_version", "type", "current-version.string", ["string"], 7),
        Violation("body", f"{ITEMS}/0/instance_id", "required", "instance-id.present", received={"current_version": 7}),
        Violation("body", "/delay", "enum", "delay.encoding", [True, False, "true", "false"], "no"),
    ]


def test_a_body_that_is_no_json_is_one_violation_with_its_reason(operation: Operation) -> None:
    found = violations(operation, b'{"a/b": "\\ud800"}')
    assert found == [Violation("body", "/a~1b", "surrogate", "json.surrogate")]
    (depth,) = violations(operation, b"[" * 200 + b"]" * 200)
    assert depth == Violation("body", "", "depth", "json.depth", expected=100)


@pytest.mark.parametrize(
    "project_id",
    [
        "",
        "a" * 31,
        "a" * 33,
        "a" * 32 + "\n",
        "a" * 31 + "\n",
        "\n" + "a" * 31,
        "é" + "a" * 31,
        "٣" * 32,
        "a" * 31 + "-",
    ],
    ids=[
        "empty",
        "short",
        "long",
        "line-feed-after",
        "line-feed-last",
        "line-feed-first",
        "letter",
        "digits",
        "hyphen",
    ],
)
def test_a_project_id_of_another_form_is_one_violation(operation: Operation, project_id: str) -> None:
    """However many keywords of the schema it breaks: they are one clause."""
    (found,) = violations(operation, batch(), project_id=project_id)
    assert (found.location, found.pointer, found.clause) == ("path", "/project_id", "project-id.form")
    assert found.received == project_id


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "application/json;charset=utf-8",
        "Application/JSON ; Charset=GBK",
        "application/json; charset",
        "application/vnd.api+json",
        "application/problem+json; x=y",
        "text/json",
        " application/json ",
    ],
    ids=repr,
)
def test_every_json_media_type_is_accepted(operation: Operation, content_type: str | None) -> None:
    assert violations(operation, batch(), content_type=content_type) == []


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "json",
        "application/",
        "application/json, text/plain",
        "application/+json",
        "xapplication/json",
    ],
    ids=repr,
)
def test_other_media_types_are_refused(operation: Operation, content_type: str) -> None:
    (found,) = violations(operation, batch(), content_type=content_type)
    assert found == Violation("header", "/Content-Type", "media-type", "media-type.json", received=content_type)


def test_pointers_are_escaped() -> None:
    document = {"properties": {"a/b": {"properties": {"c~d": {"type": "string", "x-clauses": {"type": "x"}}}}}}
    contract = load_contract(Settings())
    found = violations(_with_body(contract, document), {"a/b": {"c~d": 1}})
    assert places(found) == [("/a~1b/c~0d", "type")]


# Large batches


def test_a_fault_far_behind_in_a_large_batch_is_found(operation: Operation) -> None:
    found = violations(operation, batch(*[INSTANCE] * 5000, {**INSTANCE, "instance_id": 1}, *[INSTANCE] * 5000))
    assert places(found) == [(f"{ITEMS}/5000/instance_id", "type")]


def test_of_a_large_batch_the_first_ten_thousand_items_are_explained(operation: Operation) -> None:
    found = violations(operation, batch(*[1] * 50_000, delay=2))
    assert places(found) == [*((f"{ITEMS}/{number}", "type") for number in range(10_000)), ("/delay", "enum")]


@pytest.mark.parametrize(
    ("settings", "count", "rule"),
    [
        ({"max_batch": 2}, 3, "maxItems"),
        ({"max_batch": 9_999}, 15_000, "maxItems"),
        ({"max_batch": 12_000}, 15_000, "maxItems"),
        ({"min_batch": 2}, 1, "minItems"),
        ({"min_batch": 12_000}, 11_000, "minItems"),
    ],
    ids=["few", "both-sides-of-the-sample", "beyond-the-sample", "too-few", "too-few-beyond-the-sample"],
)
def test_the_number_of_items_that_came_is_told_truly(settings: Mapping[str, int], count: int, rule: str) -> None:
    (found,) = violations(operation_with(**settings), batch(*[INSTANCE] * count))
    (limit,) = settings.values()
    assert (found.pointer, found.rule, found.expected, found.received) == (ITEMS, rule, limit, count)


def test_a_large_batch_that_is_long_enough_is_not_called_short_for_another_fault() -> None:
    found = violations(operation_with(min_batch=1200), batch(*[INSTANCE] * 1300, delay="no"))
    assert places(found) == [("/delay", "enum")]


def _with_body(contract: Contract, document: Mapping[str, object]) -> Operation:
    (operation,) = contract.operations
    body = Schema(jsonschema_rs.Draft202012Validator(dict(document)), document)
    return Operation(**{name: getattr(operation, name) for name in operation.__slots__} | {"body": body})
