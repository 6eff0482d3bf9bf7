"""One run of the suite by `taurus-mock check`: the probe, pytest without anybody else's settings, and the exit code."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contract_tests.clauses import select
from contract_tests.guard import GuardStop
from contract_tests.report import EXIT_BROKEN, EXIT_GUARD, EXIT_KEPT, EXIT_NO_TARGET, EXIT_WORTHLESS, Report
from contract_tests.survey import CredentialsRefused, Survey, Unreachable, survey
from contract_tests.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.baseline import Baseline
    from contract_tests.messages import Request
    from contract_tests.options import Options

FOLDER = Path(__file__).resolve().parent
_UNUSED = (
    "terminal",
    "logging",
    "junitxml",
    "pastebin",
    "faulthandler",
    "debugging",
    "doctest",
    "unittest",
    "stepwise",
    "recwarn",
    "monkeypatch",
    "tmpdir",
    "legacypath",
    "threadexception",
    "unraisableexception",
)


@dataclass(eq=False)  # pytest keeps its plugins in a set
class Run:
    """A plugin that hands the suite its target, and tells how far it is."""

    options: Options
    report: Report
    target: Target
    survey: Survey
    tell: Callable[[int, int], None] | None = None
    """Told how many tests are done, and of how many."""
    _done: int = 0
    _all: int = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know how many tests there are."""
        self._all = len(session.items)

    def pytest_runtest_logfinish(self) -> None:
        """Tell after each test."""
        self._done += 1
        if self.tell:
            self.tell(self._done, self._all)


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended."""

    exit_code: int
    report: Report
    problem: str | None = None
    """Why there are no verdicts, or why the run ended early."""


def check(
    options: Options,
    *,
    baseline: Baseline | None = None,
    tell: Callable[[int, int], None] | None = None,
    sent: Callable[[Request], None] | None = None,
) -> Result:
    """Check a target, the bundled mock when the options name none; raises UsageError and ValueError for bad options."""
    report = Report(select(options.clauses, options.groups), strict=options.strict, baseline=baseline)
    with contextlib.ExitStack() as stack:
        target = Target(options, options.url or stack.enter_context(bundled_mock()), sent)
        stack.callback(target.close)
        try:
            found = survey(target, options)
        except (Unreachable, CredentialsRefused) as error:
            return Result(EXIT_NO_TARGET, report, str(error))
        except GuardStop as stop:
            return Result(EXIT_GUARD, report, str(stop))
        report.also_sent = target.requests
        run = Run(options, report, target, found, tell)
        with _alone():
            code = pytest.main(_arguments(), plugins=[run])
    if code == EXIT_GUARD:
        return Result(EXIT_GUARD, report, report.stopped)
    if code not in (EXIT_KEPT, EXIT_BROKEN, EXIT_WORTHLESS):
        report.crash = report.crash or f"pytest ended with {code!r}"
    return Result(report.exit_code, report, report.crash or target.lost)


def _arguments() -> list[str]:
    plugins = [word for name in _UNUSED for word in ("-p", f"no:{name}")]
    return ["-c", str(FOLDER / "contract.ini"), f"--rootdir={FOLDER}", "--capture=no", *plugins, str(FOLDER)]


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep the user's pytest settings and plugins out, and all files where they are."""
    kept = {
        name: os.environ.get(name) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    }
    for name in kept:
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextlib.contextmanager
def bundled_mock() -> Iterator[str]:
    """The base URL of the bundled mock on a free port."""
    from mockserver import MockServer, Settings  # noqa: PLC0415  # the only place where the suite meets the mock

    with MockServer(Settings(port=0)) as mock:
        yield mock.url
