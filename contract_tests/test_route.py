"""The operation is where the page says, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import strategies as st

from contract_tests import documents
from contract_tests.calls import BATCH, DELAY, ID, VERSION, changed, item, without
from contract_tests.strategies import spaced
from contract_tests.verdicts import ACCEPTED, EITHER, NOT_HERE, Expectation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.judge import Judge
    from contract_tests.messages import Request

EITHER_INSTANCE = EITHER.also(401, 403)
"""What the calls may get that find out which instances and projects the target takes."""
EITHER_PATH = EITHER.also(*sorted(NOT_HERE.statuses - EITHER.statuses))
METHODS = ("GET", "PUT", "PATCH", "DELETE", "UPGRADE")
BODILESS = ("GET", "DELETE")
OTHER_PATHS = {
    "a part added": ("/upgrade", "/upgrade/now"),
    "letters added at the end": ("/upgrade", "/upgrades"),
    "letters added before": ("/upgrade", "/pre-upgrade"),
    "the last part missing": ("/upgrade", ""),
    "the last part cut": ("/upgrade", "/upgrad"),
    "the last part in capitals": ("/upgrade", "/UPGRADE"),
    "the last part capitalised": ("/upgrade", "/Upgrade"),
    "another last part": ("/upgrade", "/pre-check"),
    "another part": ("database-version", "database-versions"),
    "an underscore for the hyphen": ("database-version", "database_version"),
    "no hyphen": ("database-version", "databaseversion"),
    "capitals": ("database-version", "Database-Version"),
    "a part missing": ("/database-version", ""),
    "a part twice": ("/database-version", "/database-version/database-version"),
    "the singular": ("/instances", "/instance"),
    "the collection in capitals": ("/instances", "/INSTANCES"),
    "the collection missing": ("/instances", ""),
    "no project id": ("{project_id}/", ""),
    "an empty project id": ("{project_id}", ""),
    "two project ids": ("{project_id}", "{project_id}/{project_id}"),
    "a part between": ("/instances/", "/instances/nosuchinstance000000000000000000in07/"),
    "another version": ("/v3/", "/v2/"),
    "a minor version": ("/v3/", "/v3.1/"),
    "the version in capitals": ("/v3/", "/V3/"),
    "no version": ("/v3/", "/"),
    "a part before": ("/v3/", "/api/v3/"),
    "a suffix": ("/upgrade", "/upgrade.json"),
    "something after a semicolon": ("/upgrade", "/upgrade;v=1"),
    "a fullwidth letter": ("/upgrade", quote("/ｕpgrade")),
    "a blank at the end": ("/upgrade", "/upgrade%20"),
    "a line feed at the end": ("/upgrade", "/upgrade%0A"),
}
"""What is replaced by what, in the documented path."""


@pytest.mark.clause("route.example")
def test_the_documented_example_is_accepted(judge: Judge) -> None:
    for request, outcome in judge.survey.exchanges:
        judge.judge([replace(request, instances="new")], outcome, judge.fitting(request, may_get(request)))
    judge.accepted_only_with(other_forms(judge))
    judge.needs_acceptance(once=True)
    if not judge.calls.habits.is_used_up:
        judge.expect(judge.calls.good("a good call"), ACCEPTED)


def may_get(request: Request) -> Expectation:
    """What a first call may get: the documented instance, unlike made-up ones, may have been upgraded before."""
    return EITHER_INSTANCE.also(409) if documents.example_item()[ID].encode() in request.body else EITHER_INSTANCE


def other_forms(judge: Judge) -> Iterator[Request]:
    """Good calls but for ids and versions of forms that no page shows."""
    good = judge.calls.body()
    own = item(judge.calls.made_up(9))
    for version in ("2.0.28.18", "2.0.75.28", "2.0.60.241200", "2.0.28", "8.0"):
        yield judge.calls.post(changed(good, **{BATCH: [{**own, VERSION: version}]}), f"version {version}")
    for text in (own[ID][:-4], own[ID][:-4] + "no07", own[ID][4:], own[ID].upper(), "instance-1", "1"):
        yield judge.calls.post(changed(good, **{BATCH: [{**own, ID: text}]}), f"instance id {text}")


@pytest.mark.clause("route.method")
def test_no_other_method_upgrades(judge: Judge) -> None:
    # A server may leave a body unread that it does not expect, so the connection is not used again.
    good = judge.calls.post(judge.calls.body(), headers=(("Connection", "close"),))
    judge.expect_all((replace(good, method=method, note=f"the method {method}") for method in METHODS), NOT_HERE)
    bare = without(replace(good, body=b""), "Content-Type")
    judge.expect_all((replace(bare, method=method, note=f"{method} without a body") for method in BODILESS), NOT_HERE)


@pytest.mark.clause("route.example")
def test_a_good_call_is_accepted_in_every_combination(judge: Judge) -> None:
    judge.needs_acceptance()
    judge.expect_all(pairs(judge), ACCEPTED)
    judge.explore(lambda made: judge.expect(made, ACCEPTED), combinations(judge))


def pairs(judge: Judge) -> Iterator[Request]:
    """Good calls with each delay, language and media type together."""
    sizes = [size for size in (1, 2, 12) if judge.calls.instances(size)]
    languages = [(), (("X-Language", "en-us"),), (("X-Language", "zh-cn"),)]
    media_types = ["application/json", "application/json;charset=utf-8"]
    kinds = product(range(len(judge.calls.habits.delays)), languages, media_types)
    for number, (variant, language, media_type) in enumerate(kinds):
        body = judge.calls.body(sizes[number % len(sizes)], variant)
        note = f"delay {json.dumps(body[DELAY])}, {media_type}, {' '.join(*language) if language else 'no language'}"
        call = judge.calls.post(body, headers=language)
        yield without(call, "Content-Type", ("Content-Type", media_type), note=note)


@st.composite
def combinations(draw: st.DrawFn, judge: Judge) -> Request:
    """Good calls that differ in everything that must not matter."""
    size = draw(st.integers(1, 100).filter(lambda size: judge.calls.instances(size) is not None))
    body = judge.calls.body(size, draw(st.integers(0, 3)))
    text = draw(spaced(body))
    language = draw(st.sampled_from([(), (("X-Language", "en-us"),), (("X-Language", "zh-cn"),)]))
    media_type = draw(st.sampled_from(["application/json", "application/json;charset=utf-8"]))
    call = without(judge.calls.post(text, headers=language), "Content-Type", ("Content-Type", media_type))
    return replace(
        call, note=f"{size} instances, delay {json.dumps(body[DELAY])}, {media_type}, {language or 'no language'}"
    )


@pytest.mark.clause("route.path")
def test_no_other_path_upgrades(judge: Judge) -> None:
    good = judge.calls.good()
    for note, (old, new) in OTHER_PATHS.items():
        project_id = judge.calls.habits.project_id
        target = good.target.replace(project_id, "{project_id}").replace(old, new).replace("{project_id}", project_id)
        judge.expect_all([replace(good, target=target, note=f"the path with {note}: {target}")], NOT_HERE)


@pytest.mark.clause("route.trailing-slash")
def test_a_slash_at_the_end_is_observed(judge: Judge) -> None:
    good = judge.calls.good()
    observed = [replace(good, target=good.target + "/", note="a slash after the path")]
    judge.observe_all(observed, EITHER_PATH)
