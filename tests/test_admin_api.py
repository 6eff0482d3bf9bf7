"""The admin API: each operation, each of its errors with its text, and what it changes in the mock."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from support import INSTANCE, NOW, PROJECT_ID, UPGRADE_PATH, api_request, batch

from mockserver.admin_routes import MAX_BODY
from mockserver.app import create_app
from mockserver.settings import Settings
from mockserver.signing import canonical_request, sign
from mockserver.version import version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

OTHER = "f" * 32
OTHER_PATH = UPGRADE_PATH.replace(PROJECT_ID, OTHER)
STATE = "/__admin/scenarios/fail-twice-then-succeed/state"


@pytest.fixture
def client() -> FlaskClient:
    """A mock of its own, with a clock that stands at NOW."""
    return client_of()


def client_of(**settings: object) -> FlaskClient:
    """A client of a mock that accepts the same upgrade any number of times, unless the settings say otherwise."""
    given = {"unknown_instances": "accept", **settings}
    return create_app(Settings(**given), clock=lambda: NOW).test_client()  # type: ignore[arg-type]  # real settings


def call(client: FlaskClient, operation: str, body: object = None) -> TestResponse:
    """An operation such as `PUT /__admin/seed`, with a body of bytes or a JSON value."""
    method, path = operation.split(" ")
    if body is None:
        return client.open(path, method=method)
    return client.open(
        path, method=method, data=body if isinstance(body, bytes) else json.dumps(body), content_type="application/json"
    )


def ask(client: FlaskClient, operation: str, body: object = None) -> Any:  # noqa: ANN401  # a JSON value
    """The answer of an operation that succeeds."""
    reply = call(client, operation, body)
    assert reply.status_code in (200, 201), reply.text
    assert reply.headers["Content-Type"] == "application/json"
    assert len(reply.headers["X-Request-Id"]) == 32
    return reply.json


def upgrade(client: FlaskClient, path: str = UPGRADE_PATH, **headers: str) -> int:
    """The status of the documented example."""
    given = {"X-Auth-Token": "a-token", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return client.post(path, json=batch(), headers=given).status_code


def statuses(client: FlaskClient, count: int, path: str = UPGRADE_PATH, **headers: str) -> list[int]:
    return [upgrade(client, path, **headers) for _ in range(count)]


def wanted(project_id: str | None) -> dict[str, str]:
    return {} if project_id is None else {"project_id": project_id}


def test_health_and_settings_say_what_runs() -> None:
    client = client_of(scenario="slow", seed=7, token=("secret-one",), ak=("AK",), sk=("secret-two",))
    assert ask(client, "GET /__admin/health") == {"status": "ready", "version": version(), "scenario": "slow"}
    settings = ask(client, "GET /__admin/settings")
    assert {name: settings[name] for name in ("scenario", "seed", "ak", "port")} == {
        "scenario": "slow", "seed": 7, "ak": ["AK"], "port": 8080,
    }  # fmt: skip


def test_settings_show_no_secret() -> None:
    secrets = {"token": ("secret-one",), "ak": ("AK",), "sk": ("secret-two",), "admin_token": "secret-three"}
    reply = client_of(**secrets).get("/__admin/settings", headers={"X-Admin-Token": "secret-three"})
    assert reply.status_code == 200
    assert "secret-" not in reply.text
    assert [reply.json[name] for name in ("token", "sk", "admin_token")] == ["[Filtered]"] * 3  # type: ignore[index]  # an object


def test_scenarios_are_listed_with_a_projects_position(client: FlaskClient) -> None:
    statuses(client, 2, X_Mock_Scenario="fail-twice-then-succeed")

    def position(query: str) -> object:
        listed = ask(client, f"GET /__admin/scenarios{query}")
        assert listed["problem"] is None
        return {each["name"]: each["position"] for each in listed["scenarios"]}["fail-twice-then-succeed"]

    assert (position(""), position(f"?project_id={PROJECT_ID}"), position(f"?project_id={OTHER}")) == (None, 2, 0)


def test_a_position_is_read_and_set_for_a_project(client: FlaskClient) -> None:
    name = "fail-twice-then-succeed"
    assert ask(client, f"GET {STATE}?project_id={PROJECT_ID}") == {"project_id": PROJECT_ID, "position": 0}
    ask(client, f"PUT {STATE}", {"project_id": PROJECT_ID, "position": 2})
    assert upgrade(client, X_Mock_Scenario=name) == 200
    assert ask(client, f"GET {STATE}?project_id={PROJECT_ID}")["position"] == 3
    assert upgrade(client, OTHER_PATH, X_Mock_Scenario=name) == 503


@pytest.mark.parametrize("value", ["1.0", "1e0"])
def test_a_whole_number_with_a_decimal_point_is_a_position(client: FlaskClient, value: str) -> None:
    """JSON Schema takes 1.0 for an integer, so the mock must as well."""
    body = f'{{"project_id": "{PROJECT_ID}", "position": {value}}}'.encode()
    ask(client, f"PUT {STATE}", body)
    assert statuses(client, 2, X_Mock_Scenario="fail-twice-then-succeed") == [503, 200]


def test_rules_hold_for_a_project_or_all_in_order_and_for_their_times(client: FlaskClient) -> None:
    for_all = ask(client, "POST /__admin/rules", {"scenario": "conflict", "times": 3})
    mine = {"project_id": PROJECT_ID}
    first = ask(client, "POST /__admin/rules", {"scenario": "throttled", "times": 1, "only": mine})
    ask(client, "POST /__admin/rules", {"scenario": "forbidden", "times": 2, "only": mine})
    assert first == {"id": first["id"], "scenario": "throttled", "only": mine, "times": 1, "used": 0}
    assert statuses(client, 1, OTHER_PATH) == [409]
    assert statuses(client, 6) == [429, 403, 403, 409, 409, 200]
    listed = ask(client, f"GET /__admin/rules?project_id={PROJECT_ID}")["rules"]
    assert [(rule["scenario"], rule["used"]) for rule in listed] == [
        ("throttled", 1),
        ("forbidden", 2),
        ("conflict", 3),
    ]
    assert [rule["id"] for rule in ask(client, f"GET /__admin/rules?project_id={OTHER}")["rules"]] == [for_all["id"]]
    assert len(ask(client, "GET /__admin/rules")["rules"]) == 3


@pytest.mark.parametrize(
    "only",
    [
        {"instance_id": INSTANCE["instance_id"]},
        {"headers": {"X-Caller": "one"}},
        {"body": {"/databases_instance_infos/0/current_version": "2.0.48.231200", "/delay": False}},
    ],
    ids=["instance", "header", "body"],
)
def test_a_rule_is_for_the_requests_that_it_describes(client: FlaskClient, only: dict[str, object]) -> None:
    assert ask(client, "POST /__admin/rules", {"scenario": "conflict", "only": only})["only"] == only
    assert upgrade(client, X_Caller="one") == 409
    body = batch({**INSTANCE, "instance_id": "1" * 32 + "in07", "current_version": "2.0.1.1"})
    assert client.post(UPGRADE_PATH, json=body, headers={"X-Auth-Token": "t"}).status_code == 200


def test_rules_are_removed_one_by_one_by_project_or_all(client: FlaskClient) -> None:
    rules = [
        ask(client, "POST /__admin/rules", {"scenario": name, "only": wanted(project)})["id"]
        for name, project in [("throttled", PROJECT_ID), ("conflict", PROJECT_ID), ("forbidden", OTHER), ("slow", None)]
    ]
    assert ask(client, f"DELETE /__admin/rules/{rules[0]}") == {}
    assert call(client, f"DELETE /__admin/rules/{rules[0]}").status_code == 404
    assert upgrade(client) == 409
    assert ask(client, f"DELETE /__admin/rules?project_id={PROJECT_ID}") == {}
    assert [rule["id"] for rule in ask(client, "GET /__admin/rules")["rules"]] == rules[2:]
    assert ask(client, "DELETE /__admin/rules") == {}
    assert ask(client, "GET /__admin/rules") == {"rules": []}


@pytest.mark.parametrize("project", [PROJECT_ID, None], ids=["one-project", "all"])
@pytest.mark.parametrize("level", ["journal", "rules", "state", "all"])
def test_reset_forgets_its_level_and_no_other(client: FlaskClient, level: str, project: str | None) -> None:
    for project_id, path in {PROJECT_ID: UPGRADE_PATH, OTHER: OTHER_PATH}.items():
        upgrade(client, path, X_Mock_Scenario="fail-twice-then-succeed")
        ask(client, "POST /__admin/rules", {"scenario": "conflict", "only": wanted(project_id)})
        ask(client, "PUT /__admin/clock", {"project_id": project_id, "offset": 60})
    assert ask(client, "POST /__admin/reset", {"level": level, **wanted(project)}) == {}

    def remembered(project_id: str) -> dict[str, bool]:
        query = f"?project_id={project_id}"
        return {
            "journal": ask(client, f"GET /__admin/requests{query}")["total"] == 1,
            "rules": len(ask(client, f"GET /__admin/rules{query}")["rules"]) == 1,
            "state": (ask(client, f"GET {STATE}{query}")["position"], ask(client, f"GET /__admin/clock{query}")["now"])
            == (1, NOW + 60),
        }

    everything = {"journal": True, "rules": True, "state": True}
    left = {name: level not in (name, "all") for name in everything}
    assert remembered(PROJECT_ID) == left
    assert remembered(OTHER) == (left if project is None else everything)


def test_the_seed_decides_which_requests_chance_hits(client: FlaskClient) -> None:
    def hits(seed: int) -> list[int]:
        assert ask(client, "PUT /__admin/seed", {"seed": seed}) == {"seed": seed}
        assert ask(client, "GET /__admin/seed") == {"seed": seed}
        ask(client, "POST /__admin/reset", {"level": "state"})
        return statuses(client, 30, X_Mock_Scenario="flaky")

    first, second = hits(1), hits(2)
    assert set(first) == set(second) == {200, 503}
    assert first != second
    assert hits(1) == first


def test_a_moved_clock_lets_a_token_expire() -> None:
    client = client_of(user=("anna:right",))
    user = {"name": "anna", "password": "right", "domain": {"name": "company"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    asked = {"auth": {"identity": identity, "scope": {"project": {"id": PROJECT_ID}}}}
    token = client.post("/v3/auth/tokens", json=asked).headers["X-Subject-Token"]

    def status(clock: Mapping[str, float]) -> int:
        moved = ask(client, "PUT /__admin/clock", {"project_id": PROJECT_ID, **clock})
        assert ask(client, f"GET /__admin/clock?project_id={PROJECT_ID}") == moved
        return upgrade(client, X_Auth_Token=token)

    day = 24 * 3600
    offsets = {0: 200, day - 1: 200, day: 401, -day: 200, 10_000_000_000: 401, -10_000_000_000: 200}
    assert {offset: status({"offset": offset}) for offset in offsets} == offsets
    assert (status({"now": NOW + day}), status({"now": 0}), status({"now": NOW})) == (401, 200, 200)
    assert upgrade(client, OTHER_PATH, X_Auth_Token=token) == 200


def test_a_moved_clock_leaves_signatures_alone() -> None:
    """Signers go by the wall clock, so a test that moves a project's clock does not lock its SDK out."""
    client = client_of(auth="signed", ak=("AKEXAMPLE",), sk=("SKEXAMPLE",))
    date = datetime.fromtimestamp(NOW, timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers = {"Content-Type": "application/json", "X-Sdk-Date": date}
    request = api_request(headers=headers)
    signature = sign(canonical_request(request, ("x-sdk-date",)), date, "SKEXAMPLE")
    signed = f"SDK-HMAC-SHA256 Access=AKEXAMPLE, SignedHeaders=x-sdk-date, Signature={signature}"

    def status(clock: Mapping[str, float]) -> int:
        moved = ask(client, "PUT /__admin/clock", {"project_id": PROJECT_ID, **clock})
        assert ask(client, f"GET /__admin/clock?project_id={PROJECT_ID}") == moved
        return client.post(UPGRADE_PATH, data=request.body, headers={**headers, "Authorization": signed}).status_code

    assert [status({"offset": offset}) for offset in (0, 901, -901, 10_000_000_000, -10_000_000_000)] == [200] * 5
    assert (status({"now": NOW + 901}), status({"now": 0}), status({"now": NOW})) == (200, 200, 200)


ERRORS = [
    ("POST /__admin/reset", {"levl": "all"}, 400, ["at the top", "'levl' is perhaps 'level'"]),
    ("POST /__admin/reset", {"level": "jurnal"}, 400, ["at /level", "jurnal"]),
    ("POST /__admin/reset", {"level": "all", "project_id": 5}, 400, ["at /project_id", '"string"']),
    ("POST /__admin/reset", [], 400, ["at the top", '"object"']),
    ("POST /__admin/reset", b"", 400, ["no JSON", "empty"]),
    ("POST /__admin/reset", b'{"level"', 400, ["no JSON", "line 1 column 9"]),
    ("POST /__admin/reset", b"\xff", 400, ["no JSON", "encoding"]),
    ("POST /__admin/reset", b'{"level": NaN}', 400, ["no JSON", "NaN is not a JSON value"]),
    ("POST /__admin/reset", b"[" * 101 + b"]" * 101, 400, ["no JSON", "depth"]),
    ("POST /__admin/reset", b"[" * 300_000, 400, ["no JSON", "depth"]),
    ("POST /__admin/reset", b"x" * (MAX_BODY + 1), 413, ["1048577 bytes", "1048576 bytes"]),
    ("PUT /__admin/seed", {"seed": "x"}, 400, ["at /seed", '"integer"']),
    ("PUT /__admin/seed", {"seed": -1}, 400, ["at /seed", "minimum of 0"]),
    ("PUT /__admin/seed", b'{"seed": ' + b"9" * 5000 + b"}", 400, ["no JSON", "number"]),
    ("PUT /__admin/clock", {"project_id": "a", "now": 1, "offset": 2}, 400, ["at the top"]),
    ("PUT /__admin/clock", {"project_id": "a", "ofset": 2}, 400, ["'ofset' is perhaps 'offset'"]),
    ("GET /__admin/clock", None, 400, ["query parameter 'project_id' is required"]),
    ("GET /__admin/clock?project=a", None, 400, ["'project' is not known", "Did you mean 'project_id'?"]),
    ("GET /__admin/health?a=1", None, 400, ["'a' is not known", "Known: none"]),
    (f"GET {STATE}", None, 400, ["query parameter 'project_id' is required"]),
    ("GET /__admin/scenarios/throtled/state?project_id=a", None, 404, ["'throtled'", "did you mean 'throttled'?"]),
    (f"PUT {STATE}", {"project_id": "a", "position": -1}, 400, ["at /position"]),
    ("PUT /__admin/scenarios/zzz/state", {"project_id": "a", "position": 1}, 404, ["no scenario is named 'zzz'"]),
    ("POST /__admin/rules", {"scenario": "throtled"}, 400, ["'throtled'", "did you mean 'throttled'?"]),
    ("POST /__admin/rules", {"scenario": "slow", "only": {"body": {"x": 1}}}, 400, ["at /only/body", '"x"']),
    ("POST /__admin/rules", {"scenario": "slow", "only": {"project": "x"}}, 400, ["'project' is perhaps 'project_id'"]),
    ("POST /__admin/rules", {"scenario": "slow", "only": {"headers": {"a/b": 1}}}, 400, ["at /only/headers/a~1b"]),
    ("DELETE /__admin/rules/rule-99", None, 404, ["No rule has the id 'rule-99'", "GET /__admin/rules"]),
    ("GET /__admin/requests?limit=0", None, 400, ["'limit'", "minimum of 1"]),
    ("GET /__admin/requests?limit=ten", None, 400, ["'limit'", '"integer"']),
    ("GET /__admin/requests?accepted=yes", None, 400, ["'accepted'", '"boolean"']),
    ("GET /__admin/requests?project_id=", None, 400, ["'project_id'", "shorter than 1"]),
    ("GET /__admin/requests/abc", None, 404, ["no request with the id 'abc'"]),
    ("POST /__admin/requests/count", {"acepted": True}, 400, ["'acepted' is perhaps 'accepted'"]),
    ("POST /__admin/requests/find", {"status": "200"}, 400, ["at /status", '"integer"']),
    ("POST /__admin/requests/verify", {"project_id": "a", "instances": []}, 400, ["at /instances"]),
    ("POST /__admin/requests/verify", {"project_id": "a", "instances": ["b", 1]}, 400, ["at /instances/1"]),
    ("GET /__admin/helth", None, 404, ["no /__admin/helth", "Did you mean /__admin/health?"]),
    ("GET /__admin/openapi.jsn", None, 404, ["no /__admin/openapi.jsn", "Did you mean /__admin/openapi.json?"]),
]


@pytest.mark.parametrize(
    ("operation", "body", "status", "parts"),
    ERRORS,
    ids=[f"{number}-{row[0].partition('?')[0]}-{row[2]}" for number, row in enumerate(ERRORS)],
)
def test_an_error_says_what_is_wrong_with_what(
    client: FlaskClient, operation: str, body: object, status: int, parts: list[str]
) -> None:
    reply = call(client, operation, body)
    document: Any = reply.json
    assert (reply.status_code, reply.headers["Content-Type"]) == (status, "application/json"), reply.text
    assert len(reply.headers["X-Request-Id"]) == 32
    assert document["error_code"].startswith("MOCK.01")
    assert [part for part in parts if part not in document["error_msg"]] == [], document["error_msg"]


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/__admin/health", "POST", {"GET"}),
        ("/__admin/rules", "PATCH", {"DELETE", "GET", "POST"}),
        ("/__admin/rules", "OPTIONS", {"DELETE", "GET", "POST"}),
        ("/__admin/rules/x", "GET", {"DELETE"}),
        ("/__admin/requests/count", "PUT", {"POST"}),
        ("/__admin/openapi.json", "POST", {"GET"}),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(client: FlaskClient, path: str, method: str, allowed: set[str]) -> None:
    reply = client.open(path, method=method)
    assert reply.status_code == 405, reply.text
    assert set(reply.headers["Allow"].split(", ")) - {"HEAD"} == allowed
    assert reply.json is not None
    assert (reply.json["error_code"], reply.json["request_id"]) == ("APIGW.0101", reply.headers["X-Request-Id"])


def test_the_last_of_two_equal_keys_counts(client: FlaskClient) -> None:
    assert ask(client, "PUT /__admin/seed", b'{"seed": "x", "seed": 5}') == {"seed": 5}
