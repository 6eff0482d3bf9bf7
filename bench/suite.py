"""How long `taurus-mock check` takes as a whole process, and how many requests a second that is."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from contenders import MOCK, running
from figures import Plan, Spread, run, table

if TYPE_CHECKING:
    from collections.abc import Iterator

PROFILES = ("quick", "standard", "thorough")
COMMAND = "from mockserver.cli import main; main()"
SERVER = Path(__file__).resolve().parent.parent / "tests" / "implementations" / "server.py"


@dataclass(frozen=True)
class SuiteRuns:
    """Runs of one profile against one target."""

    seconds: Spread
    requests: int

    @property
    def rate(self) -> Spread:
        """Requests a second, start of the processes included."""
        return Spread([self.requests / each for each in self.seconds.values])


def measure(plan: Plan) -> dict[tuple[str, str], SuiteRuns]:
    """Whole runs by target and profile."""
    profiles = PROFILES if plan.starts > 1 else PROFILES[:1]
    with running(MOCK) as mock, reference() as url:
        targets = {"the mock, with its log": f"http://127.0.0.1:{mock.port}", "the small server of the self-test": url}
        return {
            (name, profile): _runs(target, profile, plan) for name, target in targets.items() for profile in profiles
        }


@contextmanager
def reference() -> Iterator[str]:
    """The base URL of the server that the self-test changes line by line."""
    command = [sys.executable, str(SERVER)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip().rpartition("url=")[2]
        finally:
            process.kill()


def _runs(url: str, profile: str, plan: Plan) -> SuiteRuns:
    taken, requests = [], 0
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-c", COMMAND, "check", url, "--profile", profile, "--report", str(report)]
        for _ in range(plan.warm_ups + plan.load_rounds):
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            taken.append(time.perf_counter() - started)
        requests = int(json.loads(report.read_text("utf-8"))["requests"])
    return SuiteRuns(Spread(taken[plan.warm_ups :]), requests)


def show(runs: dict[tuple[str, str], SuiteRuns]) -> str:
    """The table of runs."""
    rows = [
        [name, profile, f"{each.requests:,}", each.seconds.show(2), each.rate.show()]
        for (name, profile), each in runs.items()
    ]
    return table(["Target", "profile", "requests", "whole run, s", "requests/s"], rows)


if __name__ == "__main__":
    run(measure, show, __doc__)
