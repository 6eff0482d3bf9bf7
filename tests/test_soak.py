"""The soak still runs, counts right and notices wrong answers. Whether memory is flat needs its full length."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from processes import environment

from mockserver import MockServer, Settings

if TYPE_CHECKING:
    from types import ModuleType

BENCH = Path(__file__).resolve().parent.parent / "bench"
REQUESTS = 1000


@pytest.fixture(scope="module")
def soak() -> ModuleType:
    """The module, imported as its script does: from its own folder."""
    sys.path.insert(0, str(BENCH))
    try:
        import soak  # noqa: PLC0415  # the folder must be on the path first
    finally:
        sys.path.remove(str(BENCH))
    module: ModuleType = soak
    return module


@pytest.fixture(scope="module")
def result(soak: ModuleType) -> Any:  # noqa: ANN401  # a Soak; bench is no package
    """What a short soak showed."""
    return soak.measure(REQUESTS)


def test_every_answer_of_a_short_soak_is_as_expected(result: Any) -> None:  # noqa: ANN401  # a Soak
    assert result.wrong == []
    assert result.journalled == REQUESTS


def test_a_soak_counts_what_it_sent(soak: ModuleType, result: Any) -> None:  # noqa: ANN401  # a Soak
    assert result.counts == Counter(
        {
            "accepted": 100,
            "accepted, new project": 100,
            "first step of a sequence, new project": 200,
            "server error": 100,
            "chance, new project": 100,
            "chance": 100,
            "refused": 100,
            "unknown path": 100,
            "throttled": 90,
            "truncated reply": 10,
        }
    )
    assert result.projects == 400 + soak.CONNECTIONS
    assert [sample.requests for sample in result.samples] == list(range(0, REQUESTS + 1, REQUESTS // 20))


def test_memory_is_sampled_where_the_system_tells_it(result: Any) -> None:  # noqa: ANN401  # a Soak
    memory = [sample.memory for sample in result.samples]
    if sys.platform == "linux":
        assert all(10 < each < 1000 for each in memory)
        assert result.growth == memory[-1] - memory[10]
    else:
        assert memory == [None] * 21
        assert result.growth is None


def test_the_table_and_the_verdict_can_be_read(soak: ModuleType, result: Any) -> None:  # noqa: ANN401  # a Soak
    shown = soak.show(result)
    assert "| Requests | resident memory, MiB |\n| --- | --- |\n| 0 | " in shown
    assert "\n| truncated reply | 10 |\n" in shown
    assert f"1,000 requests of {result.projects} projects in " in shown
    assert "every answer as expected." in shown


@pytest.mark.parametrize(
    ("last", "text"),
    [
        (54.0, "The second half added 4.0 MiB: flat."),
        (40.0, "The second half added -10.0 MiB: flat."),
        (54.5, "The second half added 4.5 MiB: **not flat**."),
        (None, "This system does not tell a process's memory; Linux does."),
    ],
    ids=["flat", "less", "growing", "unknown"],
)
def test_the_verdict_compares_the_end_with_the_middle(soak: ModuleType, last: float | None, text: str) -> None:
    samples = [soak.Sample(0, 10.0), soak.Sample(50_000, 50.0), soak.Sample(100_000, last)]
    full = soak.Soak(samples, Counter(accepted=100_000), [], 1, 100.0, 100_000)
    assert soak.verdict(full).endswith(text)


def test_wrong_answers_are_noticed(soak: ModuleType) -> None:
    with MockServer(Settings(port=0, scenario="conflict")) as mock:
        sender = soak.Sender(int(mock.url.rpartition(":")[2]), 0)
        sender.send(range(len(soak.KINDS)))
        sender.close()
    assert sender.wrong == [
        "request 0, accepted: status 409, scenario conflict",
        "request 1, accepted, new project: status 409, scenario conflict",
    ]


def test_the_script_prints_and_exits_as_it_should() -> None:
    command = [sys.executable, str(BENCH / "soak.py"), "--requests", "100"]
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, encoding="utf-8", timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "100 requests of 44 projects in " in done.stdout
    assert "too few requests to judge" in done.stdout or sys.platform != "linux"
