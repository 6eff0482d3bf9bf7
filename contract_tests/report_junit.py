"""The report as JUnit XML, for CI."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from contract_tests.report_text import counts, headline, legible, remarks

if TYPE_CHECKING:
    from contract_tests.report import Report, Verdict
    from contract_tests.report_text import Circumstances


def to_junit(report: Report, circumstances: Circumstances) -> str:
    """JUnit XML: a test case for each clause, and one for the run where it failed as a whole."""
    verdicts = report.verdicts
    number = counts(verdicts)
    totals = {
        "tests": str(len(verdicts) + circumstances.ended_badly),
        "failures": str(number["broken"]),
        "errors": str(int(circumstances.ended_badly)),
        "skipped": str(number["not checked"] + number["accepted"]),
        "time": f"{circumstances.seconds:.3f}",
    }
    suites = ET.Element("testsuites", {"name": circumstances.tool, **totals})
    suite = _add(suites, "testsuite", name="contract", timestamp=circumstances.began, **totals)
    properties = _add(suite, "properties")
    for name in ("target", "profile", "seed", "version", "exit_code"):
        _add(properties, "property", name=name, value=str(getattr(circumstances, name)))
    _add(properties, "property", name="requests", value=str(report.requests))
    for verdict in verdicts:
        _judge(_add(suite, "testcase", classname=verdict.clause.group, name=verdict.clause.id), verdict)
    if circumstances.ended_badly:
        problem = circumstances.problem or headline(report, circumstances)
        case = _add(suite, "testcase", classname="run", name="the run as a whole")
        kind = f"exit code {circumstances.exit_code}"
        _add(case, "error", problem, message=problem.partition("\n")[0], type=kind)
    if remarks(report):
        _add(suite, "system-out", "\n".join(remarks(report)))
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _judge(case: ET.Element, verdict: Verdict) -> None:
    """Put a verdict into its test case."""
    clause = verdict.clause
    said = f"{clause.sentence} ({clause.level}{': ' + ', '.join(clause.source) if clause.source else ''})"
    proof = ""
    if verdict.finding:
        found = verdict.finding
        proof = (
            f"\nsent      {found.case}\nexpected  {found.expected}\nreceived  {found.received}\nagain     {found.curl}"
        )
    if verdict.finding and verdict.name == "broken":
        message = f"expected {verdict.finding.expected}; received {verdict.finding.received}"
        _add(case, "failure", said + proof, message=message, type="broken")
    elif verdict.name in ("accepted", "not checked"):
        _add(case, "skipped", message=str(verdict) if verdict.name == "not checked" else verdict.text)
    if verdict.name != "broken":
        _add(case, "system-out", f"{said}\n{verdict}{proof}")


def _add(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    """A new element in its parent, with nothing in it that XML does not allow."""
    element = ET.SubElement(parent, tag, {name: legible(value) for name, value in attributes.items()})
    if text:
        element.text = legible(text)
    return element
