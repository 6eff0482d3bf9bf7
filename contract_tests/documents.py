"""The contract documents: read from `schemas/`, ready to check values and to generate them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

FOLDER = Path(__file__).resolve().parent.parent / "schemas"
Schema = dict[str, Any]


@cache
def model(name: str) -> Schema:
    """A model by the name of its file, such as `upgrade-request`."""
    document: Schema = json.loads((FOLDER / "models" / f"{name}.json").read_text("utf-8"))
    return document


@cache
def _document() -> tuple[str, Schema]:
    """The documented path, and the operation there."""
    paths: Schema = json.loads((FOLDER / "operations" / "batch-upgrade-databases.json").read_text("utf-8"))
    ((path, item),) = paths.items()
    return path, item["post"]


def operation() -> Schema:
    """The documented operation."""
    return _document()[1]


def path() -> str:
    """The documented path, with `{project_id}` in it."""
    return _document()[0]


@cache
def example_item() -> dict[str, str]:
    """The instance of the documented example of a request body."""
    example = operation()["requestBody"]["content"]["application/json"]["example"]
    item: dict[str, str] = example["databases_instance_infos"][0]
    return item


@cache
def example_project() -> str:
    """The project id of the documented example."""
    parameters = json.loads((FOLDER / "openapi.json").read_text("utf-8"))["components"]["parameters"]
    return next(str(each["example"]) for each in parameters.values() if each["name"] == "project_id")


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of a model."""
    files = {path.name: json.loads(path.read_text("utf-8")) for path in (FOLDER / "models").glob("*.json")}
    registry: Registry[Any] = Registry().with_resources(
        (name, Resource.from_contents(document)) for name, document in files.items()
    )
    return Draft202012Validator(model(name), registry=registry)


def is_valid(body: object) -> bool:
    """Whether a body is a valid upgrade request; JSON's true is no number, and its 1 no boolean."""
    return validator("upgrade-request").is_valid(body)


def broken_clauses(name: str, value: object) -> list[tuple[str, str]]:
    """The clause of each constraint of a model that a value breaks, and what is wrong in words."""
    found = []
    for error in validator(name).iter_errors(value):
        keyword = str(error.validator)
        clauses = error.schema["x-clauses"]
        if keyword == "required":
            found += [
                (clauses["required"][key], f"no property {key}")
                for key in error.validator_value
                if key not in error.instance
            ]
        else:
            where = "".join(f"/{part}" for part in error.absolute_path) or "the body"
            found.append((clauses[keyword], f"{where} is {shown(error.instance)[:200]}"))
    return sorted(set(found))


def shown(value: object) -> str:
    """A value as JSON on one line that can be written anywhere: with escapes where it has more than letters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)
