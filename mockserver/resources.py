"""The only reader of files: finds `schemas/` and `fixtures/` in a checkout and in an installed wheel."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs

from mockserver.errors import ResourceError, nearest

_PACKAGE = Path(__file__).resolve().parent


def bundle_root() -> Path:
    """The folder that holds `schemas/` and `fixtures/`: inside the wheel, else the checkout's top."""
    bundled = _PACKAGE / "_bundled"
    return bundled if bundled.is_dir() else _PACKAGE.parent


def read_json(path: Path) -> object:
    """The JSON value in `path`; raises ResourceError when it cannot be read or is not JSON."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ResourceError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ResourceError(f"{path}: is not UTF-8 text at byte {error.start}") from error
    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise ResourceError(f"{path}:{error.lineno}:{error.colno}: is not JSON: {error.msg}") from error
    return value


def read_object(path: Path, *, schema: str | None = None) -> dict[str, object]:
    """The JSON object in `path`, checked against `schemas/data/{schema}.schema.json` when a schema is named.

    Raises ResourceError that names the file, the JSON pointer, what was expected and the nearest known key.
    """
    value = read_json(path)
    if schema is not None:
        _check(path, value, schema)
    if not isinstance(value, dict):
        raise ResourceError(f"{path}: expected a JSON object")
    return value


def _check(path: Path, value: object, schema: str) -> None:
    document = read_json(bundle_root() / "schemas" / "data" / f"{schema}.schema.json")
    if not isinstance(document, dict):
        raise ResourceError(f"schemas/data/{schema}.schema.json: expected a JSON object")
    error = next(iter(jsonschema_rs.Draft202012Validator(document).iter_errors(value)), None)
    if error is not None:
        pointer = "".join(f"/{part}" for part in error.instance_path)
        raise ResourceError(f"{path}: at {pointer or 'the top'}: {error.message}{_hint(error, document)}")


def _hint(error: jsonschema_rs.ValidationError, document: dict[str, object]) -> str:
    """The nearest known key for each key that a closed object does not know."""
    unexpected = error.kind.as_dict().get("unexpected")
    if not isinstance(unexpected, list):
        return ""
    known = sorted(_property_names(document))
    hints = [f"{name!r} is perhaps {match!r}" for name in unexpected if (match := nearest(str(name), known))]
    return f" ({'; '.join(hints)})" if hints else ""


def _property_names(schema: object) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(_property_names, schema))
    if not isinstance(schema, dict):
        return set()
    properties = schema.get("properties")
    own = set(properties) if isinstance(properties, dict) else set()
    return own.union(*map(_property_names, schema.values()))
