"""Taurus Mock: a mock of TaurusDB's batch minor-version upgrade API.

The public names are resolved when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver.app import create_app
    from mockserver.client import MockProject
    from mockserver.errors import TaurusMockError
    from mockserver.running import MockServer
    from mockserver.settings import Settings

_HOMES = {
    "MockProject": "mockserver.client",
    "MockServer": "mockserver.running",
    "Settings": "mockserver.settings",
    "TaurusMockError": "mockserver.errors",
    "create_app": "mockserver.app",
}

__all__ = ["MockProject", "MockServer", "Settings", "TaurusMockError", "create_app"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
