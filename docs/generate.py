"""Rewrites the generated parts of the documentation: `python docs/generate.py`, checked by tests/test_docs.py."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mockserver.catalogue import load_catalogue
from mockserver.scenarios import load_scenarios
from mockserver.settings import TABLE

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
    """The table of scenarios, with what the reply carries."""
    errors = load_catalogue().errors
    rows = []
    for scenario in load_scenarios("success", errors).by_name.values():
        answer = errors[scenario.answer.error] if scenario.answer else {"status": 200, "code": "-"}
        prefer = f"`code={scenario.prefer}`" if scenario.prefer else "-"
        rows.append(f"| `{scenario.name}` | {answer['status']} | {answer['code']} | {prefer} | {scenario.summary} |")
    return "\n".join(
        ["| Name | Status | Code | Prefer | What the client meets |", "| --- | --- | --- | --- | --- |", *rows]
    )


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
