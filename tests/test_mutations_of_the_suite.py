"""What the suite sends: each mistake breaks its clause alone, and what is meant to be good is good for two readers."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from strategies import bounded
from support import PROJECT_ID, api_request

from contract_tests import documents, strategies
from contract_tests.calls import BATCH, DELAY, ID, VERSION, Calls, Habits
from contract_tests.clauses import BY_ID
from contract_tests.mutations import (
    AS_TEXT,
    BY_CLAUSE,
    IN_ARRAY,
    IN_OBJECT,
    ITS_ITEM,
    MISSING,
    MISTAKES,
    PLACES,
    QUICK_PLACES,
    Mistake,
    Renamed,
    Wrapped,
    at_places,
)
from contract_tests.options import Instance
from mockserver.engine import Engine, load_engine
from mockserver.settings import Settings

HABITS = Habits(
    PROJECT_ID,
    (False, "true"),
    (Instance("6754902da1f447269c6979b0590102a5in07", "2.0.48.231200"),),
    takes_any_instance=True,
    refuses_projects_with=frozenset(),
)
CALLS = Calls("", (("X-Auth-Token", "$TOKEN"),), HABITS, seed=0, safe=False)
few, many = settings(bounded, max_examples=30), settings(bounded, max_examples=100)


def shown(value: object) -> str:
    if isinstance(value, Renamed):
        return f"named-{value.name}"
    if isinstance(value, Wrapped):
        return f"in-{value.kind}"
    return "missing" if value is MISSING else json.dumps(value)


EACH_VALUE = [
    pytest.param(mistake, value, id=f"{mistake.clause}-{shown(value)}")
    for mistake in MISTAKES
    for value in mistake.values
]
each_mistake = pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.clause for mistake in MISTAKES])


@pytest.fixture(scope="module")
def engine() -> Engine:
    """A mock that accepts every good body, however often: what becomes of instances is no matter of these tests."""
    return load_engine(Settings(unknown_instances="accept"))


def broken(body: object) -> set[str]:
    return {clause for clause, _ in documents.broken_clauses("upgrade-request", body)}


def mock_takes(engine: Engine, body: object) -> bool:
    """Whether the mock's own validation, with another library, finds the body valid."""
    operation = engine.contract.operation("BatchUpgradeDatabases")
    assert operation.body is not None
    return bool(operation.body.validator.is_valid(body))


def mock_status(engine: Engine, text: bytes) -> int:
    return engine.handle(api_request(text)).reply.status


@pytest.mark.parametrize(("mistake", "value"), EACH_VALUE)
def test_every_mistake_breaks_its_clause_alone(engine: Engine, mistake: Mistake, value: object) -> None:
    good = CALLS.body()
    before = copy.deepcopy(good)
    body = mistake.apply(good, value)
    assert good == before
    assert broken(body) == {mistake.clause}
    assert strategies.is_broken_as_meant(body, mistake.clause)
    assert not documents.is_valid(body)
    assert not mock_takes(engine, body)
    assert mock_status(engine, json.dumps(body).encode()) == 400


@pytest.mark.parametrize(("size", "index"), PLACES, ids=[f"{index + 1}-of-{size}" for size, index in PLACES])
def test_every_mistake_of_an_item_breaks_its_clause_at_every_place(engine: Engine, size: int, index: int) -> None:
    good = CALLS.body(size)
    before = copy.deepcopy(good)
    for mistake in MISTAKES:
        for value in mistake.values if mistake.is_in_item else ():
            body: Any = mistake.apply(good, value, index)
            assert strategies.is_broken_as_meant(body, mistake.clause), (mistake.clause, value)
            wrong = [number for number in range(size) if body[BATCH][number] != good[BATCH][number]]
            assert (wrong, len(body[BATCH]), body[DELAY]) == ([index], size, good[DELAY])
            assert not mock_takes(engine, body)
    assert good == before


def test_the_mistakes_are_clauses_of_the_register_and_each_is_there_once() -> None:
    assert list(BY_CLAUSE) == [mistake.clause for mistake in MISTAKES]
    assert all(BY_ID[clause].can_break for clause in BY_CLAUSE)
    named = {
        clause
        for name in ("upgrade-request", "upgrade-instance")
        for part in (documents.model(name), *documents.model(name)["properties"].values())
        for each in part["x-clauses"].values()
        for clause in (each.values() if isinstance(each, dict) else [each])
    }
    assert {clause for clause in named if BY_ID[clause].can_break} == set(BY_CLAUSE)


@each_mistake
def test_no_value_of_a_mistake_is_there_twice(mistake: Mistake) -> None:
    assert len({shown(value) for value in mistake.values}) == len(mistake.values)


@each_mistake
def test_every_place_and_every_value_of_an_item_has_its_turn(mistake: Mistake) -> None:
    tried = list(at_places(mistake, is_quick=False))
    assert {(size, index) for size, index, _ in tried} == set(PLACES)
    assert all(index < size for size, index in PLACES)
    if mistake.is_in_item:
        assert {shown(value) for _, _, value in tried} == {shown(value) for value in mistake.values}
    quick = list(at_places(mistake, is_quick=True))
    assert {(size, index) for size, index, _ in quick} == set(QUICK_PLACES)
    assert set(QUICK_PLACES) <= set(PLACES)
    assert {shown(value) for _, _, value in quick} > {shown(mistake.values[0])}


@pytest.mark.parametrize(
    ("value", "place", "expected"),
    [
        (IN_ARRAY, "", [{"a": [{"b": 1}]}]),
        (IN_OBJECT, "/a", {"a": {"value": [{"b": 1}]}}),
        (AS_TEXT, "/a", {"a": '[{"b": 1}]'}),
        (ITS_ITEM, "/a", {"a": {"b": 1}}),
        (MISSING, "/a/*/b", {"a": [{}]}),
        (Renamed("B"), "/a/*/b", {"a": [{"B": 1}]}),
        (None, "/a/*", {"a": [None]}),
    ],
    ids=["array", "object", "text", "item", "missing", "renamed", "null"],
)
def test_a_mistake_replaces_what_is_at_its_place(value: object, place: str, expected: object) -> None:
    assert Mistake("a.clause", place, (value,)).apply({"a": [{"b": 1}]}, value) == expected


@pytest.mark.parametrize(
    ("place", "value", "note"),
    [
        ("", None, "the body is null"),
        ("", IN_ARRAY, "the body is the good value as array"),
        ("/delay", "yes", 'delay is "yes"'),
        ("/delay", MISSING, "delay is missing"),
        ("/delay", Renamed("Delay"), "delay is called Delay"),
        (f"/{BATCH}/*", 5, "an item is 5, in item 3 of 7"),
        (f"/{BATCH}/*/{ID}", MISSING, "instance_id is missing, in item 3 of 7"),
    ],
    ids=["null", "array", "text", "missing", "renamed", "item", "property"],
)
def test_a_mistake_is_told_in_words(place: str, value: object, note: str) -> None:
    assert Mistake("a.clause", place, (value,)).note(value, 2, 7) == note


@pytest.mark.parametrize("delay", ["TRUE", "False", "tRuE"])
def test_the_case_of_a_delay_is_no_mistake(delay: str) -> None:
    assert not strategies.is_broken_as_meant({**CALLS.body(), DELAY: delay}, "delay.encoding")


@pytest.mark.parametrize(
    ("body", "clause"),
    [
        *((CALLS.body(), clause) for clause in BY_CLAUSE),
        ({**CALLS.body(), DELAY: 5}, "body.object"),
        ({}, "batch.array"),
    ],
    ids=[*BY_CLAUSE, "another-mistake", "less"],
)
def test_a_good_body_or_one_with_another_mistake_is_not_broken_as_meant(body: object, clause: str) -> None:
    assert not strategies.is_broken_as_meant(body, clause)


@pytest.mark.parametrize("count", [1, 2, 11, 100, 300])
@pytest.mark.parametrize("variant", [0, 1, 2])
def test_a_good_body_is_good_for_two_readers(engine: Engine, count: int, variant: int) -> None:
    body = CALLS.body(count, variant)
    assert len({item[ID] for item in body[BATCH]}) == count
    assert body[DELAY] == HABITS.delays[variant % 2]
    assert documents.is_valid(body)
    assert mock_takes(engine, body)


@many
@given(body=strategies.valid_bodies())
def test_generated_bodies_are_good_for_two_readers(engine: Engine, body: dict[str, Any]) -> None:
    assert documents.is_valid(body)
    assert broken(body) == set()
    assert mock_takes(engine, body)
    ids = [item[ID] for item in body[BATCH]]
    # A body may state two versions of one instance, which cannot have both.
    assert mock_status(engine, json.dumps(body).encode()) == 200 or len(set(ids)) < len(ids)


@pytest.mark.parametrize("clause", BY_CLAUSE)
@few
@given(data=st.data())
def test_generated_mistakes_are_refused_by_two_readers(engine: Engine, clause: str, data: st.DataObject) -> None:
    body, note = data.draw(strategies.mistaken(clause, CALLS.varied))
    assert clause in broken(body)
    assert not documents.is_valid(body)
    assert not mock_takes(engine, body)
    assert mock_status(engine, json.dumps(body).encode()) == 400
    assert note
    assert note.encode()


@many
@given(data=st.data(), size=strategies.sizes())
def test_another_spelling_is_the_same_value_and_good_for_two_readers(
    engine: Engine, data: st.DataObject, size: int
) -> None:
    value = CALLS.body(min(size, 5))
    text = data.draw(strategies.spaced(value))
    assert json.loads(text) == value
    assert documents.is_valid(json.loads(text))
    assert mock_status(engine, text) == 200


def test_other_spellings_have_all_white_space_and_other_orders() -> None:
    texts: list[bytes] = []
    value = CALLS.body(3)

    @many
    @given(text=strategies.spaced(value))
    def collect(text: bytes) -> None:
        texts.append(text)

    collect()
    assert {bytes([byte]) for text in texts for byte in text} >= {b" ", b"\t", b"\r", b"\n"}
    assert len({tuple(json.loads(text)) for text in texts}) == 2
    assert len({tuple(json.loads(text)[BATCH][0]) for text in texts}) == 2


@given(size=strategies.sizes())
@many
def test_generated_sizes_are_those_that_must_be_accepted(size: int) -> None:
    assert 1 <= size <= 100


@pytest.mark.parametrize(
    ("clause", "valid"),
    [("delay.encoding", True), ("delay.encoding", "false"), ("delay.encoding", "TRUE"), ("batch.array", []),
     ("instance-id.string", ""), ("current-version.string", "1"), ("body.object", {BATCH: [], DELAY: True}),
     ("item.object", {ID: "", VERSION: "", "further": None}), ("item.object", {})],
    ids=["boolean", "string", "case", "empty-array", "id", "version", "body", "item", "another-mistake"],
)  # fmt: skip
def test_a_drawn_value_that_is_valid_or_another_mistake_is_thrown_away(
    clause: str, valid: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strategies, "wrong_values", lambda _: st.just(valid))
    drawn = []

    @settings(bounded, max_examples=1, suppress_health_check=list(HealthCheck))
    @given(made=strategies.mistaken(clause, CALLS.body))
    def collect(made: tuple[object, str]) -> None:
        drawn.append(made)

    with pytest.raises(Unsatisfiable):
        collect()
    assert drawn == []


@pytest.mark.parametrize("clause", [clause for clause in BY_CLAUSE if not clause.endswith(".present")])
def test_wrong_values_go_beyond_those_of_the_catalogue(clause: str) -> None:
    drawn = []

    @many
    @given(value=strategies.wrong_values(clause))
    def collect(value: object) -> None:
        drawn.append(shown(value))

    collect()
    assert set(drawn) - {shown(value) for value in BY_CLAUSE[clause].values}


@pytest.mark.parametrize(
    ("schema", "keywords"),
    [
        ({"type": "string", "pattern": "a"}, "pattern"),
        ({"type": "array", "items": {"type": "string", "maxLength": 3, "format": "a"}}, "format, maxLength"),
        ({"type": "object", "required": [], "properties": {"a": {"oneOf": []}}}, "oneOf"),
    ],
    ids=["here", "in-items", "in-properties"],
)
def test_a_keyword_without_a_strategy_is_an_error(schema: dict[str, Any], keywords: str) -> None:
    with pytest.raises(ValueError, match=rf"^no strategy for the keywords {keywords}$"):
        strategies.from_schema(schema)


def test_words_about_a_schema_need_no_strategy() -> None:
    schema = {"type": "string", "title": "a", "description": "b", "examples": [], "$comment": "c", "x-clauses": {}}
    strategies.from_schema(schema).validate()
