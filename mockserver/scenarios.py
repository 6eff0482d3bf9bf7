"""Scenarios: parsing their files, and choosing one for a request, nearest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mockserver.errors import ScenarioError, nearest
from mockserver.model import ApiError
from mockserver.resources import bundle_root, read_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mockserver.model import ApiRequest

HEADER = "X-Mock-Scenario"
_PREFER_CODE = re.compile(r'(?:^|[,;])\s*code\s*=\s*"?([^",;\s]*)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """An error that is answered instead of what the operation would say."""

    error: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way in which the mock answers an accepted request."""

    name: str
    summary: str
    prefer: int | None
    """The status for which `Prefer: code=NNN` chooses it."""
    answer: Answer | None
    """None: the operation answers."""


@dataclass(frozen=True, slots=True)
class Scenarios:
    """Every known scenario, and the one for requests that ask for none."""

    by_name: Mapping[str, Scenario]
    default: Scenario

    def choose(self, request: ApiRequest) -> Scenario:
        """The scenario for a request: its X-Mock-Scenario, its Prefer, else the default.

        Raises ApiError for a name or code that no scenario has.
        """
        name = request.headers.get("x-mock-scenario", "").strip()
        if name:
            return self._named(name)
        code = _PREFER_CODE.search(request.headers.get("prefer", ""))
        return self._preferred(code.group(1)) if code else self.default

    def _named(self, name: str) -> Scenario:
        scenario = self.by_name.get(name)
        if scenario is None:
            raise _unknown(HEADER, name, self.by_name)
        return scenario

    def _preferred(self, code: str) -> Scenario:
        codes = {str(scenario.prefer): scenario for scenario in self.by_name.values() if scenario.prefer}
        if code not in codes:
            raise _unknown("Prefer: code", code, codes)
        return codes[code]


def _unknown(header: str, name: str, known: Mapping[str, Scenario]) -> ApiError:
    match = nearest(name, known)
    return ApiError(
        "unknown-scenario",
        {
            "header": header,
            "name": repr(name[:60]),
            "nearest": f" Did you mean {match}?" if match else "",
            "known": ", ".join(sorted(known)),
        },
    )


def load_scenarios(default: str, errors: Mapping[str, Mapping[str, object]]) -> Scenarios:
    """The bundled scenarios, with `default` for requests that ask for none.

    `errors` are the catalogue's, by name. Raises ScenarioError for an unknown default, and ResourceError or
    ScenarioError for an unusable file.
    """
    folder = bundle_root() / "fixtures" / "scenarios"
    scenarios = [_read(path, errors) for path in sorted(folder.glob("*.json"))]
    by_name = {scenario.name: scenario for scenario in scenarios}
    if default not in by_name:
        match = nearest(default, by_name)
        hint = f"did you mean {match!r}? " if match else ""
        raise ScenarioError(
            f"--scenario: no scenario is named {default!r}; {hint}`taurus-mock scenarios` lists them all"
        )
    return Scenarios(by_name, by_name[default])


def _read(path: Path, errors: Mapping[str, Mapping[str, object]]) -> Scenario:
    document: dict[str, Any] = read_object(path, schema="scenario")
    name = document["name"]
    if name != path.stem:
        raise ScenarioError(f"{path}: at /name: expected {path.stem!r} like the file's name, got {name!r}")
    return Scenario(
        name=name,
        summary=document["summary"],
        prefer=document.get("prefer"),
        answer=_answer(path, document["answer"], errors) if "answer" in document else None,
    )


def _answer(path: Path, answer: dict[str, Any], errors: Mapping[str, Mapping[str, object]]) -> Answer:
    error = answer["error"]
    if error not in errors:
        match = nearest(error, errors)
        hint = f"; did you mean {match!r}?" if match else ""
        raise ScenarioError(f"{path}: at /answer/error: no error of errors.json is named {error!r}{hint}")
    return Answer(error, tuple(answer.get("headers", {}).items()))
