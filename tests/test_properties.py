"""Generated requests: what the contract allows is accepted, what breaks it is refused at its place, nothing raises."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from string import Formatter
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from strategies import (
    BREAKS,
    MUTATIONS,
    ONLY_BOOLEANS,
    ONLY_STRINGS,
    STRICT,
    TWO_TO_FOUR,
    Mutant,
    bodies,
    bounded,
    json_texts,
    json_values,
    mutants,
    near_bodies,
    project_ids,
)
from support import INSTANCE, REQUEST_ID, UPGRADE, UPGRADE_PATH, api_request, batch, send

from mockserver.catalogue import MAX_VIOLATIONS_HEADER, Catalogue, load_catalogue
from mockserver.engine import Engine, load_engine
from mockserver.model import ApiError, Exchange, Violation
from mockserver.running import MockServer
from mockserver.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTRACTS = {
    "default": Settings(),
    "delay-boolean": ONLY_BOOLEANS,
    "delay-string": ONLY_STRINGS,
    "min-batch": Settings(min_batch=1),
    "max-batch": Settings(max_batch=2),
    "min-and-max-batch": TWO_TO_FOUR,
    "strict-ids": STRICT,
    "everything": Settings(delay="string", min_batch=1, max_batch=3, strict_ids=True),
}
each_contract = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
few, many = settings(bounded, max_examples=25), settings(bounded, max_examples=100)


@cache
def engine_for(contract: Settings) -> Engine:
    """An engine that accepts each upgrade, however often it is sent: what becomes of instances is no matter here."""
    return load_engine(replace(contract, unknown_instances="accept"))


@pytest.fixture(scope="module")
def accepting_mock() -> Iterator[MockServer]:
    """The same as a running mock."""
    with MockServer(Settings(port=0, unknown_instances="accept")) as running:
        yield running


def upgrade_path(project_id: str) -> str:
    return f"/v3/{project_id}/instances/database-version/upgrade"


UPGRADE_AT = (upgrade_path("{project_id}"), "post")
"""Where the upgrade stands in the document."""


@cache
def python_validator(contract: Settings, path: str, method: str, *steps: str) -> Draft202012Validator:
    """Python's validator of the schema at `steps` below an operation, in the document that the mock enforces."""
    document: Any = engine_for(contract).contract.document
    schema = document["paths"][path][method]
    for step in steps:
        schema = schema[int(step) if isinstance(schema, list) else step]
        while "$ref" in schema and not schema["$ref"].startswith("#/components/schemas/"):
            _, _, kind, name = schema["$ref"].split("/")
            schema = document["components"][kind][name]
    return Draft202012Validator({**schema, "components": document["components"]})


def body_is_valid(contract: Settings, body: object) -> bool:
    """Whether the body of an upgrade is valid; the two validators must agree."""
    steps = ("requestBody", "content", "application/json", "schema")
    by_python = python_validator(contract, *UPGRADE_AT, *steps).is_valid(body)
    operation = engine_for(contract).contract.operation(UPGRADE)
    assert operation.body is not None
    assert operation.body.validator.is_valid(body) is by_python
    return by_python


def project_id_is_valid(project_id: str) -> bool:
    """Whether the project id is valid, by Python's validator."""
    return python_validator(Settings(), *UPGRADE_AT, "parameters", "0", "schema").is_valid(project_id)


def assert_documented(exchange: Exchange) -> None:
    """The reply is one that the document describes, for an unknown path one that it describes for the upgrade."""
    reply, contract = exchange.reply, engine_for(Settings()).contract
    operation = contract.operation(exchange.operation or UPGRADE)
    where = ("responses", str(reply.status), "content", "application/json", "schema")
    python_validator(Settings(), operation.path, operation.method.lower(), *where).validate(json.loads(reply.body))
    assert all(len(value) <= MAX_VIOLATIONS_HEADER and value.isascii() for _, value in reply.headers)


def places(exchange: Exchange) -> list[tuple[str, str]]:
    """Location and pointer of each violation, as the client reads them."""
    header = json.loads(dict(exchange.reply.headers)["X-Mock-Violations"])
    assert header["total"] == len(exchange.violations)
    return [(violation["in"], violation["pointer"]) for violation in header["violations"]]


@each_contract
@few
@given(data=st.data(), project_id=project_ids)
def test_valid_bodies_are_accepted_however_they_are_written(
    contract: Settings, data: st.DataObject, project_id: str
) -> None:
    text = data.draw(json_texts(bodies(contract)))
    exchange = engine_for(contract).handle(api_request(text, path=upgrade_path(project_id)))
    assert (exchange.reply.status, exchange.reply.body) == (200, b'{"resp":"success"}')
    assert body_is_valid(contract, json.loads(text))


HEADERS = {
    "X-Auth-Token": st.from_regex(r"[!-~]{1,40}", fullmatch=True),
    "Content-Type": st.sampled_from(
        [
            "application/json",
            "application/json;charset=utf-8",
            'APPLICATION/JSON ; Charset="UTF-8"',
            "application/vnd.x+json",
            "",
        ]
    ),
    "X-Language": st.sampled_from(["en-us", "zh-cn", "EN-US", "de-de", ""]),
}


@settings(bounded, max_examples=50)
@given(
    text=json_texts(bodies(Settings())),
    project_id=project_ids,
    headers=st.fixed_dictionaries(HEADERS),
    change_case=st.sampled_from([str.lower, str.upper, str.title, str.swapcase]),
)
def test_valid_requests_are_accepted_over_http(
    accepting_mock: MockServer,
    text: bytes,
    project_id: str,
    headers: dict[str, str],
    change_case: Callable[[str], str],
) -> None:
    written = {change_case(name): value for name, value in headers.items()}
    reply = send(accepting_mock.url, path=upgrade_path(project_id), body=text, headers=written)
    assert (reply.status, reply.body) == (200, b'{"resp":"success"}')


@pytest.mark.parametrize("name", MUTATIONS)
@few
@given(data=st.data())
def test_a_single_mistake_is_refused_at_its_place(name: str, data: st.DataObject) -> None:
    mutation = MUTATIONS[name]
    mutant: Mutant = data.draw(mutants(mutation))
    text = data.draw(json_texts(st.just(mutant.body)))
    exchange = engine_for(mutation.contract).handle(api_request(text))
    reply = json.loads(exchange.reply.body)
    assert exchange.reply.status == 400
    assert set(places(exchange)) == {("body", mutant.pointer)}
    assert reply["error_code"] == ("DBS.200006" if mutant.body is None else "DBS.200001")
    assert f": {mutant.pointer or 'the request body'} " in reply["error_msg"]
    assert not body_is_valid(mutation.contract, mutant.body)
    assert_documented(exchange)


@pytest.mark.parametrize("name", BREAKS)
@settings(bounded, max_examples=5)
@given(project_id=project_ids)
def test_a_wrong_project_id_is_refused_at_its_place(name: str, project_id: str) -> None:
    wrong = BREAKS[name](project_id)
    exchange = engine_for(Settings()).handle(api_request(path=upgrade_path(wrong)))
    assert exchange.reply.status == 400
    assert set(places(exchange)) == {("path", "/project_id")}
    assert ": path parameter project_id must be exactly 32" in json.loads(exchange.reply.body)["error_msg"]
    assert not project_id_is_valid(wrong)
    assert_documented(exchange)


@each_contract
@settings(bounded, max_examples=50)
@given(body=near_bodies | json_values)
def test_two_validators_agree_on_any_body(contract: Settings, body: object) -> None:
    exchange = engine_for(contract).handle(api_request(json.dumps(body).encode()))
    assert exchange.reply.status == (200 if body_is_valid(contract, body) else 400)
    assert_documented(exchange)


@many
@given(project_id=project_ids | st.text(st.characters(exclude_characters="/"), min_size=1))
def test_two_validators_agree_on_any_project_id(project_id: str) -> None:
    exchange = engine_for(Settings()).handle(api_request(path=upgrade_path(project_id)))
    assert exchange.reply.status == (200 if project_id_is_valid(project_id) else 400)
    assert_documented(exchange)


# What Python's parser would take, or break at, but what is no JSON that every client and server reads alike.
ODD_TEXTS = [
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 5000,
    b'"\\ud800"',
    b"[" * 100_000,
    b"\xef\xbb\xbf",
    b"\xff",
    b"\x00",
]


@st.composite
def damaged(draw: st.DrawFn, texts: st.SearchStrategy[bytes]) -> bytes:
    """Texts in which something else stands for a stretch of them, or for nothing."""
    text = draw(texts)
    start = draw(st.integers(0, len(text)))
    return (
        text[:start]
        + draw(st.binary(max_size=4) | st.sampled_from(ODD_TEXTS))
        + text[start + draw(st.integers(0, 8)) :]
    )


def refuse_constant(name: str) -> NoReturn:
    raise AssertionError(f"{name} was taken for JSON")


@settings(bounded, max_examples=200)
@given(body=st.binary(max_size=60) | damaged(json_texts(bodies(Settings()))))
@example(b'{"databases_instance_infos": [], "delay": true, "more": NaN}')
@example(b'{"databases_instance_infos": ' + b"[" * 100_000)
def test_any_bytes_get_a_documented_answer(body: bytes) -> None:
    exchange = engine_for(Settings()).handle(api_request(body))
    assert_documented(exchange)
    if exchange.reply.status == 200:
        assert body_is_valid(Settings(), json.loads(body.decode(), parse_constant=refuse_constant))
    else:
        assert exchange.reply.status == 400


NAMES = ["Authorization", "Content-Type", "Prefer", "X-Auth-Token", "X-Language", "X-Mock-Scenario", "X-Sdk-Date"]
latin_1 = st.text(st.characters(max_codepoint=255), max_size=20)
header_values = latin_1 | st.sampled_from(
    ["SDK-HMAC-SHA256 Access=AK, SignedHeaders=;, Signature=" + "0" * 64, "code=500", "code=", "zh-cn", "throttled"]
)


@many
@given(
    method=st.sampled_from(["POST", "GET", "HEAD"]) | latin_1,
    path=st.just(UPGRADE_PATH) | st.text(max_size=20).map(lambda text: "/" + text),
    query=latin_1,
    headers=st.dictionaries(st.sampled_from(NAMES), header_values),
)
@pytest.mark.parametrize(
    "contract", [Settings(), Settings(ak=("AK",), sk=("SK",)), Settings(auth="off")], ids=["any", "keys", "off"]
)
def test_any_request_gets_a_documented_answer(
    contract: Settings, method: str, path: str, query: str, headers: dict[str, str]
) -> None:
    request = api_request(method=method, path=path, query=query, headers=headers)
    assert_documented(engine_for(contract).handle(request))


@pytest.mark.parametrize("language", load_catalogue().languages)
@pytest.mark.parametrize("name", load_catalogue().violations)
@settings(bounded, max_examples=10)
@given(data=st.data())
def test_every_violation_has_a_text_for_any_value(name: str, language: str, data: st.DataObject) -> None:
    """What a client sent is shown as it is, even when it looks like a placeholder."""
    catalogue = load_catalogue_once()
    values = json_values | st.sampled_from(["{}", "{expected}", "{0.__class__}", "{{"])
    types = st.lists(st.sampled_from(sorted(catalogue.words)), min_size=1)
    violation = Violation(
        location=data.draw(st.sampled_from(["path", "query", "header", "body"])),
        pointer=data.draw(st.text(max_size=8).map(lambda text: f"/{text}") | st.just("")),
        rule=name,
        clause=name,
        expected=data.draw(types if name == "type" else values),
        received=data.draw(values),
    )
    more = data.draw(st.integers(0, 3))
    reply = catalogue.reply(ApiError("bad-request", violations=(violation,) * (1 + more)), language, REQUEST_ID)
    message = json.loads(reply.body)["error_msg"]
    assert reply.status == 400
    assert catalogue.describe(violation, language) in message
    assert (violation.pointer if violation.location == "body" else violation.pointer.removeprefix("/")) in message
    assert ("X-Mock-Violations" in message.replace(violation.pointer, "")) is (more > 0)


@cache
def load_catalogue_once() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize("name", load_catalogue().errors)
@settings(bounded, max_examples=10)
@given(value=st.text())
def test_every_error_shows_the_same_values_in_both_languages(name: str, value: str) -> None:
    catalogue = load_catalogue_once()
    texts: Any = catalogue.errors[name]["text"]
    wanted = {
        language: {field for _, field, _, _ in Formatter().parse(text) if field} for language, text in texts.items()
    }
    assert wanted["en-us"] == wanted["zh-cn"]
    parameters = {field: f"<{field}{value}>" for field in wanted["en-us"] - {"request_id"}}
    for language in catalogue.languages:
        for identity in (False, True):
            reply = catalogue.reply(ApiError(name, parameters), language, REQUEST_ID, identity=identity)
            message = message_of(json.loads(reply.body))
            assert all(shown in message for shown in parameters.values())


def message_of(body: Any) -> str:  # noqa: ANN401  # the JSON of an error
    """The text of an error in any of the three forms."""
    return str(body["error"]["message"] if "error" in body else body["error_msg"])


@pytest.mark.parametrize(
    ("contract", "body", "message"),
    [
        (Settings(max_batch=100), batch(*[INSTANCE] * 5000), " must have at most 100 items, but has 5000."),
        (Settings(min_batch=1500), batch(*[INSTANCE] * 1200), " must have at least 1500 items, but has 1200."),
        (
            Settings(max_batch=2000),
            batch(*[INSTANCE] * 5, None, *[INSTANCE] * 3000),
            " must have at most 2000 items, but has 3006 (and 1 more, listed in X-Mock-Violations).",
        ),
        (
            Settings(min_batch=1500),
            batch(*[INSTANCE] * 1600, delay=3),
            '/delay must be one of true, false, "true", "false", but is 3.',
        ),
    ],
    ids=["far-too-many", "too-few", "too-many-and-one-wrong", "enough-but-wrong-delay"],
)
def test_a_batch_too_large_to_explain_is_still_counted_right(
    contract: Settings, body: dict[str, object], message: str
) -> None:
    reply = json.loads(engine_for(contract).handle(api_request(body)).reply.body)
    assert reply["error_msg"].endswith(message)
