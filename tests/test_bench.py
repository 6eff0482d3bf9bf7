"""The benchmarks still run. Their figures are for docs/performance.md; none is judged here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = "# Kept\n\n<!-- results -->\nold\n<!-- end -->\n\nkept as well\n"
HANG = 120


def _bench(script: str, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "bench" / f"{script}.py"), *arguments],
        env={**os.environ, "PYTHONUTF8": "1", "PATH": os.environ["PATH"] if path is None else path},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=HANG,
        check=False,
    )


def _rows(text: str) -> dict[str, list[str]]:
    """The cells of every table row, by the first."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return {first: rest for first, *rest in lines}


def test_the_report_replaces_the_results_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, "utf-8")
    result = _bench("report", "--quick", "--without-load", "--document", str(page))
    assert result.returncode == 0, result.stderr
    before, results, after = re.split(r"<!-- results -->\n|<!-- end -->\n", page.read_text("utf-8"))
    assert (before, after) == ("# Kept\n\n", "\nkept as well\n")
    assert "old" not in results
    assert "these figures mean nothing" in results
    assert re.findall(r"^### (.+)$", results, re.MULTILINE) == [
        "Circumstances",
        "Aims",
        "Start",
        "The mock's own work",
        "A large fleet",
        "Load",
        "Contract suite",
        "Imports",
        "Soak",
    ]
    rows = _rows(results)
    for measured in ("Taurus Mock", "Flask, constant bytes, waitress", "1,000", "valid", "`mockserver.app`"):
        assert re.match(r"\d", rows[measured][-1]) or re.match(r"\d", rows[measured][0]), (measured, rows[measured])


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed, and the load is measured with it")
def test_under_load_the_servers_answer_as_they_should() -> None:
    result = _bench("load", "--quick")
    assert result.returncode == 0, result.stderr
    rows = [line.strip("| ").split(" | ") for line in result.stdout.splitlines()[2:]]
    assert [row[1] for row in rows][:3] == ["Taurus Mock", "Taurus Mock, `--quiet`", "Flask, constant bytes, waitress"]
    assert [row[-1] for row in rows] == ["0"] * len(rows), "wrong answers"
    assert all(float(row[2].replace(",", "")) > 0 for row in rows)


@pytest.mark.parametrize("script", ["load", "report"])
def test_without_wrk_the_user_learns_how_to_install_it(script: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, "utf-8")
    options = ["--document", str(page)] if script == "report" else []
    result = _bench(script, "--quick", *options, path=str(tmp_path))
    assert (result.returncode, result.stdout) == (2, "")
    assert "apt-get install wrk" in result.stderr
    assert page.read_text("utf-8") == PAGE


def test_a_page_without_a_place_for_results_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Nothing\n", "utf-8")
    result = _bench("report", "--quick", "--document", str(page))
    assert result.returncode == 1
    assert result.stderr == f"{page}: has no part from <!-- results --> to <!-- end -->\n"
