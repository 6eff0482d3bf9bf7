"""The catalogue of single mistakes: each breaks one clause of a good body at one place, and nothing else."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from contract_tests.calls import BATCH, DELAY, ID, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING: Final = object()
"""Stands for a property that is left out."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """Stands for a property that has another name."""

    name: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """One clause, the place where it is broken, and what can stand there instead."""

    clause: str
    place: str
    """JSON pointer into the body; `*` is the index of an item."""
    values: tuple[object, ...]

    @property
    def is_in_item(self) -> bool:
        """Whether it can be in any item of a batch."""
        return "*" in self.place

    def apply(self, body: dict[str, Any], value: object, index: int = 0) -> object:
        """A copy of the body with the mistake; what is beside the mistake is shared with the body."""
        whole: dict[str, Any] = {"": body}
        *parents, last = [
            int(part) if part.isdecimal() else part for part in self.place.replace("*", str(index)).split("/")
        ]
        node: Any = whole
        for part in parents:
            node[part] = copy.copy(node[part])
            node = node[part]
        if value is MISSING:
            del node[last]
        elif isinstance(value, Renamed):
            node[value.name] = node.pop(last)
        else:
            node[last] = _around(value, node[last])
        return whole[""]

    def note(self, value: object, index: int = 0, size: int = 1) -> str:
        """The mistake in words."""
        name = self.place.rpartition("/")[2].replace("*", "an item") or "the body"
        if value is MISSING:
            text = f"{name} is missing"
        elif isinstance(value, Renamed):
            text = f"{name} is called {value.name}"
        else:
            text = f"{name} is {_shown(value)}"
        return f"{text}, in item {index + 1} of {size}" if self.is_in_item else text


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Stands for the good value inside something."""

    kind: str
    """`array`, `object`, `text`, or `item`: a batch's first item alone."""


def _around(value: object, good: object) -> object:
    if not isinstance(value, Wrapped):
        return value
    if value.kind == "item" and isinstance(good, list):
        return good[0]
    return {"array": [good], "object": {"value": good}, "text": json.dumps(good)}[value.kind]


def _shown(value: object) -> str:
    return f"the good value as {value.kind}" if isinstance(value, Wrapped) else json.dumps(value)


IN_ARRAY, IN_OBJECT, AS_TEXT, ITS_ITEM = Wrapped("array"), Wrapped("object"), Wrapped("text"), Wrapped("item")
NO_STRINGS: tuple[object, ...] = (None, 1, 0, True, False, 2.5, [], {}, IN_ARRAY, IN_OBJECT)
"""Values that are no string, those that count as false in many languages among them."""

MISTAKES = (
    Mistake("body.object", "", (IN_ARRAY, None, [], "", "text", 0, 1, 1.5, True, False, AS_TEXT)),
    Mistake("batch.present", f"/{BATCH}", (MISSING, Renamed("instances"), Renamed("database_instance_infos"),
            Renamed(BATCH.title()), Renamed("databasesInstanceInfos"), Renamed(BATCH.upper()), Renamed(f"{BATCH} "),
            Renamed("databases_instance_info"))),
    Mistake("batch.array", f"/{BATCH}", ({}, None, "", "text", 0, 1, True, False, AS_TEXT, IN_OBJECT, ITS_ITEM)),
    Mistake("delay.present", f"/{DELAY}", (MISSING, Renamed("Delay"), Renamed("delayed"), Renamed("DELAY"),
            Renamed("delay "), Renamed("is_delay"), Renamed("isDelay"))),
    Mistake(
        "delay.encoding",
        f"/{DELAY}",
        (None, 1, 0, "", "yes", "no", "1", "0", "on", "off", "null", "text", " true", "false ", "true\n", "truefalse",
            "tru",
         -1, 2, 1.0, 0.5, [], {}, IN_ARRAY, IN_OBJECT, "是"),
    ),
    Mistake("item.object", f"/{BATCH}/*", (None, "text", "", 0, 1, True, False, [], IN_ARRAY, AS_TEXT)),
    Mistake("instance-id.present", f"/{BATCH}/*/{ID}", (MISSING, Renamed("instanceId"), Renamed("id"),
            Renamed("Instance_Id"), Renamed(f"{ID} "), Renamed(f" {ID}"), Renamed("INSTANCE_ID"))),
    Mistake("instance-id.string", f"/{BATCH}/*/{ID}", NO_STRINGS),
    Mistake("current-version.present", f"/{BATCH}/*/{VERSION}", (MISSING, Renamed("currentVersion"),
            Renamed("version"), Renamed("Current_Version"), Renamed(f"{VERSION} "), Renamed(f" {VERSION}"),
            Renamed("CURRENT_VERSION"))),
    Mistake("current-version.string", f"/{BATCH}/*/{VERSION}", NO_STRINGS),
)  # fmt: skip
BY_CLAUSE = {mistake.clause: mistake for mistake in MISTAKES}

PLACES = (
    (2, 1),
    (2, 0),
    (3, 1),
    (5, 4),
    (10, 9),
    (11, 10),
    (12, 5),
    (50, 49),
    (51, 50),
    (52, 25),
    (100, 99),
    (100, 0),
    (101, 100),
    (300, 299),
)
"""Number of items, and index of the bad one: first, middle, last, beyond the 10th and the 50th."""
QUICK_PLACES = ((2, 1), (3, 1), (11, 10), (51, 50), (100, 99), (101, 100))


def at_places(mistake: Mistake, *, is_quick: bool) -> Iterator[tuple[int, int, object]]:
    """Number of items, index of the bad one, and what stands there; every place with two kinds of mistake."""
    first, *others = mistake.values
    for number, (size, index) in enumerate(QUICK_PLACES if is_quick else PLACES):
        yield size, index, first
        yield size, index, others[number % len(others)]
