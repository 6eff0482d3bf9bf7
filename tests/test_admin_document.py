"""The OpenAPI document of the admin API: its structure, its operations in code and docs, and Schemathesis."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from test_schemathesis import run_schemathesis

from mockserver.admin import Admin
from mockserver.app import create_app
from mockserver.resources import bundle_root

schemathesis = pytest.importorskip("schemathesis", reason="Schemathesis 4.32 needs Python 3.11")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import StartMock

METHODS = ("get", "put", "post", "delete")
DOCUMENT: dict[str, Any] = json.loads((bundle_root() / "schemas" / "admin.json").read_text("utf-8"))
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": {
        **item[method],
        "parameters": [*item.get("parameters", []), *item[method].get("parameters", [])],
    }
    for path, item in DOCUMENT["paths"].items()
    for method in METHODS
    if method in item
}
DOCS = Path(__file__).resolve().parents[1] / "docs" / "admin.md"


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def resolve(reference: str) -> Any:  # noqa: ANN401  # a JSON value
    node: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_it_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(DOCUMENT).validate()


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    used = set(references(DOCUMENT))
    assert all(isinstance(resolve(reference), dict) for reference in used)
    kinds = ("schemas", "parameters", "responses")
    assert used == {f"#/components/{kind}/{name}" for kind in kinds for name in DOCUMENT["components"][kind]}


def test_no_two_operations_have_the_same_id() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_its_method_with_its_parameters(name: str) -> None:
    operation = OPERATIONS[name]
    method = getattr(Admin, re.sub(r"(?=[A-Z])", "_", operation["operationId"]).lower())
    documented = {
        each["name"]: each.get("required", False) for each in (resolve_parameter(p) for p in operation["parameters"])
    } | ({"body": True} if "requestBody" in operation else {})
    taken = [each for each in inspect.signature(method).parameters.values() if each.name != "self"]
    has_rest = any(each.kind is each.VAR_KEYWORD for each in taken)
    required = {each.name for each in taken if each.default is each.empty and each.kind is not each.VAR_KEYWORD}
    assert required == {parameter for parameter, is_required in documented.items() if is_required}
    assert {each.name for each in taken if each.kind is not each.VAR_KEYWORD} <= set(documented)
    assert has_rest or set(documented) == {each.name for each in taken}


def resolve_parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = resolve(parameter["$ref"]) if "$ref" in parameter else parameter
    return found


def test_no_method_of_the_admin_api_is_undocumented() -> None:
    documented = {re.sub(r"(?=[A-Z])", "_", each["operationId"]).lower() for each in OPERATIONS.values()}
    assert {name for name in vars(Admin) if not name.startswith("_")} == documented


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_documents_its_success_first_and_every_refusal(name: str) -> None:
    operation = OPERATIONS[name]
    first, *others = operation["responses"]
    assert first in ("200", "201")
    can_be_wrong = "requestBody" in operation or any(
        resolve_parameter(each)["in"] == "query" for each in operation["parameters"]
    )
    assert {"401", "403"} <= set(others)
    assert ("400" in others) >= can_be_wrong
    assert ("404" in others) == ("{" in name and operation["operationId"] != "editInstance")  # which adds one as well
    if "requestBody" in operation:
        schema = resolve(operation["requestBody"]["content"]["application/json"]["schema"]["$ref"])
        assert schema["additionalProperties"] is False


def test_it_is_served_as_it_is() -> None:
    reply = create_app().test_client().get("/__admin/openapi.json")
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(reply.data) == DOCUMENT


def test_the_docs_list_every_operation() -> None:
    listed = DOCS.read_text("utf-8").partition("<!-- admin -->")[2].partition("<!-- end -->")[0]
    rows = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", listed, re.MULTILINE))
    assert rows == {name: operation["summary"] for name, operation in OPERATIONS.items()}


CONFIGURATION = """
# Which scenarios there are is no matter of the document, so a name of the right form may still be refused.
[[operations]]
include-name = "POST /__admin/rules"
checks.positive_data_acceptance.expected-statuses = ["201", "400"]

# Nor is the form of fleets and instances, which schemas/data/fleet.schema.json describes.
[[operations]]
include-name = "PUT /__admin/fleet"
checks.positive_data_acceptance.expected-statuses = ["200", "400"]

[[operations]]
include-name = "PUT /__admin/fleet/instances/{id}"
checks.positive_data_acceptance.expected-statuses = ["200", "400"]
"""
OWN_FORMS = ("POST /__admin/rules", "PUT /__admin/fleet")
"""Hardly a generated body has what the document leaves to another one."""


def test_schemathesis_finds_nothing(start_mock: StartMock, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION, "utf-8")
    url = start_mock(quiet=True).url
    options = ("--max-examples", "15", "--phases", "coverage,fuzzing,stateful")
    code, output, report = run_schemathesis(f"{url}/__admin", tmp_path, *options)
    assert report["operations"]["tested"] == report["operations"]["total"] == len(OPERATIONS)
    assert (code, report["failures"], report["errors"]) == (0, [], []), output
    ran = {name: phase["status"] for name, phase in report["phases"].items() if name != "examples"}
    assert ran == {"coverage": "success", "fuzzing": "success", "stateful": "success"}
    rates = report["valid_rates"]
    judged = [name for name in OPERATIONS if "{" not in name and name not in OWN_FORMS]
    assert {name for name in judged if not rates[name]["fuzzing"]["accepted"]} == set()
