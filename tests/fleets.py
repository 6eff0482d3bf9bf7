"""Instances, fleets and calls for tests of what operations do to them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from support import LATEST, NOW, PROJECT_ID, REQUEST_ID, UPGRADE

from mockserver.calls import Call, Decision
from mockserver.contract import Contract, load_contract
from mockserver.fleet import Fleet, Instance, Policy
from mockserver.identity import load_identity
from mockserver.operations import load_decide
from mockserver.project_fleet import FleetView, ProjectFleet
from mockserver.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

OLD = "2.0.48.231200"
DAY = 86_400
ADOPT, ACCEPT, REJECT = (Policy(unknown_instances=each) for each in ("adopt", "accept", "reject"))


def instance_id(number: int) -> str:
    return f"{number:032x}in07"


def instance(number: int, **fields: Any) -> Instance:  # noqa: ANN401  # fields of Instance
    """An instance with an old version, unless told otherwise."""
    return Instance(**{"id": instance_id(number), "name": f"db-{number}", "version": OLD, **fields})


def fleet_of(*instances: Instance, latest: str = LATEST) -> ProjectFleet:
    """A project that begins with these instances."""
    return ProjectFleet(Fleet({each.id: each for each in instances}, latest))


def batch_of(*numbers: int, version: str = OLD, **more: object) -> dict[str, object]:
    """A body that names instances by number, with the version that they are said to have."""
    items = [{"current_version": version, "instance_id": instance_id(number)} for number in numbers]
    return {"databases_instance_infos": items, **more}


@cache
def contract() -> Contract:
    return load_contract(Settings())


def call(  # noqa: PLR0913  # keyword-only, each with its default
    operation_id: str = UPGRADE,
    *,
    state: ProjectFleet | None = None,
    body: object = None,
    query: Mapping[str, object] | None = None,
    instance: str = "",
    now: float = NOW,
    policy: Policy = ADOPT,
    request_id: str = REQUEST_ID,
) -> Call:
    """A call as an operation gets it, to a project without instances unless told otherwise."""
    operation = contract().operation(operation_id)
    defaults = {name: parameter.default for name, parameter in operation.query.items()}
    return Call(
        operation=operation,
        path={"project_id": PROJECT_ID, "instance_id": instance},
        query={**defaults, **(query or {})},
        body=body,
        fleet=FleetView(fleet_of() if state is None else state, now),
        policy=policy,
        identity=load_identity({}, b"key"),
        request_id=request_id,
        time_of=lambda _: now,
        url="http://mock",
    )


def decide(operation_id: str = UPGRADE, *, state: ProjectFleet, **asked: Any) -> Decision:  # noqa: ANN401  # of call
    """What a call gets, with its changes made; raises ApiError for one that is refused."""
    decision = load_decide(operation_id)(call(operation_id, state=state, **asked))
    state.apply(decision.changes)
    return decision
