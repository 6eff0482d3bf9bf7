"""The contract documents: drawn into one, narrowed by settings, routed, and refused when unusable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support import INSTANCE, PROJECT_ID, UPGRADE, UPGRADE_PATH, api_request, batch
from test_resources import copy_documents, edit

from mockserver.contract import Contract, load_contract
from mockserver.documents import bundle, schema_files
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
JOB_OPERATION = "schemas/operations/show-gauss-my-sql-job-info.json"
AT, JOB_AT = (f"/{TEMPLATE.replace('/', '~1')}/post", "/~1v3~1{project_id}~1jobs/get")


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
    operation = contract.operation(UPGRADE)
    assert (operation.id, operation.method, operation.path) == (UPGRADE, "POST", TEMPLATE)
    assert set(operation.path_parameters) == {"project_id"}
    assert (operation.query, operation.is_body_required) == ({}, True)
    assert (operation.is_open, operation.is_identity) == (False, False)
    assert (operation.success.status, operation.success.body) == (200, b'{"resp":"success"}')


def test_query_parameters_hold_what_their_document_says(contract: Contract) -> None:
    jobs = contract.operation("ListImmediateJobs")
    assert list(jobs.query) == ["status", "job_name", "job_id", "offset", "limit", "start_time", "end_time"]
    limit, wanted = jobs.query["limit"], contract.operation("ShowGaussMySqlJobInfo").query["id"]
    assert (limit.type, limit.default, limit.required) == ("integer", 10, None)
    assert (wanted.type, wanted.default, wanted.required) == ("string", None, "jobs.id-present")
    assert jobs.body is None


def test_only_the_operation_that_gives_tokens_is_open(contract: Contract) -> None:
    assert [each.id for each in contract.operations if each.is_open] == ["KeystoneCreateUserTokenByPassword"]
    identity = {each.id for each in contract.operations if each.is_identity}
    assert identity == {each.id for each in contract.operations if each.id.startswith("Keystone")}


def test_each_operation_is_found_by_its_id(contract: Contract) -> None:
    assert [contract.operation(each.id) for each in contract.operations] == list(contract.operations)


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
    assert (caught.value.name, caught.value.parameters["path"]) == ("api-not-found", path)
    assert caught.value.parameters["nearest"] in {f"{each.method} {each.path}" for each in contract.operations}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", f"{UPGRADE_PATH}/", f"POST {TEMPLATE}"),
        ("POST", f"/v3/{PROJECT_ID}/instances/database-versions/upgrade", f"POST {TEMPLATE}"),
        ("GET", f"/v3/{PROJECT_ID}/instance", "GET /v3/{project_id}/instances"),
        ("GET", f"/v3.1/{PROJECT_ID}/instances/", "GET /v3.1/{project_id}/instances"),
        ("POST", "/v3/auth/token", "POST /v3/auth/tokens"),
        ("GET", "/v3/region", "GET /v3/regions"),
        ("GET", "/", f"POST {TEMPLATE}"),
        ("BREW", "x" * 100_000, f"POST {TEMPLATE}"),
    ],
    ids=[
        "slash-after", "misspelt", "a-letter-missing", "another-version", "token", "region", "nothing-near", "huge",
    ],
)  # fmt: skip
def test_for_an_unknown_path_the_nearest_operation_is_told(
    contract: Contract, method: str, path: str, expected: str
) -> None:
    with pytest.raises(ApiError) as caught:
        contract.route(api_request(method=method, path=path))
    assert caught.value == ApiError("api-not-found", {"path": path, "nearest": expected})


def test_a_path_without_parameters_goes_before_one_that_would_match(contract: Contract) -> None:
    """As OpenAPI demands: auth is no project, and database-version no instance."""
    project, instance = "auth", "database-version"
    assert contract.route(api_request(method="GET", path=f"/v3/{project}/projects"))[0].id == "KeystoneListAuthProjects"
    single = contract.route(api_request(path=f"/v3/{PROJECT_ID}/instances/{instance}/upgrade"))
    assert (single[0].id, single[1]) == (UPGRADE, {"project_id": PROJECT_ID})


@pytest.mark.parametrize(
    ("method", "path", "operation", "parameters"),
    [
        ("GET", f"/v3/{PROJECT_ID}/instances", "ListGaussMySqlInstances", {"project_id": PROJECT_ID}),
        ("GET", f"/v3.1/{PROJECT_ID}/instances", "ListGaussMySqlInstancesUnifyStatus", {"project_id": PROJECT_ID}),
        (
            "GET",
            f"/v3/{PROJECT_ID}/instances/i/database-version",
            "ShowInstanceDatabaseVersion",
            {"project_id": PROJECT_ID, "instance_id": "i"},
        ),
        ("POST", f"{UPGRADE_PATH}/pre-check", "CheckKernelUpgrade", {"project_id": PROJECT_ID}),
        ("DELETE", f"/v3/{PROJECT_ID}/scheduled-jobs", "CancelScheduleTask", {"project_id": PROJECT_ID}),
        ("GET", "/v3/projects", "KeystoneListProjects", {}),
        ("POST", "/v3/auth/tokens", "KeystoneCreateUserTokenByPassword", {}),
    ],
    ids=["list", "list-of-v3.1", "below-an-instance", "below-the-upgrade", "by-method", "identity", "tokens"],
)
def test_every_operation_is_found_by_method_and_path(
    contract: Contract, method: str, path: str, operation: str, parameters: dict[str, str]
) -> None:
    found, given = contract.route(api_request(method=method, path=path))
    assert (found.id, given) == (operation, parameters)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "post", "BREW"])
def test_another_method_is_refused_with_the_allowed_one(contract: Contract, method: str) -> None:
    with pytest.raises(ApiError) as caught:
        contract.route(api_request(method=method))
    allowed = {"method": method, "allowed": "POST"}
    assert caught.value == ApiError("method-not-allowed", allowed, (("Allow", "POST"),))


def test_all_methods_of_a_path_are_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy_documents(tmp_path, monkeypatch) / OPERATION
    entry = json.loads(path.read_text("utf-8"))[TEMPLATE]["post"]
    other = path.with_name("cancel-upgrade.json")  # a path may be spread over several documents
    other.write_text(json.dumps({TEMPLATE: {"delete": {**entry, "operationId": "CancelUpgrade"}}}), "utf-8")
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
    operation = load_contract(settings).operation(UPGRADE)
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
    operation = contract.operation(UPGRADE)
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
        (OPERATION, AT, [], ["expected a JSON object in a contract document, got []"]),
        (OPERATION, f"{AT}/parameters", {}, ["expected a JSON array at 'parameters' in a contract document"]),
        (OPERATION, f"{AT}/responses", {}, ["operation BatchUpgradeDatabases: documents no success"]),
        (JOB_OPERATION, f"{JOB_AT}/parameters/2/required", False, ["query parameter id", "x-clause-required"]),
        (JOB_OPERATION, f"{JOB_AT}/parameters/2/schema/maxLength", 9, ["'maxLength' has no entry in x-clauses"]),
        (OPERATION, f"{AT}/parameters/0/$ref", "#/components/parameters/Projekt", ["#/components/parameters/Projekt"]),
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
        "required-by-its-clause-only",
        "keyword-of-a-query-without-clause",
        "reference-to-no-parameter",
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


def test_an_operation_in_two_documents_is_refused_at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy_documents(tmp_path, monkeypatch) / OPERATION
    twin = path.with_name("twin.json")
    twin.write_text(path.read_text("utf-8"), "utf-8")
    with pytest.raises(ResourceError) as caught:
        bundle()
    assert str(caught.value) == f"{twin}: post {TEMPLATE} has another document already"


def test_a_missing_document_is_refused_at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy_documents(tmp_path, monkeypatch) / "schemas" / "openapi.json"
    path.unlink()
    with pytest.raises(ResourceError) as caught:
        bundle()
    assert str(caught.value).startswith(f"{path}: cannot be read: ")
