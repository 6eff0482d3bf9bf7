"""The whole pipeline of one request: from ApiRequest to Exchange, without the world."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mockserver.authentication import Authenticator, load_authenticator
from mockserver.calls import Call, Decide, Decision
from mockserver.catalogue import Catalogue, load_catalogue
from mockserver.conditions import Asked
from mockserver.contract import Contract, load_contract
from mockserver.fleet import Policy
from mockserver.fleet_files import load_fleet
from mockserver.identity import Identity, load_identity
from mockserver.library import Library
from mockserver.model import ApiError, ApiRequest, Exchange, Reply, Violation
from mockserver.operations import load_decide
from mockserver.project_fleet import FleetView
from mockserver.scenarios import ErrorAnswer
from mockserver.stores import Store
from mockserver.validation import validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mockserver.contract import Operation
    from mockserver.settings import Settings

MAX_BODY = 12 * 1024 * 1024
"""Bytes of a request body that the vendor's gateway takes."""


@dataclass(slots=True)
class _Trail:
    """What is known of a request so far."""

    operation: str | None = None
    project_id: str | None = None
    scenario: str | None = None
    chosen_by: str | None = None
    accepted: bool = False
    violations: tuple[Violation, ...] = ()
    upgraded: tuple[str, ...] = ()
    instance_id: str | None = None
    is_identity: bool = False


@dataclass(frozen=True, slots=True)
class Engine:
    """The mock's core: `handle` is a function of the request and of the store."""

    contract: Contract
    catalogue: Catalogue
    library: Library
    authenticator: Authenticator
    decisions: Mapping[str, Decide]
    identity: Identity
    policy: Policy
    store: Store

    def handle(self, request: ApiRequest) -> Exchange:
        """The reply to a request and the reasons for it."""
        trail = _Trail()
        try:
            reply = self._answer(request, trail)
        except ApiError as error:
            reply = self._refusal(request, error, identity=trail.is_identity)
            trail.violations = error.violations
        return Exchange(
            request,
            reply,
            trail.operation,
            trail.project_id,
            trail.scenario,
            trail.chosen_by,
            trail.violations,
            trail.accepted,
            trail.upgraded,
            trail.instance_id,
        )

    def refuse(self, request: ApiRequest, error: ApiError) -> Exchange:
        """The exchange of a request that never reaches the pipeline, such as one that is not HTTP."""
        return Exchange(request, self._refusal(request, error))

    def _answer(self, request: ApiRequest, trail: _Trail) -> Reply:
        """The checks in the order of the vendor's gateway, then the scenario, then the operation."""
        operation, path = self.contract.route(request)
        project_id = path.get("project_id", "")
        trail.operation, trail.is_identity = operation.id, operation.is_identity
        trail.project_id, trail.instance_id = path.get("project_id"), path.get("instance_id")
        if request.body_size > MAX_BODY:
            raise ApiError("body-too-large", {"size": request.body_size, "limit": MAX_BODY})
        if not operation.is_open:
            self.authenticator.check(request, self.store.project_time(project_id, request.received_at))
        query, body = validate(operation, request, path)

        asked = Asked(request, operation.id, operation.is_identity, project_id, body, trail.instance_id)
        scenario, trail.chosen_by = self.library.current.choose(asked, self.store)
        trail.scenario = scenario.name
        use = self.store.use(project_id, scenario.name) if scenario.is_counted else 0
        step = scenario.step(use, self.store.seed, project_id)
        if isinstance(step.answer, Reply):
            reply = step.answer
        elif isinstance(step.answer, ErrorAnswer):
            about = tuple(asked.instance_ids[:1]) if self.catalogue.is_about_instances(step.answer.error) else ()
            error = ApiError(step.answer.error, headers=step.answer.headers, about=about)
            reply = self._refusal(request, error, identity=operation.is_identity)
        else:
            decision = self._decide(operation, request, path, query, body)
            reply, trail.upgraded, trail.accepted = decision.reply, decision.upgraded, True
        delivery = step.delivery(self.store.seed, project_id, scenario.name, use)
        return replace(reply, delivery=delivery) if delivery else reply

    def _decide(
        self,
        operation: Operation,
        request: ApiRequest,
        path: Mapping[str, str],
        query: Mapping[str, object],
        body: object,
    ) -> Decision:
        """What the operation says, with its changes made: nobody sees the fleet between the two."""
        project_id = path.get("project_id", "")
        with self.store.fleet(project_id) as fleet:
            call = Call(
                operation=operation,
                path=path,
                query=query,
                body=body,
                fleet=FleetView(fleet, self.store.project_time(project_id, request.received_at)),
                policy=self.policy,
                identity=self.identity,
                request_id=request.request_id,
                time_of=lambda other: self.store.project_time(other, request.received_at),
                url=request.url,
            )
            decision = self.decisions[operation.id](call)
            fleet.apply(decision.changes, call.fleet.now)
        return decision

    def _refusal(self, request: ApiRequest, error: ApiError, *, identity: bool = False) -> Reply:
        return self.catalogue.reply(error, self.catalogue.language(request), request.request_id, identity=identity)


def load_engine(settings: Settings, token_key: bytes = b"") -> Engine:
    """The engine that the settings ask for; raises TaurusMockError for a document or setting that is unusable.

    `token_key` signs the tokens that the mock issues.
    """
    contract = load_contract(settings)
    catalogue = load_catalogue()
    identity = load_identity(settings.passwords, token_key)
    decisions = {operation.id: load_decide(operation.id) for operation in contract.operations}
    return Engine(
        contract=contract,
        catalogue=catalogue,
        library=Library(settings.scenario, settings.scenarios, catalogue.errors, contract.ids),
        authenticator=load_authenticator(settings, identity),
        decisions=decisions,
        identity=identity,
        policy=Policy(
            unknown_instances=settings.unknown_instances,
            unknown_status=int(settings.unknown_status),
            upgrade_seconds=settings.upgrade_seconds,
        ),
        store=Store(load_fleet(settings), seed=settings.seed),
    )
