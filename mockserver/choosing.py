"""Which scenario a request meets; the nearest to the request wins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mockserver.errors import ScenarioError, nearest
from mockserver.model import ApiError
from mockserver.scenarios import MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mockserver.conditions import Asked, Only
    from mockserver.scenarios import Scenario
    from mockserver.stores import Store

_PREFER_CODE = re.compile(r'(?:^|[,;])\s*code\s*=\s*"?([^",;\s]*)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scenarios:
    """Every known scenario, and the one for requests that ask for none."""

    by_name: Mapping[str, Scenario]
    by_magic_id: Mapping[str, Scenario]
    by_code: Mapping[str, Scenario]
    default: Scenario

    @classmethod
    def of(cls, by_name: Mapping[str, Scenario], default: str) -> Scenarios:
        """Scenarios with their indexes; raises ScenarioError when none is named `default`."""
        return cls(
            by_name=by_name,
            by_magic_id={scenario.magic_id: scenario for scenario in by_name.values()},
            by_code={str(scenario.prefer): scenario for scenario in by_name.values() if scenario.prefer},
            default=find_scenario(default, by_name, "--scenario: "),
        )

    def choose(self, asked: Asked, store: Store) -> tuple[Scenario, str]:
        """The scenario for a request, and what chose it.

        In this order: X-Mock-Scenario, `Prefer: code=`, a magic instance id, a rule, the start's scenario, success.
        A scenario that is only for other requests is passed over. Raises ApiError for a name or code that none has.
        """
        for scenario, chosen_by in self._candidates(asked, store):
            if scenario.only.holds(asked):
                return scenario, chosen_by
        return self.by_name["success"], "start"

    def _candidates(self, asked: Asked, store: Store) -> Iterator[tuple[Scenario, str]]:
        request = asked.request
        name = request.text("x-mock-scenario").strip()
        if name:
            yield _find(name, self.by_name, "X-Mock-Scenario"), "header"
        preference = request.headers.get("prefer")
        code = _PREFER_CODE.search(preference) if preference else None
        if code:
            yield _find(code.group(1), self.by_code, "Prefer: code"), "prefer"
        for instance_id in asked.instance_ids:
            scenario = self._by_magic(instance_id)
            if scenario is not None:
                yield scenario, "magic id"
        rule = store.take_rule(asked, lambda name: name in self.by_name and self.by_name[name].only.holds(asked))
        if rule is not None:
            yield self.by_name[rule], "rule"
        if not asked.is_identity or self.default.only.operations:
            yield self.default, "start"

    def _by_magic(self, instance_id: str) -> Scenario | None:
        """The scenario that an id asks for: a magic id, or one whose last four zeros are another number."""
        if not instance_id.startswith(MAGIC):
            return None
        found = self.by_magic_id.get(instance_id)
        if found is None and re.fullmatch("[0-9]{4}", instance_id[28:32]):
            found = self.by_magic_id.get(f"{instance_id[:28]}0000{instance_id[32:]}")
        return found


def require_operations(only: Only, known: Iterable[str], where: str = "") -> None:
    """Return when conditions name known operations only; else raise ScenarioError that tells the nearest."""
    operations = list(known)
    for name in only.operations:
        if name not in operations:
            match = nearest(name, operations)
            hint = f"did you mean {match!r}? " if match else ""
            raise ScenarioError(f"{where}no operation has the id {name!r}; {hint}GET /openapi.json lists them all")


def find_scenario(name: str, known: Mapping[str, Scenario], where: str = "") -> Scenario:
    """The scenario with a name; raises ScenarioError that tells the nearest, beginning with `where`."""
    if name not in known:
        match = nearest(name, known)
        hint = f"did you mean {match!r}? " if match else ""
        raise ScenarioError(f"{where}no scenario is named {name!r}; {hint}`taurus-mock scenarios` lists them all")
    return known[name]


def _find(name: str, known: Mapping[str, Scenario], header: str) -> Scenario:
    if name in known:
        return known[name]
    shown, listed, match = repr(name[:60]), ", ".join(sorted(known)), nearest(name, known)
    if match:
        raise ApiError("misspelt-scenario", {"header": header, "name": shown, "nearest": match, "known": listed})
    raise ApiError("unknown-scenario", {"header": header, "name": shown, "known": listed})
