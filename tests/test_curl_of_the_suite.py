"""Requests as lines for a shell: bash and curl send with them what the suite sent."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

import pytest
from processes import GUARD
from support import PROJECT_ID, UPGRADE_PATH

from contract_tests.calls import Calls, Habits, without
from contract_tests.curl import curl, curl_at_once
from contract_tests.messages import Request
from contract_tests.options import Instance

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN, AUTHORIZATION = "a-secret 'of' \"quotes\" $HOME `id` \\", "SDK-HMAC-SHA256 Access=a, Signature=$b"  # made up
HABITS = Habits(
    PROJECT_ID,
    (False,),
    (Instance("6754902da1f447269c6979b0590102a5in07", "2.0.48.231200"),),
    takes_any_instance=True,
    refuses_projects_with=frozenset(),
)
CALLS = Calls("", (("X-Auth-Token", "$TOKEN"),), HABITS, seed=0, safe=False)
GOOD = CALLS.good()
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


class Received(NamedTuple):
    method: str
    target: str
    """As it came, with one character for a byte."""
    headers: dict[str, list[str]]
    """By lower-case name."""
    body: bytes
    port: int
    """Of the client, by which one connection is told from another."""


class Recorder(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Recording)
        self.received: list[Received] = []
        self.gate: threading.Barrier | None = None
        """Where requests wait for each other before they are answered."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Recording(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def handle_one_request(self) -> None:
        """Record any method."""
        self.raw_requestline = self.rfile.readline()
        if not self.raw_requestline:
            self.close_connection = True
            return
        if not self.parse_request():
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers: dict[str, list[str]] = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        target = self.raw_requestline.split(b" ")[1].decode("latin-1")
        self.server.received.append(Received(self.command, target, headers, body, self.client_address[1]))
        if self.server.gate:
            self.server.gate.wait(GUARD)
        self.send_response(400)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def recording() -> Iterator[Recorder]:
    with Recorder() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    with recording() as server:
        yield server


@pytest.fixture
def shell() -> str:
    """The path of bash, where curl and what unpacks bodies are, too."""
    missing = [name for name in ("bash", "curl", "base64", "gunzip") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")
    return str(shutil.which("bash"))


def run(shell: str, line: str) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ["PATH"], "NO_PROXY": "*", "TOKEN": TOKEN, "AUTHORIZATION": AUTHORIZATION}
    return subprocess.run([shell, "-c", line], env=environment, capture_output=True, timeout=GUARD, check=True)


def sent(shell: str, recorder: Recorder, *requests: Request) -> list[Received]:
    """What arrives when bash runs the line for some requests."""
    recorder.received.clear()
    result = run(shell, curl(recorder.url, requests))
    assert result.stderr == b""
    assert result.stdout.count(b"HTTP/1.1 400") == len(requests)
    return list(recorder.received)


IMPORTANT = {
    "x-auth-token",
    "authorization",
    "content-type",
    "accept",
    "accept-encoding",
    "x-language",
    "content-length",
}


def expected(request: Request) -> tuple[str, str, dict[str, list[str]], bytes]:
    """The request as it should arrive, with the secrets in it."""
    headers: dict[str, list[str]] = {"content-length": [str(len(request.body))]}
    for name, value in request.headers:
        plain = value.replace("$TOKEN", TOKEN).replace("$AUTHORIZATION", AUTHORIZATION)
        headers[name.lower()] = [plain.strip()]
    if request.method not in {"POST", "PUT", "PATCH"} and not request.body:
        headers.pop("content-length")
    return request.method, request.target.encode().decode("latin-1"), headers, request.body


def compared(received: Received, request: Request) -> tuple[str, str, dict[str, list[str]], bytes]:
    """What arrived, without headers that neither the request nor the contract knows."""
    known = IMPORTANT | {name.lower() for name, _ in request.headers}
    return (
        received.method,
        received.target,
        {name: values for name, values in received.headers.items() if name in known},
        received.body,
    )


def with_body(body: bytes | str) -> Request:
    return Request("POST", "/a", GOOD.headers, body if isinstance(body, bytes) else body.encode())


REQUESTS = {
    "the-good-call": GOOD,
    "a-hundred-instances": CALLS.good(count=100),
    "a-thousand-instances": CALLS.good(count=1000),
    "no-body": with_body(b""),
    "every-printable-character": with_body(PRINTABLE),
    "every-control-character-but-nul": with_body("".join(map(chr, range(1, 0x20))) + "\x7f"),
    "nul": with_body(b"a\0b"),
    "every-byte": with_body(bytes(range(256))),
    "bytes-that-are-no-utf-8": with_body(b'{"a":"\xff"}'),
    "chinese": with_body('{"a":"参数 😀"}'),
    "a-byte-order-mark": with_body("\ufeff{}"),
    "line-ends": with_body("\r\n{}\r\n\n"),
    "white-space": with_body(" \t "),
    "an-at-sign-first": with_body("@/etc/hostname"),
    "a-hyphen-first": with_body("-X"),
    "the-word-next": with_body("--next"),
    "shell-words": with_body("$(id) `id` ${HOME} $HOME \\$ !! ; & | > < * ? ~ # ' '' \" \\"),
    "an-odd-number-of-quotes": with_body("'\"'"),
    "two-thousand-bytes": with_body(b"x" * 2000),
    "more-than-two-thousand-bytes": with_body("库" * 1000),
    "three-hundred-thousand-bytes": with_body(b"x" * 300_000),
    "bottomless": with_body(b"[" * 100_000),
    "get": Request("GET", UPGRADE_PATH, GOOD.headers),
    "get-with-body": Request("GET", UPGRADE_PATH, GOOD.headers, b"{}"),
    "delete": Request("DELETE", "/", ()),
    "put-without-body": Request("PUT", "/", ()),
    "patch-without-body": Request("PATCH", "/", GOOD.headers),
    "a-made-up-method": Request("UPGRADE", "/", GOOD.headers, b"{}"),
    "no-headers": Request("POST", "/", (), b"{}"),
    "no-media-type": without(GOOD, "Content-Type"),
    "an-empty-media-type": without(GOOD, "Content-Type", ("Content-Type", "")),
    "an-empty-token": without(GOOD, "X-Auth-Token", ("X-Auth-Token", "")),
    "a-blank-token": without(GOOD, "X-Auth-Token", ("X-Auth-Token", "  \t ")),
    "no-token": without(GOOD, "X-Auth-Token"),
    "a-signature": without(GOOD, "X-Auth-Token", ("Authorization", "$AUTHORIZATION")),
    "a-token-in-a-scheme": without(GOOD, "X-Auth-Token", ("Authorization", "Bearer $TOKEN")),
    "header-names-in-capitals": Request("POST", "/", tuple((name.upper(), text) for name, text in GOOD.headers), b"{}"),
    "its-own-length": Request("POST", "/", (*GOOD.headers, ("content-length", "2")), b"{}"),
    "a-header-of-every-character": Request("POST", "/", (*GOOD.headers, ("X-Language", PRINTABLE.strip()))),
    "dots-in-the-path": Request("POST", "/a/./b/../c/", GOOD.headers, b"{}"),
    "two-slashes": Request("POST", "//v3//a", GOOD.headers, b"{}"),
    "escapes-in-the-path": Request("POST", "/a%20b%2Fc%00%0A%ff", GOOD.headers, b"{}"),
    "brackets-in-the-path": Request("POST", "/[1-3]/{a,b}/", GOOD.headers, b"{}"),
    "shell-words-in-the-path": Request("POST", "/a;id&b='$HOME'(c)!*~+:@,`|", GOOD.headers, b"{}"),
    "query": Request("POST", "/a?b=c&d=%20&e", GOOD.headers, b"{}"),
}  # fmt: skip


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_curl_sends_what_the_suite_sent(shell: str, recorder: Recorder, request_: Request) -> None:
    [received] = sent(shell, recorder, request_)
    assert compared(received, request_) == expected(request_)


def test_letters_beyond_ascii_may_arrive_as_escapes(shell: str, recorder: Recorder) -> None:
    """It depends on the version of curl; the suite escapes them itself."""
    [received] = sent(shell, recorder, Request("POST", "/é/库", GOOD.headers, b"{}"))
    assert unquote(received.target, "latin-1").encode("latin-1") == "/é/库".encode()


def test_several_requests_go_over_one_connection_in_their_order(shell: str, recorder: Recorder) -> None:
    requests = [
        GOOD,
        without(GOOD, "X-Auth-Token"),
        Request("GET", "/", ()),
        with_body(b"x" * 5000),
        with_body("'"),
        Request("POST", "/", ()),
        GOOD,
    ]
    received = sent(shell, recorder, *requests)
    assert [compared(*pair) for pair in zip(received, requests, strict=True)] == [expected(each) for each in requests]
    assert len({each.port for each in received}) == 1


def test_of_several_long_bodies_every_one_arrives(shell: str, recorder: Recorder) -> None:
    twice = with_body(b"c\0" * 3000)
    requests = [with_body(b"a" * 200_000), twice, GOOD, twice, with_body(b"@b"), GOOD]
    received = sent(shell, recorder, *requests)
    assert [each.body for each in received] == [request.body for request in requests]


def test_requests_at_once_go_out_at_the_same_moment(shell: str) -> None:
    requests = [with_body(f'{{"number": {number}}}') for number in range(7)] + [with_body(b"\xff" * 3000)]
    with recording() as recorder:
        recorder.gate = threading.Barrier(len(requests))
        run(shell, curl_at_once(recorder.url, requests))
        assert not recorder.gate.broken
    assert sorted(each.body for each in recorder.received) == sorted(request.body for request in requests)
    assert len({each.port for each in recorder.received}) == len(requests)


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_line_has_names_in_place_of_secrets_and_can_be_written_anywhere(request_: Request) -> None:
    line = curl("http://127.0.0.1:1", [request_])
    assert "a-secret" not in line
    assert ("$TOKEN" in line) == any("$TOKEN" in value for _, value in request_.headers)
    assert "\0" not in line
    assert line.encode().decode() == line
    assert len(line) < 30_000


def test_a_line_is_what_a_person_would_write() -> None:
    request = Request("POST", "/v3/a", (("Content-Type", "application/json"), ("X-Auth-Token", "$TOKEN")), b'{"a": 1}')
    assert curl("http://127.0.0.1:8080", [request]) == (
        "curl -sS -i --path-as-is --globoff -X POST -H 'Content-Type: application/json' "
        '-H "X-Auth-Token: $TOKEN" -H accept: -H expect: --data-binary \'{"a": 1}\' http://127.0.0.1:8080/v3/a'
    )
    get = Request("GET", "/", (("X-Auth-Token", ""),))
    line = curl("http://127.0.0.1:8080", [get, get])
    assert line.count(" --next -sS -i --path-as-is --globoff -X GET -H 'X-Auth-Token;'") == 1
    at_once = curl_at_once("http://127.0.0.1:8080", [get, request])
    assert at_once.count(" & ") == 2
    assert at_once.endswith(" & wait")


def test_a_long_body_comes_through_a_pipe() -> None:
    line = curl("http://127.0.0.1:1", [with_body(b"[" * 100_000)])
    assert line.startswith("printf %s H4sI")
    assert " | base64 -d | gunzip | curl " in line
    assert " --data-binary @- " in line
    assert len(line) < 1000
