"""Questions about the journal: criteria, and the message that shows what came instead of an upgrade."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support import INSTANCE, PROJECT_ID, UPGRADE_PATH, batch
from test_admin_api import OTHER, OTHER_PATH, ask, client_of, statuses, upgrade
from test_journal import exchange

from mockserver.journal import Entry
from mockserver.model import Reply
from mockserver.verification import Criteria, check_upgraded

if TYPE_CHECKING:
    from collections.abc import Sequence

WANTED = INSTANCE["instance_id"]
NEAR = WANTED[:-5] + "0in07"
FAR = "f" * 32 + "in07"
POST = f"POST {UPGRADE_PATH}"
DONE = Reply(200, b'{"resp":"success"}')
REFUSED = Reply(400, b'{"error_msg":"delay is wrong"}')
LATEST_ALREADY = Reply(400, b'{"error_msg":"already latest"}')
THROTTLED = Reply(429, b'{"error_msg":"slow down"}')


def entry(
    number: int,
    instance_ids: Sequence[str] = (WANTED,),
    *,
    reply: Reply = DONE,
    scenario: str | None = "success",
    accepted: bool = True,
) -> Entry:
    """An upgrade of a batch, which granted all of it when it was accepted."""
    body = batch(*({**INSTANCE, "instance_id": each} for each in instance_ids)) if instance_ids else {}
    granted = tuple(instance_ids) if accepted else ()
    made = exchange(body=body, reply=reply, scenario=scenario, accepted=accepted, upgraded=granted)
    return Entry(number, made, 0.0)


def at_path(number: int, instance_id: str, *upgraded: str) -> Entry:
    """A request without a batch to the path of an instance, such as a question or the upgrade of that one."""
    made = exchange(reply=DONE, scenario="success", accepted=True, upgraded=upgraded, instance_id=instance_id)
    return Entry(number, made, 0.0)


def refused(number: int, *instance_ids: str) -> Entry:
    return entry(number, instance_ids, reply=REFUSED, scenario=None, accepted=False)


def message(entries: Sequence[Entry], instance_ids: Sequence[str] = (WANTED,), exactly: int = 1) -> list[str]:
    found = check_upgraded(entries, instance_ids, exactly)
    assert found is not None
    return found.splitlines()


@pytest.mark.parametrize(
    ("entries", "instance_ids", "exactly"),
    [
        ([entry(1)], [WANTED], 1),
        ([entry(1, [FAR, WANTED])], [WANTED, FAR], 1),
        ([entry(1), entry(2, [FAR])], [WANTED, FAR], 1),
        ([entry(1), refused(2, WANTED)], [WANTED], 1),
        ([entry(1), entry(2)], [WANTED], 2),
        ([], [WANTED], 0),
        ([refused(1, WANTED), entry(2, [FAR])], [WANTED], 0),
        ([entry(1, scenario="truncated")], [WANTED], 1),
        ([], [], 1),
        ([at_path(1, WANTED, WANTED)], [WANTED], 1),
        ([at_path(1, WANTED), entry(2), at_path(3, WANTED)], [WANTED], 1),
        ([at_path(1, WANTED)], [WANTED], 0),
    ],
    ids=[
        "one",
        "one-batch",
        "two-batches",
        "retry",
        "twice",
        "none",
        "only-refused",
        "answer-lost",
        "no-instance",
        "by-path",
        "asked-before-and-after",
        "only-asked",
    ],
)
def test_there_is_no_message_when_each_was_upgraded_so_often(
    entries: list[Entry], instance_ids: list[str], exactly: int
) -> None:
    assert check_upgraded(entries, instance_ids, exactly) is None


TOO_MANY = [entry(number) for number in range(1, 8)]
TABLE: dict[str, tuple[list[Entry], int, list[str]]] = {
    "no-request": ([], 1, [f"expected exactly 1 accepted upgrade of {WANTED}, found none", "  no request came at all"]),
    "refused": (
        [refused(1, WANTED)],
        1,
        [
            f"expected exactly 1 accepted upgrade of {WANTED}, found none",
            f'  #1 {POST} -> 400, refused: {{"error_msg":"delay is wrong"}}',
        ],
    ),
    "not-accepted-under-a-scenario": (
        [entry(3, reply=THROTTLED, scenario="throttled", accepted=False)],
        2,
        [
            f"expected exactly 2 accepted upgrades of {WANTED}, found none",
            f'  #3 {POST} -> 429, not accepted (scenario throttled): {{"error_msg":"slow down"}}',
        ],
    ),
    "refused-by-the-fleet": (
        [entry(2, reply=LATEST_ALREADY, accepted=False)],
        1,
        [
            f"expected exactly 1 accepted upgrade of {WANTED}, found none",
            f'  #2 {POST} -> 400, refused: {{"error_msg":"already latest"}}',
        ],
    ),
    "only-asked": (
        [at_path(1, WANTED), at_path(2, NEAR), at_path(3, NEAR, NEAR)],
        1,
        [
            f"expected exactly 1 accepted upgrade of {WANTED}, found none",
            f"  #3 {POST} -> 200, names {NEAR}",
            f"  #1 {POST} -> 200, is no upgrade",
            f"  #2 {POST} -> 200, is no upgrade, names {NEAR}",
        ],
    ),
    "twice": (
        [entry(1, scenario="truncated"), refused(2, WANTED), entry(3)],
        1,
        [
            f"expected exactly 1 accepted upgrade of {WANTED}, found 2",
            f"  #1 {POST} -> 200, accepted under the scenario truncated",
            f"  #3 {POST} -> 200",
        ],
    ),
    "not-expected": (
        [entry(1)],
        0,
        [f"expected exactly 0 accepted upgrades of {WANTED}, found 1", f"  #1 {POST} -> 200"],
    ),
    "nearest-first": (
        [refused(1, FAR), refused(2, NEAR), entry(3, [FAR]), entry(4, [NEAR]), entry(5, [])],
        1,
        [
            f"expected exactly 1 accepted upgrade of {WANTED}, found none",
            f"  #4 {POST} -> 200, names {NEAR}",
            f"  #3 {POST} -> 200, names {FAR}",
            f'  #2 {POST} -> 400, refused: {{"error_msg":"delay is wrong"}}, names {NEAR}',
            f'  #1 {POST} -> 400, refused: {{"error_msg":"delay is wrong"}}, names {FAR}',
            f"  #5 {POST} -> 200, is no upgrade, names no instance",
        ],
    ),
    "more-than-five": (
        TOO_MANY,
        1,
        [
            f"expected exactly 1 accepted upgrade of {WANTED}, found 7",
            *(f"  #{number} {POST} -> 200" for number in range(1, 6)),
            "  and 2 more",
        ],
    ),
    "exactly-five": (
        TOO_MANY[:5],
        1,
        [
            f"expected exactly 1 accepted upgrade of {WANTED}, found 5",
            *(f"  #{number} {POST} -> 200" for number in range(1, 6)),
        ],
    ),
    "many-instances": (
        [entry(1, [f"{number:032}in07" for number in range(7)])],
        1,
        [
            f"expected exactly 1 accepted upgrade of {WANTED}, found none",
            f"  #1 {POST} -> 200, names {', '.join(f'{number:032}in07' for number in range(5))} ...",
        ],
    ),
}


@pytest.mark.parametrize(("entries", "exactly", "lines"), TABLE.values(), ids=TABLE)
def test_the_message_shows_what_came_instead(entries: list[Entry], exactly: int, lines: list[str]) -> None:
    assert message(entries, exactly=exactly) == lines


def test_each_instance_has_its_own_complaint() -> None:
    lines = message([entry(1, [FAR])], [WANTED, FAR, NEAR])
    assert [line for line in lines if line.startswith("expected")] == [
        f"expected exactly 1 accepted upgrade of {WANTED}, found none",
        f"expected exactly 1 accepted upgrade of {NEAR}, found none",
    ]


def test_a_long_reply_is_cut() -> None:
    long = entry(1, reply=Reply(400, b"x" * 1000), scenario=None, accepted=False)
    assert message([long])[1].endswith(": " + "x" * 200)


def test_a_refused_batch_of_mixed_items_is_described() -> None:
    made = exchange(body=batch(INSTANCE, 5, {}), reply=REFUSED)
    assert "refused" in message([Entry(1, made, 0.0)])[1]


@pytest.mark.parametrize(
    ("criteria", "numbers"),
    [
        ({}, [1, 2, 3, 4]),
        ({"project_id": "is looked for elsewhere"}, [1, 2, 3, 4]),
        ({"method": "POST"}, [1, 2, 3, 4]),
        ({"method": "GET"}, []),
        ({"path": UPGRADE_PATH}, [1, 2, 3, 4]),
        ({"path": UPGRADE_PATH + "/"}, []),
        ({"status": 200}, [1, 2]),
        ({"status": 400}, [3]),
        ({"status": 0}, []),
        ({"scenario": "success"}, [1, 2]),
        ({"scenario": "throttled"}, [4]),
        ({"scenario": ""}, []),
        ({"accepted": True}, [1, 2]),
        ({"accepted": False}, [3, 4]),
        ({"instance_id": WANTED}, [1, 3, 4]),
        ({"instance_id": FAR}, [2]),
        ({"instance_id": ""}, []),
        ({"instance_id": WANTED, "accepted": False, "status": 429}, [4]),
        ({"instance_id": FAR, "accepted": False}, []),
    ],
    ids=str,
)
def test_every_criterion_that_is_given_must_hold(criteria: dict[str, Any], numbers: list[int]) -> None:
    entries = [
        entry(1),
        entry(2, [FAR]),
        refused(3, WANTED),
        entry(4, reply=THROTTLED, scenario="throttled", accepted=False),
    ]
    assert [each.number for each in entries if Criteria.of(criteria).holds(each)] == numbers


def test_the_journal_is_filtered_paged_and_counted() -> None:
    client = client_of(journal_size=6)
    statuses(client, 4)
    statuses(client, 3, X_Mock_Scenario="conflict")
    upgrade(client, OTHER_PATH)
    counts = {"matched": 6, "total": 7, "dropped": 1}

    def listed(query: str) -> tuple[list[int], dict[str, int]]:
        page = ask(client, f"GET /__admin/requests?project_id={PROJECT_ID}&{query}")
        return [each["number"] for each in page.pop("requests")], page

    assert listed("") == ([2, 3, 4, 5, 6, 7], counts)
    assert listed("offset=1&limit=2") == ([3, 4], counts)
    assert listed("offset=6") == ([], counts)
    assert listed("status=409") == ([5, 6, 7], {**counts, "matched": 3})
    assert listed("scenario=conflict&limit=1")[0] == [5]
    assert (listed("accepted=true")[0], listed("accepted=false")[0]) == ([2, 3, 4], [5, 6, 7])
    whole = ask(client, "GET /__admin/requests")
    assert (whole["matched"], whole["total"], whole["dropped"]) == (7, 8, 1)


def test_one_request_is_found_by_the_id_of_its_reply() -> None:
    client = client_of()
    reply = client.post(UPGRADE_PATH, json=batch(), headers={"X-Auth-Token": "hidden"})
    found = ask(client, f"GET /__admin/requests/{reply.headers['X-Request-Id']}")
    assert (found["number"], found["status"], found["reply"], found["accepted"]) == (1, 200, reply.text, True)
    assert json.loads(found["body"]) == batch()
    assert (found["path"], found["headers"]["x-auth-token"]) == (UPGRADE_PATH, "[Filtered]")


def test_requests_are_counted_found_and_verified() -> None:
    client = client_of()
    instance_id = INSTANCE["instance_id"]
    statuses(client, 2)
    upgrade(client, X_Mock_Scenario="conflict")
    criteria = {"project_id": PROJECT_ID, "instance_id": instance_id, "accepted": True, "method": "POST"}
    assert ask(client, "POST /__admin/requests/count", criteria) == {"count": 2}
    assert [each["number"] for each in ask(client, "POST /__admin/requests/find", {"status": 409})["requests"]] == [3]
    question = {"project_id": PROJECT_ID, "instances": [instance_id]}
    verdicts = [ask(client, "POST /__admin/requests/verify", {**question, "exactly": count}) for count in (2, 1, 0)]
    assert [verdict["ok"] for verdict in verdicts] == [True, False, False]
    assert verdicts[0]["message"] is None
    assert ask(client, "POST /__admin/requests/verify", question) == verdicts[1]
    assert ask(client, f"DELETE /__admin/requests?project_id={OTHER}") == {}
    assert ask(client, "POST /__admin/requests/count", {}) == {"count": 3}
    assert ask(client, f"DELETE /__admin/requests?project_id={PROJECT_ID}") == {}
    assert ask(client, "POST /__admin/requests/count", {}) == {"count": 0}


def test_a_refused_batch_of_mixed_items_can_be_asked_for() -> None:
    client = client_of()
    body = {"databases_instance_infos": [INSTANCE, 5, {}], "delay": False}
    assert client.post(UPGRADE_PATH, json=body, headers={"X-Auth-Token": "t"}).status_code == 400
    instance_id = INSTANCE["instance_id"]
    assert ask(client, "POST /__admin/requests/count", {"instance_id": instance_id}) == {"count": 1}
    verdict = ask(client, "POST /__admin/requests/verify", {"project_id": PROJECT_ID, "instances": [instance_id]})
    assert "refused" in verdict["message"]
