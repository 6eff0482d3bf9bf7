"""House style that no tool checks: sizes, reasons beside ignores, nothing left behind."""

from __future__ import annotations

import ast
import io
import re
import shutil
import subprocess
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
MODULE_LINES = 300
FUNCTION_LINES = 50
MARK = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
PATH_OF_A_MACHINE = re.compile(r"(?<![\w.$}])/(?:home|Users|root|tmp|work|mnt)/\w|\b[A-Z]:\\+Users\b")
REASONED = re.compile(r"(noqa: [A-Z]+[0-9]+(, [A-Z]+[0-9]+)*|type: ignore\[[a-z-]+(, [a-z-]+)*\])")
NEEDS_REASON = {"skip", "skipif", "xfail", "importorskip"}


def project_files(*folders: str) -> list[Path]:
    """The files of the project, or of folders of it: those that git knows or would add, without git those there are."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        return sorted(path for name in listed if name and (path := ROOT / name).is_file())
    found = [path for top in folders or ["."] for path in (ROOT / top).rglob("*") if path.is_file()]
    return sorted(path for path in found if not is_made(path.relative_to(ROOT)))


def is_made(path: Path) -> bool:
    """Whether a file is made by tools."""
    return any(part.startswith(".") or part in {"__pycache__", "build", "dist"} for part in path.parts)


def python_files(*folders: str) -> list[Path]:
    return [path for path in project_files(*folders) if path.suffix == ".py"]


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT).as_posix()}:{line}"


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text("utf-8")))


def test_this_file_finds_the_files_that_it_checks() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in project_files()}
    assert {"pyproject.toml", "mockserver/cli.py", "tests/test_house_style.py", "schemas/openapi.json"} <= names
    assert not any("__pycache__" in name for name in names)


def test_modules_are_short() -> None:
    """But for tests: a module has one file of them, which is mostly tables."""
    files = [path for path in python_files() if path.relative_to(ROOT).parts[0] != "tests"]
    lengths = {place(path, 1): len(path.read_text("utf-8").splitlines()) for path in files}
    assert {name: length for name, length in lengths.items() if length > MODULE_LINES} == {}


def test_functions_are_short() -> None:
    long = [
        f"{place(path, node.lineno)} {node.name}"
        for path in python_files()
        for node in nodes(path)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= FUNCTION_LINES
    ]
    assert long == []


@pytest.mark.parametrize("pattern", [MARK, PATH_OF_A_MACHINE], ids=["marks-of-unfinished-work", "paths-of-a-machine"])
def test_nothing_is_left_behind(pattern: re.Pattern[str]) -> None:
    found = [
        f"{place(path, number)} {line.strip()[:80]}"
        for path in project_files()
        if path != Path(__file__)  # which has them as examples
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MARK, "# TODO: later"),
        (PATH_OF_A_MACHINE, "see /home/someone/file"),
        (PATH_OF_A_MACHINE, "'C:\\Users\\someone'"),
    ],
    ids=["mark", "posix", "windows"],
)
def test_what_is_left_behind_would_be_found(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)
    assert not pattern.search('"$HOME"/folder https://example.com/home/page and /v3/project/instances, method')


def test_every_ignore_is_precise_and_has_its_reason_beside_it() -> None:
    """`noqa` and `type: ignore` name their rule, and a second comment on the line says why."""
    careless = []
    for path in python_files():
        tokens = tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline)
        for token in tokens:
            if token.type == tokenize.COMMENT and re.search(r"#\s*(noqa|type:\s*ignore)", token.string):
                *ignores, reason = (part.strip() for part in token.string[1:].split("#"))
                if not ignores or not all(map(REASONED.fullmatch, ignores)) or " " not in reason:
                    careless.append(f"{place(path, token.start[0])} {token.string}")
    assert careless == []


def test_no_test_is_skipped_or_expected_to_fail_without_a_reason() -> None:
    careless = []
    for path in python_files("tests"):
        tree = list(nodes(path))
        called = {id(node.func): node for node in tree if isinstance(node, ast.Call)}
        for node in tree:
            if isinstance(node, ast.Attribute) and node.attr in NEEDS_REASON and is_of_pytest(node.value):
                call = called.get(id(node))
                if call is None or not has_reason(call, node.attr):
                    careless.append(place(path, node.lineno))
    assert careless == []


def is_of_pytest(node: ast.expr) -> bool:
    return ast.unparse(node) in {"pytest", "pytest.mark"}


def has_reason(call: ast.Call, name: str) -> bool:
    """Whether a call gives a reason: by name, or first where the function takes it first."""
    named = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
    first = call.args[:1] if name in {"skip", "xfail"} else []
    return any(not isinstance(value, ast.Constant) or bool(value.value) for value in [*named, *first])


def test_tests_are_functions_whose_names_are_sentences() -> None:
    functions = [
        (path, node)
        for path in python_files("tests")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        and node.name.lower().startswith("test")
    ]
    assert len(functions) > 100
    assert [place(path, node.lineno) for path, node in functions if node.name.count("_") < 3] == []
    assert [place(path, node.lineno) for path, node in functions if isinstance(node, ast.ClassDef)] == []


def test_the_mock_prints_through_click_or_the_log_only() -> None:
    printing = [
        place(path, node.lineno)
        for path in python_files("mockserver")
        for node in nodes(path)
        if isinstance(node, ast.Name) and node.id in {"print", "breakpoint"}
    ]
    assert printing == []
