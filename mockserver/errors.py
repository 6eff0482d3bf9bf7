"""Exceptions that an operator meets; each message says what happened, where, and what to do."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class TaurusMockError(Exception):
    """Anything that an operator can mend; the command line prints it on one line and exits with 2."""


class SettingsError(TaurusMockError):
    """A flag or environment variable has an unusable value."""


class ResourceError(TaurusMockError):
    """A document under `schemas/` or `fixtures/` is missing or unusable."""


class ScenarioError(TaurusMockError):
    """A scenario is unknown or its file is unusable."""


class FleetError(TaurusMockError):
    """A fleet or an instance that a test or the admin API gives is unusable."""


class ServerError(TaurusMockError):
    """The server cannot listen or write its port file."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None when none comes close."""
    by_lower_case = {each.lower(): each for each in sorted(known)}
    matches = get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.6)
    return by_lower_case[matches[0]] if matches else None
