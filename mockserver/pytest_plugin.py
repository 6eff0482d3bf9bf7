"""pytest fixtures. Every pytest run of every user loads this module, so it imports nothing but pytest."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mockserver import MockProject, MockServer


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "taurus_mock(strict=False, **settings): how the fixture taurus_mock behaves. strict fails the test for "
        "requests that the contract forbids; settings are those of mockserver.Settings, such as auth='signed'.",
    )


@pytest.fixture(scope="session")
def taurus_mock_servers() -> Iterator[Callable[..., MockServer]]:
    """Running mocks by their settings: one for each distinct set, until the session ends."""
    from mockserver import MockServer, Settings
    from mockserver.settings import make_settings

    running: dict[Settings, MockServer] = {}
    with ExitStack() as stack:

        def start(**settings: Any) -> MockServer:  # noqa: ANN401  # Settings checks them
            wanted = make_settings({"port": 0, **settings}, also=("strict",))
            if wanted not in running:
                running[wanted] = stack.enter_context(MockServer(wanted))
            return running[wanted]

        yield start


@pytest.fixture
def taurus_mock(
    request: pytest.FixtureRequest, taurus_mock_servers: Callable[..., MockServer]
) -> Iterator[MockProject]:
    """A project of its own on a running mock: url, project_id, scenario(...), requests, assert_upgraded(...), reset().

    The marker `taurus_mock` gives settings, and `strict=True` fails the test for requests that the contract forbids.
    """
    from mockserver.client import strictly

    marker = request.node.get_closest_marker("taurus_mock")
    if marker and marker.args:
        raise pytest.UsageError(
            f"the marker taurus_mock takes settings by name, such as auth='off', not {marker.args[0]!r}"
        )
    wanted = dict(marker.kwargs) if marker else {}
    strict = wanted.pop("strict", False)
    project = taurus_mock_servers(**wanted).project()
    with strictly(project) if strict else nullcontext(project):
        yield project
