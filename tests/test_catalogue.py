"""Texts: complete, alike in both languages, bounded; and the reply that carries them."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any, get_args

import pytest
from support import REQUEST_ID, api_request
from test_resources import copy_documents, edit

import mockserver
from mockserver.catalogue import MAX_VIOLATIONS_HEADER, Catalogue, load_catalogue, violations_header
from mockserver.documents import bundle
from mockserver.engine import load_engine
from mockserver.errors import ResourceError
from mockserver.model import ApiError, Violation
from mockserver.scenarios import ErrorAnswer, bundled_scenarios
from mockserver.settings import Settings
from mockserver.upgrading import Hindrance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LANGUAGES = ("en-us", "zh-cn")
LONG_ACCESS_KEY = f"SDK-HMAC-SHA256 Access={'a' * 100_000}, SignedHeaders=a, Signature={'0' * 64}"
GIVEN_TO_JOINING = {
    "body": set[str](),
    "path": {"place"},
    "query": {"place"},
    "header": {"place"},
    "about": {"text", "about"},
    "one": {"place", "text"},
    "more": {"place", "text", "count"},
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def message(catalogue: Catalogue, *violations: Violation, language: str = "en-us") -> str:
    """The error_msg that tells of violations."""
    reply = catalogue.reply(ApiError("bad-request", violations=violations), language, REQUEST_ID)
    return str(json.loads(reply.body)["error_msg"])


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def calls_in_the_source(name: str) -> Iterator[ast.Call]:
    for path in Path(mockserver.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield node


def raised_errors() -> Iterator[tuple[str, set[str]]]:
    """Each error that the source raises by name, with the names of the values that it gives to the text."""
    yield from ((name, set()) for name in get_args(Hindrance))
    for call in [*calls_in_the_source("ApiError"), *calls_in_the_source("refusal")]:
        first, *others = call.args
        names = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
        keys = others[0].keys if others and isinstance(others[0], ast.Dict) else []
        given = {str(ast.literal_eval(key)) for key in keys if key}
        yield from ((str(name.value), given) for name in names if isinstance(name, ast.Constant))


# What the file holds


def test_every_text_says_the_same_in_both_languages(catalogue: Catalogue) -> None:
    """At least, it shows the same values."""
    assert catalogue.languages == LANGUAGES
    entries: dict[str, Any] = {**catalogue.errors, **catalogue.violations}
    texts = {**{name: entry["text"] for name, entry in entries.items()}, **catalogue.joining, **catalogue.words}
    for name, text in texts.items():
        assert set(text) == set(LANGUAGES)
        assert placeholders(text["en-us"]) == placeholders(text["zh-cn"]), name


def test_every_error_is_used_and_its_text_shows_the_values_that_it_is_given(catalogue: Catalogue) -> None:
    steps = [step for scenario in bundled_scenarios(catalogue.errors).values() for step in scenario.steps]
    given = {step.answer.error: set[str]() for step in steps if isinstance(step.answer, ErrorAnswer)}
    given |= dict(raised_errors())
    given |= {str(entry.get("error", "bad-request")): {"reason"} for entry in catalogue.violations.values()}
    assert given["body-too-large"] == {"size", "limit"}
    assert {name: placeholders(_english(entry)) - {"request_id"} for name, entry in catalogue.errors.items()} == given


def test_texts_of_violations_and_their_joining_use_only_known_values(catalogue: Catalogue) -> None:
    for name, entry in catalogue.violations.items():
        assert placeholders(_english(entry)) <= {"expected", "received"}, name
    assert {name: placeholders(text["en-us"]) for name, text in catalogue.joining.items()} == GIVEN_TO_JOINING


def test_every_json_type_has_a_word(catalogue: Catalogue) -> None:
    assert set(catalogue.words) == {"object", "array", "string", "boolean", "number", "integer", "null"}


def test_every_constraint_of_the_contract_has_a_text(catalogue: Catalogue) -> None:
    constraints = list(_constraints(bundle()))
    assert ("batch.minimum", "minItems") in constraints
    unexplained = {pair for pair in constraints if not set(pair) & set(catalogue.violations)}
    assert unexplained == {("jobs.id-present", "minLength")}, "an empty value of a query counts as absent"


def test_the_reasons_that_the_parser_documents_all_have_texts(catalogue: Catalogue) -> None:
    rules = {ast.literal_eval(call.args[0]) for call in calls_in_the_source("JsonTextError")}
    assert rules == {clause.removeprefix("json.") for clause in catalogue.violations if clause.startswith("json.")}


def test_a_violation_that_refers_to_an_unknown_error_is_refused_at_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copy_documents(tmp_path, monkeypatch) / "fixtures" / "errors.json"
    edit(path, "/violations/json.empty/error", "null-reqest")
    with pytest.raises(ResourceError) as caught:
        load_catalogue()
    assert str(caught.value) == f"{path}: at /violations/json.empty/error: no error is named 'null-reqest'"


# The reply


@pytest.mark.parametrize(
    ("asked", "language"),
    [("zh-cn", "zh-cn"), (" ZH-CN ", "zh-cn"), ("en-us", "en-us"), ("", "en-us"), ("fr-fr", "en-us"), ("zh", "en-us")],
    ids=["chinese", "letter-case-and-spaces", "english", "empty", "unknown", "part-of-a-name"],
)
def test_the_language_asked_for_is_used_when_the_api_has_it(catalogue: Catalogue, asked: str, language: str) -> None:
    assert catalogue.language(api_request(headers={"X-Language": asked})) == language


@pytest.mark.parametrize(
    ("language", "message"), [("en-us", "The user may not call this API."), ("zh-cn", "该用户无权调用此 API。")]
)
def test_codes_are_the_same_in_both_languages(catalogue: Catalogue, language: str, message: str) -> None:
    reply = catalogue.reply(ApiError("forbidden", headers=(("Retry-After", "1"),)), language, REQUEST_ID)
    assert (reply.status, reply.headers) == (403, (("Retry-After", "1"),))
    assert json.loads(reply.body) == {"error_code": "APIGW.0302", "error_msg": message, "request_id": REQUEST_ID}


def test_the_first_violation_decides_the_error_and_the_others_are_counted(catalogue: Catalogue) -> None:
    empty = Violation("body", "", "empty", "json.empty")
    type_error = Violation("body", "/delay", "type", "delay.encoding", "boolean", 1)
    reply = catalogue.reply(ApiError("bad-request", violations=(empty, type_error)), "en-us", REQUEST_ID)
    assert json.loads(reply.body) == {
        "error_code": "DBS.200006",
        "error_msg": "The request is null: the request body is required, but empty"
        " (and 1 more, listed in X-Mock-Violations).",
    }
    assert message(catalogue, type_error, empty) == (
        "Parameter error: /delay must be a boolean, but is 1 (and 1 more, listed in X-Mock-Violations)."
    )


@pytest.mark.parametrize(
    ("violation", "english", "chinese"),
    [
        (
            Violation("body", "/delay", "type", "delay.encoding", "boolean", 1),
            "/delay must be a boolean, but is 1.",
            "/delay 必须为布尔值，实际为 1。",
        ),
        (
            Violation("body", "/delay", "type", "delay.encoding", ["boolean", "string"], 1),
            "/delay must be a boolean / a string, but is 1.",
            "/delay 必须为布尔值 / 字符串，实际为 1。",
        ),
        (
            Violation("body", "/delay", "enum", "delay.encoding", [True, "true"], None),
            '/delay must be one of true, "true", but is null.',
            '/delay 必须为 true, "true" 之一，实际为 null。',
        ),
        (
            Violation("path", "/project_id", "pattern", "project-id.form", "^.$", "é"),
            'path parameter project_id must be exactly 32 characters, only ASCII letters and digits, but is "é".',
            '路径参数 project_id 必须恰为 32 个字符且仅含 ASCII 字母和数字，实际为 "é"。',
        ),
        (
            Violation("header", "/Content-Type", "media-type", "media-type.json", received="text/plain"),
            'header Content-Type must be a JSON media type such as application/json, but is "text/plain".',
            '请求头 Content-Type 必须为 JSON 媒体类型（如 application/json），实际为 "text/plain"。',
        ),
        (
            Violation("body", "/x", "maxItems", "batch.maximum", 3, 5),
            "/x must have at most 3 items, but has 5.",
            "/x 最多 3 项，实际有 5 项。",
        ),
        (
            Violation("query", "/limit", "maximum", "instances.limit", 100, 101),
            "query parameter limit must be at most 100, but is 101.",
            "查询参数 limit 不得大于 100，实际为 101。",
        ),
    ],
    ids=["type", "types", "enum", "clause-before-rule", "header", "count", "query"],
)
def test_a_violation_is_told_in_plain_words(
    catalogue: Catalogue, violation: Violation, english: str, chinese: str
) -> None:
    assert message(catalogue, violation) == f"Parameter error: {english}"
    assert message(catalogue, violation, language="zh-cn") == f"参数错误：{chinese}"


def test_braces_of_the_client_are_shown_and_never_filled_in(catalogue: Catalogue) -> None:
    trap = "{reason}{0}{request_id.__class__}"
    violation = Violation("body", f"/{trap}", "type", "x", "string", [trap])
    assert message(catalogue, violation) == f'Parameter error: /{trap} must be a string, but is ["{trap}"].'
    shown = catalogue.reply(
        ApiError("api-not-found", {"path": trap, "nearest": ""}, about=(trap,)), "en-us", REQUEST_ID
    )
    assert json.loads(shown.body)["error_msg"].count(trap) == 2


@pytest.mark.parametrize(
    ("about", "language", "text"),
    [
        ((), "en-us", "The instance does not exist."),
        (("one",), "en-us", "The instance does not exist. (one)"),
        (("one", "two", "…"), "en-us", "The instance does not exist. (one, two, …)"),
        (("one", "two"), "zh-cn", "实例不存在。（one, two）"),
    ],
    ids=["nobody", "one", "several", "chinese"],
)
def test_an_error_names_what_it_is_about(
    catalogue: Catalogue, about: tuple[str, ...], language: str, text: str
) -> None:
    reply = catalogue.reply(ApiError("instance-not-found", about=about), language, REQUEST_ID)
    assert json.loads(reply.body) == {"error_code": "DBS.200002", "error_msg": text}


@pytest.mark.parametrize(
    ("name", "identity", "keys"),
    [
        ("forbidden", False, {"error_code", "error_msg", "request_id"}),
        ("forbidden", True, {"error_code", "error_msg", "request_id"}),
        ("bad-request", False, {"error_code", "error_msg"}),
        ("bad-request", True, {"error"}),
        ("password-wrong", True, {"error"}),
        ("password-wrong", False, {"error"}),
    ],
)
def test_an_error_has_the_form_of_the_service_that_answers(
    catalogue: Catalogue, name: str, keys: set[str], *, identity: bool
) -> None:
    """The gateway, before all services, has its own; so has the identity service."""
    error = ApiError(name, {"reason": "x"} if name == "bad-request" else {})
    reply = catalogue.reply(error, "en-us", REQUEST_ID, identity=identity)
    body = json.loads(reply.body)
    assert set(body) == keys
    if "error" in body:
        assert (body["error"]["code"], set(body["error"])) == (reply.status, {"code", "message", "title"})


# Bounds


@pytest.mark.parametrize(
    "received",
    ["x" * 10_000, ["é" * 10_000] * 1000, {"k" * 10_000: 1}, list(range(10_000)), 10**4000],
    ids=["text", "texts", "key", "numbers", "digits"],
)
def test_long_values_are_cut(catalogue: Catalogue, received: object) -> None:
    text = catalogue.describe(Violation("body", "/x", "type", "x", "string", received), "en-us")
    beginning, _, shown = text.partition("but is ")
    assert beginning == "must be a string, "
    assert len(shown) == 80
    assert shown.endswith("…")


@pytest.mark.parametrize(
    "received",
    [dict.fromkeys("abcdefghijk", 1), [{"key": 1}], {"key": [1]}],
    ids=["many-keys", "object-in-a-list", "list-in-an-object"],
)
def test_a_value_of_which_only_a_part_is_shown_never_looks_complete(catalogue: Catalogue, received: object) -> None:
    text = catalogue.describe(Violation("body", "/x", "type", "x", "string", received), "en-us")
    assert json.dumps(received) in text or "…" in text


def test_values_that_fit_are_shown_whole(catalogue: Catalogue) -> None:
    text = catalogue.describe(Violation("body", "/x", "type", "x", "object", "y" * 78), "en-us")
    assert text == f'must be an object, but is "{"y" * 78}"'


@pytest.mark.parametrize(
    ("body", "request_parts"),
    [
        (b'{"' + b"k" * 100_000 + b'": "\\ud800"}', {}),
        (None, {"path": "/" + "p" * 100_000}),
        (None, {"method": "M" * 100_000}),
        (None, {"headers": {"X-Auth-Token": "t", "Content-Type": "c" * 100_000}}),
        (None, {"headers": {"X-Auth-Token": "t", "X-Mock-Scenario": "s" * 100_000}}),
        (None, {"headers": {"X-Auth-Token": "t", "Prefer": "code=" + "5" * 100_000}}),
        (None, {"headers": {"Authorization": LONG_ACCESS_KEY}}),
    ],
    ids=["key", "path", "method", "media-type", "scenario", "preference", "access-key"],
)
def test_no_message_grows_with_what_the_client_sent(body: bytes | None, request_parts: dict[str, Any]) -> None:
    reply = load_engine(Settings(ak=("key",), sk=("secret",))).handle(api_request(body, **request_parts)).reply
    assert reply.status in {400, 401, 404, 405}
    assert len(reply.body) < 1000


@pytest.mark.parametrize("total", [1, 50, 51, 52, 53, 1000])
@pytest.mark.parametrize("place", ["/x", "/é", '/"\\\x00\x7f\n'], ids=["plain", "not-ascii", "escaped"])
def test_the_header_of_violations_is_bounded_json_with_the_right_total(total: int, place: str) -> None:
    violations = [Violation("body", f"{place}/{number}", "type", "item.object") for number in range(total)]
    text = violations_header(violations)
    assert len(text) <= MAX_VIOLATIONS_HEADER == 4096
    assert text.isascii()
    assert text.isprintable()
    header = json.loads(text)
    assert header["total"] == total
    assert header["violations"] == [
        {"in": "body", "pointer": f"{place}/{number}", "rule": "type", "clause": "item.object"}
        for number in range(len(header["violations"]))
    ]
    if len(header["violations"]) < total:  # then not one more would have fitted
        assert len(text) + len(json.dumps(header["violations"][-1])) > MAX_VIOLATIONS_HEADER


def test_a_violation_that_does_not_fit_is_counted_all_the_same() -> None:
    text = violations_header([Violation("body", "/" + "k" * 5000, "surrogate", "json.surrogate")])
    assert json.loads(text) == {"total": 1, "violations": []}


def _english(entry: Mapping[str, Any]) -> str:
    return str(entry["text"]["en-us"])


def _constraints(node: object) -> Iterator[tuple[str, str]]:
    """Each clause of a document, with the keyword that enforces it."""
    if isinstance(node, list):
        for item in node:
            yield from _constraints(item)
    elif isinstance(node, dict):
        for keyword, clause in node.get("x-clauses", {}).items():
            for each in clause.values() if isinstance(clause, dict) else [clause]:
                yield each, keyword
        for value in node.values():
            yield from _constraints(value)
