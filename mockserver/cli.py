"""The command `taurus-mock`."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockserver.checking import COMMANDS
from mockserver.errors import ServerError, TaurusMockError
from mockserver.exporting import export
from mockserver.filtering import FILTERED
from mockserver.pointing import env
from mockserver.settings import Resolved, resolve
from mockserver.settings_table import BY_NAME, TABLE, Group, Setting
from mockserver.version import version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mockserver.contract import Contract
    from mockserver.running import RunningMock
    from mockserver.settings import Settings


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 when all is well, 2 with one clear line when the user can mend something."""
    try:
        given = sys.argv[1:] if arguments is None else arguments
        code = taurus_mock.main(given or ["--help"], prog_name="taurus-mock", standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "taurus-mock"
        code = _fail(f"{error.format_message()} See `{command} --help`.")
    except click.Abort:
        code = 130
    except TaurusMockError as error:
        code = _fail(str(error))
    sys.exit(code)


def _fail(message: str) -> int:
    click.echo(f"taurus-mock: error: {' '.join(message.splitlines())}", err=True)
    return 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="taurus-mock", prog_name="taurus-mock", message="%(prog)s %(version)s")
def taurus_mock() -> None:
    """A mock of TaurusDB's batch minor-version upgrade API.

    Start with `taurus-mock serve`, then point a client at the URL that it prints.
    """


def _with_settings(*groups: Group) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the flags of some groups of settings, of all when none is named, and pass it the settings."""

    def give(command: Callable[..., None]) -> Callable[..., None]:
        return _give_flags(command, [setting for setting in TABLE if not groups or setting.group in groups])

    return give


def _give_flags(command: Callable[..., None], settings: Sequence[Setting]) -> Callable[..., None]:
    def run(**flags: object) -> None:
        own = {name: flags.pop(name) for name in list(flags) if name not in BY_NAME}
        command(resolve(flags, os.environ), **own)

    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    run.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]  # where click keeps options
    for setting in reversed(settings):
        run = click.option(*_declarations(setting), **_option(setting))(run)
    return run


def _declarations(setting: Setting) -> tuple[str, ...]:
    flag = f"{setting.flag}/--no-{setting.flag[2:]}" if isinstance(setting.default, bool) else setting.flag
    return ("-q", flag) if setting.name == "quiet" else (flag,)


def _option(setting: Setting) -> dict[str, Any]:
    """The option without type or default: `resolve` parses flags and variables alike."""
    if isinstance(setting.default, bool):
        return {"default": None, "help": setting.help}
    default = "" if setting.default in (None, ()) else f"  [default: {setting.default}]"
    metavar = "|".join(setting.choices) or setting.metavar
    return {"multiple": isinstance(setting.default, tuple), "metavar": metavar, "help": setting.help + default}


@taurus_mock.command()
@_with_settings()
def serve(resolved: Resolved) -> None:
    """Start the mock and serve until Ctrl-C or SIGTERM.

    Every flag has a twin in the environment: --port-file is TAURUS_MOCK_PORT_FILE. A flag wins over its twin.
    """
    from mockserver.logs import configure_logging
    from mockserver.mock import load_mock
    from mockserver.running import RunningMock

    settings, made_token = _with_admin_token(resolved.settings)
    configure_logging(settings)
    mock = load_mock(settings)
    running = RunningMock(mock)
    port_file = Path(settings.port_file) if settings.port_file else None
    _stop_on_signals(running)
    if port_file:
        _write_port_file(port_file, running.port)
    try:
        if not settings.on_loopback:
            click.echo(f"taurus-mock: warning: {running.url} can be reached from the network (--host)", err=True)
        if made_token:
            click.echo(f"taurus-mock: the admin API demands the token {made_token} (--admin-token)", err=True)
        if not settings.quiet:
            _print_banner(running.url, mock.engine.contract, settings)
        admin = f" admin={running.admin_url}" if running.admin_url else ""
        click.echo(f"ready url={running.url} port={running.port} pid={os.getpid()}{admin}")
        running.run()
    finally:
        if port_file:
            port_file.unlink(missing_ok=True)


def _with_admin_token(settings: Settings) -> tuple[Settings, str | None]:
    """The settings, and the token that was made for an admin API that other machines can reach."""
    if settings.on_loopback or not settings.admin or settings.admin_token:
        return settings, None
    token = secrets.token_urlsafe(18)
    return replace(settings, admin_token=token), token


def _print_banner(url: str, contract: Contract, settings: Settings) -> None:
    """What the mock is, where it is, and a line to paste that gets the documented answer."""
    click.echo(f"Taurus Mock {version()} listens on {url}\n")
    click.echo(f"Point a client at it: taurus-mock env python|node|go|java|terraform|curl --url {url}\n")
    operation = contract.operation("BatchUpgradeDatabases")
    path = operation.path.replace("{project_id}", operation.examples["project_id"])
    example = operation.examples.get("body")
    if settings.auth == "signed" or example is None:
        click.echo(f"Point a client at {url}; the settings leave nothing that a plain curl line could show.\n")
        return
    token = "$TAURUS_MOCK_TOKEN" if settings.token else "any"
    click.echo("Try it:")
    click.echo(f"  curl -X POST {url}{path} \\")
    click.echo(f"    -H 'Content-Type: application/json' -H \"X-Auth-Token: {token}\" \\")
    click.echo(f"    -d '{example}'\n")


def _stop_on_signals(running: RunningMock) -> None:
    def stop(number: int, frame: object) -> None:
        del number, frame
        # stop() takes a lock that the interrupted main thread may hold.
        threading.Thread(target=running.stop).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _write_port_file(path: Path, port: int) -> None:
    """Write beside the file and rename, so that a reader never sees half of it."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        partial.write_text(f"{port}\n")
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise ServerError(f"--port-file {path}: cannot be written: {error.strerror}") from error


@taurus_mock.command()
@_with_settings()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def config(resolved: Resolved, *, as_json: bool) -> None:
    """Show every setting, its value, and where the value comes from."""
    rows = [(setting, _display(setting, getattr(resolved.settings, setting.name))) for setting in TABLE]
    if as_json:
        values = {row.name: {"value": shown, "source": resolved.sources[row.name]} for row, shown in rows}
        click.echo(json.dumps(values, indent=2))
        return
    lines = [("SETTING", "VALUE", "SOURCE", "VARIABLE")]
    lines += [
        (setting.flag, "-" if shown in (None, []) else _word(shown), resolved.sources[setting.name], setting.variable)
        for setting, shown in rows
    ]
    _print_table(lines)


def _display(setting: Setting, value: object) -> object:
    if isinstance(value, tuple):
        return [FILTERED] * len(value) if setting.secret else list(value)
    return FILTERED if setting.secret and value else value


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@taurus_mock.command()
@_with_settings("behaviour")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def scenarios(resolved: Resolved, *, as_json: bool) -> None:
    """List the scenarios, with one line and the magic instance id of each."""
    from mockserver.catalogue import load_catalogue
    from mockserver.contract import load_contract
    from mockserver.library import Library

    settings = resolved.settings
    errors, operations = load_catalogue().errors, load_contract(settings).ids
    known = Library(settings.scenario, settings.scenarios, errors, operations).current.by_name.values()
    if as_json:
        rows = [{"name": s.name, "prefer": s.prefer, "magic_id": s.magic_id, "summary": s.summary} for s in known]
        click.echo(json.dumps(rows, indent=2))
        return
    lines = [("SCENARIO", "PREFER", "MAGIC INSTANCE ID", "WHAT THE CLIENT MEETS")]
    lines += [(each.name, f"code={each.prefer}" if each.prefer else "-", each.magic_id, each.summary) for each in known]
    _print_table(lines)
    click.echo(
        "\nChoose one for a request with the header X-Mock-Scenario: NAME, with Prefer: code=NNN, or with a magic"
    )
    click.echo("instance id anywhere in the batch; for every request with `serve --scenario NAME`.")


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


for _command in (export, env, *COMMANDS):
    taurus_mock.add_command(_command)
