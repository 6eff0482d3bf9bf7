"""What the mock itself does for a request, without a server: its WSGI application beside a bare Flask view."""

from __future__ import annotations

import time
from contextlib import contextmanager, nullcontext, redirect_stderr
from dataclasses import dataclass
from io import BytesIO
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from figures import Plan, Spread, run, table
from peers import constant_app
from samples import HEADERS, PATH, body
from werkzeug.test import create_environ

from mockserver.app import create_app
from mockserver.logs import LOGGER, configure_logging
from mockserver.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed.wsgi import WSGIApplication
    from flask import Flask

BATCHES = (100, 1000)
REPEATED = Settings(unknown_instances="accept")
"""The same upgrade is accepted each time; by default the second is refused, and a refusal would be measured."""


@dataclass(frozen=True)
class Comparison:
    """Seconds per request of the mock and of the bare view, and the one by the other pair by pair."""

    mock: Spread
    view: Spread
    ratio: Spread


@dataclass(frozen=True)
class OwnWork:
    """What was measured."""

    singles: dict[tuple[bool, bool], Comparison]
    """One instance, by whether it is valid and whether requests are logged."""
    batches: dict[tuple[int, bool], Spread]
    """Seconds per request, by number of instances and whether they are valid."""


def measure(plan: Plan) -> OwnWork:
    """Comparisons for one instance, timings for long batches."""
    singles = {}
    for logged in (False, True):
        with request_log() if logged else nullcontext():
            for valid in (True, False):
                singles[valid, logged] = compare(plan, valid=valid)
    batches = {(count, valid): time_batch(plan, count, valid=valid) for count in BATCHES for valid in (True, False)}
    return OwnWork(singles, batches)


def compare(plan: Plan, *, valid: bool) -> Comparison:
    """Timings taken in pairs; every other pair has the view first, so that a drift of the machine favours neither."""
    content = body(1, valid=valid)
    mock, view = checked(create_app(REPEATED), content, 200 if valid else 400), checked(constant_app(), content, 200)
    pairs = []
    for number in range(plan.warm_ups + plan.pairs):
        order = (mock, view) if number % 2 else (view, mock)
        taken = {app: time_calls(app, content, plan.calls) for app in order}
        pairs.append((taken[mock], taken[view]))
    ours, theirs = zip(*pairs[plan.warm_ups :], strict=True)
    ratios = [mine / its for mine, its in zip(ours, theirs, strict=True)]
    return Comparison(Spread(ours), Spread(theirs), Spread(ratios))


def time_batch(plan: Plan, instances: int, *, valid: bool) -> Spread:
    """Seconds per request of the mock."""
    content = body(instances, valid=valid)
    mock = checked(create_app(REPEATED), content, 200 if valid else 400)
    calls = max(1, plan.calls // 20)
    rounds = range(plan.warm_ups + plan.pairs)
    return Spread([time_calls(mock, content, calls) for _ in rounds][plan.warm_ups :])


def checked(app: Flask, content: bytes, expected: int) -> Flask:
    """The application, once it has answered with the expected status: a quick refusal shall not count as speed."""
    status = app.test_client().post(PATH, data=content, headers=HEADERS).status_code
    if status != expected:
        raise RuntimeError(f"{app.name} answers {status} instead of {expected}")
    return app


def time_calls(app: WSGIApplication, content: bytes, calls: int) -> float:
    """Seconds per call; what a server would prepare is prepared before the clock starts."""
    environ = create_environ(PATH, method="POST", headers=HEADERS, data=content)
    environs = [{**environ, "wsgi.input": BytesIO(content)} for _ in range(calls)]
    started = time.perf_counter()
    for each in environs:
        answer = app(each, _start_response)
        for _ in answer:
            pass
        answer.close()  # type: ignore[attr-defined]  # Flask's answers have it
    return (time.perf_counter() - started) / calls


def _start_response(status: str, headers: list[tuple[str, str]], error: object = None, /) -> Callable[[bytes], object]:
    """Take status and headers, as a server does."""
    del status, headers, error
    return len  # stands for the function that writes, which Flask does not use


@contextmanager
def request_log() -> Iterator[None]:
    """Log as `taurus-mock serve 2>FILE` does."""
    before = LOGGER.handlers[:], LOGGER.level, LOGGER.propagate
    with TemporaryFile("w+", encoding="utf-8") as file, redirect_stderr(file):
        configure_logging(Settings())
        try:
            yield
            if not file.tell():
                raise RuntimeError("nothing was logged")
        finally:
            LOGGER.handlers[:], LOGGER.level, LOGGER.propagate = before


def show(work: OwnWork) -> str:
    """The table of one instance, and that of long batches."""
    singles = [
        [
            "valid" if valid else "invalid",
            "to a file" if logged else "off",
            each.mock.show(1, scale=1e6),
            each.view.show(1, scale=1e6),
            each.ratio.show(2),
        ]
        for (valid, logged), each in work.singles.items()
    ]
    batches = [
        [f"{count:,}", *(work.batches[count, valid].show(2, scale=1000) for valid in (True, False))]
        for count in BATCHES
    ]
    return "\n\n".join(
        [
            table(["One instance", "request log", "the mock, µs", "the bare view, µs", "ratio"], singles),
            table(["Instances", "valid, ms", "invalid, ms"], batches),
        ]
    )


if __name__ == "__main__":
    run(measure, show, __doc__)
