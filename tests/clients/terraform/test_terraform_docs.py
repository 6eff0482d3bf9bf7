"""The configuration of docs/clients/terraform.md, applied with the vendor's provider to a running mock."""

from __future__ import annotations

import json
import os
import re
import shlex
from typing import TYPE_CHECKING

import build
import snippets
import test_terraform

if TYPE_CHECKING:
    from pathlib import Path

    from mockserver.running import MockServer

pytestmark = test_terraform.pytestmark
tools = test_terraform.tools


def test_the_commands_for_terraform_print_what_the_page_says(
    tools: dict[str, str], mock: MockServer, tmp_path: Path
) -> None:
    """In the page's order: a file for each part of the configuration, the printed provider, and the commands."""
    environment = environment_of(tmp_path, tools["mirror"])
    for number, (block, printed) in enumerate(snippets.answered("terraform", "hcl", "console", "sh"), 1):
        if block.language == "hcl":
            text = block.text.replace('"huaweicloud/huaweicloud"', f'"{build.PROVIDER_SOURCE}"')
            (tmp_path / f"part{number}.tf").write_text(snippets.at(mock, text), "utf-8")
        elif block.language == "console":
            (tmp_path / "provider.tf").write_text(snippets.pointing("terraform", mock), "utf-8")
        else:
            assert printed is not None, f"line {block.line}: what it prints must follow"
            command = [tools["terraform"], *shlex.split(block.text)[1:]]
            code = 1 if "\nError: " in printed else 0
            expected = snippets.at(mock, printed)
            snippets.assert_prints(command, expected, folder=tmp_path, environment=environment, code=code)


def environment_of(folder: Path, mirror: str) -> dict[str, str]:
    """Terraform installs from the mirror only, and nothing of the user's counts."""
    settings = f"provider_installation {{\n  filesystem_mirror {{\n    path = {json.dumps(mirror)}\n  }}\n}}\n"
    (folder / "terraform.rc").write_text(settings, "utf-8")
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "PATH") if name in os.environ}
    mine = {"HOME": str(folder), "USERPROFILE": str(folder), "TF_CLI_CONFIG_FILE": str(folder / "terraform.rc")}
    return {**kept, **mine, "CHECKPOINT_DISABLE": "1", "TF_CLI_ARGS": "-no-color"}


def test_the_index_names_the_tested_versions_of_the_provider_and_of_terraform() -> None:
    versions = re.findall(r"\d+\.\d+\.\d+", snippets.index_row("terraform"))
    assert len(versions) == 2
    built = (test_terraform.FOLDER / "build.py").read_text("utf-8")
    assert all(f'"{version}"' in built for version in versions)
