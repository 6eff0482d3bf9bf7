"""Scenario files: what is refused at start, and whom a request gets."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from support import NO_FLEET, api_request, asked
from test_resources import copy_documents, edit

from mockserver.catalogue import load_catalogue
from mockserver.contract import load_contract
from mockserver.errors import ScenarioError
from mockserver.library import Library
from mockserver.model import ApiRequest, Reply
from mockserver.resources import bundle_root
from mockserver.scenarios import ErrorAnswer, Scenario
from mockserver.settings import Settings
from mockserver.stores import Store

if TYPE_CHECKING:
    from pathlib import Path

    from mockserver.choosing import Scenarios
    from mockserver.engine import Engine


def load(default: str = "success") -> Scenarios:
    return Library(default, None, load_catalogue().errors, load_contract(Settings()).ids).current


def choose(scenarios: Scenarios, request: ApiRequest) -> Scenario:
    return scenarios.choose(asked(request=request), Store(NO_FLEET))[0]


def answer(scenario: Scenario) -> ErrorAnswer | Reply | None:
    return scenario.steps[0].answer


def test_every_file_is_a_scenario_of_its_name() -> None:
    files = {path.stem for path in (bundle_root() / "fixtures" / "scenarios").iterdir()}
    assert set(load().by_name) == files
    assert files.issuperset(
        {"bad-request", "forbidden", "internal-error", "success", "throttled", "unauthorized", "unavailable"}
    )


def test_a_scenario_holds_what_its_file_says() -> None:
    throttled = load().by_name["throttled"]
    assert (throttled.name, throttled.prefer) == ("throttled", 429)
    assert answer(throttled) == ErrorAnswer("throttled", (("Retry-After", "1"),))
    assert answer(load().by_name["success"]) is None


def test_the_status_that_prefer_asks_for_is_the_one_that_is_answered() -> None:
    errors = load_catalogue().errors
    for scenario in load().by_name.values():
        if scenario.prefer is not None:
            given = answer(scenario)
            literal = given.status if isinstance(given, Reply) else 200
            status = errors[given.error]["status"] if isinstance(given, ErrorAnswer) else literal
            assert status == scenario.prefer, scenario.name


def test_each_status_is_preferred_by_one_scenario() -> None:
    statuses = [scenario.prefer for scenario in load().by_name.values() if scenario.prefer is not None]
    assert sorted(statuses) == sorted(set(statuses))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "sucess",
            "--scenario: no scenario is named 'sucess'; did you mean 'success'? `taurus-mock scenarios` lists them all",
        ),
        ("", "--scenario: no scenario is named ''; `taurus-mock scenarios` lists them all"),
        ("teapot", "--scenario: no scenario is named 'teapot'; `taurus-mock scenarios` lists them all"),
        ("../success", "--scenario: no scenario is named '../success'; did you mean 'success'?"),
    ],
    ids=["near", "empty", "nothing-near", "path"],
)
def test_an_unknown_scenario_at_start_is_refused_with_its_nearest(name: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(name)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("pointer", "value", "message"),
    [
        ("/name", "throttle", "at /name: expected 'throttled' like the file's name, got 'throttle'"),
        (
            "/answer/error",
            "throtled",
            "at /answer/error: no error of errors.json is named 'throtled'; did you mean 'throttled'?",
        ),
        ("/answer/error", "zzzz", "at /answer/error: no error of errors.json is named 'zzzz'"),
    ],
    ids=["name-is-not-the-file's", "unknown-error", "unknown-error-without-neighbour"],
)
def test_an_unusable_scenario_is_refused_at_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pointer: str, value: str, message: str
) -> None:
    path = copy_documents(tmp_path, monkeypatch) / "fixtures" / "scenarios" / "throttled.json"
    edit(path, pointer, value)
    with pytest.raises(ScenarioError) as caught:
        load()
    assert str(caught.value) == f"{path}: {message}"


def test_an_error_whose_text_needs_values_is_refused_at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario has no values to fill in, so each request that chose it would meet a failure of the mock."""
    path = copy_documents(tmp_path, monkeypatch) / "fixtures" / "scenarios" / "throttled.json"
    edit(path, "/answer/error", "bad-request")
    with pytest.raises(ScenarioError, match=r"throttled\.json: at /answer/error: .*\{reason\}"):
        load()


def test_a_status_that_two_scenarios_want_is_refused_at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy_documents(tmp_path, monkeypatch) / "fixtures" / "scenarios" / "throttled.json"
    edit(path, "/prefer", 500)
    with pytest.raises(ScenarioError, match="'internal-error' and 'throttled' have the same status in /prefer, 500"):
        load()


def test_a_new_scenario_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copy_documents(tmp_path, monkeypatch) / "fixtures" / "scenarios"
    path = folder / "slow-down.json"
    shutil.copy(folder / "throttled.json", path)
    edit(path, "/name", "slow-down")
    edit(path, "/prefer", 420)
    request = api_request(headers={"X-Mock-Scenario": "slow-down"})
    assert answer(choose(load(), request)) == ErrorAnswer("throttled", (("Retry-After", "1"),))
    assert choose(load("slow-down"), api_request()).name == "slow-down"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "throttled"),
        ({"X-Mock-Scenario": " forbidden "}, "forbidden"),
        ({"Prefer": "CODE = 500"}, "internal-error"),
        ({"Prefer": "wait=5; code=503"}, "unavailable"),
        ({"Prefer": "code=403, code=500"}, "forbidden"),
        ({"Prefer": "xcode=500"}, "throttled"),
        ({"Prefer": "code"}, "throttled"),
        ({"Prefer": ""}, "throttled"),
    ],
    ids=[
        "default",
        "name-with-spaces-around",
        "letter-case-and-spaces",
        "second-parameter",
        "the-first-of-two-counts",
        "other-name-with-the-same-end",
        "no-value",
        "empty",
    ],
)
def test_a_request_gets_the_scenario_that_it_names(headers: dict[str, str], expected: str) -> None:
    assert choose(load("throttled"), api_request(headers=headers)).name == expected


@pytest.mark.parametrize(
    ("headers", "beginning"),
    [
        ({"X-Mock-Scenario": "Sucess"}, "X-Mock-Scenario names no scenario: 'Sucess'. Did you mean success? Known: "),
        ({"X-Mock-Scenario": "zzzz"}, "X-Mock-Scenario names no scenario: 'zzzz'. Known: already-latest, array-body, "),
        ({"X-Mock-Scenario": "x" * 1000}, f"X-Mock-Scenario names no scenario: '{'x' * 60}'. Known: "),
        ({"Prefer": "code=5000"}, "Prefer: code names no scenario: '5000'. Did you mean 500? Known: 200, 307, "),
        ({"Prefer": "code="}, "Prefer: code names no scenario: ''. Known: "),
        ({"Prefer": "code=５００"}, "Prefer: code names no scenario: '５００'. Known: "),
    ],
    ids=["near", "nothing-near", "long", "code", "empty-code", "digits-that-are-not-ascii"],
)
def test_an_unknown_name_in_a_request_is_refused_with_its_nearest(
    engine: Engine, headers: dict[str, str], beginning: str
) -> None:
    reply = engine.handle(api_request(headers={"X-Auth-Token": "t", **headers})).reply
    assert reply.status == 400
    body = json.loads(reply.body)
    assert body["error_code"] == "MOCK.0001"
    assert body["error_msg"].startswith(beginning)


def test_every_scenario_is_listed_when_a_request_names_an_unknown_one(engine: Engine) -> None:
    reply = engine.handle(api_request(headers={"X-Auth-Token": "t", "X-Mock-Scenario": "zzzz"})).reply
    assert json.loads(reply.body)["error_msg"].endswith(f" Known: {', '.join(sorted(load().by_name))}.")


def test_the_hint_in_a_chinese_message_is_chinese(engine: Engine) -> None:
    headers = {"X-Auth-Token": "t", "X-Language": "zh-cn", "X-Mock-Scenario": "sucess"}
    message = json.loads(engine.handle(api_request(headers=headers)).reply.body)["error_msg"]
    assert "success" in message
    assert "Did you mean" not in message
