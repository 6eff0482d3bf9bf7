"""Whether a mock's memory stays flat under many requests of many projects, each upgrade one of new instances."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from contenders import MOCK, environment
from figures import table
from samples import HEADERS, ROUTE, SUCCESS, body

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REQUESTS = 100_000
SAMPLES = 20
CONNECTIONS = 4
INSTANCES = 40
"""In a batch. With bodies so long, and four of ten requests from new projects, the journal's 64 MiB, the places for
10,000 projects and those for 200,000 instances and jobs are taken after a third of REQUESTS. From there on memory must
stay as it is."""
FLAT = 4.0
"""MiB that the second half may add."""
_HANG = 60


@dataclass(frozen=True)
class Kind:
    """One kind of request, and what it must get."""

    name: str
    statuses: tuple[int, ...]
    """Each would be right; none when the reply breaks."""
    scenario: str | None = None
    is_new: bool = False
    """Whether it comes from a project that sent no request before."""
    is_valid: bool = True
    tail: str = ""
    """Behind the path of the upgrade."""


BROKEN = Kind("truncated reply", (), "truncated")
SEQUENCE = Kind("first step of a sequence, new project", (503,), "fail-twice-then-succeed", is_new=True)
KINDS = (
    Kind("accepted", (200,)),
    Kind("accepted, new project", (200,), is_new=True),
    SEQUENCE,
    Kind("server error", (500,), "internal-error"),
    Kind("chance, new project", (200, 503), "flaky", is_new=True),
    Kind("chance", (200, 503), "flaky"),
    SEQUENCE,
    Kind("refused", (400,), is_valid=False),
    Kind("unknown path", (404,), tail="/unknown"),
    Kind("throttled", (429,), "throttled"),
)
"""In turns; every hundredth request meets BROKEN instead, and its connection ends."""
_VALID, _INVALID = body(INSTANCES), body(INSTANCES, valid=False)
_SHARED = b"da1f447269"
"""Digits that the ids of a batch have in common."""


@dataclass(frozen=True)
class Sample:
    """The child after so many requests."""

    requests: int
    memory: float | None
    """MiB that are resident; None where the system does not tell."""


@dataclass(frozen=True)
class Soak:
    """What a soak showed."""

    samples: Sequence[Sample]
    counts: Counter[str]
    """Requests by kind."""
    wrong: Sequence[str]
    """The first few answers that were not as expected."""
    projects: int
    seconds: float
    journalled: int
    """Requests that the mock itself counted."""

    @property
    def growth(self) -> float | None:
        """MiB that the second half of the requests added; None where the system does not tell."""
        middle, last = self.samples[len(self.samples) // 2].memory, self.samples[-1].memory
        return None if middle is None or last is None else last - middle


@dataclass(frozen=True)
class Child:
    """A mock that listens."""

    port: int
    pid: int

    def memory(self) -> float | None:
        """MiB that are resident; None where the system does not tell."""
        if sys.platform != "linux":
            return None
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def child() -> Iterator[Child]:
    """A `taurus-mock serve` of its own."""
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(
            [*MOCK.command(Path(folder, "port")), "--quiet"], stdout=subprocess.PIPE, env=environment(), text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            ready = re.search(r"port=(\d+) pid=(\d+)", process.stdout.readline())
            if ready is None:
                raise RuntimeError("taurus-mock did not become ready")
            yield Child(int(ready[1]), int(ready[2]))
        finally:
            process.terminate()
            process.wait(_HANG)


class Sender:
    """One connection, and what came of its requests."""

    def __init__(self, port: int, number: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_HANG)
        self._own = f"{number:032x}"
        self.counts: Counter[str] = Counter()
        self.projects = {self._own}
        self.wrong: list[str] = []

    def close(self) -> None:
        self._connection.close()

    def send(self, numbers: range) -> None:
        """The requests with these numbers, each of its kind."""
        for number in numbers:
            kind = BROKEN if number % 100 == 99 else KINDS[number % len(KINDS)]
            project = f"{CONNECTIONS + number:032x}" if kind.is_new else self._own
            self.projects.add(project)
            self.counts[kind.name] += 1
            problem = self._problem(kind, project, number)
            if problem and len(self.wrong) < 10:
                self.wrong.append(f"request {number}, {kind.name}: {problem}")

    def _problem(self, kind: Kind, project: str, number: int) -> str | None:
        """What is wrong with the answer to a request; None when nothing is. Its number makes its instances new ones."""
        scenario = {"X-Mock-Scenario": kind.scenario} if kind.scenario else {}
        path = ROUTE.format(project_id=project) + kind.tail
        content = _VALID.replace(_SHARED, b"%010x" % number) if kind.is_valid else _INVALID
        self._connection.request("POST", path, content, {**HEADERS, **scenario})
        response = self._connection.getresponse()
        try:
            content = response.read()
        except http.client.IncompleteRead:
            self._connection.close()
            return None if kind is BROKEN else "the reply is incomplete"
        met = response.headers["X-Mock-Scenario"]
        reached = {200: "success"}.get(response.status) if kind.scenario is None else kind.scenario
        if response.status not in kind.statuses or met != reached:
            return f"status {response.status}, scenario {met}"
        good = content == SUCCESS if response.status == 200 else "error_code" in json.loads(content)
        return None if good else f"the body {content!r}"


def measure(requests: int = REQUESTS) -> Soak:
    """Send so many requests, in as many parts as samples; the first sample is from before them."""
    started = time.perf_counter()
    with child() as server, ExitStack() as stack, ThreadPoolExecutor(CONNECTIONS) as pool:
        senders = [stack.enter_context(closing(Sender(server.port, number))) for number in range(CONNECTIONS)]
        ends = [requests * part // SAMPLES for part in range(SAMPLES + 1)]
        samples = [Sample(0, server.memory())]
        for first, end in pairwise(ends):
            parts = [range(first + offset, end, CONNECTIONS) for offset in range(CONNECTIONS)]
            list(pool.map(Sender.send, senders, parts))
            samples.append(Sample(end, server.memory()))
        return Soak(
            samples=samples,
            counts=sum((sender.counts for sender in senders), Counter()),
            wrong=[problem for sender in senders for problem in sender.wrong],
            projects=len(set().union(*(sender.projects for sender in senders))),
            seconds=time.perf_counter() - started,
            journalled=_journalled(server.port),
        )


def _journalled(port: int) -> int:
    """The requests that the mock has seen, kept or not."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_HANG)) as connection:
        connection.request("GET", "/__admin/requests?limit=1")
        return int(json.loads(connection.getresponse().read())["total"])


def show(soak: Soak) -> str:
    """The samples, the kinds of requests, and the verdict."""
    memory = [[f"{each.requests:,}", "-" if each.memory is None else f"{each.memory:.1f}"] for each in soak.samples]
    kinds = [[name, f"{count:,}"] for name, count in soak.counts.items()]
    return "\n\n".join(
        [
            table(["Requests", "resident memory, MiB"], memory),
            table(["Kind", "requests"], kinds),
            verdict(soak),
            *soak.wrong,
        ]
    )


def verdict(soak: Soak) -> str:
    """What it comes to, in a sentence or two."""
    total = sum(soak.counts.values())
    sent = f"{total:,} requests of {soak.projects:,} projects in {soak.seconds:.0f} s, "
    answers = "every answer as expected. " if not soak.wrong else "**some answers wrong**. "
    if soak.growth is None:
        return sent + answers + "This system does not tell a process's memory; Linux does."
    judged = "flat" if soak.growth <= FLAT else "**not flat**"
    judged = judged if total >= REQUESTS else "too few requests to judge"
    return f"{sent}{answers}The second half added {soak.growth:.1f} MiB: {judged}."


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS, help="how many, 100,000 unless told otherwise")
    result = measure(parser.parse_args().requests)
    print(show(result))
    sys.exit(1 if result.wrong else 0)
