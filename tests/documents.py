"""Reads the fenced blocks of a Markdown page, and types its console blocks into a shell."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HANG = 30
"""Seconds after which a command is taken to hang."""


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Command:
    typed: str
    expected: str


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page, with the line at which it starts."""
    text = page.read_text("utf-8")
    return [Block(m.group(1), m.group(2), text.count("\n", 0, m.start()) + 1) for m in _FENCE.finditer(text)]


def commands(console: str) -> list[Command]:
    """The commands of a console block: `$ ` starts one, `> ` goes on with it, other lines are what it prints."""
    found: list[tuple[list[str], list[str]]] = []
    for line in console.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif line.startswith("> "):
            found[-1][0].append(line[2:])
        else:
            found[-1][1].append(line)
    return [Command("\n".join(typed), "\n".join(printed)) for typed, printed in found]


def matches(expected: str, printed: str) -> bool:
    """Whether the output is the expected one, in which `...` stands for anything."""
    pattern = ".*?".join(map(re.escape, expected.strip().split("...")))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


class Shell:
    """A bash that is typed to; everything that it prints is kept, from its background jobs as well."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "--norc"],  # noqa: S607  # whichever bash the reader has
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            bufsize=1,
        )
        self._printed = ""
        self._count = 0
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def run(self, command: Command) -> str:
        """What a command prints; for one in the background, what has come when it is as expected."""
        begin = len(self._printed)
        self._count += 1
        end = f"<end of command {self._count}>"
        self._type(command.typed)
        if command.typed.endswith("&"):
            self._wait(lambda: matches(command.expected, self._printed[begin:]))
            return self._printed[begin:]
        self._type(f"printf '%s\\n' '{end}'")
        self._wait(lambda: end in self._printed[begin:])
        return self._printed[begin:].partition(end)[0]

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(_HANG)
        self._reader.join(_HANG)
        if self._process.stdout:
            self._process.stdout.close()

    def _type(self, text: str) -> None:
        if self._process.stdin:
            self._process.stdin.write(f"{text}\n")
            self._process.stdin.flush()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._printed += line

    @staticmethod
    def _wait(condition: object) -> None:
        deadline = time.monotonic() + _HANG
        while callable(condition) and not condition() and time.monotonic() < deadline:
            time.sleep(0.01)
