"""Rewrites the generated parts of the documentation: `python docs/generate.py`, checked by tests/test_docs.py."""

from __future__ import annotations

import re
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_tests.clauses import CLAUSES
from mockserver.catalogue import load_catalogue
from mockserver.documents import bundle
from mockserver.resources import bundle_root, read_object
from mockserver.scenarios import bundled_scenarios
from mockserver.settings_table import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).resolve().parent


def settings_table() -> str:
    """The table of settings."""
    rows = [
        f"| `{row.flag}` | `{row.variable}` | {_default(row.default)} | {_help(row.help, row.choices)} |"
        for row in TABLE
    ]
    return "\n".join(["| Flag | Variable | Default | Meaning |", "| --- | --- | --- | --- |", *rows])


def scenarios_table() -> str:
    """The table of scenarios, with the magic instance id of each."""
    rows = []
    for scenario in bundled_scenarios(load_catalogue().errors).values():
        prefer = f"`code={scenario.prefer}`" if scenario.prefer else "-"
        rows.append(f"| `{scenario.name}` | {scenario.summary} | {prefer} | `{scenario.magic_id}` |")
    return "\n".join(
        ["| Name | What the client meets | Prefer | Magic instance id |", "| --- | --- | --- | --- |", *rows]
    )


def admin_table() -> str:
    """The table of the admin API's operations."""
    document: dict[str, Any] = read_object(bundle_root() / "schemas" / "admin.json")
    rows = [
        f"| `{method.upper()} {path}` | {item[method]['summary']} |"
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    ]
    return "\n".join(["| Operation | What it does |", "| --- | --- |", *rows])


def operations_table() -> str:
    """The table of the API's operations."""
    rows = [
        (each["tags"][0], f"| `{method.upper()} {path}` | {each['summary']} |")
        for path, item in bundle()["paths"].items()  # type: ignore[attr-defined]  # the bundle has paths
        for method, each in item.items()
    ]
    order = ["identity", "instances", "upgrade", "jobs"]
    rows.sort(key=lambda row: order.index(row[0]))
    return "\n".join(["| Operation | What it does |", "| --- | --- |", *(row for _, row in rows)])


def contract_tables() -> str:
    """A table of clauses for each group of the register."""
    parts = []
    for group, clauses in groupby(CLAUSES, lambda clause: clause.group):
        rows = [
            f"| `{clause.id}` | {_cell(clause.sentence)} | {_cell(clause.sent)} | {_cell(clause.accepted)} |"
            f" {', '.join([clause.level, *(f'`{source}`' for source in clause.source)])} |"
            for clause in clauses
        ]
        head = [
            "| Clause | What it says | What is sent | What is accepted | Known by |",
            "| --- | --- | --- | --- | --- |",
        ]
        parts.append("\n".join([f"### {group[0].upper()}{group[1:]}", "", *head, *rows]))
    return "\n\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(value: object) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"`{value}`"


def _help(text: str, choices: tuple[str, ...]) -> str:
    return f"{text} One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else text


PARTS: dict[str, tuple[str, Callable[[], str]]] = {
    "settings.md": ("settings", settings_table),
    "scenarios.md": ("scenarios", scenarios_table),
    "admin.md": ("admin", admin_table),
    "workflow.md": ("operations", operations_table),
    "contract.md": ("clauses", contract_tables),
}


def generated(name: str) -> str:
    """The text of a page with its generated part made anew."""
    marker, make = PARTS[name]
    text = (DOCS / name).read_text("utf-8")
    part = f"<!-- {marker} -->\n{make()}\n<!-- end -->"
    return re.sub(rf"<!-- {marker} -->\n.*?<!-- end -->", lambda _: part, text, count=1, flags=re.DOTALL)


def main(arguments: list[str]) -> int:
    """Rewrite every page; with `--check PAGE`, only say whether the page is up to date."""
    if arguments[:1] == ["--check"]:
        return int(generated(arguments[1]) != (DOCS / arguments[1]).read_text("utf-8"))
    for page in PARTS:
        (DOCS / page).write_text(generated(page), "utf-8")
        sys.stdout.write(f"docs/{page}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
