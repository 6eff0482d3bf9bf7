"""What the mock offers beside the API: `/openapi.json` and `/__admin/health`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support import INSTANCE, UPGRADE_PATH, batch

from mockserver.app import create_app
from mockserver.documents import bundle
from mockserver.settings import Settings
from mockserver.version import version

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

REQUEST = "/components/schemas/UpgradeRequest/properties"
STRICT = "/components/schemas/UpgradeInstance/properties/instance_id"


def client(**settings: object) -> FlaskClient:
    return create_app(Settings(**settings)).test_client()  # type: ignore[arg-type]  # the tests name real settings


def document_of(client: FlaskClient) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(client.get("/openapi.json").data)
    return document


def upgrade(client: FlaskClient, body: object) -> TestResponse:
    return client.post(UPGRADE_PATH, json=body, headers={"X-Auth-Token": "a-token"})


def at(document: object, pointer: str) -> Any:  # noqa: ANN401  # a JSON value
    for part in pointer[1:].split("/"):
        document = document[part]  # type: ignore[index]  # the tests point at what is there
    return document


def test_openapi_json_is_the_contract() -> None:
    reply = client().get("/openapi.json")
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(reply.data) == bundle()


@pytest.mark.parametrize(
    ("settings", "pointer", "value", "refused"),
    [
        ({"delay": "boolean"}, f"{REQUEST}/delay/enum", [True, False], batch(delay="true")),
        ({"delay": "string"}, f"{REQUEST}/delay/enum", ["true", "false"], batch(delay=True)),
        ({"min_batch": 2}, f"{REQUEST}/databases_instance_infos/minItems", 2, batch()),
        ({"max_batch": 1}, f"{REQUEST}/databases_instance_infos/maxItems", 1, batch(INSTANCE, INSTANCE)),
        ({"strict_ids": True}, f"{STRICT}/maxLength", 36, batch({**INSTANCE, "instance_id": "short"})),
    ],
    ids=["delay-boolean", "delay-string", "min-batch", "max-batch", "strict-ids"],
)
def test_a_setting_narrows_the_document_and_the_mock_alike(
    settings: dict[str, object], pointer: str, value: object, refused: object
) -> None:
    narrowed = client(**settings)
    assert at(document_of(narrowed), pointer) == value
    assert upgrade(narrowed, refused).status_code == 400
    assert upgrade(client(), refused).status_code == 200


@pytest.mark.parametrize(
    ("auth", "security"),
    [
        ("any", [{"token": []}, {"signature": []}]),
        ("token", [{"token": []}]),
        ("signed", [{"signature": []}]),
        ("off", []),
    ],
)
def test_the_document_names_the_credentials_that_the_mock_demands(auth: str, security: list[object]) -> None:
    assert document_of(client(auth=auth))["security"] == security


@pytest.mark.parametrize(
    "settings",
    [{}, {"delay": "string", "min_batch": 1, "max_batch": 9, "strict_ids": True, "auth": "token"}],
    ids=["default", "narrowed"],
)
def test_openapi_json_is_valid_openapi_3_1(settings: dict[str, object]) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="Schemathesis 4.32 needs Python 3.11")
    document = document_of(client(**settings))
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(document).validate()
    with pytest.raises(Exception, match="is not of type"):
        schemathesis.openapi.from_dict({**document, "paths": 0}).validate()


def test_health_says_what_is_ready() -> None:
    reply = client(scenario="throttled").get("/__admin/health")
    assert reply.status_code == 200
    assert reply.json == {"status": "ready", "version": version(), "scenario": "throttled"}


@pytest.mark.parametrize("path", ["/openapi.json", "/__admin/health"])
def test_credentials_are_not_demanded(path: str) -> None:
    assert client(auth="signed", ak=("a",), sk=("s",)).get(path).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/openapi.json", "/__admin/health"])
def test_another_method_is_405_with_the_allowed_one(path: str, method: str) -> None:
    reply = client().open(path, method=method)
    assert (reply.status_code, reply.headers["Content-Type"]) == (405, "application/json")
    assert "GET" in reply.headers["Allow"].split(", ")
    assert json.loads(reply.data)["error_code"] == "APIGW.0101"
