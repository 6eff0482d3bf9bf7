"""Broken, slow and lying replies, as clients meet them; the page shows what these tests see."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests
from faults import (
    BODY,
    HEADERS,
    IMPATIENT,
    PATIENT,
    ask,
    heading,
    nothing_of_this_machine,
    outcomes,
    printed_table,
    probed,
    read_pieces,
    row,
    with_sdk,
    with_socket,
)
from support import INSTANCE

from mockserver import MockServer, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mockserver import MockProject

# The SDK signs with datetime.utcnow(), which Python 3.12 deprecates; nothing on our side can change that.
pytestmark = pytest.mark.filterwarnings(r"ignore:datetime\.datetime\.utcnow\(\) is deprecated:DeprecationWarning")

PROBED = probed()
SUCCESS = '200 `{"resp":"success"}`'
ALREADY_LATEST = '400 `{"error_code":"DBS.200041"'


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(tmp_path: Path) -> Iterator[None]:
    with nothing_of_this_machine(str(tmp_path)):
        yield


def wait_for_requests(project: MockProject, number: int) -> None:
    """Return when so many requests of the project have reached the mock."""
    deadline = time.monotonic() + PATIENT
    while len(project.requests) < number:
        assert time.monotonic() < deadline, project.requests
        threading.Event().wait(0.005)


def test_the_page_has_a_row_for_each_scenario_that_breaks_waits_or_lies() -> None:
    table = printed_table()
    assert table[:2] == heading().splitlines()
    assert [line.split("`")[1] for line in table[2:]] == list(PROBED)


@pytest.mark.parametrize("name", PROBED)
def test_clients_meet_what_the_page_says(mock: MockServer, name: str) -> None:
    """If a change is meant, `python tests/faults.py` writes it to the page."""
    met = row(name, outcomes(mock, PROBED[name]))
    assert met in printed_table()


@pytest.mark.parametrize("name", PROBED)
def test_a_fault_leaves_the_mock_well_and_the_journal_says_what_happened(mock: MockServer, name: str) -> None:
    """The operation took place unless the scenario answers; a client that leaves in the middle changes nothing."""
    project, step = mock.project(), PROBED[name].steps[0]
    took_place = step.answer is None
    with project.scenario(name, times=1), ask(project, PATIENT):
        wait_for_requests(project, 1)
    again = with_socket(project, PATIENT)
    assert again.startswith(ALREADY_LATEST if took_place else SUCCESS)
    assert [(each["scenario"], each["fault"], each["accepted"]) for each in project.requests] == [
        (name, step.fault, took_place),
        ("success", None, not took_place),
    ]


def test_an_array_as_the_body_makes_the_sdk_send_the_upgrade_twice(mock: MockServer) -> None:
    project = mock.project()
    with project.scenario("array-body"), pytest.raises(TypeError):
        with_sdk(project, PATIENT)
    assert [(each["method"], each["scenario"]) for each in project.requests] == [("POST", "array-body")] * 2
    assert len({each["body"] for each in project.requests}) == 1


def retry_after_a_lost_answer(project: MockProject) -> requests.Response:
    """What a client gets that sends the upgrade again since the first answer never came."""
    with requests.Session() as session, project.scenario("succeed-after-timeout"):
        session.trust_env = False
        with pytest.raises(requests.ReadTimeout):
            session.post(project.url + project.path, data=BODY, headers=HEADERS, timeout=(PATIENT, IMPATIENT))
        project.assert_upgraded(INSTANCE["instance_id"])
        return session.post(project.url + project.path, data=BODY, headers=HEADERS, timeout=PATIENT)


def test_a_client_that_retries_after_a_lost_answer_learns_that_the_upgrade_took_place(mock: MockServer) -> None:
    project = mock.project()
    retried = retry_after_a_lost_answer(project)
    assert (retried.status_code, retried.json()["error_code"]) == (400, "DBS.200041")
    assert [(each["accepted"], each["fault"]) for each in project.requests] == [(True, "hang"), (False, None)]
    project.assert_upgraded(INSTANCE["instance_id"])


def test_where_every_upgrade_is_accepted_such_a_retry_upgrades_twice_and_the_test_says_so() -> None:
    instance_id = INSTANCE["instance_id"]
    with MockServer(Settings(port=0, unknown_instances="accept")) as project:
        assert retry_after_a_lost_answer(project).json() == {"resp": "success"}
        assert [(each["accepted"], each["fault"]) for each in project.requests] == [(True, "hang"), (True, None)]
        with pytest.raises(AssertionError) as caught:
            project.assert_upgraded(instance_id)
        line = f"POST {project.path} -> 200, accepted under the scenario succeed-after-timeout"
        assert str(caught.value).splitlines() == [
            f"expected exactly 1 accepted upgrade of {instance_id}, found 2",
            f"  #1 {line}",
            f"  #2 {line}",
        ]
        project.assert_upgraded(instance_id, times=2)


def test_a_drip_comes_in_several_reads(mock: MockServer) -> None:
    project = mock.project()
    with project.scenario("drip"):
        pieces = read_pieces(project, PATIENT)
    assert len(pieces) > 1
    assert b"".join(pieces).endswith(b'\r\n\r\n{"resp":"success"}')


def test_garbage_is_the_same_for_the_same_project_and_seed(mock: MockServer) -> None:
    def garbage(project: MockProject) -> bytes:
        project.reset()
        with project.scenario("garbage"):
            return b"".join(read_pieces(project, PATIENT))

    project = mock.project()
    assert garbage(project) == garbage(project) != garbage(mock.project())


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("slow", '200 `{"resp":"success"}`'),
        ("very-slow", '200 `{"resp":"success"}`'),
        ("hang", "closes without a byte"),
    ],
)
def test_a_stop_ends_a_wait_at_once(name: str, answer: str) -> None:
    """A mock that waited on would not answer within the grace of a stop, and the client would meet a bare close."""
    with ThreadPoolExecutor(1) as pool:
        with MockServer() as mock, mock.scenario(name):
            asked = pool.submit(with_socket, mock, PATIENT)
            wait_for_requests(mock, 1)
        assert asked.result(PATIENT) == answer
