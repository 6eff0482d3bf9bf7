"""The official Python SDK, unmodified, against a running mock."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import (
    ClientRequestException,
    ServerResponseException,
    ServiceResponseException,
)
from huaweicloudsdkcore.signer.algorithm import SigningAlgorithm
from huaweicloudsdkgaussdb.v3 import (
    BatchUpgradeDatabasesRequest,
    BatchUpgradeDatabasesRequestBody,
    BatchUpgradeDatabasesResponse,
    GaussDBAsyncClient,
    GaussDBClient,
    UpgradeDatabasesSingleInstance,
)
from huaweicloudsdkgaussdb.v3.region.gaussdb_region import GaussDBRegion
from support import INSTANCE, PROJECT_ID, batch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import StartMock
    from huaweicloudsdkcore.client import Client
    from huaweicloudsdkcore.sdk_response import SdkResponse

    from mockserver.running import MockServer

# The SDK signs with datetime.utcnow(), which Python 3.12 deprecates; nothing on our side can change that.
pytestmark = pytest.mark.filterwarnings(r"ignore:datetime\.datetime\.utcnow\(\) is deprecated:DeprecationWarning")

ACCESS_KEY, SECRET_KEY = "AKEXAMPLE", "SKEXAMPLE"
REGION_VARIABLE = "HUAWEICLOUD_SDK_REGION_GAUSSDB_CN_NORTH_4"


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy between client and mock, and a home folder of its own: the SDK stores an id there, and reads .netrc."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")


@contextmanager
def client(
    url: str, kind: type[Client] = GaussDBClient, *, secret_key: str = SECRET_KEY, **credentials: str | None
) -> Iterator[Any]:
    """A client of the SDK; its connections and threads end with the block."""
    keys = BasicCredentials(ACCESS_KEY, secret_key, PROJECT_ID)
    for name, value in credentials.items():
        setattr(keys, name, value)
    built = kind.new_builder().with_credentials(keys).with_endpoint(url).build()
    try:
        yield built
    finally:
        end(built)


def end(built: Client) -> None:
    built.get_http_client().executor.shutdown()
    built.get_http_client().close()


def upgrade(*, delay: object = False, **request: object) -> BatchUpgradeDatabasesRequest:
    """The documented example as the SDK's request."""
    instances = [UpgradeDatabasesSingleInstance(**INSTANCE)]
    body = BatchUpgradeDatabasesRequestBody(databases_instance_infos=instances, delay=delay)
    return BatchUpgradeDatabasesRequest(body=body, **request)


def assert_is_success(response: BatchUpgradeDatabasesResponse) -> None:
    assert (response.status_code, response.resp) == (200, "success")
    assert response.raw_content == b'{"resp":"success"}'


def assert_has_request_id(error: ServiceResponseException) -> None:
    assert re.fullmatch("[0-9a-f]{32}", error.request_id)


@pytest.mark.parametrize(
    ("delay", "encoding"),
    [(True, "boolean"), (False, "boolean"), ("true", "string"), ("false", "string")],
    ids=["true", "false", "string-true", "string-false"],
)
def test_either_encoding_of_delay_is_accepted(
    mock: MockServer, start_mock: StartMock, delay: object, encoding: str
) -> None:
    """The narrowed mocks show that the encoding arrived as the caller gave it."""
    other = {"boolean": "string", "string": "boolean"}[encoding]
    with client(mock.url) as any_encoding, client(start_mock(delay=encoding).url) as same:
        assert_is_success(any_encoding.batch_upgrade_databases(upgrade(delay=delay)))
        assert_is_success(same.batch_upgrade_databases(upgrade(delay=delay)))
    with client(start_mock(delay=other).url) as narrowed, pytest.raises(ClientRequestException) as caught:
        narrowed.batch_upgrade_databases(upgrade(delay=delay))
    assert caught.value.error_msg.startswith("Parameter error: /delay must be one of ")


def test_values_set_on_the_models_and_plain_dictionaries_are_accepted(mock: MockServer) -> None:
    request = BatchUpgradeDatabasesRequest()
    request.body = BatchUpgradeDatabasesRequestBody()
    request.body.databases_instance_infos = [INSTANCE]
    request.body.delay = "true"
    with client(mock.url) as sdk:
        assert_is_success(sdk.batch_upgrade_databases(request))
        other = batch({**INSTANCE, "instance_id": "0123456789abcdef0123456789abcdefin07"}, delay="false")
        assert_is_success(sdk.batch_upgrade_databases(BatchUpgradeDatabasesRequest(body=other)))


def test_a_region_can_be_redirected_to_the_mock(mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REGION_VARIABLE, mock.url)
    keys = BasicCredentials(ACCESS_KEY, SECRET_KEY, PROJECT_ID)
    sdk = GaussDBClient.new_builder().with_credentials(keys).with_region(GaussDBRegion.value_of("cn-north-4")).build()
    try:
        assert_is_success(sdk.batch_upgrade_databases(upgrade()))
    finally:
        end(sdk)


@pytest.fixture
def verifying(start_mock: StartMock) -> MockServer:
    """A mock that verifies signatures and takes nothing else; the same upgrade is accepted any number of times."""
    keys = {"ak": ("AKOTHER", ACCESS_KEY), "sk": ("SKOTHER", SECRET_KEY)}
    return start_mock(auth="signed", unknown_instances="accept", **keys)


def test_a_signed_call_is_verified(verifying: MockServer) -> None:
    with client(verifying.url) as sdk:
        assert_is_success(sdk.batch_upgrade_databases(upgrade(x_language="zh-cn")))


def test_a_call_signed_with_temporary_keys_is_verified(verifying: MockServer) -> None:
    with client(verifying.url, security_token="a-security-token") as sdk:  # noqa: S106  # no real one
        assert_is_success(sdk.batch_upgrade_databases(upgrade()))


@pytest.mark.parametrize("value", ["数据", "two  blanks", " padded ", "Å", "à", "a,b;c=d", "*'()!"])
def test_a_call_with_signed_headers_of_the_caller_is_verified(verifying: MockServer, value: str) -> None:
    with client(verifying.url) as sdk:
        invoker = sdk.batch_upgrade_databases_invoker(upgrade()).add_header("X-Note", value)
        assert_is_success(invoker.invoke())


def test_a_wrong_secret_key_is_refused_with_the_canonical_request(verifying: MockServer) -> None:
    with (
        client(verifying.url, secret_key="SKWRONG") as sdk,  # noqa: S106  # no real one
        pytest.raises(ClientRequestException) as caught,
    ):
        sdk.batch_upgrade_databases(upgrade())
    error = caught.value
    assert (error.status_code, error.error_code) == (401, "APIGW.0301")
    assert_has_request_id(error)
    assert error.error_msg.startswith("Incorrect IAM authentication information: the signature does not match.")
    assert f"POST|/v3/{PROJECT_ID}/instances/database-version/upgrade/||content-type:" in error.error_msg


def test_an_unknown_access_key_is_named(verifying: MockServer) -> None:
    with client(verifying.url, ak="AKUNKNOWN") as sdk, pytest.raises(ClientRequestException) as caught:
        sdk.batch_upgrade_databases(upgrade())
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")
    assert "the access key AKUNKNOWN is none of those" in caught.value.error_msg


def test_another_signing_algorithm_of_the_sdk_is_refused_by_name(mock: MockServer) -> None:
    with client(mock.url) as sdk:
        sdk.get_http_client().config.signing_algorithm = SigningAlgorithm.HMAC_SM3
        with pytest.raises(ClientRequestException) as caught:
            sdk.batch_upgrade_databases(upgrade())
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")
    assert "the scheme SDK-HMAC-SM3; only SDK-HMAC-SHA256" in caught.value.error_msg


def test_a_token_is_taken_beside_the_signature_and_instead_of_it(start_mock: StartMock) -> None:
    """The mock knows no access key of ours and takes only the one token, so it must be the token that counts."""
    settings = {"token": ("a-token",), "ak": ("AKOTHER",), "sk": ("SKOTHER",), "unknown_instances": "accept"}
    mock = start_mock(auth="token", **settings)
    with client(mock.url) as sdk:
        invoker = sdk.batch_upgrade_databases_invoker(upgrade()).add_header("X-Auth-Token", "a-token")
        assert_is_success(invoker.invoke())
        assert_is_success(invoker.add_header("Authorization", "").invoke())
        invoker.add_header("X-Auth-Token", "another")
        with pytest.raises(ClientRequestException) as caught:
            invoker.invoke()
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")


def test_without_token_and_signature_the_caller_is_told_what_to_send(mock: MockServer) -> None:
    with client(mock.url) as sdk, pytest.raises(ClientRequestException) as caught:
        sdk.batch_upgrade_databases_invoker(upgrade()).add_header("Authorization", "").invoke()
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")
    assert "send X-Auth-Token with a token, or sign the request" in caught.value.error_msg


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (batch(delay="maybe"), 'Parameter error: /delay must be one of true, false, "true", "false", but is "maybe".'),
        (
            {"databases_instance_infos": [INSTANCE, {"instance_id": "i"}], "delay": True},
            "Parameter error: /databases_instance_infos/1/current_version is required, but missing.",
        ),
        ([], "Parameter error: the request body must be an object, but is []."),
        (None, "The request is null: the request body is required, but empty."),
        ("no json", "Parameter error: the request body must be JSON, but is not: Expecting value at line 1 column 1."),
    ],
    ids=["delay", "second-instance", "array", "no-body", "raw-text"],
)
def test_an_invalid_request_is_a_client_exception(mock: MockServer, body: object, message: str) -> None:
    with client(mock.url) as sdk, pytest.raises(ClientRequestException) as caught:
        sdk.batch_upgrade_databases(BatchUpgradeDatabasesRequest(body=body))
    error = caught.value
    code = "DBS.200006" if body is None else "DBS.200001"
    assert (error.status_code, error.error_code, error.error_msg) == (400, code, message)
    assert_has_request_id(error)


def test_what_the_sdk_leaves_out_is_reported_as_missing(mock: MockServer) -> None:
    with client(mock.url) as sdk, pytest.raises(ClientRequestException) as caught:
        sdk.batch_upgrade_databases(upgrade(delay=None))
    assert caught.value.error_msg == "Parameter error: /delay is required, but missing."


def test_a_client_without_a_project_id_is_told_so(mock: MockServer) -> None:
    """The SDK then sends its own placeholder."""
    with client(mock.url, project_id=None) as sdk, pytest.raises(ClientRequestException) as caught:
        sdk.batch_upgrade_databases(upgrade())
    assert caught.value.status_code == 400
    assert caught.value.error_msg.startswith("Parameter error: path parameter project_id must be exactly 32 characters")
    assert "{project_id}" in caught.value.error_msg


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("zh-cn", "参数错误：/delay 必须为"),
        ("en-us", "Parameter error: /delay must be"),
        ("de-de", "Parameter error: /delay must be"),
    ],
)
def test_the_sdk_shows_messages_in_the_language_that_it_asked_for(
    mock: MockServer, language: str, message: str
) -> None:
    with client(mock.url) as sdk, pytest.raises(ClientRequestException) as caught:
        sdk.batch_upgrade_databases(upgrade(delay=1, x_language=language))
    assert caught.value.error_msg.startswith(message)
    assert caught.value.error_code == "DBS.200001"


CLIENT, SERVER = ClientRequestException, ServerResponseException
SCENARIOS = {
    "bad-request": (CLIENT, 400, "DBS.200001", "Parameter error."),
    "unauthorized": (CLIENT, 401, "APIGW.0301", "Incorrect IAM authentication information: the token has expired."),
    "forbidden": (CLIENT, 403, "APIGW.0302", "The user may not call this API."),
    "throttled": (CLIENT, 429, "APIGW.0308", "The throttling threshold has been reached."),
    "internal-error": (SERVER, 500, "DBS.200005", "Server failure."),
    "unavailable": (SERVER, 503, "APIGW.0201", "The backend is unavailable."),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("chosen_by", ["start", "header", "prefer"])
def test_each_scenario_is_an_exception_of_the_sdk(
    mock: MockServer, start_mock: StartMock, chosen_by: str, scenario: str
) -> None:
    kind, status, code, message = SCENARIOS[scenario]
    url = start_mock(scenario=scenario).url if chosen_by == "start" else mock.url
    headers = {"header": ("X-Mock-Scenario", scenario), "prefer": ("Prefer", f"code={status}")}
    with client(url) as sdk:
        invoker = sdk.batch_upgrade_databases_invoker(upgrade())
        if chosen_by in headers:
            invoker.add_header(*headers[chosen_by])
        with pytest.raises(kind) as caught:
            invoker.invoke()
    assert (caught.value.status_code, caught.value.error_code) == (status, code)
    assert caught.value.error_msg.startswith(message)
    assert_has_request_id(caught.value)


def test_a_caller_can_retry_until_success(start_mock: StartMock) -> None:
    """The SDK resends a POST only on the caller's own condition, each time signed afresh."""
    mock = start_mock(ak=(ACCESS_KEY,), sk=(SECRET_KEY,))
    seen: list[int] = []
    with client(mock.url) as sdk:
        invoker = sdk.batch_upgrade_databases_invoker(upgrade()).add_header("X-Mock-Scenario", "throttled")

        def is_throttled(response: SdkResponse | None, error: ServiceResponseException | None) -> bool:
            del response
            seen.append(error.status_code if error else 200)
            invoker.add_header("X-Mock-Scenario", "success")
            return error is not None

        assert_is_success(invoker.with_retry(is_throttled, 1, NoDelay()).invoke())
    assert seen == [429]


class NoDelay:
    def calculate_retry_delay_millis(self, retried: int) -> int:
        del retried
        return 0


def test_the_asynchronous_client_gets_the_same_answers(verifying: MockServer) -> None:
    with client(verifying.url, GaussDBAsyncClient) as sdk:
        calls = [sdk.batch_upgrade_databases_async(upgrade(delay=delay)) for delay in (True, "false", "maybe", False)]
        assert_is_success(calls[0].result())
        assert_is_success(calls[1].result())
        with pytest.raises(ClientRequestException) as caught:
            calls[2].result()
        assert_is_success(calls[3].result())
        failing = sdk.batch_upgrade_databases_async_invoker(upgrade()).add_header("X-Mock-Scenario", "internal-error")
        with pytest.raises(ServerResponseException) as failed:
            failing.invoke().result()
    assert (caught.value.status_code, caught.value.error_code) == (400, "DBS.200001")
    assert (failed.value.status_code, failed.value.error_code) == (500, "DBS.200005")
    assert_has_request_id(caught.value)
    assert_has_request_id(failed.value)
