"""The items of a batch, wherever they stand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import strategies as st

from contract_tests.calls import BATCH, ID, VERSION, changed
from contract_tests.mutations import BY_CLAUSE, MISSING, MISTAKES, Mistake, at_places
from contract_tests.strategies import mistaken, valid_bodies
from contract_tests.verdicts import EITHER, REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.judge import Judge
    from contract_tests.messages import Request

ITEM_CLAUSES = [
    pytest.param(each.clause, marks=pytest.mark.clause(each.clause)) for each in MISTAKES if each.is_in_item
]
ODD = {
    "an empty string": "",
    "a blank": " ",
    "NUL": "\0",
    "NUL inside": "a\0b",
    "a line feed": "a\nb",
    "a lone high surrogate": "\ud800",
    "a lone low surrogate": "a\udfffb",
    "a pair of surrogates": "\U0001f600",
    "Chinese": "数据库",
    "letters with marks": "Ünïcödé",
    "the last of Unicode": "\U0010ffff",
    "a byte order mark": "\ufeff",
    "text from right to left": "\u202eabc",
    "a quotation mark and a backslash": '"\\',
    "percent signs": "%s%d%n",
    "braces": "{0}{name}",
    "a path": "../../etc/passwd",
    "SQL": "' OR '1'='1",
    "markup": "<script>alert(1)</script>",
    "digits only": "12345",
    "a boolean as text": "true",
    "null as text": "null",
    "1,000 characters": "x" * 1000,
    "100,000 characters": "x" * 100_000,
    "30,000 Chinese characters": "库" * 30_000,
}


@pytest.mark.parametrize("clause", ITEM_CLAUSES)
def test_a_bad_item_is_refused_wherever_it_stands(judge: Judge, clause: str) -> None:
    mistake = BY_CLAUSE[clause]
    judge.expect_all(alone(judge, mistake), REFUSED)
    judge.expect_all(among_good_ones(judge, mistake), REFUSED)
    judge.expect_all(among_bad_ones(judge, mistake), REFUSED)


@pytest.mark.parametrize("clause", ITEM_CLAUSES)
def test_a_generated_bad_item_is_refused(judge: Judge, clause: str) -> None:
    judge.explore(lambda made: judge.expect(judge.calls.post(*made), REFUSED), mistaken(clause, judge.calls.varied))


def alone(judge: Judge, mistake: Mistake) -> Iterator[Request]:
    good = judge.calls.body()
    for value in mistake.values:
        yield judge.calls.post(mistake.apply(good, value), mistake.note(value))


def among_good_ones(judge: Judge, mistake: Mistake) -> Iterator[Request]:
    for number, (size, index, value) in enumerate(at_places(mistake, is_quick=judge.options.is_quick)):
        body = judge.calls.body(size, number)
        yield judge.calls.post(mistake.apply(body, value, index), mistake.note(value, index, size))


def among_bad_ones(judge: Judge, mistake: Mistake) -> Iterator[Request]:
    value = mistake.values[0]
    for size, good_index in ((2, None), (3, 0), (3, 2), (4, 1), (12, 0), (12, 11)):
        body: Any = judge.calls.body(size)
        for index in range(size):
            if index != good_index:
                body = mistake.apply(body, value, index)
        yield judge.calls.post(body, f"{mistake.note(value, 0, size)}, and in all others but item {good_index}")


@pytest.mark.parametrize(
    ("clause", "key"),
    [
        pytest.param(f"{name}.present", key, marks=pytest.mark.clause(f"{name}.present"))
        for name, key in (("instance-id", ID), ("current-version", VERSION))
    ],
)
def test_a_property_of_items_counts_in_its_item_only(judge: Judge, clause: str, key: str) -> None:
    for size in (1, 3):
        good = judge.calls.body(size)
        without_it = BY_CLAUSE[clause].apply(good, MISSING, size - 1)
        beside = {**cast("dict[str, object]", without_it), key: good[BATCH][0][key]}
        judge.expect_all(
            [judge.calls.post(beside, f"{key} is beside the batch, not in item {size} of {size}")], REFUSED
        )
        nested = changed(good, **{BATCH: [*good[BATCH][:-1], {"instance": good[BATCH][-1]}]})
        judge.expect_all(
            [judge.calls.post(nested, f"item {size} of {size} has its properties one level deeper")], REFUSED
        )


@pytest.mark.clause("item.object")
def test_an_item_without_anything_is_refused(judge: Judge) -> None:
    batches: tuple[list[object], ...] = ([{}], [{}, {}], [{"further": 1}], [[]], [None, None])
    for items in batches:
        judge.expect_all(
            [judge.calls.post(changed(judge.calls.body(), **{BATCH: items}), f"the batch {items}")], REFUSED
        )
    both = judge.calls.body(3)
    for index in range(3):
        body: Any = both
        for clause in ("instance-id.present", "current-version.present"):
            body = BY_CLAUSE[clause].apply(body, MISSING, index)
        judge.expect_all([judge.calls.post(body, f"item {index + 1} of 3 is an empty object")], REFUSED)


@pytest.mark.clause("text.odd")
@pytest.mark.parametrize("key", [ID, VERSION])
def test_an_odd_string_is_no_reason_to_fail(judge: Judge, key: str) -> None:
    good = judge.calls.body()
    for note, text in ODD.items():
        body = changed(good, **{BATCH: [{**good[BATCH][0], key: text}]})
        judge.expect_all([judge.calls.post(body, f"{key} is {note}")], EITHER)
    raw = changed(good, **{BATCH: [{**good[BATCH][0], key: "数据库 é"}]})
    judge.expect_all(
        [judge.calls.post(json.dumps(raw, ensure_ascii=False).encode(), f"{key} is Chinese without escapes")], EITHER
    )
    pair = changed(good, **{BATCH: [*good[BATCH], {ID: "\ud800", VERSION: "\0"}]})
    judge.expect_all([judge.calls.post(pair, "odd strings in the second item")], EITHER)


@pytest.mark.clause("text.odd")
@pytest.mark.parametrize("key", [ID, VERSION])
def test_a_generated_string_is_no_reason_to_fail(judge: Judge, key: str) -> None:
    good = judge.calls.body(2)

    def check(text: str) -> None:
        items = [good[BATCH][0], {**good[BATCH][1], key: text}]
        judge.expect(judge.calls.post(changed(good, **{BATCH: items}), f"{key} is {text!r}"), EITHER)

    judge.explore(check, st.text(st.characters(codec=None), max_size=60))


@pytest.mark.clause("text.odd")
def test_a_generated_body_is_no_reason_to_fail(judge: Judge) -> None:
    """Whatever the documents allow, with any texts."""
    judge.explore(lambda body: judge.expect(judge.calls.post(body, "a generated valid body"), EITHER), valid_bodies())


@pytest.mark.clause("instance-id.form")
def test_the_form_of_an_id_is_observed(judge: Judge) -> None:
    good = judge.calls.body()
    own = judge.calls.made_up(9).id  # changes of a known id could name another real instance
    forms = {
        "35 characters": own[1:],
        "37 characters": "0" + own,
        "capitals": own.upper(),
        "another end": own[:-4] + "no07",
        "a line feed after it": own + "\n",
    }
    judge.observe_all(
        (
            judge.calls.post(changed(good, **{BATCH: [{**good[BATCH][0], ID: text}]}), f"an id with {note}")
            for note, text in forms.items()
        ),
        EITHER,
    )


@pytest.mark.clause("current-version.form")
def test_the_form_of_a_version_is_observed(judge: Judge) -> None:
    good = judge.calls.body()
    versions = ("2.0.28.18", "2.0.75.28", "2.0.60.241200", "9.9", "latest", "v2.0.48.231200")
    judge.observe_all(
        (
            judge.calls.post(changed(good, **{BATCH: [{**good[BATCH][0], VERSION: text}]}), f"version {text}")
            for text in versions
        ),
        EITHER,
    )
