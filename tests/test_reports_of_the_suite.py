"""The suite's report files: every verdict in every format, whatever characters it holds, and no half-written file."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from datetime import date, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator

from contract_tests.baseline import Baseline, KnownBreak
from contract_tests.clauses import BY_ID, CLAUSES
from contract_tests.options import UsageError
from contract_tests.report import Report
from contract_tests.report_files import Circumstances, check_paths, to_json, write_reports
from contract_tests.report_html import to_html
from contract_tests.report_junit import to_junit
from contract_tests.report_text import headline, legible, remarks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas" / "data" / "report.schema.json").read_text("utf-8"))
CURL = """curl -sS -i -X POST -H "X-Auth-Token: $TOKEN" --data-binary '{"delay": 1}' http://127.0.0.1:8080/v3/p"""
HOSTILE = "</style><script>alert('x')</script>&amp;\"]]>\x00\x0b\x1b[31m\r\ud800\u202e\ufffe\U0001fffe\U0001f600é"
SHOWN = (
    "</style><script>alert('x')</script>&amp;\"]]>\\x00\\x0b\\x1b[31m\\x0d\\ud800\\u202e\\ufffe\\U0001fffe\U0001f600é"
)
VOID = {"meta", "rect", "br", "link", "img", "input", "hr"}


def result(clause: str, finding: dict[str, object] | None = None, observations: Sequence[str] = ()) -> dict[str, Any]:
    whole = {
        "clause": clause,
        "case": "delay is 1",
        "expected": "400",
        "received": "200 {}",
        "curl": CURL,
        "requests": 1,
    }
    findings = [] if finding is None else [{**whole, **finding}]
    return {
        "clause": clause,
        "findings": findings,
        "observations": list(observations),
        "requests": 3,
        "accepted": True,
        "crash": None,
    }


def report_of(text: str = "plain") -> Report:
    """A report in which every verdict occurs, with a text in all places that come from outside."""
    names = (
        "route.example",
        "delay.encoding",
        "reply.resp-success",
        "json.encoding",
        "batch.minimum",
        "auth.signature",
    )
    known = KnownBreak("json.encoding", text, date(2027, 3, 31))
    old = KnownBreak("delay.encoding", text, date(2026, 1, 1))
    report = Report([BY_ID[name] for name in names], baseline=Baseline((known, old), date(2026, 11, 23)))
    shown = {"case": text, "received": text, "curl": f"{CURL} {text}"}
    report.take(result("route.example"), None)
    report.take(result("delay.encoding", shown), None)
    report.take(result("reply.resp-success", shown), None)
    report.take(result("json.encoding", shown), None)
    report.take(result("batch.minimum", observations=[f"{text}: {number}" for number in range(5)]), None)
    report.take(result("auth.signature"), text)
    return report


def circumstances(**changes: Any) -> Circumstances:  # noqa: ANN401  # any field
    given: dict[str, Any] = {
        "target": "http://127.0.0.1:8080",
        "profile": "standard",
        "seed": 7,
        "started": datetime(2026, 11, 23, 12, 30, tzinfo=timezone(timedelta(hours=2))),
        "seconds": 2.3456,
        "exit_code": 1,
        "version": "0.1.0",
    }
    return Circumstances(**{**given, **changes})


STOPPED = circumstances(exit_code=5, problem="an unexpected 200")


def parsed(junit: str) -> ET.Element:
    return ET.fromstring(junit)  # noqa: S314  # it is ours


# JUnit


def test_junit_has_a_test_case_for_each_clause_in_its_group() -> None:
    suite = parsed(to_junit(report_of(), circumstances())).find("testsuite")
    assert suite is not None
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    assert {name: case.get("classname") for name, case in cases.items()} == {
        "route.example": "route",
        "delay.encoding": "delay",
        "reply.resp-success": "success reply",
        "json.encoding": "media type and JSON",
        "batch.minimum": "body",
        "auth.signature": "authentication",
    }
    assert {name: [child.tag for child in case] for name, case in cases.items()} == {
        "route.example": ["system-out"],
        "delay.encoding": ["failure"],
        "reply.resp-success": ["system-out"],
        "json.encoding": ["skipped", "system-out"],
        "batch.minimum": ["system-out"],
        "auth.signature": ["skipped", "system-out"],
    }
    totals = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped", "time", "timestamp")}
    assert totals == {
        "tests": "6",
        "failures": "1",
        "errors": "0",
        "skipped": "2",
        "time": "2.346",
        "timestamp": "2026-11-23T10:30:00Z",
    }


def test_junit_says_what_was_sent_expected_and_received() -> None:
    root = parsed(to_junit(report_of(), circumstances()))
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "expected 400; received plain"
    assert failure.text == (
        "Nothing but true and false is a delay. (stated: page-table, definition)\n"
        f"sent      plain\nexpected  400\nreceived  plain\nagain     {CURL} plain"
    )
    assert [skipped.get("message") for skipped in root.iter("skipped")] == [
        "accepted until 2027-03-31: plain",
        "not checked: plain",
    ]


def test_junit_shows_a_run_that_failed_as_a_whole() -> None:
    root = parsed(to_junit(Report(CLAUSES), STOPPED))
    errors = list(root.iter("error"))
    assert [(error.get("message"), error.get("type"), error.text) for error in errors] == [
        ("an unexpected 200", "exit code 5", "an unexpected 200")
    ]
    assert root.get("tests") == str(len(CLAUSES) + 1)
    worthless = parsed(to_junit(report_of(), circumstances(exit_code=4))).find(".//error")
    assert worthless is not None
    assert worthless.text


def test_junit_is_xml_whatever_the_target_sends() -> None:
    root = parsed(to_junit(report_of(HOSTILE), circumstances(problem=HOSTILE)))
    texts = [text for element in root.iter() for text in (element.text or "", *element.attrib.values())]
    assert sum(SHOWN in text for text in texts) >= 8
    assert all(legible(text) == text for text in texts)


# JSON


@pytest.mark.parametrize("text", ["plain", HOSTILE], ids=["plain", "hostile"])
def test_the_json_report_keeps_the_published_schema(text: str) -> None:
    written = to_json(report_of(text), circumstances(problem=text)).encode("utf-8")
    assert list(Draft202012Validator(SCHEMA).iter_errors(json.loads(written))) == []


def test_the_json_report_has_the_run_and_every_clause() -> None:
    document = json.loads(to_json(report_of(), circumstances()))
    clauses = {each.pop("id"): each for each in document.pop("clauses")}
    assert document == {
        "format": 1,
        "tool": {"name": "taurus-mock", "version": "0.1.0"},
        "target": "http://127.0.0.1:8080",
        "profile": "standard",
        "seed": 7,
        "started": "2026-11-23T10:30:00Z",
        "seconds": 2.346,
        "requests": 18,
        "exit_code": 1,
        "problem": None,
        "remarks": ["delay.encoding: was accepted until 2026-01-01 and counts again (plain)"],
        "summary": {"kept": 1, "broken": 1, "warning": 1, "accepted": 1, "observed": 1, "not checked": 1},
    }
    assert clauses["delay.encoding"] == {
        "group": "delay",
        "level": "stated",
        "source": ["page-table", "definition"],
        "sentence": "Nothing but true and false is a delay.",
        "verdict": "broken",
        "text": "",
        "finding": {
            "sent": "plain",
            "expected": "400",
            "received": "plain",
            "curl": f"{CURL} plain",
            "requests": 1,
        },
    }
    assert clauses["route.example"]["finding"] is None


# HTML


class Page(HTMLParser):
    """Notes elements and texts, and that every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("text", ["plain", HOSTILE], ids=["plain", "hostile"])
def test_the_page_has_no_script_and_loads_nothing(text: str) -> None:
    page = Page(to_html(report_of(text), circumstances(target=text, problem=text, version=text)))
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "link", "img", "iframe", "object", "base"})
    names = {name for _, attributes in page.elements for name in attributes}
    assert {name for name in names if name.startswith("on") or name in {"src", "style", "srcset"}} == set()
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    ids = [f"#{attributes['id']}" for _, attributes in page.elements if "id" in attributes]
    assert sorted(links) == sorted(ids) == ["#delay.encoding", "#json.encoding", "#reply.resp-success"]


def test_the_policy_of_the_page_allows_its_style_and_nothing_else() -> None:
    text = to_html(report_of(), circumstances())
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'\"" in text
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_the_page_shows_what_came_from_outside_as_text() -> None:
    page = Page(to_html(report_of(HOSTILE), circumstances(target=HOSTILE, problem=HOSTILE, version=HOSTILE)))
    # As sent, received and in the command: of the break, the warning and the known break; and five observations.
    assert sum(text.count(SHOWN) for text in page.texts) >= 3 * 3 + 5
    to_html(report_of(HOSTILE), circumstances()).encode("utf-8")


def test_the_page_opens_the_proof_of_what_is_broken() -> None:
    page = Page(to_html(report_of(), circumstances()))
    proofs = {each["id"]: "open" in each for tag, each in page.elements if tag == "details" and "id" in each}
    assert proofs == {"delay.encoding": True, "reply.resp-success": False, "json.encoding": False}
    assert f"{CURL} plain" in page.texts
    assert "$TOKEN" in page.texts, "the page says what to put the secret into"
    assert "5 observations" in page.texts


@pytest.mark.parametrize(
    ("report", "facts", "sentence"),
    [
        (report_of(), circumstances(), "1 clause is broken."),
        (report_of(), STOPPED, "The safety guard stopped the run."),
        (Report(CLAUSES), circumstances(exit_code=3, problem="refused"), "The target could not be checked."),
        (Report(CLAUSES), circumstances(exit_code=4), "Nothing is shown: too little was exercised."),
        (Report(CLAUSES), circumstances(exit_code=0), "Every checked clause is kept."),
    ],
    ids=["broken", "guard", "no-target", "worthless", "kept"],
)
def test_the_headline_says_how_the_run_ended(report: Report, facts: Circumstances, sentence: str) -> None:
    assert headline(report, facts) == sentence
    assert sentence in Page(to_html(report, facts)).texts


def test_the_headline_does_not_hide_known_breaks() -> None:
    report = report_of()
    report.clauses = [clause for clause in report.clauses if clause.id != "delay.encoding"]
    assert headline(report, circumstances(exit_code=0)) == "No clause is broken anew; 1 known."


def test_remarks_are_about_the_baseline_only() -> None:
    assert remarks(Report(CLAUSES)) == []
    report = report_of()
    report.baseline = Baseline((KnownBreak("route.example", "mended", date(2027, 1, 1)),), date(2026, 11, 23))
    assert remarks(report) == ["route.example: is kept, so its row is no longer needed"]


# Files


def test_the_suffix_decides_on_the_format(tmp_path: Path) -> None:
    paths = [tmp_path / "r.xml", tmp_path / "r.JSON", tmp_path / "r.html"]
    write_reports(report_of(), paths, circumstances())
    starts = [path.read_text("utf-8").split()[0] for path in paths]
    assert starts == ["<?xml", "{", "<!DOCTYPE"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.JSON", "r.html", "r.xml"]


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        (
            lambda folder: folder / "r.txt",
            "expected a name that ends in one of .xml (JUnit), .json (JSON), .html (a page to read)",
        ),
        (lambda folder: folder / "none" / "r.xml", "there is no folder {folder}/none; make it first"),
        (lambda folder: folder / "folder.xml", "expected a file, but this is a folder"),
    ],
    ids=["suffix", "no-folder", "folder"],
)
def test_a_path_that_cannot_be_written_is_known_before_the_run(
    tmp_path: Path, place: Callable[[Path], Path], problem: str
) -> None:
    (tmp_path / "folder.xml").mkdir()
    path = place(tmp_path)
    with pytest.raises(UsageError) as error:
        check_paths([path])
    expected = problem.replace("{folder}/", f"{tmp_path}{os.sep}")
    assert str(error.value) == f"--report: {path}: {expected}"


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.json"
    path.write_text("the old one", "utf-8")

    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(UsageError, match=r"--report: .*r\.json: cannot be written: No space left on device"):
        write_reports(report_of(), [path], circumstances())
    assert path.read_text("utf-8") == "the old one"
    assert [each.name for each in tmp_path.iterdir()] == ["r.json"]


def test_a_link_to_a_report_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("the old one", "utf-8")
    link = tmp_path / "r.json"
    try:
        link.symlink_to(tmp_path / "real.json")
    except OSError:
        pytest.skip("links need a privilege here")
    write_reports(report_of(), [link], circumstances())
    assert link.is_symlink()
    assert json.loads((tmp_path / "real.json").read_text("utf-8"))["format"] == 1


def test_the_same_run_gives_the_same_files() -> None:
    for render in (to_junit, to_json, to_html):
        assert render(report_of(), circumstances()) == render(report_of(), circumstances())
