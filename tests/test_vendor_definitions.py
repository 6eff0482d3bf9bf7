"""The contract documents against the vendor's machine-readable definitions, where these lie beside the checkout."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = ROOT / "schemas"
DEFINITIONS = ROOT.parent / "shared" / "reference" / "vendor-definitions"
"""Reference data of the developers: not ours to publish, so no part of the repository."""

pytestmark = pytest.mark.skipif(not DEFINITIONS.is_dir(), reason=f"the vendor's definitions are not in {DEFINITIONS}")

Document = dict[str, Any]
Facts = dict[str, str]
"""What a document states: by place, such as `query limit` or `reply jobs[].status`, a type and whether it must be."""

ABSENT = "absent"
LISTS = "ListGaussMySqlInstances ListGaussMySqlInstancesUnifyStatus"
DETAILS = "ShowGaussMySqlInstanceInfo ShowGaussMySqlInstanceInfoUnifyStatus"
TASK_CENTRE = "ListImmediateJobs ListScheduleJobs"
PROJECTS = "KeystoneListProjects KeystoneListAuthProjects"
WITH_CREDENTIALS = (
    f"{LISTS} {DETAILS} {TASK_CENTRE} {PROJECTS} BatchUpgradeDatabases CancelScheduleTask ShowGaussMySqlEngineVersion"
    " ShowGaussMySqlJobInfo ShowInstanceDatabaseVersion"
)


@dataclass(frozen=True)
class Difference:
    """Where our documents state something else than the vendor's, and why."""

    operations: str
    place: str
    vendor: str
    ours: str
    reason: str


# fmt: off
DIFFERENCES = (
    Difference(WITH_CREDENTIALS, "header X-Auth-Token", "string, required", ABSENT,
               "A security scheme: the official SDKs sign instead."),
    Difference("BatchUpgradeDatabases", "body delay", "string, required", "boolean or string, required",
               "The definition's own example is a boolean."),
    Difference(TASK_CENTRE, "query offset", "string, optional", "integer, optional",
               "The text of an integer: the definition says that it must be a number."),
    Difference(TASK_CENTRE, "query limit", "string, optional", "integer, optional",
               "The text of an integer: the definition's values are numbers."),
    Difference(LISTS, "reply instances[].dedicated_resource_id", "string, optional", ABSENT,
               "Only for instances in a pool of dedicated resources, which the mock has none of."),
    Difference(DETAILS, "reply instance.dedicated_resource_id", "string, optional", ABSENT,
               "Only for instances in a pool of dedicated resources, which the mock has none of."),
    Difference("ShowGaussMySqlInstanceInfoUnifyStatus", "reply instance.tde_info", "object, optional", ABSENT,
               "Encryption is on trial and asked for by a ticket; it says nothing about upgrades."),
    Difference("ShowGaussMySqlInstanceInfoUnifyStatus", "reply instance.tde_info.enable_tde", "boolean, required",
               ABSENT, "Part of tde_info."),
    Difference("ShowGaussMySqlInstanceInfoUnifyStatus", "reply instance.tde_info.encryption_type", "string, required",
               ABSENT, "Part of tde_info."),
    Difference(LISTS, "reply instances[].eos_tag", ABSENT, "boolean, optional", "The SDKs read it from v3.1."),
    Difference(DETAILS, "reply instance.eos_tag", ABSENT, "boolean, optional", "The SDKs read it from v3.1."),
    Difference("ListImmediateJobs", "reply jobs[].extend_fields", ABSENT, "null or object, optional",
               "The SDKs read it."),
    Difference("KeystoneListProjects", "reply links.next", "string, required", "null or string, required",
               "Null in the definition's own example."),
    Difference("KeystoneListProjects", "reply links.previous", "string, required", "null or string, required",
               "Null in the definition's own example."),
    Difference("KeystoneListProjects", "reply projects[].links.next", "string, required", "null or string, required",
               "Null in the definition's own example."),
    Difference("KeystoneListProjects", "reply projects[].links.previous", "string, required",
               "null or string, required", "Null in the definition's own example."),
)
# fmt: on

WITHOUT_DEFINITION = {
    "CheckKernelUpgrade": "newer than our copy of the definitions; from its page and the Python SDK",
    "ShowKernelUpgradeCheckResult": "newer than our copy of the definitions; from its page and the Python SDK",
    "UpgradeGaussMySqlInstanceDatabase": "no copy of its definition; from its page and the Python SDK",
    "KeystoneListAuthDomains": "no copy of its definition; from its page and the Python SDK",
    "KeystoneListRegions": "no copy of its definition; from its page and the Python SDK",
}


def read(path: Path) -> Document:
    document: Document = json.loads(path.read_text("utf-8"))
    return document


def ours() -> dict[str, tuple[str, str, Document]]:
    """Our operations by id: path, method and what is said of the operation."""
    found = {}
    for file in sorted((SCHEMAS / "operations").glob("*.json")):
        ((path, item),) = read(file).items()
        ((method, operation),) = item.items()
        found[operation["operationId"]] = (path, method, operation)
    return found


OURS = ours()
NAMES = sorted(OURS.keys() - WITHOUT_DEFINITION)


# What a schema states


def our_target(reference: str) -> Document:
    """What a reference of our documents means: a part of openapi.json, or a model's file."""
    if not reference.startswith("#/"):
        return read(SCHEMAS / "models" / reference.rpartition("/")[2])
    node = read(SCHEMAS / "openapi.json")
    for part in reference[2:].split("/"):
        node = node[part]
    return node


def whole(schema: Document, definitions: Document | None) -> Document:
    """A schema with what it refers to, in the vendor's `definitions` or, without them, in our files."""
    if "$ref" not in schema:
        return schema
    reference = schema["$ref"]
    direct = our_target(reference) if definitions is None else definitions[reference.rpartition("/")[2]]
    target = whole(direct, definitions)
    return {
        **target,
        **{key: value for key, value in schema.items() if key != "$ref"},
        "properties": {**target.get("properties", {}), **schema.get("properties", {})},
        "required": [*target.get("required", []), *schema.get("required", [])],
    }


def type_of(schema: Document) -> str:
    stated = schema.get("type")
    if stated is None:
        values = schema.get("enum", [schema["const"]] if "const" in schema else [])
        stated = [{bool: "boolean", str: "string"}[type(value)] for value in values] or "object"
    return " or ".join(sorted({stated} if isinstance(stated, str) else set(stated)))


def facts_of(schema: Document, place: str, must: str, definitions: Document | None) -> Iterator[tuple[str, str]]:
    """The facts of a schema and of everything in it."""
    schema = whole(schema, definitions)
    yield place, f"{type_of(schema)}, {must}"
    for name, child in schema.get("properties", {}).items():
        inner = f"{place}.{name}" if " " in place else f"{place} {name}"
        yield from facts_of(child, inner, necessity(required=name in schema.get("required", [])), definitions)
    if "items" in schema:
        yield from facts_of(schema["items"], f"{place}[]", "each", definitions)


def necessity(*, required: bool) -> str:
    return "required" if required else "optional"


# What an operation states


def vendor_facts(name: str) -> Facts:
    """From a Swagger 2 document: the body is a parameter, and other parameters have their type on themselves."""
    document = read(DEFINITIONS / f"{name}.json")
    ((path, item),) = document["paths"].items()
    ((method, operation),) = item.items()
    definitions = document["definitions"]
    facts = {"route": f"{method.upper()} {path}"}
    for each in operation["parameters"]:
        if each["in"] == "body":
            facts |= facts_of(each["schema"], "body", necessity(required=each.get("required", False)), definitions)
        else:
            facts[f"{each['in']} {each['name']}"] = f"{each['type']}, {necessity(required=each.get('required', False))}"
    ((status, reply),) = ((status, reply) for status, reply in operation["responses"].items() if status < "300")
    facts["success"] = status
    facts |= facts_of(reply["schema"], "reply", "required", definitions)
    return facts | {f"reply header {header}": each["type"] for header, each in reply.get("headers", {}).items()}


def our_facts(name: str) -> Facts:
    """From an OpenAPI 3.1 fragment; the headers of every reply are references, those of its own are not."""
    path, method, operation = OURS[name]
    facts = {"route": f"{method.upper()} {path}"}
    for parameter in operation["parameters"]:
        each = our_target(parameter["$ref"]) if "$ref" in parameter else parameter
        facts[f"{each['in']} {each['name']}"] = (
            f"{type_of(each['schema'])}, {necessity(required=each.get('required', False))}"
        )
    if "requestBody" in operation:
        body = operation["requestBody"]
        facts |= facts_of(
            body["content"]["application/json"]["schema"], "body", necessity(required=body.get("required", False)), None
        )
    ((status, reply),) = ((status, reply) for status, reply in operation["responses"].items() if status < "300")
    facts["success"] = status
    facts |= facts_of(reply["content"]["application/json"]["schema"], "reply", "required", None)
    own = {header: each for header, each in reply["headers"].items() if "$ref" not in each}
    return facts | {f"reply header {header}": each["schema"]["type"] for header, each in own.items()}


# The comparison


def test_every_operation_with_a_definition_is_ours_and_the_others_are_known() -> None:
    defined = {file.stem for file in DEFINITIONS.glob("*.json")}
    assert OURS.keys() - defined == WITHOUT_DEFINITION.keys()
    assert defined - OURS.keys() == set()


@pytest.mark.parametrize("name", NAMES)
def test_an_operation_differs_from_its_definition_only_as_the_table_says(name: str) -> None:
    vendor, mine = vendor_facts(name), our_facts(name)
    found = {
        (place, vendor.get(place, ABSENT), mine.get(place, ABSENT))
        for place in vendor.keys() | mine.keys()
        if vendor.get(place) != mine.get(place)
    }
    table = {(row.place, row.vendor, row.ours) for row in DIFFERENCES if name in row.operations.split()}
    assert {"not in the table": found - table, "needless in the table": table - found} == {
        "not in the table": set(),
        "needless in the table": set(),
    }


def test_every_row_of_the_table_is_about_an_operation_with_a_definition_and_has_a_reason() -> None:
    for row in DIFFERENCES:
        assert set(row.operations.split()) <= set(NAMES), row
        assert row.reason.endswith("."), row
