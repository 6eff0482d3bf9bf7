"""The whole pipeline of one request: from ApiRequest to Exchange, without the world."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mockserver.authentication import Authenticator, load_authenticator
from mockserver.catalogue import Catalogue, load_catalogue
from mockserver.contract import Contract, load_contract
from mockserver.library import Library
from mockserver.model import ApiError, ApiRequest, Exchange, Reply, Violation
from mockserver.operations import Decide, load_decide
from mockserver.scenarios import ErrorAnswer
from mockserver.stores import Store
from mockserver.validation import validate

if TYPE_CHECKING:
    from collections.abc import Mapping

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


@dataclass(frozen=True, slots=True)
class Engine:
    """The mock's core: `handle` is a function of the request and of the store."""

    contract: Contract
    catalogue: Catalogue
    library: Library
    authenticator: Authenticator
    decisions: Mapping[str, Decide]
    store: Store

    def handle(self, request: ApiRequest) -> Exchange:
        """The reply to a request and the reasons for it."""
        trail = _Trail()
        try:
            reply = self._answer(request, trail)
        except ApiError as error:
            reply = self._refusal(request, error)
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
        )

    def refuse(self, request: ApiRequest, error: ApiError) -> Exchange:
        """The exchange of a request that never reaches the pipeline, such as one that is not HTTP."""
        return Exchange(request, self._refusal(request, error))

    def _answer(self, request: ApiRequest, trail: _Trail) -> Reply:
        """The checks in the order of the vendor's gateway, then the scenario, then the operation."""
        operation, path_parameters = self.contract.route(request)
        project_id = path_parameters.get("project_id", "")
        trail.operation, trail.project_id = operation.id, project_id
        if request.body_size > MAX_BODY:
            raise ApiError("body-too-large", {"size": request.body_size, "limit": MAX_BODY})
        self.authenticator.check(request, self.store.project_time(project_id, request.received_at))
        body = validate(operation, request, path_parameters)

        scenario, trail.chosen_by = self.library.current.choose(request, project_id, body, self.store)
        trail.scenario = scenario.name
        use = self.store.use(project_id, scenario.name) if scenario.is_counted else 0
        step = scenario.step(use, self.store.seed, project_id)
        if isinstance(step.answer, Reply):
            reply = step.answer
        elif isinstance(step.answer, ErrorAnswer):
            reply = self._refusal(request, ApiError(step.answer.error, headers=step.answer.headers))
        else:
            reply = self.decisions[operation.id](operation, body)
            trail.accepted = True
        delivery = step.delivery(self.store.seed, project_id, scenario.name, use)
        return replace(reply, delivery=delivery) if delivery else reply

    def _refusal(self, request: ApiRequest, error: ApiError) -> Reply:
        return self.catalogue.reply(error, self.catalogue.language(request), request.request_id)


def load_engine(settings: Settings) -> Engine:
    """The engine that the settings ask for; raises TaurusMockError for a document or setting that is unusable."""
    contract = load_contract(settings)
    catalogue = load_catalogue()
    return Engine(
        contract=contract,
        catalogue=catalogue,
        library=Library(settings.scenario, settings.scenarios, catalogue.errors),
        authenticator=load_authenticator(settings),
        decisions={operation.id: load_decide(operation.id) for operation in contract.operations},
        store=Store(seed=settings.seed),
    )
