"""`taurus-mock` as a child process, and bytes on its wire without an HTTP library."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from support import HttpReply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

GUARD = 30.0
"""Seconds after which something hangs; nothing takes nearly as long."""
COMMAND = "from mockserver.cli import main; main()"
_LINGER = "hh" if os.name == "nt" else "ii"
_READY = re.compile(r"ready url=(\S+) port=(\d+) pid=(\d+)(?: admin=\S+)?\n")


def until(condition: Callable[[], bool], what: str) -> None:
    """Return when `condition` holds; fails when it never does."""
    deadline = time.monotonic() + GUARD
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.01)


def is_listening(url: str) -> bool:
    """Whether a connection to `url` is possible."""
    address = urlsplit(url)
    try:
        socket.create_connection((str(address.hostname), address.port), timeout=GUARD).close()
    except OSError:
        return False
    return True


def environment(**variables: str) -> dict[str, str]:
    """The environment of a child process: this one's without settings of the mock or a proxy, and `variables`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAURUS_MOCK_")}
    return {**kept, "NO_PROXY": "*", "no_proxy": "*", **variables}


@dataclass
class MockProcess:
    """A running `taurus-mock serve`."""

    process: subprocess.Popen[str]
    url: str
    port: int
    ready_pid: int
    """The process id that the ready line tells."""
    output: str
    """Standard output up to the ready line; all of it once the process has ended."""
    _errors: IO[str] = field(repr=False)
    errors: str = ""
    """Standard error, once the process has ended."""

    def end(self, signal_number: int = signal.SIGTERM) -> int:
        """Ask the process to end, wait until it did, and give its exit code."""
        self.process.send_signal(signal_number)
        return self.wait()

    def wait(self) -> int:
        """The exit code, once the process has ended."""
        code = self.process.wait(GUARD)
        assert self.process.stdout is not None
        self.output += self.process.stdout.read()
        self._errors.seek(0)
        self.errors = self._errors.read()
        return code


@contextlib.contextmanager
def serve(*flags: str, variables: Mapping[str, str] | None = None, command: str = COMMAND) -> Iterator[MockProcess]:
    """Run `taurus-mock serve` on a free port until the block ends; it is ready when the block begins."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            [sys.executable, "-c", command, "serve", "--port", "0", *flags],
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment(**(variables or {})),
            encoding="utf-8",
        ) as process,
    ):
        try:
            output, ready = _read_until_ready(process)
            if ready is None:
                code = process.wait(GUARD)
                errors.seek(0)
                raise AssertionError(f"taurus-mock ended with {code}: {output}{errors.read()}")
            url, port, pid = ready.groups()
            yield MockProcess(process, url, int(port), int(pid), output, errors)
        finally:
            process.kill()


def _read_until_ready(process: subprocess.Popen[str]) -> tuple[str, re.Match[str] | None]:
    """What the process printed, and its ready line; None when it ended without one."""
    assert process.stdout is not None
    lines = []
    guard = threading.Timer(GUARD, process.kill)
    guard.start()
    try:
        for line in process.stdout:
            lines.append(line)
            if ready := _READY.fullmatch(line):
                return "".join(lines), ready
    finally:
        guard.cancel()
    return "".join(lines), None


class Wire:
    """A client's end of one connection."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.socket = socket.create_connection((str(address.hostname), address.port), timeout=GUARD)
        self._received = self.socket.makefile("rb")

    def __enter__(self) -> Wire:  # noqa: PYI034  # typing.Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._received.close()
        self.socket.close()

    def reset(self) -> None:
        """Vanish without a goodbye."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, 1, 0))
        self.close()

    def send(self, *parts: bytes) -> None:
        for part in parts:
            self.socket.sendall(part)

    def reply(self, *, has_body: bool = True) -> HttpReply:
        """The next reply, `100 Continue` included; fails when the server closes instead."""
        status_line = self._received.readline()
        assert status_line, "the server closed the connection without an answer"
        assert status_line.startswith(b"HTTP/1."), status_line
        headers = {name.lower(): value for name, value in http.client.parse_headers(self._received).items()}
        length = int(headers.get("content-length", "0")) if has_body else 0
        return HttpReply(int(status_line.split()[1]), headers, self._received.read(length))

    def is_ended(self) -> bool:
        """Whether the server closed the connection after the last reply; raises ConnectionError when it broke it."""
        return self._received.read(1) == b""
