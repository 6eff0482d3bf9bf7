"""Violations: which, where, in which order, and how many of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from support import INSTANCE, PROJECT_ID, UPGRADE, api_request, batch

from mockserver.contract import Contract, Operation, Schema, load_contract
from mockserver.filtering import FILTERED
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
    return load_contract(Settings(**settings)).operation(UPGRADE)


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
    assert validate(operation, api_request(), {"project_id": PROJECT_ID}) == ({}, batch())


def test_all_violations_are_raised_as_one_error(operation: Operation) -> None:
    with pytest.raises(ApiError) as caught:
        validate(operation, api_request({}), {"project_id": ""})
    assert caught.value.name == "bad-request"
    assert len(caught.value.violations) == 3


def test_an_operation_without_a_body_takes_any_and_gives_none(operation: Operation) -> None:
    bare = replace(operation, body=None)
    request = api_request(b"not json", headers={"Content-Type": "text/plain"})
    assert validate(bare, request, {"project_id": PROJECT_ID}) == ({}, NO_BODY)


def test_a_body_that_may_be_absent_is_checked_only_when_it_is_there() -> None:
    single = load_contract(Settings()).operation("UpgradeGaussMySqlInstanceDatabase")
    path = {"project_id": PROJECT_ID, "instance_id": INSTANCE["instance_id"]}
    assert validate(single, api_request(b"", headers={"Content-Type": "text/plain"}), path) == ({}, NO_BODY)
    assert validate(single, api_request({"delay": True}), path) == ({}, {"delay": True})
    with pytest.raises(ApiError) as caught:
        validate(single, api_request({"delay": 1}), path)
    assert places(list(caught.value.violations)) == [("/delay", "enum")]


def test_what_is_wrong_with_a_request_for_a_token_never_shows_what_came() -> None:
    """A password may stand anywhere in it."""
    tokens = load_contract(Settings()).operation("KeystoneCreateUserTokenByPassword")
    body = {"auth": {"identity": {"methods": "secret-one", "password": "secret-two"}, "scope": ["secret-three"]}}
    with pytest.raises(ApiError) as caught:
        validate(tokens, api_request(body), {})
    assert len(caught.value.violations) == 3
    assert {violation.received for violation in caught.value.violations} == {FILTERED}
    assert "secret" not in repr(caught.value)


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


# Queries

LIST, JOBS, JOB, PROJECTS = (
    "ListGaussMySqlInstances", "ListImmediateJobs", "ShowGaussMySqlJobInfo", "KeystoneListProjects",
)  # fmt: skip


def queried(operation: str, query: str) -> Mapping[str, object]:
    """The parameters that an operation reads from a query; raises ApiError."""
    found = load_contract(Settings()).operation(operation)
    request = api_request(b"", method="GET", query=query)
    return validate(found, request, {"project_id": PROJECT_ID} if found.path_parameters else {})[0]


@pytest.mark.parametrize(
    ("operation", "query", "expected"),
    [
        (LIST, "", {"offset": 0, "limit": 100, "name": None}),
        (LIST, "limit=7&offset=0&name=orders-db", {"limit": 7, "offset": 0, "name": "orders-db"}),
        (LIST, "limit=7&limit=8", {"limit": 8}),
        (LIST, "limit=&name=", {"limit": 100, "name": None}),
        (LIST, "name=%E8%AE%A2%20%2B+%2A", {"name": "订 + *"}),
        (LIST, "limit=007", {"limit": 7}),
        (LIST, "colour=blue&limit=1", {"limit": 1}),
        (LIST, "name", {"name": None}),
        (LIST, "tags=a%3Db,c", {"tags": "a=b,c"}),
        (PROJECTS, "enabled=true&is_domain=FALSE", {"enabled": True, "is_domain": False}),
        (JOB, "id=5", {"id": "5"}),
    ],
    ids=[
        "defaults", "typed", "the-last-counts", "empty-is-absent", "decoded", "zeros-before", "unknown-name",
        "without-a-value", "a-comma", "booleans-in-any-case", "digits-that-are-text",
    ],
)  # fmt: skip
def test_a_query_gives_its_parameters_typed(operation: str, query: str, expected: dict[str, object]) -> None:
    given = queried(operation, query)
    assert {name: given[name] for name in expected} == expected
    assert "colour" not in given


@pytest.mark.parametrize(
    ("operation", "query", "expected"),
    [
        (LIST, "limit=0", Violation("query", "/limit", "minimum", "instances.limit", 1, 0)),
        (LIST, "limit=101", Violation("query", "/limit", "maximum", "instances.limit", 100, 101)),
        (LIST, "limit=ten", Violation("query", "/limit", "type", "instances.limit", ["integer"], "ten")),
        (LIST, "limit=1.5", Violation("query", "/limit", "type", "instances.limit", ["integer"], "1.5")),
        (LIST, "limit=%201", Violation("query", "/limit", "type", "instances.limit", ["integer"], " 1")),
        (LIST, "limit=%D9%A1", Violation("query", "/limit", "type", "instances.limit", ["integer"], "١")),
        (LIST, f"limit={'9' * 5000}", Violation("query", "/limit", "type", "instances.limit", ["integer"], "9" * 5000)),
        (LIST, "offset=-1", Violation("query", "/offset", "minimum", "instances.offset", 0, -1)),
        (LIST, "name=*", Violation("query", "/name", "pattern", "instances.wildcard", received="*")),
        (JOBS, "limit=11", Violation("query", "/limit", "enum", "immediate-jobs.limit", [10, 20, 50], 11)),
        (JOBS, "start_time=now", Violation("query", "/start_time", "pattern", "immediate-jobs.time", received="now")),
        (PROJECTS, "enabled=yes", Violation("query", "/enabled", "type", "projects.enabled", ["boolean"], "yes")),
        (JOB, "", Violation("query", "/id", "required", "jobs.id-present")),
        (JOB, "id=", Violation("query", "/id", "required", "jobs.id-present")),
    ],
    ids=[
        "too-few", "too-many", "a-word", "a-fraction", "a-blank", "a-digit-that-is-not-ascii", "a-huge-number",
        "below-zero", "a-lone-asterisk", "not-offered", "no-time", "no-boolean", "missing", "empty",
    ],
)  # fmt: skip
def test_a_wrong_parameter_of_a_query_is_one_violation(operation: str, query: str, expected: Violation) -> None:
    with pytest.raises(ApiError) as caught:
        queried(operation, query)
    assert caught.value.violations == (expected,)


def test_violations_of_a_query_come_in_documented_order_behind_those_of_the_path() -> None:
    operation = load_contract(Settings()).operation(JOBS)
    request = api_request(b"", method="GET", query="limit=1&status=done&offset=-1")
    with pytest.raises(ApiError) as caught:
        validate(operation, request, {"project_id": "short"})
    assert [(each.location, each.pointer) for each in caught.value.violations] == [
        ("path", "/project_id"), ("query", "/status"), ("query", "/offset"), ("query", "/limit"),
    ]  # fmt: skip


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
    body = Schema(jsonschema_rs.Draft202012Validator(dict(document)), document)
    return replace(contract.operation(UPGRADE), body=body)
