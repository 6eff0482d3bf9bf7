"""`taurus-mock check`, `explain` and `selftest`: they start the bundled contract suite in a process of its own.

The suite shares no code with the mock, so a mistake of the one shows in the other. Its process gets what it needs on
standard input, where no process list shows a secret.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click

from mockserver.errors import SettingsError
from mockserver.version import version

if TYPE_CHECKING:
    from collections.abc import Callable

_START = "import sys; sys.path[0] = sys.argv[1]; from contract_tests.command import main; main()"
_INTERRUPTED = 130


@click.command()
@click.argument("url", required=False)
@click.option("--token", metavar="TOKEN", help="Token to send; --token-env keeps it out of the process list.")
@click.option("--token-env", metavar="NAME", help="Environment variable that holds the token.")
@click.option("--ak", metavar="KEY", help="Access key: sign instead of sending a token.")
@click.option("--sk", metavar="KEY", help="Its secret key; --sk-env keeps it out of the process list.")
@click.option("--sk-env", metavar="NAME", help="Environment variable that holds the secret key.")
@click.option("--project-id", metavar="ID", help="Project to call; a made-up one without it.")
@click.option(
    "--instance", "instances", multiple=True, metavar="ID=VERSION", help="Instance that the target knows, repeatable."
)
@click.option(
    "--clause", "clauses", multiple=True, metavar="GLOB", help="Give verdicts on these clauses only, repeatable."
)
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Give verdicts on this group only, repeatable.")
@click.option("--list", "only_list", is_flag=True, help="List the clauses and send nothing.")
@click.option(
    "--profile",
    type=click.Choice(["quick", "standard", "thorough"]),
    default="standard",
    help="How many requests to generate.  [default: standard]",
)
@click.option("--max-examples", type=click.IntRange(0), metavar="NUMBER", help="Generated requests for each property.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    metavar="NUMBER",
    help="The same seed sends the same bytes.  [default: 0]",
)
@click.option("--rate", metavar="NUMBER/s", help="Send at most so many requests in a second, such as 5/s.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1),
    default=5.0,
    metavar="SECONDS",
    help="Wait so long for a reply to begin.  [default: 5]",
)
@click.option("--strict", is_flag=True, help="Fail a clause also where only an example shows it.")
@click.option("--baseline", metavar="FILE", help="Accept the known breaks in FILE, each with a reason and a date.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FILE",
    help="Write a .xml (JUnit), .json or .html report, repeatable.",
)
@click.option("--allow-upgrades", is_flag=True, help="Really upgrade the instances named with --instance.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and send nothing.")
def check(**given: Any) -> None:  # noqa: ANN401  # click's values
    """Tell whether an implementation keeps the contract, clause by clause.

    URL is the base URL of the implementation; without it the bundled mock is checked. On a target that is not this
    machine nothing is upgraded: only impossible instance ids are sent, and the first success ends the run.

    Exit codes: 0 all kept, 1 a clause is broken, 2 usage, 3 unreachable or credentials refused, 4 too little was
    exercised for a verdict, 5 stopped by the safety guard.
    """
    plan = {"version": version(), **{name: given.pop(name) for name in ("baseline", "reports")}}
    if given.pop("only_list"):
        _run("list", {"options": {name: given[name] for name in ("clauses", "groups")}})
    token = _secret(given.pop("token"), given.pop("token_env"), "--token")
    secret_key = _secret(given.pop("sk"), given.pop("sk_env"), "--sk")
    options = {**given, "token": token, "access_key": given.pop("ak"), "secret_key": secret_key}
    options.pop("ak", None)
    options["rate"] = _rate(options["rate"])
    _run("check", {**plan, "options": options})


@click.command()
@click.argument("clauses", nargs=-1, required=True, metavar="CLAUSE...")
def explain(clauses: tuple[str, ...]) -> None:
    """Explain clauses: what is known and from where, what is sent, what is accepted. CLAUSE may be a pattern."""
    _run("explain", {"clauses": clauses})


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--profile",
    type=click.Choice(["quick", "standard", "thorough"]),
    default="standard",
    help="As for check.  [default: standard]",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    metavar="NUMBER",
    help="Implementations at a time; as many as processors by default.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print only what failed, and the score.")
def selftest(names: tuple[str, ...], profile: str, jobs: int, *, quiet: bool) -> None:
    """Check the suite itself, with implementations that are wrong in one line and others that are correct.

    NAME picks some of them, by name or by the clause that they break. Exit code 0 when every wrong one is found and no
    correct one is blamed.
    """
    _run("selftest", {"names": names, "profile": profile, "jobs": jobs, "quiet": quiet})


COMMANDS: tuple[click.Command, ...] = (check, explain, selftest)


def _secret(value: str | None, variable: str | None, flag: str) -> str | None:
    if variable is None:
        return value
    if value is not None:
        raise SettingsError(f"{flag} and {flag}-env: give one of them")
    if not os.environ.get(variable):
        raise SettingsError(f"{flag}-env: the environment has no {variable}; export it first")
    return os.environ[variable]


def _rate(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        number = float(text.removesuffix("/s"))
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise SettingsError(f"--rate: expected a number of requests per second, such as 5/s, got {text!r}")
    return number


def _run(command: str, plan: dict[str, Any]) -> None:
    """Let the suite do it, and exit with its code."""
    from mockserver.resources import bundle_root

    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    child = subprocess.Popen(  # noqa: S603  # this Python, with our own code
        [sys.executable, "-c", _START, str(bundle_root())],
        stdin=subprocess.PIPE,
        env=environment,
        text=True,
        encoding="utf-8",
    )
    code = _quietly(lambda: child.communicate(json.dumps({"command": command, **plan})), child.wait)
    sys.exit(_INTERRUPTED if code is None else child.returncode)


def _quietly(action: Callable[[], object], then: Callable[[], object]) -> bool | None:
    """Whether an action came to its end; an interrupted one is waited for, as it was interrupted, too."""
    try:
        action()
    except KeyboardInterrupt:
        then()
        return None
    return True
