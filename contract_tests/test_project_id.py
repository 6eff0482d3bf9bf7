"""Which project ids are well-formed."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import strategies as st

from contract_tests.verdicts import ACCEPTED, PROJECT_REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.judge import Judge
    from contract_tests.messages import Request

LETTERS_AND_DIGITS = string.ascii_letters + string.digits
BAD: dict[str, Callable[[str], str]] = {
    "31 characters": lambda good: good[1:],
    "33 characters": lambda good: good + "a",
    "1 character": lambda good: good[:1],
    "16 characters": lambda good: good[:16],
    "64 characters": lambda good: good * 2,
    "a hyphen": lambda good: f"{good[:15]}-{good[16:]}",
    "the form of a UUID": lambda good: f"{good[:8]}-{good[8:12]}-{good[12:16]}-{good[16:20]}-{good[20:]}",
    "an underscore": lambda good: f"{good[:15]}_{good[16:]}",
    "an underscore first": lambda good: f"_{good[1:]}",
    "a dot": lambda good: f"{good[:31]}.",
    "a tilde": lambda good: f"{good[:31]}~",
    "a plus sign": lambda good: f"+{good[1:]}",
    "a star": lambda good: f"{good[:31]}*",
    "a colon": lambda good: f"{good[:31]}:",
    "an at sign": lambda good: f"@{good[1:]}",
    "a blank inside": lambda good: f"{good[:15]} {good[16:]}",
    "a blank first": lambda good: f" {good[1:]}",
    "a blank last": lambda good: f"{good[:31]} ",
    "a blank after 32": lambda good: f"{good} ",
    "a blank before 32": lambda good: f" {good}",
    "a line feed last": lambda good: f"{good[:31]}\n",
    "a line feed after 32": lambda good: f"{good}\n",
    "a carriage return after 32": lambda good: f"{good}\r",
    "a NUL last": lambda good: f"{good[:31]}\0",
    "a NUL after 32": lambda good: f"{good}\0",
    "a percent sign": lambda good: f"{good[:31]}%",
    "a quotation mark": lambda good: f"{good[:31]}'",
    "a letter of Latin-1": lambda good: f"é{good[1:]}",
    "a letter of Greek": lambda good: f"{good[:31]}α",
    "a Chinese character": lambda good: f"{good[:31]}库",
    "an Arabic digit": lambda good: f"{good[:31]}٣",
    "32 Arabic digits": lambda good: "٣" * len(good),
    "a fullwidth digit": lambda good: f"３{good[1:]}",
    "a superscript digit": lambda good: f"{good[:31]}²",
    "a slash": lambda good: f"{good[:15]}/{good[16:]}",
    "a slash after 32": lambda good: f"{good}/",
    "a letter of Latin-1 after 32": lambda good: f"{good}é",
    "a Chinese character before 32": lambda good: f"库{good}",
    "a letter of Latin-1 within 33": lambda good: f"{good[:15]}é{good[15:]}",
    "a byte that is no UTF-8": lambda good: f"{good[:31]}\udcff",
    "a byte that is no UTF-8 after 32": lambda good: f"{good}\udcff",
    "2,000 characters": lambda good: good[:1] * 2_000,
    "the Kelvin sign": lambda good: f"\u212a{good[1:]}",
    "a long s": lambda good: f"{good[:31]}ſ",
}
"""What makes a project id malformed."""
REFUSED_EARLY = ("NUL", "line feed", "carriage return", "slash", "no UTF-8", "percent")
"""What many HTTP servers refuse in a path before an application sees it, in a form of their own."""
GOOD = {
    "digits": "12345678901234567890123456789012",
    "zeros": "0" * 32,
    "small letters": "abcdefghijklmnopqrstuvwxyzabcdef",
    "capitals": "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF",
    "the first and last of each kind": "azAZ09" * 5 + "zZ",
    "nines": "9" * 32,
    "the last small letter": "z" * 32,
    "the last capital": "Z" * 32,
    "hexadecimal capitals": "0123456789ABCDEF" * 2,
}


def with_project(judge: Judge, project_id: str, note: str) -> Request:
    good = judge.calls.good(note)
    return replace(good, target=judge.calls.path(quote(project_id.encode("utf-8", "surrogateescape"), safe="~+*:@'")))


@pytest.mark.clause("project-id.form")
def test_a_malformed_project_id_is_refused(judge: Judge) -> None:
    expectation = PROJECT_REFUSED.also(*sorted(judge.calls.habits.refuses_projects_with))
    good = judge.calls.habits.project_id
    requests = [with_project(judge, change(good), f"a project id with {note}") for note, change in BAD.items()]
    early = [request for request in requests if any(word in request.note for word in REFUSED_EARLY)]
    judge.expect_all([request for request in requests if request not in early], expectation)
    judge.expect_all(early, expectation.undocumented())


@pytest.mark.clause("project-id.form")
def test_a_generated_malformed_project_id_is_refused(judge: Judge) -> None:
    expectation = PROJECT_REFUSED.also(*sorted(judge.calls.habits.refuses_projects_with))
    malformed = st.text(LETTERS_AND_DIGITS + "-_~é٣", min_size=1, max_size=40).filter(
        lambda text: len(text) != len(judge.calls.habits.project_id) or not set(text) <= set(LETTERS_AND_DIGITS)
    )
    judge.explore(
        lambda text: judge.expect(with_project(judge, text, f"the project id {text!r}"), expectation), malformed
    )


@pytest.mark.clause("project-id.range")
def test_every_well_formed_project_id_is_accepted(judge: Judge) -> None:
    if not judge.options.instances:  # a named one may have been upgraded in one project and not in another
        judge.accepted_only_with(well_formed(judge))
    judge.needs_acceptance()
    if judge.calls.habits.refuses_projects_with or judge.options.is_safe:
        judge.not_checked("the target serves only one project")
    judge.expect_all(well_formed(judge), ACCEPTED)
    ids = st.text(LETTERS_AND_DIGITS, min_size=32, max_size=32)
    judge.explore(lambda text: judge.expect(with_project(judge, text, f"the project id {text}"), ACCEPTED), ids)


def well_formed(judge: Judge) -> Iterator[Request]:
    for note, project_id in GOOD.items():
        yield with_project(judge, project_id, f"a project id of {note}")
