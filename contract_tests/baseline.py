"""Known breaks that a run accepts: by clause, each with a reason and a date until which it may last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from contract_tests.clauses import BY_ID
from contract_tests.documents import FOLDER
from contract_tests.options import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from jsonschema.exceptions import ValidationError

_SHOWN = 80
"""Characters of a wrong value that an error shows."""


@dataclass(frozen=True, slots=True)
class KnownBreak:
    """A clause that an implementation may break, until the end of a day."""

    clause: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class Baseline:
    """The known breaks as they count on one day."""

    breaks: tuple[KnownBreak, ...]
    today: date

    def acceptance(self, clause: str) -> str:
        """Why a break of a clause is accepted, such as `accepted until 2027-03-31: a reason`; empty when it is not."""
        row = next((row for row in self.breaks if row.clause == clause and row.until >= self.today), None)
        return f"accepted until {row.until}: {row.reason}" if row else ""

    @property
    def expired(self) -> list[str]:
        """A sentence for each row whose day is over, so that its break counts again."""
        return [
            f"{row.clause}: was accepted until {row.until} and counts again ({row.reason})"
            for row in self.breaks
            if row.until < self.today
        ]

    def unneeded(self, broken: Collection[str], checked: Collection[str] | None = None) -> list[str]:
        """A sentence for each row whose clause is no longer broken.

        `broken` are the ids of the clauses that broke, accepted or not, and `checked` those that were checked at all,
        None for every one: what was not checked may well be broken still.
        """
        return [
            f"{row.clause}: is kept, so its row is no longer needed"
            for row in self.breaks
            if row.clause not in broken and (checked is None or row.clause in checked)
        ]


def load_baseline(path: Path, today: date) -> Baseline:
    """The baseline in a file of the form `schemas/data/baseline.schema.json`, as it counts on a day.

    Raises UsageError that names the file, the JSON pointer, what was expected and the nearest known clause.
    """
    document = _read(path)
    errors = sorted(_validator().iter_errors(document), key=lambda error: _order(error.absolute_path))
    if errors:
        raise UsageError(f"--baseline: {path}: {_problem(errors[0])}")
    rows: dict[str, KnownBreak] = {}
    for index, entry in enumerate(document["breaks"]):
        place = f"--baseline: {path}: at /breaks/{index}"
        clause = entry["clause"]
        if clause not in BY_ID:
            raise UsageError(
                f"{place}/clause: expected the id of a clause, got {_shown(clause)}{_nearest(clause, BY_ID)}"
            )
        if clause in rows:
            raise UsageError(f"{place}/clause: expected each clause once, but {clause} is at an earlier place, too")
        try:
            until = date.fromisoformat(entry["until"])
        except ValueError:
            raise UsageError(f"{place}/until: expected a day of the calendar, got {_shown(entry['until'])}") from None
        rows[clause] = KnownBreak(clause, " ".join(entry["reason"].split()), until)
    return Baseline(tuple(rows.values()), today)


def _read(path: Path) -> Any:  # noqa: ANN401  # a JSON document
    try:
        return json.loads(path.read_text("utf-8"), object_pairs_hook=_unique)
    except OSError as error:
        raise UsageError(f"--baseline: {path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"--baseline: {path}: expected UTF-8 text, but byte {error.start} is none") from None
    except json.JSONDecodeError as error:
        raise UsageError(f"--baseline: {path}:{error.lineno}:{error.colno}: expected JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--baseline: {path}: expected a small JSON document: {error}") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; JSON lets a key come twice, and the first would be lost unseen."""
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"the property {_shown(twice)} comes twice in one object")
    return dict(pairs)


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads((FOLDER / "data" / "baseline.schema.json").read_text("utf-8")))


def _order(path: Iterable[object]) -> list[tuple[int, str]]:
    """The order of a document: /breaks/2 comes before /breaks/10."""
    return [(part if isinstance(part, int) else -1, str(part)) for part in path]


def _problem(error: ValidationError) -> str:
    """What is wrong, where, and what was expected: the title of the schema that is broken."""
    schema: Any = error.schema
    instance: Any = error.instance
    expected: Any = error.validator_value
    pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in error.absolute_path)
    place = f"at {pointer or 'the top'}: expected {schema['title']}"
    if error.validator == "additionalProperties":
        known = schema["properties"]
        unknown = min(instance.keys() - known)
        return f"{place}, got the unknown property {_shown(unknown)}{_nearest(unknown, known)}"
    if error.validator == "required":
        return f"{place}, but there is no {next(name for name in expected if name not in instance)}"
    return f"{place}, got {_shown(instance)}"


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _nearest(name: str, known: Iterable[str]) -> str:
    matches = get_close_matches(name, known, n=1)
    return f"; perhaps {matches[0]}" if matches else ""
