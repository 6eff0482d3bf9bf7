"""Every case of `fixtures/cases` through two doors, the engine and real HTTP, and what the table itself must cover."""

from __future__ import annotations

import http.client
import io
import json
import re
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from cases import CLOCK, Case, CaseRequest, case_files, load_cases
from support import REQUEST_ID, send

from mockserver.app import to_api_request, to_response
from mockserver.documents import bundle
from mockserver.engine import MAX_BODY, Engine, load_engine
from mockserver.resources import bundle_root, read_object
from mockserver.running import MockServer
from mockserver.scenarios import ErrorAnswer, bundled_scenarios

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mockserver.model import ApiRequest
    from mockserver.settings import Settings

CASES = load_cases()
ERRORS: Any = read_object(bundle_root() / "fixtures" / "errors.json")
NOT_CAUSED_BY_A_CLIENT = {
    "fault-impossible": "only a server that cannot break connections answers it",
    "mock-failure": "only a bug of the mock causes it",
    "job-not-pending": "its request names a job, whose id only the mock can tell: tests/test_job_operations.py",
}

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
every_request = pytest.mark.parametrize(
    "case", [case for case in CASES if case.request.raw_recipe is None], ids=lambda case: case.id
)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header, which must come once; None when it does not come."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} comes {len(values)} times"
        return values[0] if values else None


@every_request
def test_the_engine_answers_as_the_case_says(case: Case) -> None:
    engine = _engine(case.settings)
    engine.store.clear_state()
    for earlier in case.before:
        assert engine.handle(_api_request(earlier)).reply.status < http.client.INTERNAL_SERVER_ERROR
    response = to_response(engine.handle(_api_request(case.request)))
    _check(case, Answer(response.status_code, tuple(response.headers), response.get_data()))


@every_case
def test_the_server_answers_as_the_case_says(case: Case, start: Callable[[Settings], MockServer]) -> None:
    url = start(case.settings).url
    reset = {"body": b'{"level": "state"}', "headers": {"Content-Type": "application/json"}}
    assert send(url, path="/__admin/reset", **reset).status == http.client.OK
    address = urlsplit(url)
    with (
        socket.create_connection((str(address.hostname), address.port), timeout=30) as client,
        client.makefile("rb") as reader,
    ):
        for earlier in case.before:
            assert _send(client, reader, earlier).status < http.client.INTERNAL_SERVER_ERROR
        answer = _send(client, reader, case.request)
        _check(case, answer, without_body=case.request.method == "HEAD")
        if (answer.header("Connection") or "").lower() != "close":
            client.sendall(b"GET /__admin/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert _receive(reader).status == 200, "the answer ended, but the connection is of no more use"


@cache
def _engine(settings: Settings) -> Engine:
    return load_engine(settings)


@pytest.fixture(scope="session")
def start() -> Iterator[Callable[[Settings], MockServer]]:
    """The running mock with given settings; one for each, at the time of the cases."""
    with ExitStack() as stack:

        @cache
        def running(settings: Settings) -> MockServer:
            return stack.enter_context(MockServer(settings, clock=lambda: CLOCK))

        yield running


def _api_request(request: CaseRequest) -> ApiRequest:
    return to_api_request(_environ(request), received_at=CLOCK, request_id=REQUEST_ID)


def _environ(request: CaseRequest) -> dict[str, Any]:
    """The request as a WSGI server hands it over."""
    body = request.body
    path, _, query = request.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "HTTP_HOST": "127.0.0.1:8080",
        "wsgi.input": io.BytesIO(body),
    }
    if request.transfer == "chunked":
        environ["wsgi.input_terminated"] = True
    elif request.transfer != "none":
        environ["CONTENT_LENGTH"] = str(len(body))
    given: dict[str, list[str]] = {}
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        given.setdefault("CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}", []).append(value)
    # WSGI carries header bytes as latin-1 text, and repeated headers as one.
    return environ | {key: ", ".join(values).encode().decode("latin-1") for key, values in given.items()}


def _send(client: socket.socket, reader: io.BufferedReader, request: CaseRequest) -> Answer:
    """Send a request as it stands, byte by byte, which no client library would, and read the answer."""
    if request.raw is not None:
        client.sendall(request.raw)
        return _receive(reader)
    body = request.body
    head = _head(request, len(body))
    if request.transfer == "expect-continue":
        client.sendall(head)
        interim = _receive(reader)
        if interim.status != http.client.CONTINUE:
            # RFC 9110 lets a server leave out 100 when there is no body, and only then is this the answer.
            assert not body, f"{interim.status} came before the body was sent"
            return interim
        client.sendall(body)
    else:
        client.sendall(head + (_chunked(body) if request.transfer == "chunked" else body))
    return _receive(reader, without_body=request.method == "HEAD")


def _head(request: CaseRequest, length: int) -> bytes:
    framing = {
        None: [f"Content-Length: {length}"],
        "expect-continue": [f"Content-Length: {length}", "Expect: 100-continue"],
        "chunked": ["Transfer-Encoding: chunked"],
        "none": [],
    }
    host = [] if any(name.lower() == "host" for name, _ in request.headers) else ["Host: 127.0.0.1"]
    headers = [f"{name}: {value}" for name, value in request.headers]
    lines = [f"{request.method} {request.target} HTTP/1.1", *host, *headers, *framing[request.transfer]]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def _chunked(body: bytes) -> bytes:
    """About ten chunks, so that tokens and characters are cut at chance places."""
    size = len(body) // 10 + 1
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])


def _receive(reader: io.BufferedReader, *, without_body: bool = False) -> Answer:
    status_line = reader.readline()
    assert status_line.startswith(b"HTTP/1."), f"the connection broke without an answer, after {status_line!r}"
    status = int(status_line.split()[1])
    headers = http.client.parse_headers(reader)
    is_empty = without_body or status == http.client.CONTINUE
    body = b"" if is_empty else reader.read(int(headers["Content-Length"]))
    return Answer(status, tuple(headers.items()), body)


def _check(case: Case, answer: Answer, *, without_body: bool = False) -> None:
    """What every answer must have, and what this one must be."""
    expected = case.expected
    assert answer.status == expected.status, answer
    assert answer.header("Content-Type") == "application/json"
    assert re.fullmatch(r"[0-9a-f]{32}", answer.header("X-Request-Id") or "")
    for name, value in expected.headers.items():
        assert answer.header(name) == value
    _check_violations(case, answer)
    if without_body:
        assert answer.body == b""
        return
    if expected.body is not None:
        assert answer.body.decode() == expected.body
    for pointer, value in expected.json.items():
        assert _at(json.loads(answer.body), pointer) == value, f"{pointer} of {answer.body.decode()}"
    if expected.status >= http.client.BAD_REQUEST:
        _check_error(case, answer)


def _at(value: Any, pointer: str) -> object:  # noqa: ANN401  # a JSON value
    """The value at a JSON pointer; None when there is none."""
    for part in pointer.split("/")[1:]:
        members = dict(enumerate(value)) if isinstance(value, list) else value
        value = members.get(int(part) if isinstance(value, list) else part)
    return value  # type: ignore[no-any-return]  # a JSON value


def _check_error(case: Case, answer: Answer) -> None:
    expected, body = case.expected, json.loads(answer.body)
    if expected.title is None:
        message = body["error_msg"]
        assert body["error_code"] == expected.error_code
        assert body.get("request_id") in {None, answer.header("X-Request-Id")}
    else:
        message = body["error"]["message"]
        assert body == {"error": {"code": answer.status, "message": message, "title": expected.title}}
    assert isinstance(message, str)
    for fragment in expected.error_msg:
        assert fragment in message
    if expected.error is not None:
        assert any(pattern.fullmatch(message) for pattern in _patterns(expected.error)), body
    if expected.violation is not None and expected.violation["in"] == "body":
        assert expected.violation["pointer"] in message
    if expected.violations is not None and expected.violations > 1:
        assert str(expected.violations - 1) in message, "the others are not counted"


def _check_violations(case: Case, answer: Answer) -> None:
    expected, header = case.expected, answer.header("X-Mock-Violations")
    if expected.violation is None:
        assert header is None
        return
    assert header is not None
    assert len(header.encode()) <= 4096
    document = json.loads(header)
    assert document["violations"][0] == expected.violation
    assert expected.violations in {None, document["total"]}
    assert all(row.keys() == {"in", "pointer", "rule", "clause"} for row in document["violations"])
    # A row has less than 200 bytes, so that 20 always have room.
    assert min(document["total"], 20) <= len(document["violations"]) <= document["total"]


def _patterns(error: str) -> list[re.Pattern[str]]:
    """The text of an error in each language, with anything in the place of a {placeholder}."""
    texts: dict[str, str] = ERRORS["errors"][error]["text"]
    # What an error is about follows in brackets.
    return [
        re.compile(".*".join(map(re.escape, re.split(r"\{\w+\}", text))) + r"( \(.*\)|（.*）)?", re.DOTALL)
        for text in texts.values()
    ]


def test_the_table_is_large_and_its_ids_are_unique() -> None:
    ids = [case.id for case in CASES]
    assert len(ids) >= 150
    assert sorted(set(ids)) == sorted(ids)


def test_each_file_is_named_like_its_group() -> None:
    assert [path.stem for path in case_files()] == sorted({case.group for case in CASES})


def test_the_id_of_a_case_with_a_violation_begins_with_its_clause() -> None:
    clauses = {case.id: case.expected.violation["clause"] for case in CASES if case.expected.violation}
    assert [name for name, clause in clauses.items() if not name.startswith(f"{clause}.")] == []


def test_each_clause_of_a_request_has_a_case() -> None:
    clauses = _request_clauses()
    assert {"project-id.form", "delay.encoding", "item.object", "batch.maximum"} <= clauses  # the search finds them
    assert clauses - {case.expected.violation["clause"] for case in CASES if case.expected.violation} == set()


def test_each_text_of_a_violation_has_a_case() -> None:
    texts = set(ERRORS["violations"])
    broken = [case.expected.violation for case in CASES if case.expected.violation]
    used = {violation["clause"] if violation["clause"] in texts else violation["rule"] for violation in broken}
    assert used == texts


def test_each_error_that_a_client_can_cause_has_a_case() -> None:
    clauses = [case.expected.violation["clause"] for case in CASES if case.expected.violation]
    caused = {case.expected.error for case in CASES if case.expected.error}
    caused |= {ERRORS["violations"].get(clause, {}).get("error", "bad-request") for clause in clauses}
    # test_choosing.py has every scenario, and the tests of the admin API have its errors.
    steps = [step for scenario in bundled_scenarios(ERRORS["errors"]).values() for step in scenario.steps]
    simulated = {step.answer.error for step in steps if isinstance(step.answer, ErrorAnswer)}
    of_admin = {name for name in ERRORS["errors"] if name.startswith("admin-")}
    assert caused | simulated == set(ERRORS["errors"]) - set(NOT_CAUSED_BY_A_CLIENT) - of_admin


def test_each_source_is_one_of_the_listed_sources() -> None:
    readme = (bundle_root() / "schemas" / "README.md").read_text("utf-8")
    known = set(re.findall(r"(?m)^- `([a-z0-9-]+)`:", readme.partition("## Sources")[2]))
    assert {source for case in CASES for source in case.source} - known == set()


def test_bodies_around_the_limit_are_exactly_as_long_as_they_say() -> None:
    sizes = {case.id.rpartition(".")[2]: len(case.request.body) for case in CASES if case.id.startswith("size.")}
    assert sizes["exactly-the-limit"] == MAX_BODY
    assert sizes["one-byte-more"] == MAX_BODY + 1


def _request_clauses() -> set[str]:
    """Every clause in `x-clauses` of what a request consists of."""
    document: Any = bundle()
    nodes: list[Any] = [
        operation.get(part, {})
        for item in document["paths"].values()
        for operation in item.values()
        for part in ("parameters", "requestBody")
    ]
    found: set[str] = set()
    while nodes:
        node = nodes.pop()
        if isinstance(node, list):
            nodes += node
        elif isinstance(node, dict):
            nodes += node.values()
            if "$ref" in node:
                _, kind, name = str(node["$ref"]).rsplit("/", 2)
                nodes.append(document["components"][kind][name])
            found.update([node["x-clause-required"]] if "x-clause-required" in node else [])
            for clause in node.get("x-clauses", {}).values():
                found.update(clause.values() if isinstance(clause, dict) else [clause])
    return found
