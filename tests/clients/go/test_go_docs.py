"""The snippets of docs/clients/go.md, built with the official SDK and run against a running mock."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import snippets
from programs import install

if TYPE_CHECKING:
    from mockserver.running import MockServer

GO = shutil.which("go")
HERE = Path(__file__).parent
needs_go = pytest.mark.skipif(GO is None, reason="building the official Go SDK needs Go")


@needs_go
def test_the_snippets_for_go_print_what_the_page_says(mock: MockServer, tmp_path: Path) -> None:
    """Each is one program, in a module that demands the tested version of the SDK."""
    environment = snippets.environment("go", mock, tmp_path)
    for part in ("go.mod", "go.sum"):
        shutil.copy(HERE / part, tmp_path)
    for number, (block, printed) in enumerate(snippets.answered("go", "go"), 1):
        assert printed is not None, f"line {block.line}: what it prints must follow"
        package = tmp_path / f"snippet{number}"
        package.mkdir()
        (package / "main.go").write_text(snippets.at(mock, block.text), "utf-8")
        built = tmp_path / f"snippet{number}.exe"
        # The flags of test_go_sdk.py, or everything would be compiled a second time.
        flags = ["-p", "2", "-mod=readonly", "-buildvcs=false", "-trimpath"]
        install([str(GO), "build", *flags, "-o", str(built), f"./{package.name}"], tmp_path)
        snippets.assert_prints([str(built)], printed, folder=tmp_path, environment=environment)


@needs_go
def test_the_snippets_for_go_are_formatted(tmp_path: Path) -> None:
    source = tmp_path / "main.go"
    for text in snippets.code("go", "go"):
        source.write_text(text, "utf-8")
        formatted = subprocess.run(
            [str(Path(str(GO)).with_name("gofmt")), str(source)], capture_output=True, encoding="utf-8", check=True
        )
        assert formatted.stdout == text


def test_the_page_for_go_gets_the_version_that_is_tested() -> None:
    (command,) = snippets.code("go", "sh")
    module, _, version = command.removeprefix("go get ").strip().partition("@")
    assert f"require {module} {version}\n" in (HERE / "go.mod").read_text("utf-8")
    assert version in snippets.index_row("go")
