"""Fixtures of our own tests."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest
from support import send

from mockserver.engine import Engine, load_engine
from mockserver.running import MockServer
from mockserver.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


class StartMock(Protocol):
    def __call__(self, **settings: object) -> MockServer: ...


@pytest.fixture(scope="session")
def loaded_engine() -> Engine:
    """One engine with default settings for the whole session."""
    return load_engine(Settings())


@pytest.fixture
def engine(loaded_engine: Engine) -> Engine:
    """An engine with default settings, on which no test before has left anything."""
    loaded_engine.store.clear_state()
    return loaded_engine


@pytest.fixture(scope="session")
def running_mock() -> Iterator[MockServer]:
    """One running mock with default settings for the whole session."""
    with MockServer() as running:
        yield running


@pytest.fixture
def mock(running_mock: MockServer) -> MockServer:
    """A running mock with default settings, whose fleets are as at the start."""
    reset = {"body": b'{"level": "state"}', "headers": {"Content-Type": "application/json"}}
    assert send(running_mock.url, path="/__admin/reset", **reset).status == 200
    return running_mock


@pytest.fixture
def start_mock() -> Iterator[StartMock]:
    """Start mocks with settings of their own; they stop when the test ends."""
    with ExitStack() as stack:

        def start(**settings: object) -> MockServer:
            return stack.enter_context(MockServer(Settings(port=0, **settings)))  # type: ignore[arg-type]  # the tests name real settings

        yield start
