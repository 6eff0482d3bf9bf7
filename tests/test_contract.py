"""The contract documents: drawn into one, narrowed by settings, routed, and refused when unusable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support import INSTANCE, PROJECT_ID, UPGRADE_PATH, api_request, batch
from test_resources import copy_documents, edit

from mockserver.contract import Contract, bundle, load_contract, schema_files
from mockserver.errors import ResourceError
from mockserver.model import ApiError
from mockserver.resources import bundle_root
from mockserver.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPLATE = "/v3/{project_id}/instances/database-version/upgrade"
OPERATION = "schemas/operations/batch-upgrade-databases.json"
INSTANCE_MODEL = "schemas/models/upgrade-instance.json"
REQUEST_MODEL = "schemas/models/upgrade-request.json"
OVERLAYS = "schemas/overlays.json"


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract(Settings())


def references(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)


def resolve(document: Any, reference: str) -> object:  # noqa: ANN401  # a JSON document
    for part in reference.removeprefix("#/").split("/"):
        document = document[part.replace("~1", "/").replace("~0", "~")]
    return document


# One document


def test_every_reference_of_the_bundle_stays_in_it_and_leads_somewhere() -> None:
    document = bundle()
    found = set(references(document))
    assert "#/components/schemas/UpgradeInstance" in found
    for reference in found:
        assert reference.startswith("#/"), reference
        assert resolve(document, reference), reference


def test_the_bundle_holds_every_model_under_its_title() -> None:
    models = (bundle_root() / "schemas" / "models").glob("*.json")
    titles = {json.loads(path.read_text("utf-8"))["title"] for path in models}
    assert set(bundle()["components"]["schemas"]) == titles  # type: ignore[index]  # a JSON document


def test_each_bundle_is_a_document_of_its_own() -> None:
    first, second = bundle(), bundle()
    assert first == second
    first["paths"].clear()  # type: ignore[attr-defined]  # a JSON document
    assert bundle() == second


def test_default_settings_change_nothing(contract: Contract) -> None:
    assert contract.document == bundle()


def test_schema_files_are_all_files_by_their_path_below_schemas() -> None:
    files = schema_files()
    assert {"openapi.json", "models/upgrade-request.json", "data/scenario.schema.json"} <= set(files)
    assert set(files.values()) == set((bundle_root() / "schemas").rglob("*.json"))


def test_an_operation_holds_what_its_document_says(contract: Contract) -> None:
    (operation,) = contract.operations
    assert (operation.id, operation.method, operation.path) == ("BatchUpgradeDatabases", "POST", TEMPLATE)
    assert set(operation.path_parameters) == {"project_id"}
    assert (operation.success.status, operation.success.body) == (200, b'{"resp":"success"}')


# Routing


@pytest.mark.parametrize(
    ("path", "project_id"),
    [
        (UPGRADE_PATH, PROJECT_ID),
        (TEMPLATE, "{project_id}"),
        (TEMPLATE.replace("{project_id}", "a\nb"), "a\nb"),
        (TEMPLATE.replace("{project_id}", "é %2F"), "é %2F"),
    ],
    ids=["documented", "placeholder-of-an-sdk-without-project", "line-feed-inside", "any-characters"],
)
def test_a_path_of_the_api_is_routed_with_its_parameters(contract: Contract, path: str, project_id: str) -> None:
    """Whether a parameter has the right form is for validation to say."""
    operation, parameters = contract.route(api_request(path=path))
    assert operation.id == "BatchUpgradeDatabases"
    assert parameters == {"project_id": project_id}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "*",
        "/v3",
        f"{UPGRADE_PATH}/",
        f"{UPGRADE_PATH}\n",
        f"\n{UPGRADE_PATH}",
        f"/{UPGRADE_PATH}",
        UPGRADE_PATH.upper(),
        UPGRADE_PATH.replace("/instances", "//instances"),
        TEMPLATE.replace("{project_id}", ""),
        TEMPLATE.replace("{project_id}", "a/b"),
        f"{UPGRADE_PATH}?delay=true",
    ],
    ids=[
        "root",
        "empty",
        "asterisk",
        "beginning",
        "slash-after",
        "line-feed-after",
        "line-feed-before",
        "slash-before",
        "letter-case",
        "slash-doubled",
        "parameter-empty",
        "slash-that-was-encoded",
        "question-mark-that-was-encoded",
    ],
)
def test_any_other_path_is_not_found(contract: Contract, path: str) -> None:
    with pytest.raises(ApiError) as caught:
        contract.route(api_request(path=path))
    assert caught.value == ApiError("api-not-found", {"path": path, "served": f"POST {TEMPLATE}"})


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "post", "BREW"])
def test_another_method_is_refused_with_the_allowed_one(contract: Contract, method: str) -> None:
    with pytest.raises(ApiError) as caught:
        contract.route(api_request(method=method))
    allowed = {"method": method, "allowed": "POST"}
    assert caught.value == ApiError("method-not-allowed", allowed, (("Allow", "POST"),))


def test_all_methods_of_a_path_are_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy_documents(tmp_path, monkeypatch) / OPERATION
    entry = json.loads(path.read_text("utf-8"))["post"]
    edit(path, "/delete", {**entry, "operationId": "CancelUpgrade"})
    contract = load_contract(Settings())
    with pytest.raises(ApiError) as caught:
        contract.route(api_request(method="GET"))
    assert caught.value.headers == (("Allow", "DELETE, POST"),)
    assert contract.route(api_request(method="DELETE"))[0].id == "CancelUpgrade"


# What settings change

BOOLEAN, STRING = batch(delay=True), batch(delay="false")
LOOSE_ID = batch({**INSTANCE, "instance_id": "my-instance"})


@pytest.mark.parametrize(
    ("settings", "accepted", "refused"),
    [
        (Settings(), [BOOLEAN, STRING, LOOSE_ID, batch(*[INSTANCE] * 200)], [batch(delay="TRUE"), batch(delay=0)]),
        (Settings(delay="boolean"), [BOOLEAN, batch(delay=False)], [STRING]),
        (Settings(delay="string"), [STRING, batch(delay="true")], [BOOLEAN]),
        (Settings(min_batch=0), [{**BOOLEAN, "databases_instance_infos": []}], []),
        (Settings(min_batch=2), [batch(INSTANCE, INSTANCE)], [batch(INSTANCE)]),
        (Settings(max_batch=2), [batch(INSTANCE, INSTANCE)], [batch(INSTANCE, INSTANCE, INSTANCE)]),
        (Settings(strict_ids=True), [BOOLEAN], [LOOSE_ID]),
        (
            Settings(strict_ids=True),
            [batch({**INSTANCE, "instance_id": "Z" * 32 + "in07"})],
            [
                batch({**INSTANCE, "instance_id": each})
                for each in (
                    "a" * 31 + "in07",
                    "a" * 33 + "in07",
                    "a" * 32 + "IN07",
                    "a" * 32 + "in07\n",
                    "é" * 32 + "in07",
                )
            ],
        ),
    ],
    ids=["defaults", "boolean", "string", "min-0", "min-2", "max-2", "strict-ids", "edges-of-strict-ids"],
)
def test_a_setting_narrows_what_is_accepted(settings: Settings, accepted: list[object], refused: list[object]) -> None:
    (operation,) = load_contract(settings).operations
    assert operation.body is not None
    assert [body for body in accepted if not operation.body.validator.is_valid(body)] == []
    assert [body for body in refused if operation.body.validator.is_valid(body)] == []


@pytest.mark.parametrize(
    ("auth", "security"),
    [
        ("any", [{"token": []}, {"signature": []}]),
        ("token", [{"token": []}]),
        ("signed", [{"signature": []}]),
        ("off", []),
    ],
)
def test_the_document_says_which_credentials_are_demanded(auth: str, security: object) -> None:
    assert load_contract(Settings(auth=auth)).document["security"] == security


@pytest.mark.parametrize(
    "settings",
    [Settings(), Settings(delay="boolean"), Settings(delay="string"), Settings(strict_ids=True), Settings(min_batch=2)],
    ids=["defaults", "boolean", "string", "strict-ids", "min-batch"],
)
def test_an_example_of_the_document_is_a_request_that_it_accepts(settings: Settings) -> None:
    contract = load_contract(settings)
    (operation,) = contract.operations
    content: Any = resolve(contract.document, f"#/paths/{TEMPLATE.replace('/', '~1')}/post/requestBody/content")
    assert operation.body is not None
    if settings.min_batch:
        assert "example" not in content["application/json"], "one instance is too few"
    else:
        assert operation.body.validator.is_valid(content["application/json"]["example"])


# Unusable documents


@pytest.mark.parametrize(
    ("file", "pointer", "value", "parts"),
    [
        (OPERATION, "/post", [], ["expected a JSON object in a contract document, got []"]),
        (OPERATION, "/post/parameters", {}, ["expected a JSON array at 'parameters' in a contract document"]),
        (OPERATION, "/post/responses", {}, ["operation BatchUpgradeDatabases: documents no success"]),
        (INSTANCE_MODEL, "/maxProperties", 9, ["UpgradeInstance", "'maxProperties' has no entry in x-clauses"]),
        (INSTANCE_MODEL, "/properties/instance_id/minLenght", 1, ["UpgradeInstance", "instance_id", "'minLenght'"]),
        (INSTANCE_MODEL, "/x-clauses/required", {"instance_id": "x"}, ["UpgradeInstance", "current_version"]),
        (REQUEST_MODEL, "/properties/databases_instance_infos/items/$ref", "upgrade.json", ["upgrade.json"]),
        (OVERLAYS, "/actions/0/target", "/components/schemes/X/enum", ["overlays.json", "/components/schemes/X/enum"]),
        (OVERLAYS, "/actions/0/setting", "dely", ["overlays.json", "'dely'", "'delay'"]),
    ],
    ids=[
        "no-object",
        "no-array",
        "no-success",
        "keyword-without-clause",
        "keyword-inside-without-clause",
        "required-property-without-clause",
        "reference-to-nothing",
        "overlay-below-nothing",
        "overlay-of-an-unknown-setting",
    ],
)
def test_an_unusable_document_is_refused_at_start_and_its_fault_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, pointer: str, value: object, parts: list[str]
) -> None:
    edit(copy_documents(tmp_path, monkeypatch) / file, pointer, value)
    with pytest.raises(ResourceError) as caught:
        load_contract(Settings(delay="boolean"))
    assert [part for part in parts if part not in str(caught.value)] == []
    assert len(str(caught.value)) < 400  # a line, not a dump of the document


def test_a_missing_document_is_refused_at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy_documents(tmp_path, monkeypatch) / OPERATION
    path.unlink()
    with pytest.raises(ResourceError) as caught:
        bundle()
    assert str(caught.value).startswith(f"{path}: cannot be read: ")
