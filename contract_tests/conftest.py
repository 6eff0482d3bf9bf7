"""pytest's side of the suite: options, the target, and the bookkeeping of clauses."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from contract_tests.clauses import BY_ID, REFUSAL, SUCCESS, select
from contract_tests.findings import ContractBroken
from contract_tests.guard import GuardStop
from contract_tests.judge import Judge
from contract_tests.options import PROFILES, Instance, Options, UsageError
from contract_tests.report import EXIT_GUARD, EXIT_NO_TARGET, EXIT_WORTHLESS, PROPERTY, Report, table
from contract_tests.run import Run, bundled_mock
from contract_tests.survey import CredentialsRefused, Survey, Unreachable, survey
from contract_tests.target import Target

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


OPTIONS, REPORT = pytest.StashKey[Options](), pytest.StashKey[Report]()
JUDGE = pytest.StashKey[Judge]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options for runs by pytest itself."""
    group = parser.getgroup("contract", "contract suite of the TaurusDB batch upgrade")
    group.addoption("--contract-url", metavar="URL", help="base URL to check; without it the bundled mock")
    group.addoption("--contract-token-env", metavar="NAME", help="environment variable that holds the token")
    group.addoption("--contract-ak", metavar="KEY", help="access key, to sign instead")
    group.addoption("--contract-sk-env", metavar="NAME", help="environment variable that holds its secret key")
    group.addoption("--contract-project-id", metavar="ID", help="project to call; without it a made-up one")
    group.addoption(
        "--contract-instance", metavar="ID=VERSION", action="append", default=[], help="instance that the target knows"
    )
    group.addoption("--contract-clause", metavar="GLOB", action="append", default=[], help="check these clauses only")
    group.addoption("--contract-group", metavar="NAME", action="append", default=[], help="check these groups only")
    group.addoption(
        "--contract-profile", choices=list(PROFILES), default="standard", help="how many requests to generate"
    )
    group.addoption("--contract-seed", metavar="NUMBER", type=int, default=0, help="seed of what is generated")
    group.addoption(
        "--contract-timeout", metavar="SECONDS", type=float, default=5.0, help="for the first byte of a reply"
    )
    group.addoption("--contract-strict", action="store_true", help="fail clauses that an example alone shows, too")
    group.addoption(
        "--contract-allow-upgrades", action="store_true", help="upgrade the named instances of a real account"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read the options once, on every worker."""
    _keep_hypothesis_out(config)
    config.addinivalue_line("markers", "clause(id): the clause of contract_tests/clauses.py that a test checks")
    run = _run(config)
    try:
        options = run.options if run else _options(config)
        config.stash[OPTIONS] = options
        report = run.report if run else Report(select(options.clauses, options.groups), strict=options.strict)
    except (UsageError, ValueError) as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[REPORT] = report
    config.pluginmanager.register(Bookkeeper(report))


def _keep_hypothesis_out(config: pytest.Config) -> None:
    """Let Hypothesis keep what it reads of the sources in a folder that goes, not beside the tests."""
    with contextlib.suppress(OSError):  # on a system without any place to write, it keeps nothing
        home = tempfile.TemporaryDirectory(prefix="taurus-mock-")
        config.add_cleanup(home.cleanup)
        set_hypothesis_home_dir(home.name)


def _run(config: pytest.Config) -> Run | None:
    """The run of `taurus-mock check`, which brings everything; None when pytest was started by itself."""
    return next((plugin for plugin in config.pluginmanager.get_plugins() if isinstance(plugin, Run)), None)


def _options(config: pytest.Config) -> Options:
    given = {
        name: config.getoption(f"contract_{name}")
        for name in ("url", "project_id", "profile", "seed", "timeout", "strict", "allow_upgrades")
    }
    return Options(
        **given,
        token=_variable(config, "token_env"),
        access_key=config.getoption("contract_ak"),
        secret_key=_variable(config, "sk_env"),
        instances=tuple(map(Instance.parse, config.getoption("contract_instance"))),
        clauses=tuple(config.getoption("contract_clause")),
        groups=tuple(config.getoption("contract_group")),
    )


def _variable(config: pytest.Config, option: str) -> str | None:
    """The secret in the variable that an option names: secrets are no arguments, which others could read."""
    name = config.getoption(f"contract_{option}")
    if name is None:
        return None
    if not os.environ.get(name):
        raise UsageError(f"--contract-{option.replace('_', '-')}: the environment has no {name}")
    return os.environ[name]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the chosen clauses; a clause that judges every reply needs every test."""
    options = config.stash[OPTIONS]
    clauses = select(options.clauses, options.groups)
    if any(clause.group in (SUCCESS, REFUSAL) for clause in clauses):
        return
    chosen = {clause.id for clause in clauses}
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    dropped = [item for item in ours if clause_of(item) not in chosen]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]


def clause_of(item: pytest.Item) -> str:
    """The id of the clause that a test checks."""
    marker = item.get_closest_marker("clause")
    if marker is None or marker.args[0] not in BY_ID:
        raise pytest.UsageError(f"{item.nodeid}: names no clause of the register")
    return str(marker.args[0])


@pytest.fixture(scope="session")
def contract_target(pytestconfig: pytest.Config) -> Iterator[tuple[Target, Survey]]:
    """The target and what it is like; without a URL the bundled mock, in process."""
    run = _run(pytestconfig)
    if run:
        yield run.target, run.survey
        return
    options = pytestconfig.stash[OPTIONS]
    with contextlib.ExitStack() as stack:
        target = Target(options, options.url or stack.enter_context(bundled_mock()))
        stack.callback(target.close)
        try:
            found = survey(target, options)
        except (Unreachable, CredentialsRefused) as error:
            pytest.exit(str(error), EXIT_NO_TARGET)
        yield target, found


@pytest.fixture
def judge(request: pytest.FixtureRequest, contract_target: tuple[Target, Survey], pytestconfig: pytest.Config) -> Judge:
    """The judge of the test's clause."""
    target, found = contract_target
    made = Judge(BY_ID[clause_of(request.node)], found, target, pytestconfig.stash[OPTIONS])
    request.node.stash[JUDGE] = made
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test that found something, and write down what it found."""
    crash = None
    try:
        result = yield
    except GuardStop as stop:
        item.config.stash[REPORT].stopped = str(stop)
        pytest.exit(str(stop), EXIT_GUARD)
    except Exception as error:
        crash = f"{item.nodeid}: {type(error).__name__}: {error}"
        raise
    finally:
        judge = item.stash.get(JUDGE, None)
        if judge:
            item.user_properties.append((PROPERTY, {**judge.to_json(), "crash": crash}))
    failing = item.config.stash[REPORT].failing(judge.findings.values()) if judge else []
    if failing:
        raise ContractBroken(failing)
    return result


class Bookkeeper:
    """Collects what the tests found, in the process that reports: with pytest-xdist another than that of the tests."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test found."""
        for name, value in report.user_properties:
            if name == PROPERTY and report.when == "call":
                self._report.take(cast("dict[str, Any]", value), _reason(report))
        if report.failed and report.when != "call":
            self._report.crash = report.longreprtext

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A test that cannot be read is no test that passed."""
        if report.failed:
            self._report.crash = report.longreprtext

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A run in which no good call was ever accepted shows nothing, so it does not pass."""
        seen = bool(self._report.results)
        if seen and session.exitstatus == pytest.ExitCode.OK and self._report.exit_code == EXIT_WORTHLESS:
            session.exitstatus = EXIT_WORTHLESS

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table, when pytest has the terminal."""
        if self._report.results:
            terminalreporter.section("contract")
            terminalreporter.write_line(table(self._report))


def _reason(report: pytest.TestReport) -> str | None:
    """Why a test was skipped or failed by itself; None when it came to its end."""
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return None
