"""Reports as files: JUnit for CI, JSON for programs, HTML for people."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

from contract_tests.options import UsageError
from contract_tests.report_html import to_html
from contract_tests.report_junit import to_junit
from contract_tests.report_text import NAMES, Circumstances, counts, remarks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from contract_tests.report import Report, Verdict


def check_paths(paths: Sequence[Path]) -> None:
    """Raises UsageError for a report that could not be written, before a run that would be for nothing."""
    for path in paths:
        if path.suffix.lower() not in FORMATS:
            known = ", ".join(f"{suffix} ({title})" for suffix, (title, _) in FORMATS.items())
            raise UsageError(f"--report: {path}: expected a name that ends in one of {known}")
        if path.is_dir():
            raise UsageError(f"--report: {path}: expected a file, but this is a folder")
        if not path.parent.is_dir():
            raise UsageError(f"--report: {path}: there is no folder {path.parent}; make it first")


def write_reports(report: Report, paths: Sequence[Path], circumstances: Circumstances) -> None:
    """Write a report to each path, in the format of its suffix; raises UsageError when one cannot be written.

    A file is replaced at once and as a whole: nobody ever reads half a report.
    """
    check_paths(paths)
    for path in paths:
        _, render = FORMATS[path.suffix.lower()]
        content = render(report, circumstances).encode("utf-8")
        try:
            _replace(path.resolve(), content)
        except OSError as error:
            raise UsageError(f"--report: {path}: cannot be written: {error.strerror or error}") from None


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()  # what is left when something failed


def to_json(report: Report, circumstances: Circumstances) -> str:
    """The report as JSON, of the form `schemas/data/report.schema.json`."""
    verdicts = report.verdicts
    number = counts(verdicts)
    document = {
        "format": 1,
        "tool": {"name": circumstances.tool, "version": circumstances.version},
        "target": circumstances.target,
        "profile": circumstances.profile,
        "seed": circumstances.seed,
        "started": circumstances.began,
        "seconds": round(circumstances.seconds, 3),
        "requests": report.requests,
        "exit_code": circumstances.exit_code,
        "problem": circumstances.problem,
        "remarks": remarks(report),
        "summary": {name: number[name] for name in NAMES},
        "clauses": [_clause(verdict) for verdict in verdicts],
    }
    text = json.dumps(document, ensure_ascii=False, indent=2)
    # A lone surrogate, such as a reply can hold, is no character of UTF-8, and readers of JSON refuse its escape.
    return text.encode("utf-8", "replace").decode("utf-8") + "\n"


def _clause(verdict: Verdict) -> dict[str, Any]:
    clause, finding = verdict.clause, verdict.finding
    return {
        "id": clause.id,
        "group": clause.group,
        "level": clause.level,
        "source": list(clause.source),
        "sentence": clause.sentence,
        "verdict": verdict.name,
        "text": verdict.text,
        "finding": finding
        and {
            "sent": finding.case,
            "expected": finding.expected,
            "received": finding.received,
            "curl": finding.curl,
            "requests": finding.requests,
        },
    }


FORMATS: dict[str, tuple[str, Callable[[Report, Circumstances], str]]] = {
    ".xml": ("JUnit", to_junit),
    ".json": ("JSON", to_json),
    ".html": ("a page to read", to_html),
}
"""What a suffix means, and what makes the text."""
__all__ = ["FORMATS", "Circumstances", "check_paths", "to_json", "write_reports"]
