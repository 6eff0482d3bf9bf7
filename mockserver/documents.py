"""The contract documents, drawn into one OpenAPI document and narrowed by settings."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from mockserver.errors import ResourceError, nearest
from mockserver.resources import bundle_root, read_object
from mockserver.settings_table import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mockserver.settings import Settings


def bundle() -> dict[str, object]:
    """The OpenAPI document with every file drawn in: operations under `paths`, models under `components/schemas`."""
    folder = bundle_root() / "schemas"
    document = read_object(folder / "openapi.json")
    document["paths"] = _paths(folder)
    models = {file.name: read_object(file) for file in sorted((folder / "models").glob("*.json"))}
    titles = {name: str(model["title"]) for name, model in models.items()}
    as_object(document["components"])["schemas"] = {titles[name]: model for name, model in models.items()}
    return as_object(_point_inside(document, titles))


def narrowed(settings: Settings) -> dict[str, object]:
    """The bundled document as `settings` narrow it; raises ResourceError for an overlay that leads nowhere."""
    document = bundle()
    for action in as_list(read_object(bundle_root() / "schemas" / "overlays.json", schema="overlays"), "actions"):
        _apply(document, as_object(action), settings)
    return document


def schema_files() -> dict[str, Path]:
    """Every contract document and closed schema by its path below `schemas/`."""
    folder = bundle_root() / "schemas"
    return {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*.json"))}


def resolve(document: Mapping[str, object], part: object) -> dict[str, object]:
    """A part of the document, or what it refers to; raises ResourceError when that is nothing."""
    found = as_object(part)
    while "$ref" in found:
        reference = str(found["$ref"])
        node: object = document
        for name in reference.removeprefix("#/").split("/"):
            node = as_object(node).get(name)
        if node is None:
            raise ResourceError(f"$ref {reference}: the contract documents have no such part")
        found = as_object(node)
    return found


def as_object(value: object) -> dict[str, Any]:
    """The value, which must be a JSON object; raises ResourceError."""
    if not isinstance(value, dict):
        raise ResourceError(f"expected a JSON object in a contract document, got {value!r}")
    return value


def as_list(container: Mapping[str, object], key: str) -> list[object]:
    """The array at a key, empty when absent; raises ResourceError when it is none."""
    value = container.get(key, [])
    if not isinstance(value, list):
        raise ResourceError(f"expected a JSON array at {key!r} in a contract document")
    return value


def _paths(folder: Path) -> dict[str, object]:
    """The fragments of `operations/` as one object; two of them may be methods of the same path."""
    paths: dict[str, dict[str, object]] = {}
    for file in sorted((folder / "operations").glob("*.json")):
        for path, item in read_object(file).items():
            methods = paths.setdefault(path, {})
            twice = methods.keys() & as_object(item).keys()
            if twice:
                raise ResourceError(f"{file}: {', '.join(twice)} {path} has another document already")
            methods.update(as_object(item))
    return dict(paths)


def _point_inside(node: object, titles: Mapping[str, str]) -> object:
    """A copy of `node` in which each reference to a model's file points into the bundle."""
    if isinstance(node, list):
        return [_point_inside(item, titles) for item in node]
    if not isinstance(node, dict):
        return node
    copied = {key: _point_inside(value, titles) for key, value in node.items()}
    reference = node.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#"):
        name = reference.rpartition("/")[2]
        if name not in titles:
            raise ResourceError(f"$ref {reference}: schemas/models/ has no {name}")
        copied["$ref"] = f"#/components/schemas/{titles[name]}"
    return copied


def _apply(document: dict[str, object], action: dict[str, object], settings: Settings) -> None:
    name = str(action["setting"])
    if name not in BY_NAME:
        match = nearest(name, BY_NAME)
        raise ResourceError(
            f"schemas/overlays.json: no setting is named {name!r}{f'; did you mean {match!r}?' if match else ''}"
        )
    value = getattr(settings, name)
    if value is None or value != action.get("equals", value):
        return
    *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in str(action["target"])[1:].split("/"))
    node = document
    for part in parents:
        if part not in node:
            raise ResourceError(f"schemas/overlays.json: {action['target']} leads to nothing in the bundled document")
        node = as_object(node[part])
    node[last] = copy.deepcopy(action.get("value", value))
