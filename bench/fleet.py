"""What the mock itself does with a fleet of 10,000 instances: its WSGI application, called without a server."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from typing import TYPE_CHECKING, Any

from figures import Plan, Spread, run, table
from samples import HEADERS
from werkzeug.test import create_environ

from mockserver.app import create_app
from mockserver.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask

SIZE = 10_000
BATCH = 100


@dataclass(frozen=True)
class Step:
    """One thing that is measured, each time on a project of its own: requests before, and the one that counts."""

    title: str
    before: Callable[[list[dict[str, str]]], list[Request]]
    request: Callable[[list[dict[str, str]]], Request]


@dataclass(frozen=True)
class Request:
    """A request to the project at hand."""

    method: str
    path: str
    body: object = None


def items(batch: list[dict[str, str]]) -> dict[str, Any]:
    """The batch as the upgrade and the pre-check take it."""
    return {"databases_instance_infos": batch}


def upgrade(batch: list[dict[str, str]]) -> Request:
    """The upgrade of a batch at once."""
    return Request("POST", "/v3/{}/instances/database-version/upgrade", {**items(batch), "delay": False})


def nothing(_: list[dict[str, str]]) -> list[Request]:
    """No request before."""
    return []


STEPS = (
    Step("list the 50th page of 100", nothing, lambda _: Request("GET", "/v3.1/{}/instances?limit=100&offset=4900")),
    Step("list 100 of those whose name contains 9", nothing, lambda _: Request("GET", "/v3.1/{}/instances?name=*9")),
    Step("show one instance", nothing, lambda batch: Request("GET", f"/v3/{{}}/instances/{batch[0]['instance_id']}")),
    Step(
        "check 100 of them",
        nothing,
        lambda batch: Request("POST", "/v3/{}/instances/database-version/upgrade/pre-check", items(batch)),
    ),
    Step("upgrade 100 of them", nothing, upgrade),
    Step(
        "list the 50th page of 100 after that",
        lambda batch: [upgrade(batch)],
        lambda _: Request("GET", "/v3.1/{}/instances?limit=100&offset=4900"),
    ),
    Step(
        "list 50 of the 100 jobs",
        lambda batch: [upgrade(batch)],
        lambda _: Request("GET", "/v3/{}/immediate-jobs?limit=50"),
    ),
)


def measure(plan: Plan) -> dict[str, Spread]:
    """Seconds per request by step; the steps take turns, and each round has a project that nobody has used."""
    app = create_app(Settings(fleet_size=SIZE))
    projects = (f"{number:032x}" for number in count())
    batch = upgradable(app, next(projects))
    for each in STEPS:  # warm up
        timed(app, each, batch, next(projects))
    taken = [[timed(app, each, batch, next(projects)) for each in STEPS] for _ in range(plan.pairs)]
    return {each.title: Spread(values) for each, values in zip(STEPS, zip(*taken, strict=True), strict=True)}


def upgradable(app: Flask, project: str) -> list[dict[str, str]]:
    """A batch of instances of one version that can be upgraded."""
    found = []
    for offset in range(0, SIZE, BATCH):
        answer = json.loads(call(app, project, Request("GET", f"/v3.1/{{}}/instances?offset={offset}"))[1])
        found += [
            {"instance_id": each["id"], "current_version": each["datastore"]["kernel_version"]}
            for each in answer["instances"]
            if each["status"] == "normal" and each["datastore"]["kernel_version"] == "2.0.48.231200"
        ]
    return found[:BATCH]


def timed(app: Flask, step: Step, batch: list[dict[str, str]], project: str) -> float:
    """Seconds of the step's request; raises RuntimeError when anything is refused, since that is quick."""
    for request in step.before(batch):
        call(app, project, request)
    return call(app, project, step.request(batch))[0]


def call(app: Flask, project: str, request: Request) -> tuple[float, bytes]:
    """Seconds and body of an answer; what a server would prepare is prepared before the clock starts."""
    content = b"" if request.body is None else json.dumps(request.body).encode()
    path, _, query = request.path.format(project).partition("?")
    environ = create_environ(path, method=request.method, headers=HEADERS, data=content, query_string=query)
    environ["wsgi.input"] = BytesIO(content)
    seen: list[str] = []
    started = time.perf_counter()
    answer = app(environ, lambda status, *_: seen.append(status))  # type: ignore[arg-type, func-returns-value]  # enough of start_response
    body = b"".join(_closing(answer))
    taken = time.perf_counter() - started
    if seen != ["200 OK"]:
        raise RuntimeError(f"{request.method} {request.path}: {seen} {body[:200]!r}")
    return taken, body


def _closing(answer: Any) -> Iterator[bytes]:  # noqa: ANN401  # Flask's answers can be closed, WSGI's need not
    yield from answer
    answer.close()


def show(measured: dict[str, Spread]) -> str:
    """The table."""
    return table(["10,000 instances", "ms"], [[title, each.show(2, scale=1000)] for title, each in measured.items()])


if __name__ == "__main__":
    run(measure, show, __doc__)
