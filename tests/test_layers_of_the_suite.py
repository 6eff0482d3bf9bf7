"""The architecture of the contract suite: who imports whom, and that it shares no code with the mock."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from test_layers import imports_of

ROOT = Path(__file__).resolve().parent.parent
SUITE = ROOT / "contract_tests"
LAYERS: tuple[set[str], ...] = (
    {"clauses", "documents", "encodings", "messages", "options", "signing"},
    {"baseline", "curl", "explain", "findings", "guard", "renewal", "verdicts", "wire"},
    {"calls", "target"},
    {"mutations", "survey"},
    {"judge", "strategies"},
    {"report"},
    {"report_text", "run"},
    {"conftest", "report_html", "report_junit", "selftest"},
    {"report_files"},
    {"command"},
)
"""Modules by layer, the lowest first; tests may use them all."""
THE_MOCK_IS_STARTED_BY = {"run"}


@cache
def imports() -> dict[str, set[tuple[str, bool]]]:
    """What each module imports, and whether for annotations only."""
    found = {}
    for path in sorted(SUITE.glob("*.py")):
        if path.stem != "__init__":
            found[path.stem] = set(imports_of(ast.parse(path.read_text("utf-8"))))
    return found


def layer(module: str) -> int:
    return next(number for number, modules in enumerate(LAYERS) if module in modules)


def modules() -> list[str]:
    return [name for name in imports() if not name.startswith("test_")]


def test_every_module_of_the_suite_has_one_layer() -> None:
    assert sorted(name for names in LAYERS for name in names) == sorted(modules())


def test_a_module_of_the_suite_imports_from_lower_layers_only() -> None:
    pairs = {
        (module, name.removeprefix("contract_tests."))
        for module in modules()
        for name, for_types in imports()[module]
        if name.startswith("contract_tests.") and not for_types
    }
    assert ("judge", "target") in pairs
    assert {(module, other) for module, other in pairs if layer(other) >= layer(module)} == set()


def test_the_suite_meets_the_mock_only_where_it_starts_it() -> None:
    meeting = {module for module, names in imports().items() for name, _ in names if name.split(".")[0] == "mockserver"}
    assert meeting == THE_MOCK_IS_STARTED_BY


def test_the_mock_never_imports_the_suite() -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "mockserver").rglob("*.py")]
    assert len(sources) > 10
    assert not any(re.search(r"^\s*(from|import) contract_tests", source, re.MULTILINE) for source in sources)
