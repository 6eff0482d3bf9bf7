"""The suite's baseline: which breaks it accepts, until when, and what is wrong with a file."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from contract_tests.baseline import Baseline, KnownBreak, load_baseline
from contract_tests.options import UsageError

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 23)
ROW = {"clause": "delay.encoding", "reason": "the old gateway takes 0 and 1", "until": "2027-03-31"}
A_BASELINE = "expected an object with the property breaks"
AN_ENTRY = "expected an object with clause, reason and until"


def load(folder: Path, document: object) -> Baseline:
    path = folder / "known.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return load_baseline(path, TODAY)


def test_a_known_break_is_accepted_with_its_reason_and_date(tmp_path: Path) -> None:
    baseline = load(tmp_path, {"$schema": "baseline.schema.json", "breaks": [ROW]})
    assert baseline == Baseline((KnownBreak("delay.encoding", ROW["reason"], date(2027, 3, 31)),), TODAY)
    assert baseline.acceptance("delay.encoding") == "accepted until 2027-03-31: the old gateway takes 0 and 1"
    assert baseline.acceptance("delay.true") == ""
    assert baseline.expired == []


@pytest.mark.parametrize(
    ("until", "accepted"),
    [("2026-11-22", False), ("2026-11-23", True), ("2026-11-24", True)],
    ids=["yesterday", "today", "tomorrow"],
)
def test_a_row_counts_to_the_end_of_its_day(tmp_path: Path, until: str, *, accepted: bool) -> None:
    baseline = load(tmp_path, {"breaks": [{**ROW, "until": until}]})
    assert bool(baseline.acceptance("delay.encoding")) is accepted
    assert bool(baseline.expired) is not accepted


def test_an_expired_row_is_told_in_words(tmp_path: Path) -> None:
    baseline = load(tmp_path, {"breaks": [{**ROW, "until": "2026-01-31"}]})
    assert baseline.expired == [
        "delay.encoding: was accepted until 2026-01-31 and counts again (the old gateway takes 0 and 1)"
    ]


def test_rows_that_are_no_longer_needed_are_named(tmp_path: Path) -> None:
    baseline = load(tmp_path, {"breaks": [ROW, {**ROW, "clause": "delay.true"}]})
    assert baseline.unneeded({"delay.true"}) == ["delay.encoding: is kept, so its row is no longer needed"]
    assert baseline.unneeded({"delay.true", "delay.encoding"}) == []


def test_a_row_whose_clause_was_not_checked_may_be_needed_still(tmp_path: Path) -> None:
    baseline = load(tmp_path, {"breaks": [ROW]})
    assert baseline.unneeded(set(), checked={"delay.true"}) == []


def test_an_empty_baseline_accepts_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, {"breaks": []}).acceptance("delay.true") == ""


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in ROW.items() if key != name}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], f": at the top: {A_BASELINE}, got []"),
        ({}, f": at the top: {A_BASELINE}, but there is no breaks"),
        ({"breaks": {}}, ": at /breaks: expected an array of breaks, got {}"),
        (
            {"breaks": [], "brakes": []},
            f': at the top: {A_BASELINE}, got the unknown property "brakes"; perhaps breaks',
        ),
        (
            {"breaks": [without("reason")]},
            f": at /breaks/0: {AN_ENTRY}, but there is no reason",
        ),
        (
            {"breaks": [{**ROW, "untill": "2027-01-01"}]},
            f': at /breaks/0: {AN_ENTRY}, got the unknown property "untill"; perhaps until',
        ),
        ({"breaks": [{**ROW, "reason": " \t"}]}, ': at /breaks/0/reason: expected a reason in words, got " \\t"'),
        ({"breaks": [{**ROW, "reason": 1}]}, ": at /breaks/0/reason: expected a reason in words, got 1"),
        (
            {"breaks": [{**ROW, "until": "31.3.2027"}]},
            ': at /breaks/0/until: expected a date such as 2027-03-31, got "31.3.2027"',
        ),
        (
            {"breaks": [{**ROW, "until": "20270331"}]},
            ': at /breaks/0/until: expected a date such as 2027-03-31, got "20270331"',
        ),
        (
            {"breaks": [{**ROW, "until": "2027-02-29"}]},
            ': at /breaks/0/until: expected a day of the calendar, got "2027-02-29"',
        ),
        (
            {"breaks": [ROW, {**ROW, "clause": "delay.encodng"}]},
            ': at /breaks/1/clause: expected the id of a clause, got "delay.encodng"; perhaps delay.encoding',
        ),
        ({"breaks": [{**ROW, "clause": "zzz"}]}, ': at /breaks/0/clause: expected the id of a clause, got "zzz"'),
        (
            {"breaks": [ROW, ROW]},
            ": at /breaks/1/clause: expected each clause once, but delay.encoding is at an earlier place, too",
        ),
        (
            {"breaks": [*[ROW] * 2, 3, *[ROW] * 8, 4]},
            f": at /breaks/2: {AN_ENTRY}, got 3",
        ),
        ('{"breaks": [}', ":1:13: expected JSON: Expecting value"),
        (
            '{"breaks": [], "breaks": []}',
            ': expected a small JSON document: the property "breaks" comes twice in one object',
        ),
    ],
    ids=lambda value: None if isinstance(value, str) else json.dumps(value)[:40],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, document: object, problem: str) -> None:
    with pytest.raises(UsageError) as error:
        load(tmp_path, document)
    assert str(error.value) == f"--baseline: {tmp_path / 'known.json'}{problem}"


def test_deep_nesting_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a small JSON document"):
        load(tmp_path, "[" * 100_000 + "]" * 100_000)


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--baseline: .*none\.json: cannot be read: No such file"):
        load_baseline(tmp_path / "none.json", TODAY)
    (tmp_path / "latin.json").write_bytes(b'{"breaks": [\xe9]}')
    with pytest.raises(UsageError, match=r"latin\.json: expected UTF-8 text, but byte 12 is none"):
        load_baseline(tmp_path / "latin.json", TODAY)
