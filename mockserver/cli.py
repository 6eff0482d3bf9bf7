"""The command `taurus-mock`."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockserver.errors import ServerError, TaurusMockError
from mockserver.settings import BY_NAME, TABLE, Resolved, Setting, resolve
from mockserver.version import version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mockserver.server import Server

FILTERED = "[Filtered]"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 when all is well, 2 with one clear line when the user can mend something."""
    try:
        code = taurus_mock.main(arguments, prog_name="taurus-mock", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else str(error))
        code = 2
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "taurus-mock"
        code = _fail(f"{error.format_message()} See `{command} --help`.")
    except click.Abort:
        code = 130
    except TaurusMockError as error:
        code = _fail(str(error))
    sys.exit(code)


def _fail(message: str) -> int:
    click.echo(f"taurus-mock: error: {message}", err=True)
    return 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version(), prog_name="taurus-mock", message="%(prog)s %(version)s")
def taurus_mock() -> None:
    """A mock of TaurusDB's batch minor-version upgrade API.

    Start with `taurus-mock serve`, then point a client at the URL that it prints.
    """


def _with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flag of every setting, and pass it the resolved settings."""

    def run(**flags: object) -> None:
        own = {name: flags.pop(name) for name in list(flags) if name not in BY_NAME}
        command(resolve(flags, os.environ), **own)

    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    run.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for setting in reversed(TABLE):
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
@_with_settings
def serve(resolved: Resolved) -> None:
    """Start the mock and serve until Ctrl-C or SIGTERM.

    Every flag has a twin in the environment: --port-file is TAURUS_MOCK_PORT_FILE. A flag wins over its twin.
    """
    from mockserver.app import create_app
    from mockserver.logs import configure_logging
    from mockserver.server import Server

    settings = resolved.settings
    configure_logging(settings)
    server = Server(create_app(settings), settings.host, settings.port)
    port_file = Path(settings.port_file) if settings.port_file else None
    _stop_on_signals(server)
    try:
        if port_file:
            _write_port_file(port_file, server.port)
        if not settings.on_loopback:
            click.echo(f"taurus-mock: warning: {server.url} can be reached from the network (--host)", err=True)
        if not settings.quiet:
            _print_banner(server.url)
        click.echo(f"ready url={server.url} port={server.port} pid={os.getpid()}")
        server.run()
    finally:
        if port_file:
            port_file.unlink(missing_ok=True)


def _print_banner(url: str) -> None:
    from mockserver.contract import bundle

    path = "/v3/054e292c9880d4992f02c0196d3ea468/instances/database-version/upgrade"
    body = bundle()["paths"]["/v3/{project_id}/instances/database-version/upgrade"]["post"]  # type: ignore[index]
    example = json.dumps(body["requestBody"]["content"]["application/json"]["example"])
    click.echo(f"Taurus Mock {version()} listens on {url}\n")
    click.echo("Try it:")
    click.echo(f"  curl -X POST {url}{path} \\")
    click.echo("    -H 'Content-Type: application/json' -H 'X-Auth-Token: any' \\")
    click.echo(f"    -d '{example}'\n")


def _stop_on_signals(server: Server) -> None:
    def stop(number: int, frame: object) -> None:
        del number, frame
        # stop() takes a lock that the interrupted main thread may hold.
        threading.Thread(target=server.stop).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _write_port_file(path: Path, port: int) -> None:
    """Write beside the file and rename, so that a reader never sees half of it."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        partial.write_text(f"{port}\n")
        partial.replace(path)
    except OSError as error:
        raise ServerError(f"--port-file {path}: cannot be written: {error.strerror}") from error


@taurus_mock.command()
@_with_settings
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
    return value


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@taurus_mock.command()
def scenarios() -> None:
    """List the scenarios, with one line each."""
    from mockserver.catalogue import load_catalogue
    from mockserver.scenarios import load_scenarios

    known = load_scenarios("success", load_catalogue().errors).by_name.values()
    lines = [("SCENARIO", "PREFER", "WHAT THE CLIENT MEETS")]
    lines += [(each.name, f"code={each.prefer}" if each.prefer else "-", each.summary) for each in known]
    _print_table(lines)
    click.echo("\nChoose one with `serve --scenario NAME`, or for one request with the header X-Mock-Scenario: NAME")
    click.echo("or Prefer: code=NNN.")


@taurus_mock.command()
@click.argument("what", type=click.Choice(["openapi", "schemas"]))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--force", is_flag=True, help="Overwrite files that differ.")
def export(what: str, folder: Path, *, force: bool) -> None:
    """Write the contract documents to FOLDER: one OpenAPI document, or the schemas file by file."""
    from mockserver.contract import bundle, schema_files

    if what == "openapi":
        files = {"openapi.json": json.dumps(bundle(), indent=2, ensure_ascii=False) + "\n"}
    else:
        files = {name: path.read_text("utf-8") for name, path in schema_files().items()}
    _write_all(folder, files, force=force)
    click.echo(f"wrote {len(files)} {'file' if len(files) == 1 else 'files'} to {folder}")


def _write_all(folder: Path, files: dict[str, str], *, force: bool) -> None:
    """Write every file, or none when one is there already with other content."""
    try:
        for name, text in files.items():
            path = folder / name
            if not force and path.exists() and path.read_bytes() != text.encode():
                raise TaurusMockError(f"{path} exists and differs; nothing was written. Use --force to overwrite")
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text.encode())
    except OSError as error:
        raise TaurusMockError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
