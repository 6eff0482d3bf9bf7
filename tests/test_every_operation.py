"""Generated conversations: whatever is asked, of whichever operation, gets an answer that the document describes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from strategies import bounded, json_values
from support import LATEST, NOW, PROJECT_ID, REQUEST_ID, api_request

from mockserver.contract import load_contract
from mockserver.engine import Engine, load_engine
from mockserver.settings import Settings

if TYPE_CHECKING:
    from mockserver.contract import Operation
    from mockserver.model import Exchange

POLICIES = {
    "adopt": Settings(),
    "accept": Settings(unknown_instances="accept", upgrade_seconds=600),
    "reject-with-404": Settings(unknown_instances="reject", unknown_status="404"),
    "users": Settings(user=("anna:right",), auth="off"),
}
OPERATIONS = {operation.id: operation for operation in load_contract(Settings()).operations}
IDS = [*(f"d{number:031x}in07" for number in range(1, 9)), f"{0:032x}in07", "mockthrottled0000000000000001in07"]
"""Those of the demonstration fleet, and two others."""
JOBS = [f"{REQUEST_ID[:20]}{number:012x}" for number in range(3)]
JOBS += ["-".join((each[:8], each[8:12], each[12:16], each[16:20], each[20:])) for each in JOBS]
"""The ids that the first jobs have, scheduled and immediate ones."""
VERSIONS = ["2.0.48.231200"] * 6 + ["2.0.54.240600", "2.0.28.18", LATEST, "99.0.0", ""]
VALUES = [
    *("", "0", "1", "2", "10", "100", "101", "-1", "9" * 40, "9" * 41, "true", "FALSE", "maybe"),
    *("*", "**", "*db", "orders-db", "gaussdb-mysql", "Cluster", "stage=production", "stage", "=,=", "192.168.0.11"),
    *("Pending", "Completed", "VERSION_UPGRADE", "2027-01-15T08:00:00+0000", "2027-01-15T08:00:00Z"),
    *("0001-01-01T00:00:00+1400", "9999-12-31T23:59:59-1400", "2026-13-45T99:99:99Z", "2027-01-15T08:00:00+9999"),
    *("cn-north-4", PROJECT_ID, *IDS[:2], *JOBS),
]
items = st.fixed_dictionaries({"current_version": st.sampled_from(VERSIONS), "instance_id": st.sampled_from(IDS)})
batches = st.fixed_dictionaries(
    {
        "databases_instance_infos": st.lists(items, max_size=3, unique_by=lambda item: item["instance_id"]),
        "delay": st.sampled_from([True, False, "true", "false"]),
    }
)
scopes = st.fixed_dictionaries(
    {},
    optional={
        "project": st.sampled_from([{"id": PROJECT_ID}, {"name": "cn-north-4"}, {"name": "nowhere"}, {"id": ""}, {}]),
        "domain": st.sampled_from([{"name": "company"}, {"id": "x"}, {}]),
    },
)


def token_body(scope: object, password: str) -> dict[str, object]:
    user = {"name": "anna", "password": password, "domain": {"name": "company"}}
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}


BODIES: dict[str, st.SearchStrategy[Any]] = {
    "BatchUpgradeDatabases": batches,
    "CheckKernelUpgrade": batches,
    "ShowKernelUpgradeCheckResult": batches,
    "UpgradeGaussMySqlInstanceDatabase": st.sampled_from([{"delay": True}, {"delay": False}, {}]),
    "CancelScheduleTask": st.builds(lambda ids: {"job_ids": ids}, st.lists(st.sampled_from([*JOBS, "no-job"]))),
    "KeystoneCreateUserTokenByPassword": st.builds(token_body, scopes, st.sampled_from(["right", "wrong"])),
}
"""Bodies that are valid, or nearly."""
CHOICE = sorted([*OPERATIONS, *list(BODIES) * 3, *[name for name in OPERATIONS if "Job" in name] * 2])
"""Operations that change something, or show what was changed, come more often."""
QUERIES: dict[str, list[str]] = {
    "offset": ["0", "1", "2", "100"],
    "limit": ["1", "10", "20", "100"],
    "id": ["*db", *IDS[:2], *JOBS],
    "job_id": JOBS,
    "instance_id": IDS,
    "status": ["Pending", "Running", "Completed", "Failed"],
    "start_time": ["2027-01-15T08:00:00+0000", "2027-01-15T08:00:00Z", "0001-01-01T00:00:00+1400"],
    "end_time": ["2027-01-15T08:00:00+0000", "9999-12-31T23:59:59-1400", "2026-13-45T99:99:99Z"],
}
"""Values that a parameter may be meant to have."""
often = st.integers(0, 9).map(lambda number: number > 0)


class Asked(NamedTuple):
    operation: str
    path: str
    query: str
    body: bytes
    later: float
    """Seconds since the first request; the clock may also go back."""


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """A request to any operation, mostly good, with anything in its path, query and body that may not be expected."""
    operation: Operation = OPERATIONS[draw(st.sampled_from(CHOICE))]
    parts = {
        "project_id": PROJECT_ID if draw(often) else "no-project",
        "instance_id": draw(
            st.sampled_from(IDS) if draw(often) else st.text(st.characters(exclude_characters="/"), min_size=1)
        ),
        "database_name": draw(st.sampled_from(["gaussdb-mysql", "GaussDB-MySQL", "mysql"])),
    }
    names = draw(st.lists(st.sampled_from(sorted(operation.query) or ["unknown"]), max_size=3, unique=True))
    names += ["id"] if operation.id == "ShowGaussMySqlJobInfo" else []
    query = {
        name: draw(st.sampled_from(QUERIES[name] if name in QUERIES and draw(often) else VALUES)) for name in names
    }
    body: Any = b""
    if operation.body is not None:
        body = json.dumps(draw(BODIES[operation.id] if draw(often) else json_values)).encode()
    later = draw(st.sampled_from([0.0, 0.0, 0.0, 1.0, 300.0, 86_400.0, -600.0]))
    return Asked(operation.id, operation.path.format(**parts), urlencode(query), body, later)


def ask(engine: Engine, request: Asked) -> Exchange:
    method = OPERATIONS[request.operation].method
    given = api_request(request.body, method=method, path=request.path, query=request.query)
    return engine.handle(replace(given, received_at=NOW + request.later))


def assert_documented(engine: Engine, exchange: Exchange) -> None:
    """The reply is one of those that its operation's document describes, by Python's validator."""
    document: Any = engine.contract.document
    operation = OPERATIONS[str(exchange.operation)]
    response = document["paths"][operation.path][operation.method.lower()]["responses"][str(exchange.reply.status)]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = {**response["content"]["application/json"]["schema"], "components": document["components"]}
    Draft202012Validator(schema).validate(json.loads(exchange.reply.body))


def one(number: int, **more: object) -> bytes:
    """A batch with one instance of the demonstration fleet."""
    item = {"current_version": VERSIONS[0], "instance_id": IDS[number]}
    return json.dumps({"databases_instance_infos": [item], **more}).encode()


_UPGRADE, _CHECK = OPERATIONS["BatchUpgradeDatabases"], OPERATIONS["CheckKernelUpgrade"]
BEFORE = [
    Asked(operation.id, operation.path.format(project_id=PROJECT_ID), "", body, 0.0)
    for operation, body in [(_UPGRADE, one(0, delay=True)), (_UPGRADE, one(1, delay=False)), (_CHECK, one(0))]
]
"""Makes the three jobs whose ids are JOBS, one of each kind."""


@pytest.fixture(scope="module", params=POLICIES)
def engine_of(request: pytest.FixtureRequest) -> Engine:
    """An engine with settings that treat unknown instances, jobs and users in their own way."""
    return load_engine(POLICIES[request.param])


@settings(bounded, max_examples=150)
@given(conversation=st.lists(asked(), min_size=1, max_size=8))
def test_any_conversation_gets_documented_answers(engine_of: Engine, conversation: list[Asked]) -> None:
    engine_of.store.clear_state()
    for request in [*BEFORE, *conversation]:
        exchange = ask(engine_of, request)
        assert exchange.operation == request.operation
        assert_documented(engine_of, exchange)
        assert exchange.accepted is (exchange.reply.status < 300)
        assert exchange.accepted or request not in BEFORE


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_the_documented_example_of_every_operation_passes_every_check(engine: Engine, operation: Operation) -> None:
    """Whether there is such an instance or job is for the fleet to say; the example's form is right."""
    path = operation.path.format_map(dict(operation.examples))
    query = urlencode({name: operation.examples[name] for name in operation.query if name in operation.examples})
    if "id" in operation.query and not query:
        query = f"id={JOBS[0]}"
    body = operation.examples.get("body", "").encode()
    exchange = engine.handle(api_request(body, method=operation.method, path=path, query=query))
    assert (exchange.operation, exchange.scenario, exchange.violations) == (operation.id, "success", ())
    assert_documented(engine, exchange)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_the_documented_success_of_every_operation_is_one_by_its_own_schema(operation: Operation) -> None:
    document: Any = load_contract(Settings()).document
    response = document["paths"][operation.path][operation.method.lower()]["responses"][str(operation.success.status)]
    content = response["content"]["application/json"]
    schema = {**content["schema"], "components": document["components"]}
    Draft202012Validator(schema).validate(content["example"])
    assert json.loads(operation.success.body) == content["example"]
