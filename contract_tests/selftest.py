"""The suite against itself: implementations that are wrong in one line, and others that are correct."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_tests.options import Options, UsageError
from contract_tests.report import EXIT_BROKEN, EXIT_KEPT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "implementations"


@dataclass(frozen=True, slots=True)
class Trial:
    """What the suite said about one implementation."""

    name: str
    clause: str
    """The clause that it breaks; empty for a correct one."""
    exit_code: int
    broken: tuple[str, ...]
    requests: int
    problem: str | None = None

    @property
    def is_right(self) -> bool:
        """Whether the suite told what it is."""
        return self.exit_code == (EXIT_BROKEN if self.clause else EXIT_KEPT)


def selftest(names: Sequence[str], *, profile: str, jobs: int, quiet: bool) -> int:
    """Run the suite on the collection, print a line for each and the score; 0 when all were told right."""
    chosen = [change.name for change in _changes() if _is_meant(change, names)]
    if not chosen:
        raise UsageError(f"no implementation matches {', '.join(names)}")
    trials = []
    with ProcessPoolExecutor(jobs) as pool:
        for trial in pool.map(try_out, chosen, [profile] * len(chosen)):
            trials.append(trial)
            if not (quiet and trial.is_right):
                print(_line(trial), flush=True)
    wrong, correct = [each for each in trials if each.clause], [each for each in trials if not each.clause]
    found, blamed = sum(each.is_right for each in wrong), sum(not each.is_right for each in correct)
    named = sum(each.clause in each.broken for each in wrong)
    print(
        f"\n{found} of {len(wrong)} wrong implementations found, {named} of them by the very clause that they break; "
        f"{blamed} of {len(correct)} correct ones blamed"
    )
    return EXIT_KEPT if found == len(wrong) and not blamed else EXIT_BROKEN


def try_out(name: str, profile: str) -> Trial:
    """Start an implementation in a process of its own, check it, and end it."""
    from contract_tests.run import check  # noqa: PLC0415  # pytest, in the workers only

    change = next(each for each in _changes() if each.name == name)
    with _running(_module().source(change)) as url:
        result = check(Options(url=url, profile=profile))  # type: ignore[arg-type]  # the command line gives no other
    broken = tuple(verdict.clause.id for verdict in result.report.verdicts if verdict.name == "broken")
    return Trial(name, change.clause, result.exit_code, broken, result.report.requests, result.problem)


def _line(trial: Trial) -> str:
    expected = f"wrong: {trial.clause}" if trial.clause else "correct"
    said = ", ".join(trial.broken[:3]) + (" ..." if len(trial.broken) > 3 else "") or "nothing broken"  # noqa: PLR2004  # fits a line
    text = f"{'ok  ' if trial.is_right else 'FAIL'} {trial.name:44} {expected:34} {said}"
    return text if trial.is_right or not trial.problem else f"{text} ({trial.problem})"


def _is_meant(change: Any, names: Sequence[str]) -> bool:  # noqa: ANN401  # of a module that is loaded by its path
    return not names or any(fnmatchcase(change.name, name) or fnmatchcase(change.clause, name) for name in names)


def _changes() -> list[Any]:
    module = _module()
    return [*module.WRONG, *module.CORRECT]


def _module() -> Any:  # noqa: ANN401  # it is loaded by its path
    """The collection; raises UsageError where it is not installed."""
    if "taurus_mock_changes" in sys.modules:
        return sys.modules["taurus_mock_changes"]
    spec = util.spec_from_file_location("taurus_mock_changes", FOLDER / "changes.py")
    if spec is None or spec.loader is None or not FOLDER.is_dir():
        raise UsageError(f"{FOLDER}: the implementations to test the suite with are not there")
    module = sys.modules["taurus_mock_changes"] = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _running(source: str) -> Iterator[str]:
    """The base URL of an implementation that runs until the block ends."""
    with subprocess.Popen(  # noqa: S603  # this Python, with our own code
        [sys.executable, "-c", source],
        cwd=FOLDER,  # where no module has the name of one of the standard library
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            if process.stdout is None:
                raise AssertionError("it was piped")
            yield process.stdout.readline().strip().rpartition("url=")[2]
        finally:
            process.kill()
