"""Hypothesis: requests that the contract allows, and requests that break it at exactly one known place.

Written from the documents under `schemas/` by hand, so that what is expected never comes from the code under test.
"""

from __future__ import annotations

import json
import string
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mockserver.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hypothesis.strategies import DrawFn, SearchStrategy

bounded = settings(
    # Which examples are tried must depend neither on chance, nor on a file, nor on how fast the machine is.
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
"""Settings for every property; `settings(bounded, max_examples=...)` changes the number of examples."""

BATCH, DELAY, VERSION, ID = "databases_instance_infos", "delay", "current_version", "instance_id"
DELAYS: dict[str, list[object]] = {
    "any": [True, False, "true", "false"],
    "boolean": [True, False],
    "string": ["true", "false"],
}
"""Valid values of `delay` by the setting of that name."""
LETTERS_AND_DIGITS = string.ascii_letters + string.digits

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
json_values = st.recursive(
    scalars,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)
"""Any JSON value."""

project_ids = st.text(LETTERS_AND_DIGITS, min_size=32, max_size=32)
strict_ids = st.text(LETTERS_AND_DIGITS, min_size=32, max_size=32).map(lambda start: start + "in07")


def _objects(properties: dict[str, SearchStrategy[Any]]) -> SearchStrategy[dict[str, Any]]:
    """Objects with all of `properties` and perhaps with unknown ones, in either order."""
    unknown = st.text(max_size=8).filter(lambda key: key not in properties)
    return st.builds(
        lambda known, others, order: dict(order([*known.items(), *others.items()])),
        st.fixed_dictionaries(properties),
        st.dictionaries(unknown, json_values, max_size=2),
        st.sampled_from([list, reversed]),
    )


@cache
def instances(contract: Settings) -> SearchStrategy[dict[str, object]]:
    """Valid items of a batch."""
    return _objects({VERSION: st.text(), ID: strict_ids if contract.strict_ids else st.text()})


def delays(contract: Settings) -> SearchStrategy[object]:
    """Valid values of `delay`."""
    return st.sampled_from(DELAYS[contract.delay])


@cache
def bodies(contract: Settings, *, fewest: int = 0) -> SearchStrategy[dict[str, Any]]:
    """Valid bodies with at least `fewest` instances."""
    fewest = max(fewest, contract.min_batch or 0)
    most = contract.max_batch or fewest + 3
    return _objects({BATCH: st.lists(instances(contract), min_size=fewest, max_size=most), DELAY: delays(contract)})


near_bodies = st.fixed_dictionaries(
    {},
    optional={
        BATCH: json_values
        | st.lists(
            json_values | st.fixed_dictionaries({}, optional={VERSION: scalars, ID: strict_ids | scalars}), max_size=4
        ),
        DELAY: st.sampled_from(DELAYS["any"]) | json_values,
    },
)
"""Objects with the names of the contract, some valid and some not."""


def _quoted_raw(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _escaped(text: str, *, form: str) -> str:
    """The string with every character escaped, those beyond the first plane as a pair of surrogates."""
    units = text.encode("utf-16-be")
    return '"' + "".join("\\u" + form % int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2)) + '"'


QUOTERS: list[Callable[[str], str]] = [
    _quoted_raw,
    json.dumps,
    lambda text: _escaped(text, form="%04x"),
    lambda text: _escaped(text, form="%04X"),
]


@st.composite
def json_texts(draw: DrawFn, values: SearchStrategy[Any]) -> bytes:
    """`values` as UTF-8 JSON, with any white space between tokens and any way to escape characters."""
    blanks = cycle(draw(st.lists(st.text(" \t\r\n", max_size=2), min_size=1, max_size=4)))
    tokens = _tokens(draw(values), draw(st.sampled_from(QUOTERS)))
    return ("".join(next(blanks) + token for token in tokens) + next(blanks)).encode()


def _tokens(value: object, quote: Callable[[str], str]) -> Iterator[str]:
    if isinstance(value, dict):
        opening, closing = "{", "}"
        members = [[quote(key), ":", *_tokens(child, quote)] for key, child in value.items()]
    elif isinstance(value, list):
        opening, closing = "[", "]"
        members = [list(_tokens(child, quote)) for child in value]
    else:
        yield quote(value) if isinstance(value, str) else json.dumps(value)
        return
    yield opening
    for index, member in enumerate(members):
        yield from [",", *member] if index else member
    yield closing


def is_one_of(value: object, allowed: list[object]) -> bool:
    """Whether JSON has the value among `allowed`; in Python, 1 and 1.0 are equal to True."""
    return any(type(value) is type(other) and value == other for other in allowed)


def anything_but(*types: type) -> SearchStrategy[object]:
    """JSON values of none of these types."""
    return json_values.filter(lambda value: type(value) not in types)


def no_delays(contract: Settings) -> SearchStrategy[object]:
    """Wrong values of `delay`, those that look right among them."""
    alike = st.sampled_from(
        [True, False, "true", "false", "True", "TRUE", "true ", "true\n", "", "0", "1", 0, 1, 0.0, 1.0, [True], {}]
    )
    return (alike | json_values).filter(lambda value: not is_one_of(value, DELAYS[contract.delay]))


BREAKS: dict[str, Callable[[str], str]] = {
    "too-short": lambda text: text[1:],
    "too-long": lambda text: text[0] + text,
    "line-feed-added": lambda text: text + "\n",
    "line-feed-at-end": lambda text: text[:-1] + "\n",
    "blank": lambda text: " " + text[1:],
    "hyphen": lambda text: "-" + text[1:],
    "nul": lambda text: "\x00" + text[1:],
    "letter-not-of-ascii": lambda text: "é" + text[1:],
    "digit-not-of-ascii": lambda text: "\u0663" + text[1:],
    "kelvin-sign": lambda text: "\u212a" + text[1:],  # lower() turns it into k
}
"""Each makes of ASCII letters and digits of the right number something else."""


@dataclass(frozen=True)
class Mutation:
    """One way to break a valid body."""

    place: str
    """JSON pointer to what is broken; `*` stands for any item of the batch."""
    wrong: SearchStrategy[Any] | None
    """What stands there instead; None: the property is missing."""
    contract: Settings = field(default=Settings())
    """The settings under which it is wrong."""


class Mutant(NamedTuple):
    """A body that is valid but at `pointer`."""

    body: object
    pointer: str


@st.composite
def mutants(draw: DrawFn, mutation: Mutation) -> Mutant:
    """Valid bodies, broken in one way at one place."""
    body = draw(bodies(mutation.contract, fewest=mutation.place.count("*")))
    pointer = mutation.place
    if "*" in pointer:
        pointer = pointer.replace("*", str(draw(st.integers(0, len(body[BATCH]) - 1))))
    *parents, last = [int(part) if part.isdecimal() else part for part in pointer.split("/")]
    node: Any = (whole := {"": body})  # the empty pointer is the body itself
    for part in parents:
        node = node[part]
    if mutation.wrong is None:
        del node[last]
    else:
        node[last] = draw(mutation.wrong)
    return Mutant(whole[""], pointer)


ONLY_BOOLEANS, ONLY_STRINGS = Settings(delay="boolean"), Settings(delay="string")
TWO_TO_FOUR, STRICT = Settings(min_batch=2, max_batch=4), Settings(strict_ids=True)

MUTATIONS = {
    "body-no-object": Mutation("", anything_but(dict)),
    "batch-missing": Mutation("/databases_instance_infos", None),
    "batch-no-array": Mutation("/databases_instance_infos", anything_but(list)),
    "batch-too-small": Mutation(
        "/databases_instance_infos", st.lists(instances(TWO_TO_FOUR), max_size=1), contract=TWO_TO_FOUR
    ),
    "batch-too-large": Mutation(
        "/databases_instance_infos", st.lists(instances(TWO_TO_FOUR), min_size=5, max_size=7), contract=TWO_TO_FOUR
    ),
    "item-no-object": Mutation("/databases_instance_infos/*", anything_but(dict)),
    "version-missing": Mutation("/databases_instance_infos/*/current_version", None),
    "version-no-string": Mutation("/databases_instance_infos/*/current_version", anything_but(str)),
    "id-missing": Mutation("/databases_instance_infos/*/instance_id", None),
    "id-no-string": Mutation("/databases_instance_infos/*/instance_id", anything_but(str)),
    "id-of-another-length": Mutation("/databases_instance_infos/*/instance_id", project_ids, contract=STRICT),
    "id-of-another-end": Mutation(
        "/databases_instance_infos/*/instance_id", strict_ids.map(lambda text: text[:-4] + "IN07"), contract=STRICT
    ),
    **{
        f"id-{name}": Mutation("/databases_instance_infos/*/instance_id", strict_ids.map(change), contract=STRICT)
        for name, change in BREAKS.items()
    },
    "strict-id-no-string": Mutation("/databases_instance_infos/*/instance_id", anything_but(str), contract=STRICT),
    "delay-missing": Mutation("/delay", None),
    "delay-wrong": Mutation("/delay", no_delays(Settings())),
    "delay-no-boolean": Mutation("/delay", no_delays(ONLY_BOOLEANS), contract=ONLY_BOOLEANS),
    "delay-no-string": Mutation("/delay", no_delays(ONLY_STRINGS), contract=ONLY_STRINGS),
}
"""The catalogue of single mutations."""
