"""The languages of the messages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from contract_tests.calls import changed, without
from contract_tests.mutations import MISTAKES
from contract_tests.verdicts import ACCEPTED, CREDENTIALS_REFUSED, EITHER, PROJECT_REFUSED, REFUSED, Expectation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.judge import Judge
    from contract_tests.messages import Request

LANGUAGES = ("en-us", "zh-cn")


@pytest.mark.clause("language.values")
@pytest.mark.parametrize("language", LANGUAGES)
def test_good_calls_are_accepted_in_both_languages(judge: Judge, language: str) -> None:
    judge.accepted_only_with(
        [judge.calls.post(judge.calls.body(), f"X-Language {language}", headers=(("X-Language", language),))]
    )
    judge.needs_acceptance()
    for count in (1, 2, 12):
        if judge.calls.instances(count):
            judge.expect(
                judge.calls.post(
                    judge.calls.body(count),
                    f"X-Language {language}, {count} instances",
                    headers=(("X-Language", language),),
                ),
                ACCEPTED,
            )
    lower = without(judge.calls.good(), "X-Language", ("x-language", language), note=f"x-language {language}")
    judge.expect(lower, ACCEPTED)


@pytest.mark.clause("language.values")
@pytest.mark.parametrize("language", LANGUAGES)
def test_refusals_are_documented_in_both_languages(judge: Judge, language: str) -> None:
    for plain, expectation in list(refused_calls(judge))[:: 3 if judge.target.is_slow else 1]:
        spoken = replace(
            plain, headers=(*plain.headers, ("X-Language", language)), note=f"{plain.note}; X-Language {language}"
        )
        judge.expect(spoken, expectation, unless=plain)


def refused_calls(judge: Judge) -> Iterator[tuple[Request, Expectation]]:
    """Calls with a mistake of every kind."""
    good = judge.calls.body(2)
    for mistake in MISTAKES:
        for value in mistake.values[: 1 if judge.options.is_quick else 3]:
            yield judge.calls.post(mistake.apply(good, value, 1), mistake.note(value, 1, 2)), REFUSED
    for text in (b"", b"{", b"\xff", b"no JSON"):
        yield judge.calls.post(text, f"the body {text!r}"), REFUSED
    path = judge.calls.path(judge.calls.habits.project_id[1:])
    expectation = PROJECT_REFUSED.also(*sorted(judge.calls.habits.refuses_projects_with))
    yield replace(judge.calls.good(), target=path, note="a project id of 31 characters"), expectation
    name = judge.calls.credentials[0][0]
    yield without(judge.calls.good(), name, note="no credentials"), CREDENTIALS_REFUSED


@pytest.mark.clause("language.other")
def test_other_languages_are_observed(judge: Judge) -> None:
    requests = [
        judge.calls.post(changed(judge.calls.body()), f"X-Language {language!r}", headers=(("X-Language", language),))
        for language in ("fr-fr", "", "ZH-CN", "zh")
    ]
    judge.observe_all(requests, EITHER)
