"""The mock and its peers as processes: what starts each, when it first answers well, and how it ends."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from samples import HEADERS, PATH, SUCCESS, body

if TYPE_CHECKING:
    from collections.abc import Iterator

_HANG = 60
"""Seconds after which a server is taken to hang."""


@dataclass(frozen=True)
class Contender:
    """One server beside others."""

    name: str
    arguments: tuple[str, ...]
    """Of `taurus-mock serve` when they are flags, else the name of a peer."""
    packages: tuple[str, ...]
    """The distributions that it is made of."""
    validates: bool = True

    @property
    def is_installed(self) -> bool:
        return all(installed(package) for package in self.packages)

    def command(self, port_file: Path) -> list[str]:
        if self.arguments[0].startswith("-"):
            script = shutil.which("taurus-mock", path=str(Path(sys.executable).parent))
            return [script or "taurus-mock", "serve", *self.arguments, "--port-file", str(port_file)]
        return [sys.executable, str(Path(__file__).with_name("peers.py")), *self.arguments, str(port_file)]


MOCK = Contender("Taurus Mock", ("--port=0",), ("taurus-mock", "flask", "waitress", "jsonschema-rs"))
ACCEPT = "--unknown-instances=accept"
"""What a mock needs that gets the same upgrade over and over: by default it refuses the second, as nothing is left to
upgrade, and a refusal would be measured in place of an upgrade."""
LOADED_MOCK = Contender("Taurus Mock", (*MOCK.arguments, ACCEPT), MOCK.packages)
QUIET_LOADED_MOCK = Contender("Taurus Mock, `--quiet`", (*LOADED_MOCK.arguments, "--quiet"), MOCK.packages)
FLOOR = Contender("Flask, constant bytes, waitress", ("constant-waitress",), ("flask", "waitress"), validates=False)
BY_HAND = Contender("Flask and jsonschema, waitress", ("validating-waitress",), ("flask", "waitress", "jsonschema"))
WERKZEUG = Contender("Flask, constant bytes, Werkzeug", ("constant-werkzeug",), ("flask", "werkzeug"), validates=False)
CONNEXION = Contender("connexion, uvicorn", ("connexion",), ("connexion", "uvicorn"))
PYTEST_HTTPSERVER = Contender(
    "pytest-httpserver, fixed answer", ("pytest-httpserver",), ("pytest-httpserver",), validates=False
)


def environment() -> dict[str, str]:
    """A user's usual environment: no setting of the mock, and modules are compiled once."""
    unusual = ("TAURUS_MOCK_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(unusual)}


def installed(package: str) -> str | None:
    """The installed version of a distribution."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    port: int
    first_answer: float
    """Seconds from the start of its process to its first good answer."""


@contextmanager
def running(contender: Contender, pinned: tuple[str, ...] = ()) -> Iterator[Running]:
    """Start a server, wait until it answers well, and end it; what it logs goes to a file.

    `pinned` is a command that runs another on a certain core. Raises RuntimeError with the log when no answer comes.
    """
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # Windows may hold the log a little longer
        port_file, log = Path(folder, "port"), Path(folder, "log")
        with log.open("wb") as output:
            started = time.perf_counter()
            command = [*pinned, *contender.command(port_file)]
            process = subprocess.Popen(command, stdout=output, stderr=output, env=environment())
            try:
                port = _first_good_answer(process, port_file)
                if port is None:
                    raise RuntimeError(f"{contender.name}: no good answer\n{log.read_text('utf-8', 'replace')}")
                yield Running(port, time.perf_counter() - started)
            finally:
                process.terminate()
                process.wait(_HANG)


def _first_good_answer(process: subprocess.Popen[bytes], port_file: Path) -> int | None:
    """The port of the server that just answered as it should; None when it ended, hangs or answers something else."""
    deadline = time.monotonic() + _HANG
    while process.poll() is None and time.monotonic() < deadline:
        answered = _first_answer(port_file)
        if answered:
            port, status, answer = answered
            return port if status == 200 and json.loads(answer) == json.loads(SUCCESS) else None
        time.sleep(0.001)
    return None


def _first_answer(port_file: Path) -> tuple[int, int, bytes] | None:
    """Port, status and body, when there is a port and something answers there."""
    try:
        port = int(port_file.read_text("ascii"))
        return port, *post(port, body(1))
    except (OSError, ValueError):  # not yet
        return None


def post(port: int, content: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_HANG)
    try:
        connection.request("POST", PATH, content, HEADERS)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
