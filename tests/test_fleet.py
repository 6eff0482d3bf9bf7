"""Instances and jobs as values: maintenance windows, what a job is at a time, and which version is the latest."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from mockserver.fleet import Job, JobStatus, is_latest, window_begin


def at(text: str) -> float:
    """Unix seconds of a time in UTC, such as `01-05 08:30`, in 2026."""
    return datetime.strptime(f"2026-{text} +0000", "%Y-%m-%d %H:%M %z").timestamp()


def shown(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%m-%d %H:%M")


@pytest.mark.parametrize(
    ("window", "now", "begin"),
    [
        ("02:00-06:00", "01-05 00:00", "01-05 02:00"),
        ("02:00-06:00", "01-05 01:59", "01-05 02:00"),
        ("02:00-06:00", "01-05 02:00", "01-06 02:00"),
        ("02:00-06:00", "01-05 04:00", "01-06 02:00"),
        ("02:00-06:00", "01-05 06:00", "01-06 02:00"),
        ("02:00-06:00", "01-05 23:59", "01-06 02:00"),
        ("22:00-02:00", "01-05 21:59", "01-05 22:00"),
        ("22:00-02:00", "01-05 23:00", "01-06 22:00"),
        ("22:00-02:00", "01-05 01:00", "01-05 22:00"),
        ("00:00-04:00", "01-05 00:00", "01-06 00:00"),
        ("00:00-04:00", "01-05 00:01", "01-06 00:00"),
        ("23:59-03:59", "01-05 23:59", "01-06 23:59"),
        ("02:30-06:30", "01-31 12:00", "02-01 02:30"),
        ("02:00-06:00", "12-31 12:00", "01-01 02:00"),
    ],
    ids=[
        "before", "a-minute-before", "exactly-at-the-begin", "inside", "at-the-end", "late-in-the-day",
        "before-one-past-midnight", "inside-one-past-midnight", "inside-it-on-the-next-day", "midnight",
        "after-midnight", "last-minute-of-the-day", "last-of-the-month", "last-of-the-year",
    ],
)  # fmt: skip
def test_a_window_begins_next_after_now(window: str, now: str, begin: str) -> None:
    assert shown(window_begin(window, at(now))) == begin


@pytest.mark.parametrize("before", [0.001, 0.5])
def test_a_window_begins_in_the_next_moment_or_in_a_day(before: float) -> None:
    begin = at("01-05 02:00")
    assert window_begin("02:00-06:00", begin - before) == begin
    assert window_begin("02:00-06:00", begin) == window_begin("02:00-06:00", begin + before) == begin + 86_400


def test_a_window_begins_before_1970_as_well() -> None:
    """A project's clock may be moved there."""
    assert window_begin("02:00-06:00", -86_400.0 + 3600) == -86_400.0 + 7200
    assert window_begin("02:00-06:00", -1.0) == 7200.0


JOB = Job("id", "immediate", "instance", "name", created=100, starts=200, ends=300, version="2.0.0")
FAILING = replace(JOB, fail_reason="broken")


@pytest.mark.parametrize(
    ("now", "status", "failing", "progress"),
    [
        (0, "Pending", "Pending", ""),
        (199.9, "Pending", "Pending", ""),
        (200, "Running", "Running", "0%"),
        (201.9, "Running", "Running", "1%"),
        (250, "Running", "Running", "50%"),
        (299.9, "Running", "Running", "99%"),
        (300, "Completed", "Failed", ""),
        (1e12, "Completed", "Failed", ""),
    ],
    ids=[
        "long-before", "just-before", "at-the-start", "a-little-later", "in-the-middle", "just-before-the-end",
        "at-the-end", "long-after",
    ],
)  # fmt: skip
def test_a_job_is_what_the_time_makes_of_it(now: float, status: JobStatus, failing: JobStatus, progress: str) -> None:
    assert (JOB.status(now), FAILING.status(now)) == (status, failing)
    assert (JOB.progress(now), FAILING.progress(now)) == (progress, progress)
    assert JOB.is_over(now) is FAILING.is_over(now) is (now >= 300)


@pytest.mark.parametrize("now", [199.9, 200, 200.1], ids=["before", "then", "after"])
def test_a_job_that_takes_no_time_is_never_running(now: float) -> None:
    job = replace(JOB, ends=JOB.starts)
    assert (job.status(now), job.progress(now)) == ("Pending" if now < 200 else "Completed", "")
    assert job.is_over(now) is (now >= 200)


@pytest.mark.parametrize(
    ("job", "upgrades", "decides"),
    [
        (JOB, True, True),
        (replace(JOB, kind="scheduled"), True, True),
        (replace(JOB, kind="check"), False, False),
        (FAILING, True, False),
        (replace(JOB, decides=False), True, False),
    ],
    ids=["immediate", "scheduled", "check", "failing", "edited-afterwards"],
)
def test_a_successful_upgrade_decides_on_the_version(job: Job, *, upgrades: bool, decides: bool) -> None:
    assert (job.is_upgrade, job.decides_version) == (upgrades, decides)


@pytest.mark.parametrize(
    ("version", "latest", "expected"),
    [
        ("2.0.69.250900", "2.0.69.250900", True),
        ("2.0.69.250901", "2.0.69.250900", True),
        ("2.0.70.1", "2.0.69.250900", True),
        ("2.1.0", "2.0.69.250900", True),
        ("10.0.0", "2.0.69.250900", True),
        ("2.0.69.250900.1", "2.0.69.250900", True),
        ("2.0.69", "2.0.69.250900", False),
        ("2.0.69.250899", "2.0.69.250900", False),
        ("2.0.9.999999", "2.0.69.250900", False),
        ("2.0.28.18", "2.0.69.250900", False),
        ("02.0.069.250900", "2.0.69.250900", False),
        ("", "2.0.69.250900", False),
        ("latest", "2.0.69.250900", False),
        ("99.0", "2.0.69.250900", False),
        ("99.0.0-beta", "2.0.69.250900", False),
        ("99.0.٣", "2.0.69.250900", False),
        ("99.0.0\n", "2.0.69.250900", False),
        (f"99.0.{'9' * 5000}", "2.0.69.250900", False),
    ],
    ids=[
        "the-same", "a-build-later", "a-release-later", "a-minor-version-later", "a-major-version-later",
        "one-part-more", "one-part-less", "a-build-earlier", "numbers-not-text", "much-earlier", "zeros-before",
        "empty", "a-word", "two-parts", "with-a-suffix", "digits-that-are-not-ascii", "line-feed", "huge",
    ],
)  # fmt: skip
def test_a_version_is_the_latest_or_newer_when_its_numbers_say_so(version: str, latest: str, *, expected: bool) -> None:
    assert is_latest(version, latest) is expected


def test_a_version_of_an_unknown_form_is_the_latest_only_when_it_is_the_same() -> None:
    assert is_latest("my-own", "my-own")
    assert not is_latest("my-own", "another")
