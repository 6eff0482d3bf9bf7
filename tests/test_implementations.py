"""The collection that the contract suite is tested with: each change is one line, and what must work works."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from implementations.changes import CORRECT, SERVER, WRONG, Change, base, source
from support import INSTANCE, PROJECT_ID, UPGRADE_PATH, batch

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = (*WRONG, *CORRECT)
UNCHANGED = SERVER.read_text("utf-8")
HEADERS = {"X-Auth-Token": "a-token", "Content-Type": "application/json"}
EXAMPLE = json.dumps(batch()).encode()
CHUNKS = b"%x;part=1\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(EXAMPLE), EXAMPLE)


@contextmanager
def serving(text: str) -> Iterator[str]:
    """The address of a server with this source; it ends with the block."""
    namespace: dict[str, object] = {"__name__": "server"}
    exec(compile(text, SERVER.name, "exec"), namespace)  # noqa: S102  # the source is ours, with a line of ours
    server = namespace["Server"]()  # type: ignore[operator]  # the source says what it is
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server.url
    finally:
        server.close()
        thread.join()


@contextmanager
def connected(url: str) -> Iterator[http.client.HTTPConnection]:
    address = urlsplit(url)
    with closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)) as connection:
        yield connection


def call(
    connection: http.client.HTTPConnection,
    body: object = EXAMPLE,
    *,
    method: str = "POST",
    path: str = UPGRADE_PATH,
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, object]]:
    """Status and object that answer the documented example, or something else, with a token unless told otherwise."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, data, HEADERS if headers is None else headers)
    reply = connection.getresponse()
    value = json.loads(reply.read())
    assert isinstance(value, dict)
    return reply.status, value


def call_once(url: str, body: object) -> tuple[int, dict[str, object]]:
    """On a connection of its own, since a server may end one whenever it likes."""
    with connected(url) as connection:
        return call(connection, body)


def test_there_are_enough_changes_of_both_kinds() -> None:
    assert len(WRONG) >= 60
    assert len(CORRECT) >= 15


@pytest.mark.parametrize(
    "aspect",
    [lambda change: change.name, lambda change: (change.old, change.new, change.remembers)],
    ids=["name", "line"],
)
def test_no_change_is_there_twice(aspect: object) -> None:
    counted = Counter(map(aspect, ALL))  # type: ignore[call-overload]  # both aspects take a change
    assert [found for found, times in counted.items() if times > 1] == []


def test_every_change_says_what_it_is_and_what_it_breaks() -> None:
    assert [change.name for change in ALL if not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", change.name)] == []
    assert [change.name for change in ALL if not re.fullmatch(r"[A-Z].*[^.]\.", change.summary)] == []
    assert [change.name for change in WRONG if not re.fullmatch(r"[a-z-]+\.[a-z0-9-]+", change.clause)] == []
    assert [change.name for change in CORRECT if change.clause] == []


def test_every_change_replaces_exactly_one_line_of_the_server() -> None:
    for change in ALL:
        lines, changed = base(remembers=change.remembers).splitlines(), source(change).splitlines()
        different = [(old, new) for old, new in zip(lines, changed, strict=True) if old != new]
        indentation = different[0][0].removesuffix(change.old)
        assert different == [(indentation + change.old, indentation + change.new)], change.name
        assert not indentation.strip(), change.name


def test_every_changed_server_is_a_program() -> None:
    for change in ALL:
        compile(source(change), change.name, "exec")


@pytest.mark.parametrize(("line", "times"), [("nowhere = 1", 0), ("payload: dict[str, object] = {}", 2)])
def test_a_change_of_a_line_that_is_not_there_once_is_an_error(line: str, times: int) -> None:
    with pytest.raises(ValueError, match=rf"a-name: .* occurs {times} times in server.py, not once"):
        source(Change("a-name", "", "", line, "pass"))


GOOD = {
    "the example": EXAMPLE,
    "true": batch(delay=True),
    "the string true": batch(delay="true"),
    "the string false": batch(delay="false"),
    "a batch of 100": batch(*[INSTANCE] * 100),
    "an empty batch": {"databases_instance_infos": [], "delay": False},
    "unknown keys": batch(INSTANCE | {"more": 1}) | {"more": [None]},
    "a lone surrogate": batch(INSTANCE | {"instance_id": "\ud800"}),
    "a long number": EXAMPLE[:-1] + b', "more": ' + b"1" * 5000 + b"}",
    "line ends": json.dumps(batch(), indent=1).encode(),
}
BAD = {
    "no body": b"",
    "white space": b" \n",
    "no JSON": b"hello",
    "trailing garbage": EXAMPLE + b"x",
    "NaN": EXAMPLE[:-1] + b', "more": NaN}',
    "a byte order mark": b"\xef\xbb\xbf" + EXAMPLE,
    "bytes that are no UTF-8": EXAMPLE.replace(b"in07", b"\xff"),
    "deep nesting": b"[" * 100_000,
    "null": None,
    "an array": [batch()],
    "no batch": {"delay": False},
    "a batch that is an object": {"databases_instance_infos": INSTANCE, "delay": False},
    "a bad item after many good ones": batch(*[INSTANCE] * 60, 5),
    "no id": batch({"current_version": "2.0.48.231200"}),
    "an id that is a number": batch(INSTANCE | {"instance_id": 5}),
    "no version": batch({"instance_id": "an-id"}),
    "a version that is null": batch(INSTANCE | {"current_version": None}),
    "no delay": {"databases_instance_infos": [INSTANCE]},
    "a delay of 1": batch(delay=1),
    "a delay of yes": batch(delay="yes"),
    "a delay that is an array": batch(delay=[]),
}


def test_the_unchanged_server_accepts_good_bodies_on_one_connection() -> None:
    with serving(UNCHANGED) as url, connected(url) as connection:
        answers = {name: call(connection, body) for name, body in GOOD.items()}
    assert answers == dict.fromkeys(GOOD, (200, {"resp": "success"}))


def test_the_unchanged_server_refuses_bad_bodies_on_one_connection() -> None:
    with serving(UNCHANGED) as url, connected(url) as connection:
        answers = {name: call(connection, body) for name, body in BAD.items()}
        assert call(connection)[0] == 200
    assert {name: (status, *value) for name, (status, value) in answers.items()} == dict.fromkeys(
        BAD, (400, "error_code", "error_msg")
    )


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (404, {"path": UPGRADE_PATH + "/"}),
        (405, {"method": "GET"}),
        (401, {"headers": {"Content-Type": "application/json"}}),
        (401, {"headers": HEADERS | {"X-Auth-Token": ""}}),
        (401, {"headers": {"Authorization": "Bearer a-token"}}),
        (200, {"headers": {"Authorization": "SDK-HMAC-SHA256 Access=a"}}),
        (400, {"headers": HEADERS | {"Content-Type": "text/plain"}}),
        (200, {"headers": HEADERS | {"Content-Type": "application/json; charset=UTF-8"}}),
        (400, {"path": UPGRADE_PATH.replace(PROJECT_ID, PROJECT_ID[1:])}),
        (400, {"path": UPGRADE_PATH.replace(PROJECT_ID, PROJECT_ID + "%0A")}),
        (400, {"path": UPGRADE_PATH.replace(PROJECT_ID, PROJECT_ID[1:] + "%D9%A3")}),
        (200, {"path": UPGRADE_PATH.replace(PROJECT_ID, "Z" * 32)}),
        (200, {"path": UPGRADE_PATH + "?more=1"}),
        (
            200,
            {"headers": HEADERS | {"Transfer-Encoding": "chunked"}, "body": CHUNKS},
        ),
        (200, {"headers": HEADERS | {"Expect": "100-continue"}}),
    ],
    ids=lambda value: None if isinstance(value, int) else "-".join(value),
)
def test_the_unchanged_server_looks_at_every_part_of_a_call(status: int, change: dict[str, object]) -> None:
    with serving(UNCHANGED) as url, connected(url) as connection:
        assert call(connection, **change)[0] == status  # type: ignore[arg-type]  # the table has the right types
        assert call(connection)[0] == 200


def test_the_unchanged_server_speaks_chinese_when_asked() -> None:
    with serving(UNCHANGED) as url, connected(url) as connection:
        status, value = call(connection, batch(delay=1), headers=HEADERS | {"X-Language": "zh-cn"})
    assert (status, value["error_msg"]) == (400, "delay 既不是 true 也不是 false。")


OTHER = INSTANCE | {"instance_id": "another"}
UPGRADES = {
    "an instance": (batch(), 200),
    "it again, with another delay": (batch(delay=True), 409),
    "it with another": (batch(OTHER, INSTANCE), 409),
    "another twice": (batch(OTHER, OTHER), 200),
    "it again among new ones": (batch(INSTANCE | {"instance_id": "third"}, OTHER), 409),
    "a batch that is refused for something else": (batch(INSTANCE | {"instance_id": "third"}, 5), 400),
    "what no accepted call had": (batch(INSTANCE | {"instance_id": "third"}), 200),
}


def test_a_server_that_remembers_upgrades_each_instance_of_a_project_once() -> None:
    with serving(base(remembers=True)) as url, connected(url) as connection:
        answers = {name: call(connection, body)[0] for name, (body, _) in UPGRADES.items()}
        elsewhere = call(connection, path=UPGRADE_PATH.replace(PROJECT_ID, "Z" * 32))
    assert answers == {name: status for name, (_, status) in UPGRADES.items()}
    assert elsewhere == (200, {"resp": "success"})


def test_the_server_remembers_when_one_line_says_so() -> None:
    assert base(remembers=False) == UNCHANGED
    assert base(remembers=True) == source(Change("a", "", "", "REMEMBERS = False", "REMEMBERS = True"))


@pytest.mark.parametrize("change", CORRECT, ids=lambda change: change.name)
def test_a_correct_variation_takes_the_example_and_refuses_one_without_delay(change: Change) -> None:
    with serving(source(change)) as url:
        refused, error = call_once(url, {"databases_instance_infos": [INSTANCE]})
        answers = [call_once(url, batch(delay=delay)) for delay in (False, "false")]
    assert [value["resp"] for status, value in answers if status == 200][:1] == ["success"]
    assert {status for status, _ in answers} <= {200, 400, 403, 404, 409}
    assert refused == 400
    assert all(isinstance(error[key], str) for key in ("error_code", "error_msg"))


def test_the_server_says_where_it_serves() -> None:
    with subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.fullmatch(r"ready url=(http://127\.0\.0\.1:\d+)\n", process.stdout.readline())
            assert found
            with connected(found[1]) as connection:
                assert call(connection) == (200, {"resp": "success"})
        finally:
            process.kill()
