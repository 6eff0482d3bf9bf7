"""The register in words: one clause with everything that is known of it, or all of them in a list."""

from __future__ import annotations

import re
import textwrap
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

from contract_tests.documents import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract_tests.clauses import Clause

WIDTH = 110
_LABEL = 11
"""Columns of the labels before what is explained."""
_LEVEL = 8
"""Columns of a level in a listing."""


def explain(clause: Clause) -> str:
    """A clause, how it is known, what the suite sends for it and which answers keep it, for a terminal."""
    consequence = (
        "An implementation that does otherwise breaks the clause."
        if clause.can_break
        else "So it is observed and reported, and never fails a run."
    )
    parts = [
        ("Group", [clause.group]),
        ("Level", [f"{clause.level}: {levels()[clause.level]}. {consequence}"]),
        ("Sources" if clause.can_break else "See also", [f"{name}: {sources()[name]}" for name in clause.source]),
        ("Sent", [clause.sent]),
        ("Accepted", [clause.accepted]),
    ]
    lines = [clause.id, *_wrapped(clause.sentence, "  "), ""]
    for label, texts in parts:
        for index, text in enumerate(texts):
            lines += _wrapped(text, f"  {'' if index else label:{_LABEL}}")
    return "\n".join(lines)


def listing(clauses: Iterable[Clause]) -> str:
    """The id, level and sentence of each clause, by group, for a terminal."""
    clauses = list(clauses)
    width = max((len(clause.id) for clause in clauses), default=0)
    blocks = []
    for group, members in groupby(clauses, lambda clause: clause.group):
        lines = [group]
        for clause in members:
            lines += _wrapped(clause.sentence, f"  {clause.id:{width}}  {clause.level:{_LEVEL}} ")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _wrapped(text: str, start: str) -> list[str]:
    """A text after its label, its further lines below its first."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )


@cache
def levels() -> dict[str, str]:
    """What each level means, from the table in `schemas/README.md`."""
    return dict(re.findall(r"^\| `([a-z]+)` \| (.+?) \|$", _section("Levels"), re.MULTILINE))


@cache
def sources() -> dict[str, str]:
    """What each source is, from the list in `schemas/README.md`."""
    found = re.findall(r"^- `([a-z0-9-]+)`: (.+(?:\n  .+)*)", _section("Sources"), re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


@cache
def _section(title: str) -> str:
    """The text below a heading, up to the next."""
    text = (FOLDER / "README.md").read_text("utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
