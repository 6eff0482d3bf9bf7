"""The pytest plugin, in pytest runs of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from processes import environment

import mockserver

pytest_plugins = ["pytester"]
TESTS = Path(__file__).resolve().parent
HANG = 120
HELPERS = """
import sys
import threading
import pytest
from support import INSTANCE, batch, send

ID = INSTANCE["instance_id"]

def upgrade(mock, *, headers=None):
    given = {"X-Auth-Token": "a-token", "Content-Type": "application/json"} if headers is None else headers
    return send(mock.url, path=mock.path, headers=given).status
"""


@pytest.fixture
def child(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Child:
    """pytest runs with the plugin and without any other, however this environment installed it."""
    package = Path(str(mockserver.__file__)).parents[1]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), str(package), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # the entry point would load it a second time
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(name, raising=False)
    return Child(pytester)


class Child:
    """Runs tests in a process of their own."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester

    def run(self, tests: str, *options: str, plugin: str = "mockserver.pytest_plugin") -> pytest.RunResult:
        self._pytester.makepyfile(HELPERS + tests)
        arguments = ["-p", plugin, "-p", "no:cacheprovider", "-W", "error", "--strict-markers", "-rA", *options]
        return self._pytester.runpytest_subprocess(*arguments, timeout=HANG)


def test_the_fixture_is_a_project_that_no_other_test_sees(child: Child) -> None:
    result = child.run("""
seen = []

@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_project_of_its_own(taurus_mock, number):
    assert taurus_mock.path == f"/v3/{taurus_mock.project_id}/instances/database-version/upgrade"
    assert taurus_mock.requests == taurus_mock.refused == []
    assert upgrade(taurus_mock) == 200
    taurus_mock.scenario("conflict")
    assert upgrade(taurus_mock) == 409
    assert send(taurus_mock.url, "GET", f"/v3/{taurus_mock.project_id}/x", body=b"").status == 404
    assert [len(taurus_mock.requests), len(taurus_mock.refused)] == [2, 1]
    seen.append(taurus_mock)

def test_there_was_one_server_for_all_of_them():
    assert len({mock.url for mock in seen}) == 1
    assert len({mock.project_id for mock in seen}) == 3
""")
    result.assert_outcomes(passed=4)


def test_the_handle_does_what_the_page_on_tests_says(child: Child) -> None:
    result = child.run("""
def test_a_scenario_as_a_block(taurus_mock):
    with taurus_mock.scenario("internal-error"):
        assert upgrade(taurus_mock) == 500
    assert upgrade(taurus_mock) == 200
    taurus_mock.assert_upgraded(ID)

def test_a_scenario_as_a_call(taurus_mock):
    taurus_mock.scenario("throttled", times=2)
    assert [upgrade(taurus_mock) for _ in range(3)] == [429, 429, 200]

def test_a_reset(taurus_mock):
    taurus_mock.scenario("throttled")
    assert upgrade(taurus_mock) == 429
    taurus_mock.reset()
    assert taurus_mock.requests == []
    assert upgrade(taurus_mock) == 200

def test_an_upgrade_that_never_was(taurus_mock):
    assert upgrade(taurus_mock, headers={"X-Auth-Token": "t", "X-Mock-Scenario": "conflict"}) == 409
    taurus_mock.assert_upgraded(ID)
""")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*AssertionError: expected exactly 1 accepted upgrade of *in07, found none",
            "E*-> 409, not accepted (scenario conflict): *",
        ]
    )


def test_the_marker_gives_settings_and_equal_settings_share_a_server(child: Child) -> None:
    result = child.run("""
urls = {}

@pytest.mark.taurus_mock(auth="signed")
@pytest.mark.parametrize("number", [1, 2])
def test_a_token_is_refused(taurus_mock, number):
    assert upgrade(taurus_mock) == 401
    urls.setdefault("signed", set()).add(taurus_mock.url)

@pytest.mark.taurus_mock(scenario="conflict", auth="off")
class TestSettingsOfAClass:
    def test_it_has_them(self, taurus_mock):
        assert upgrade(taurus_mock, headers={}) == 409
        urls.setdefault("off", set()).add(taurus_mock.url)

    @pytest.mark.taurus_mock(auth="token")
    def test_the_nearest_marker_counts(self, taurus_mock):
        assert upgrade(taurus_mock) == 200
        urls.setdefault("token", set()).add(taurus_mock.url)

@pytest.mark.taurus_mock()
def test_a_marker_without_settings(taurus_mock):
    assert upgrade(taurus_mock) == 200
    urls.setdefault("default", set()).add(taurus_mock.url)

@pytest.mark.taurus_mock(strict=True)
def test_strictness_is_no_setting(taurus_mock):
    assert upgrade(taurus_mock) == 200
    urls["default"].add(taurus_mock.url)

def test_without_a_marker(taurus_mock):
    assert upgrade(taurus_mock) == 200
    urls["default"].add(taurus_mock.url)

def test_there_is_a_server_for_each_set_of_settings():
    assert {name: len(found) for name, found in urls.items()} == dict.fromkeys(["signed", "off", "token", "default"], 1)
    assert len(set.union(*urls.values())) == 4
    assert len([each for each in threading.enumerate() if each.name == "taurus-mock"]) == 4
""")
    result.assert_outcomes(passed=8)


def test_strict_fails_a_test_for_what_the_contract_forbids_and_says_why(child: Child) -> None:
    result = child.run("""
@pytest.mark.taurus_mock(strict=True)
def test_without_credentials(taurus_mock):
    assert upgrade(taurus_mock) == 200
    assert upgrade(taurus_mock, headers={}) == 401

@pytest.mark.taurus_mock(strict=True)
def test_astray(taurus_mock):
    send(taurus_mock.url, "GET", f"/v3/{taurus_mock.project_id}/astray", body=b"")

@pytest.mark.taurus_mock(strict=True)
def test_a_scenario_is_no_mistake_of_the_client(taurus_mock):
    with taurus_mock.scenario("forbidden"):
        assert upgrade(taurus_mock) == 403

def test_lenient(taurus_mock):
    assert upgrade(taurus_mock, headers={}) == 401
""")
    result.assert_outcomes(passed=4, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*AssertionError: the mock refused requests:",
            "E*POST /v3/*/instances/database-version/upgrade -> 401 *X-Auth-Token*",
            "*AssertionError: the mock refused requests:",
            "E*GET /v3/*/astray -> 404 *API does not exist*",
        ]
    )
    reasons = [line for line in str(result.stdout).splitlines() if line.startswith("E  ")]
    assert len(reasons) == 4, "a line for each of the two tests, and one for each refused request"


def test_tests_on_parallel_workers_never_meet(child: Child) -> None:
    result = child.run(
        """
@pytest.mark.taurus_mock(unknown_instances="accept")
@pytest.mark.parametrize("number", range(8))
def test_alone(taurus_mock, worker_id, number, tmp_path_factory):
    assert worker_id in ("gw0", "gw1")
    name = ["conflict", "throttled", "unavailable", "success"][number % 4]
    status = [409, 429, 503, 200][number % 4]
    taurus_mock.scenario(name)
    assert [upgrade(taurus_mock) for _ in range(20)] == [status] * 20
    assert len(taurus_mock.requests) == 20
    print(f"<project={taurus_mock.project_id} worker={worker_id}>")
""",
        *("-p", "xdist.plugin", "-n", "2", "--dist", "load"),
    )
    result.assert_outcomes(passed=8)
    found = set(re.findall(r"<project=(\w+) worker=(\w+)>", str(result.stdout)))
    assert len({project for project, _ in found}) == 8
    assert {worker for _, worker in found} == {"gw0", "gw1"}


def test_a_run_without_the_fixture_imports_and_starts_nothing(child: Child) -> None:
    result = child.run("""
def test_nothing_runs():
    assert threading.enumerate() == [threading.main_thread()]
    assert "mockserver.pytest_plugin" in sys.modules
    assert {"flask", "waitress", "jsonschema_rs", "mockserver.app", "mockserver.client"} & set(sys.modules) == set()
""")
    result.assert_outcomes(passed=1)


def test_importing_the_plugin_costs_nothing() -> None:
    code = """
import pytest, sys, json
before = set(sys.modules)
import mockserver.pytest_plugin
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True, timeout=HANG)
    assert json.loads(result.stdout) == ["mockserver", "mockserver.pytest_plugin"]


def test_the_marker_is_explained(child: Child) -> None:
    result = child.run("", "--markers")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["@pytest.mark.taurus_mock(strict=False, *settings): *mockserver.Settings*"])


MISTAKES = {
    "auht='signed'": r"auht.*did you mean '?auth'?",
    "strikt=True": r"strikt.*did you mean '?strict'?",
    "auth='signd'": r"auth: expected one of any, token, signed, off, got 'signd'; did you mean 'signed'\?",
    "scenario='slwo'": r"no scenario is named 'slwo'; did you mean 'slow'\?",
    "journal_size=0": r"journal_size: expected at least 1, got 0",
    "'off'": r"taurus_mock.*'off'",
}
"""What a marker may say, and what its test must fail with."""


def test_a_mistake_in_the_marker_is_a_clear_error(child: Child) -> None:
    tests = [
        f"@pytest.mark.taurus_mock({marker})\ndef test_mistake_{number}(taurus_mock):\n    pass\n"
        for number, marker in enumerate(MISTAKES)
    ]
    result = child.run("\n".join(tests))
    reasons = [line for line in str(result.stdout).splitlines() if line.startswith("E  ")]
    missing = {marker: text for marker, text in MISTAKES.items() if not any(re.search(text, line) for line in reasons)}
    assert missing == {}, reasons
    result.assert_outcomes(errors=len(MISTAKES))


def test_settings_that_are_a_list_are_as_good_as_a_tuple(child: Child) -> None:
    result = child.run("""
@pytest.mark.taurus_mock(token=["first", "second"], unknown_instances="accept")
def test_only_these_tokens_are_good(taurus_mock):
    statuses = [upgrade(taurus_mock, headers={"X-Auth-Token": each}) for each in ("first", "second", "third")]
    assert statuses == [200, 200, 401]
""")
    result.assert_outcomes(passed=1)


def test_the_declared_entry_point_loads_the_plugin(child: Child, pytester: pytest.Pytester) -> None:
    """A distribution with the project's own declaration, since this environment may have an older one."""
    project = (TESTS.parent / "pyproject.toml").read_text("utf-8")
    declared = re.search(r'\[project\.entry-points\.pytest11\]\n(\w+) = "([\w.]+)"', project)
    assert declared is not None
    name, module = declared.groups()
    folder = pytester.mkdir("declared-1.0.dist-info")
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: declared\nVersion: 1.0\n", "utf-8")
    (folder / "entry_points.txt").write_text(f"[pytest11]\n{name} = {module}\n", "utf-8")
    result = child.run("""
def test_it_is_there(taurus_mock):
    assert upgrade(taurus_mock) == 200
""", plugin=name)  # fmt: skip
    result.assert_outcomes(passed=1)
