"""Settings: one table, three places to say them, and errors that name the place."""

from __future__ import annotations

from dataclasses import fields

import pytest

from mockserver.errors import SettingsError
from mockserver.settings import Settings, make_settings, resolve
from mockserver.settings_table import BY_NAME, TABLE, Setting

TYPED: dict[str, tuple[str, object]] = {
    "host": ("::1", "::1"),
    "port": ("0", 0),
    "port_file": ("port.txt", "port.txt"),
    "scenario": ("throttled", "throttled"),
    "auth": ("signed", "signed"),
    "token": ("one, two", ("one", "two")),
    "ak": ("key", ("key",)),
    "sk": ("secret", ("secret",)),
    "user": ("anna:one, ben:two:three", ("anna:one", "ben:two:three")),
    "fleet": ("fleet.json", "fleet.json"),
    "fleet_size": ("10000", 10_000),
    "unknown_instances": ("reject", "reject"),
    "unknown_status": ("404", "404"),
    "upgrade_seconds": ("90", 90),
    "delay": ("string", "string"),
    "min_batch": ("1", 1),
    "max_batch": ("100", 100),
    "strict_ids": ("yes", True),
    "scenarios": ("folder", "folder"),
    "seed": ("7", 7),
    "admin": ("no", False),
    "admin_token": ("secret", "secret"),
    "admin_port": ("0", 0),
    "journal_size": ("5", 5),
    "log_format": ("json", "json"),
    "quiet": ("ON", True),
}
"""What a variable may say for each setting, and the value that it means."""
NO_USER = "--user: expected NAME:PASSWORD, both of them with at least one character"
PARTNERS = {"ak": {"TAURUS_MOCK_SK": "secret"}, "sk": {"TAURUS_MOCK_AK": "key"}}


def test_table_and_class_agree_on_names_order_and_defaults() -> None:
    defaults = Settings()
    assert [each.name for each in fields(Settings)] == [setting.name for setting in TABLE] == list(BY_NAME)
    assert {setting.name: setting.default for setting in TABLE} == {
        setting.name: getattr(defaults, setting.name) for setting in TABLE
    }


def test_secrets_of_the_table_stay_out_of_what_is_shown() -> None:
    secrets = {"token": ("s3cret-token",), "sk": ("s3cret-key",), "user": ("anna:s3cret-word",)}
    assert "s3cret" not in repr(Settings(ak=("key",), admin_token="s3cret-admin", **secrets))  # noqa: S106  # an example
    hidden = {each.name for each in fields(Settings) if not each.repr}
    assert hidden == {setting.name for setting in TABLE if setting.secret} == {"token", "sk", "user", "admin_token"}


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_a_variable_gives_a_value_of_the_right_type(setting: Setting) -> None:
    text, value = TYPED[setting.name]
    resolved = resolve({}, {setting.variable: text, **PARTNERS.get(setting.name, {})})
    assert getattr(resolved.settings, setting.name) == value
    assert type(getattr(resolved.settings, setting.name)) is type(value)
    assert resolved.sources[setting.name] == "environment"


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_names_of_flag_and_variable_follow_from_the_setting(setting: Setting) -> None:
    assert setting.flag == f"--{setting.name}".replace("_", "-")
    assert setting.variable == f"TAURUS_MOCK_{setting.name}".upper()
    assert setting.help.endswith(".")


def test_a_flag_wins_over_its_variable_and_the_variable_over_the_default() -> None:
    resolved = resolve({"port": "1", "delay": None}, {"TAURUS_MOCK_PORT": "2", "TAURUS_MOCK_DELAY": "string"})
    assert (resolved.settings.port, resolved.sources["port"]) == (1, "flag")
    assert (resolved.settings.delay, resolved.sources["delay"]) == ("string", "environment")
    assert (resolved.settings.host, resolved.sources["host"]) == ("127.0.0.1", "default")


def test_what_is_empty_counts_as_not_given() -> None:
    resolved = resolve({"token": (), "port": None}, {"TAURUS_MOCK_TOKEN": "", "TAURUS_MOCK_PORT": ""})
    assert resolved.settings == Settings()
    assert set(resolved.sources.values()) == {"default"}


def test_a_switch_can_be_turned_off_by_its_flag() -> None:
    assert resolve({"quiet": False}, {"TAURUS_MOCK_QUIET": "1"}).settings.quiet is False


def test_repeated_flags_are_taken_as_they_are() -> None:
    assert resolve({"token": ("a,b", "c")}, {}).settings.token == ("a,b", "c")


def test_other_peoples_variables_are_none_of_our_business() -> None:
    assert resolve({}, {"PORT": "1", "TAURUS_MOCKING": "yes", "taurus_mock_port": "2"}).settings == Settings()


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("true", True), (" Yes ", True), ("0", False), ("false", False), ("no", False), ("off", False)],
    ids=repr,
)
def test_switches_are_understood_in_several_words(text: str, *, value: bool) -> None:
    assert resolve({}, {"TAURUS_MOCK_QUIET": text}).settings.quiet is value


@pytest.mark.parametrize(
    ("flags", "environment", "message"),
    [
        ({"port": "http"}, {}, "--port: expected a whole number, got 'http'"),
        ({}, {"TAURUS_MOCK_PORT": "80.5"}, "TAURUS_MOCK_PORT: expected a whole number, got '80.5'"),
        ({"port": "65536"}, {}, "--port: expected at most 65535, got 65536"),
        ({}, {"TAURUS_MOCK_PORT": "-1"}, "TAURUS_MOCK_PORT: expected at least 0, got -1"),
        ({"max_batch": "0"}, {}, "--max-batch: expected at least 1, got 0"),
        (
            {"auth": "signd"},
            {},
            "--auth: expected one of any, token, signed, off, got 'signd'; did you mean 'signed'?",
        ),
        ({"auth": "kerberos"}, {}, "--auth: expected one of any, token, signed, off, got 'kerberos'"),
        (
            {},
            {"TAURUS_MOCK_DELAY": "Bool"},
            "TAURUS_MOCK_DELAY: expected one of any, boolean, string, got 'Bool'; did you mean 'boolean'?",
        ),
        ({}, {"TAURUS_MOCK_QUIET": "maybe"}, "TAURUS_MOCK_QUIET: expected true or false, got 'maybe'"),
        (
            {"ak": ("one", "two"), "sk": ("secret",)},
            {},
            "--ak is given 2 times and --sk 1 times; each --ak needs its --sk",
        ),
        ({"min_batch": "5", "max_batch": "4"}, {}, "--min-batch 5 is more than --max-batch 4"),
        (
            {"fleet": "fleet.json", "fleet_size": "5"},
            {},
            "--fleet and --fleet-size both say what the fleet is; give one of them",
        ),
        ({"fleet_size": "1000001"}, {}, "--fleet-size: expected at most 1000000, got 1000001"),
        ({"user": ("anna",)}, {}, NO_USER),
        ({"user": (":secret",)}, {}, NO_USER),
        ({}, {"TAURUS_MOCK_USER": "anna:secret,ben:"}, NO_USER),
        (
            {"unknown_instances": "adapt"},
            {},
            "--unknown-instances: expected one of adopt, accept, reject, got 'adapt'; did you mean 'adopt'?",
        ),
        ({"unknown_status": "403"}, {}, "--unknown-status: expected one of 400, 404, got '403'; did you mean '404'?"),
        ({"upgrade_seconds": "-1"}, {}, "--upgrade-seconds: expected at least 0, got -1"),
    ],
    ids=[
        "flag-no-number",
        "variable-no-number",
        "flag-too-large",
        "variable-too-small",
        "flag-too-small",
        "choice-with-a-neighbour",
        "choice-without-neighbour",
        "choice-in-a-variable",
        "no-switch-word",
        "keys-without-partner",
        "empty-range",
        "two-fleets",
        "too-large-a-fleet",
        "user-without-password",
        "user-without-name",
        "user-with-an-empty-password",
        "treatment-with-a-neighbour",
        "status-that-is-not-offered",
        "less-than-no-time",
    ],
)
def test_an_unusable_value_is_refused_with_its_place(
    flags: dict[str, object], environment: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve(flags, environment)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("TAURUS_MOCK_PROT", "TAURUS_MOCK_PROT: no such setting; did you mean TAURUS_MOCK_PORT?"),
        ("TAURUS_MOCK_STRICT_ID", "TAURUS_MOCK_STRICT_ID: no such setting; did you mean TAURUS_MOCK_STRICT_IDS?"),
        ("TAURUS_MOCK_ZZZZ", "TAURUS_MOCK_ZZZZ: no such setting; "),
    ],
    ids=["swapped-letters", "missing-letter", "nothing-near"],
)
def test_an_unknown_variable_of_ours_is_refused_with_what_to_do(name: str, beginning: str) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve({}, {name: "1"})
    assert str(caught.value).startswith(beginning)
    assert str(caught.value).endswith(" lists them all")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"port": 65_536}, "setting port: expected at most 65535, got 65536"),
        ({"auth": "nobody"}, "setting auth: expected one of any, token, signed, off, got 'nobody'"),
        ({"log_format": "jsn"}, "setting log_format: expected one of text, json, got 'jsn'; did you mean 'json'?"),
    ],
    ids=["number", "choice", "neighbour"],
)
def test_values_given_in_python_are_checked_as_well(values: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(**values)  # type: ignore[arg-type]  # wrong values are the point
    assert str(caught.value) == message


def test_each_access_key_gets_the_secret_key_in_its_place() -> None:
    assert Settings(ak=("a", "b"), sk=("1", "2")).secret_keys == {"a": "1", "b": "2"}


def test_a_password_may_have_a_colon_and_its_name_may_not() -> None:
    assert Settings(user=("anna:one:two", "ben: ")).passwords == {"anna": "one:two", "ben": " "}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104  # nothing is bound here
        ("::", False),
        ("", False),
        ("192.0.2.1", False),
        ("127.example.org", False),
    ],
)
def test_only_addresses_of_this_machine_are_on_loopback(host: str, *, expected: bool) -> None:
    assert Settings(host=host).on_loopback is expected


def test_a_choice_that_looks_like_a_number_may_be_one() -> None:
    """As one writes it in Python, in the marker of pytest for instance."""
    assert make_settings({"unknown_status": 404}).unknown_status == 404
