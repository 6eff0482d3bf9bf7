"""The suite's side of `taurus-mock check`, `explain` and `selftest`: a plan on standard input, an exit code."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_tests.clauses import select
from contract_tests.options import Instance, Options, UsageError
from contract_tests.report import EXIT_GUARD, EXIT_KEPT, EXIT_USAGE, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from contract_tests.baseline import Baseline
    from contract_tests.messages import Request
    from contract_tests.run import Result

INTERRUPTED = 130


def main() -> None:
    """Do what the plan says, and exit."""
    plan = json.load(sys.stdin)
    # Hypothesis would leave a folder wherever the command is run; its tables are made anew in 0.1 s.
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = os.path.join(os.devnull, "none")  # noqa: PTH118  # no path of a file
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # of a process they are text files
    try:
        code = _COMMANDS[plan.pop("command")](plan)
    except (UsageError, ValueError) as error:
        print(f"taurus-mock: error: {error}", file=sys.stderr)
        code = EXIT_USAGE
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:  # whoever reads has read enough, such as head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = INTERRUPTED
    sys.stdout.flush()
    sys.exit(code)


def _check(plan: dict[str, Any]) -> int:
    from contract_tests.report_files import check_paths  # noqa: PLC0415  # pytest is loaded only where it runs
    from contract_tests.run import check  # noqa: PLC0415  # the same

    started, clock = datetime.now(timezone.utc), time.perf_counter()
    options = options_of(plan["options"])
    baseline = _baseline(plan["baseline"], started.date())
    check_paths(list(map(Path, plan["reports"])))
    shown = options.url or "the bundled mock"
    result = check(options, baseline=baseline, tell=_progress(shown), sent=_print_request if options.dry_run else None)
    if options.dry_run:
        return EXIT_KEPT
    seconds = time.perf_counter() - clock
    if result.report.results:
        print(table(result.report, cut_short=result.exit_code == EXIT_GUARD))
        print(
            f"{shown} in {seconds:.1f} s, profile {options.profile}, seed {options.seed}: {_MEANINGS[result.exit_code]}"
        )
    if result.problem:
        print(f"taurus-mock: {result.problem}", file=sys.stderr)
    _write(plan, result, options, started, seconds)
    return result.exit_code


_MEANINGS = {
    0: "the contract is kept",
    1: "the contract is broken",
    4: "too little was exercised for a verdict: no good call was ever accepted; see --instance, --project-id, --token",
    5: "stopped by the safety guard",
}


def _baseline(path: str | None, today: date) -> Baseline | None:
    if path is None:
        return None
    from contract_tests.baseline import load_baseline  # noqa: PLC0415  # most runs have none

    return load_baseline(Path(path), today)


def options_of(given: dict[str, Any]) -> Options:
    """The options of a plan; raises UsageError."""
    lists: dict[str, Any] = {name: tuple(given.pop(name, ())) for name in ("clauses", "groups")}
    lists["instances"] = tuple(map(Instance.parse, given.pop("instances", ())))
    return Options(**given, **lists)


def _progress(shown: str) -> Callable[[int, int], None] | None:
    """A line that grows on a terminal, and one line elsewhere."""
    print(f"checking {shown} ...", file=sys.stderr, flush=True)
    if not sys.stderr.isatty():
        return None

    def tell(done: int, of: int) -> None:
        print(
            f"\r{done} of {of} tests" + ("\r" + " " * 30 + "\r" if done == of else ""),
            end="",
            file=sys.stderr,
            flush=True,
        )

    return tell


def _print_request(request: Request) -> None:
    from contract_tests.curl import curl  # noqa: PLC0415  # dry runs only

    print(f"# {request.note or 'a good call'}\n{curl('$URL', [request])}")


def _write(plan: dict[str, Any], result: Result, options: Options, started: datetime, seconds: float) -> None:
    """Write the reports, and say what the baseline has too much."""
    from contract_tests.report_files import write_reports  # noqa: PLC0415  # after the run
    from contract_tests.report_text import Circumstances, remarks  # noqa: PLC0415  # the same

    circumstances = Circumstances(
        target=options.url or "the bundled mock",
        profile=options.profile,
        seed=options.seed,
        started=started,
        seconds=seconds,
        exit_code=result.exit_code,
        problem=result.problem,
        version=plan["version"],
    )
    for remark in remarks(result.report):
        print(f"taurus-mock: {remark}", file=sys.stderr)
    write_reports(result.report, list(map(Path, plan["reports"])), circumstances)


def _list(plan: dict[str, Any]) -> int:
    from contract_tests.explain import listing  # noqa: PLC0415  # not for other commands

    print(listing(select(plan["options"].get("clauses", ()), plan["options"].get("groups", ()))))
    return EXIT_KEPT


def _explain(plan: dict[str, Any]) -> int:
    from contract_tests.explain import explain  # noqa: PLC0415  # not for other commands

    print("\n\n".join(map(explain, select(plan["clauses"]))))
    return EXIT_KEPT


def _selftest(plan: dict[str, Any]) -> int:
    from contract_tests.selftest import selftest  # noqa: PLC0415  # not for other commands

    return selftest(plan["names"], profile=plan["profile"], jobs=plan["jobs"], quiet=plan["quiet"])


_COMMANDS: dict[str, Callable[[dict[str, Any]], int]] = {
    "check": _check,
    "list": _list,
    "explain": _explain,
    "selftest": _selftest,
}
