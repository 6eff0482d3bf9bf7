"""The AK/SK signature: the vendor's canonical request, each refusal with its text, and no secret in any of them."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import bounded
from support import PROJECT_ID, REQUEST_ID, UPGRADE_PATH, api_request, batch

from mockserver.catalogue import load_catalogue
from mockserver.engine import Engine, load_engine
from mockserver.model import ApiError, ApiRequest
from mockserver.settings import Settings
from mockserver.signing import MAX_CLOCK_DIFFERENCE, canonical_request, check_signature, sign

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCESS_KEY, SECRET_KEY = "AKEXAMPLE", "SKEXAMPLE"
KEYS = {ACCESS_KEY: SECRET_KEY}
DATE = "20260101T000000Z"
SIGNED_AT = datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp()
TOKEN, SECURITY_TOKEN = "token-that-stays-secret", "security-token-that-stays-secret"

PYTHON_HEADERS = {
    "Content-Type": "application/json;charset=utf-8",
    "Host": "127.0.0.1:8080",
    "User-Agent": "huaweicloud-usdk-python/3.0; vector",
    "X-Language": "zh-cn",
    "X-Project-Id": PROJECT_ID,
    "X-Sdk-Date": DATE,
}
UPGRADE_SIGNATURE = "4e8dd5e017658cce5a3b0eef961a28ec2e155160de30756d9d51513149a78293"


def _check(request: ApiRequest, keys: Mapping[str, str]) -> None:
    """Check a signature at the moment at which the request came."""
    check_signature(request, keys, request.received_at)


def authorization(
    headers: Mapping[str, str] = PYTHON_HEADERS, *, access_key: str = ACCESS_KEY, signature: str = UPGRADE_SIGNATURE
) -> str:
    """An Authorization header that signs `headers`."""
    names = ";".join(sorted(name.lower() for name in headers))
    return f"SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={names}, Signature={signature}"


def signed_upgrade(
    headers: Mapping[str, str] | None = None, *, body: object = None, received_at: float = SIGNED_AT
) -> ApiRequest:
    """The upgrade call of the first test vector, with some headers replaced."""
    given_headers = {**PYTHON_HEADERS, "Authorization": authorization(), **(headers or {})}
    return api_request(body, headers=given_headers, received_at=received_at)


def without(headers: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key != name}


def refusal(request: ApiRequest, keys: Mapping[str, str] = KEYS) -> ApiError:
    with pytest.raises(ApiError) as caught:
        _check(request, keys)
    return caught.value


def sdk_signed(
    method: str = "POST",
    path: str = UPGRADE_PATH,
    query: list[tuple[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"{}",
    keys: tuple[str, str] = (ACCESS_KEY, SECRET_KEY),
) -> ApiRequest:
    """A request as it arrives after the official SDK's own signer signed it; `path` is percent-encoded."""
    signed: Any = SdkRequest(
        method=method,
        host="127.0.0.1:8080",
        resource_path=path,
        query_params=query or [],
        header_params={"X-Sdk-Date": DATE, "Content-Type": "application/json", **(headers or {})},
        body=body,
    )
    Signer(BasicCredentials(*keys)).sign(signed)
    return api_request(
        body,
        method=method,
        path=unquote(path),
        query=signed.uri.partition("?")[2],
        headers=signed.header_params,
        received_at=SIGNED_AT,
    )


VECTORS = [
    pytest.param(
        api_request(batch(), headers=PYTHON_HEADERS, received_at=SIGNED_AT), UPGRADE_SIGNATURE, id="python-upgrade"
    ),
    pytest.param(
        api_request(
            b"",
            method="GET",
            path=f"/v3.1/{PROJECT_ID}/instances",
            query="limit=10&name=%2Aa%20b%2Fc%2Bd&offset=0",
            headers=without(PYTHON_HEADERS, "X-Language") | {"Content-Type": "application/json"},
            received_at=SIGNED_AT,
        ),
        "17ea600f974472751b242fce2244735bf7585c5d09e90728f0ae2a804a087715",
        id="python-list",
    ),
    pytest.param(
        api_request(
            b"{}",
            method="GET",
            path="/v3/projects",
            query="name=cn-north-4",
            headers={"Content-Type": "application/json", "Host": "127.0.0.1:8080", "X-Sdk-Date": DATE},
            received_at=SIGNED_AT,
        ),
        "6bc916530c7038d46f47621935ad3227ed4c99556f9dd600004c515e9576348a",
        id="node-lookup",
    ),
]


@pytest.mark.parametrize(("unsigned", "signature"), VECTORS)
def test_the_recorded_calls_of_the_sdks_verify(unsigned: ApiRequest, signature: str) -> None:
    names = tuple(sorted(unsigned.headers))
    assert sign(canonical_request(unsigned, names), DATE, SECRET_KEY) == signature
    headers = {**unsigned.headers, "authorization": authorization(unsigned.headers, signature=signature)}
    signed = api_request(
        unsigned.body,
        method=unsigned.method,
        path=unsigned.path,
        query=unsigned.query,
        headers=headers,
        received_at=SIGNED_AT,
    )
    _check(signed, KEYS)


def test_the_canonical_request_is_six_parts_on_lines_of_their_own() -> None:
    names = ("content-type", "host", "x-sdk-date")
    request = api_request(b"{}", query="b=2&a=1", headers=PYTHON_HEADERS)
    assert canonical_request(request, names) == (
        "POST\n"
        f"{UPGRADE_PATH}/\n"
        "a=1&b=2\n"
        "content-type:application/json;charset=utf-8\nhost:127.0.0.1:8080\nx-sdk-date:20260101T000000Z\n\n"
        "content-type;host;x-sdk-date\n"
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    )


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/v3/projects", "/v3/projects/"),
        ("/v3/projects/", "/v3/projects/"),
        ("/", "/"),
        ("/a b*c+d", "/a%20b%2Ac%2Bd/"),
        ("/-_.~", "/-_.~/"),
        ("/a:b@c(d)!$&',;=", "/a%3Ab%40c%28d%29%21%24%26%27%2C%3B%3D/"),
        ("/数据", "/%E6%95%B0%E6%8D%AE/"),
        (unquote("/100%2525"), "/100%2525/"),
        (unquote("/a%2Fb"), "/a/b/"),
        ("//a", "//a/"),
    ],
    ids=[
        "slash-is-added",
        "slash-is-kept",
        "root",
        "blank-star-plus",
        "unreserved",
        "reserved",
        "non-ascii",
        "decoded-once",
        "encoded-slash-separates",
        "empty-segment",
    ],
)
def test_the_path_is_decoded_once_and_encoded_by_segment(path: str, canonical: str) -> None:
    assert canonical_request(api_request(path=path), ()).split("\n")[1] == canonical


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("", ""),
        ("offset=0&limit=10", "limit=10&offset=0"),
        ("a=2&a=10&a=1", "a=1&a=10&a=2"),
        ("a-=y&a=z", "a=z&a-=y"),
        ("%C3%A4=1&b=2", "b=2&%C3%A4=1"),
        ("flag&empty=", "empty=&flag="),
        ("name=*a", "name=%2Aa"),
        ("name=a+b", "name=a%20b"),
        ("name=a%2Bb%20c", "name=a%2Bb%20c"),
        ("name=*'()!~-_.", "name=%2A%27%28%29%21~-_."),
        ("name=a/b%2Fc", "name=a%2Fb%2Fc"),
        ("a=1;b=2", "a=1%3Bb%3D2"),
        ("a=b=c", "a=b%3Dc"),
        ("%E6%95%B0=%E6%8D%AE", "%E6%95%B0=%E6%8D%AE"),
    ],
    ids=[
        "none",
        "sorted-by-key",
        "then-by-value-as-text",
        "keys-before-joined-pairs",
        "sorted-before-encoding",
        "blank-values-stay",
        "star",
        "plus-is-a-blank",
        "encoded-plus-is-a-plus",
        "what-node-leaves-unencoded",
        "slash",
        "semicolon-separates-nothing",
        "second-equals-sign",
        "non-ascii",
    ],
)
def test_the_query_is_decoded_sorted_and_encoded_anew(query: str, canonical: str) -> None:
    assert canonical_request(api_request(query=query), ()).split("\n")[2] == canonical


@pytest.mark.parametrize(
    ("arrived", "canonical"),
    [
        (" padded\t", "padded"),
        ("two  blanks", "two  blanks"),
        ("数据".encode().decode("latin-1"), "数据"),
        # The last bytes of these two letters would be white space if they were read as latin-1.
        ("Å".encode().decode("latin-1"), "Å"),
        ("à".encode().decode("latin-1"), "à"),
        ("caf\xe9", "café"),
        ("", ""),
    ],
    ids=["trimmed", "inner-blanks", "utf-8", "ends-in-85", "ends-in-a0", "latin-1", "empty"],
)
def test_header_values_are_trimmed_utf8(arrived: str, canonical: str) -> None:
    request = api_request(headers={"X-Note": arrived})
    assert canonical_request(request, ("x-note",)).split("\n")[3:6] == [f"x-note:{canonical}", "", "x-note"]


@pytest.mark.parametrize(
    ("headers", "digest"),
    [
        ({}, hashlib.sha256(b"payload").hexdigest()),
        ({"X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}, "UNSIGNED-PAYLOAD"),
        ({"X-Sdk-Content-Sha256": ""}, hashlib.sha256(b"payload").hexdigest()),
    ],
    ids=["hash-of-the-bytes", "text-of-the-header", "empty-header"],
)
def test_the_last_line_stands_for_the_body(headers: dict[str, str], digest: str) -> None:
    assert canonical_request(api_request(b"payload", headers=headers), ()).split("\n")[-1] == digest


def test_the_method_is_in_capitals() -> None:
    assert canonical_request(api_request(method="post"), ()).startswith("POST\n")


def test_an_empty_body_has_the_hash_of_nothing() -> None:
    assert canonical_request(api_request(b""), ()).split("\n")[-1] == hashlib.sha256().hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        authorization().replace(", ", ","),
        authorization().replace(" ", "   ", 1),
        authorization(signature=UPGRADE_SIGNATURE.upper()),
        f" {authorization()} ",
        "SDK-HMAC-SHA256 " + ", ".join(reversed(authorization().partition(" ")[2].split(", "))),
    ],
    ids=["no-blanks", "many-blanks", "upper-case-signature", "padded", "another-order"],
)
def test_the_authorization_header_is_read_leniently(text: str) -> None:
    _check(signed_upgrade({"Authorization": text}), KEYS)


HEADERS = st.dictionaries(
    st.from_regex(r"x-n-[a-z0-9-]{1,8}", fullmatch=True),
    st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=12),
    max_size=3,
)
PARAMETERS = st.tuples(st.text(max_size=6), st.text(max_size=6))
GENERATED = {
    "method": st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH"]),
    "path": st.lists(st.text(max_size=8), max_size=4).map(
        lambda parts: "/" + "/".join(quote(part, safe="") for part in parts)
    ),
    "query": st.lists(PARAMETERS, max_size=4),
    "headers": HEADERS,
    # With an empty body the SDK does not sign what it puts into X-Sdk-Content-Sha256, so no gateway could verify it.
    "body": st.binary(min_size=1, max_size=40),
}
generated = settings(bounded, max_examples=150)


@generated
@given(request=st.builds(sdk_signed, **GENERATED))
def test_whatever_the_official_signer_signs_verifies(request: ApiRequest) -> None:
    _check(request, KEYS)


@generated
@given(
    headers=HEADERS.map(lambda headers: {**headers, "Content-Type": "text/plain"}),
    body=st.binary(min_size=1, max_size=40),
    received=st.binary(max_size=40),
)
def test_the_body_of_another_media_type_is_not_signed(headers: dict[str, str], body: bytes, received: bytes) -> None:
    signed = sdk_signed(headers=headers, body=body)
    assert signed.headers["x-sdk-content-sha256"] == "UNSIGNED-PAYLOAD"
    _check(api_request(received, headers=signed.headers, received_at=SIGNED_AT), KEYS)


CHANGES: dict[str, dict[str, Any]] = {
    "method": {"method": "HEAD"},
    "path": {"path": "/another/path"},
    "query": {"query": "another=query"},
    "body": {"body": b"another body, longer than any generated one"},
    "header": {"host": "127.0.0.1:8081"},
    "date": {"x-sdk-date": "20260101T000001Z"},
    "content-type": {"content-type": "application/json; charset=utf-8"},
}


@generated
@given(request=st.builds(sdk_signed, **GENERATED), change=st.sampled_from(sorted(CHANGES)))
def test_a_request_that_was_changed_after_signing_is_refused(request: ApiRequest, change: str) -> None:
    parts = {name: getattr(request, name) for name in ("body", "method", "path", "query", "headers", "received_at")}
    for name, value in CHANGES[change].items():
        parts.update({name: value} if name in parts else {"headers": {**request.headers, name: value}})
    body = parts.pop("body")
    assert refusal(api_request(body, **parts)).name == "signature-mismatch"


@pytest.mark.parametrize("seconds", [-MAX_CLOCK_DIFFERENCE, 0, MAX_CLOCK_DIFFERENCE], ids=["behind", "equal", "ahead"])
def test_clocks_may_differ_by_fifteen_minutes(seconds: float) -> None:
    assert MAX_CLOCK_DIFFERENCE == 15 * 60
    _check(signed_upgrade(received_at=SIGNED_AT + seconds), KEYS)


@pytest.mark.parametrize("seconds", [-900.5, 900.5], ids=["behind", "ahead"])
def test_clocks_may_not_differ_by_more(seconds: float) -> None:
    assert refusal(signed_upgrade(received_at=SIGNED_AT + seconds)).name == "signature-expired"


@pytest.mark.parametrize(
    "date",
    [
        "",
        "20260101",
        "2026-01-01T00:00:00Z",
        "20261301T000000Z",
        "20260101T250000Z",
        "20260101T000060Z",
        "00000101T000000Z",
        "20260101T000000",
        "20260101T000000Z\n",
        "\u0662\u0660\u0662\u06660101T000000Z",
    ],
    ids=[
        "empty",
        "day-only",
        "rfc-3339",
        "month-13",
        "hour-25",
        "second-60",
        "year-0",
        "no-zone",
        "line-feed",
        "year-not-in-ascii",
    ],
)
def test_a_date_of_another_form_is_refused(date: str) -> None:
    assert refusal(signed_upgrade({"X-Sdk-Date": date})).name == "signature-date"


def test_an_absent_date_is_refused() -> None:
    headers = without(PYTHON_HEADERS, "X-Sdk-Date") | {"Authorization": authorization()}
    assert refusal(api_request(headers=headers, received_at=SIGNED_AT)).name == "signature-date"


PREFIX = "Incorrect IAM authentication information: "
FORM = "Authorization must be `SDK-HMAC-SHA256 Access=AK, SignedHeaders=a;b, Signature=64 hex digits`; "
ZEROS = "0" * 64
MISMATCH_CANONICAL = (
    f"POST|{UPGRADE_PATH}/||content-type:application/json;charset=utf-8|host:127.0.0.1:8080|"
    "user-agent:huaweicloud-usdk-python/3.0; vector|x-language:zh-cn|"
    f"x-project-id:{PROJECT_ID}|x-sdk-date:20260101T000000Z||"
    "content-type;host;user-agent;x-language;x-project-id;x-sdk-date|"
    f"{hashlib.sha256(json.dumps(batch()).encode()).hexdigest()}"
)
REFUSALS = [
    pytest.param(
        signed_upgrade({"Authorization": "Bearer some-token"}),
        "signature-scheme",
        "Authorization has the scheme Bearer; only SDK-HMAC-SHA256 is known.",
        id="scheme",
    ),
    pytest.param(
        signed_upgrade({"Authorization": authorization().replace("Access=", "")}),
        "signature-malformed",
        f"{FORM}Access is missing or malformed.",
        id="access-key-absent",
    ),
    pytest.param(
        signed_upgrade({"Authorization": "SDK-HMAC-SHA256"}),
        "signature-malformed",
        f"{FORM}Access is missing or malformed.",
        id="scheme-alone",
    ),
    pytest.param(
        signed_upgrade({"Authorization": authorization({})}),
        "signature-malformed",
        f"{FORM}SignedHeaders is missing or malformed.",
        id="signed-headers-empty",
    ),
    pytest.param(
        signed_upgrade({"Authorization": authorization(signature=ZEROS[1:])}),
        "signature-malformed",
        f"{FORM}Signature is missing or malformed.",
        id="signature-short",
    ),
    pytest.param(
        signed_upgrade({"Authorization": authorization(signature=ZEROS + "0")}),
        "signature-malformed",
        f"{FORM}Signature is missing or malformed.",
        id="signature-long",
    ),
    pytest.param(
        signed_upgrade({"Authorization": authorization(access_key="AKUNKNOWN")}),
        "access-key-unknown",
        "the access key AKUNKNOWN is none of those that this mock was started with (--ak).",
        id="access-key-unknown",
    ),
    pytest.param(
        signed_upgrade({"X-Sdk-Date": "yesterday"}),
        "signature-date",
        "X-Sdk-Date must be UTC as in 20261123T143043Z, and be one of the signed headers.",
        id="date-form",
    ),
    pytest.param(
        signed_upgrade({"Authorization": authorization(without(PYTHON_HEADERS, "X-Sdk-Date"))}),
        "signature-date",
        "X-Sdk-Date must be UTC as in 20261123T143043Z, and be one of the signed headers.",
        id="date-unsigned",
    ),
    pytest.param(
        signed_upgrade(received_at=SIGNED_AT + 3600),
        "signature-expired",
        "the signature has expired: X-Sdk-Date is 20260101T000000Z, the mock's clock 20260101T010000Z, "
        "and they may differ by 15 minutes. Set the client's clock.",
        id="expired",
    ),
    pytest.param(
        signed_upgrade({"Authorization": authorization({**PYTHON_HEADERS, "X-Domain-Id": ""})}),
        "signature-header-absent",
        "SignedHeaders names x-domain-id, but no such header came. A proxy may have removed it.",
        id="header-absent",
    ),
    pytest.param(
        signed_upgrade({"Authorization": authorization(signature=ZEROS)}),
        "signature-mismatch",
        "the signature does not match. Either the secret key differs, or the request was changed after signing. "
        f"The mock's canonical request, with | for line feeds: {MISMATCH_CANONICAL}",
        id="mismatch",
    ),
]


@pytest.fixture(scope="module")
def verifying_engine() -> Engine:
    return load_engine(Settings(ak=(ACCESS_KEY,), sk=(SECRET_KEY,)))


def answer(engine: Engine, request: ApiRequest, language: str = "en-us") -> tuple[int, dict[str, str]]:
    """The reply, asked for in a language; X-Language is part of what the vector signs, so it is not changed there."""
    error = refusal(request)
    reply = engine.catalogue.reply(error, language, REQUEST_ID)
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize(("request_", "name", "text"), REFUSALS)
def test_each_refusal_says_what_was_wrong(verifying_engine: Engine, request_: ApiRequest, name: str, text: str) -> None:
    assert refusal(request_).name == name
    assert answer(verifying_engine, request_) == (
        401,
        {"error_code": "APIGW.0301", "error_msg": PREFIX + text, "request_id": REQUEST_ID},
    )


@pytest.mark.parametrize(("request_", "name", "text"), REFUSALS)
def test_each_refusal_is_said_in_chinese_with_the_same_values(
    verifying_engine: Engine, request_: ApiRequest, name: str, text: str
) -> None:
    del name
    status, body = answer(verifying_engine, request_, "zh-cn")
    assert (status, body["error_code"]) == (401, "APIGW.0301")
    assert body["error_msg"].startswith("IAM 认证信息错误：")
    values = [str(value) for value in refusal(request_).parameters.values()]
    assert all(value in text and value in body["error_msg"] for value in values)


def test_the_table_of_refusals_is_complete() -> None:
    """A signature that is absent is a matter of authentication, and tested there."""
    named = {name for name in load_catalogue().errors if name.startswith(("signature-", "access-key-"))}
    assert named - {"signature-missing"} == {str(row.values[1]) for row in REFUSALS}


@pytest.mark.parametrize(
    "scheme", ["SDK-HMAC-SM3", "SDK-ECDSA-P256-SHA256", "SDK-SM2-SM3", "V11-HMAC-SHA256", "sdk-hmac-sha256", "Basic"]
)
@pytest.mark.parametrize("keys", [KEYS, {}], ids=["verified", "not-verified"])
def test_other_schemes_are_named_and_refused(scheme: str, keys: dict[str, str]) -> None:
    text = authorization().replace("SDK-HMAC-SHA256", scheme)
    error = refusal(signed_upgrade({"Authorization": text}), keys)
    assert (error.name, error.parameters) == ("signature-scheme", {"scheme": scheme})


@pytest.mark.parametrize(
    "text",
    [TOKEN, f"  {TOKEN}", f"{TOKEN}, x", f"{TOKEN * 4} x", UPGRADE_SIGNATURE],
    ids=["alone", "after-blanks", "no-scheme", "long", "signature"],
)
def test_a_secret_without_a_scheme_is_not_repeated(verifying_engine: Engine, text: str) -> None:
    reply = verifying_engine.handle(api_request(headers={"Authorization": text})).reply
    message = json.loads(reply.body)["error_msg"]
    assert message == f"{PREFIX}Authorization has the scheme [Filtered]; only SDK-HMAC-SHA256 is known."


@pytest.mark.parametrize("language", ["en-us", "zh-cn"])
@pytest.mark.parametrize(("request_", "name", "text"), REFUSALS)
def test_no_refusal_repeats_a_secret(
    verifying_engine: Engine, request_: ApiRequest, name: str, text: str, language: str
) -> None:
    """The secrets are signed as well, since the canonical request is what might show them."""
    del name, text
    secrets = {"x-auth-token": f" {TOKEN} ", "x-security-token": SECURITY_TOKEN, "cookie": "session-that-stays-secret"}
    shown = request_.headers["authorization"].replace("SignedHeaders=", f"SignedHeaders={';'.join(sorted(secrets))};")
    request = signed_upgrade(
        {**request_.headers, **secrets, "x-language": language, "authorization": shown},
        received_at=request_.received_at,
    )
    refused = refusal(request)
    reply = verifying_engine.catalogue.reply(refused, language, REQUEST_ID)
    sent = reply.body.decode() + repr(reply.headers) + repr(refused)
    signature = sign(canonical_request(request, tuple(sorted(request.headers))), DATE, SECRET_KEY)
    for secret in (TOKEN, SECURITY_TOKEN, "session-that", SECRET_KEY, UPGRADE_SIGNATURE, ZEROS, signature):
        assert secret not in sent


def test_a_mismatch_shows_that_a_secret_header_was_signed() -> None:
    headers = {**PYTHON_HEADERS, "X-Auth-Token": TOKEN}
    text = authorization(headers, signature=ZEROS)
    shown = str(refusal(signed_upgrade({**headers, "Authorization": text})).parameters["canonical"])
    assert "|x-auth-token:[Filtered]|" in shown


def test_signed_secret_headers_count_in_the_signature() -> None:
    """What is filtered from the text must not be filtered from the check."""
    secrets = {"X-Auth-Token": TOKEN, "X-Security-Token": SECURITY_TOKEN}
    request = sdk_signed(headers=secrets)
    _check(request, KEYS)
    changed = {**request.headers, "x-auth-token": "another-token"}
    assert refusal(api_request(b"{}", headers=changed, received_at=SIGNED_AT)).name == "signature-mismatch"


def test_each_access_key_has_its_own_secret_key() -> None:
    keys = Settings(ak=("AK-ONE", "AK-TWO"), sk=("SK-ONE", "SK-TWO")).secret_keys
    _check(sdk_signed(keys=("AK-ONE", "SK-ONE")), keys)
    _check(sdk_signed(keys=("AK-TWO", "SK-TWO")), keys)
    assert refusal(sdk_signed(keys=("AK-ONE", "SK-TWO")), keys).name == "signature-mismatch"
    assert refusal(sdk_signed(keys=("AK-TRI", "SK-ONE")), keys).name == "access-key-unknown"


def test_without_keys_only_the_form_is_looked_at() -> None:
    unverified = partial(check_signature, secret_keys={}, now=SIGNED_AT)
    unverified(signed_upgrade({"Authorization": authorization(access_key="ANY", signature=ZEROS)}))
    unverified(signed_upgrade({"X-Sdk-Date": ""}))
    assert refusal(signed_upgrade({"Authorization": "SDK-HMAC-SHA256 Access=A"}), {}).name == "signature-malformed"
