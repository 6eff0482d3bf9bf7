"""The snippets of the clients' pages, which run in the order of their page against one mock, as a reader tries them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from documents import Block, blocks, matches
from processes import COMMAND
from programs import client_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mockserver.running import MockServer

INDEX = Path(__file__).parents[2] / "docs" / "clients.md"
DOCUMENTED_URL = "http://127.0.0.1:8080"
SECONDS = 600
"""After which a snippet hangs: the first one of Go may have to compile the whole SDK."""
_VARIABLE = re.compile(r"^export (\w+)='(.*)'$", re.MULTILINE)


def page_of(client: str) -> Path:
    return INDEX.parent / "clients" / f"{client}.md"


def code(client: str, language: str) -> list[str]:
    """Every block of a language on a client's page."""
    return [block.text for block in blocks(page_of(client)) if block.language == language]


def answered(client: str, *languages: str) -> Iterator[tuple[Block, str | None]]:
    """Every block of some languages on a client's page, in order, with the text block after it if there is one."""
    found = blocks(page_of(client))
    for block, following in zip(found, [*found[1:], None], strict=True):
        if block.language in languages:
            yield block, following.text if following is not None and following.language == "text" else None


def pointing(client: str, mock: MockServer) -> str:
    """What `taurus-mock env` prints for a client."""
    command = [sys.executable, "-c", COMMAND, "env", client, "--url", mock.url]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout


def environment(client: str, mock: MockServer, home: Path, **variables: str) -> dict[str, str]:
    """An environment that points a client at the mock, as the page says."""
    return client_environment(home, **dict(_VARIABLE.findall(pointing(client, mock))), **variables)


def at(mock: MockServer, text: str) -> str:
    """A text of the page, with the mock's address instead of the documented one."""
    return text.replace(DOCUMENTED_URL, mock.url)


def assert_prints(
    command: Sequence[str], expected: str, *, folder: Path, environment: dict[str, str], code: int = 0
) -> None:
    """A command ends with an exit code, and prints what is expected, in which `...` stands for anything."""
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False
    )
    printed = done.stdout + done.stderr
    assert done.returncode == code, printed
    assert matches(expected, printed), f"expected: {expected}\nprinted: {printed}"


def index_row(client: str) -> str:
    """The row of the index that leads to a client's page; it has the versions that were tested."""
    return next(line for line in INDEX.read_text("utf-8").splitlines() if f"](clients/{client}.md)" in line)
