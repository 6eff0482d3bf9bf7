"""Who may call: each `--auth` mode with each kind of credentials, and what those who may not are told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
from support import NOW, REQUEST_ID, api_request

from mockserver.authentication import load_authenticator
from mockserver.engine import load_engine
from mockserver.identity import load_identity
from mockserver.model import ApiError
from mockserver.settings import Settings
from mockserver.signing import canonical_request, sign

MODES = ("any", "token", "signed", "off")
SIGNATURE = "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 64
TOKEN = {"X-Auth-Token": "t"}
SIGNED = {"Authorization": SIGNATURE}
WRONG_TOKEN = {"X-Auth-Token": "another"}
UNKNOWN_KEY = {"Authorization": SIGNATURE.replace("=AK,", "=ANOTHER,")}
WRONG_SIGNATURE = {
    "Host": "h",
    "X-Sdk-Date": "20270115T080000Z",  # the time at which api_request says that it arrived
    "Authorization": SIGNATURE,
}
OTHER_SCHEME = {"Authorization": "Bearer b"}
OPEN = Settings()
KNOWN = Settings(token=("s", "t"), ak=("AK",), sk=("SK",))
USERS = Settings(user=("anna:word",))
KEY = b"the key of this mock"
DAY = 24 * 3600
ISSUED = {"X-Auth-Token": load_identity({}, KEY).issue(REQUEST_ID, NOW)}
ELSEWHERE = {"X-Auth-Token": load_identity({}, b"the key of another").issue(REQUEST_ID, NOW)}


def refusal(settings: Settings, auth: str, headers: dict[str, str]) -> str | None:
    """The name of the error that these credentials meet, None when they are right."""
    try:
        check(replace(settings, auth=auth), headers)
    except ApiError as error:
        return error.name
    return None


def check(settings: Settings, headers: dict[str, str], later: float = 0) -> None:
    """Judge credentials by a project's clock that is ahead by so many seconds; raises ApiError for wrong ones."""
    authenticator = load_authenticator(settings, load_identity(settings.passwords, KEY))
    authenticator.check(api_request(headers=headers), NOW + later)


# What any, token and signed make of the credentials; off takes all of them.
MISSING = ("credentials-missing", "token-missing", "signature-missing")
BY_TOKEN = (None, None, "signature-missing")
BY_SIGNATURE = (None, "token-missing", None)
BY_EITHER = (None, None, None)
UNKNOWN = ("token-unknown", "token-unknown", "signature-missing")
TABLE: list[Any] = [
    pytest.param(OPEN, {}, MISSING, id="nothing"),
    pytest.param(OPEN, TOKEN, BY_TOKEN, id="token"),
    pytest.param(OPEN, SIGNED, BY_SIGNATURE, id="signature"),
    pytest.param(OPEN, TOKEN | SIGNED, BY_EITHER, id="both"),
    pytest.param(OPEN, {"Authorization": ""}, MISSING, id="empty-authorization"),
    pytest.param(OPEN, {"Authorization": " \t"}, MISSING, id="blank-authorization"),
    pytest.param(OPEN, TOKEN | {"Authorization": ""}, BY_TOKEN, id="token-and-empty-authorization"),
    pytest.param(OPEN, {"X-Auth-Token": ""}, MISSING, id="empty-token"),
    pytest.param(OPEN, {"X-Auth-Token": " \t"}, MISSING, id="blank-token"),
    pytest.param(OPEN, {"X-Auth-Token": " "} | SIGNED, BY_SIGNATURE, id="blank-token-and-signature"),
    pytest.param(
        OPEN,
        OTHER_SCHEME,
        ("signature-scheme", "token-missing", "signature-scheme"),
        id="another-scheme",
    ),
    pytest.param(OPEN, TOKEN | OTHER_SCHEME, (None, None, "signature-scheme"), id="token-and-another-scheme"),
    pytest.param(KNOWN, {}, MISSING, id="nothing-of-what-is-known"),
    pytest.param(KNOWN, TOKEN, BY_TOKEN, id="right-token"),
    pytest.param(KNOWN, {"X-Auth-Token": "s"}, BY_TOKEN, id="other-right-token"),
    pytest.param(KNOWN, {"X-Auth-Token": " t "}, BY_TOKEN, id="padded-token"),
    pytest.param(KNOWN, WRONG_TOKEN, UNKNOWN, id="wrong-token"),
    pytest.param(KNOWN, {"X-Auth-Token": "T"}, UNKNOWN, id="token-in-another-case"),
    pytest.param(KNOWN, {"X-Auth-Token": "\xe9"}, UNKNOWN, id="token-that-is-not-ascii"),
    pytest.param(
        KNOWN, WRONG_SIGNATURE, ("signature-mismatch", "token-missing", "signature-mismatch"), id="wrong-signature"
    ),
    pytest.param(
        KNOWN, UNKNOWN_KEY, ("access-key-unknown", "token-missing", "access-key-unknown"), id="unknown-access-key"
    ),
    pytest.param(
        KNOWN, TOKEN | WRONG_SIGNATURE, (None, None, "signature-mismatch"), id="right-token-and-wrong-signature"
    ),
    pytest.param(
        KNOWN,
        WRONG_TOKEN | WRONG_SIGNATURE,
        ("signature-mismatch", "token-unknown", "signature-mismatch"),
        id="both-wrong",
    ),
    pytest.param(OPEN, ISSUED, BY_TOKEN, id="issued-token"),
    pytest.param(OPEN, ELSEWHERE, BY_TOKEN, id="token-of-another-mock-where-any-will-do"),
    pytest.param(KNOWN, ISSUED, BY_TOKEN, id="issued-token-beside-known-ones"),
    pytest.param(KNOWN, ELSEWHERE, UNKNOWN, id="token-of-another-mock-beside-known-ones"),
    pytest.param(USERS, {}, MISSING, id="nothing-where-users-are-known"),
    pytest.param(USERS, ISSUED, BY_TOKEN, id="issued-token-where-users-are-known"),
    pytest.param(USERS, TOKEN, UNKNOWN, id="any-token-where-users-are-known"),
    pytest.param(USERS, ELSEWHERE, UNKNOWN, id="token-of-another-mock-where-users-are-known"),
    pytest.param(USERS, SIGNED, BY_SIGNATURE, id="signature-where-users-are-known"),
    pytest.param(USERS, TOKEN | SIGNED, (None, "token-unknown", None), id="any-token-and-signature-with-users"),
]


@pytest.mark.parametrize(("settings", "headers", "expected"), TABLE)
def test_each_mode_takes_the_credentials_that_it_demands(
    settings: Settings, headers: dict[str, str], expected: tuple[str | None, ...]
) -> None:
    assert tuple(refusal(settings, auth, headers) for auth in MODES) == (*expected, None)


def test_a_right_signature_makes_up_for_a_wrong_token() -> None:
    """SDK callers that add a token of their own send both."""
    settings = Settings(token=("t",))  # without keys, every well-formed signature is right
    assert [refusal(settings, auth, WRONG_TOKEN | SIGNED) for auth in MODES] == [None, "token-unknown", None, None]


EXPIRED = ("token-expired", "token-expired", "signature-missing", None)


@pytest.mark.parametrize("settings", [OPEN, KNOWN, USERS], ids=["open", "known", "users"])
@pytest.mark.parametrize(
    ("later", "expected"),
    [(-DAY, BY_TOKEN), (DAY - 1, BY_TOKEN), (DAY, EXPIRED[:3]), (10 * DAY, EXPIRED[:3])],
    ids=["before-it-was-issued", "in-the-last-second", "after-a-day", "later"],
)
def test_an_issued_token_expires_by_the_projects_clock(
    settings: Settings, later: float, expected: tuple[str | None, ...]
) -> None:
    """A mock that takes any token still refuses its own when it is over, so that a client's renewal can be tested."""

    def told(auth: str) -> str | None:
        try:
            check(replace(settings, auth=auth), ISSUED, later)
        except ApiError as error:
            return error.name
        return None

    assert tuple(map(told, MODES)) == (*expected, None)


def test_signatures_are_judged_by_the_wall_clock_whatever_the_projects_says() -> None:
    """Signers go by it, so a test that moves a project's clock does not lock its SDK out."""
    headers = {"Host": "h", "X-Sdk-Date": datetime.fromtimestamp(NOW, timezone.utc).strftime("%Y%m%dT%H%M%SZ")}
    signature = sign(
        canonical_request(api_request(headers=headers), ("host", "x-sdk-date")), headers["X-Sdk-Date"], "SK"
    )
    right = {
        **headers,
        "Authorization": f"SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature={signature}",
    }
    for later in (0, 901, 10 * DAY, -10 * DAY):
        check(KNOWN, right, later)


TEXTS = [
    pytest.param(
        Settings(),
        {},
        "send X-Auth-Token with a token, or sign the request (Authorization: SDK-HMAC-SHA256 ...).",
        id="credentials-missing",
    ),
    pytest.param(
        Settings(auth="token"),
        {},
        "this mock was started with --auth token; send X-Auth-Token with a token.",
        id="token-missing",
    ),
    pytest.param(
        Settings(token=("t",)),
        WRONG_TOKEN,
        "X-Auth-Token is none of the tokens that this mock was started with (--token), and none that it has issued.",
        id="token-unknown",
    ),
    pytest.param(
        Settings(auth="signed"),
        TOKEN,
        "this mock was started with --auth signed; "
        "sign the request with an AK/SK (Authorization: SDK-HMAC-SHA256 ...).",
        id="signature-missing",
    ),
]


@pytest.mark.parametrize(("settings", "headers", "text"), TEXTS)
def test_the_caller_is_told_what_to_send(settings: Settings, headers: dict[str, str], text: str) -> None:
    reply = load_engine(settings).handle(api_request(headers=headers)).reply
    assert reply.status == 401
    assert json.loads(reply.body) == {
        "error_code": "APIGW.0301",
        "error_msg": f"Incorrect IAM authentication information: {text}",
        "request_id": REQUEST_ID,
    }


@pytest.mark.parametrize(("settings", "headers", "text"), TEXTS)
def test_the_caller_is_told_in_chinese(settings: Settings, headers: dict[str, str], text: str) -> None:
    del text
    asked = {**headers, "X-Language": "ZH-CN"}
    reply = load_engine(settings).handle(api_request(headers=asked)).reply
    body = json.loads(reply.body)
    assert (reply.status, body["error_code"]) == (401, "APIGW.0301")
    assert body["error_msg"].startswith("IAM 认证信息错误：")


@pytest.mark.parametrize("headers", [WRONG_TOKEN, WRONG_TOKEN | WRONG_SIGNATURE, WRONG_SIGNATURE | TOKEN])
@pytest.mark.parametrize("auth", ["token", "signed"])
def test_no_answer_repeats_a_token(headers: dict[str, str], auth: str) -> None:
    secret = "token-that-stays-secret"  # noqa: S105  # the very thing under test
    settings = Settings(auth=auth, token=(f"known-{secret}",), ak=("AK",), sk=(f"known-{secret}",))
    reply = load_engine(settings).handle(api_request(headers={**headers, "X-Auth-Token": secret})).reply
    assert reply.status == 401
    assert secret not in reply.body.decode() + repr(reply.headers)


def test_whoever_comes_with_an_expired_token_is_told_to_get_another() -> None:
    engine = load_engine(USERS, KEY)
    reply = engine.handle(api_request(headers=ISSUED, received_at=NOW + DAY)).reply
    assert (reply.status, json.loads(reply.body)["error_code"]) == (401, "APIGW.0301")
    assert "expired" in json.loads(reply.body)["error_msg"]
