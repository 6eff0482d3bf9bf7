"""The command line: what each command prints and writes, and how `serve` starts, says so and ends."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from processes import COMMAND, GUARD, Wire, environment, is_listening, serve, until
from support import UPGRADE_PATH, batch, send

from mockserver import cli, running
from mockserver.app import create_api_app
from mockserver.catalogue import load_catalogue
from mockserver.documents import bundle, schema_files
from mockserver.scenarios import bundled_scenarios
from mockserver.settings_table import TABLE, Setting
from mockserver.version import version

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockserver.mock import Mock

BODY = json.dumps(batch()).encode()
SIGNALS = ["SIGINT", "SIGTERM"]
no_signals_on_windows = pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in TABLE:
        monkeypatch.delenv(setting.variable, raising=False)


class Run:
    """Runs the command line in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> str:
        """Standard output of a run that succeeds in silence."""
        code, output, errors = self.result(*arguments)
        assert (code, errors) == (0, "")
        return output

    def error(self, *arguments: str) -> str:
        """The message of a run that fails as it should: one line, exit code 2."""
        code, output, errors = self.result(*arguments)
        assert (code, output) == (2, "")
        prefix, _, message = errors.partition("taurus-mock: error: ")
        assert (prefix, message.count("\n"), message[-1]) == ("", 1, "\n")
        return message.removesuffix("\n")

    def result(self, *arguments: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        output, errors = self._capsys.readouterr()
        return ended.value.code or 0, output, errors


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


class ServerWithoutSocket:
    """Stands in for the servers where a test must not listen or block."""

    mocks: list[Mock]
    on_run: Callable[[], None]

    def __init__(self, mock: Mock) -> None:
        self.mocks.append(mock)
        settings = mock.settings
        self.url, self.port = f"http://{settings.host}:{settings.port}", settings.port
        self.admin_url = self.url if settings.admin else None

    def run(self) -> None:
        self.on_run()

    def stop(self) -> None: ...


@pytest.fixture
def no_socket(monkeypatch: pytest.MonkeyPatch) -> type[ServerWithoutSocket]:
    """`serve` in this process: without a socket, signal handlers or a change to the log, and over at once."""
    fake = type("Fake", (ServerWithoutSocket,), {"mocks": [], "on_run": lambda _: None})
    monkeypatch.setattr(running, "RunningMock", fake)
    monkeypatch.setattr("mockserver.logs.configure_logging", lambda _: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    return fake


# serve: a child process


def test_serve_prints_what_a_person_needs_and_a_last_line_for_scripts() -> None:
    with serve() as mock:
        assert is_answered(mock.url)  # at once: the socket was bound before anything was printed
        assert mock.ready_pid == mock.process.pid
        assert mock.url == f"http://127.0.0.1:{mock.port}"
        curl = pasted(mock.output)
        assert run_curl(curl) == b'{"resp":"success"}'
        mock.end()
    first, *_, last = mock.output.splitlines()
    assert first == f"Taurus Mock {version()} listens on {mock.url}"
    assert last == f"ready url={mock.url} port={mock.port} pid={mock.process.pid} admin={mock.url}"


def is_answered(url: str) -> bool:
    """Whether a mock answers; it upgrades nothing, so that an upgrade that follows is the first."""
    return send(url, "GET", "/openapi.json", body=b"", headers={}).status == 200


def pasted(output: str) -> str:
    """The curl command in what `serve` printed, as a person would copy it."""
    match = re.search(r"^  curl .*?\n\n", output, re.DOTALL | re.MULTILINE)
    assert match, output
    return match.group()


def run_curl(command: str) -> bytes:
    """What the command prints, run by a shell where there is one that has curl, else sent as it says."""
    if os.name != "nt" and shutil.which("curl"):
        done = subprocess.run(["/bin/sh", "-c", command], env=environment(), capture_output=True, check=True)
        return done.stdout
    url, path, method, headers, body = parse_curl(command)
    return send(url, method, path, body=body, headers=headers).body


def parse_curl(command: str) -> tuple[str, str, str, dict[str, str], bytes]:
    """Base URL, path, method, headers and body of a curl command."""
    words = shlex.split(command)
    options = [(name, value) for name, value in itertools.pairwise(words) if name.startswith("-")]
    url = next(word for word in words if word.startswith("http://"))
    base, slash, path = url.partition("/v3/")
    return (
        base,
        f"{slash}{path}",
        dict(options)["-X"],
        dict(value.split(": ", 1) for name, value in options if name == "-H"),
        dict(options)["-d"].encode(),
    )


def test_quiet_prints_only_the_ready_line_and_logs_no_success() -> None:
    with serve("-q") as mock:
        assert send(mock.url).status == 200
        mock.end()
    assert mock.output == f"ready url={mock.url} port={mock.port} pid={mock.process.pid} admin={mock.url}\n"
    assert mock.errors == ""


@no_signals_on_windows
@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_ends_it_with_code_0_and_without_a_port_file(name: str, tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    with serve("--port-file", str(port_file)) as mock, Wire(mock.url) as idle:
        assert port_file.read_text() == f"{mock.port}\n"
        assert list(tmp_path.iterdir()) == [port_file]
        assert mock.end(getattr(signal, name)) == 0
        assert idle.is_ended()
    assert mock.errors == ""
    assert list(tmp_path.iterdir()) == []


@no_signals_on_windows
@pytest.mark.parametrize("name", SIGNALS)
def test_requests_in_flight_are_answered_although_a_signal_came(name: str) -> None:
    request = f"POST {UPGRADE_PATH} HTTP/1.1\r\nX-Auth-Token: t\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + BODY
    patient = f"import mockserver.server; mockserver.server.GRACE = {GUARD}; {COMMAND}"
    with serve(command=patient) as mock, Wire(mock.url) as wire:
        wire.send(request[:-10])
        assert is_answered(mock.url)  # so the half before it has been read as well
        mock.process.send_signal(getattr(signal, name))
        until(lambda: not is_listening(mock.url), "the stop began")
        mock.process.send_signal(getattr(signal, name))  # the impatient press Ctrl-C twice
        wire.send(request[-10:])
        assert wire.reply().body == b'{"resp":"success"}'
        assert mock.wait() == 0
    assert "Traceback" not in mock.errors


@pytest.mark.parametrize(
    ("arguments", "variables", "named"),
    [
        (["--port", "IN-USE"], {}, "cannot listen on 127.0.0.1:"),
        (["--scenario", "throtled"], {}, "'throttled'"),
        (["--prot", "1"], {}, "--prot"),
        ([], {"TAURUS_MOCK_PROT": "1"}, "TAURUS_MOCK_PORT"),
    ],
    ids=["port-in-use", "unknown-scenario", "unknown-flag", "unknown-variable"],
)
def test_a_start_that_fails_says_why_on_one_line(arguments: list[str], variables: dict[str, str], named: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        used = str(other.getsockname()[1])
        done = subprocess.run(
            [
                *(sys.executable, "-c", COMMAND, "serve"),
                *(used if argument == "IN-USE" else argument for argument in arguments),
            ],
            env=environment(**variables),
            capture_output=True,
            encoding="utf-8",
            timeout=GUARD,
            check=False,
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"taurus-mock: error: .+\n", done.stderr), done.stderr
    assert named in done.stderr


def test_the_console_script_is_installed() -> None:
    script = shutil.which("taurus-mock", path=str(Path(sys.executable).parent))
    assert script, "install the project first: pip install -e ."
    done = subprocess.run([script, "--version"], env=environment(), capture_output=True, check=True, timeout=GUARD)
    assert done.stdout.decode().strip() == f"taurus-mock {version()}"


# serve: in this process


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--scenario", "throtled"], ["--scenario", "'throtled'", "did you mean 'throttled'?"]),
        (["--scenario", "xyz"], ["--scenario", "'xyz'", "`taurus-mock scenarios`"]),
        (["--prot", "1"], ["--prot", "`taurus-mock serve --help`"]),
        (["--port"], ["--port"]),
        (["extra"], ["extra"]),
        (["--port", "eighty"], ["--port", "'eighty'", "whole number"]),
        (["--port", "65536"], ["--port", "at most 65535"]),
        (["--port", "-1"], ["--port", "at least 0"]),
        (["--max-batch", "0"], ["--max-batch", "at least 1"]),
        (["--auth", "tokn"], ["--auth", "any, token, signed, off", "did you mean 'token'?"]),
        (["--log-format", "xml"], ["--log-format", "text, json", "'xml'"]),
        (["--ak", "a"], ["--ak is given 1 times", "--sk 0 times"]),
        (["--ak", "a", "--sk", "s", "--sk", "t"], ["--ak is given 1 times", "--sk 2 times"]),
        (["--min-batch", "3", "--max-batch", "2"], ["--min-batch 3", "--max-batch 2"]),
    ],
    ids=[
        "scenario-with-neighbour",
        "scenario-without-neighbour",
        "unknown-flag",
        "value-missing",
        "argument-too-many",
        "no-number",
        "port-too-large",
        "port-too-small",
        "batch-too-small",
        "no-choice-with-neighbour",
        "no-choice",
        "ak-without-sk",
        "sk-without-ak",
        "contradiction",
    ],
)
def test_a_flag_that_cannot_be_used_is_named(
    run: Run, no_socket: type[ServerWithoutSocket], arguments: list[str], named: list[str]
) -> None:
    message = run.error("serve", *arguments)
    assert [part for part in named if part not in message] == []
    assert no_socket.mocks == []


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("TAURUS_MOCK_PORT", "eighty", ["TAURUS_MOCK_PORT", "'eighty'", "whole number"]),
        ("TAURUS_MOCK_PORT", "65536", ["TAURUS_MOCK_PORT", "at most 65535"]),
        ("TAURUS_MOCK_STRICT_IDS", "maybe", ["TAURUS_MOCK_STRICT_IDS", "true or false", "'maybe'"]),
        ("TAURUS_MOCK_AUTH", "tokn", ["TAURUS_MOCK_AUTH", "did you mean 'token'?"]),
        ("TAURUS_MOCK_PROT", "1", ["TAURUS_MOCK_PROT", "did you mean TAURUS_MOCK_PORT?"]),
        ("TAURUS_MOCK_AK", "a,b", ["--ak is given 2 times"]),
    ],
    ids=["no-number", "too-large", "no-boolean", "no-choice", "unknown", "without-secret-keys"],
)
def test_a_variable_that_cannot_be_used_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, named: list[str]
) -> None:
    monkeypatch.setenv(variable, value)
    message = run.error("config")
    assert [part for part in named if part not in message] == []


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--port-file", "a\nb/port"), ("--scenario", "a\nb"), ("--auth", "a\nb"), ("--no\nflag", "")],
    ids=["file", "scenario", "choice", "flag"],
)
@pytest.mark.usefixtures("no_socket")
def test_no_value_breaks_the_one_line_of_an_error(run: Run, flag: str, value: str) -> None:
    assert flag.partition("\n")[0] in run.error("serve", flag, value)


@pytest.mark.parametrize("host", ["a" * 64, "a\n..b"], ids=["too-long", "two-lines"])
def test_a_host_that_cannot_be_a_name_is_an_error_of_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr("mockserver.logs.configure_logging", lambda _: None)
    assert run.error("serve", "--port", "0", "--host", host).startswith("--host ")


@pytest.mark.parametrize("place", ["missing/port", "file/port", "folder"])
def test_a_port_file_that_cannot_be_written_is_named_and_leaves_nothing(
    run: Run, no_socket: type[ServerWithoutSocket], place: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    message = run.error("serve", "--port-file", str(tmp_path / place))
    assert message.startswith(f"--port-file {tmp_path / place}: cannot be written: ")
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["file", "folder"]
    assert len(no_socket.mocks) == 1


def test_a_port_file_appears_whole_and_goes_when_the_server_fails(
    no_socket: type[ServerWithoutSocket], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port_file = tmp_path / "port"
    replace = Path.replace
    seen: list[object] = []

    def look(partial: Path, target: Path) -> Path:
        seen.append((partial.read_text(), partial.parent == target.parent, target.exists()))
        return replace(partial, target)

    def fail() -> None:
        seen.append(port_file.read_text())
        raise RuntimeError("the server failed")

    monkeypatch.setattr(Path, "replace", look)
    monkeypatch.setattr(no_socket, "on_run", staticmethod(fail))
    with pytest.raises(RuntimeError, match="the server failed"):
        cli.main(["serve", "--port-file", str(port_file)])
    assert seen == [("8080\n", True, False), "8080\n"]
    assert not port_file.exists()


@pytest.mark.parametrize(
    ("host", "warns"),
    [("127.0.0.1", False), ("127.1.2.3", False), ("localhost", False), ("0.0.0.0", True), ("192.0.2.1", True)],  # noqa: S104  # nothing listens there
)
@pytest.mark.usefixtures("no_socket")
def test_an_address_beyond_loopback_is_warned_of(run: Run, host: str, *, warns: bool) -> None:
    code, _, errors = run.result("serve", "--host", host)
    assert code == 0
    warning, _, token = errors.partition("\n")
    assert warning == (
        f"taurus-mock: warning: http://{host}:8080 can be reached from the network (--host)" if warns else ""
    )
    assert (
        bool(re.fullmatch(r"taurus-mock: the admin API demands the token \S{24} \(--admin-token\)\n", token)) == warns
    )


@pytest.mark.parametrize(
    "flags",
    [[], ["--delay", "boolean"], ["--delay", "string"], ["--strict-ids"], ["--auth", "token"], ["--auth", "off"]],
    ids=lambda flags: "-".join(flags).strip("-") or "none",
)
def test_the_printed_curl_line_works_with_every_setting(
    run: Run, no_socket: type[ServerWithoutSocket], flags: list[str]
) -> None:
    _, path, method, headers, body = parse_curl(pasted(run("serve", *flags)))
    reply = create_api_app(no_socket.mocks[0]).test_client().open(path, method=method, headers=headers, data=body)
    assert (reply.status_code, reply.data) == (200, b'{"resp":"success"}')


# config

SAMPLES = {
    "host": ("localhost", "localhost"),
    "port": ("7", 7),
    "scenarios": ("folder", "folder"),
    "seed": ("7", 7),
    "admin": ("false", False),
    "admin_token": ("secret", "[Filtered]"),
    "admin_port": ("0", 0),
    "journal_size": ("5", 5),
    "port_file": ("some.port", "some.port"),
    "scenario": ("throttled", "throttled"),
    "auth": ("signed", "signed"),
    "token": ("a-secret", ["[Filtered]"]),
    "ak": ("an-ak", ["an-ak"]),
    "sk": ("a-secret", ["[Filtered]"]),
    "user": ("anna:a-secret", ["[Filtered]"]),
    "fleet": ("fleet.json", "fleet.json"),
    "fleet_size": ("9", 9),
    "unknown_instances": ("reject", "reject"),
    "unknown_status": ("404", "404"),
    "upgrade_seconds": ("60", 60),
    "delay": ("string", "string"),
    "min_batch": ("2", 2),
    "max_batch": ("9", 9),
    "strict_ids": ("yes", True),
    "log_format": ("json", "json"),
    "quiet": ("1", True),
}
PAIRED = {"ak": "sk", "sk": "ak"}


def shown(run: Run, *arguments: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(run("config", "--json", *arguments))
    return values


def test_without_flags_and_variables_every_setting_has_its_default(run: Run) -> None:
    values = shown(run)
    assert list(values) == [setting.name for setting in TABLE]
    for setting in TABLE:
        default = list(setting.default) if isinstance(setting.default, tuple) else setting.default
        assert values[setting.name] == {"value": default, "source": "default"}


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_every_setting_has_a_flag(run: Run, setting: Setting) -> None:
    text, value = SAMPLES[setting.name]
    switch = f"--no-{setting.flag[2:]}" if value is False else setting.flag
    flags = [switch] if isinstance(setting.default, bool) else [setting.flag, text]
    if setting.name in PAIRED:
        flags += [f"--{PAIRED[setting.name]}", "other"]
    assert shown(run, *flags)[setting.name] == {"value": value, "source": "flag"}


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_every_setting_has_a_variable(run: Run, setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    text, value = SAMPLES[setting.name]
    monkeypatch.setenv(setting.variable, text)
    if setting.name in PAIRED:
        monkeypatch.setenv(f"TAURUS_MOCK_{PAIRED[setting.name].upper()}", "other")
    assert shown(run)[setting.name] == {"value": value, "source": "environment"}


@pytest.mark.parametrize(
    ("variables", "flags", "name", "value"),
    [
        ({"PORT": "1"}, ["--port", "2"], "port", 2),
        ({"QUIET": "1"}, ["--no-quiet"], "quiet", False),
        ({"TOKEN": "a,b"}, ["--token", "c"], "token", ["[Filtered]"]),
        ({"AUTH": "off"}, ["--auth", "any"], "auth", "any"),
    ],
    ids=["number", "switch", "list", "choice-of-the-default"],
)
def test_a_flag_wins_over_its_variable(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    flags: list[str],
    name: str,
    value: object,
) -> None:
    for variable, text in variables.items():
        monkeypatch.setenv(f"TAURUS_MOCK_{variable}", text)
    assert shown(run, *flags)[name] == {"value": value, "source": "flag"}


def test_an_empty_variable_counts_as_absent(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAURUS_MOCK_PORT", "")
    assert shown(run)["port"] == {"value": 8080, "source": "default"}


def test_repeated_flags_and_commas_in_variables_give_lists(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAURUS_MOCK_SK", "one, two")
    values = shown(run, "--ak", "a", "--ak", "b")
    assert values["ak"] == {"value": ["a", "b"], "source": "flag"}
    assert values["sk"] == {"value": ["[Filtered]"] * 2, "source": "environment"}


def test_config_is_a_table_of_value_and_source(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAURUS_MOCK_SCENARIO", "throttled")
    table = run("config", "--token", "a-secret", "--ak", "one", "--sk", "a-secret", "--strict-ids")
    rows = [re.split(r" {2,}", line) for line in table.splitlines()]
    assert rows[0] == ["SETTING", "VALUE", "SOURCE", "VARIABLE"]
    assert [row[0] for row in rows[1:]] == [setting.flag for setting in TABLE]
    assert ["--port", "8080", "default", "TAURUS_MOCK_PORT"] in rows
    assert ["--port-file", "-", "default", "TAURUS_MOCK_PORT_FILE"] in rows
    assert ["--scenario", "throttled", "environment", "TAURUS_MOCK_SCENARIO"] in rows
    assert ["--token", "[Filtered]", "flag", "TAURUS_MOCK_TOKEN"] in rows
    assert ["--sk", "[Filtered]", "flag", "TAURUS_MOCK_SK"] in rows
    assert ["--strict-ids", "yes", "flag", "TAURUS_MOCK_STRICT_IDS"] in rows
    assert "a-secret" not in table


# scenarios


def test_scenarios_lists_each_with_one_line(run: Run) -> None:
    table, _, hint = run("scenarios").partition("\n\n")
    rows = [re.split(r" {2,}", line) for line in table.splitlines()]
    assert rows[0] == ["SCENARIO", "PREFER", "MAGIC INSTANCE ID", "WHAT THE CLIENT MEETS"]
    known = bundled_scenarios(load_catalogue().errors).values()
    assert [tuple(row) for row in rows[1:]] == [
        (each.name, f"code={each.prefer}" if each.prefer else "-", each.magic_id, each.summary) for each in known
    ]
    assert "X-Mock-Scenario" in hint


# export


def test_export_openapi_writes_one_document(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert run("export", "openapi", str(folder)) == f"wrote 1 file to {folder}\n"
    assert json.loads((folder / "openapi.json").read_text("utf-8")) == bundle()
    assert files_below(folder) == {"openapi.json"}


def test_export_schemas_writes_the_files_as_they_are(run: Run, tmp_path: Path) -> None:
    sources = schema_files()
    assert run("export", "schemas", str(tmp_path)) == f"wrote {len(sources)} files to {tmp_path}\n"
    assert files_below(tmp_path) == set(sources)
    for name, source in sources.items():
        assert json.loads((tmp_path / name).read_text("utf-8")) == json.loads(source.read_text("utf-8"))


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_export_may_be_repeated(run: Run, tmp_path: Path) -> None:
    for _ in range(2):
        run("export", "schemas", str(tmp_path))


def test_export_overwrites_a_different_file_only_when_forced(run: Run, tmp_path: Path) -> None:
    *_, last = schema_files()
    different = tmp_path / last
    different.parent.mkdir(parents=True, exist_ok=True)
    different.write_text("mine")
    message = run.error("export", "schemas", str(tmp_path))
    assert message == f"{different} exists and differs; nothing was written. Use --force to overwrite"
    assert files_below(tmp_path) == {last}
    assert different.read_text() == "mine"
    run("export", "schemas", str(tmp_path), "--force")
    assert files_below(tmp_path) == set(schema_files())
    assert different.read_text() != "mine"


@pytest.mark.parametrize("place", ["file", "file/below", "folder"])
def test_export_says_where_it_cannot_write(run: Run, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder" / "openapi.json").mkdir(parents=True)
    assert str(tmp_path / place) in run.error("export", "openapi", str(tmp_path / place))
    assert files_below(tmp_path) == {"file"}


def test_export_of_something_else_names_what_there_is(run: Run, tmp_path: Path) -> None:
    message = run.error("export", "schema", str(tmp_path))
    assert "openapi" in message
    assert "schemas" in message


# The rest


def test_version_is_that_of_the_distribution(run: Run) -> None:
    assert run("--version") == f"taurus-mock {version()}\n"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]], ids=["nothing", "help", "h"])
def test_help_shows_the_commands(run: Run, arguments: list[str]) -> None:
    _, output, errors = run.result(*arguments)
    assert output.startswith("Usage: taurus-mock ")
    assert re.findall(r"^  ([a-z]+)  ", output, re.MULTILINE) == [
        "check",
        "config",
        "env",
        "explain",
        "export",
        "scenarios",
        "selftest",
        "serve",
    ]
    assert errors == ""


def test_an_unknown_command_is_named(run: Run) -> None:
    message = run.error("serv")
    assert "'serv'" in message
    assert "`taurus-mock --help`" in message


def test_the_help_of_serve_has_every_flag_and_default(run: Run) -> None:
    words = run("serve", "--help").split()
    text = " ".join(words)
    for setting in TABLE:
        assert any(setting.flag in word for word in words)
        if not isinstance(setting.default, bool) and setting.default not in (None, ()):
            assert f"{setting.help} [default: {setting.default}]" in text
        else:
            assert setting.help in text
