"""The whole upgrade workflow with the official Python SDK, unmodified: identity service, fleet, pre-check, jobs."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials, Credentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import (
    ClientRequestException,
    SdkException,
    ServerResponseException,
)
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkgaussdb.v3 import (
    BatchUpgradeDatabasesRequest,
    BatchUpgradeDatabasesRequestBody,
    CancelScheduleTask,
    CancelScheduleTaskRequest,
    CheckKernelUpgradeRequest,
    GaussDBAsyncClient,
    GaussDBClient,
    ListGaussMySqlInstancesRequest,
    ListGaussMySqlInstancesUnifyStatusRequest,
    ListImmediateJobsRequest,
    ListScheduleJobsRequest,
    PreCheckForUpgradeDatabasesSingleInstance,
    ShowGaussMySqlEngineVersionRequest,
    ShowGaussMySqlInstanceInfoRequest,
    ShowGaussMySqlInstanceInfoUnifyStatusRequest,
    ShowGaussMySqlJobInfoRequest,
    ShowInstanceDatabaseVersionRequest,
    ShowKernelUpgradeCheckResultRequest,
    UpgradeDatabaseRequest,
    UpgradeDatabasesSingleInstance,
    UpgradeGaussMySqlInstanceDatabaseRequest,
    UpgradePrecheckRequest,
)
from huaweicloudsdkiam.v3 import (
    AuthScope,
    AuthScopeProject,
    IamAsyncClient,
    IamClient,
    KeystoneCreateUserTokenByPasswordRequest,
    KeystoneCreateUserTokenByPasswordRequestBody,
    KeystoneListAuthDomainsRequest,
    KeystoneListAuthProjectsRequest,
    KeystoneListProjectsRequest,
    KeystoneListRegionsRequest,
    PwdAuth,
    PwdIdentity,
    PwdPassword,
    PwdPasswordUser,
    PwdPasswordUserDomain,
)
from huaweicloudsdkiam.v3.iam_credentials import IamCredentials
from processes import until
from programs import run
from requests.exceptions import ReadTimeout
from support import PROJECT_ID
from workflow import ACCESS_KEY, IMMEDIATE_JOB, REGION, SCHEDULED_JOB, SECRET_KEY, SIGNED, UPGRADE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import StartMock
    from huaweicloudsdkcore.client import Client
    from huaweicloudsdkcore.sdk_response import FutureSdkResponse, SdkResponse

    from mockserver.running import MockServer

# The SDK signs with datetime.utcnow(), which Python 3.12 deprecates; nothing on our side can change that.
pytestmark = pytest.mark.filterwarnings(r"ignore:datetime\.datetime\.utcnow\(\) is deprecated:DeprecationWarning")

DAY = 24 * 3600


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy between client and mock, a home folder of its own, and no project id that another test looked up."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.setattr(Credentials, "_CACHE", {})


@pytest.fixture(params=[{}, SIGNED], ids=["any-credentials", "verified-signatures"])
def server(request: pytest.FixtureRequest, start_mock: StartMock) -> MockServer:
    """A mock in which an upgrade takes five minutes."""
    return start_mock(upgrade_seconds=UPGRADE_SECONDS, **request.param)


@dataclass
class Calls:
    """The operations of a client; the asynchronous one has them under other names, and gives futures."""

    client: Client

    def __getattr__(self, name: str) -> Callable[[object], Any]:
        if isinstance(self.client, (GaussDBAsyncClient, IamAsyncClient)):
            return lambda request: getattr(self.client, f"{name}_async")(request).result()
        return getattr(self.client, name)


@contextmanager
def connected(kind: type[Client], credentials: object, url: str, region: str | None = None) -> Iterator[Calls]:
    """A client at a URL, or in a region that is there; its connections and threads end with the block."""
    builder = kind.new_builder().with_credentials(credentials)
    builder = builder.with_endpoint(url) if region is None else builder.with_region(Region(region, url))
    client = builder.with_http_config(HttpConfig(timeout=(30, 30))).build()
    try:
        yield Calls(client)
    finally:
        end(client)


def end(client: Client) -> None:
    client.get_http_client().executor.shutdown()
    client.get_http_client().close()


@pytest.fixture(params=[GaussDBClient, GaussDBAsyncClient], ids=["synchronous", "asynchronous"])
def sdk(request: pytest.FixtureRequest, server: MockServer) -> Iterator[Calls]:
    with connected(request.param, BasicCredentials(ACCESS_KEY, SECRET_KEY, server.project_id), server.url) as calls:
        yield calls


def outdated(sdk: Calls) -> list[UpgradeDatabasesSingleInstance]:
    """Every working instance that has a later version."""
    found = []
    listed = sdk.list_gauss_my_sql_instances_unify_status(ListGaussMySqlInstancesUnifyStatusRequest())
    for instance in listed.instances:
        version = sdk.show_instance_database_version(ShowInstanceDatabaseVersionRequest(instance_id=instance.id))
        if version.upgrade_flag and instance.status == "normal":
            found.append(UpgradeDatabasesSingleInstance(version.datastore.current_kernel_version, instance.id))
    return found


def check(sdk: Calls, instances: list[UpgradeDatabasesSingleInstance]) -> tuple[str, set[str]]:
    """Whether all instances pass the pre-check, in the service's word, and the ids of those that do not."""
    items = [PreCheckForUpgradeDatabasesSingleInstance(each.current_version, each.instance_id) for each in instances]
    body = UpgradePrecheckRequest(databases_instance_infos=items)
    assert len(sdk.check_kernel_upgrade(CheckKernelUpgradeRequest(body=body)).job_ids) == len(instances)
    result = sdk.show_kernel_upgrade_check_result(ShowKernelUpgradeCheckResultRequest(body=body))
    assert isinstance(result.updated_at, int)
    failed = {item.check_object for item in result.upgrade_precheck_detail if item.check_status != "passed"}
    return result.upgrade_precheck_result, failed


def upgrade(sdk: Calls, *instances: UpgradeDatabasesSingleInstance, delay: object = False) -> SdkResponse:
    body = BatchUpgradeDatabasesRequestBody(databases_instance_infos=list(instances), delay=delay)
    return sdk.batch_upgrade_databases(BatchUpgradeDatabasesRequest(body=body))


def is_latest(sdk: Calls, instance_id: str) -> bool:
    version = sdk.show_instance_database_version(ShowInstanceDatabaseVersionRequest(instance_id=instance_id))
    store = version.datastore
    return version.upgrade_flag is False and store.current_kernel_version == store.latest_kernel_version


def job_status(sdk: Calls, job_id: str) -> str:
    return sdk.show_gauss_my_sql_job_info(ShowGaussMySqlJobInfoRequest(id=job_id)).job.status


def test_a_fleet_is_listed_by_page_and_by_filter(sdk: Calls) -> None:
    request = ListGaussMySqlInstancesUnifyStatusRequest
    everything = sdk.list_gauss_my_sql_instances_unify_status(request())
    count = everything.total_count
    assert count == len(everything.instances) > 1
    pages = [sdk.list_gauss_my_sql_instances_unify_status(request(offset=n, limit=1)) for n in range(count + 1)]
    assert [[each.id for each in page.instances] for page in pages] == [
        *([each.id] for each in everything.instances),
        [],
    ]
    assert {page.total_count for page in pages} == {count}
    one = everything.instances[-1]
    for filters in ({"id": one.id}, {"name": one.name}, {"name": f"*{one.name[1:]}"}, {"id": f"*{one.id[1:]}"}):
        found = sdk.list_gauss_my_sql_instances_unify_status(request(**filters))
        assert [each.id for each in found.instances] == [one.id], filters
        assert found.total_count == 1
    tagged = sdk.list_gauss_my_sql_instances_unify_status(request(tags="stage=production")).instances
    assert {"stage=production" in {f"{tag.key}={tag.value}" for tag in each.tags} for each in tagged} == {True}
    assert 0 < len(tagged) < count
    nothing = sdk.list_gauss_my_sql_instances_unify_status(request(name="no-such-instance"))
    assert (nothing.instances, nothing.total_count) == ([], 0)


@pytest.mark.filterwarnings("ignore:Method 'list_gauss_my_sql_instances(_async)?' .* is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings(
    "ignore:Method 'show_gauss_my_sql_instance_info(_async)?' .* is deprecated:DeprecationWarning"
)
def test_both_versions_of_the_list_and_the_details_tell_of_the_same_instances(sdk: Calls) -> None:
    newer = sdk.list_gauss_my_sql_instances_unify_status(ListGaussMySqlInstancesUnifyStatusRequest()).instances
    older = sdk.list_gauss_my_sql_instances(ListGaussMySqlInstancesRequest()).instances
    assert [each.id for each in older] == [each.id for each in newer]
    for before, now in zip(older, newer, strict=True):
        shown = sdk.show_gauss_my_sql_instance_info(ShowGaussMySqlInstanceInfoRequest(instance_id=now.id)).instance
        request = ShowGaussMySqlInstanceInfoUnifyStatusRequest(instance_id=now.id)
        unified = sdk.show_gauss_my_sql_instance_info_unify_status(request).instance
        assert {before.name, now.name, shown.name, unified.name} == {now.name}
        assert (shown.status, unified.status) == (before.status, now.status)
        assert {each.datastore.kernel_version for each in (before, now, shown, unified)} == {
            now.datastore.kernel_version
        }
        assert isinstance(shown.node_count, int)


def test_a_batch_is_checked_and_upgraded_to_the_latest_version(sdk: Calls, server: MockServer) -> None:
    version = outdated(sdk)[0].current_version
    batch = [each for each in outdated(sdk) if each.current_version == version]
    result, failing = check(sdk, batch)
    assert result == "false"
    batch = [each for each in batch if each.instance_id not in failing]
    assert check(sdk, batch) == ("true", set())
    ids = [each.instance_id for each in batch]

    response = upgrade(sdk, *batch)
    assert (response.status_code, response.resp) == (200, "success")
    listed = sdk.list_immediate_jobs(ListImmediateJobsRequest(job_name=IMMEDIATE_JOB, offset="1", limit="10"))
    jobs = {job.instance_id: job for job in listed.jobs}
    assert sorted(jobs) == sorted(ids)
    assert listed.total_count == len(batch)
    assert {job.status for job in jobs.values()} == {"Running"}
    assert not any(is_latest(sdk, instance_id) for instance_id in ids)

    server.move_clock(UPGRADE_SECONDS)
    for instance_id, job in jobs.items():
        shown = sdk.show_gauss_my_sql_job_info(ShowGaussMySqlJobInfoRequest(id=job.job_id)).job
        assert (shown.name, shown.status, shown.instance.id) == (IMMEDIATE_JOB, "Completed", instance_id)
        assert is_latest(sdk, instance_id)
    assert sdk.list_immediate_jobs(ListImmediateJobsRequest(status="Running")).jobs == []
    server.assert_upgraded(*ids)


def test_an_upgrade_that_fails_says_why_and_can_be_repeated(sdk: Calls, server: MockServer) -> None:
    named = sdk.list_gauss_my_sql_instances_unify_status(ListGaussMySqlInstancesUnifyStatusRequest(name="stubborn-db"))
    stubborn = named.instances[0].id
    request = UpgradeGaussMySqlInstanceDatabaseRequest(instance_id=stubborn, body=UpgradeDatabaseRequest(delay=False))
    for attempt in (1, 2):
        job_id = sdk.upgrade_gauss_my_sql_instance_database(request).job_id
        server.move_clock(UPGRADE_SECONDS * attempt)
        job = sdk.show_gauss_my_sql_job_info(ShowGaussMySqlJobInfoRequest(id=job_id)).job
        assert job.status == "Failed"
        assert "did not start" in job.fail_reason
        assert not is_latest(sdk, stubborn)


def test_a_delayed_upgrade_waits_for_the_maintenance_window_or_is_cancelled(sdk: Calls, server: MockServer) -> None:
    waiting, cancelled = outdated(sdk)[:2]
    assert upgrade(sdk, waiting, cancelled, delay=True).resp == "success"
    listed = sdk.list_schedule_jobs(ListScheduleJobsRequest(job_name=SCHEDULED_JOB, offset="1", limit="10"))
    jobs = {job.instance_id: job for job in listed.schedules}
    assert {instance: job.job_status for instance, job in jobs.items()} == {
        waiting.instance_id: "Pending",
        cancelled.instance_id: "Pending",
    }
    assert {job.project_id for job in jobs.values()} == {server.project_id}

    job_id = jobs[cancelled.instance_id].job_id
    request = CancelScheduleTaskRequest(body=CancelScheduleTask(job_ids=[job_id]))
    assert sdk.cancel_schedule_task(request).job_ids == [job_id]
    left = sdk.list_schedule_jobs(ListScheduleJobsRequest(status="Pending"))
    assert [job.instance_id for job in left.schedules] == [waiting.instance_id]
    one = sdk.list_schedule_jobs(ListScheduleJobsRequest(instance_id=waiting.instance_id))
    assert [job.job_id for job in one.schedules] == [jobs[waiting.instance_id].job_id]


def test_after_the_maintenance_window_a_delayed_upgrade_is_done(start_mock: StartMock) -> None:
    """A day later a signature made now has expired, so this mock does not verify any."""
    server = start_mock(upgrade_seconds=UPGRADE_SECONDS)
    with connected(GaussDBClient, BasicCredentials(ACCESS_KEY, SECRET_KEY, server.project_id), server.url) as sdk:
        one = outdated(sdk)[0]
        upgrade(sdk, one, delay="true")
        server.move_clock(DAY + UPGRADE_SECONDS)
        jobs = sdk.list_schedule_jobs(ListScheduleJobsRequest(job_name=SCHEDULED_JOB)).schedules
        assert [(job.instance_id, job.job_status) for job in jobs] == [(one.instance_id, "Completed")]
        assert is_latest(sdk, one.instance_id)


def test_a_single_instance_is_upgraded_by_its_own_call(sdk: Calls, server: MockServer) -> None:
    at_once, later = outdated(sdk)[:2]
    request = UpgradeGaussMySqlInstanceDatabaseRequest(instance_id=at_once.instance_id)
    job_id = sdk.upgrade_gauss_my_sql_instance_database(request).job_id
    assert job_status(sdk, job_id) == "Running"
    delayed = UpgradeDatabaseRequest(delay=True)
    request = UpgradeGaussMySqlInstanceDatabaseRequest(instance_id=later.instance_id, body=delayed)
    assert job_status(sdk, sdk.upgrade_gauss_my_sql_instance_database(request).job_id) == "Pending"
    server.move_clock(UPGRADE_SECONDS)
    assert job_status(sdk, job_id) == "Completed"
    assert is_latest(sdk, at_once.instance_id)
    assert not is_latest(sdk, later.instance_id)


def test_the_engine_offers_the_version_that_upgrades_lead_to(sdk: Calls) -> None:
    offered = sdk.show_gauss_my_sql_engine_version(ShowGaussMySqlEngineVersionRequest(database_name="gaussdb-mysql"))
    instance = outdated(sdk)[0].instance_id
    version = sdk.show_instance_database_version(ShowInstanceDatabaseVersionRequest(instance_id=instance))
    assert version.datastore.latest_kernel_version in {each.kernel_version for each in offered.datastores}


def test_an_instance_that_the_fleet_does_not_have_is_there_once_it_was_upgraded(sdk: Calls, server: MockServer) -> None:
    stranger = UpgradeDatabasesSingleInstance("2.0.48.231200", "6754902da1f447269c6979b0590102a5in07")
    assert upgrade(sdk, stranger).resp == "success"
    found = sdk.list_gauss_my_sql_instances_unify_status(
        ListGaussMySqlInstancesUnifyStatusRequest(id=stranger.instance_id)
    )
    assert [each.datastore.kernel_version for each in found.instances] == [stranger.current_version]
    server.move_clock(UPGRADE_SECONDS)
    assert is_latest(sdk, stranger.instance_id)


def test_a_repeated_upgrade_is_refused(sdk: Calls, server: MockServer) -> None:
    one, other = outdated(sdk)[:2]
    upgrade(sdk, one)
    with pytest.raises(ClientRequestException) as running:
        upgrade(sdk, other, one)
    assert (running.value.status_code, running.value.error_code) == (409, "DBS.200011")
    assert one.instance_id in running.value.error_msg
    server.move_clock(UPGRADE_SECONDS)
    with pytest.raises(ClientRequestException) as done:
        upgrade(sdk, one)
    assert done.value.status_code == 400
    assert done.value.error_code.startswith("DBS.")
    for error in (running.value, done.value):
        assert len(error.request_id) == 32
    server.assert_upgraded(one.instance_id)
    server.assert_upgraded(other.instance_id, times=0)


def test_a_result_is_refused_before_its_check_was_made(sdk: Calls) -> None:
    one = outdated(sdk)[0]
    items = [PreCheckForUpgradeDatabasesSingleInstance(one.current_version, one.instance_id)]
    request = ShowKernelUpgradeCheckResultRequest(body=UpgradePrecheckRequest(databases_instance_infos=items))
    with pytest.raises(ClientRequestException) as caught:
        sdk.show_kernel_upgrade_check_result(request)
    assert caught.value.error_code.startswith("DBS.")


def test_a_caller_that_repeats_a_lost_upgrade_learns_that_it_took_place(start_mock: StartMock) -> None:
    """The SDK repeats no POST by itself, and has no exception of its own for an answer that does not come."""
    server = start_mock(upgrade_seconds=UPGRADE_SECONDS, **SIGNED)
    keys = BasicCredentials(ACCESS_KEY, SECRET_KEY, server.project_id)
    with connected(GaussDBClient, keys, server.url) as sdk:
        one = outdated(sdk)[0]
        config = sdk.client.get_http_client().config
        with server.scenario("succeed-after-timeout"):
            config.timeout = (30, 0.3)
            with pytest.raises(ReadTimeout):
                upgrade(sdk, one)
            until(lambda: "POST" in {each["method"] for each in server.requests}, "the upgrade has arrived")
            config.timeout = (30, 30)
            with pytest.raises(ClientRequestException) as caught:
                upgrade(sdk, one)
    assert (caught.value.status_code, caught.value.error_code) == (409, "DBS.200011")
    server.assert_upgraded(one.instance_id)


def test_of_simultaneous_upgrades_of_an_instance_one_takes_place(server: MockServer) -> None:
    keys = BasicCredentials(ACCESS_KEY, SECRET_KEY, server.project_id)
    with connected(GaussDBAsyncClient, keys, server.url) as sdk:
        body = BatchUpgradeDatabasesRequestBody(databases_instance_infos=outdated(sdk)[:1], delay=False)
        requests = [BatchUpgradeDatabasesRequest(body=body) for _ in range(10)]
        futures = [sdk.client.batch_upgrade_databases_async(request) for request in requests]
        assert sorted(status(future) for future in futures) == [200, *[409] * 9]
    server.assert_upgraded(body.databases_instance_infos[0].instance_id)


def status(future: FutureSdkResponse) -> int:
    try:
        return future.result().status_code
    except ClientRequestException as error:
        return error.status_code


MAGIC = {
    "mockconflict00000000000000000000in07": (ClientRequestException, 409, "DBS.200011"),
    "mockinternalerror000000000000000in07": (ServerResponseException, 500, "DBS.200005"),
}


@pytest.mark.parametrize("instance_id", MAGIC)
def test_a_magic_instance_id_is_an_exception_object(sdk: Calls, instance_id: str) -> None:
    kind, status, code = MAGIC[instance_id]
    with pytest.raises(kind) as caught:
        upgrade(sdk, UpgradeDatabasesSingleInstance("2.0.48.231200", instance_id))
    error = caught.value
    assert (error.status_code, error.error_code, len(error.request_id)) == (status, code, 32)
    assert error.error_msg
    assert f"{status}" in str(error)


def token_request(project: str = REGION) -> KeystoneCreateUserTokenByPasswordRequest:
    user = PwdPasswordUser(domain=PwdPasswordUserDomain(name="an-account"), name="a-user", password="a-password")  # noqa: S106  # no real one
    identity = PwdIdentity(methods=["password"], password=PwdPassword(user=user))
    auth = PwdAuth(identity=identity, scope=AuthScope(project=AuthScopeProject(name=project)))
    return KeystoneCreateUserTokenByPasswordRequest(body=KeystoneCreateUserTokenByPasswordRequestBody(auth=auth))


@pytest.mark.parametrize("kind", [IamClient, IamAsyncClient], ids=["synchronous", "asynchronous"])
def test_a_password_gives_a_token_that_opens_the_service_for_a_day(start_mock: StartMock, kind: type[Client]) -> None:
    """Who has a password has no keys yet: the token is asked for without any credentials, and then stands for them."""
    server = start_mock(auth="token", token=("another",))
    with connected(kind, IamCredentials(), server.url) as iam:
        issued = iam.keystone_create_user_token_by_password(token_request())
    assert issued.status_code == 201
    assert issued.token.project.id == PROJECT_ID
    token = issued.x_subject_token
    with connected(kind, IamCredentials(token), server.url) as iam:
        projects = iam.keystone_list_auth_projects(KeystoneListAuthProjectsRequest()).projects
        assert PROJECT_ID in {project.id for project in projects}

    keys = BasicCredentials("unknown-key", "unknown-secret", issued.token.project.id)
    with connected(GaussDBClient, keys, server.url) as sdk:
        request = ListGaussMySqlInstancesUnifyStatusRequest()
        invoker = sdk.client.list_gauss_my_sql_instances_unify_status_invoker(request)
        invoker.add_header("X-Auth-Token", token).add_header("Authorization", "")
        project = server.project(PROJECT_ID)
        project.move_clock(DAY - 60)
        assert invoker.invoke().total_count > 0
        project.move_clock(DAY + 60)
        with pytest.raises(ClientRequestException) as caught:
            invoker.invoke()
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")


def test_only_the_right_password_of_a_known_user_gives_a_token(start_mock: StartMock) -> None:
    """The identity service has another form of errors, whose code is a number."""
    server = start_mock(user=("a-user:a-password",))
    wrong = token_request()
    wrong.body.auth.identity.password.user.password = "another-password"  # noqa: S105  # no real one
    with connected(IamClient, IamCredentials(), server.url) as iam:
        assert iam.keystone_create_user_token_by_password(token_request()).status_code == 201
        with pytest.raises(ClientRequestException) as caught:
            iam.keystone_create_user_token_by_password(wrong)
    assert (caught.value.status_code, caught.value.error_code) == (401, 401)
    assert len(caught.value.request_id) == 32


def test_the_identity_service_answers_signed_calls(start_mock: StartMock) -> None:
    server = start_mock(**SIGNED)
    with connected(IamClient, GlobalCredentials(ACCESS_KEY, SECRET_KEY), server.url) as iam:
        assert iam.keystone_create_user_token_by_password(token_request()).x_subject_token
        named = iam.keystone_list_projects(KeystoneListProjectsRequest(name=REGION)).projects
        assert [(project.id, project.name) for project in named] == [(PROJECT_ID, REGION)]
        assert len(iam.keystone_list_auth_projects(KeystoneListAuthProjectsRequest()).projects) >= 1
        assert REGION in {region.id for region in iam.keystone_list_regions(KeystoneListRegionsRequest()).regions}
        account = iam.keystone_list_auth_domains(KeystoneListAuthDomainsRequest()).domains[0].id
    wrong = GlobalCredentials(ACCESS_KEY, "SKWRONG")
    with connected(IamClient, wrong, server.url) as iam, pytest.raises(ClientRequestException) as caught:
        iam.keystone_list_projects(KeystoneListProjectsRequest(name=REGION))
    assert caught.value.status_code == 401
    looked_up = GlobalCredentials(ACCESS_KEY, SECRET_KEY).with_iam_endpoint(server.url)
    with connected(IamClient, looked_up, server.url, REGION) as iam:
        assert iam.client.get_credentials().domain_id == account


def test_the_project_id_is_looked_up_for_a_region(server: MockServer) -> None:
    """By a signed call to the identity service, while the client is built."""
    keys = BasicCredentials(ACCESS_KEY, SECRET_KEY).with_iam_endpoint(server.url)
    with connected(GaussDBClient, keys, server.url, REGION) as sdk:
        assert outdated(sdk)
        assert sdk.client.get_credentials().project_id == PROJECT_ID
    assert {each["status"] for each in server.project(PROJECT_ID).requests} == {200}


def test_a_region_without_a_project_is_an_error_of_the_sdk(server: MockServer) -> None:
    keys = BasicCredentials(ACCESS_KEY, SECRET_KEY).with_iam_endpoint(server.url)
    failure = "Failed to get project id of region 'no-such-region'"
    with pytest.raises(SdkException, match=failure), connected(GaussDBClient, keys, server.url, "no-such-region"):
        pass


@pytest.mark.parametrize("settings", [{}, SIGNED], ids=["any-credentials", "verified-signatures"])
def test_a_program_of_a_user_is_redirected_by_its_environment_alone(
    start_mock: StartMock, tmp_path: Path, settings: dict[str, Any]
) -> None:
    server = start_mock(**settings)
    lines = run(
        [sys.executable, str(Path(__file__).with_name("upgrade_fleet.py"))],
        tmp_path,
        HUAWEICLOUD_SDK_REGION_GAUSSDB_CN_NORTH_4=server.url,
        HUAWEICLOUD_SDK_IAM_ENDPOINT=server.url,
        HUAWEICLOUD_SDK_AK=ACCESS_KEY,
        HUAWEICLOUD_SDK_SK=SECRET_KEY,
    )
    assert {line["resp"] for line in lines if line["step"] == "upgrade"} == {"success"}
    assert [line["failing"] for line in lines if line["step"] == "check" and line["failing"]] == [["crowded-db"]]
    assert {line["instance"]: line["status"] for line in lines if line["step"] == "job"} == {
        "orders-db": "Completed",
        "users-db": "Completed",
        "reports-db": "Completed",
        "stubborn-db": "Failed",
    }
