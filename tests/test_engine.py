"""The pipeline: the order of its checks, and what each reply carries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support import INSTANCE, PROJECT_ID, REQUEST_ID, api_request, batch

from mockserver.engine import MAX_BODY, load_engine
from mockserver.settings import Settings

if TYPE_CHECKING:
    from mockserver.engine import Engine

USER = {"name": "anna", "password": "right", "domain": {"name": "company"}}
TOKEN_BODY = {
    "auth": {
        "identity": {"methods": ["password"], "password": {"user": USER}},
        "scope": {"project": {"id": PROJECT_ID}},
    }
}


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


# What becomes of instances


def refused(engine: Engine, body: object = None, **headers: str) -> tuple[int, str]:
    """Status and message of an answer."""
    given = {"X-Auth-Token": "t", **{name.replace("_", "-"): value for name, value in headers.items()}}
    reply = engine.handle(api_request(body, headers=given)).reply
    return reply.status, json.loads(reply.body).get("error_msg", "")


def test_an_upgrade_says_which_instances_it_was_granted_for(engine: Engine) -> None:
    other = {**INSTANCE, "instance_id": "another"}
    exchange = engine.handle(api_request(batch(INSTANCE, other, INSTANCE)))
    assert (exchange.accepted, exchange.upgraded) == (True, (INSTANCE["instance_id"], "another"))
    again = engine.handle(api_request(batch(other, {**INSTANCE, "instance_id": "third"})))
    assert (again.accepted, again.upgraded, again.scenario) == (False, (), "success")


def test_the_fleet_is_asked_after_the_scenario(engine: Engine) -> None:
    """A scenario that answers does so for an instance that cannot be upgraded, too; one without an answer does not."""
    assert refused(engine)[0] == 200
    assert refused(engine, X_Mock_Scenario="throttled")[0] == 429
    assert refused(engine, X_Mock_Scenario="slow")[0] == 400
    assert refused(engine, X_Mock_Scenario="nonsense")[0] == 400
    assert "already at the latest version" in refused(engine, X_Mock_Scenario="slow")[1]


def test_a_scenario_about_an_instance_names_the_first_of_the_request(engine: Engine) -> None:
    two = batch({**INSTANCE, "instance_id": "one"}, {**INSTANCE, "instance_id": "two"})
    status, message = refused(engine, two, X_Mock_Scenario="conflict")
    assert (status, message.endswith(" (one)")) == (409, True)
    assert "one" not in refused(engine, two, X_Mock_Scenario="throttled")[1]


def test_the_instance_of_a_path_is_that_of_the_exchange(engine: Engine) -> None:
    path = f"/v3/{PROJECT_ID}/instances/{INSTANCE['instance_id']}"
    exchange = engine.handle(api_request(b"", method="GET", path=path))
    assert (exchange.instance_id, exchange.operation) == (INSTANCE["instance_id"], "ShowGaussMySqlInstanceInfo")
    assert (exchange.accepted, exchange.reply.status) == (False, 400)


# The identity service


def identity(engine: Engine, body: object, **headers: str) -> tuple[int, dict[str, Any]]:
    """The answer of the operation that gives tokens; the one for others is of the gateway."""
    request = api_request(
        body, path="/v3/auth/tokens", headers={name.replace("_", "-"): v for name, v in headers.items()}
    )
    reply = engine.handle(request).reply
    return reply.status, json.loads(reply.body)


def test_the_identity_service_has_errors_of_its_own_form(engine: Engine) -> None:
    message = "Parameter error: /auth is required, but missing."
    assert identity(engine, {}) == (400, {"error": {"code": 400, "message": message, "title": "Bad Request"}})
    status, body = identity(engine, TOKEN_BODY, X_Mock_Scenario="internal-error")
    assert (status, set(body)) == (500, {"error"})
    assert (body["error"]["code"], body["error"]["title"]) == (500, "Internal Server Error")


def test_the_gateway_before_it_answers_in_its_own_form(engine: Engine) -> None:
    status, body = identity(engine, TOKEN_BODY, X_Mock_Scenario="throttled")
    assert (status, body["error_code"]) == (429, "APIGW.0308")
    reply = engine.handle(api_request(b"", method="GET", path="/v3/projects", headers={})).reply
    assert (reply.status, json.loads(reply.body)["error_code"]) == (401, "APIGW.0301")


def test_a_token_is_given_without_credentials_and_taken_for_some() -> None:
    engine = load_engine(Settings(user=("anna:right",)), b"a key")
    granted = engine.handle(api_request(TOKEN_BODY, path="/v3/auth/tokens", headers={})).reply
    assert granted.status == 201
    token = dict(granted.headers)["X-Subject-Token"]
    assert engine.handle(api_request(headers={"X-Auth-Token": token})).reply.status == 200
    assert engine.handle(api_request(headers={"X-Auth-Token": "another"})).reply.status == 401
    wrong = json.loads(json.dumps(TOKEN_BODY).replace("right", "wrong"))
    assert engine.handle(api_request(wrong, path="/v3/auth/tokens", headers={})).reply.status == 401
