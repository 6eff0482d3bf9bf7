"""MockServer's life: what it takes and leaves, when it may be asked, and how it ends what is in flight."""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from processes import GUARD, Wire, is_listening, until
from support import UPGRADE_PATH, batch, send

from mockserver import MockServer, Settings, TaurusMockError
from mockserver.errors import ScenarioError, ServerError, SettingsError
from mockserver.model import json_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

BODY = json_bytes(batch())
AT_ONCE = 20
"""Seconds that a stop may take on a busy machine; the scenarios here would last two minutes or for ever."""


def open_descriptors() -> set[str]:
    """What this process has open, each with its target; empty where only threads can be counted."""
    if sys.platform != "linux":
        return set()
    gc.collect()  # what another test left open is not to close while this one counts
    return {f"{path.name} {target}" for path in Path("/proc/self/fd").iterdir() if (target := target_of(path))}


def target_of(descriptor: Path) -> str | None:
    try:
        return os.readlink(descriptor)  # noqa: PTH115  # the target may be no path
    except FileNotFoundError:
        return None  # the listing's own


def post(path: str, scenario: str) -> bytes:
    """A request that keeps its connection, as bytes."""
    head = (
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "X-Auth-Token: a-token",
        "Content-Type: application/json",
        f"Content-Length: {len(BODY)}",
        f"X-Mock-Scenario: {scenario}",
    )
    return "\r\n".join([*head, "", ""]).encode() + BODY


def test_two_hundred_starts_leave_no_thread_and_no_descriptor_behind() -> None:
    with MockServer() as mock:  # what is opened once for the whole process is open from here on
        assert send(mock.url).status == 200
    threads, descriptors = set(threading.enumerate()), open_descriptors()
    for _ in range(200):
        with MockServer() as mock:
            assert send(mock.url).status == 200
    assert set(threading.enumerate()) == threads
    assert open_descriptors() <= descriptors


@pytest.mark.parametrize(
    ("build", "error", "text"),
    [
        (lambda _: MockServer(Settings(port=70000)), SettingsError, "port: expected at most 65535, got 70000"),
        (lambda _: MockServer(Settings(auth="signd")), SettingsError, "auth: .*did you mean 'signed'"),
        (lambda _: MockServer(Settings(ak=("a-key",))), SettingsError, "each --ak needs its --sk"),
        (lambda _: MockServer(Settings(scenario="slwo")), ScenarioError, "no scenario is named 'slwo'; did you mean"),
        (lambda tmp: MockServer(Settings(scenarios=str(tmp / "no"))), ScenarioError, "no: no such folder"),
    ],
    ids=["number", "choice", "pair", "scenario", "folder"],
)
def test_settings_are_checked_before_anything_starts(
    build: Callable[[Path], MockServer], error: type[TaurusMockError], text: str, tmp_path: Path
) -> None:
    threads, descriptors = threading.enumerate(), open_descriptors()
    with pytest.raises(error, match=text):
        build(tmp_path)
    assert (threading.enumerate(), open_descriptors() - descriptors) == (threads, set())


def test_a_new_mock_listens_nowhere_and_says_what_to_do() -> None:
    mock = MockServer()
    for handle in (mock, mock.project()):
        with pytest.raises(ServerError, match=r"not running; use `with MockServer\(\) as mock:` or call start\(\)"):
            _ = handle.url
    assert mock.admin_url is None
    assert mock.requests == []


def test_stopping_without_a_start_and_stopping_twice_are_harmless() -> None:
    mock = MockServer()
    mock.stop()
    url = mock.start().url
    mock.stop()
    mock.stop()
    assert not is_listening(url)
    with pytest.raises(ServerError, match="not running"):
        _ = mock.url
    assert mock.admin_url is None


def test_a_mock_can_start_again_and_remembers() -> None:
    mock = MockServer()
    for number, status in enumerate([200, 400], start=1):  # the second time there is nothing left to upgrade
        with mock:
            assert send(mock.url, path=mock.path).status == status
            assert len(mock.requests) == number


def test_starting_twice_is_one_start() -> None:
    """As in `with MockServer().start() as mock:`."""
    threads, descriptors = set(threading.enumerate()), open_descriptors()
    mock = MockServer()
    url = mock.start().url
    try:
        with mock:
            assert mock.url == url
        assert set(threading.enumerate()) == threads
        assert open_descriptors() <= descriptors
    finally:
        mock.stop()


def test_an_exception_in_the_block_stops_the_mock_and_passes() -> None:
    urls = []

    def fail() -> None:
        with MockServer() as mock:
            urls.append(mock.url)
            raise KeyError("the test's own")

    with pytest.raises(KeyError, match="the test's own"):
        fail()
    assert not is_listening(urls[0])


@pytest.mark.parametrize("scenario", ["slow", "very-slow", "drip"])
def test_a_stop_answers_at_once_what_would_take_long(scenario: str) -> None:
    mock = MockServer().start()
    with Wire(mock.url) as wire:
        _stop_during(mock, wire, scenario)
        reply = wire.reply()
        assert (reply.status, reply.json()) == (200, {"resp": "success"})
        assert wire.is_ended()


@pytest.mark.parametrize("scenario", ["hang", "succeed-after-timeout"])
def test_a_stop_ends_at_once_what_gets_no_answer(scenario: str) -> None:
    mock = MockServer().start()
    with Wire(mock.url) as wire:
        _stop_during(mock, wire, scenario)
        assert wire.is_ended()


def test_a_stop_ends_many_slow_exchanges_together() -> None:
    mock = MockServer(Settings(port=0, unknown_instances="accept")).start()
    wires = [Wire(mock.url) for _ in range(12)]
    try:
        for wire in wires[1:]:
            wire.send(post(mock.path, "very-slow"))
        until(lambda: len(mock.requests) == len(wires) - 1, "every request is in the journal")
        _stop_during(mock, wires[0], "very-slow")
        assert [wire.reply().status for wire in wires] == [200] * len(wires)
    finally:
        for wire in wires:
            wire.close()


def _stop_during(mock: MockServer, wire: Wire, scenario: str) -> None:
    """Stop while a request is in flight; fails when the stop waits for the scenario."""
    before = len(mock.requests)
    wire.send(post(mock.path, scenario))
    until(lambda: len(mock.requests) > before, "the request is in the journal")
    started = time.monotonic()
    stop = threading.Thread(target=mock.stop, daemon=True)
    stop.start()
    stop.join(GUARD)
    assert not stop.is_alive()
    assert time.monotonic() - started < AT_ONCE


def test_an_idle_connection_does_not_hold_up_a_stop() -> None:
    mock = MockServer().start()
    with Wire(mock.url) as wire:
        wire.send(post(mock.path, "success"))
        assert wire.reply().status == 200
        mock.stop()
        assert wire.is_ended()


@pytest.mark.parametrize("setting", ["port", "admin_port"])
def test_a_port_in_use_is_a_clear_error_that_leaves_nothing_open(setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        mock = MockServer(Settings(**{"port": 0, setting: port}))
        threads, descriptors = threading.enumerate(), open_descriptors()
        with pytest.raises(ServerError, match=f"cannot listen on 127.0.0.1:{port}: ") as raised:
            mock.start()
        assert (threading.enumerate(), open_descriptors() - descriptors) == (threads, set())
        assert f"Choose another --{setting.replace('_', '-')}, or 0 for a free one." in str(raised.value)
        with pytest.raises(ServerError, match="not running"):
            _ = mock.url


def test_a_mock_can_start_once_its_port_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        mock = MockServer(Settings(port=0, admin_port=taken.getsockname()[1]))
        with pytest.raises(ServerError, match="cannot listen"):
            mock.start()
    with mock:
        assert send(mock.url).status == 200


def test_the_admin_api_can_have_a_port_of_its_own() -> None:
    with MockServer(Settings(port=0, admin_port=0)) as mock:
        urls = [mock.url, str(mock.admin_url)]
        assert urls[0] != urls[1]
        statuses = [[send(url, "GET", path, body=b"").status for url in urls] for path in ("/__admin/health", "/x")]
        assert statuses == [[404, 200], [404, 404]]
        assert [send(url, path=mock.path).status for url in urls] == [200, 404]
        assert [each["status"] for each in mock.requests] == [200]
    assert [is_listening(url) for url in urls] == [False, False]


def test_the_admin_api_shares_the_port_unless_told_otherwise() -> None:
    with MockServer() as mock:
        assert mock.admin_url == mock.url
        assert send(mock.url, "GET", "/__admin/health", body=b"").status == 200


@pytest.mark.parametrize("admin_port", [None, 0], ids=["same-port", "own-port"])
def test_without_the_admin_api_there_is_no_address_of_it(admin_port: int | None) -> None:
    with MockServer(Settings(port=0, admin=False, admin_port=admin_port)) as mock:
        assert mock.admin_url is None
        assert send(mock.url, "GET", "/__admin/health", body=b"").status == 404


def test_two_mocks_share_nothing() -> None:
    with MockServer() as one, MockServer(Settings(port=0, scenario="throttled")) as other:
        assert one.url != other.url
        assert [send(mock.url, path=UPGRADE_PATH).status for mock in (one, other)] == [200, 429]
        assert [len(mock.project(UPGRADE_PATH.split("/")[2]).requests) for mock in (one, other)] == [1, 1]


def test_the_clock_is_the_callers() -> None:
    with MockServer(clock=lambda: 1_800_000_000.5) as mock:
        assert send(mock.url, path=mock.path).status == 200
        assert [each["time"] for each in mock.requests] == [1_800_000_000.5]
