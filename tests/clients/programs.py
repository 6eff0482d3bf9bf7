"""Clients in other languages: made once, outside the repository, and called line by line."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processes import GUARD, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import IO

INSTALL_GUARD = 600.0
"""Seconds after which fetching packages for the first time hangs."""


class SdkError(Exception):
    """What the SDK threw."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__(json.dumps(fields, ensure_ascii=False))
        self.kind: str = fields["kind"]
        """The name of its class."""
        self.status: int | None = fields.get("status")
        self.code: str | None = fields.get("code")
        self.message: str = fields["message"]
        self.request_id: str | None = fields.get("request_id")


@dataclass
class Program:
    """A running client, which answers each call, one JSON line, with one JSON line."""

    process: subprocess.Popen[str]
    log: IO[str]
    """Its standard error."""

    def __call__(self, operation: str, **request: object) -> dict[str, Any]:
        """What the SDK gives for an operation, as the service names its fields; raises SdkError for what it throws."""
        process, written = self.process, json.dumps({"operation": operation, "request": request})
        assert process.stdin is not None
        assert process.stdout is not None
        watchdog = threading.Timer(GUARD, process.kill)
        watchdog.start()
        try:
            process.stdin.write(written + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:  # it has ended
            line = ""
        finally:
            watchdog.cancel()
        if not line:
            self.log.seek(0)
            raise AssertionError(f"no answer to {written}; the client's standard error:\n{self.log.read()}")
        answer = json.loads(line)
        if "error" in answer:
            raise SdkError(answer["error"])
        return answer["result"]


@contextmanager
def running(command: Sequence[str], folder: Path, **variables: str) -> Iterator[Program]:
    """A client in `folder`, which is its home too, until the block ends."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            cwd=folder,
            env=client_environment(folder, **variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
        ) as process,
    ):
        assert process.stdin is not None
        try:
            yield Program(process, log)
            process.stdin.close()  # at whose end the client ends
            process.wait(GUARD)
        finally:
            process.kill()


def run(command: Sequence[str], folder: Path, **variables: str) -> list[dict[str, Any]]:
    """The JSON lines of a client that runs to its end; fails with its output when it does not succeed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=client_environment(folder, **variables),
        capture_output=True,
        encoding="utf-8",
        timeout=GUARD,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def client_environment(home: Path, **variables: str) -> dict[str, str]:
    """An environment with a home of its own, where SDKs keep an id, without proxies and the user's own credentials."""
    mine = {name: value for name, value in environment().items() if not name.startswith("HUAWEICLOUD_")}
    return {**mine, "HOME": str(home), "USERPROFILE": str(home), **variables}


def made_once(name: str, sources: Sequence[Path], make: Callable[[Path], None]) -> Path:
    """The folder in the user's cache that `make` fills from `sources`, once for each content of them.

    It is filled under another name, so that one cut short is not taken for a whole one.
    """
    content = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "taurus-mock"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"{name}-{content[:16]}"
    with alone(cache / f"{name}.lock"):
        if not folder.is_dir():
            unfinished = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=cache))
            try:
                make(unfinished)
                unfinished.rename(folder)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    return folder


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Let other processes wait: parallel test runs would make the same at the same time."""
    try:
        import fcntl  # noqa: PLC0415  # Windows has none
    except ImportError:
        yield
        return
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file closes, however the process ends
        yield


def install(command: Sequence[str], folder: Path, **variables: str) -> None:
    """Run an installer; fails with its output when it does not succeed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=INSTALL_GUARD,
        check=False,
    )
    assert done.returncode == 0, done.stdout
