"""The version of the installed distribution."""

from __future__ import annotations

from functools import cache


@cache
def version() -> str:
    """Such as `0.1.0`, from the metadata of the installed distribution."""
    from importlib.metadata import version as installed_version  # noqa: PLC0415  # costs 15 ms, which most imports need not pay

    return installed_version("taurus-mock")
