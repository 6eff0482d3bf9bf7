"""Who is asked, and what they are like: options, the target with its pace, secrets and guard, and the survey."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from implementations.changes import CORRECT, SERVER, WRONG, Change, source
from support import INSTANCE, PROJECT_ID
from test_implementations import serving
from test_wire_of_the_suite import OK, scripted, unused_port

from contract_tests.guard import IMPOSSIBLE_ID, GuardStop
from contract_tests.messages import NoReply, Outcome, Reply, Request
from contract_tests.options import Instance, Options, UsageError, is_loopback
from contract_tests.survey import CredentialsRefused, Survey, Unreachable, survey
from contract_tests.target import NOT_SENT, Target, TargetLost

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REMOTE = "https://taurusdb.example.com/gateway/"
REAL = Instance("6754902da1f447269c6979b0590102a5in07", "2.0.48.231200")
GOOD = Request("POST", "/a", (("X-Auth-Token", "$TOKEN"),), b"{}", "a good call")
SECRET = "MIIFYwYJKoZIhvcNAQcCoIIFVDCCBVACAQExDTALBglg"  # noqa: S105  # made up
SUCCESS = Reply(200, (("content-type", "application/json"),), b'{"resp":"success"}')
REFUSAL = Reply(400, (("content-type", "application/json"),), b'{"error_code":"a","error_msg":"b"}')
THROTTLED = b"HTTP/1.1 429 Slow\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def targeting(url: str, **options: Any) -> Iterator[tuple[Target, Options]]:  # noqa: ANN401  # of the tables
    given = Options(url=url, **options)
    target = Target(given, url)
    try:
        yield target, given
    finally:
        target.close()


@dataclass
class FakeWire:
    """Takes the place of the wire: keeps what would be sent, and answers from a list, the last of which stays."""

    answers: list[Outcome]
    sent: list[Request] = field(default_factory=list)

    def exchange(self, request: Request, *, fresh: bool = False) -> Outcome:  # noqa: ARG002  # as the wire has it
        self.sent.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def at_once(self, requests: Sequence[Request]) -> list[Outcome]:
        return [self.exchange(request) for request in requests]

    def close(self) -> None:
        """Nothing."""


def faked(monkeypatch: pytest.MonkeyPatch, *answers: Outcome, **options: Any) -> tuple[Target, FakeWire]:  # noqa: ANN401  # of the tables
    """A target without a network."""
    wire = FakeWire(list(answers) or [SUCCESS])
    monkeypatch.setattr("contract_tests.target.Wire", lambda *_: wire)
    given = Options(**{"url": "http://127.0.0.1:1", **options})
    return Target(given, str(given.url)), wire


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, by a clock that moves only so."""
    clock, waited = [1000.0], []

    def wait_until(moment: float) -> None:
        waited.append(round(moment - clock[0], 6))
        clock[0] = max(clock[0], moment)

    monkeypatch.setattr("contract_tests.target.wait_until", wait_until)
    monkeypatch.setattr("contract_tests.target.time.monotonic", lambda: clock[0])
    return waited


# The options.


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"url": "ftp://a"}, "the URL: expected http://HOST[:PORT][/PATH], got 'ftp://a'"),
        ({"url": "127.0.0.1:80"}, "the URL: expected http://HOST[:PORT][/PATH], got '127.0.0.1:80'"),
        ({"url": ""}, "the URL: expected http://HOST[:PORT][/PATH], got ''"),
        ({"url": "http://"}, "the URL: expected http://HOST[:PORT][/PATH], got 'http://'"),
        ({"url": "http://a/?b=c"}, "the URL: expected http://HOST[:PORT][/PATH], got 'http://a/?b=c'"),
        ({"url": "http://a/#b"}, "the URL: expected http://HOST[:PORT][/PATH], got 'http://a/#b'"),
        (
            {"url": "http://a:99999"},
            "the URL: expected http://HOST[:PORT][/PATH], got 'http://a:99999': Port out of range 0-65535",
        ),
        ({"url": "http://[a"}, "the URL: expected http://HOST[:PORT][/PATH], got 'http://[a': Invalid IPv6 URL"),
        (
            {"url": "http://me:secret@a"},
            "the URL: credentials do not belong into it; use --token-env or --ak with --sk-env",
        ),
        ({"access_key": "a"}, "--ak and --sk belong together"),
        ({"secret_key": "a"}, "--ak and --sk belong together"),
        ({"profile": "fast"}, "--profile: expected one of quick, standard, thorough, got 'fast'"),
        ({"project_id": "a" * 31}, f"--project-id: expected 32 letters and digits, got '{'a' * 31}'"),
        ({"project_id": "a" * 32 + "\n"}, f"--project-id: expected 32 letters and digits, got '{'a' * 32}\\n'"),
        ({"project_id": "٣" * 32}, f"--project-id: expected 32 letters and digits, got '{'٣' * 32}'"),
        (
            {"allow_upgrades": True},
            "--allow-upgrades: name each instance that may be upgraded with --instance ID=VERSION",
        ),
        ({"token": "a\n"}, "--token: expected printable characters of ASCII; perhaps a line feed came along"),
        ({"token": ""}, "--token: expected printable characters of ASCII; perhaps a line feed came along"),
        ({"access_key": "é"}, "--ak: expected printable characters of ASCII; perhaps a line feed came along"),
        ({"secret_key": "\0"}, "--sk: expected printable characters of ASCII; perhaps a line feed came along"),
    ],
    ids=lambda value: None if isinstance(value, str) else "-".join(value),
)
def test_options_that_cannot_be_are_told(options: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Options(**options)
    assert str(caught.value) == text


@pytest.mark.parametrize("text", ["", "=", "a", "a=", "=2.0", " "])
def test_an_instance_without_id_or_version_is_told(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Instance.parse(text)
    assert str(caught.value) == f"--instance: expected ID=VERSION, such as ...in07=2.0.48.231200, got {text!r}"


def test_an_instance_is_its_id_and_its_version() -> None:
    assert Instance.parse("abcin07=2.0=b") == Instance("abcin07", "2.0=b")


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("127.0.0.1", True),
        ("127.255.0.3", True),
        ("::1", True),
        ("0:0:0:0:0:0:0:1", True),
        ("localhost", True),
        ("LocalHost", True),
        ("localhost.", True),
        ("", False),
        ("127.1", False),
        ("2130706433", False),
        ("0x7f000001", False),
        ("127.0.0.1.", False),
        ("127.0.0.01", False),
        ("0.0.0.0", False),  # noqa: S104  # nothing is bound
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
        ("mylocalhost", False),
        ("127.0.0.1.example.com", False),
        ("example.com", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, answer: bool) -> None:  # noqa: FBT001  # a table
    assert is_loopback(host) is answer


@pytest.mark.parametrize(
    ("options", "safe"),
    [
        ({}, False),
        ({"url": "http://127.0.0.1:80"}, False),
        ({"url": "http://[::1]/a"}, False),
        ({"url": "https://LOCALHOST"}, False),
        ({"url": REMOTE}, True),
        ({"url": "http://127.0.0.1.example.com"}, True),
        ({"url": REMOTE, "allow_upgrades": True, "instances": (REAL,)}, True),
    ],
    ids=["mock", "ipv4", "ipv6", "name", "remote", "resembling", "with-upgrades"],
)
def test_every_target_but_this_machine_may_be_a_real_account(options: dict[str, Any], safe: bool) -> None:  # noqa: FBT001  # a table
    assert Options(**options).is_safe is safe


def test_the_number_of_examples_is_given_or_of_the_profile() -> None:
    assert 0 == Options(profile="quick").examples < Options().examples < Options(profile="thorough").examples
    assert Options(profile="quick", max_examples=7).examples == 7


def test_options_show_no_secret() -> None:
    assert SECRET not in repr(Options(token=SECRET, access_key="a", secret_key=SECRET))


# The target.


@pytest.mark.parametrize(
    ("url", "shown", "base"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", ""),
        ("http://127.0.0.1/", "http://127.0.0.1", ""),
        ("https://[::1]:443/a/b/", "https://[::1]:443", "/a/b"),
        ("HTTP://LocalHost/A", "http://localhost", "/A"),
    ],
)
def test_a_target_is_where_its_url_says(url: str, shown: str, base: str) -> None:
    with targeting(url) as (target, _):
        assert (target.url, target.base) == (shown, base)


def test_a_secret_is_filled_in_on_the_way_only(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Request] = []
    target, wire = faked(monkeypatch, token=SECRET)
    target._tell = told.append  # noqa: SLF001  # as the constructor takes it
    target.exchange(GOOD)
    assert wire.sent == [replace(GOOD, headers=(("X-Auth-Token", SECRET),))]
    assert (told, target.requests, target.credentials) == ([GOOD], 1, (("X-Auth-Token", "$TOKEN"),))


def test_without_a_token_one_is_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    target, wire = faked(monkeypatch)
    target.exchange(GOOD)
    assert wire.sent[0].headers == (("X-Auth-Token", "contract-check"),)
    assert target.filtered("contract-check") == "contract-check"


def test_a_call_is_signed_in_place_of_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    target, wire = faked(monkeypatch, access_key="an-access-key", secret_key=SECRET)
    target.exchange(replace(GOOD, headers=target.credentials))
    headers = dict(wire.sent[0].headers)
    assert headers["Authorization"].startswith("SDK-HMAC-SHA256 Access=an-access-key, SignedHeaders=")
    assert "X-Sdk-Date" in headers
    assert SECRET not in repr(wire.sent)


@pytest.mark.parametrize(
    ("text", "filtered"),
    [
        (f"the token {SECRET} is bad", "the token [Filtered] is bad"),
        (f"{SECRET}{SECRET}", "[Filtered][Filtered]"),
        (f"{SECRET[:20]}…", "[Filtered]…"),
        (f"a {SECRET[:12]}, b {SECRET[:-1]}", "a [Filtered], b [Filtered]"),
        ("MIIF is how many begin", "MIIF is how many begin"),
        ("another-secret-key", "[Filtered]"),
        ("", ""),
    ],
    ids=["whole", "twice", "cut", "both", "short", "key", "nothing"],
)
def test_secrets_are_filtered_from_what_a_target_says(
    text: str, filtered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, _ = faked(monkeypatch, token=SECRET, access_key="a", secret_key="another-secret-key")  # noqa: S106  # made up
    assert target.filtered(text) == filtered


def test_a_refusal_that_shows_the_credentials_is_told_without_them() -> None:
    long = SECRET * 10
    body = json.dumps({"error_code": "a", "error_msg": f"bad token {long}"}).encode()
    reply = b"HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with (
        scripted(["read", reply] * 20 + ["stay"]) as server,
        targeting(server.url, token=long) as (target, options),
        pytest.raises(CredentialsRefused) as caught,
    ):
        survey(target, options)
    assert "every good call was refused: 401" in str(caught.value)
    assert SECRET[:12] not in str(caught.value)


def test_retry_after_is_honoured_on_the_same_connection() -> None:
    with (
        scripted(("read", THROTTLED % b"0", "read", OK, "stay")) as server,
        targeting(server.url) as (target, _),
    ):
        outcome = target.exchange(GOOD)
        assert len(server.requests[0]) == 2
        assert (target.requests, target.lost) == (2, None)
    assert isinstance(outcome, Reply)
    assert outcome.status == 200


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("100000", 60.0),
        ("9" * 400, 60.0),
        ("Mon, 01 Jan 2024 00:00:00 GMT", 0.0),
        ("Mon, 01 Jan 2024 00:00:00", 0.0),
        ("Mon, 01 Jan 2024 00:00:00 -0000", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 60.0),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("Mon, 99 Jan 2024 00:00:00 GMT", None),
        ("Mon, 01 Jan 2024 00:00:00 +9999", None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wait_is_as_long_as_the_target_asks_up_to_a_minute(
    value: str, wait: float | None, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    target, wire = faked(monkeypatch, Reply(429, (("retry-after", value),), b""), SUCCESS)
    outcome = target.exchange(GOOD)
    assert isinstance(outcome, Reply)
    assert (waits, outcome.status, len(wire.sent)) == (([], 429, 1) if wait is None else ([wait], 200, 2))


@pytest.mark.parametrize("status", [200, 400, 503])
def test_only_429_is_sent_again(status: int, monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    target, wire = faked(monkeypatch, Reply(status, (("retry-after", "1"),), b""))
    target.exchange(GOOD)
    assert (waits, len(wire.sent)) == ([], 1)


def test_a_target_that_is_always_busy_is_lost(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    target, wire = faked(monkeypatch, Reply(429, (("retry-after", "5"),), b""))
    outcome = target.exchange(GOOD)
    assert isinstance(outcome, Reply)
    assert (outcome.status, waits, len(wire.sent)) == (429, [5.0, 5.0], 3)
    with pytest.raises(TargetLost, match=r"^the target still answered 429 after each wait .* see --rate$"):
        target.exchange(GOOD)
    assert len(wire.sent) == 3


def test_no_more_requests_go_out_than_allowed(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    target, wire = faked(monkeypatch, rate=5)
    for _ in range(3):
        target.exchange(GOOD)
    target.at_once([GOOD] * 2)
    assert len(wire.sent) == 5
    assert waits == [-1000.0, 0.2, 0.2, 0.2, 0.2]


def test_without_a_rate_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    target, _ = faked(monkeypatch)
    target.exchange(GOOD)
    assert waits == []


@pytest.mark.parametrize("kind", ["timeout", "stalled"])
def test_a_target_that_is_silent_three_times_is_lost(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401  # of the table
    silent = NoReply(kind, "nothing came")
    target, wire = faked(monkeypatch, silent, SUCCESS, silent, REFUSAL, silent)
    for _ in range(5):
        target.exchange(GOOD)
    for send in (target.exchange, lambda request: target.at_once([request]), lambda r: target.exchange_each([r])):
        with pytest.raises(TargetLost, match=r"^the target left 3 requests without a whole answer$"):
            send(GOOD)  # type: ignore[operator]  # each takes a request
    assert len(wire.sent) == 5


@pytest.mark.parametrize("kind", ["closed", "reset", "cut", "not-http", "refused"])
def test_a_target_that_breaks_connections_is_not_lost(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401  # of the table
    target, _ = faked(monkeypatch, NoReply(kind, "a detail"))
    for _ in range(10):
        target.exchange(GOOD)
    assert target.lost is None


def test_each_of_many_requests_gets_its_own_reply() -> None:
    with serving(SERVER.read_text("utf-8")) as url, targeting(url) as (target, options):
        calls = survey(target, options).calls
        requests = [calls.good() if number % 3 else calls.post({}) for number in range(20)]
        outcomes = target.exchange_each(requests)
    assert [outcome.status for outcome in outcomes if isinstance(outcome, Reply)] == [
        200 if n % 3 else 400 for n in range(20)
    ]


NAMES_A_REAL_ONE = replace(GOOD, body=json.dumps({"instance_id": REAL.id}).encode())


@pytest.mark.parametrize("way", ["exchange", "at_once", "exchange_each"])
def test_the_guard_looks_before_any_byte_leaves(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, wire = faked(monkeypatch, REFUSAL, url=REMOTE)
    with pytest.raises(GuardStop, match="Nothing was sent"):
        getattr(target, way)(NAMES_A_REAL_ONE if way == "exchange" else [NAMES_A_REAL_ONE] * 8)
    assert (wire.sent, target.requests) == ([], 0)


def test_the_guard_is_asked_about_the_request_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def check(_: object, *request: object) -> None:
        asked.append(request)
        raise GuardStop("no")

    target, wire = faked(monkeypatch, url=REMOTE, token=SECRET)
    monkeypatch.setattr("contract_tests.guard.Guard.check", check)
    with pytest.raises(GuardStop, match=r"^no$"):
        target.exchange(GOOD)
    assert (asked, wire.sent) == ([(GOOD.target, GOOD.headers, GOOD.body)], [])


def test_a_target_on_this_machine_has_no_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    target, wire = faked(monkeypatch)
    assert target.exchange(NAMES_A_REAL_ONE) == SUCCESS
    assert len(wire.sent) == 1


@pytest.mark.parametrize("way", ["exchange", "at_once"])
def test_the_first_unexpected_success_ends_the_run(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, _ = faked(monkeypatch, REFUSAL, SUCCESS, url=REMOTE)
    target.exchange(GOOD)
    with pytest.raises(GuardStop, match=r"^the target answered 200 to a request that names no real instance \(a good"):
        getattr(target, way)(GOOD if way == "exchange" else [GOOD] * 2)


def test_a_success_that_was_allowed_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    target, _ = faked(monkeypatch, url=REMOTE, allow_upgrades=True, instances=(REAL,))
    assert target.exchange(NAMES_A_REAL_ONE) == SUCCESS
    with pytest.raises(GuardStop):
        target.exchange(replace(GOOD, body=json.dumps({"instance_id": "0" + REAL.id[1:]}).encode()))


def test_a_dry_run_sends_nothing_and_tells_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    target, wire = faked(monkeypatch, url=REMOTE, dry_run=True)
    assert target.exchange(GOOD) is NOT_SENT
    assert target.at_once([GOOD] * 3) == [NOT_SENT] * 3
    assert (wire.sent, target.requests) == ([], 4)
    with pytest.raises(GuardStop):
        target.exchange(NAMES_A_REAL_ONE)


# The survey.


def surveyed(change: str, **options: Any) -> Survey:  # noqa: ANN401  # of the tables
    """What the survey finds out about a server with a change of that name."""
    changes = {each.name: each for each in (*CORRECT, *WRONG)}
    return surveyed_as(changes[change], **options)


def surveyed_as(change: Change, **options: Any) -> Survey:  # noqa: ANN401  # of the tables
    with serving(source(change)) as url, targeting(url, **options) as (target, given):
        return survey(target, given)


def test_a_server_that_takes_everything_has_no_habits() -> None:
    with serving(SERVER.read_text("utf-8")) as url, targeting(url) as (target, options):
        found = survey(target, options)
        assert target.lost is None
    habits = found.calls.habits
    assert found.accepts
    assert found.refusal.startswith("200 ")
    assert habits.delays == (False, "false", True, "true")
    assert (habits.takes_any_instance, habits.refuses_projects_with, habits.documents_404) == (True, frozenset(), True)
    assert habits.project_id != PROJECT_ID
    assert found.calls.instances(3) is not None


HABITS: dict[str, dict[str, object]] = {
    "known-instances-only-404": {"known": (REAL,), "takes_any_instance": False},
    "known-instances-only-400": {"known": (REAL,), "takes_any_instance": False},
    "instances-looked-up-first": {"known": (REAL,), "takes_any_instance": False},
    "one-project-only": {"project_id": PROJECT_ID, "refuses_projects_with": frozenset({403})},
    "one-project-only-404": {"project_id": PROJECT_ID, "refuses_projects_with": frozenset({404})},
    "delay-boolean-only": {"delays": (False, True)},
    "delay-string-only": {"delays": ("false", "true")},
    "delay-mixed": {"delays": ("false", True)},
    "404-as-text": {"documents_404": False},
    "closed-unannounced": {"takes_any_instance": True},
    "http-1.0-kept": {"takes_any_instance": True},
    "instances-once": {"upgrades_once": True, "takes_any_instance": True, "known": (), "series": ""},
    "instances-once-400": {"upgrades_once": True, "takes_any_instance": True},
    "instances-once-403": {"upgrades_once": True, "refuses_projects_with": frozenset()},
    "instances-once-404": {"upgrades_once": True, "refuses_projects_with": frozenset()},
    "instances-once-of-all-projects": {"upgrades_once": True, "refuses_projects_with": frozenset()},
    "instances-once-delay-string-only": {"upgrades_once": True, "delays": ("false", "true"), "series": ""},
    "instances-once-in-one-project": {"upgrades_once": True, "project_id": PROJECT_ID, "series": ""},
    "instances-twice": {"upgrades_once": True, "takes_any_instance": True},
    "same-body-refused": {"upgrades_once": True, "takes_any_instance": True},
    "known-instances-once": {"upgrades_once": True, "takes_any_instance": False, "known": (REAL,)},
    "known-instances-once-400": {"upgrades_once": True, "takes_any_instance": False, "known": (REAL,)},
    "known-instances-once-looked-up-first": {"upgrades_once": True, "takes_any_instance": False},
    "second-success-refused": {"upgrades_once": False, "takes_any_instance": True},
    "second-upgrade-refused": {"upgrades_once": True, "takes_any_instance": True},
}


@pytest.mark.parametrize("name", HABITS)
def test_the_survey_finds_out_what_a_target_takes(name: str) -> None:
    found = surveyed(name)
    assert found.accepts
    assert {key: getattr(found.calls.habits, key) for key in HABITS[name]} == HABITS[name]
    last = found.exchanges[-1]
    assert isinstance(last[1], Reply)


@pytest.mark.parametrize("name", [name for name in HABITS if name != "known-instances-once-400"])
def test_nothing_is_left_to_chance_on_a_target_that_nobody_asked_before(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contract_tests.survey._unused_series", pytest.fail)
    assert surveyed(name).accepts


@pytest.mark.parametrize("named", [(), (Instance("a" * 32 + "in07", "9"),)], ids=["made-up", "named"])
@pytest.mark.parametrize(
    "name",
    [
        "instances-once",
        "instances-once-400",
        "instances-once-404",
        "instances-once-of-all-projects",
        "instances-once-delay-string-only",
        "instances-once-in-one-project",
    ],
)
def test_a_target_that_remembers_former_runs_is_asked_for_unused_instances(
    name: str, named: tuple[Instance, ...]
) -> None:
    """Each run costs about as much as the others, and calls what is its own."""
    first: list[tuple[str, str]] = []
    with serving(source({change.name: change for change in CORRECT}[name])) as url:
        for _ in range(12):
            with targeting(url, instances=named) as (target, options):
                found = survey(target, options)
                assert found.accepts
                assert target.requests < 60
                first.append((found.calls.habits.project_id, found.calls.made_up(0).id))
                assert found.calls.habits.known == ()
                assert target.exchange(found.calls.good()).status == 200  # type: ignore[union-attr]  # a reply
    assert len(set(first)) == len(first)


def test_a_target_whose_known_instances_are_used_up_accepts_nothing() -> None:
    with serving(source({change.name: change for change in CORRECT}["known-instances-once"])) as url:
        found = []
        for _ in range(2):
            with targeting(url, project_id="Z" * 32) as (target, options):
                found.append(survey(target, options))
    assert [each.accepts for each in found] == [True, False]
    assert [each.calls.habits.is_used_up for each in found] == [True, False]
    assert [outcome.status for _, outcome in found[0].again if isinstance(outcome, Reply)] == [409, 409]


def test_named_instances_that_are_upgraded_once_give_way_to_made_up_ones() -> None:
    found = surveyed("instances-once", instances=(REAL,))
    habits = found.calls.habits
    assert (habits.known, habits.takes_any_instance, habits.upgrades_once, habits.series) == ((), True, True, "")
    assert [json.loads(request.body)["databases_instance_infos"] for request, _ in found.again] == [[INSTANCE]] * 2


def test_named_instances_are_used_up_where_no_other_is_taken() -> None:
    named = (REAL, replace(REAL, id="b" * 32 + "in07"))
    found = surveyed("known-instances-once", instances=named)
    assert (found.calls.habits.known, found.calls.habits.is_used_up) == (named, True)


def test_known_instances_are_all_that_is_sent_as_good() -> None:
    found = surveyed("known-instances-only-404")
    assert found.calls.body()["databases_instance_infos"] == [INSTANCE]
    assert found.calls.instances(2) is None


def test_named_instances_and_projects_are_used_first() -> None:
    named = (Instance("a" * 32 + "in07", "9"), REAL)
    found = surveyed("delay-boolean-only", instances=named, project_id="Z" * 32)
    habits = found.calls.habits
    assert (habits.known, habits.project_id, habits.takes_any_instance) == (named, "Z" * 32, True)
    assert found.calls.instances(2) == list(named)


@pytest.mark.parametrize(
    ("seconds", "change", "slow"),
    [
        ("0.15", "status, payload = answer(request)", True),
        ("0", "status, payload = answer(request)", False),
    ],
    ids=["late", "at-once"],
)
def test_a_target_is_slow_when_it_answers_late_but_several_at_once(
    seconds: str,
    change: str,
    slow: bool,  # noqa: FBT001  # a table
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("contract_tests.survey._SLOW", 0.1)
    late = Change("late", "", "Late.", change, f'__import__("time").sleep({seconds}); {change}')
    with serving(source(late)) as url, targeting(url) as (target, options):
        assert survey(target, options).accepts
        assert target.is_slow is slow


def test_a_target_that_answers_one_after_the_other_is_not_slow() -> None:
    old = "status, payload = answer(request)"
    new = (
        'gate = globals().setdefault("gate", threading.Lock()); gate.acquire(); '
        f'__import__("time").sleep(0.05); {old}; gate.release()'
    )
    with serving(source(Change("one", "", "One.", old, new))) as url, targeting(url) as (target, options):
        assert survey(target, options).accepts
        assert not target.is_slow


def refusing(status: int) -> Change:
    """A server that refuses every call with a status."""
    new = f'"token": ({status}, "APIGW.0301", "The token is missing.", "缺少 Token。"),'
    old = '"token": (401, "APIGW.0301", "The token is missing.", "缺少 Token。"),'
    return Change("refusing", "", "Refuses.", old, new)


@contextmanager
def serving_refusals(status: int) -> Iterator[str]:
    text = source(refusing(status))
    old = "if not token and not signed:"
    assert text.count(old) == 1
    with serving(text.replace(old, "if True:")) as url:
        yield url


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_told(status: int) -> None:
    with (
        serving_refusals(status) as url,
        targeting(url) as (target, options),
        pytest.raises(CredentialsRefused, match=rf"^every good call was refused: {status} .*APIGW.0301"),
    ):
        survey(target, options)


@pytest.mark.parametrize(("status", "calls"), [(400, 24), (404, 24), (413, 16), (500, 1), (503, 1)])
def test_a_target_that_accepts_nothing_is_found_out(status: int, calls: int) -> None:
    with serving_refusals(status) as url, targeting(url) as (target, options):
        found = survey(target, options)
    assert (found.accepts, len(found.exchanges)) == (False, calls)
    assert found.refusal.startswith(f"{status} ")
    assert len({(request.target, request.body) for request, _ in found.exchanges}) == calls


def test_nobody_who_listens_is_unreachable() -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    with (
        targeting(url) as (target, options),
        pytest.raises(Unreachable, match=rf"^{url} cannot be reached: .*refused"),
    ):
        survey(target, options)


def test_a_target_that_says_nothing_is_asked_once() -> None:
    with scripted(("read", "stay")) as server, targeting(server.url, timeout=0.05) as (target, options):
        found = survey(target, options)
        assert (found.accepts, found.refusal) == (False, "no whole reply (timeout): nothing came")
        assert target.requests == 1


def test_a_real_account_is_asked_nothing_unless_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    target, wire = faked(monkeypatch, url=REMOTE)
    found = survey(target, Options(url=REMOTE))
    assert (found.accepts, found.exchanges, wire.sent) == (False, (), [])
    body = found.calls.body(3)
    assert all(IMPOSSIBLE_ID.fullmatch(item["instance_id"]) for item in body["databases_instance_infos"])
    assert body["delay"] is True
    assert found.calls.path().startswith("/gateway/v3/")


def test_a_real_account_is_asked_for_the_named_instances_only_with_delay_first(monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"url": REMOTE, "allow_upgrades": True, "instances": (REAL,), "project_id": PROJECT_ID}
    target, wire = faked(monkeypatch, REFUSAL, SUCCESS, **options)
    found = survey(target, Options(**options))
    bodies = [json.loads(request.body) for request in wire.sent]
    assert [body["delay"] for body in bodies][:2] == [True, "true"]
    assert [body["databases_instance_infos"] for body in bodies] == [[INSTANCE]] * len(bodies)
    assert found.accepts
    assert not found.calls.habits.takes_any_instance
    assert not found.calls.habits.upgrades_once


def test_a_real_account_that_upgrades_once_is_asked_for_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"url": REMOTE, "allow_upgrades": True, "instances": (REAL,), "project_id": PROJECT_ID}
    target, wire = faked(monkeypatch, SUCCESS, replace(REFUSAL, status=409), **options)
    found = survey(target, Options(**options))
    assert [json.loads(request.body)["databases_instance_infos"] for request in wire.sent] == [[INSTANCE]] * 3
    assert (found.accepts, found.calls.habits.is_used_up) == (True, True)
