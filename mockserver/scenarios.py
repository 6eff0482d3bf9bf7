"""Scenarios as values: parsing their files, and what one request of a scenario meets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from mockserver.chance import draw, draw_bytes, draw_lognormal, draw_uniform
from mockserver.conditions import EVERY_REQUEST, Only, parse_only
from mockserver.errors import ScenarioError, nearest
from mockserver.model import Delivery, Fault, Reply, json_bytes
from mockserver.resources import bundle_root, read_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

MAX_WAIT = 3600.0
MAGIC = "mock"
"""How every magic instance id begins."""
_MAGIC_LENGTH = 32
_WIREMOCK_FAULTS: dict[str, Fault] = {
    "CONNECTION_RESET_BY_PEER": "connection-reset",
    "EMPTY_RESPONSE": "empty-reply",
    "MALFORMED_RESPONSE_CHUNK": "malformed-chunk",
    "RANDOM_DATA_THEN_CLOSE": "garbage",
}


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An error of the catalogue instead of what the operation would say."""

    error: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds before the answer: `fixed`, or drawn uniformly or log-normally from two parameters."""

    kind: str
    first: float
    second: float = 0.0

    def seconds(self, number: float) -> float:
        """The wait for a number drawn from 0 to below 1."""
        if self.kind == "uniform":
            return draw_uniform(self.first, self.second, number)
        if self.kind == "lognormal":
            return min(draw_lognormal(self.first, self.second, number), MAX_WAIT)
        return self.first


@dataclass(frozen=True, slots=True)
class Step:
    """What one request meets."""

    answer: ErrorAnswer | Reply | None = None
    """None: the operation answers."""
    wait: Wait | None = None
    pieces: int = 1
    spread: float = 0.0
    fault: Fault | None = None
    probability: float = 1.0

    @property
    def is_drawn(self) -> bool:
        """Whether chance has a part in it."""
        return self.probability < 1 or self.fault == "garbage" or (self.wait is not None and self.wait.kind != "fixed")

    def delivery(self, seed: int, *names: object) -> Delivery | None:
        """How the reply goes out; `names` tell the request from others for what is drawn."""
        if self.wait is None and self.pieces == 1 and self.fault is None:
            return None
        return Delivery(
            wait=self.wait.seconds(draw(seed, "wait", *names)) if self.wait else 0.0,
            pieces=self.pieces,
            spread=self.spread,
            fault=self.fault,
            garbage=draw_bytes(64, seed, "garbage", *names) if self.fault == "garbage" else b"",
        )


OPERATION = Step()
"""The operation answers, at once and whole."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way in which the mock answers accepted requests."""

    name: str
    summary: str
    prefer: int | None = None
    """The status for which `Prefer: code=NNN` chooses it."""
    only: Only = EVERY_REQUEST
    times: int | None = None
    """How many requests of a project meet it; None: all."""
    steps: tuple[Step, ...] = (OPERATION,)
    """What the first, second ... request meets; the last stays, unless `restart`."""
    restart: bool = False

    @property
    def magic_id(self) -> str:
        """An instance id that asks for this scenario: 36 characters, readable, never hexadecimal as real ones are."""
        return f"{MAGIC}{self.name.replace('-', '')}".ljust(_MAGIC_LENGTH, "0") + "in07"

    @property
    def is_counted(self) -> bool:
        """Whether a request's step depends on how many came before it."""
        return self.times is not None or len(self.steps) > 1 or self.steps[0].is_drawn

    def step(self, use: int, seed: int, project_id: str) -> Step:
        """What the request meets before which `use` others of its project met the scenario."""
        if self.times is not None and use >= self.times:
            return OPERATION
        index = use % len(self.steps) if self.restart else min(use, len(self.steps) - 1)
        step = self.steps[index]
        if step.probability < 1 and draw(seed, "happens", project_id, self.name, use) >= step.probability:
            return OPERATION
        return step


def read_scenarios(folder: Path, errors: Mapping[str, Mapping[str, object]]) -> list[Scenario]:
    """The scenarios of a folder, by name; raises ResourceError or ScenarioError for an unusable file."""
    if not folder.is_dir():
        raise ScenarioError(f"{folder}: no such folder of scenarios")
    return [read_scenario(path, errors) for path in scenario_files(folder)]


def scenario_files(folder: Path) -> list[Path]:
    """The files of a folder that hold scenarios, by name; hidden ones belong to editors and systems."""
    return [path for path in sorted(folder.glob("*.json")) if not path.name.startswith(".")]


def read_scenario(path: Path, errors: Mapping[str, Mapping[str, object]]) -> Scenario:
    """The scenario in a file; `errors` are the catalogue's, by name."""
    document: dict[str, Any] = read_object(path, schema="scenario")
    name = document["name"]
    if name != path.stem:
        raise ScenarioError(f"{path}: at /name: expected {path.stem!r} like the file's name, got {name!r}")
    sequence = document.get("sequence", [document])
    steps = [_step(path, f"/sequence/{i}" if "sequence" in document else "", s, errors) for i, s in enumerate(sequence)]
    scenario = Scenario(
        name=name,
        summary=document["summary"],
        prefer=document.get("prefer"),
        only=parse_only(document.get("only", {})),
        times=document.get("times"),
        steps=tuple(chain.from_iterable(repeat(s, d.get("times", 1)) for s, d in zip(steps, sequence, strict=True)))
        if "sequence" in document
        else tuple(steps),
        restart="restart" in document,
    )
    if len(scenario.magic_id) != _MAGIC_LENGTH + 4:
        raise ScenarioError(f"{path}: at /name: expected at most 28 letters and digits, for the magic instance id")
    return scenario


def by_name(scenarios: Sequence[Scenario]) -> dict[str, Scenario]:
    """The scenarios by name, later ones before earlier; raises ScenarioError when two cannot be told apart."""
    named = {scenario.name: scenario for scenario in scenarios}
    _refuse_twins(named, "magic id", lambda scenario: scenario.magic_id)
    _refuse_twins(named, "status in /prefer", lambda scenario: scenario.prefer)
    return named


def _refuse_twins(named: Mapping[str, Scenario], what: str, read: Callable[[Scenario], str | int | None]) -> None:
    """Raise ScenarioError when two scenarios share what must tell them apart."""
    seen: dict[str | int, str] = {}
    for scenario in named.values():
        value = read(scenario)
        other = scenario.name if value is None else seen.setdefault(value, scenario.name)
        if other != scenario.name:
            raise ScenarioError(
                f"the scenarios {other!r} and {scenario.name!r} have the same {what}, {value}; change one"
            )


def bundled_scenarios(errors: Mapping[str, Mapping[str, object]]) -> dict[str, Scenario]:
    """The scenarios that come with the mock."""
    return by_name(read_scenarios(bundle_root() / "fixtures" / "scenarios", errors))


def _step(path: Path, place: str, document: dict[str, Any], errors: Mapping[str, Mapping[str, object]]) -> Step:
    fault = document.get("fault")
    drip = document.get("drip", {"pieces": 1, "seconds": 0})
    return Step(
        answer=_answer(path, place, document["answer"], errors) if "answer" in document else None,
        wait=_wait(document["wait"]) if "wait" in document else None,
        pieces=drip["pieces"],
        spread=drip["seconds"],
        fault=_WIREMOCK_FAULTS.get(str(fault), fault),
        probability=document.get("probability", 1.0),
    )


def _wait(document: float | dict[str, Any]) -> Wait:
    if not isinstance(document, dict):
        return Wait("fixed", document)
    if "uniform" in document:
        return Wait("uniform", *sorted(document["uniform"]))
    return Wait("lognormal", document["lognormal"]["median"], document["lognormal"]["sigma"])


def _answer(
    path: Path, place: str, document: dict[str, Any], errors: Mapping[str, Mapping[str, object]]
) -> ErrorAnswer | Reply:
    headers = tuple(document.get("headers", {}).items())
    if "status" in document:
        body = json_bytes(document["json"]) if "json" in document else document.get("text", "").encode()
        return Reply(document["status"], body, headers, document.get("content_type", "application/json"))
    error = document["error"]
    if error not in errors:
        match = nearest(error, errors)
        hint = f"; did you mean {match!r}?" if match else ""
        raise ScenarioError(f"{path}: at {place}/answer/error: no error of errors.json is named {error!r}{hint}")
    needed = set(re.findall(r"\{\w+\}", str(errors[error]["text"]))) - {"{request_id}"}
    if needed:
        raise ScenarioError(
            f"{path}: at {place}/answer/error: the text of {error!r} needs {', '.join(sorted(needed))},"
            " which no scenario has; name an error of errors.json whose text has no placeholder"
        )
    return ErrorAnswer(error, headers)
