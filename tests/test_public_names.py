"""The public names: exactly these, and each costs its import only when it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mockserver

NAMES = ["MockProject", "MockServer", "Settings", "TaurusMockError", "create_app"]
HEAVY = {"click", "flask", "jsonschema_rs", "waitress", "werkzeug"}


def test_the_public_names_are_exactly_these() -> None:
    assert mockserver.__all__ == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_public_name_is_what_it_says(name: str) -> None:
    value = getattr(mockserver, name)
    assert value.__name__ == name
    assert value.__module__.startswith("mockserver.")
    assert value.__doc__


def test_type_checkers_see_the_same_names_in_the_same_places() -> None:
    """They read the imports under TYPE_CHECKING, since the names are resolved at run time."""
    tree = ast.parse(Path(mockserver.__file__).read_text("utf-8"))
    (guarded,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {
        alias.name: node.module for node in guarded.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert seen == {name: getattr(mockserver, name).__module__ for name in NAMES}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'mockserver' has no attribute 'MokServer'$"):
        mockserver.MokServer  # noqa: B018  # the misspelt name is the point


def test_the_public_names_are_listed() -> None:
    assert set(NAMES) <= set(dir(mockserver))


@pytest.mark.parametrize(
    ("statement", "spared"),
    [
        ("import mockserver", HEAVY),
        ("from mockserver import TaurusMockError, Settings; Settings()", HEAVY),
        ("from mockserver import create_app", {"waitress"}),
    ],
    ids=["package", "settings", "application"],
)
def test_an_import_spares_what_it_does_not_need(statement: str, spared: set[str]) -> None:
    program = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "mockserver" in loaded
    assert loaded & spared == set()
