"""Fixtures of our own tests."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from mockserver.engine import Engine, load_engine
from mockserver.running import MockServer
from mockserver.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


class StartMock(Protocol):
    def __call__(self, **settings: object) -> MockServer: ...


@pytest.fixture(scope="session")
def engine() -> Engine:
    """An engine with default settings; it has no state."""
    return load_engine(Settings())


@pytest.fixture(scope="session")
def mock() -> Iterator[MockServer]:
    """A running mock with default settings."""
    with MockServer() as running:
        yield running


@pytest.fixture
def start_mock() -> Iterator[StartMock]:
    """Start mocks with settings of their own; they stop when the test ends."""
    with ExitStack() as stack:

        def start(**settings: object) -> MockServer:
            return stack.enter_context(MockServer(Settings(port=0, **settings)))  # type: ignore[arg-type]  # the tests name real settings

        yield start
