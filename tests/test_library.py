"""The scenarios in force: a user's folder beside the bundled ones, read again when a file changes."""

from __future__ import annotations

import logging
import os
import shutil
from itertools import count
from typing import TYPE_CHECKING

import pytest
from test_scenario_files import write

from mockserver.catalogue import load_catalogue
from mockserver.contract import load_contract
from mockserver.errors import ResourceError, ScenarioError
from mockserver.library import Library
from mockserver.logs import LOGGER
from mockserver.scenarios import ErrorAnswer, bundled_scenarios
from mockserver.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ERRORS = load_catalogue().errors
OPERATIONS = load_contract(Settings()).ids
BUNDLED = bundled_scenarios(ERRORS)
CONFLICT, UNAVAILABLE = {"answer": {"error": "operation-running"}}, {"answer": {"error": "unavailable"}}
_TIMES = count(1)


def load(folder: Path | None, default: str = "success") -> Library:
    return Library(default, str(folder) if folder else None, ERRORS, OPERATIONS)


def save(folder: Path, name: str = "mine", /, **keys: object) -> Path:
    """A scenario file whose modification time no earlier one has."""
    path = write(folder, name, **keys)
    moment = 1_800_000_000 + next(_TIMES)
    os.utime(path, (moment, moment))
    return path


def answer(library: Library, name: str = "mine") -> object:
    """The error that a scenario answers."""
    given = library.current.by_name[name].steps[0].answer
    return given.error if isinstance(given, ErrorAnswer) else given


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.LogCaptureFixture]:
    """What the mock logs, however an earlier test configured its log."""
    monkeypatch.setattr(LOGGER, "propagate", True)
    with caplog.at_level(logging.INFO, LOGGER.name):
        yield caplog


def test_without_a_folder_the_bundled_scenarios_are_in_force() -> None:
    library = load(None)
    library.refresh(1000)
    assert library.current.by_name == BUNDLED
    assert library.problem is None


def test_a_folder_adds_scenarios_to_the_bundled_ones(tmp_path: Path) -> None:
    save(tmp_path, **CONFLICT, prefer=418)
    current = load(tmp_path, "mine").current
    mine = current.by_name["mine"]
    assert current.by_name == {**BUNDLED, "mine": mine}
    assert (current.default, current.by_code["418"], current.by_magic_id[mine.magic_id]) == (mine, mine, mine)


def test_a_folder_replaces_a_bundled_scenario_of_the_same_name(tmp_path: Path) -> None:
    save(tmp_path, "throttled", **CONFLICT)
    current = load(tmp_path).current
    assert answer(load(tmp_path), "throttled") == "operation-running"
    assert set(current.by_name) == set(BUNDLED)
    assert "429" not in current.by_code
    assert current.by_magic_id[BUNDLED["throttled"].magic_id] == current.by_name["throttled"]


def test_a_missing_folder_is_an_error_at_start(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "absent")
    assert str(caught.value) == f"{tmp_path / 'absent'}: no such folder of scenarios"


def test_a_file_instead_of_a_folder_is_an_error_at_start(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no such folder of scenarios"):
        load(save(tmp_path))


def test_an_unusable_file_is_an_error_at_start(tmp_path: Path) -> None:
    path = save(tmp_path, waits=1)
    with pytest.raises(ResourceError) as caught:
        load(tmp_path)
    assert str(caught.value).startswith(f"{path}: at the top: ")


def test_a_magic_id_of_a_bundled_scenario_can_not_be_taken(tmp_path: Path) -> None:
    save(tmp_path, "not-fo-und")
    with pytest.raises(ScenarioError, match="'not-found' and 'not-fo-und' have the same magic id"):
        load(tmp_path)


def test_a_changed_file_is_picked_up(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    save(tmp_path, **CONFLICT)
    library = load(tmp_path)
    save(tmp_path, **UNAVAILABLE)
    library.refresh(1000)
    assert answer(library) == "unavailable"
    assert log.messages == [f"scenarios read again from {tmp_path}"]


def test_the_same_size_or_the_same_time_does_not_hide_a_change(tmp_path: Path) -> None:
    path = save(tmp_path, summary="one")
    library = load(tmp_path)
    save(tmp_path, summary="two")
    library.refresh(1000)
    assert library.current.by_name["mine"].summary == "two"
    kept = path.stat()
    write(tmp_path, summary="three")
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    library.refresh(2000)
    assert library.current.by_name["mine"].summary == "three"


def test_a_new_file_is_picked_up_and_a_deleted_one_goes(tmp_path: Path) -> None:
    library = load(tmp_path)
    path = save(tmp_path, "throttled", **CONFLICT)
    save(tmp_path, **CONFLICT)
    library.refresh(1000)
    assert [answer(library, name) for name in ("throttled", "mine")] == ["operation-running"] * 2
    path.unlink()
    library.refresh(2000)
    assert answer(library, "throttled") == "throttled"
    assert answer(library) == "operation-running"


def test_the_folder_is_looked_at_now_and_then_only(tmp_path: Path) -> None:
    library = load(tmp_path)
    library.refresh(1000)
    save(tmp_path)
    library.refresh(1000.1)
    assert "mine" not in library.current.by_name
    library.refresh(1000.3)
    assert "mine" in library.current.by_name


def test_nothing_is_read_when_nothing_changed(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    save(tmp_path)
    library = load(tmp_path)
    before = library.current
    library.refresh(1000)
    assert library.current is before
    assert log.messages == []


def test_a_broken_edit_keeps_the_former_scenarios_says_so_once_and_recovers(
    tmp_path: Path, log: pytest.LogCaptureFixture
) -> None:
    save(tmp_path, **CONFLICT)
    library = load(tmp_path)
    before = library.current
    path = save(tmp_path, waits=1)
    save(tmp_path, "another")
    for now in (1000, 2000):
        library.refresh(now)
        assert library.current is before
    problem = str(library.problem)
    assert problem.startswith(f"{path}: at the top: ")
    assert "'waits' is perhaps 'wait'" in problem
    assert [(record.levelname, record.getMessage()) for record in log.records] == [
        ("ERROR", f"scenarios not read again, the former ones stay in force: {problem}")
    ]
    save(tmp_path, **UNAVAILABLE)
    library.refresh(3000)
    assert library.problem is None
    assert answer(library) == "unavailable"
    assert "another" in library.current.by_name


def test_half_a_file_keeps_the_former_scenarios(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    """An editor that does not write at once leaves one for a moment."""
    path = save(tmp_path, **CONFLICT)
    library = load(tmp_path)
    path.write_text('{"name": "mi', "utf-8")
    library.refresh(1000)
    assert answer(library) == "operation-running"
    assert str(library.problem).startswith(f"{path}:1:")
    assert len(log.records) == 1


def test_a_deleted_folder_keeps_the_former_scenarios(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    save(folder, **CONFLICT)
    library = load(folder)
    shutil.rmtree(folder)
    library.refresh(1000)
    assert answer(library) == "operation-running"
    assert library.problem == f"{folder}: no such folder of scenarios"
    assert len(log.records) == 1


def test_the_scenario_of_the_start_can_not_be_deleted(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    path = save(tmp_path, **CONFLICT)
    library = load(tmp_path, "mine")
    path.unlink()
    library.refresh(1000)
    assert library.current.default.name == "mine"
    assert str(library.problem).startswith("--scenario: no scenario is named 'mine'")
    assert len(log.records) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows lets only administrators make symbolic links")
def test_a_lock_of_an_editor_is_no_scenario(tmp_path: Path) -> None:
    """Emacs keeps a link to nowhere beside a file that it edits."""
    save(tmp_path, **CONFLICT)
    library = load(tmp_path)
    (tmp_path / ".#mine.json").symlink_to("user@host.1:2")
    save(tmp_path, **UNAVAILABLE)
    library.refresh(1000)
    assert answer(library) == "unavailable"
    assert library.problem is None


def test_a_scenario_for_an_operation_that_does_not_exist_is_refused_with_the_nearest(tmp_path: Path) -> None:
    save(tmp_path, only={"operation": ["ListImmediateJobs", "BatchUpgradeDatabase"]})
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        "scenario 'mine', at /only/operation: no operation has the id 'BatchUpgradeDatabase';"
        " did you mean 'BatchUpgradeDatabases'? GET /openapi.json lists them all"
    )
