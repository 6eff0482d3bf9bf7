"""Times as the vendor writes them."""

from __future__ import annotations

import pytest

from mockserver.times import moment, parse_time, shown_time


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00+0000"),
        (1_767_225_600.9, "2026-01-01T00:00:00+0000"),
        (-8_000_000_000, "1716-06-28T09:46:40+0000"),
        (100_000_000_000, "5138-11-16T09:46:40+0000"),
    ],
    ids=["epoch", "fraction", "long-ago", "far-away"],
)
def test_a_time_is_shown_in_utc_to_the_second(seconds: float, text: str) -> None:
    assert shown_time(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-01T00:00:00+0000", 1_767_225_600),
        ("2026-01-01T08:00:00+0800", 1_767_225_600),
        ("2025-12-31T19:00:00-0500", 1_767_225_600),
        ("2026-01-01T00:00:00Z", 1_767_225_600),
        ("2026-02-30T00:00:00Z", None),
        ("2026-01-01T25:00:00Z", None),
        ("2026-01-01", None),
        ("", None),
    ],
)
def test_a_time_is_read_with_its_offset_or_is_none(text: str, seconds: float | None) -> None:
    assert parse_time(text) == seconds


def test_a_shown_time_is_read_as_the_same() -> None:
    assert parse_time(shown_time(1_800_000_000)) == 1_800_000_000
    assert moment(0.25).microsecond == 250_000
