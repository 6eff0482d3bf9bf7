"""The operations of the admin API, each a method named like its operation id in `schemas/admin.json`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from mockserver.choosing import find_scenario, require_operations
from mockserver.conditions import parse_only
from mockserver.errors import FleetError, ScenarioError
from mockserver.filtering import FILTERED
from mockserver.fleet_control import FleetControl
from mockserver.model import ApiError
from mockserver.settings_table import BY_NAME
from mockserver.verification import Criteria, check_upgraded
from mockserver.version import version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mockserver.engine import Engine
    from mockserver.journal import Entry, Journal
    from mockserver.settings import Settings
    from mockserver.stores import Rule

Json = dict[str, Any]
_PAGE = 100


class Admin:
    """What can be asked of a running mock and changed in it.

    Each operation takes its path and query parameters and its body as keywords, checked against the document, and gives
    the JSON object of its answer. Raises ApiError for what the document cannot say.
    """

    def __init__(self, settings: Settings, engine: Engine, journal: Journal, clock: Callable[[], float]) -> None:
        self._settings, self._engine, self._journal, self._clock = settings, engine, journal, clock
        self._store = engine.store
        self._fleets = FleetControl(engine.store, clock)

    def health(self) -> Json:
        return {"status": "ready", "version": version(), "scenario": self._settings.scenario}

    def settings(self) -> Json:
        values = {each.name: getattr(self._settings, each.name) for each in fields(self._settings)}
        return {name: FILTERED if value and BY_NAME[name].secret else value for name, value in values.items()}

    def list_scenarios(self, project_id: str | None = None) -> Json:
        library = self._engine.library
        rows = [
            {
                "name": each.name,
                "summary": each.summary,
                "prefer": each.prefer,
                "magic_id": each.magic_id,
                "steps": len(each.steps),
                "position": None if project_id is None else self._store.position(project_id, each.name),
            }
            for each in library.current.by_name.values()
        ]
        return {"scenarios": rows, "problem": library.problem}

    def read_position(self, name: str, project_id: str) -> Json:
        self._require(name, "admin-not-found")
        return {"project_id": project_id, "position": self._store.position(project_id, name)}

    def set_position(self, name: str, body: Json) -> Json:
        self._require(name, "admin-not-found")
        self._store.set_position(body["project_id"], name, body["position"])
        return body

    def list_rules(self, project_id: str | None = None) -> Json:
        return {"rules": [_rule(rule) for rule in self._store.rules(project_id)]}

    def add_rule(self, body: Json) -> Json:
        self._require(body["scenario"], "admin-bad-request")
        only = parse_only(body.get("only", {}))
        with _refusing():
            require_operations(only, self._engine.contract.ids)
        return _rule(self._store.add_rule(body["scenario"], only, body.get("times")))

    def clear_rules(self, project_id: str | None = None) -> Json:
        self._store.clear_rules(project_id)
        return {}

    def remove_rule(self, id: str) -> Json:  # noqa: A002  # the name of the path parameter
        if not self._store.remove_rule(id):
            raise ApiError("admin-not-found", {"reason": f"No rule has the id {id!r}. GET /__admin/rules lists them."})
        return {}

    def list_requests(self, offset: int = 0, limit: int = _PAGE, **criteria: Any) -> Json:  # noqa: ANN401  # JSON values
        found = self._find(criteria)
        page = [entry.to_json() for entry in found[offset : offset + limit]]
        return {"requests": page, "matched": len(found), **self._journal.counts(criteria.get("project_id"))}

    def read_request(self, id: str) -> Json:  # noqa: A002  # the name of the path parameter
        found = self._journal.entries(keep=lambda entry: entry.exchange.request.request_id == id)
        if not found:
            raise ApiError("admin-not-found", {"reason": f"The journal has no request with the id {id!r} (any more)."})
        return found[0].to_json()

    def clear_requests(self, project_id: str | None = None) -> Json:
        self._journal.clear(project_id)
        return {}

    def count_requests(self, body: Json) -> Json:
        return {"count": len(self._find(body))}

    def find_requests(self, body: Json) -> Json:
        return {"requests": [entry.to_json() for entry in self._find(body)]}

    def verify_upgraded(self, body: Json) -> Json:
        entries = self._journal.entries(body["project_id"])
        message = check_upgraded(entries, body["instances"], body.get("exactly", 1))
        return {"ok": message is None, "message": message}

    def reset(self, body: Json) -> Json:
        level, project_id = body["level"], body.get("project_id")
        if level in ("journal", "all"):
            self._journal.clear(project_id)
        if level in ("rules", "all"):
            self._store.clear_rules(project_id)
        if level in ("state", "all"):
            self._store.clear_state(project_id)
        return {}

    def read_fleet(self, project_id: str, offset: int = 0, limit: int = _PAGE) -> Json:
        return {**self._fleets.summary(project_id), "instances": self._fleets.instances(project_id, offset, limit)}

    def load_fleet(self, body: Json) -> Json:
        with _refusing():
            self._fleets.load(body["project_id"], body["fleet"])
        return self._fleets.summary(body["project_id"])

    def edit_instance(self, id: str, body: Json) -> Json:  # noqa: A002  # the name of the path parameter
        with _refusing():
            return self._fleets.edit(body["project_id"], id, body["instance"])

    def remove_instance(self, id: str, project_id: str) -> Json:  # noqa: A002  # the name of the path parameter
        if not self._fleets.remove(project_id, id):
            reason = f"The project has no instance {id!r}. GET /__admin/fleet lists them."
            raise ApiError("admin-not-found", {"reason": reason})
        return {}

    def list_jobs(self, project_id: str) -> Json:
        return {"jobs": self._fleets.jobs(project_id)}

    def read_seed(self) -> Json:
        return {"seed": self._store.seed}

    def set_seed(self, body: Json) -> Json:
        self._store.seed = body["seed"]
        return body

    def read_clock(self, project_id: str) -> Json:
        wall = self._clock()
        now = self._store.project_time(project_id, wall)
        return {"project_id": project_id, "now": now, "offset": now - wall}

    def set_clock(self, body: Json) -> Json:
        offset = body["offset"] if "offset" in body else body["now"] - self._clock()
        self._store.move_clock(body["project_id"], offset)
        return self.read_clock(body["project_id"])

    def _find(self, criteria: Json) -> list[Entry]:
        return self._journal.entries(criteria.get("project_id"), Criteria.of(criteria).holds)

    def _require(self, scenario: str, error: str) -> None:
        try:
            find_scenario(scenario, self._engine.library.current.by_name)
        except ScenarioError as problem:
            raise ApiError(error, {"reason": f"{problem}."}) from None


@contextmanager
def _refusing() -> Iterator[None]:
    """A fleet or condition that cannot be is the caller's mistake."""
    try:
        yield
    except (FleetError, ScenarioError) as error:
        reason = str(error)
        raise ApiError("admin-bad-request", {"reason": f"{reason[0].upper()}{reason[1:]}."}) from None


def _rule(rule: Rule) -> Json:
    only = {name: value for name, value in asdict(rule.only).items() if value not in (None, ())}
    if "operations" in only:
        only["operation"] = list(only.pop("operations"))
    for name in {"headers", "body"} & set(only):
        only[name] = dict(only[name])
    return {"id": rule.id, "scenario": rule.scenario, "only": only, "times": rule.times, "used": rule.used}
