"""The pipeline: the order of its checks, and what each reply carries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support import REQUEST_ID, api_request, batch

from mockserver.engine import MAX_BODY, load_engine
from mockserver.settings import Settings

if TYPE_CHECKING:
    from mockserver.engine import Engine


def test_the_documented_example_gets_the_documented_answer(engine: Engine) -> None:
    exchange = engine.handle(api_request())
    assert exchange.reply.status == 200
    assert exchange.reply.body == b'{"resp":"success"}'
    assert (exchange.operation, exchange.scenario) == ("BatchUpgradeDatabases", "success")


def test_checks_come_in_the_order_of_the_gateway(engine: Engine) -> None:
    """Each request has every later fault as well, so the first check in the order must answer."""
    nothing = {"X-Mock-Scenario": "no-such-scenario"}
    token = {**nothing, "X-Auth-Token": "t"}
    huge = api_request(b"{", headers=nothing)
    statuses = [
        engine.handle(api_request(b"{", path="/v3/x", headers=nothing)).reply,
        engine.handle(api_request(b"{", method="GET", headers=nothing)).reply,
        engine.handle(
            type(huge)(**{name: getattr(huge, name) for name in huge.__slots__} | {"body_size": MAX_BODY + 1})
        ).reply,
        engine.handle(api_request(b"{", headers=nothing)).reply,
        engine.handle(api_request(b"{", headers=token)).reply,
        engine.handle(api_request(headers=token)).reply,
    ]
    assert [(reply.status, json.loads(reply.body)["error_code"]) for reply in statuses] == [
        (404, "APIGW.0101"),
        (405, "APIGW.0101"),
        (413, "APIGW.0201"),
        (401, "APIGW.0301"),
        (400, "DBS.200001"),
        (400, "MOCK.0001"),
    ]


def test_a_forced_success_never_hides_a_mistake(engine: Engine) -> None:
    headers = {"X-Auth-Token": "t", "X-Mock-Scenario": "success"}
    assert engine.handle(api_request(batch(delay="maybe"), headers=headers)).reply.status == 400


def test_a_forced_error_never_hides_a_mistake(engine: Engine) -> None:
    headers = {"X-Auth-Token": "t", "X-Mock-Scenario": "internal-error"}
    reply = engine.handle(api_request(batch(delay="maybe"), headers=headers)).reply
    assert (reply.status, json.loads(reply.body)["error_code"]) == (400, "DBS.200001")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Mock-Scenario": "throttled"}, 429),
        ({"Prefer": "code=500"}, 500),
        ({"Prefer": "respond-async, code=503"}, 503),
        ({"Prefer": 'code="403"; foo'}, 403),
        ({"Prefer": "respond-async"}, 200),
        ({"X-Mock-Scenario": "throttled", "Prefer": "code=500"}, 429),
        ({"X-Mock-Scenario": " "}, 200),
    ],
    ids=["header", "prefer", "among-other-preferences", "quoted", "other-preference", "header-is-nearer", "blank"],
)
def test_a_request_chooses_its_scenario(engine: Engine, headers: dict[str, str], status: int) -> None:
    assert engine.handle(api_request(headers={"X-Auth-Token": "t", **headers})).reply.status == status


def test_a_request_is_nearer_than_the_scenario_of_the_start() -> None:
    engine = load_engine(Settings(scenario="throttled"))
    assert engine.handle(api_request()).reply.status == 429
    assert engine.handle(api_request(headers={"X-Auth-Token": "t", "Prefer": "code=200"})).reply.status == 200


def test_errors_of_the_gateway_carry_the_request_id_in_the_body(engine: Engine) -> None:
    body = json.loads(engine.handle(api_request(headers={})).reply.body)
    assert body["request_id"] == REQUEST_ID
    body = json.loads(engine.handle(api_request(b"{")).reply.body)
    assert "request_id" not in body
