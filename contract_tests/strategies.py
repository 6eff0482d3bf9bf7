"""Hypothesis: valid bodies, derived from the documents in `schemas/`, and bodies with one generated mistake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from contract_tests import documents
from contract_tests.calls import BATCH, DELAY
from contract_tests.mutations import BY_CLAUSE, MISSING, Mistake

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import DrawFn, SearchStrategy

    from contract_tests.documents import Schema

LETTERS = st.characters(exclude_categories=["Cs"])
"""All but surrogates; as `codec="utf-8"` they would take Hypothesis a second where it can keep no file."""
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(LETTERS)
)
json_values = st.recursive(
    scalars,
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(LETTERS, max_size=5), children, max_size=3)
    ),
    max_leaves=5,
)
"""Any JSON value."""


def from_schema(schema: Schema) -> SearchStrategy[Any]:
    """Values that a schema of the documents allows; raises ValueError for a keyword that is not understood."""
    if "$ref" in schema:
        return from_schema(documents.model(schema["$ref"].removesuffix(".json")))
    known = {"type", "enum", "properties", "required", "items", "additionalProperties"}
    unknown = {
        key for key in schema if not key.startswith(("$", "x-")) and key not in {"title", "description", "examples"}
    } - known
    if unknown:
        raise ValueError(f"no strategy for the keywords {', '.join(sorted(unknown))}")
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _BY_TYPE[schema["type"]](schema)


def _objects(schema: Schema) -> SearchStrategy[dict[str, Any]]:
    parts = {name: from_schema(part) for name, part in schema["properties"].items()}
    required = {name: parts.pop(name) for name in schema["required"]}
    return st.fixed_dictionaries(required, optional=parts)


_BY_TYPE: dict[str, Callable[[Schema], SearchStrategy[Any]]] = {
    "object": _objects,
    "array": lambda schema: st.lists(from_schema(schema["items"]), max_size=3),
    "string": lambda _: st.text(LETTERS, max_size=40),
}


def valid_bodies() -> SearchStrategy[dict[str, Any]]:
    """Bodies that the documents allow, with any text for ids and versions."""
    return from_schema(documents.model("upgrade-request"))


def sizes() -> SearchStrategy[int]:
    """Numbers of instances in a batch, up to the 100 that a sibling operation allows."""
    return st.integers(1, 100)


@st.composite
def wrong_values(draw: DrawFn, clause: str) -> object:
    """Something that breaks a clause where it stands."""
    mistake = BY_CLAUSE[clause]
    known = st.sampled_from(mistake.values)
    if mistake.values[0] is MISSING:
        return draw(known)
    return draw(known | json_values)


@st.composite
def mistaken(draw: DrawFn, clause: str, good: Callable[[int], dict[str, Any]]) -> tuple[object, str]:
    """A body with one mistake, and the mistake in words; `good` makes a good body with so many items.

    A drawn body that is valid after all, which shrinking likes to find, is thrown away.
    """
    mistake: Mistake = BY_CLAUSE[clause]
    size = draw(st.integers(1, 60)) if mistake.is_in_item else 1
    index = draw(st.integers(0, size - 1))
    value = draw(wrong_values(clause))
    body = mistake.apply(good(size), value, index)
    if not is_broken_as_meant(body, clause):
        from hypothesis import reject  # noqa: PLC0415  # only here

        reject()
    return body, mistake.note(value, index, size)


def is_broken_as_meant(body: object, clause: str) -> bool:
    """Whether a body breaks the clause, beyond what no source speaks of, by the documents alone."""
    if clause == "delay.encoding" and isinstance(body, dict):
        delay = body.get(DELAY)
        if isinstance(delay, str) and delay.casefold() in ("true", "false"):
            return False  # the case of the letters is nowhere documented
    return not documents.is_valid(body) and clause in dict(documents.broken_clauses("upgrade-request", body))


@st.composite
def spaced(draw: DrawFn, value: dict[str, Any]) -> bytes:
    """The same JSON value in another spelling: white space, order of keys, escapes."""
    indent = draw(st.sampled_from([None, 0, 1, 4, "\t"]))
    keys = draw(st.permutations(list(value)))
    items = [dict(reversed(each.items())) if draw(st.booleans()) else each for each in value[BATCH]]
    shuffled = {key: items if key == BATCH else value[key] for key in keys}
    text = json.dumps(
        shuffled, indent=indent, separators=draw(st.sampled_from([(",", ":"), (" , ", " : "), (",\r\n", ":\t")]))
    )
    blank = draw(st.text(" \t\r\n", max_size=3))
    return f"{blank}{text}{blank}".encode()
