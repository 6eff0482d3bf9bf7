"""Data files: well-formed, closed, sourced; the OpenAPI document is one."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from contract_tests.clauses import CLAUSES
from mockserver.catalogue import load_catalogue
from mockserver.documents import bundle
from mockserver.resources import bundle_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

ROOT = bundle_root()
DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILES = sorted([*(ROOT / "schemas").rglob("*.json"), *(ROOT / "fixtures").rglob("*.json")])
DATA_SCHEMAS = sorted((ROOT / "schemas" / "data").glob("*.json"))
MODELS = sorted((ROOT / "schemas" / "models").glob("*.json"))
OPERATIONS = sorted((ROOT / "schemas" / "operations").glob("*.json"))
OURS = sorted([ROOT / "schemas" / "overlays.json", *(ROOT / "fixtures").rglob("*.json")])
OF_USERS = {ROOT / "schemas" / "data" / f"{name}.schema.json" for name in ("baseline", "report")}
"""Schemas of files that only users have: tests/test_baseline_of_the_suite.py and its neighbour check them."""
ANNOTATIONS = {"$schema", "$defs", "title", "description", "default", "examples", "contentEncoding", "then", "else"}
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
FIELDS = {
    "document": "openapi! info! paths! jsonSchemaDialect servers webhooks components security tags externalDocs",
    "info": "title! version! summary description termsOfService contact license",
    "server": "url! description variables",
    "tag": "name! description externalDocs",
    "path item": "summary description servers parameters get put post delete options head patch trace",
    "operation": "operationId! responses! summary description tags parameters requestBody callbacks deprecated security"
    " servers externalDocs",
    "parameter": "name! in! schema! description! required deprecated allowEmptyValue style explode example examples",
    "request body": "content! description required",
    "response": "description! headers content links",
    "header": "schema! description! required deprecated style explode example examples",
    "media type": "schema! example examples encoding",
    "security scheme": "type! name! in! description",
}
"""Fields of the OpenAPI 3.1 objects that we use; an exclamation mark follows those that must be there."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> Any:  # noqa: ANN401  # a JSON document
    return json.loads(path.read_text("utf-8"))


def subschemas(schema: object, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """A schema and those inside it, but for conditions, which describe parts of an object."""
    if not isinstance(schema, dict):
        return
    yield place, schema
    for keyword in ("properties", "$defs", "dependentSchemas", "patternProperties"):
        for key, child in schema.get(keyword, {}).items():
            yield from subschemas(child, f"{place}/{keyword}/{key}")
    for keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
        for index, child in enumerate(schema.get(keyword, [])):
            yield from subschemas(child, f"{place}/{keyword}/{index}")
    for keyword in ("items", "additionalProperties", "propertyNames", "contains"):
        yield from subschemas(schema.get(keyword), f"{place}/{keyword}")


# Files


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_json_in_which_no_key_comes_twice(path: Path) -> None:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        keys = [key for key, _ in pairs]
        assert sorted(keys) == sorted(set(keys))
        return dict(pairs)

    text = path.read_text("utf-8")
    json.loads(text, object_pairs_hook=unique)
    assert text.endswith("\n")


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_a_data_file_names_its_schema_and_keeps_it(path: Path) -> None:
    """Checked with another library than the mock's, so that a mistake of one shows."""
    document = read(path)
    schema = (path.parent / document["$schema"]).resolve()
    assert schema in DATA_SCHEMAS
    faults = [
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(read(schema)).iter_errors(document)
    ]
    assert faults == []


def test_every_schema_of_data_files_has_a_file() -> None:
    assert {(path.parent / read(path)["$schema"]).resolve() for path in OURS} == set(DATA_SCHEMAS) - OF_USERS


# Schemas


@pytest.mark.parametrize("path", [*DATA_SCHEMAS, *MODELS], ids=name_of)
def test_a_schema_is_one_of_its_dialect_and_every_keyword_is_known(path: Path) -> None:
    """The dialect takes an unknown keyword for a remark, so a misspelt one would check nothing."""
    document = read(path)
    assert document["$schema"] == DIALECT
    Draft202012Validator.check_schema(document)
    known = {*Draft202012Validator.VALIDATORS, *ANNOTATIONS, "x-clauses", "x-source"}
    assert [f"{place}/{keyword}" for place, schema in subschemas(document) for keyword in schema.keys() - known] == []


@pytest.mark.parametrize("path", DATA_SCHEMAS, ids=name_of)
def test_objects_of_our_own_files_are_closed(path: Path) -> None:
    """But for what another object draws on with allOf or $ref and closes, and for the conditions beside it."""
    document = read(path)
    parts = {part.get("$ref") for _, schema in subschemas(document) for part in schema.get("allOf", [])}
    parts |= {schema.get("$ref") for _, schema in subschemas(document) if "unevaluatedProperties" in schema}
    open_objects = [
        place
        for place, schema in subschemas(document)
        if "properties" in schema
        and schema.get("additionalProperties", schema.get("unevaluatedProperties")) is not False
        and f"#{place}" not in parts
        and "/dependentSchemas/" not in place
    ]
    assert open_objects == []


@pytest.mark.parametrize("path", MODELS, ids=name_of)
def test_objects_of_the_api_are_open_and_all_their_properties_described_and_sourced(path: Path) -> None:
    """A property of a reply has the sources of the whole reply; what is enforced in a request has its own."""
    document = read(path)
    is_enforced = any("x-clauses" in schema for _, schema in subschemas(document))
    for place, schema in subschemas(document):
        if place == "" or ("/properties/" in place and "$ref" not in schema):
            assert schema["description"].endswith("."), place
            assert schema.get("x-source", not is_enforced and document["x-source"]), place
        if "properties" in schema:
            assert schema["additionalProperties"] is True, place


def test_every_model_of_a_request_is_enforced(openapi: dict[str, Any]) -> None:
    """So that each of its properties needs sources of its own."""
    models = openapi["components"]["schemas"]
    in_requests = set()
    unseen = [entry["requestBody"] for _, entry in operations_of(openapi) if "requestBody" in entry]
    while unseen:
        for name in re.findall(r"#/components/schemas/(\w+)", json.dumps(unseen.pop())):
            if name not in in_requests:
                in_requests.add(name)
                unseen.append(models[name])
    enforced = {name for name, model in models.items() if any("x-clauses" in each for _, each in subschemas(model))}
    assert in_requests <= enforced


@pytest.mark.parametrize("path", MODELS, ids=name_of)
def test_examples_of_properties_are_valid(path: Path) -> None:
    for place, schema in subschemas(read(path)):
        for example in schema.get("examples", []):
            assert Draft202012Validator(schema).is_valid(example), place


# Sources


def sources_of(node: object) -> Iterator[str]:
    """Every source that a document names: in x-source, or beside a level."""
    if isinstance(node, list):
        yield from chain.from_iterable(map(sources_of, node))
    elif isinstance(node, dict):
        yield from node.get("x-source", [])
        yield from node["source"] if "level" in node and isinstance(node.get("source"), list) else []
        yield from chain.from_iterable(map(sources_of, node.values()))


def test_every_source_is_explained_and_every_explained_one_is_used() -> None:
    text = (ROOT / "schemas" / "README.md").read_text("utf-8")
    explained = re.findall(r"^- `([a-z0-9-]+)`: ", text.partition("## Sources")[2], re.MULTILINE)
    used = {source for path in FILES for source in sources_of(read(path))}
    used |= {source for clause in CLAUSES for source in clause.source}
    assert sorted(explained) == sorted(used)


@pytest.mark.parametrize("path", OPERATIONS, ids=name_of)
def test_parameters_and_replies_of_an_operation_are_described_and_sourced(path: Path) -> None:
    for _, entry in operations_of({"paths": read(path)}):
        for part in _whole([*entry.get("parameters", []), *entry["responses"].values()]):
            assert part["description"].endswith(".")
            assert part["x-source"]


@pytest.mark.parametrize("path", OPERATIONS, ids=name_of)
def test_an_operation_document_holds_one_operation_and_is_named_like_it(path: Path) -> None:
    ((_, entry),) = operations_of({"paths": read(path)})
    assert path.stem == re.sub(r"(?<!^)(?=[A-Z])", "-", entry["operationId"]).lower()


def test_shared_parts_of_the_openapi_document_are_described_and_sourced() -> None:
    components = read(ROOT / "schemas" / "openapi.json")["components"]
    for name, part in chain.from_iterable(parts.items() for parts in components.values()):
        assert part["description"].endswith("."), name
        assert part["x-source"], name


# OpenAPI


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    return bundle()


def operations_of(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        yield from ((path, entry) for method, entry in item.items() if method in METHODS)


def objects_of(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a document, each with its kind; references stand for objects that are yielded elsewhere."""
    components = document["components"]
    operations = [entry for _, entry in operations_of(document)]
    bodies = [entry["requestBody"] for entry in operations if "requestBody" in entry]
    responses = _whole(
        [*components["responses"].values(), *chain.from_iterable(e["responses"].values() for e in operations)]
    )
    yield from (("document", document), ("info", document["info"]))
    yield from (("server", each) for each in document["servers"])
    yield from (("tag", each) for each in document["tags"])
    yield from (("path item", each) for each in document["paths"].values())
    yield from (("operation", each) for each in operations)
    parameters = [*components["parameters"].values(), *chain.from_iterable(e.get("parameters", []) for e in operations)]
    yield from (("parameter", each) for each in _whole(parameters))
    yield from (("request body", each) for each in bodies)
    yield from (("response", each) for each in responses)
    headers = [
        *components["headers"].values(),
        *chain.from_iterable(each.get("headers", {}).values() for each in responses),
    ]
    yield from (("header", each) for each in _whole(headers))
    yield from (("media type", each) for whole in [*bodies, *responses] for each in whole.get("content", {}).values())
    yield from (("security scheme", each) for each in components["securitySchemes"].values())


def _whole(objects: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in objects if "$ref" not in each]


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """A part of a document, or the component that it refers to."""
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    component: dict[str, Any] = document["components"][kind][name]
    return component


def test_objects_of_the_openapi_document_have_their_fields_and_no_others(openapi: dict[str, Any]) -> None:
    found = list(objects_of(openapi))
    assert {kind for kind, _ in found} == set(FIELDS)
    for kind, each in found:
        fields = FIELDS[kind].split()
        assert {field[:-1] for field in fields if field.endswith("!")} <= set(each), (kind, each)
        own = {field for field in each if not field.startswith("x-")}
        assert own <= {field.removesuffix("!") for field in fields}, kind
    assert re.fullmatch(r"3\.1\.\d+", openapi["openapi"])
    assert openapi["jsonSchemaDialect"] == DIALECT
    assert set(openapi["components"]) <= {"schemas", "responses", "parameters", "headers", "securitySchemes"}


def test_names_in_the_openapi_document_are_unique_and_lead_somewhere(openapi: dict[str, Any]) -> None:
    operations = [entry for _, entry in operations_of(openapi)]
    ids = [entry["operationId"] for entry in operations]
    assert sorted(ids) == sorted(set(ids))
    assert {tag for entry in operations for tag in entry["tags"]} == {tag["name"] for tag in openapi["tags"]}
    schemes = set(openapi["components"]["securitySchemes"])
    assert {name for each in openapi["security"] for name in each} == schemes


def test_parameters_of_a_path_are_those_of_its_template(openapi: dict[str, Any]) -> None:
    for path, entry in operations_of(openapi):
        parameters = [_resolved(openapi, each) for each in entry.get("parameters", [])]
        in_path = [parameter for parameter in parameters if parameter["in"] == "path"]
        assert path.startswith("/")
        assert sorted(parameter["name"] for parameter in in_path) == sorted(re.findall(r"\{(\w+)\}", path))
        assert all(parameter["required"] is True for parameter in in_path)
        headers = {parameter["name"].lower() for parameter in parameters if parameter["in"] == "header"}
        assert headers.isdisjoint({"accept", "content-type", "authorization"}), "OpenAPI ignores such parameters"


def test_examples_of_the_openapi_document_are_valid(openapi: dict[str, Any]) -> None:
    examples = [each for kind, each in objects_of(openapi) if kind in {"media type", "parameter"} and "example" in each]
    assert len(examples) >= 4
    for each in examples:
        schema = {**each["schema"], "components": openapi["components"]}
        faults = [error.message for error in Draft202012Validator(schema).iter_errors(each["example"])]
        assert faults == []


def test_every_status_that_the_mock_answers_is_documented(openapi: dict[str, Any]) -> None:
    """But for 494, since headers that large never reach an operation, and for errors of the admin API."""
    errors = {name: entry for name, entry in load_catalogue().errors.items() if not name.startswith("admin-")}
    statuses = {str(entry["status"]) for entry in errors.values()} - {"494"}
    for _, entry in operations_of(openapi):
        success = "201" if entry["operationId"] == "KeystoneCreateUserTokenByPassword" else "200"
        assert set(entry["responses"]) == {success, *statuses}
