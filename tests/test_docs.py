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
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "schemas" / "README.md"]
CLIENT_PAGES = sorted((ROOT / "docs" / "clients").glob("*.md"))
TESTED_BESIDE_THE_CLIENT = {"js": "node.md", "java": "java.md", "xml": "java.md", "go": "go.md", "hcl": "terraform.md"}
"""Languages whose blocks a file tests/clients/*/test_*_docs.py tests, and the one page that it takes them from."""
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
    typed_to = Shell(
        tmp_path, {"PATH": path, "HOME": str(tmp_path), "NO_PROXY": "127.0.0.1", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
    )
    yield typed_to
    typed_to.close()


def _type(shell: Shell, mock: MockServer, page: Path, block: Block) -> None:
    for command in commands(block.text.replace(DOCUMENTED_URL, mock.url)):
        printed = shell.run(command).replace("\r", "")
        assert matches(command.expected, printed), f"{page.name}, {command.typed}\nprinted: {printed}"


@needs_bash
@pytest.mark.parametrize(("page", "block"), [each for each in _of("console") if each[0] not in CLIENT_PAGES], ids=_name)
def test_a_console_block_prints_what_it_says(shell: Shell, mock: MockServer, page: Path, block: Block) -> None:
    _type(shell, mock, page, block)


@needs_bash
@pytest.mark.parametrize("page", CLIENT_PAGES, ids=_name)
def test_the_console_blocks_for_a_client_are_one_session(shell: Shell, mock: MockServer, page: Path) -> None:
    """Typed one after the other into one shell, with one mock."""
    for block in blocks(page):
        if block.language == "console":
            _type(shell, mock, page, block)


# The SDK signs with datetime.utcnow(), which Python 3.12 deprecates; nothing on our side can change that.
@pytest.mark.filterwarnings(r"ignore:datetime\.datetime\.utcnow\(\) is deprecated:DeprecationWarning")
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
    assert matches(expected.text, printed.getvalue()), f"{page.name}, line {block.line}\nprinted: {printed.getvalue()}"


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    kinds = {(block.language, page.name) for page in PAGES for block in blocks(page)}
    elsewhere = set(TESTED_BESIDE_THE_CLIENT.items())
    assert {language for language, _ in kinds - elsewhere} <= {"console", "python", "py", "text", "sh"}
    assert elsewhere <= kinds


def test_the_commands_that_are_not_typed_here_are_the_known_ones() -> None:
    """`make run` has a test below, `make test` runs this file, and test_packaging installs and serves the wheel.

    Those of the clients' pages are run by tests/clients/*/test_*_docs.py, or compared with what the tests install.
    """
    typed = {line for _, block in _of("sh") for line in block.text.splitlines()}
    assert typed == {
        "make run",
        "make test",
        "make bench",
        "python3 -m venv .venv",
        ".venv/bin/pip install .",
        ".venv/bin/taurus-mock serve",
        "pip install huaweicloudsdkgaussdb huaweicloudsdkiam",
        "npm install @huaweicloud/huaweicloud-sdk-core@3.1.211 uuid@9.0.1",
        "go get github.com/huaweicloud/huaweicloud-sdk-go-v3@v0.1.207",
        "terraform init",
        "terraform apply -auto-approve",
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


@pytest.mark.parametrize("page", ["settings.md", "scenarios.md", "admin.md", "workflow.md", "contract.md"])
def test_the_generated_tables_are_up_to_date(page: str) -> None:
    generate = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check", page]
    result = subprocess.run(generate, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"run `python docs/generate.py`: {result.stderr}"


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
