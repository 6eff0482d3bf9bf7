"""Which scenario a request meets: every way reaches every scenario, and the nearest way wins."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support import INSTANCE, NO_FLEET, NOW, PROJECT_ID, UPGRADE, api_request, batch

from mockserver.catalogue import load_catalogue
from mockserver.choosing import Scenarios
from mockserver.conditions import EVERY_REQUEST, Only
from mockserver.engine import Engine, load_engine
from mockserver.fleet import Policy
from mockserver.scenarios import ErrorAnswer, Scenario, Step, bundled_scenarios
from mockserver.settings import Settings
from mockserver.stores import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockserver.model import ApiRequest

OTHER_PROJECT = "0" * 32
TOKEN = {"X-Auth-Token": "t"}
BUNDLED = bundled_scenarios(load_catalogue().errors)
OWN_PROJECT = Only(project_id=PROJECT_ID)


def fresh(engine: Engine) -> Engine:
    """The engine with a store of the test's own; the same upgrade is accepted any number of times."""
    return replace(engine, store=Store(NO_FLEET), policy=Policy(unknown_instances="accept"))


def chosen(engine: Engine, request: ApiRequest) -> tuple[str | None, str | None]:
    """The scenario that a request met, and what chose it."""
    exchange = engine.handle(request)
    return exchange.scenario, exchange.chosen_by


def asking(name: str | None = None, *, code: object = None, magic: tuple[str, ...] = ()) -> ApiRequest:
    """The documented example with a header, a preference, or magic instances behind the ordinary one."""
    headers = {**TOKEN, **({"X-Mock-Scenario": name} if name else {}), **({"Prefer": f"code={code}"} if code else {})}
    return api_request(instances(None, *magic), headers=headers)


def instances(*names: str | None) -> dict[str, object]:
    """A batch with the magic instance of each scenario, and an ordinary one for None."""
    ids = [INSTANCE["instance_id"] if name is None else BUNDLED[name].magic_id for name in names]
    return batch(*({**INSTANCE, "instance_id": instance_id} for instance_id in ids))


def with_rule(engine: Engine, name: str, only: Only = EVERY_REQUEST, times: int | None = None) -> Engine:
    engine.store.add_rule(name, only, times)
    return engine


def starting_with(engine: Engine, name: str, *added: Scenario) -> Engine:
    """The engine as it is after `--scenario NAME`, with further scenarios."""
    started = load_engine(Settings(scenario=name if name in BUNDLED else "success"))
    started.library.current = Scenarios.of({**BUNDLED, **{each.name: each for each in added}}, name)
    return replace(fresh(engine), library=started.library)


WAYS: dict[str, tuple[str, Callable[[Engine, str], tuple[Engine, ApiRequest]]]] = {
    "header": ("header", lambda engine, name: (engine, asking(name))),
    "magic-first": ("magic id", lambda engine, name: (engine, api_request(instances(name, None, None)))),
    "magic-in-the-middle": ("magic id", lambda engine, name: (engine, api_request(instances(None, name, None)))),
    "magic-last": ("magic id", lambda engine, name: (engine, api_request(instances(None, None, name)))),
    "rule-for-the-project": ("rule", lambda engine, name: (with_rule(engine, name, OWN_PROJECT), api_request())),
    "rule-for-all": ("rule", lambda engine, name: (with_rule(engine, name), api_request())),
}


@pytest.mark.parametrize("name", BUNDLED)
@pytest.mark.parametrize("way", WAYS)
def test_every_way_reaches_every_scenario(engine: Engine, way: str, name: str) -> None:
    chosen_by, prepare = WAYS[way]
    assert chosen(*prepare(fresh(engine), name)) == (name, chosen_by)


@pytest.mark.parametrize("name", BUNDLED)
def test_the_start_reaches_every_scenario(name: str) -> None:
    assert chosen(load_engine(Settings(scenario=name)), api_request()) == (name, "start")


@pytest.mark.parametrize("name", [name for name, scenario in BUNDLED.items() if scenario.prefer])
def test_a_preference_reaches_every_scenario_with_a_status(engine: Engine, name: str) -> None:
    exchange = fresh(engine).handle(asking(code=BUNDLED[name].prefer))
    assert (exchange.scenario, exchange.chosen_by, exchange.reply.status) == (name, "prefer", BUNDLED[name].prefer)


def test_each_status_is_preferred_by_one_scenario() -> None:
    statuses = [scenario.prefer for scenario in BUNDLED.values() if scenario.prefer]
    assert sorted(statuses) == sorted(set(statuses))


NEIGHBOURS: dict[str, tuple[str, Callable[[Engine], tuple[Engine, ApiRequest]]]] = {
    "header-before-prefer": ("header", lambda engine: (engine, asking("throttled", code=500))),
    "prefer-before-magic": ("prefer", lambda engine: (engine, asking(code=429, magic=("conflict",)))),
    "magic-before-rule": (
        "magic id",
        lambda engine: (with_rule(engine, "conflict", OWN_PROJECT), asking(magic=("throttled",))),
    ),
    "project-before-all": (
        "rule",
        lambda engine: (with_rule(with_rule(engine, "conflict"), "throttled", OWN_PROJECT), asking()),
    ),
    "earlier-before-later": (
        "rule",
        lambda engine: (with_rule(with_rule(engine, "throttled"), "conflict"), asking()),
    ),
    "rule-before-start": (
        "rule",
        lambda engine: (with_rule(starting_with(engine, "conflict"), "throttled"), asking()),
    ),
    "start-before-success": ("start", lambda engine: (starting_with(engine, "throttled"), asking())),
}


@pytest.mark.parametrize("neighbours", NEIGHBOURS)
def test_the_nearer_of_two_ways_wins(engine: Engine, neighbours: str) -> None:
    chosen_by, prepare = NEIGHBOURS[neighbours]
    assert chosen(*prepare(fresh(engine))) == ("throttled", chosen_by)


def test_a_request_that_nothing_sends_elsewhere_succeeds(engine: Engine) -> None:
    assert chosen(fresh(engine), asking()) == ("success", "start")


def test_of_several_magic_ids_the_first_in_the_batch_wins(engine: Engine) -> None:
    assert chosen(engine, api_request(instances(None, "conflict", "throttled"))) == ("conflict", "magic id")
    assert chosen(engine, api_request(instances("throttled", "conflict"))) == ("throttled", "magic id")


@pytest.mark.parametrize(
    "instance_id",
    [
        "mockteapot0000000000000000000000in07",
        "mockconflict00000000000000000000in01",
        "MOCKCONFLICT00000000000000000000IN07",
        "mockconflict0000000000000000000in07",
        "mockconflict0000000000000000٠٠٠١in07",
        "mockconflict0000000000000000000xin07",
        "mockconflict000000000000000100000in07",
        "conflict",
    ],
    ids=[
        "no-such-scenario",
        "other-end",
        "capitals",
        "a-zero-less",
        "digits-that-are-not-ascii",
        "no-number",
        "a-number-of-five-digits",
        "name",
    ],
)
def test_an_id_that_only_looks_magic_is_an_ordinary_instance(engine: Engine, instance_id: str) -> None:
    request = api_request(batch({**INSTANCE, "instance_id": instance_id}))
    assert chosen(fresh(engine), request) == ("success", "start")


@pytest.mark.parametrize("number", ["0000", "0001", "0042", "9999"])
def test_the_last_four_digits_of_a_magic_id_may_be_any_number(engine: Engine, number: str) -> None:
    """So that one batch can hold several instances that ask for the same."""
    for name, scenario in BUNDLED.items():
        instance_id = f"{scenario.magic_id[:28]}{number}in07"
        request = api_request(batch(INSTANCE, {**INSTANCE, "instance_id": instance_id}))
        assert chosen(fresh(engine), request) == (name, "magic id"), instance_id


def test_the_digits_of_a_name_are_no_number(engine: Engine) -> None:
    """An id that is one scenario's own is never another's with a number."""
    short = Scenario("a" * 24, "A name of 24 letters", steps=(Step(ErrorAnswer("throttled")),))
    numbered = Scenario(f"{'a' * 24}0001", "A name that ends in digits", steps=(Step(ErrorAnswer("unavailable")),))
    started = starting_with(engine, "success", short, numbered)
    ids = [f"mock{'a' * 24}{number}in07" for number in ("0000", "0001", "0002")]
    met = [chosen(started, api_request(batch({**INSTANCE, "instance_id": each})))[0] for each in ids]
    assert met == [short.name, numbered.name, short.name]


def test_a_magic_id_has_the_documented_form_and_is_never_real() -> None:
    ids = [scenario.magic_id for scenario in BUNDLED.values()]
    assert len(set(ids)) == len(ids)
    for name, magic_id in zip(BUNDLED, ids, strict=True):
        assert re.fullmatch("[a-z0-9]{32}in07", magic_id), name
        assert not re.fullmatch("[0-9a-fA-F]{32}", magic_id[:32]), name
        assert name.replace("-", "") in magic_id


def test_strict_ids_let_every_magic_id_pass() -> None:
    strict = load_engine(Settings(strict_ids=True))
    for name in BUNDLED:
        exchange = strict.handle(api_request(instances(name)))
        assert (exchange.scenario, exchange.violations) == (name, ())


ELSEWHERE = Scenario("elsewhere", "For another project", prefer=418, only=Only(project_id=OTHER_PROJECT))
TWICE = Scenario("twice", "409 twice", times=2, steps=(Step(ErrorAnswer("operation-running")),))


@pytest.mark.parametrize(
    ("default", "headers", "names", "expected"),
    [
        ("success", {"X-Mock-Scenario": "elsewhere", "Prefer": "code=503"}, (None,), ("unavailable", "prefer")),
        ("success", {"Prefer": "code=418"}, ("conflict",), ("conflict", "magic id")),
        ("success", {}, ("elsewhere", "conflict"), ("conflict", "magic id")),
        ("throttled", {}, ("elsewhere",), ("throttled", "start")),
        ("elsewhere", {}, (None,), ("success", "start")),
    ],
    ids=["header", "prefer", "magic-to-magic", "magic-to-start", "start"],
)
def test_a_scenario_for_other_requests_is_passed_over(
    engine: Engine,
    default: str,
    headers: dict[str, str],
    names: tuple[str | None, ...],
    expected: tuple[str, str],
) -> None:
    known = {**BUNDLED, "elsewhere": ELSEWHERE}
    ids = [known[name].magic_id if name else INSTANCE["instance_id"] for name in names]
    body = batch(*({**INSTANCE, "instance_id": each} for each in ids))
    started = starting_with(engine, default, ELSEWHERE)
    assert chosen(started, api_request(body, headers={**TOKEN, **headers})) == expected


def test_a_rule_whose_scenario_is_for_other_requests_is_passed_over(engine: Engine) -> None:
    started = with_rule(starting_with(engine, "throttled", ELSEWHERE), "elsewhere")
    assert chosen(started, asking()) == ("throttled", "start")
    assert chosen(started, api_request(path=api_request().path.replace(PROJECT_ID, OTHER_PROJECT))) == (
        "elsewhere",
        "rule",
    )


def test_requests_that_a_rules_scenario_passes_over_do_not_use_it_up(engine: Engine) -> None:
    """Or a list before the upgrade would take the one conflict that the upgrade shall meet."""
    used = fresh(engine)
    used.store.add_rule("conflict", Only(), times=1)
    listed = api_request(b"", method="GET", path=f"/v3/{PROJECT_ID}/instances")
    assert chosen(used, listed) == ("success", "start")
    assert [rule.used for rule in used.store.rules()] == [0]
    assert [chosen(used, asking()) for _ in range(2)] == [("conflict", "rule"), ("success", "start")]


def test_a_rule_for_other_requests_leaves_them_to_the_next(engine: Engine) -> None:
    used = fresh(engine)
    with_rule(with_rule(used, "conflict", Only(instance_id="another")), "throttled", Only(headers=(("X-A", "1"),)))
    assert chosen(used, asking()) == ("success", "start")
    assert chosen(used, api_request(headers={**TOKEN, "X-A": "1"})) == ("throttled", "rule")
    assert [rule.used for rule in used.store.rules()] == [0, 1]


def test_a_rule_ends_when_its_times_are_used_up(engine: Engine) -> None:
    used = with_rule(with_rule(fresh(engine), "conflict", times=2), "throttled", times=1)
    assert [chosen(used, asking())[0] for _ in range(4)] == ["conflict", "conflict", "throttled", "success"]


def test_a_scenario_ends_for_each_project_when_its_times_are_used_up(engine: Engine) -> None:
    started = starting_with(engine, "twice", TWICE)
    elsewhere = api_request(path=asking().path.replace(PROJECT_ID, OTHER_PROJECT))
    met = [started.handle(request) for request in (asking(), asking(), elsewhere, asking(), elsewhere, elsewhere)]
    assert [exchange.reply.status for exchange in met] == [409, 409, 409, 200, 409, 200]
    assert [exchange.accepted for exchange in met] == [False, False, False, True, False, True]
    assert {exchange.scenario for exchange in met} == {"twice"}
    started.store.clear_state(PROJECT_ID)
    assert started.handle(asking()).reply.status == 409


def test_a_sequence_goes_on_for_each_project_apart(engine: Engine) -> None:
    started = starting_with(engine, "fail-twice-then-succeed")
    elsewhere = api_request(path=asking().path.replace(PROJECT_ID, OTHER_PROJECT))
    assert [started.handle(asking()).reply.status for _ in range(4)] == [503, 503, 200, 200]
    assert started.handle(elsewhere).reply.status == 503


def reading(operation: str, **headers: str) -> ApiRequest:
    """A request to one of the operations that take no body."""
    paths = {
        "ShowInstanceDatabaseVersion": f"/v3/{PROJECT_ID}/instances/{BUNDLED['throttled'].magic_id}/database-version",
        "ListImmediateJobs": f"/v3/{PROJECT_ID}/immediate-jobs",
        "KeystoneListProjects": "/v3/projects",
        "KeystoneListRegions": "/v3/regions",
    }
    return api_request(b"", method="GET", path=paths[operation], headers={**TOKEN, **headers})


def test_a_magic_id_in_the_path_chooses_as_one_in_the_batch_does(engine: Engine) -> None:
    assert chosen(fresh(engine), reading("ShowInstanceDatabaseVersion")) == ("throttled", "magic id")
    assert chosen(fresh(engine), reading("ListImmediateJobs")) == ("success", "start")


@pytest.mark.parametrize(
    ("operation", "headers", "expected"),
    [
        ("ListImmediateJobs", {"X-Mock-Scenario": "throttled"}, ("throttled", "header")),
        ("ListImmediateJobs", {"Prefer": "code=429"}, ("throttled", "prefer")),
        ("ListImmediateJobs", {}, ("unavailable", "rule")),
        ("KeystoneListProjects", {"X-Mock-Scenario": "throttled"}, ("throttled", "header")),
        ("KeystoneListProjects", {"Prefer": "code=429"}, ("throttled", "prefer")),
        ("KeystoneListProjects", {}, ("success", "start")),
    ],
    ids=["header", "prefer", "rule", "header-to-identity", "prefer-to-identity", "no-rule-for-identity"],
)
def test_a_rule_for_everything_leaves_the_identity_service_alone(
    engine: Engine, operation: str, headers: dict[str, str], expected: tuple[str, str]
) -> None:
    """Whoever lets upgrades fail does not mean the look-ups before them; whoever sends the header does."""
    assert chosen(with_rule(fresh(engine), "unavailable"), reading(operation, **headers)) == expected


@pytest.mark.parametrize(
    ("operations", "met"),
    [
        (("KeystoneListProjects",), {"KeystoneListProjects"}),
        (("KeystoneListProjects", "ListImmediateJobs"), {"KeystoneListProjects", "ListImmediateJobs"}),
        ((UPGRADE,), set()),
        ((), {"ListImmediateJobs"}),
    ],
    ids=["one", "two", "another", "all"],
)
def test_a_rule_and_the_start_meet_the_operations_that_they_name(
    engine: Engine, operations: tuple[str, ...], met: set[str]
) -> None:
    only = Only(operations=operations)
    everything = ["KeystoneListProjects", "KeystoneListRegions", "ListImmediateJobs"]
    ruled = with_rule(fresh(engine), "unavailable", only)
    assert {each for each in everything if chosen(ruled, reading(each))[1] == "rule"} == met
    refusing = Scenario("refusing", "Named operations", only=only, steps=(Step(ErrorAnswer("operation-running")),))
    started = starting_with(engine, "refusing", refusing)
    assert {each for each in everything if chosen(started, reading(each))[0] == "refusing"} == met


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ("CODE = 500", "internal-error"),
        ("wait=5; code=503", "unavailable"),
        ("code=403, code=500", "forbidden"),
        ('code="401"', "unauthorized"),
        ("xcode=500", "success"),
        ("code", "success"),
        ("", "success"),
    ],
    ids=["letter-case-and-spaces", "second-parameter", "first-of-two", "quoted", "other-name", "no-value", "empty"],
)
def test_a_preference_is_read_as_rfc_7240_says(engine: Engine, prefer: str, expected: str) -> None:
    assert chosen(fresh(engine), api_request(headers={**TOKEN, "Prefer": prefer}))[0] == expected


@pytest.mark.parametrize(
    ("headers", "beginning"),
    [
        ({"X-Mock-Scenario": "Sucess"}, "X-Mock-Scenario names no scenario: 'Sucess'. Did you mean success? Known: "),
        ({"X-Mock-Scenario": "zzzz"}, "X-Mock-Scenario names no scenario: 'zzzz'. Known: already-latest, "),
        ({"X-Mock-Scenario": "x" * 1000}, f"X-Mock-Scenario names no scenario: '{'x' * 60}'. Known: "),
        ({"Prefer": "code=5000"}, "Prefer: code names no scenario: '5000'. Did you mean 500? Known: 200, 307, "),
        ({"Prefer": "code="}, "Prefer: code names no scenario: ''. Known: "),
        ({"Prefer": "code=５００"}, "Prefer: code names no scenario: '５００'. Known: "),
    ],
    ids=["near", "nothing-near", "long", "code", "empty-code", "digits-that-are-not-ascii"],
)
def test_an_unknown_name_is_refused_with_its_nearest(engine: Engine, headers: dict[str, str], beginning: str) -> None:
    exchange = engine.handle(api_request(headers={**TOKEN, **headers}, received_at=NOW))
    body = json.loads(exchange.reply.body)
    assert (exchange.reply.status, exchange.scenario, body["error_code"]) == (400, None, "MOCK.0001")
    assert body["error_msg"].startswith(beginning)
