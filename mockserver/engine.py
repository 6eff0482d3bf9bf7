"""The whole pipeline of one request: from ApiRequest to Exchange, without the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mockserver.authentication import Authenticator, load_authenticator
from mockserver.catalogue import Catalogue, load_catalogue
from mockserver.contract import Contract, load_contract
from mockserver.model import ApiError, ApiRequest, Exchange
from mockserver.operations import Decide, load_decide
from mockserver.scenarios import Scenarios, load_scenarios
from mockserver.validation import validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mockserver.model import Violation
    from mockserver.settings import Settings

MAX_BODY = 12 * 1024 * 1024
"""Bytes of a request body that the vendor's gateway takes."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The mock's core. `handle` is a pure function of the request."""

    contract: Contract
    catalogue: Catalogue
    scenarios: Scenarios
    authenticator: Authenticator
    decisions: Mapping[str, Decide]

    def handle(self, request: ApiRequest) -> Exchange:
        """The reply to a request and the reasons for it; the checks come in the order of the vendor's gateway."""
        operation = scenario = None
        try:
            operation, path_parameters = self.contract.route(request)
            if request.body_size > MAX_BODY:
                raise ApiError("body-too-large", {"size": request.body_size, "limit": MAX_BODY})
            self.authenticator.check(request)
            body = validate(operation, request, path_parameters)
            scenario = self.scenarios.choose(request)
            if scenario.answer is not None:
                raise ApiError(scenario.answer.error, headers=scenario.answer.headers)
            reply = self.decisions[operation.id](operation, body)
            violations: tuple[Violation, ...] = ()
        except ApiError as error:
            reply = self.catalogue.reply(error, self.catalogue.language(request), request.request_id)
            violations = error.violations
        return Exchange(
            request, reply, operation.id if operation else None, scenario.name if scenario else None, violations
        )

    def refuse(self, request: ApiRequest, error: ApiError) -> Exchange:
        """The exchange of a request that never reaches the pipeline, such as one that is not HTTP."""
        return Exchange(request, self.catalogue.reply(error, self.catalogue.language(request), request.request_id))


def load_engine(settings: Settings) -> Engine:
    """The engine that the settings ask for; raises TaurusMockError for a document or setting that is unusable."""
    contract = load_contract(settings)
    catalogue = load_catalogue()
    return Engine(
        contract=contract,
        catalogue=catalogue,
        scenarios=load_scenarios(settings.scenario, catalogue.errors),
        authenticator=load_authenticator(settings),
        decisions={operation.id: load_decide(operation.id) for operation in contract.operations},
    )
