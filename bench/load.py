"""Requests per second and latency under wrk, with the server on one core and wrk on another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from contenders import BY_HAND, FLOOR, LOADED_MOCK, QUIET_LOADED_MOCK, Contender, post, running
from figures import Plan, Spread, run, table
from samples import HEADERS, PATH, body

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTENDERS = (LOADED_MOCK, QUIET_LOADED_MOCK, FLOOR, BY_HAND)
CONNECTIONS = 16
NEEDS_WRK = """wrk is not installed, and the load is measured with it.
Install it with `apt-get install wrk` (Debian, Ubuntu) or `brew install wrk` (macOS)."""
_SCRIPT = """
wrk.method = "POST"
wrk.path = os.getenv("BENCH_PATH")
wrk.headers = {%s}
local file = io.open(os.getenv("BENCH_BODY"), "rb")
wrk.body = file:read("*a")
file:close()
function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  local p50, p99 = latency:percentile(50), latency:percentile(99)
  print("")
  print(summary.requests, summary.duration, errors.status, broken, p50, p99)
end
"""
"""Counts and microseconds, as the last line that wrk prints."""


@dataclass(frozen=True)
class Work:
    """What is sent over and over."""

    instances: int
    valid: bool

    @property
    def body(self) -> bytes:
        return body(self.instances, valid=self.valid)


@dataclass(frozen=True)
class Outcome:
    """What wrk saw; latencies in milliseconds."""

    per_second: float
    p50: float
    p99: float
    wrong: int
    """Answers with another status than they should have, and broken connections."""


Outcomes = dict[tuple[Work, Contender], list[Outcome]]


def cores() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The commands that pin the server to one core and wrk to another; empty where that is impossible."""
    available = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    if len(available) < 2 or not shutil.which("taskset"):
        return (), ()
    return ("taskset", "-c", str(available[0])), ("taskset", "-c", str(available[1]))


def measure(plan: Plan) -> Outcomes:
    """Outcomes in interleaved rounds: all servers run, one at a time is loaded."""
    present = [contender for contender in CONTENDERS if contender.is_installed]
    works = [Work(instances, valid) for instances, valid in plan.loads]
    outcomes: Outcomes = {(work, each): [] for work in works for each in present}
    server_core, wrk_core = cores()
    with ExitStack() as stack:
        ports = {each: stack.enter_context(running(each, server_core)).port for each in present}
        folder = Path(stack.enter_context(TemporaryDirectory()))
        for work, each in outcomes:
            _check(work, each, ports[each])
        for _ in range(plan.load_rounds):
            for (work, each), seen in outcomes.items():
                seen.append(_wrk(wrk_core, ports[each], work, _expected(work, each), plan.load_seconds, folder))
    return outcomes


def _expected(work: Work, contender: Contender) -> int:
    return 200 if work.valid or not contender.validates else 400


def _check(work: Work, contender: Contender, port: int) -> None:
    status, answer = post(port, work.body)
    if status != _expected(work, contender):
        raise RuntimeError(f"{contender.name} answers {work} with {status}: {answer!r}")


def _wrk(pinned: Sequence[str], port: int, work: Work, expected: int, seconds: int, folder: Path) -> Outcome:
    script, content = folder / "load.lua", folder / "body.json"
    script.write_text(_SCRIPT % ", ".join(f'["{name}"] = "{value}"' for name, value in HEADERS.items()))
    content.write_bytes(work.body)
    options = ["--threads=1", f"--connections={CONNECTIONS}", f"--duration={seconds}s", "--timeout=30s"]
    printed = subprocess.run(
        [*pinned, "wrk", *options, f"--script={script}", f"http://127.0.0.1:{port}"],
        env={**os.environ, "BENCH_PATH": PATH, "BENCH_BODY": str(content)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    requests, duration, refused, broken, p50, p99 = map(float, printed.splitlines()[-1].split())
    return Outcome(
        per_second=requests / duration * 1e6,
        p50=p50 / 1000,
        p99=p99 / 1000,
        wrong=int(broken + abs(refused - (requests if expected == 400 else 0))),
    )


def show(outcomes: Outcomes) -> str:
    """The table of loads."""
    rows = [
        [
            f"{work.instances:,} {'valid' if work.valid else 'invalid'}",
            contender.name,
            Spread([each.per_second for each in seen]).show(),
            Spread([each.p50 for each in seen]).show(1),
            Spread([each.p99 for each in seen]).show(1),
            str(sum(each.wrong for each in seen)),
        ]
        for (work, contender), seen in outcomes.items()
    ]
    return table(["Instances", "Server", "requests/s", "p50, ms", "p99, ms", "wrong answers"], rows)


def demand_wrk() -> None:
    """End with exit code 2 where wrk is missing."""
    if not shutil.which("wrk"):
        print(NEEDS_WRK, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    demand_wrk()
    run(measure, show, __doc__)
