"""The register of clauses: ids that last, sources that exist, a test for each clause, a clause for each constraint."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contract_tests.clauses import BY_ID, CLAUSES, GROUPS, Clause
from contract_tests.explain import WIDTH, explain, levels, listing, sources

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).with_name("clauses.golden.txt")
SUITE = ROOT / "contract_tests"
CHECKED = ("openapi", "operations/batch-upgrade-databases", "models/error-reply")
"""What the suite checks, beside the models of the upgrade: the other operations are the mock's only."""
CONSTRAINTS = [ROOT / "schemas" / f"{name}.json" for name in CHECKED]
CONSTRAINTS += sorted((ROOT / "schemas" / "models").glob("upgrade-*.json"))
NO_CLAUSE: dict[str, str] = {}
"""Constraints of requests and replies that deliberately are no clause, each with its reason."""


def clause_name(clause: Clause) -> str:
    return clause.id


def test_ids_are_unique_and_of_one_form() -> None:
    assert [name for name, number in Counter(map(clause_name, CLAUSES)).items() if number > 1] == []
    word = r"[a-z0-9]+(-[a-z0-9]+)*"
    assert [clause.id for clause in CLAUSES if not re.fullmatch(rf"{word}\.{word}", clause.id)] == []


def test_no_id_disappears_or_changes_its_meaning() -> None:
    """New clauses are appended to the golden list; a line that is there stays, for reports that were written."""
    golden = GOLDEN.read_text("utf-8").splitlines()
    now = [f"{clause.id}: {clause.sentence}" for clause in CLAUSES]
    assert [line for line in golden if line not in now] == [], "an id is gone, or means something else"
    assert [line for line in now if line not in golden] == [], f"append these to {GOLDEN.name}"
    assert len({line.partition(": ")[0] for line in golden}) == len(golden)


def test_groups_stand_together_in_their_order() -> None:
    assert tuple(group for group, _ in groupby(CLAUSES, lambda clause: clause.group)) == GROUPS


@pytest.mark.parametrize("clause", CLAUSES, ids=clause_name)
def test_a_clause_is_said_in_full_and_its_sources_are_explained(clause: Clause) -> None:
    assert clause.sentence.endswith(".")
    assert clause.sent
    assert clause.accepted
    assert clause.level in levels()
    assert [name for name in clause.source if name not in sources()] == []
    assert len(set(clause.source)) == len(clause.source)
    assert clause.source or not clause.can_break, "a clause that can be broken needs somebody who demands it"


def test_the_sources_are_read_with_their_whole_text() -> None:
    assert sources()["page-table"].endswith("revisions 2025-09 to 2026-02")
    assert sources()["mock"] == "this project"
    assert levels()["stated"] == "the API page says so"


# Tests and constraints


class Collector:
    """A plugin that notes the clause of each test that pytest finds."""

    def __init__(self) -> None:
        self.clauses: dict[str, list[object]] = {}
        self.unreadable: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.unreadable.append(report.longreprtext)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            self.clauses[item.nodeid] = [mark.args[0] for mark in item.iter_markers("clause")]


@pytest.fixture(scope="module")
def marked() -> dict[str, list[object]]:
    """The clauses that each test of the suite is marked with."""
    collector = Collector()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTEST_ADDOPTS", raising=False)
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        settings = ["-c", str(SUITE / "contract.ini"), f"--rootdir={SUITE}", "-p", "no:terminal", "--capture=no"]
        pytest.main([*settings, "--collect-only", str(SUITE)], plugins=[collector])
    assert collector.unreadable == []
    assert collector.clauses
    return collector.clauses


def test_each_test_names_one_clause_of_the_register(marked: dict[str, list[object]]) -> None:
    assert {test: names for test, names in marked.items() if len(names) != 1 or names[0] not in BY_ID} == {}


def test_each_clause_has_a_test_of_its_own(marked: dict[str, list[object]]) -> None:
    assert set(BY_ID) - {name for names in marked.values() for name in names} == set()


def constraints(node: object) -> Iterator[tuple[str, str]]:
    """Each constraint of a document, with the clause that it belongs to."""
    if isinstance(node, list):
        for each in node:
            yield from constraints(each)
    elif isinstance(node, dict):
        for keyword, clause in node.get("x-clauses", {}).items():
            for key, name in clause.items() if isinstance(clause, dict) else [("", clause)]:
                yield f"{keyword} {key}".strip(), name
        for key, each in node.items():
            if key != "x-clauses":
                yield from constraints(each)


@pytest.mark.parametrize("path", CONSTRAINTS, ids=lambda path: path.stem)
def test_each_constraint_of_the_documents_belongs_to_a_clause(path: Path) -> None:
    found = list(constraints(json.loads(path.read_text("utf-8"))))
    assert found or path.stem == "batch-upgrade-databases", "whose parameters are in openapi.json"
    assert [each for each in found if each[1] not in BY_ID and each[1] not in NO_CLAUSE] == []


def test_what_is_deliberately_no_clause_is_still_there_and_has_a_reason() -> None:
    used = {name for path in CONSTRAINTS for _, name in constraints(json.loads(path.read_text("utf-8")))}
    assert NO_CLAUSE.keys() <= used - BY_ID.keys()
    assert all(NO_CLAUSE.values())


# In words


def test_a_clause_is_explained_with_all_that_is_known() -> None:
    assert explain(BY_ID["delay.encoding"]) == (
        "delay.encoding\n"
        "  Nothing but true and false is a delay.\n"
        "\n"
        "  Group      delay\n"
        "  Level      stated: the API page says so. An implementation that does otherwise breaks the clause.\n"
        '  Sources    page-table: the parameter and status tables of the API page "Upgrading Minor Versions of DB\n'
        '             Instances in Batches" of TaurusDB, revisions 2025-09 to 2026-02\n'
        "             definition: the vendor's machine-readable definition of the operation, dated 2026-07\n"
        "  Sent       null, numbers, 0 and 1 among them, other words, empty and padded strings, arrays and objects\n"
        "  Accepted   400 with the documented error body"
    )


def test_a_silent_clause_is_explained_as_one_that_never_fails() -> None:
    text = explain(BY_ID["batch.minimum"])
    assert "So it is observed and reported, and\n             never fails a run." in text
    assert "Sources" not in text


@pytest.mark.parametrize("clause", CLAUSES, ids=clause_name)
def test_explanations_keep_to_their_width(clause: Clause) -> None:
    lines = explain(clause).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert [line for line in lines if line != line.rstrip()] == []


def test_the_listing_has_each_clause_below_its_group() -> None:
    text = listing(CLAUSES)
    assert [block.partition("\n")[0] for block in text.split("\n\n")] == list(GROUPS)
    assert re.findall(r"^  ([a-z]\S+) +(?:stated|example|custom|silent) ", text, re.MULTILINE) == list(BY_ID)
    assert max(map(len, text.splitlines())) <= WIDTH


def test_a_listing_of_few_clauses_is_as_narrow_as_they_are() -> None:
    assert listing([BY_ID["delay.true"], BY_ID["delay.case"]]) == (
        "delay\n"
        "  delay.true  stated   A delay of true is accepted, as boolean, as string, or as both.\n"
        "  delay.case  silent   The case of the letters of a delay."
    )
    assert listing([]) == ""
