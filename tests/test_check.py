"""`taurus-mock check`, `explain` and `selftest` from outside: exit codes, words, secrets, determinism, surroundings."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest
from implementations.changes import CORRECT, SERVER, WRONG, base, source
from processes import COMMAND, GUARD, environment, serve
from support import INSTANCE
from test_implementations import serving

import contract_tests.command
import contract_tests.run
from contract_tests.clauses import GROUPS
from contract_tests.options import Instance, Options
from contract_tests.report import table
from contract_tests.run import Result
from contract_tests.run import check as check_here
from mockserver import MockServer, Settings, cli

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
QUICK = ("--profile", "quick")
SECRET = "a-very-secret-value"  # noqa: S105  # it is one for these tests only
TOKEN = "the-right-token"  # noqa: S105  # the same
SOURCES = {change.name: source(change) for change in (*WRONG, *CORRECT)}
CLAUSE_OF = {change.name: change.clause for change in WRONG}
INSTALLED = f"import sys; sys.path[0] = {str(ROOT)!r}; {COMMAND}"
"""The command as a console script starts it, for which the working directory is no place of modules."""
HOSTILE = "raise SystemExit('somebody imported ' + __file__)\n"
_ROW = re.compile(r"^  (ok|BROKEN|warning|known|seen|-) +([a-z-]+\.[a-z0-9-]+)\b", re.MULTILINE)
not_on_windows = pytest.mark.skipif(os.name == "nt", reason="Windows has neither bash nor modes of folders")


def run(
    *arguments: str, cwd: Path = ROOT, program: str = COMMAND, **variables: str
) -> subprocess.CompletedProcess[str]:
    """What `taurus-mock` does in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        encoding="utf-8",
        timeout=GUARD,
        check=False,
    )


def run_pytest(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What pytest makes of the suite, without the terminal's colours."""
    command = [sys.executable, "-m", "pytest", "contract_tests", "-p", "no:cacheprovider", "--color=no", *arguments]
    shown = environment(**{"COLUMNS": "120", **variables})
    return subprocess.run(
        command, cwd=ROOT, env=shown, capture_output=True, encoding="utf-8", timeout=GUARD, check=False
    )


def verdicts(text: str) -> dict[str, str]:
    """The mark of each clause in a printed table."""
    return {clause: mark for mark, clause in _ROW.findall(text)}


def broken(result: Result) -> list[str]:
    return [verdict.clause.id for verdict in result.report.verdicts if verdict.name == "broken"]


class Recorder:
    """What arrived at a server, but for the Host line and the order of what came at the same moment."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, tuple[tuple[str, str], ...], bytes]] = []

    @property
    def sorted(self) -> list[tuple[str, str, tuple[tuple[str, str], ...], bytes]]:
        return sorted(self.requests)


@contextlib.contextmanager
def recording(text: str) -> Iterator[tuple[str, Recorder]]:
    """A server with this source, and what it is sent."""
    namespace: dict[str, Any] = {"__name__": "server"}
    exec(compile(text, SERVER.name, "exec"), namespace)  # noqa: S102  # the source is ours, with a line of ours
    recorder, read = Recorder(), namespace["read_request"]

    def read_and_record(stream: BinaryIO, connection: socket.socket) -> object:
        request = read(stream, connection)
        if request:
            headers = tuple(each for each in request.headers.items() if each[0] != "host")
            recorder.requests.append((request.method, request.path, headers, request.body))
        return request

    namespace["read_request"] = read_and_record
    server = namespace["Server"]()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server.url, recorder
    finally:
        server.close()
        thread.join()


class Echo(BaseHTTPRequestHandler):
    """Answers everything with 200 and whatever it was sent as a secret."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = f"{self.headers.get('X-Auth-Token')} {self.headers.get('Authorization')} {SECRET}"
        body = json.dumps({"resp": told, "error_msg": told}).encode()
        self.send_response(200, SECRET)
        self.send_header("Content-Type", f"text/{SECRET}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815  # names of the standard library

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def echo() -> Iterator[str]:
    """The URL of a server that accepts everything and sends secrets back."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


# The bundled mock keeps the contract


def test_the_bundled_mock_passes_without_a_url() -> None:
    done = run("check", *QUICK)
    assert (done.returncode, done.stderr) == (0, "checking the bundled mock ...\n")
    assert set(verdicts(done.stdout).values()) <= {"ok", "seen", "-"}
    assert re.search(r"\n\d+ clauses: \d+ kept, .*\nthe bundled mock in .*: the contract is kept\n\Z", done.stdout)


@pytest.mark.parametrize(
    "settings",
    [
        {"delay": "boolean"},
        {"delay": "string", "scenario": "success"},
        {"max_batch": 100, "strict_ids": True},
        {"auth": "token", "token": (TOKEN,), "min_batch": 1},
        {"auth": "signed", "ak": ("key",), "sk": (SECRET,), "admin": False},
    ],
    ids=lambda settings: "-".join(
        f"{name}-{value}" for name, value in settings.items() if name not in ("ak", "sk", "token")
    ),
)
def test_the_mock_passes_in_every_setting_that_the_contract_allows(settings: dict[str, Any]) -> None:
    signer = {"access_key": "key", "secret_key": SECRET} if "ak" in settings else {"token": TOKEN}
    with MockServer(Settings(port=0, **settings)) as mock:
        result = check_here(Options(url=mock.url, profile="quick", **signer))
    assert (broken(result), result.problem, result.exit_code) == ([], None, 0)


def test_a_mock_that_demands_signatures_passes_over_http() -> None:
    with serve("--auth", "signed", "--ak", "key", "--sk", SECRET, "--quiet") as mock:
        good = run(
            "check", mock.url, *QUICK, "--group", "authentication", "--ak", "key", "--sk-env", "THE_KEY", THE_KEY=SECRET
        )
        bad = run("check", mock.url, *QUICK, "--ak", "key", "--sk", "another")
    assert (good.returncode, good.stderr) == (0, f"checking {mock.url} ...\n")
    assert (bad.returncode, bad.stdout) == (3, "")
    assert "taurus-mock: every good call was refused: 401 {" in bad.stderr


def test_a_mock_that_demands_a_token_passes_over_http() -> None:
    with serve("--auth", "token", "--token", TOKEN, "--quiet") as mock:
        group = ("--group", "authentication")
        done = run("check", mock.url, *QUICK, *group, "--token-env", "THE_TOKEN", THE_TOKEN=TOKEN)
    assert (done.returncode, done.stderr) == (0, f"checking {mock.url} ...\n")


# Targets that remember

ONCE = base(remembers=True)
AGAIN = "independence.same-instance"


def test_a_mock_passes_as_often_as_it_is_checked() -> None:
    with MockServer(Settings(port=0)) as mock:
        results = [check_here(Options(url=mock.url, profile="quick")) for _ in range(3)]
    assert [(broken(result), result.problem, result.exit_code) for result in results] == [([], None, 0)] * 3


@pytest.mark.parametrize("name", ["instances-once", "instances-once-404", "instances-once-of-all-projects"])
def test_a_target_that_remembers_is_judged_alike_in_every_run(name: str) -> None:
    """As it was by the first, though former runs have upgraded what is asked for first."""
    with serving(SOURCES[name]) as url:
        results = [check_here(Options(url=url, profile="quick")) for _ in range(6)]
    assert [(broken(result), result.problem, result.exit_code) for result in results] == [([], None, 0)] * 6
    said = [[f"{each.clause.id}: {each}" for each in result.report.verdicts] for result in results]
    assert said == [said[0]] * 6
    sent = [result.report.requests for result in results]
    assert max(sent) <= min(sent) + 30


def test_runs_in_other_projects_do_not_get_in_the_way() -> None:
    """All of them call the same further projects, with instances of their own."""
    with serving(ONCE) as url:
        results = [
            check_here(Options(url=url, profile="quick", clauses=("project-id.*",), project_id=project_id))
            for project_id in (None, "a" * 32, "B" * 32)
        ]
    assert [(broken(result), result.exit_code) for result in results] == [([], 0)] * 3


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("delay-string-only", ["200"] * 5),
        ("instances-once", ["409", "409", "409", "409", "200"]),
        ("instances-once-one-by-one", ["409", "409", "409", "409", "409"]),
        ("instances-once-of-each-version", ["409", "409", "200", "409", "200"]),
        ("known-instances-once", ["409"]),
    ],
)
def test_what_an_instance_gets_again_is_told_and_breaks_nothing(name: str, seen: list[str]) -> None:
    with serving(SOURCES[name]) as url:
        result = check_here(Options(url=url, profile="quick", clauses=(AGAIN,)))
    [verdict] = result.report.verdicts
    assert (verdict.name, result.exit_code) == ("observed", 0)
    assert re.findall(r": (\d{3})", verdict.text) == seen


@pytest.mark.parametrize("named", [(), (Instance(INSTANCE["instance_id"], "2.0.48.231200"),)], ids=["found", "named"])
def test_where_nothing_is_left_to_be_upgraded_the_rest_is_still_checked(named: tuple[Instance, ...]) -> None:
    options = Options(profile="quick", project_id="Z" * 32, instances=named)
    with serving(SOURCES["known-instances-once"]) as url:
        first, second = (check_here(replace(options, url=url)) for _ in range(2))
    verdicts_of = {verdict.clause.id: verdict for verdict in first.report.verdicts}
    assert (first.exit_code, broken(first)) == (0, [])
    why = "not checked: the target takes known instances only, and upgrades each of them once"
    assert [str(verdicts_of[name]) for name in ("batch.sizes", "independence.repeat")] == [why] * 2
    kept = ("route.example", "reply.resp-string", "reply.status", "delay.encoding", "instance-id.string", "json.syntax")
    assert {verdicts_of[name].name for name in kept} == {"kept"}
    assert (second.exit_code, broken(second)) == (4, [])


def test_several_processes_share_a_target_that_remembers() -> None:
    groups = [word for name in ("body", "delay", "independence of calls") for word in ("--contract-group", name)]
    settings = ("-c", "contract_tests/contract.ini", "--contract-profile", "quick", *groups)
    with serving(ONCE) as url:
        for _ in range(2):
            done = run_pytest(*settings, "--contract-url", url, "-n", "3")
            assert done.returncode == 0, done.stdout + done.stderr


# Every lie of the mock is found

LIES = {
    "already-latest": (4, ""),
    "array-body": (1, "reply.object"),
    "bad-gateway": (1, "route.example"),
    "bad-request": (4, ""),
    "conflict": (1, "route.example"),
    "connection-reset": (1, "route.example"),
    "empty-body": (1, "reply.json"),
    "empty-reply": (1, "route.example"),
    "error-with-status-200": (1, "reply.resp-present"),
    "error-without-message": (1, "error.message-present"),
    "fail-twice-then-succeed": (1, "route.example"),
    "flaky": (1, "route.example"),
    "forbidden": (3, ""),
    "garbage": (1, "reply.framing"),
    "gateway-timeout": (1, "route.example"),
    "hang": (1, "route.example"),
    "html-error": (1, "error.media-type"),
    "instance-abnormal": (1, "route.example"),
    "instance-frozen": (1, "route.example"),
    "internal-error": (1, "route.example"),
    "malformed-chunk": (1, "reply.framing"),
    "malformed-json": (1, "reply.json"),
    "missing-resp": (1, "reply.resp-present"),
    "not-found": (4, ""),
    "null-body": (1, "reply.object"),
    "payload-too-large": (4, ""),
    "redirect": (1, "route.example"),
    "resp-not-string": (1, "reply.resp-string"),
    "resp-not-success": (0, ""),
    "slow": (1, "route.example"),
    "succeed-after-timeout": (1, "route.example"),
    "success": (0, ""),
    "throttled": (1, "route.example"),
    "truncated": (1, "reply.framing"),
    "unauthorized": (3, ""),
    "unavailable": (1, "route.example"),
    "unknown-instance": (4, ""),
    "version-mismatch": (4, ""),
    "very-slow": (1, "route.example"),
    "wrong-content-type": (1, "reply.media-type"),
}
"""What the suite says of each scenario: the exit code, and a clause that is broken, if any."""
LATE = {"hang", "slow", "very-slow", "succeed-after-timeout"}
"""Scenarios that are not waited for."""
HONEST = {"drip"}
"""Scenarios that break nothing and take too long to be checked here."""


def test_the_table_of_lies_has_every_scenario() -> None:
    assert LIES.keys() | HONEST == {path.stem for path in (ROOT / "fixtures" / "scenarios").glob("*.json")}


@pytest.fixture
def _few_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run only a few tests, which are enough for lies that are told in every answer, and much faster."""
    arguments = contract_tests.run._arguments()  # noqa: SLF001  # what check hands to pytest
    monkeypatch.setattr(contract_tests.run, "_arguments", lambda: [*arguments, "-k", "example or documented_form"])


@pytest.mark.usefixtures("_few_tests")
@pytest.mark.parametrize("scenario", LIES)
def test_every_lie_of_the_mock_is_found(scenario: str) -> None:
    code, clause = LIES[scenario]
    with MockServer(Settings(port=0, scenario=scenario)) as mock:
        result = check_here(Options(url=mock.url, profile="quick", timeout=0.3 if scenario in LATE else 5.0))
    assert result.exit_code == code, broken(result)
    assert clause in broken(result) if clause else broken(result) == []


@pytest.mark.parametrize(
    ("second", "lost"),
    [
        ({"fault": "hang"}, "the target left 3 requests without a whole answer"),
        (
            {"answer": {"error": "throttled", "headers": {"Retry-After": "0"}}},
            "the target still answered 429 after each wait that it asked for; see --rate",
        ),
    ],
    ids=["hangs", "throttles"],
)
def test_a_target_that_is_lost_after_one_good_answer_never_passes(
    second: dict[str, Any], lost: str, tmp_path: Path
) -> None:
    scenario = {"name": "once", "summary": "One answer, then none", "level": "mock", "source": ["mock"]}
    text = json.dumps(scenario | {"sequence": [{}, second]})
    (tmp_path / "once.json").write_text(text, "utf-8")
    with MockServer(Settings(port=0, scenario="once", scenarios=str(tmp_path))) as mock:
        result = check_here(Options(url=mock.url, profile="quick", timeout=0.3, clauses=("reply.status",)))
    assert (result.exit_code, result.problem) == (4, lost)


@pytest.mark.usefixtures("_few_tests")
@pytest.mark.parametrize(("strict", "code", "mark"), [(False, 0, "warning"), (True, 1, "BROKEN")])
def test_another_resp_is_a_warning_that_only_a_strict_run_fails(strict: bool, code: int, mark: str) -> None:  # noqa: FBT001  # a column of the table
    with MockServer(Settings(port=0, scenario="resp-not-success")) as mock:
        result = check_here(Options(url=mock.url, profile="quick", clauses=("reply.resp-*",), strict=strict))
    assert (result.exit_code, verdicts(table(result.report))["reply.resp-success"]) == (code, mark)


def test_a_strict_run_of_a_mock_with_another_resp_fails() -> None:
    with MockServer(Settings(port=0, scenario="resp-not-success")) as mock:
        done = run("check", mock.url, *QUICK, "--clause", "reply.resp-success", "--strict")
    assert (done.returncode, verdicts(done.stdout)) == (1, {"reply.resp-success": "BROKEN"})


def test_a_chosen_clause_about_replies_is_judged_by_the_replies_of_every_test() -> None:
    with serving(SOURCES["code-missing-for-bad-json"]) as url:
        result = check_here(Options(url=url, profile="quick", clauses=("error.code-*",)))
    assert (result.exit_code, broken(result)) == (1, ["error.code-present"])


# Exit codes and words


def test_a_broken_clause_gives_exit_code_1_and_its_proof() -> None:
    with serving(SOURCES["yes-and-no-accepted"]) as url:
        done = run("check", url, *QUICK, "--clause", "delay.*")
    assert (done.returncode, done.stderr) == (1, f"checking {url} ...\n")
    assert {clause for clause, mark in verdicts(done.stdout).items() if mark == "BROKEN"} == {"delay.encoding"}
    proof = done.stdout.partition("\ndelay.encoding is broken: ")[2]
    assert re.search(r"\n  sent      .*\n  expected  400 .*\n  received  200 .*\n  again     curl .*\$TOKEN", proof)
    assert done.stdout.endswith(": the contract is broken\n")


def test_a_target_that_is_not_there_gives_exit_code_3() -> None:
    with MockServer(Settings(port=0)) as mock:
        url = mock.url
    done = run("check", url)
    assert (done.returncode, done.stdout) == (3, "")
    assert re.fullmatch(rf"checking {url} ...\ntaurus-mock: {url} cannot be reached: .+\n", done.stderr)


def test_a_target_that_accepts_nothing_gives_exit_code_4() -> None:
    with MockServer(Settings(port=0, scenario="not-found")) as mock:
        done = run("check", mock.url, *QUICK, "--clause", "delay.*")
    assert done.returncode == 4
    assert "too little was exercised for a verdict: no good call was ever accepted; see --instance" in done.stdout


def elsewhere(url: str) -> str:
    """The same URL, written so that it is not known to be this machine."""
    return url.replace("127.0.0.1", "127.1")


@not_on_windows
def test_a_success_where_none_may_be_gives_exit_code_5_at_once() -> None:
    with recording(SOURCES["token-unchecked"]) as (url, recorder):
        done = run("check", elsewhere(url), *QUICK)
    assert (done.returncode, len(done.stderr.splitlines())) == (5, 2)
    assert "taurus-mock: the target answered 200 to a request that names no real instance" in done.stderr
    assert all(b"in07" not in body or b"nosuchinstance" in body for *_, body in recorder.requests)


@not_on_windows
@pytest.mark.parametrize("remembers", [False, True])
def test_an_instance_that_may_be_upgraded_is_upgraded_and_no_other(remembers: bool) -> None:  # noqa: FBT001  # which server
    with recording(base(remembers=remembers)) as (url, recorder):
        named = "0123456789abcdef0123456789abcdefin07"
        flags = ("--allow-upgrades", "--instance", f"{named}=2.0.48.231200")
        done = run("check", elsewhere(url), *QUICK, *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    ids = {found for *_, body in recorder.requests for found in re.findall(rb"[0-9a-f]{32}in07", body)}
    assert ids == {named.encode()}


URL = "http://127.0.0.1:9"
PROFILES = "'quick', 'standard', 'thorough'"
USAGE = {
    "a word": (["foo"], "the URL: expected http://HOST[:PORT][/PATH], got 'foo'"),
    "another scheme": (["ftp://a"], "the URL: expected http://HOST[:PORT][/PATH], got 'ftp://a'"),
    "a query": ([URL + "/?a"], f"the URL: expected http://HOST[:PORT][/PATH], got '{URL}/?a'"),
    "a port of letters": (
        ["http://a:b"],
        "the URL: expected http://HOST[:PORT][/PATH], got 'http://a:b': Port could not be cast to integer value as 'b'",
    ),
    "a password": (
        ["http://a:b@c"],
        "the URL: credentials do not belong into it; use --token-env or --ak with --sk-env",
    ),
    "an unknown group": (
        [URL, "--group", "rute"],
        f"no group is named 'rute'; the groups are {', '.join(GROUPS)}",
    ),
    "an unknown clause": (
        [URL, "--clause", "route.exampel"],
        "no clause matches 'route.exampel'; perhaps route.example; --list shows them all",
    ),
    "a listed clause": (["--list", "--clause", "xyz"], "no clause matches 'xyz'; --list shows them all"),
    "a rate of words": (
        [URL, "--rate", "fast"],
        "--rate: expected a number of requests per second, such as 5/s, got 'fast'",
    ),
    "a rate of zero": ([URL, "--rate", "0"], "--rate: expected a number of requests per second, such as 5/s, got '0'"),
    "no secret key": ([URL, "--ak", "A"], "--ak and --sk belong together"),
    "no access key": ([URL, "--sk", "A"], "--ak and --sk belong together"),
    "two tokens": ([URL, "--token", "A", "--token-env", "B"], "--token and --token-env: give one of them"),
    "two secret keys": ([URL, "--sk", "A", "--sk-env", "B"], "--sk and --sk-env: give one of them"),
    "no variable": (
        [URL, "--token-env", "NOT_THERE"],
        "--token-env: the environment has no NOT_THERE; export it first",
    ),
    "a short project": ([URL, "--project-id", "5"], "--project-id: expected 32 letters and digits, got '5'"),
    "a bare instance": (
        [URL, "--instance", "5"],
        "--instance: expected ID=VERSION, such as ...in07=2.0.48.231200, got '5'",
    ),
    "upgrades of nothing": (
        [URL, "--allow-upgrades"],
        "--allow-upgrades: name each instance that may be upgraded with --instance ID=VERSION",
    ),
    "another report": (
        [URL, "--report", "a.txt"],
        "--report: a.txt: expected a name that ends in one of .xml (JUnit), .json (JSON), .html (a page to read)",
    ),
    "another profile": (
        [URL, "--profile", "nope"],
        f"Invalid value for '--profile': 'nope' is not one of {PROFILES}. See `taurus-mock check --help`.",
    ),
}


@pytest.mark.parametrize("name", USAGE)
def test_a_mistake_in_the_command_line_is_told_in_one_line(
    name: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_this_process(command: str, plan: dict[str, Any]) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps({"command": command, **plan})))
        contract_tests.command.main()

    arguments, message = USAGE[name]
    monkeypatch.setattr("mockserver.checking._run", in_this_process)
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", "")  # so that what the command sets does not stay
    with pytest.raises(SystemExit) as ended:
        cli.main(["check", *arguments])
    output, errors = capfd.readouterr()
    # What is about to be checked may have been told before.
    told = errors.removeprefix(f"checking {URL} ...\n")
    assert (ended.value.code, output, told) == (2, "", f"taurus-mock: error: {message}\n")


def test_a_reader_that_has_read_enough_ends_the_run_without_a_traceback() -> None:
    command = [sys.executable, "-c", COMMAND, "check", "--dry-run", *QUICK]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()


# Secrets


@pytest.mark.parametrize(
    "flags",
    [("--token", SECRET), ("--token-env", "THE_SECRET"), ("--ak", "key", "--sk", SECRET)],
    ids=["token", "token-env", "sk"],
)
def test_no_secret_leaves_by_what_is_printed_or_written_or_by_arguments(
    flags: tuple[str, ...],
    echo: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[tuple[Any, Any]] = []

    class Popen(subprocess.Popen[str]):
        def __init__(self, arguments: list[str], **given: Any) -> None:  # noqa: ANN401  # whatever Popen takes
            started.append((arguments, {k: v for k, v in given["env"].items() if k != "THE_SECRET"}))
            super().__init__(arguments, **given)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    monkeypatch.setenv("THE_SECRET", SECRET)
    reports = [tmp_path / f"report.{kind}" for kind in ("xml", "json", "html")]
    written = [word for path in reports for word in ("--report", str(path))]
    with pytest.raises(SystemExit) as ended:
        cli.main(["check", echo, *QUICK, "--group", "authentication", *flags, *written])
    output, errors = capfd.readouterr()
    assert ended.value.code == 1
    assert "[Filtered]" in output
    assert len(started) == 1
    assert SECRET not in f"{output}{errors}{started}{''.join(path.read_text('utf-8') for path in reports)}"


# The same seed, the same run


@pytest.mark.parametrize("name", ["yes-and-no-accepted", "instances-once"])
def test_the_same_seed_sends_the_same_bytes_and_another_seed_sends_others(name: str) -> None:
    """To a target that remembers, too, as long as no former run has asked it."""
    sent, said = [], []
    for seed in ("0", "0", "7"):
        with recording(SOURCES[name]) as (url, recorder):
            # With a rate no request depends on how fast the machine is.
            done = run("check", url, "--max-examples", "2", "--seed", seed, "--rate", "100000")
        sent.append(recorder.sorted)
        said.append(re.sub(r"http://\S+:\d+|in \d+\.\d s", "", done.stdout))
    assert len(sent[0]) > 500
    assert (sent[0] == sent[1], sent[0] == sent[2]) == (True, False)
    assert said[0] == said[1]
    assert verdicts(said[0]) == verdicts(said[2])


def test_verdicts_depend_neither_on_the_order_of_tests_nor_on_processes(tmp_path: Path) -> None:
    (tmp_path / "backwards.py").write_text("def pytest_collection_modifyitems(items):\n    items.reverse()\n")
    groups = [word for name in ("body", "delay") for word in ("--contract-group", name)]
    settings = ("-c", "contract_tests/contract.ini", "--contract-profile", "quick", *groups)
    said = []
    for flags in ([], ["-p", "backwards"], ["-n", "2"]):
        with serving(SOURCES["yes-and-no-accepted"]) as url:
            done = run_pytest(*settings, "--contract-url", url, *flags, PYTHONPATH=str(tmp_path))
        assert done.returncode == 1, done.stdout + done.stderr
        said.append(verdicts(done.stdout))
    assert said[0] == said[1] == said[2]
    assert {clause for clause, mark in said[0].items() if mark == "BROKEN"} == {"delay.encoding"}


# Surroundings


def hostile(folder: Path) -> dict[str, str]:
    """Fill a folder with what must not be read; gives the environment that goes with it."""
    (folder / "contract_tests").mkdir()
    for name in ("contract_tests/__init__.py", "contract_tests/conftest.py", "conftest.py", "json.py", "pytest.py"):
        (folder / name).write_text(HOSTILE)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\nno setting\n")
    (folder / "pyproject.toml").write_text("no TOML")
    return {"PYTEST_ADDOPTS": "--nonsense", "PYTEST_PLUGINS": "nonsense", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": ""}


def test_a_hostile_working_directory_has_no_say_and_stays_as_it_is(tmp_path: Path) -> None:
    variables = hostile(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    # Generated requests are what Hypothesis would keep files for.
    done = run("check", "--max-examples", "1", "--group", "items", cwd=tmp_path, program=INSTALLED, **variables)
    assert (done.returncode, done.stderr) == (0, "checking the bundled mock ...\n")
    done = run("selftest", *QUICK, "--jobs", "1", "delay-string-only", cwd=tmp_path, program=INSTALLED, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(tmp_path.rglob("*")) == before


@not_on_windows
def test_a_working_directory_that_cannot_be_written_to_is_enough(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o555)
    try:
        done = run("check", "--max-examples", "1", cwd=tmp_path, program=INSTALLED)
    finally:
        tmp_path.chmod(0o755)
    assert (done.returncode, done.stderr) == (0, "checking the bundled mock ...\n")


# pytest by itself


def test_pytest_shows_the_table_and_passes_for_the_mock() -> None:
    with MockServer(Settings(port=0)) as mock:
        done = run_pytest("--contract-url", mock.url, "--contract-profile", "quick", "--contract-group", "items")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^=+ contract =+$", done.stdout, re.MULTILINE)
    assert set(verdicts(done.stdout).values()) == {"ok", "seen"}


def test_pytest_fails_with_words_for_an_implementation_that_is_wrong() -> None:
    with serving(SOURCES["yes-and-no-accepted"]) as url:
        done = run_pytest("--contract-url", url, "--contract-clause", "delay.*", "--contract-profile", "quick")
    assert done.returncode == 1
    assert "ContractBroken: delay.encoding is broken: " in done.stdout
    assert verdicts(done.stdout)["delay.encoding"] == "BROKEN"


def test_pytest_does_not_pass_where_no_good_call_was_accepted() -> None:
    with MockServer(Settings(port=0, scenario="not-found")) as mock:
        done = run_pytest("--contract-url", mock.url, "--contract-clause", "delay.*", "--contract-profile", "quick")
    assert done.returncode == 4, done.stdout


# Choosing and looking


def test_only_the_chosen_clauses_get_a_verdict() -> None:
    with MockServer(Settings(port=0)) as mock:
        by_clause = run("check", mock.url, *QUICK, "--clause", "delay.*", "--clause", "batch.present")
        by_group = run("check", mock.url, *QUICK, "--group", "delay")
    listed = re.findall(r"^  ([a-z-]+\.[a-z0-9-]+) ", run("check", "--list", "--group", "delay").stdout, re.MULTILINE)
    assert listed
    assert (by_clause.returncode, by_group.returncode) == (0, 0)
    assert list(verdicts(by_group.stdout)) == listed
    assert verdicts(by_clause.stdout).keys() == {each for each in listed if each[:6] == "delay."} | {"batch.present"}


def test_a_clause_is_explained_with_its_sources_and_what_is_accepted() -> None:
    done = run("explain", "delay.enc*", "route.example")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^[a-z].*", done.stdout, re.MULTILINE) == ["route.example", "delay.encoding"]
    assert len(re.findall(r"^  (?:Level|Sources|Sent|Accepted) ", done.stdout, re.MULTILINE)) == 8
    unknown = run("explain", "delay.encodin")
    message = "no clause matches 'delay.encodin'; perhaps delay.encoding; --list shows them all"
    assert (unknown.returncode, unknown.stderr) == (2, f"taurus-mock: error: {message}\n")


def test_a_dry_run_prints_requests_and_sends_none() -> None:
    with recording(SERVER.read_text("utf-8")) as (url, recorder):
        done = run("check", url, *QUICK, "--dry-run", "--token", SECRET)
    assert (done.returncode, recorder.requests) == (0, [])
    assert re.match(r"# a good call\ncurl .*\$URL", done.stdout)
    assert SECRET not in done.stdout


def test_the_number_of_generated_requests_can_be_chosen() -> None:
    with MockServer(Settings(port=0)) as mock:
        options = Options(url=mock.url, clauses=("delay.encoding",), rate=1e6)
        few, many = (check_here(replace(options, max_examples=number)).report.requests for number in (0, 40))
    assert few < many <= few + 40 * 2


def test_the_suite_tells_a_wrong_implementation_from_a_correct_one() -> None:
    done = run("selftest", *QUICK, "--jobs", "2", "yes-and-no-accepted", "delay-string-only")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.match(r"ok   yes-and-no-accepted +wrong: delay.encoding +delay.encoding\nok   delay-string", done.stdout)
    assert done.stdout.endswith(
        "\n1 of 1 wrong implementations found, 1 of them by the very clause that they break; "
        "0 of 1 correct ones blamed\n"
    )


# Proofs


@not_on_windows
@pytest.mark.parametrize(
    "name",
    [
        "get-accepted",
        "bad-utf8-replaced",
        "project-with-space",
        "resp-is-null",
        "long-id-fails",
        "empty-token-accepted",
        "call-after-refusal-fails",
        "remembered-by-start",
        "refused-instances-remembered",
        "upgraded-up-to-the-mistake",
        "repeat-fails",
    ],
)
def test_every_printed_curl_line_gets_the_same_answer_again(name: str) -> None:
    bash = shutil.which("bash")
    if not (bash and shutil.which("curl")):
        pytest.skip("there is no bash or no curl to run the lines with")
    with serving(SOURCES[name]) as url:
        result = check_here(Options(url=url, profile="quick", token=TOKEN, clauses=(CLAUSE_OF[name],)))
        findings = [verdict.finding for verdict in result.report.verdicts if verdict.finding]
        assert CLAUSE_OF[name] in {finding.clause for finding in findings}
        for finding in findings:
            done = subprocess.run(
                [bash, "-c", finding.curl], env=environment(TOKEN=TOKEN), capture_output=True, timeout=GUARD, check=True
            )
            *_, (status, body) = re.findall(r"\b(\d{3}) (\{.*\})", finding.received)
            output = done.stdout.decode()
            assert re.findall(r"^HTTP/1\.1 (\d{3})", output.replace("}HTTP", "}\nHTTP"), re.MULTILINE)[-1] == status
            assert output.endswith(body)
