"""The page of the Python SDK installs what is tested; tests/test_docs.py runs its snippets."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import snippets


def test_the_page_for_python_installs_the_packages_that_are_tested() -> None:
    (command,) = snippets.code("python", "sh")
    assert command.startswith("pip install ")
    assert all(version(name) for name in command.split()[2:])
    demanded = re.search(
        "huaweicloudsdkgaussdb>=([0-9.]+)", Path(__file__).parents[3].joinpath("pyproject.toml").read_text("utf-8")
    )
    assert demanded
    assert demanded[1] in snippets.index_row("python")
