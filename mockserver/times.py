"""Times as the vendor writes them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def moment(seconds: float) -> datetime:
    """The time of Unix seconds, in UTC; before 1970 as well, which not every system's own function can."""
    return _EPOCH + timedelta(seconds=seconds)


def shown_time(seconds: float) -> str:
    """Unix seconds as the database service shows them: 2018-08-06T10:41:14+0000."""
    return moment(seconds).strftime("%Y-%m-%dT%H:%M:%S%z")


def parse_time(text: str) -> float | None:
    """Unix seconds of a time with an offset or Z; None when there is no such time."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except ValueError:
        return None
