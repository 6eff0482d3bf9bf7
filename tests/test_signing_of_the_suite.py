"""The suite's own signer: the recorded calls of the SDKs, and agreement with the mock that checks it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import bounded
from support import PROJECT_ID, UPGRADE_PATH, api_request, batch

from contract_tests.signing import NEVER_SIGNED, sign
from mockserver.model import ApiError
from mockserver.signing import check_signature

ACCESS_KEY, SECRET_KEY = "AKEXAMPLE", "SKEXAMPLE"
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
HOST = ("Host", "127.0.0.1:8080")
AGENT = ("User-Agent", "huaweicloud-usdk-python/3.0; vector")
PROJECT = ("X-Project-Id", PROJECT_ID)
JSON_TYPE = ("Content-Type", "application/json")


def signed(
    method: str, target: str, headers: list[tuple[str, str]], body: bytes = b"", now: datetime = NOW
) -> list[tuple[str, str]]:
    """What is added to a request that has the Host of the vectors."""
    return sign(method, target, headers, body, access_key=ACCESS_KEY, secret_key=SECRET_KEY, now=now)


def verify(method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> None:
    """Let the mock check a request as it arrives."""
    path, _, query = target.partition("?")
    on_the_wire = {name: value.encode().decode("latin-1") for name, value in headers}
    request = api_request(
        body, method=method, path=unquote(path), query=query, headers=on_the_wire, received_at=NOW.timestamp()
    )
    check_signature(request, {ACCESS_KEY: SECRET_KEY}, NOW.timestamp())


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "names", "signature"),
    [
        pytest.param(
            "POST",
            UPGRADE_PATH,
            [AGENT, ("Content-Type", "application/json;charset=utf-8"), PROJECT, HOST, ("X-Language", "zh-cn")],
            json.dumps(batch()).encode(),
            "content-type;host;user-agent;x-language;x-project-id;x-sdk-date",
            "4e8dd5e017658cce5a3b0eef961a28ec2e155160de30756d9d51513149a78293",
            id="python-upgrade",
        ),
        pytest.param(
            "GET",
            f"/v3.1/{PROJECT_ID}/instances?limit=10&name=%2Aa%20b%2Fc%2Bd&offset=0",
            [HOST, AGENT, PROJECT, JSON_TYPE],
            b"",
            "content-type;host;user-agent;x-project-id;x-sdk-date",
            "17ea600f974472751b242fce2244735bf7585c5d09e90728f0ae2a804a087715",
            id="python-list",
        ),
        pytest.param(
            "GET",
            "/v3/projects?name=cn-north-4",
            [HOST, JSON_TYPE],
            b"{}",
            "content-type;host;x-sdk-date",
            "6bc916530c7038d46f47621935ad3227ed4c99556f9dd600004c515e9576348a",
            id="node-lookup",
        ),
    ],
)
def test_the_recorded_calls_of_the_sdks_get_their_signatures(
    method: str, target: str, headers: list[tuple[str, str]], body: bytes, names: str, signature: str
) -> None:
    assert signed(method, target, headers, body) == [
        ("X-Sdk-Date", "20260101T000000Z"),
        ("Authorization", f"SDK-HMAC-SHA256 Access=AKEXAMPLE, SignedHeaders={names}, Signature={signature}"),
    ]


def test_headers_that_no_sdk_signs_change_nothing() -> None:
    unsigned = [(name.title(), "any") for name in NEVER_SIGNED] + [("x_under_score", "any")]
    assert signed("POST", "/a", [HOST, *unsigned]) == signed("POST", "/a", [HOST])


def test_the_time_is_told_in_utc_from_any_zone() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=8)))
    assert signed("POST", "/a", [HOST], now=there) == signed("POST", "/a", [HOST])


def test_a_date_that_is_given_is_the_date_of_the_signature() -> None:
    date = ("x-sdk-date", "20260101T001000Z")
    added = signed("POST", UPGRADE_PATH, [HOST, date])
    assert [name for name, _ in added] == ["Authorization"]
    verify("POST", UPGRADE_PATH, [HOST, date, *added], b"")


def test_a_text_that_stands_for_the_body_is_signed_in_its_place() -> None:
    unsigned = ("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD")
    added = signed("POST", UPGRADE_PATH, [HOST, unsigned], b"one")
    assert added == signed("POST", UPGRADE_PATH, [HOST, unsigned], b"another")
    verify("POST", UPGRADE_PATH, [HOST, unsigned, *added], b"a third")


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ([], "a signature needs Host, and each signed header once; these came: x-sdk-date"),
        ([HOST, HOST], "a signature needs Host, and each signed header once; these came: host, host, x-sdk-date"),
    ],
    ids=["no-host", "host-twice"],
)
def test_headers_that_no_gateway_could_verify_are_an_error(headers: list[tuple[str, str]], text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # its text is compared below
        signed("POST", "/a", headers)
    assert str(caught.value) == text


def test_a_time_without_a_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^a signature needs the time in UTC: give `now` a time zone$"):
        signed("POST", "/a", [HOST], now=NOW.replace(tzinfo=None))


TEXTS = st.text(max_size=8)
HEADERS = st.dictionaries(
    st.from_regex(r"[xX]-[nN]-[a-zA-Z0-9_-]{1,8}", fullmatch=True),
    st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=12),
    max_size=4,
).map(lambda headers: list({name.lower(): (name, value) for name, value in headers.items()}.values()))


def encoded(text: str) -> st.SearchStrategy[str]:
    """The text as it may stand in a target: encoded at least where it must be."""
    return st.sampled_from(["", "/", "*'()!", "-_.~", ":@,;$"]).map(lambda safe: quote(text, safe=safe))


PATHS = st.lists(TEXTS.flatmap(encoded), max_size=4).map(lambda parts: "/" + "/".join(parts))
VALUES = st.one_of(TEXTS.flatmap(encoded), st.sampled_from(["a+b", "%2b", "%c3%a4", "%FF", "a=b", "%"]))
QUERIES = st.lists(st.tuples(VALUES, VALUES).map("=".join) | VALUES, max_size=4).map("&".join)


@settings(bounded, max_examples=300)
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "patch"]),
    path=PATHS,
    query=QUERIES,
    headers=HEADERS,
    body=st.binary(max_size=40),
)
def test_whatever_the_suite_signs_the_mock_verifies(
    method: str, path: str, query: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    target = f"{path}?{query}" if query else path
    given_headers = [*headers, HOST, ("Accept", "*/*")]
    verify(method, target, [*given_headers, *signed(method, target, given_headers, body)], body)


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [("PUT", "/a?b=1", b"{}"), ("POST", "/b?b=1", b"{}"), ("POST", "/a?b=2", b"{}"), ("POST", "/a?b=1", b"[]")],
    ids=["method", "path", "query", "body"],
)
def test_a_request_that_was_changed_after_signing_is_refused(method: str, target: str, body: bytes) -> None:
    headers = [HOST, *signed("POST", "/a?b=1", [HOST], b"{}")]
    verify("POST", "/a?b=1", headers, b"{}")
    with pytest.raises(ApiError) as caught:
        verify(method, target, headers, body)
    assert caught.value.name == "signature-mismatch"
