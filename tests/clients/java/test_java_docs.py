"""The snippets of docs/clients/java.md, run with the vendor's published packages against a running mock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import snippets
import test_java_sdk
import workflow
from programs import Program, SdkError
from support import INSTANCE
from test_java_sdk import HERE, JAVA, JAVAC, MAVEN, java

if TYPE_CHECKING:
    from pathlib import Path

    from mockserver.running import MockServer

needs_java = pytest.mark.skipif(not (JAVA and JAVAC and MAVEN), reason="needs a JDK and Maven")
classpath = test_java_sdk.classpath
program = test_java_sdk.program


@needs_java
def test_the_snippets_for_java_print_what_the_page_says(classpath: str, mock: MockServer, tmp_path: Path) -> None:
    """Each is one file, which Java compiles by itself; UpgradeClient is on the class path."""
    environment = snippets.environment("java", mock, tmp_path)
    for block, printed in snippets.answered("java", "java"):
        assert printed is not None, f"line {block.line}: what it prints must follow"
        name = re.search(r"public class (\w+)", block.text)
        assert name, f"line {block.line}: a public class"
        source = tmp_path / f"{name[1]}.java"
        source.write_text(snippets.at(mock, block.text), "utf-8")
        command = java(classpath, tmp_path, str(source))
        snippets.assert_prints(command, printed, folder=tmp_path, environment=environment)


@needs_java
def test_an_upgrade_is_sent_again_when_a_connection_in_use_is_reset(sdk: Program, server: MockServer) -> None:
    """As the page warns."""
    workflow.upgrade(sdk, INSTANCE)
    with pytest.raises(SdkError) as caught:
        workflow.upgrade(sdk, {**INSTANCE, "instance_id": "mockconnectionreset0000000000000in07"})
    assert caught.value.kind == "ConnectionException"
    assert [each["scenario"] for each in server.requests] == ["success", "connection-reset", "connection-reset"]


def test_the_page_for_java_names_the_package_that_is_tested() -> None:
    (dependency,) = snippets.code("java", "xml")
    pom = (HERE / "pom.xml").read_text("utf-8")
    assert "".join(dependency.split()) in "".join(pom.split())
    version = re.search("<version>(.+)</version>", dependency)
    assert version
    assert version[1] in snippets.index_row("java")
