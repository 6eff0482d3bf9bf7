"""The only reader of files: finds `schemas/` and `fixtures/` in a checkout and in an installed wheel."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import jsonschema_rs

from mockserver.errors import ResourceError, nearest
from mockserver.json_text import escape

_MAX_MESSAGE = 300
"""Characters of the validator's message, which quotes the value."""
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


def read_object(path: Path | str, *, schema: str | None = None) -> dict[str, object]:
    """The JSON object in `path`, checked against `schemas/data/{schema}.schema.json` when a schema is named.

    Raises ResourceError that names the file, the JSON pointer, what was expected and the nearest known key.
    """
    path = Path(path)
    value = read_json(path)
    if schema is not None:
        _check(path, value, schema)
    if not isinstance(value, dict):
        raise ResourceError(f"{path}: expected a JSON object")
    return value


@dataclass(frozen=True, slots=True)
class Form:
    """A closed schema of ours, and every key that it knows."""

    validator: jsonschema_rs.Draft202012Validator
    known: frozenset[str]

    @classmethod
    def of(cls, schema: dict[str, object]) -> Form:
        """The form that a JSON Schema 2020-12 document describes."""
        return cls(jsonschema_rs.Draft202012Validator(schema), frozenset(_property_names(schema)))

    def problem(self, value: object) -> str | None:
        """What is wrong with a value, where, and the nearest known key; None when nothing is."""
        error = next(iter(self.validator.iter_errors(value)), None)
        if error is None:
            return None
        pointer = "".join(f"/{escape(str(part))}" for part in error.instance_path)
        message = error.message if len(error.message) <= _MAX_MESSAGE else f"{error.message[:_MAX_MESSAGE]}…"
        return f"at {pointer or 'the top'}: {message}{self._hint(error)}"

    def _hint(self, error: jsonschema_rs.ValidationError) -> str:
        unexpected = error.kind.as_dict().get("unexpected")
        names = unexpected if isinstance(unexpected, list) else []
        hints = [f"{name!r} is perhaps {match!r}" for name in names if (match := nearest(str(name), self.known))]
        return f" ({'; '.join(hints)})" if hints else ""


def problem_of(value: object, *, schema: str) -> str | None:
    """What is wrong with a value by `schemas/data/{schema}.schema.json`, and where; None when nothing is."""
    return _form(bundle_root() / "schemas" / "data" / f"{schema}.schema.json").problem(value)


def _check(path: Path, value: object, schema: str) -> None:
    problem = problem_of(value, schema=schema)
    if problem is not None:
        raise ResourceError(f"{path}: {problem}")


@lru_cache(maxsize=16)
def _form(path: Path) -> Form:
    """The form in a file, compiled once for the many files that it describes."""
    return Form.of(read_object(path))


def _property_names(schema: object) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(_property_names, schema))
    if not isinstance(schema, dict):
        return set()
    properties = schema.get("properties")
    own = set(properties) if isinstance(properties, dict) else set()
    return own.union(*map(_property_names, schema.values()))
