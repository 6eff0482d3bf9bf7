"""Which instances a request names when it leaves: new ones, unless it says otherwise."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import pytest

from contract_tests.guard import impossible_id
from contract_tests.messages import Request
from contract_tests.renewal import Renewal

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST, SECOND, KEPT = (
    "0123456789abcdef" * 2 + "in07",
    "fedcba9876543210" * 2 + "in07",
    "a1b2c3d4e5f60718" * 2 + "in07",
)


def naming(*ids: str, instances: Literal["new", "same", "as written"] = "new") -> Request:
    return Request("POST", "/a", body=json.dumps(ids).encode(), instances=instances)


def sent(*requests: Request) -> list[list[str]]:
    """The ids of each request as it leaves."""
    renewal = Renewal([KEPT])
    return [json.loads(renewal.renewed(request).body) for request in requests]


def test_an_instance_is_named_once() -> None:
    bodies = sent(*[naming(FIRST)] * 5)
    ids = [body[0] for body in bodies]
    assert ids[0] == FIRST
    assert len(set(ids)) == 5
    assert {(len(each), each[:8], each[-4:]) for each in ids} == {(36, FIRST[:8], "in07")}


def test_each_of_a_batch_has_a_line_of_its_own() -> None:
    bodies = sent(naming(FIRST), naming(FIRST, SECOND), naming(SECOND, FIRST), naming(FIRST, FIRST))
    ids = [each for body in bodies for each in body]
    assert bodies[1][1] == SECOND
    assert bodies[3][0] == bodies[3][1]
    assert len(set(ids)) == len(ids) - 1


def test_every_run_names_the_same() -> None:
    requests = [naming(FIRST), naming(SECOND, FIRST), naming(FIRST, instances="same"), naming(FIRST)]
    assert sent(*requests) == sent(*requests)


SAME = naming(FIRST, instances="same")


@pytest.mark.parametrize(
    ("requests", "instances"),
    [
        ([naming(FIRST), SAME, SAME], [0, 0, 0]),
        ([naming(FIRST), naming(FIRST), naming(FIRST, SECOND, instances="same"), naming(FIRST)], [0, 1, 1, 2]),
        ([naming(FIRST, SECOND), SAME, naming(SECOND), SAME], [0, 0, 1]),
        ([SAME, naming(FIRST), SAME], [0, 1, 1]),
    ],
    ids=["three-times", "among-others", "not-the-one-before", "first"],
)
def test_a_repetition_names_what_the_request_before_it_named(requests: Sequence[Request], instances: list[int]) -> None:
    ids = [each for body in sent(*requests) for each in body if each[:8] == FIRST[:8]]
    assert [list(dict.fromkeys(ids)).index(each) for each in ids] == instances


def test_what_is_sent_as_it_is_written_is_not_named_again() -> None:
    as_written = naming(FIRST, instances="as written")
    bodies = sent(as_written, as_written, naming(FIRST), as_written)
    assert bodies[0] == bodies[1] == bodies[3] == [FIRST]
    assert bodies[2] != [FIRST]


def test_nothing_stands_for_an_instance_that_is_not_made_up() -> None:
    kept, impossible = naming(KEPT, "b" * 32, "an-instance"), naming(impossible_id(0), impossible_id(1))
    renewal = Renewal([KEPT, "any text"])
    assert [renewal.renewed(kept) for _ in range(3)] == [kept] * 3
    assert [renewal.renewed(impossible) for _ in range(3)] == [impossible] * 3


@pytest.mark.parametrize(
    "text",
    [
        f'"\\u0030{FIRST[1:]}"',
        f'{{"a": 1}}\r\n"{FIRST}"',
        f'"0{FIRST}"',
        f'"{FIRST[1:]}"',
        f'"{FIRST}\\n"',
        f'"库 {FIRST}"',
    ],
    ids=["escape", "lines", "longer", "shorter", "line-feed", "chinese"],
)
def test_an_instance_is_replaced_however_it_is_spelt(text: str) -> None:
    renewal = Renewal([])
    request = Request("POST", "/a", body=text.encode())
    bodies = [renewal.renewed(request).body for _ in range(2)]
    assert bodies[0] == request.body
    start = request.body.index(FIRST[8:32].encode())
    assert bodies[1][:start] + bodies[1][start + 24 :] == request.body[:start] + request.body[start + 24 :]
    assert bodies[1] != bodies[0]


@pytest.mark.parametrize(
    "body", [b"9" * 5000, b"\xff" * 99, b"", FIRST.upper().encode(), FIRST[:-4].encode() + b"no07"]
)
def test_other_bytes_leave_as_they_are(body: bytes) -> None:
    request = Request("POST", "/a", body=body)
    renewal = Renewal([])
    assert [renewal.renewed(request) for _ in range(2)] == [request] * 2
