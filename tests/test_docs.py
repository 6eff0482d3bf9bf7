"""Every command and snippet of the documentation runs, and prints what the page says."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from documents import Block, Command, Shell, blocks, commands, matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mockserver import MockServer

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "schemas" / "README.md"]
DOCUMENTED_URL = "http://127.0.0.1:8080"

needs_bash = pytest.mark.skipif(
    sys.platform == "win32" or not shutil.which("bash") or not shutil.which("curl"),
    reason="the console blocks are written for a POSIX shell with curl",
)


def _of(language: str) -> list[tuple[Path, Block]]:
    return [(page, block) for page in PAGES for block in blocks(page) if block.language == language]


def _name(value: object) -> str | None:
    return f"line-{value.line}" if isinstance(value, Block) else value.stem if isinstance(value, Path) else None


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    typed_to = Shell(tmp_path, {"PATH": path, "NO_PROXY": "127.0.0.1", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"})
    yield typed_to
    typed_to.close()


@needs_bash
@pytest.mark.parametrize(("page", "block"), _of("console"), ids=_name)
def test_a_console_block_prints_what_it_says(shell: Shell, mock: MockServer, page: Path, block: Block) -> None:
    for command in commands(block.text.replace(DOCUMENTED_URL, mock.url)):
        printed = shell.run(command).replace("\r", "")
        assert matches(command.expected, printed), f"{page.name}, {command.typed}\nprinted: {printed}"


@pytest.mark.parametrize(("page", "block"), _of("python"), ids=_name)
def test_a_python_block_prints_what_the_block_after_it_says(
    mock: MockServer, page: Path, block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HOME", str(tmp_path))  # the SDK stores an id there
    following = blocks(page)
    expected = following[following.index(block) + 1]
    assert expected.language == "text", f"{page.name}: a text block with the output must follow line {block.line}"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block.text.replace(DOCUMENTED_URL, mock.url), str(page), "exec"), {})  # noqa: S102  # our own docs
    assert printed.getvalue() == expected.text


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    kinds = {block.language for page in PAGES for block in blocks(page)}
    assert kinds <= {"console", "python", "py", "text", "sh"}


def test_the_commands_that_are_not_typed_here_are_the_known_ones() -> None:
    """`make run` has a test below, `make test` runs this file, and test_packaging installs and serves the wheel."""
    typed = {line for _, block in _of("sh") for line in block.text.splitlines()}
    assert typed == {
        "make run",
        "make test",
        "make bench",
        "python3 -m venv .venv",
        ".venv/bin/pip install .",
        ".venv/bin/taurus-mock serve",
    }


@needs_bash
@pytest.mark.skipif(not shutil.which("make"), reason="the machine has no make")
def test_make_run_starts_the_mock(shell: Shell) -> None:
    """The real recipe, in the environment at hand instead of a new one."""
    venv = Path(sys.prefix)
    make = f"make --no-print-directory -C '{ROOT}' VENV='{venv}' -o '{venv}/.runtime' PORT=0 run"
    started = shell.run(
        Command(f"{make} &", "Taurus Mock ... listens on http://127.0.0.1:...\nready url=... port=... pid=...")
    )
    pid = re.search(r"pid=(\d+)", started)
    assert pid, started
    shell.run(Command(f"kill {pid[1]}; wait", ""))


@pytest.mark.parametrize("page", ["settings.md", "scenarios.md", "admin.md", "contract.md"])
def test_the_generated_tables_are_up_to_date(page: str) -> None:
    generate = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check", page]
    result = subprocess.run(generate, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"run `python docs/generate.py`: {result.stderr}"


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
