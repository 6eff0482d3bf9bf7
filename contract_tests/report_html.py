"""The report as one HTML file for people: no script, nothing loaded from elsewhere, everything escaped."""

from __future__ import annotations

import hashlib
import html
import re
from base64 import b64encode
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from contract_tests.report_text import counts, headline, legible, remarks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from contract_tests.findings import Finding
    from contract_tests.report import Name, Report, Verdict
    from contract_tests.report_text import Circumstances

_MARKS: dict[Name, str] = {
    "broken": "✕",
    "warning": "!",
    "accepted": "~",
    "kept": "✓",
    "observed": "○",
    "not checked": "–",
}
"""In the order in which people want to know; shape beside colour, for those who do not see it."""
_MEANINGS: dict[Name, str] = {
    "broken": "it does otherwise; this fails the run",
    "warning": "it differs from an example; with --strict this fails the run",
    "accepted": "it is broken, and the baseline knows",
    "kept": "every call was answered as it says",
    "observed": "no source demands anything; noted only",
    "not checked": "no call could show it",
}
_SHOWN = 3
"""Observations that are shown without being asked for."""
_SECRETS = ("$TOKEN", "$AUTHORIZATION")
"""What a command has in place of a secret."""
_TITLES = {"broken": "What is broken", "warning": "Warnings", "accepted": "Known breaks"}


def to_html(report: Report, circumstances: Circumstances) -> str:
    """The report as the text of an HTML file."""
    style = (Path(__file__).parent / "report.css").read_text("utf-8")
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    verdicts = report.verdicts
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{_text(headline(report, circumstances))} {_text(circumstances.target)}</title>",
        f"<style>{style}</style>",
        "</head>",
        "<body>",
        *_header(report, circumstances, verdicts),
        "<main>",
        *_proofs(verdicts),
        *_table(verdicts),
        *_legend(verdicts),
        "</main>",
        *_footer(circumstances),
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _text(value: object) -> str:
    return html.escape(legible(str(value)))


def _sentence(text: str) -> str:
    """A sentence of the register, which marks what stands on the wire with backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _text(text))


def _class(name: Name) -> str:
    return name.replace(" ", "-")


def _chip(name: Name) -> str:
    return f'<span class="chip {_class(name)}"><span class="mark" aria-hidden="true">{_MARKS[name]}</span>{name}</span>'


def _header(report: Report, circumstances: Circumstances, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What was checked and what came of it, at a glance."""
    number = counts(verdicts)
    tone = "bad" if circumstances.ended_badly or number["broken"] else "good"
    yield f'<header class="{tone}">'
    yield f'<p class="target"><span>Contract check of</span> <code>{_text(circumstances.target)}</code></p>'
    yield f"<h1>{_text(headline(report, circumstances))}</h1>"
    if circumstances.problem:
        yield f'<pre class="problem">{_text(circumstances.problem)}</pre>'
    if verdicts:
        yield from _bar(number, len(verdicts))
        chips = "".join(f"<li><b>{number[name]}</b> {_chip(name)}</li>" for name in _MARKS if number[name])
        yield f'<ul class="counts" aria-label="Verdicts">{chips}</ul>'
    facts = {
        "clauses": len(verdicts),
        "requests": f"{report.requests:,}",
        "duration": f"{circumstances.seconds:.1f} s",
        "started": circumstances.began.replace("T", " ").replace("Z", " UTC"),
        "profile": circumstances.profile,
        "seed": circumstances.seed,
        "exit code": circumstances.exit_code,
    }
    yield "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{_text(value)}</dd></div>" for name, value in facts.items())
    yield "</dl>"
    if said := remarks(report):
        yield f'<ul class="remarks" aria-label="Baseline">{_items(f"Baseline: {each}" for each in said)}</ul>'
    yield "</header>"


def _bar(number: dict[Name, int], total: int) -> Iterator[str]:
    """The shares as a bar, for the eye only: the counts are said beside it."""
    yield f'<svg class="bar" viewBox="0 0 {total} 1" preserveAspectRatio="none" aria-hidden="true">'
    start = 0
    for name in _MARKS:
        if number[name]:
            yield f'<rect class="{_class(name)}" x="{start}" width="{number[name]}" height="1"/>'
            start += number[name]
    yield "</svg>"


def _proofs(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A block for each clause with a finding, the ones that fail the run open."""
    for name, title in _TITLES.items():
        found = [(each, each.finding) for each in verdicts if each.name == name and each.finding]
        if found:
            yield f'<section aria-label="{title}">\n<h2>{title}</h2>'
            for verdict, finding in found:
                yield from _proof(verdict, finding)
            yield "</section>"


def _proof(verdict: Verdict, finding: Finding) -> Iterator[str]:
    clause = verdict.clause
    is_open = " open" * (verdict.name == "broken")
    yield f'<details class="proof {_class(verdict.name)}" id="{_text(clause.id)}"{is_open}>'
    yield f'<summary>{_chip(verdict.name)} <span class="title"><code class="id">{_text(clause.id)}</code>'
    yield f"<span>{_sentence(clause.sentence)}</span></span></summary>"
    if verdict.text:
        yield f'<p class="reason">{_text(verdict.text)}</p>'
    yield '<dl class="evidence">'
    for label, value in (("sent", finding.case), ("expected", finding.expected), ("received", finding.received)):
        yield f'<div class="{label}"><dt>{label}</dt><dd>{_text(value)}</dd></div>'
    known = f"{clause.level}: {', '.join(clause.source)}" if clause.source else clause.level
    yield f'<div class="known"><dt>known by</dt><dd>{_text(known)}</dd></div></dl>'
    several = f"{finding.requests} requests; to" if finding.requests > 1 else "To"
    secret = next((f" Put the secret into <code>{name}</code> first." for name in _SECRETS if name in finding.curl), "")
    yield f'<p class="hint">{several} see it again, paste this into a shell.{secret}</p>'
    yield f'<pre class="curl" tabindex="0" aria-label="Command for a shell"><code>{_text(finding.curl)}</code></pre>'
    yield "</details>"


def _table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A row for each clause, by group. Narrow screens show rows as blocks, so the roles are said explicitly."""
    if not verdicts:
        return
    yield '<section aria-label="Every clause">\n<h2>Every clause</h2>'
    yield '<table role="table">'
    yield '<thead role="rowgroup"><tr role="row">'
    yield "".join(f'<th role="columnheader" scope="col">{each}</th>' for each in ("Verdict", "Clause", "Known by"))
    yield "</tr></thead>"
    for group, members in groupby(verdicts, lambda verdict: verdict.clause.group):
        yield '<tbody role="rowgroup"><tr class="group" role="row">'
        yield f'<th role="rowheader" colspan="3" scope="rowgroup">{_text(group)}</th></tr>'
        yield from map(_row, members)
        yield "</tbody>"
    yield "</table>\n</section>"


def _row(verdict: Verdict) -> str:
    clause = verdict.clause
    name = f'<code class="id">{_text(clause.id)}</code>'
    if verdict.finding:
        name = f'<a href="#{_text(clause.id)}">{name}</a>'
    sources = ", ".join(f"<span>{_text(each)}</span>" for each in clause.source)
    return (
        f'<tr class="{_class(verdict.name)}" role="row"><td role="cell">{_chip(verdict.name)}</td>'
        f'<td role="cell">{name}<p>{_sentence(clause.sentence)}</p>{_notes(verdict)}</td>'
        f'<td role="cell"><span class="level">{clause.level}</span> <span class="sources">{sources}</span></td></tr>'
    )


def _notes(verdict: Verdict) -> str:
    """What was observed; a long list is folded."""
    if not verdict.text:
        return ""
    texts = verdict.text.split("; ") if verdict.name in ("observed", "kept") else [verdict.text]
    if len(texts) == 1:
        return f'<p class="notes">{_text(texts[0])}</p>'
    listed = f'<ul class="notes">{_items(texts)}</ul>'
    if len(texts) <= _SHOWN:
        return listed
    return f'<details class="more"><summary>{len(texts)} observations</summary>{listed}</details>'


def _items(texts: Iterable[str]) -> str:
    return "".join(f"<li>{_text(each)}</li>" for each in texts)


def _legend(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What the verdicts mean that are in the report."""
    names = {verdict.name for verdict in verdicts}
    rows = [f"<div><dt>{_chip(name)}</dt><dd>{_MEANINGS[name]}</dd></div>" for name in _MARKS if name in names]
    if rows:
        yield f'<section aria-label="Legend"><h2>What the verdicts mean</h2><dl class="legend">{"".join(rows)}</dl>'
        yield "</section>"


def _footer(circumstances: Circumstances) -> Iterator[str]:
    made = f"{circumstances.tool} {circumstances.version}"
    yield f"<footer><p>Made by {_text(made)}. <code>taurus-mock explain CLAUSE</code> tells more of a clause.</p>"
    yield "</footer>"
