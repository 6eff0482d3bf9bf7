"""Who may call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from contract_tests.calls import without
from contract_tests.target import SIGNATURE
from contract_tests.verdicts import ACCEPTED, CREDENTIALS_REFUSED, EITHER_CREDENTIALS

if TYPE_CHECKING:
    from contract_tests.judge import Judge
    from contract_tests.messages import Request


def bare(judge: Judge, *instead: tuple[str, str], note: str) -> Request:
    """The good call with other credentials, or none."""
    return without(judge.calls.good(), judge.calls.credentials[0][0], *instead, note=note)


@pytest.mark.clause("auth.token-required")
def test_a_call_without_credentials_is_refused(judge: Judge) -> None:
    judge.expect(bare(judge, note="no credentials"), CREDENTIALS_REFUSED)
    judge.expect(bare(judge, note="no credentials, on a fresh connection"), CREDENTIALS_REFUSED, fresh=True)
    judge.expect(bare(judge, ("X-Language", "zh-cn"), note="no credentials, in Chinese"), CREDENTIALS_REFUSED)
    others = (
        ("X-Subject-Token", "made-up"),
        ("X-Token", "made-up"),
        ("Token", "made-up"),
        ("Cookie", "X-Auth-Token=a"),
    )
    instead = (bare(judge, each, note=f"{each[0]} instead of credentials") for each in others)
    judge.expect_all(instead, CREDENTIALS_REFUSED)
    for media_type in ("application/json;charset=utf-8", "application/json; charset=UTF-8"):
        typed = ("Content-Type", media_type)
        request = without(bare(judge, note=f"no credentials, {media_type}"), "Content-Type", typed)
        judge.expect_all([request], CREDENTIALS_REFUSED)
    for size in (2, 12, 100):
        large = replace(bare(judge, note=f"no credentials, {size} instances"), body=judge.calls.good(count=size).body)
        judge.expect_all([large], CREDENTIALS_REFUSED)


@pytest.mark.clause("auth.token-empty")
def test_an_empty_token_is_refused(judge: Judge) -> None:
    for value in ("", " ", "  \t "):
        judge.expect_all([bare(judge, ("X-Auth-Token", value), note=f"the token {value!r}")], CREDENTIALS_REFUSED)


@pytest.mark.clause("auth.header-case")
def test_header_names_count_in_any_case(judge: Judge) -> None:
    judge.needs_acceptance()
    name, value = judge.calls.credentials[0]
    for spelling in (name.lower(), name.upper(), name.title().swapcase()):
        judge.expect_all([bare(judge, (spelling, value), note=f"the header {spelling}")], ACCEPTED)
    for change in (str.lower, str.upper):
        good = judge.calls.good()
        headers = (
            *((change(key), text) for key, text in good.headers),
            (change("Content-Length"), str(len(good.body))),
        )
        judge.expect_all([replace(good, headers=headers, note=f"header names {change.__name__}")], ACCEPTED)
    media = without(
        judge.calls.good(), "Content-Type", ("content-type", "application/json"), note="the header content-type"
    )
    judge.expect_all([media], ACCEPTED)


@pytest.mark.clause("auth.signature")
def test_a_signature_is_verified(judge: Judge) -> None:
    if judge.options.access_key is None:
        judge.not_checked("no --ak and --sk to sign with")
    judge.needs_acceptance()
    judge.expect(judge.calls.good("a signed call"), ACCEPTED)
    made_up = "SDK-HMAC-SHA256 Access=made-up, SignedHeaders=host;x-sdk-date, Signature=" + 64 * "0"
    wrong = bare(judge, ("Authorization", made_up), ("X-Sdk-Date", "20260101T000000Z"), note="a signature of nobody")
    judge.observe_all([wrong], EITHER_CREDENTIALS)
    judge.expect(bare(judge, ("Authorization", SIGNATURE), note="a right signature again"), ACCEPTED)


@pytest.mark.clause("auth.token-unknown")
def test_an_unknown_token_is_observed(judge: Judge) -> None:
    unknown = bare(judge, ("X-Auth-Token", "nobody-was-given-this"), note="a token that nobody was given")
    judge.observe_all([unknown], EITHER_CREDENTIALS)


@pytest.mark.clause("auth.authorization-other")
def test_other_authorizations_are_observed(judge: Judge) -> None:
    """A signature that nobody verifies is any text, so a target without keys may take any."""
    values = ("Bearer made-up", "Basic bWFkZTp1cA==", "made-up", "SDK-HMAC-SHA256 made-up")
    requests = (bare(judge, ("Authorization", value), note=f"Authorization: {value}, no token") for value in values)
    judge.observe_all(requests, EITHER_CREDENTIALS)


@pytest.mark.clause("auth.authorization-empty")
def test_an_empty_authorization_is_observed(judge: Judge) -> None:
    if judge.options.access_key:
        judge.not_checked("the calls are signed")
    judge.observe_all(
        [judge.calls.post(judge.calls.body(), "an empty Authorization", headers=(("Authorization", ""),))],
        EITHER_CREDENTIALS,
    )
