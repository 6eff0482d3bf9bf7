"""The journal: order and numbers, its two bounds, what it drops, what it hides, and counts under threads."""

from __future__ import annotations

import json
import socket
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from support import INSTANCE, NOW, PROJECT_ID, api_request, batch, send

from mockserver.filtering import FILTERED
from mockserver.journal import NO_PROJECT, Entry, Journal
from mockserver.model import Delivery, Exchange, Reply, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import StartMock

THREADS, EACH = 16, 200
KILOBYTE = b"x" * 1024


def exchange(
    project: str | None = PROJECT_ID,
    body: object = b"",
    *,
    received_at: float = NOW,
    headers: Mapping[str, str] | None = None,
    reply: Reply | None = None,
    **trail: Any,  # noqa: ANN401  # the rest of an Exchange
) -> Exchange:
    request = api_request(body, received_at=received_at, headers=headers or {})
    return Exchange(request, reply or Reply(200, b""), project_id=project, **trail)


def numbers(journal: Journal, project: str | None = None) -> list[int]:
    return [entry.number for entry in journal.entries(project)]


def test_requests_are_kept_in_order_and_numbered_per_project() -> None:
    journal = Journal()
    for second, project in enumerate(["a", "b", "a", "a", "b"]):
        journal.add(exchange(project, received_at=NOW + second), 0.0)
    assert (numbers(journal, "a"), numbers(journal, "b"), numbers(journal, "c")) == ([1, 2, 3], [1, 2], [])
    assert [(entry.exchange.project_id, entry.number) for entry in journal.entries()] == [
        ("a", 1), ("b", 1), ("a", 2), ("a", 3), ("b", 2),
    ]  # fmt: skip
    assert [entry.number for entry in journal.entries("a", lambda entry: entry.number != 2)] == [1, 3]


def test_a_project_keeps_its_newest_requests_and_counts_the_dropped() -> None:
    journal = Journal(per_project=3)
    for _ in range(5):
        journal.add(exchange("a"), 0.0)
    journal.add(exchange("b"), 0.0)
    assert numbers(journal, "a") == [3, 4, 5]
    assert journal.counts("a") == {"total": 5, "dropped": 2}
    assert journal.counts("b") == {"total": 1, "dropped": 0}
    assert journal.counts("c") == {"total": 0, "dropped": 0}
    assert journal.counts() == {"total": 6, "dropped": 2}


def test_the_longest_idle_project_gives_first_when_bytes_run_out() -> None:
    size = Entry(1, exchange("a", KILOBYTE), 0.0).size
    journal = Journal(max_bytes=4 * size)
    for project in ["idle", "busy", "idle", "busy"]:
        journal.add(exchange(project, KILOBYTE), 0.0)
    assert (numbers(journal, "idle"), numbers(journal, "busy")) == ([1, 2], [1, 2])
    journal.add(exchange("busy", KILOBYTE), 0.0)
    assert (numbers(journal, "idle"), numbers(journal, "busy")) == ([2], [1, 2, 3])
    journal.add(exchange("new", KILOBYTE), 0.0)
    assert (numbers(journal, "idle"), numbers(journal, "busy")) == ([], [1, 2, 3])
    journal.add(exchange("new", KILOBYTE), 0.0)
    assert (numbers(journal, "busy"), numbers(journal, "new")) == ([2, 3], [1, 2])
    assert journal.counts("idle") == {"total": 2, "dropped": 2}
    assert journal.counts() == {"total": 7, "dropped": 3}


@pytest.mark.parametrize(
    "large",
    [
        exchange(body=KILOBYTE * 64),
        exchange(reply=Reply(200, KILOBYTE * 64)),
        exchange(headers={"X-Large": "x" * 65536}),
    ],
    ids=["body", "reply", "headers"],
)
def test_everything_large_of_a_request_counts_as_bytes(large: Exchange) -> None:
    journal = Journal(max_bytes=100_000)
    for _ in range(3):
        journal.add(large, 0.0)
    assert numbers(journal) == [3]


def test_a_request_that_is_larger_than_the_journal_is_counted_only() -> None:
    journal = Journal(max_bytes=2000)
    journal.add(exchange("a"), 0.0)
    journal.add(exchange("b", KILOBYTE * 2), 0.0)
    assert journal.entries() == []
    assert journal.counts() == {"total": 2, "dropped": 2}
    journal.add(exchange("c"), 0.0)
    assert numbers(journal) == [1]


def test_at_most_ten_thousand_projects_are_remembered() -> None:
    """Those that lost their last entry to the bound of bytes included."""
    journal = Journal(max_bytes=10_000)
    for number in range(10_001):
        journal.add(exchange(str(number)), 0.0)
    assert journal.counts("0") == {"total": 0, "dropped": 0}
    assert journal.counts("1") == {"total": 1, "dropped": 1}
    assert journal.counts("10000") == {"total": 1, "dropped": 0}


@pytest.mark.parametrize(("project", "left"), [("a", ["b"]), ("b", ["a"]), (None, []), ("c", ["a", "b"])])
def test_entries_are_cleared_for_one_project_or_all(project: str | None, left: list[str]) -> None:
    journal = Journal()
    for name in ("a", "b"):
        journal.add(exchange(name), 0.0)
    journal.clear(project)
    assert [entry.exchange.project_id for entry in journal.entries()] == left
    assert journal.counts() == {"total": len(left), "dropped": 0}
    for name in ("a", "b"):
        journal.add(exchange(name), 0.0)
        assert numbers(journal, name)[-1] == (2 if name in left else 1)


def test_cleared_entries_give_their_bytes_back() -> None:
    journal = Journal(max_bytes=10_000)
    for _ in range(50):
        journal.clear("a")
        journal.add(exchange("a", KILOBYTE * 6), 0.0)
    journal.add(exchange("b"), 0.0)
    assert (numbers(journal, "a"), numbers(journal, "b")) == ([1], [1])


def test_requests_without_a_project_have_a_place_of_their_own() -> None:
    journal = Journal()
    journal.add(exchange(None), 0.0)
    journal.add(exchange("a"), 0.0)
    assert [entry.exchange.project_id for entry in journal.entries(NO_PROJECT)] == [None]
    assert journal.entries(NO_PROJECT)[0].to_json()["project_id"] is None
    assert journal.counts(NO_PROJECT) == {"total": 1, "dropped": 0}
    journal.clear(NO_PROJECT)
    assert [entry.exchange.project_id for entry in journal.entries()] == ["a"]


@pytest.mark.parametrize("per_project", [THREADS * EACH, 50], ids=["unbounded", "bounded"])
def test_no_thread_loses_a_request_or_takes_anothers_number(per_project: int) -> None:
    journal = Journal(per_project=per_project)

    def add(thread: int) -> None:
        for request in range(EACH):
            project = "shared" if request % 2 else f"own-{thread}"
            journal.add(exchange(project, f"{thread} {request}".encode()), 0.0)
            if request % 50 == thread:
                journal.entries(project)  # readers file what has arrived, while others add

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(add, thread) for thread in range(THREADS)]:
            done.result()
    counts = {"shared": THREADS * EACH // 2, **{f"own-{thread}": EACH // 2 for thread in range(THREADS)}}
    for project, count in counts.items():
        kept = min(count, per_project)
        assert numbers(journal, project) == list(range(count - kept + 1, count + 1))
        assert journal.counts(project) == {"total": count, "dropped": count - kept}
        bodies = [tuple(map(int, entry.exchange.request.body.split())) for entry in journal.entries(project)]
        assert len(set(bodies)) == kept
        for thread in range(THREADS):
            own = [request for by, request in bodies if by == thread]
            assert own == sorted(own)
    assert journal.counts()["total"] == THREADS * EACH


class Watched(Exchange):
    """An exchange that weak references can follow: a subclass without slots."""


@pytest.mark.parametrize(("size", "held"), [(10, 64), (100_000, 1)], ids=["small", "large"])
def test_what_waits_to_be_filed_is_bounded_although_nobody_reads(size: int, held: int) -> None:
    journal = Journal(per_project=1)
    watched = []
    for _ in range(1000):
        made = Watched(api_request(b"x" * size), Reply(200, b""))
        watched.append(weakref.ref(made))
        journal.add(made, 0.0)
    del made
    assert sum(each() is not None for each in watched) <= held


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "X-Auth-Token",
        "X-Security-Token",
        "X-Subject-Token",
        "X-Admin-Token",
        "Cookie",
        "Proxy-Authorization",
    ],
)
def test_no_secret_of_a_header_is_shown(name: str) -> None:
    entry = Entry(1, exchange(headers={name: "hidden-value", "X-Language": "en-us"}), 0.0)
    assert entry.to_json()["headers"] == {name.lower(): FILTERED, "x-language": "en-us"}
    assert "hidden-value" not in json.dumps(entry.to_json())


def test_an_entry_shows_the_request_its_reply_and_the_reasons() -> None:
    violation = Violation("body", "/delay", "type", "delay-type")
    reply = Reply(500, b'{"a":1}', delivery=Delivery(wait=2.0, fault="truncated"))
    why: dict[str, Any] = {
        "operation": "Op", "scenario": "slow", "chosen_by": "rule", "accepted": True, "upgraded": ("a", "b"),
    }  # fmt: skip
    made = exchange(body=b"{}", reply=reply, violations=(violation,), **why)
    shown = Entry(7, made, 1.23456).to_json()
    wanted = {
        "id": made.request.request_id, "number": 7, "time": NOW, "project_id": PROJECT_ID, "method": "POST",
        "path": made.request.path, "query": "", "headers": {}, "body": "{}", "operation": "Op", "scenario": "slow",
        "chosen_by": "rule", "accepted": True, "upgraded": ["a", "b"], "status": 500, "reply": '{"a":1}',
        "fault": "truncated", "wait": 2.0,
        "violations": [{"in": "body", "pointer": "/delay", "rule": "type", "clause": "delay-type"}],
        "milliseconds": 1.235,
    }  # fmt: skip
    assert shown == wanted


def test_bytes_that_are_no_text_are_shown_with_replacement() -> None:
    shown = Entry(1, exchange(body=b"a\xffb", reply=Reply(200, b"\xfe")), 0.0).to_json()
    assert (shown["body"], shown["reply"]) == ("a\ufffdb", "\ufffd")


BODIES: dict[str, tuple[object, list[str]]] = {
    "one": (batch(), [INSTANCE["instance_id"]]),
    "no-version": (batch(INSTANCE, {"instance_id": "b"}), [INSTANCE["instance_id"], "b"]),
    "id-no-text": (batch({"instance_id": 5}, {"instance_id": "b", "current_version": "1"}), ["b"]),
    "mixed": (batch(5, {"instance_id": "b", "current_version": "1"}, None), ["b"]),
    "twice-the-same": (batch(INSTANCE, INSTANCE), [INSTANCE["instance_id"]] * 2),
    "no-array": ({"databases_instance_infos": "a"}, []),
    "no-object": ([1], []),
    "empty": (b"", []),
    "cut": (b"{", []),
    "bytes": (b"\xff", []),
    "deep": (b"[" * 200_000, []),
}


@pytest.mark.parametrize(("body", "instances"), BODIES.values(), ids=BODIES)
def test_the_instances_of_any_body_can_be_read(body: object, instances: list[str]) -> None:
    assert Entry(1, exchange(body=body), 0.0).instance_ids() == instances
    assert Entry(1, exchange(body=body, instance_id="in-the-path"), 0.0).instance_ids() == ["in-the-path", *instances]


PASSWORDS: dict[str, tuple[bytes, str]] = {
    "none": (b'{"a": "b"}', '{"a": "b"}'),
    "at-the-top": (b'{"password": "hidden-value", "a": "b"}', '{"password": "[Filtered]", "a": "b"}'),
    "deep": (b'{"a": [{"b": {"password": "hidden-value"}}]}', '{"a": [{"b": {"password": "[Filtered]"}}]}'),
    "another-name": (b'{"adminPassWD": "hidden-value"}', '{"adminPassWD": "[Filtered]"}'),
    "a-list": (b'{"password": ["hidden-value"]}', '{"password": "[Filtered]"}'),
    "a-number": (b'{"password": 12345}', '{"password": "[Filtered]"}'),
    "escaped": (b'{"p\\u0061ssword": "hidden-value"}', '{"password": "[Filtered]"}'),
    "only-a-word": (b'{"methods": ["password"]}', '{"methods": ["password"]}'),
    "no-json": (b'{"password": "hidden-value"', "[Filtered]"),
    "no-text": (b'\xff{"password": "hidden-value"}', "[Filtered]"),
    "too-deep": (b"[" * 200_000 + b'"password hidden-value"', "[Filtered]"),
}


@pytest.mark.parametrize(("body", "shown"), PASSWORDS.values(), ids=PASSWORDS)
def test_no_password_of_a_body_is_shown(body: bytes, shown: str) -> None:
    assert Entry(1, exchange(body=body), 0.0).to_json()["body"] == shown


def test_the_object_under_the_name_of_the_password_method_is_shown_without_its_password() -> None:
    user = {"name": "anna", "password": "hidden-value", "domain": {"name": "company"}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    shown = Entry(1, exchange(body=body), 0.0).to_json()["body"]
    assert json.loads(shown)["auth"]["identity"]["password"]["user"] == {**user, "password": FILTERED}


def test_a_running_mock_keeps_what_is_no_http_as_well(start_mock: StartMock) -> None:
    mock = start_mock()
    with socket.create_connection(("127.0.0.1", int(mock.url.rpartition(":")[2])), 30) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nno colon\r\n\r\n")
        while raw.recv(4096):
            pass
    send(mock.url, "GET", "/nowhere", headers={})
    reply: Any = send(mock.url, "GET", "/__admin/requests", headers={}).json()
    assert [(each["method"], each["path"], each["status"], each["project_id"]) for each in reply["requests"]] == [
        ("-", "-", 400, None), ("GET", "/nowhere", 404, None),
    ]  # fmt: skip
    assert (reply["matched"], reply["total"], reply["dropped"]) == (2, 2, 0)
