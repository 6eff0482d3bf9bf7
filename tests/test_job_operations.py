"""Jobs through the engine, as time goes by: polling, the maintenance window, cancelling."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support import NOW, PROJECT_ID, api_request, batch

from mockserver.engine import Engine, load_engine
from mockserver.settings import Settings

if TYPE_CHECKING:
    from mockserver.model import Exchange

INSTANCE_ID = "d0000000000000000000000000000001in07"
OTHER_ID = "d0000000000000000000000000000002in07"
VERSION, LATEST = "2.0.48.231200", "2.0.69.250900"
HOUR = 3600.0
MIDNIGHT = NOW // 86400 * 86400
SCHEDULED = f"/v3/{PROJECT_ID}/scheduled-jobs"


def call(engine: Engine, method: str, path: str, body: object = b"", *, at: float = NOW, query: str = "") -> Exchange:
    path = path if path.startswith("/") else f"/v3/{PROJECT_ID}/{path}"
    return engine.handle(api_request(body, method=method, path=path, query=query, received_at=at))


def answer(exchange: Exchange) -> Any:  # noqa: ANN401  # a JSON value
    assert exchange.reply.status == 200, exchange.reply
    return json.loads(exchange.reply.body)


def refusal(exchange: Exchange) -> tuple[int, str, str]:
    body = json.loads(exchange.reply.body)
    return exchange.reply.status, body["error_code"], body["error_msg"]


def upgrade(engine: Engine, *ids: str, delay: bool = False, at: float = NOW) -> None:
    items = [{"instance_id": each, "current_version": VERSION} for each in ids or [INSTANCE_ID]]
    body = batch(*items, delay=delay)
    answer(call(engine, "POST", "instances/database-version/upgrade", body, at=at))


def version(engine: Engine, *, at: float) -> str:
    path = f"instances/{INSTANCE_ID}/database-version"
    return str(answer(call(engine, "GET", path, at=at))["datastore"]["current_kernel_version"])


@pytest.fixture
def slow() -> Engine:
    """An engine whose upgrades take a minute."""
    return load_engine(Settings(upgrade_seconds=60))


def test_a_job_is_polled_until_it_is_done(slow: Engine) -> None:
    upgrade(slow)
    (job,) = answer(call(slow, "GET", "immediate-jobs"))["jobs"]
    seen = []
    for seconds in (0, 30, 59.9, 60):
        polled = answer(call(slow, "GET", "jobs", query=f"id={job['job_id']}", at=NOW + seconds))["job"]
        seen.append((polled["status"], polled["process"], version(slow, at=NOW + seconds)))
    assert seen == [
        ("Running", "0%", VERSION),
        ("Running", "50%", VERSION),
        ("Running", "99%", VERSION),
        ("Completed", "", LATEST),
    ]


def test_a_running_upgrade_reboots_the_instance(slow: Engine) -> None:
    upgrade(slow)
    path = f"instances/{INSTANCE_ID}"
    assert answer(call(slow, "GET", path))["instance"]["status"] == "REBOOTING"
    assert answer(call(slow, "GET", f"/v3.1/{PROJECT_ID}/{path}"))["instance"]["status"] == "normal"
    assert answer(call(slow, "GET", path, at=NOW + 60))["instance"]["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("submitted", "begins"),
    [(0.0, 2.0), (1.99, 2.0), (2.0, 26.0), (4.0, 26.0), (23.0, 26.0)],
    ids=["before", "just-before", "exactly-at-its-begin", "within", "after"],
)
def test_a_delayed_upgrade_is_pending_until_the_next_maintenance_window(
    slow: Engine, submitted: float, begins: float
) -> None:
    upgrade(slow, delay=True, at=MIDNIGHT + submitted * HOUR)
    states = [
        (row["job_status"], version(slow, at=at))
        for at in (MIDNIGHT + begins * HOUR - 1, MIDNIGHT + begins * HOUR, MIDNIGHT + begins * HOUR + 60)
        for row in answer(call(slow, "GET", SCHEDULED, at=at))["schedules"]
    ]
    assert states == [("Pending", VERSION), ("Running", VERSION), ("Completed", LATEST)]


def test_a_pending_job_is_cancelled_and_the_instance_stays_as_it_is(engine: Engine) -> None:
    upgrade(engine, INSTANCE_ID, OTHER_ID, delay=True)
    ids = [row["job_id"] for row in answer(call(engine, "GET", SCHEDULED))["schedules"]]
    assert answer(call(engine, "DELETE", SCHEDULED, {"job_ids": [ids[1], ids[1]]})) == {"job_ids": [ids[1]]}
    assert [row["job_id"] for row in answer(call(engine, "GET", SCHEDULED))["schedules"]] == [ids[0]]
    assert version(engine, at=NOW + 48 * HOUR) == VERSION
    upgrade(engine, INSTANCE_ID)


def test_what_has_begun_or_is_no_scheduled_job_cannot_be_cancelled_and_refuses_the_others(slow: Engine) -> None:
    upgrade(slow, INSTANCE_ID, delay=True)
    upgrade(slow, OTHER_ID)
    (waiting,) = answer(call(slow, "GET", SCHEDULED))["schedules"]
    (running,) = answer(call(slow, "GET", "immediate-jobs"))["jobs"]
    both = {"job_ids": [waiting["job_id"], running["job_id"]]}
    status, code, message = refusal(call(slow, "DELETE", SCHEDULED, both))
    assert (status, code) == (400, "DBS.200001")
    assert message == (
        "Parameter error: only a scheduled job that is Pending can be cancelled. No job was cancelled."
        f" ({running['job_id']})"
    )
    assert len(answer(call(slow, "GET", SCHEDULED, query="status=Pending"))["schedules"]) == 1
    begun = call(slow, "DELETE", SCHEDULED, {"job_ids": [waiting["job_id"]]}, at=NOW + 48 * HOUR)
    assert refusal(begun)[:2] == (400, "DBS.200001")


def test_ids_of_jobs_differ_in_form_and_never_repeat(engine: Engine) -> None:
    """The request id is the same each time here, so it is the count of jobs that tells them apart."""
    upgrade(engine, INSTANCE_ID)
    upgrade(engine, OTHER_ID, delay=True)
    job = answer(call(engine, "POST", "instances/d0000000000000000000000000000007in07/db-upgrade", {}))["job_id"]
    (scheduled,) = answer(call(engine, "GET", SCHEDULED))["schedules"]
    immediate = [row["job_id"] for row in answer(call(engine, "GET", "immediate-jobs"))["jobs"]]
    assert immediate[0] == job
    assert len({*immediate, scheduled["job_id"]}) == 3
    assert [len(each) for each in (*immediate, scheduled["job_id"])] == [36, 36, 32]
