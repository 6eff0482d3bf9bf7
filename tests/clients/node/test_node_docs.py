"""The snippets of docs/clients/node.md, run with the vendor's published packages against a running mock."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest
import snippets
import test_node_sdk
from test_node_sdk import HERE, NODE, NPM

if TYPE_CHECKING:
    from pathlib import Path

    from mockserver.running import MockServer

packages = test_node_sdk.packages


@pytest.mark.skipif(not (NODE and NPM), reason="needs Node and npm")
def test_the_snippets_for_node_print_what_the_page_says(packages: Path, mock: MockServer, tmp_path: Path) -> None:
    shutil.copy(HERE / "gaussdb.js", tmp_path)
    environment = snippets.environment("node", mock, tmp_path, NODE_PATH=str(packages))
    for number, (block, printed) in enumerate(snippets.answered("node", "js"), 1):
        assert printed is not None, f"line {block.line}: what it prints must follow"
        script = tmp_path / f"snippet{number}.js"
        script.write_text(snippets.at(mock, block.text), "utf-8")
        snippets.assert_prints([str(NODE), str(script)], printed, folder=tmp_path, environment=environment)


def test_the_page_for_node_installs_the_packages_that_are_tested() -> None:
    tested = json.loads((HERE / "package.json").read_text("utf-8"))["dependencies"]
    (command,) = snippets.code("node", "sh")
    installed = dict(re.findall(r"(\S+)@([\d.]+)", command))
    assert installed
    assert installed.items() <= tested.items()
    assert tested["@huaweicloud/huaweicloud-sdk-core"] in snippets.index_row("node")
