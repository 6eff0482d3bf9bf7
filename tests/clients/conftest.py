"""Fixtures for the clients whose tests call an SDK through a program; they have a fixture `program` of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.register_assert_rewrite("programs", "workflow")

import workflow  # noqa: E402  # after the registration, or its assertions would say nothing

if TYPE_CHECKING:
    from programs import Program

    from mockserver.running import MockServer
    from tests.conftest import StartMock


@pytest.fixture
def server(start_mock: StartMock) -> MockServer:
    """A mock that verifies every signature, and in which an upgrade takes five minutes."""
    return start_mock(upgrade_seconds=workflow.UPGRADE_SECONDS, **workflow.SIGNED)


@pytest.fixture
def sdk(program: Program, server: MockServer) -> Program:
    """The program with a client of its SDK for the mock."""
    workflow.connect(program, server)
    return program
