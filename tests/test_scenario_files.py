"""Scenario files: what each key means, what is refused, and which ones come with the mock."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support import INSTANCE, PROJECT_ID, UPGRADE, api_request, asked, batch

from mockserver.catalogue import load_catalogue
from mockserver.conditions import Only, parse_only
from mockserver.errors import ResourceError, ScenarioError, TaurusMockError
from mockserver.model import Reply
from mockserver.resources import bundle_root
from mockserver.scenarios import (
    OPERATION,
    ErrorAnswer,
    Scenario,
    Step,
    Wait,
    bundled_scenarios,
    by_name,
    read_scenario,
    read_scenarios,
)

if TYPE_CHECKING:
    from pathlib import Path

ERRORS = load_catalogue().errors
CATALOGUE = """
    success bad-request internal-error throttled unauthorized forbidden not-found conflict payload-too-large
    unavailable gateway-timeout slow very-slow hang drip connection-reset empty-reply truncated malformed-json garbage
    html-error missing-resp resp-not-string resp-not-success empty-body wrong-content-type flaky
    fail-twice-then-succeed succeed-after-timeout
"""
UNAVAILABLE = Step(ErrorAnswer("unavailable"))


def write(folder: Path, name: str = "mine", /, **keys: object) -> Path:
    """A scenario file with the keys that every one needs, and others."""
    path = folder / f"{name}.json"
    document = {"name": name, "summary": "A summary", "level": "mock", "source": ["mock"], **keys}
    path.write_text(json.dumps(document), "utf-8")
    return path


def parse(folder: Path, **keys: object) -> Scenario:
    return read_scenario(write(folder, **keys), ERRORS)


def test_every_file_is_a_scenario_of_its_name() -> None:
    files = {path.stem for path in (bundle_root() / "fixtures" / "scenarios").iterdir()}
    assert set(bundled_scenarios(ERRORS)) == files
    assert files.issuperset(CATALOGUE.split())


def test_a_scenario_without_keys_of_its_own_lets_the_operation_answer(tmp_path: Path) -> None:
    assert parse(tmp_path) == Scenario("mine", "A summary", steps=(OPERATION,))


@pytest.mark.parametrize(
    ("keys", "step"),
    [
        ({"answer": {"error": "unavailable"}}, UNAVAILABLE),
        (
            {"answer": {"error": "unavailable", "headers": {"Retry-After": "1"}}},
            Step(ErrorAnswer("unavailable", (("Retry-After", "1"),))),
        ),
        ({"answer": {"status": 201, "json": {"é": [1, None]}}}, Step(Reply(201, '{"é":[1,null]}'.encode()))),
        ({"answer": {"status": 200, "json": None}}, Step(Reply(200, b"null"))),
        ({"answer": {"status": 200, "text": "ß\n"}}, Step(Reply(200, "ß\n".encode()))),
        ({"answer": {"status": 204}}, Step(Reply(204, b""))),
        (
            {"answer": {"status": 502, "text": "<p>", "content_type": "text/html", "headers": {"A": "b", "C": ""}}},
            Step(Reply(502, b"<p>", (("A", "b"), ("C", "")), "text/html")),
        ),
        ({"wait": 2}, Step(wait=Wait("fixed", 2))),
        ({"wait": {"uniform": [1, 2]}}, Step(wait=Wait("uniform", 1, 2))),
        ({"wait": {"uniform": [2, 1]}}, Step(wait=Wait("uniform", 1, 2))),
        ({"wait": {"lognormal": {"median": 0.2, "sigma": 0.5}}}, Step(wait=Wait("lognormal", 0.2, 0.5))),
        ({"drip": {"pieces": 10, "seconds": 2}}, Step(pieces=10, spread=2)),
        ({"probability": 0.5, "fault": "hang"}, Step(fault="hang", probability=0.5)),
        ({"fault": "connection-reset"}, Step(fault="connection-reset")),
        ({"fault": "CONNECTION_RESET_BY_PEER"}, Step(fault="connection-reset")),
        ({"fault": "EMPTY_RESPONSE"}, Step(fault="empty-reply")),
        ({"fault": "MALFORMED_RESPONSE_CHUNK"}, Step(fault="malformed-chunk")),
        ({"fault": "RANDOM_DATA_THEN_CLOSE"}, Step(fault="garbage")),
    ],
    ids=lambda value: json.dumps(value, ensure_ascii=True)[:50] if isinstance(value, dict) else "",
)
def test_a_key_means_what_the_page_says(tmp_path: Path, keys: dict[str, object], step: Step) -> None:
    assert parse(tmp_path, **keys).steps == (step,)
    assert parse(tmp_path, sequence=[keys, {}]).steps == (step, OPERATION)


@pytest.mark.parametrize(
    ("keys", "met"),
    [
        ({"sequence": [{"answer": {"error": "unavailable"}, "times": 2}, {}]}, "##......"),
        ({"sequence": [{}, {"answer": {"error": "unavailable"}}]}, ".#######"),
        ({"sequence": [{"answer": {"error": "unavailable"}, "times": 2}, {}], "restart": True}, "##.##.##"),
        ({"sequence": [{}, {"answer": {"error": "unavailable"}}], "times": 3}, ".##....."),
        ({"answer": {"error": "unavailable"}, "times": 3}, "###....."),
        ({"answer": {"error": "unavailable"}}, "########"),
    ],
    ids=["last-stays", "last-stays-broken", "restart", "sequence-with-times", "times", "always"],
)
def test_a_sequence_is_met_step_by_step(tmp_path: Path, keys: dict[str, object], met: str) -> None:
    scenario = parse(tmp_path, **keys)
    steps = [scenario.step(use, 0, PROJECT_ID) for use in range(8)]
    assert steps == [UNAVAILABLE if each == "#" else OPERATION for each in met]


@pytest.mark.parametrize(
    ("keys", "counted"),
    [
        ({}, False),
        ({"answer": {"error": "unavailable"}, "wait": 1, "drip": {"pieces": 2, "seconds": 0}}, False),
        ({"fault": "hang"}, False),
        ({"times": 1}, True),
        ({"sequence": [{}, {}]}, True),
        ({"probability": 0.5}, True),
        ({"wait": {"uniform": [0, 1]}}, True),
        ({"fault": "garbage"}, True),
    ],
    ids=["nothing", "fixed", "fault", "times", "sequence", "probability", "drawn-wait", "garbage"],
)
def test_uses_are_counted_where_a_step_depends_on_them(
    tmp_path: Path, keys: dict[str, object], counted: object
) -> None:
    assert parse(tmp_path, **keys).is_counted is counted


BODY = {**batch(), "a/b": {"~": [10, True, None, {"x": 1, "y": 2}]}, "": "empty key", "~1": "tilde", "0": "digit"}


@pytest.mark.parametrize(
    ("only", "holds"),
    [
        ({"project_id": PROJECT_ID}, True),
        ({"project_id": "0" * 32}, False),
        ({"instance_id": INSTANCE["instance_id"]}, True),
        ({"instance_id": "another"}, False),
        ({"headers": {"Content-Type": "application/json", "X-AUTH-TOKEN": "a-token"}}, True),
        ({"headers": {"content-type": "application/json", "x-auth-token": "another"}}, False),
        ({"headers": {"X-Absent": ""}}, False),
        ({"body": {"/delay": False}}, True),
        ({"body": {"/delay": 0}}, False),
        ({"body": {"/delay": None}}, False),
        ({"body": {"": BODY}}, True),
        ({"body": {"/": "empty key"}}, True),
        ({"body": {"/databases_instance_infos/0/current_version": INSTANCE["current_version"]}}, True),
        ({"body": {"/databases_instance_infos/1/current_version": INSTANCE["current_version"]}}, False),
        ({"body": {"/databases_instance_infos/-1/current_version": INSTANCE["current_version"]}}, False),
        ({"body": {"/databases_instance_infos/²": None}}, False),
        ({"body": {"/databases_instance_infos/0": dict(reversed(INSTANCE.items()))}}, True),
        ({"body": {"/a~1b/~0/0": 10}}, True),
        ({"body": {"/a~1b/~0/1": True}}, True),
        ({"body": {"/a~1b/~0/1": 1}}, False),
        ({"body": {"/a~1b/~0/2": None}}, True),
        ({"body": {"/a~1b/~0/3": {"y": 2, "x": True}}}, False),
        ({"body": {"/~01": "tilde"}}, True),
        ({"body": {"/0": "digit"}}, True),
        ({"body": {"/delay/0": False}}, False),
        ({"project_id": PROJECT_ID, "instance_id": "another"}, False),
        ({"body": {"/delay": False, "/absent": None}}, False),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else "",
)
def test_only_holds_when_every_condition_does(tmp_path: Path, only: dict[str, Any], holds: object) -> None:
    parsed = parse(tmp_path, only=only).only
    assert parsed == parse_only(only)
    assert parsed.holds(asked(request=api_request(BODY), body=BODY)) is holds


@pytest.mark.parametrize(
    "body", [None, [], "x", {"databases_instance_infos": 1}, {"databases_instance_infos": [1, {"instance_id": 1}]}]
)
def test_conditions_on_a_body_that_is_no_batch_do_not_hold(body: object) -> None:
    assert not Only(instance_id="x").holds(asked(body=body))
    assert not Only(body=(("/databases_instance_infos/0/instance_id", "x"),)).holds(asked(body=body))


@pytest.mark.parametrize(
    ("operation", "holds"),
    [
        (UPGRADE, True),
        ([UPGRADE], True),
        (["ListImmediateJobs", UPGRADE], True),
        ("ListImmediateJobs", False),
        (["ListImmediateJobs", "KeystoneListRegions"], False),
    ],
    ids=["its-name", "a-list-of-one", "one-of-several", "another", "others"],
)
def test_only_holds_for_the_operations_that_it_names(tmp_path: Path, operation: object, holds: object) -> None:
    parsed = parse(tmp_path, only={"operation": operation}).only
    assert parsed.holds(asked()) is holds
    assert parsed.holds(asked(is_identity=True)) is holds


def test_only_finds_an_instance_in_the_path_as_well_as_in_the_batch() -> None:
    only = Only(instance_id="in-the-path")
    assert only.holds(asked(instance_id="in-the-path"))
    assert only.holds(asked(instance_id="in-the-path", body=None))
    assert not only.holds(asked(instance_id="another"))
    assert Only(instance_id=INSTANCE["instance_id"]).holds(asked(instance_id="another"))


@pytest.mark.parametrize(
    ("keys", "place", "hint"),
    [
        ({"waits": 2}, "the top", "'waits' is perhaps 'wait'"),
        ({"answer": {"eror": "unavailable"}}, "/answer", "'eror' is perhaps 'error'"),
        ({"sequence": [{}, {"faults": "hang"}]}, "/sequence/1", "'faults' is perhaps 'fault'"),
        ({"only": {"project": "x"}}, "/only", "'project' is perhaps 'project_id'"),
        ({"only": {"operations": ["x"]}}, "/only", "'operations' is perhaps 'operation'"),
        ({"only": {"operation": []}}, "/only/operation", ""),
        ({"sequence": [{}], "answer": {"error": "unavailable"}}, "/answer", ""),
        ({"sequence": []}, "/sequence", ""),
        ({"sequence": [{"restart": True}]}, "/sequence/0", ""),
        ({"restart": True}, "the top", ""),
        ({"times": 0}, "/times", ""),
        ({"probability": 0}, "/probability", ""),
        ({"probability": 1.5}, "/probability", ""),
        ({"answer": {"status": 200, "json": 1, "text": "x"}}, "/answer/text", ""),
        ({"answer": {"error": "unavailable", "json": 1}}, "/answer", ""),
        ({"answer": {"error": "unavailable", "status": 500}}, "/answer", ""),
        ({"answer": {}}, "/answer", ""),
        ({"answer": {"status": 100}}, "/answer/status", ""),
        ({"answer": {"status": 200, "headers": {"A": "b\r\nC: d"}}}, "/answer/headers/A", ""),
        ({"wait": 3601}, "/wait", ""),
        ({"wait": {"uniform": [1]}}, "/wait", ""),
        ({"drip": {"pieces": 1, "seconds": 1}}, "/drip/pieces", ""),
        ({"fault": "explode"}, "/fault", ""),
        ({"only": {"body": {"delay": 1}}}, "/only/body", ""),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else "",
)
def test_a_file_that_breaks_the_schema_is_refused_with_place_and_nearest_key(
    tmp_path: Path, keys: dict[str, object], place: str, hint: str
) -> None:
    path = write(tmp_path, **keys)
    with pytest.raises(ResourceError) as caught:
        read_scenario(path, ERRORS)
    assert str(caught.value).startswith(f"{path}: at {place}: ")
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"answer": {"error": "throtled"}},
            "at /answer/error: no error of errors.json is named 'throtled'; did you mean 'throttled'?",
        ),
        ({"answer": {"error": "zzzz"}}, "at /answer/error: no error of errors.json is named 'zzzz'"),
        (
            {"sequence": [{}, {"answer": {"error": "zzzz"}}]},
            "at /sequence/1/answer/error: no error of errors.json is named 'zzzz'",
        ),
        (
            {"answer": {"error": "bad-request"}},
            "at /answer/error: the text of 'bad-request' needs {reason}, which no scenario has; name an error ...",
        ),
    ],
    ids=["near", "nothing-near", "in-a-sequence", "placeholder"],
)
def test_an_error_that_can_not_be_answered_is_refused(tmp_path: Path, keys: dict[str, object], message: str) -> None:
    path = write(tmp_path, **keys)
    with pytest.raises(ScenarioError) as caught:
        read_scenario(path, ERRORS)
    assert str(caught.value).startswith(f"{path}: {message.removesuffix('...')}")


def test_a_name_other_than_the_file_s_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "mine").rename(tmp_path / "yours.json")
    with pytest.raises(ScenarioError) as caught:
        read_scenario(path, ERRORS)
    assert str(caught.value) == f"{path}: at /name: expected 'yours' like the file's name, got 'mine'"


@pytest.mark.parametrize("name", ["a" * 28, "-".join(["aaaa"] * 7)], ids=["letters", "with-hyphens"])
def test_a_name_may_have_28_letters_and_digits(tmp_path: Path, name: str) -> None:
    assert read_scenario(write(tmp_path, name), ERRORS).magic_id == f"mock{'a' * 28}in07"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a" * 29, "at /name: expected at most 28 letters and digits, for the magic instance id"),
        ("a" * 37, "at /name: "),
        ("Mine", "at /name: "),
        ("my_own", "at /name: "),
        ("-mine", "at /name: "),
    ],
    ids=["29-letters", "37-letters", "capital", "underscore", "hyphen-first"],
)
def test_a_name_that_makes_no_magic_id_is_refused(tmp_path: Path, name: str, message: str) -> None:
    path = write(tmp_path, name)
    with pytest.raises(TaurusMockError) as caught:
        read_scenario(path, ERRORS)
    assert str(caught.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (Scenario("a-b", "x"), Scenario("ab", "x"), f"mock{'ab':0<28}in07"),
        (Scenario("ab", "x"), Scenario("ab00", "x"), f"mock{'ab':0<28}in07"),
        (Scenario("a", "x", prefer=418), Scenario("b", "x", prefer=418), "418"),
    ],
    ids=["magic-id-but-for-hyphens", "magic-id-but-for-zeros", "prefer"],
)
def test_two_scenarios_that_one_request_would_choose_are_refused(one: Scenario, other: Scenario, shared: str) -> None:
    with pytest.raises(ScenarioError, match=f"'{one.name}' and '{other.name}' have the same .*{shared}"):
        by_name([one, other])


def test_a_folder_is_read_by_name_and_other_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write(tmp_path, name)
    (tmp_path / "notes.txt").write_text("no scenario", "utf-8")
    assert [scenario.name for scenario in read_scenarios(tmp_path, ERRORS)] == ["a", "b"]
