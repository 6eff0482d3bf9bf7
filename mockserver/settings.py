"""The values of the settings, from flags and environment."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal

from mockserver.errors import SettingsError, nearest
from mockserver.settings_table import BY_NAME, ENVIRONMENT_PREFIX, TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mockserver.settings_table import Setting

Source = Literal["flag", "environment", "default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values in force; the table explains each. Raises SettingsError when two of them contradict."""

    host: str = "127.0.0.1"
    port: int = 8080
    port_file: str | None = None
    scenario: str = "success"
    scenarios: str | None = None
    seed: int = 0
    auth: str = "any"
    token: tuple[str, ...] = field(default=(), repr=False)
    ak: tuple[str, ...] = ()
    sk: tuple[str, ...] = field(default=(), repr=False)
    user: tuple[str, ...] = field(default=(), repr=False)
    fleet: str | None = None
    fleet_size: int | None = None
    unknown_instances: str = "adopt"
    unknown_status: str = "400"
    upgrade_seconds: int = 0
    delay: str = "any"
    min_batch: int | None = None
    max_batch: int | None = None
    strict_ids: bool = False
    admin: bool = True
    admin_token: str | None = field(default=None, repr=False)
    admin_port: int | None = None
    journal_size: int = 1000
    log_format: str = "text"
    quiet: bool = False

    def __post_init__(self) -> None:
        for each in fields(self):
            _check_value(BY_NAME[each.name], getattr(self, each.name), f"setting {each.name}")
        if self.admin_token == "" or "" in self.token:
            raise SettingsError("--token and --admin-token: expected a token, got an empty one, which everybody has")
        if len(self.ak) != len(self.sk):
            raise SettingsError(
                f"--ak is given {len(self.ak)} times and --sk {len(self.sk)} times; each --ak needs its --sk"
            )
        if any(not name or not password for name, _, password in map(_split_user, self.user)):
            raise SettingsError("--user: expected NAME:PASSWORD, both of them with at least one character")
        if self.fleet is not None and self.fleet_size is not None:
            raise SettingsError("--fleet and --fleet-size both say what the fleet is; give one of them")
        if self.min_batch is not None and self.max_batch is not None and self.min_batch > self.max_batch:
            raise SettingsError(f"--min-batch {self.min_batch} is more than --max-batch {self.max_batch}")

    @property
    def secret_keys(self) -> dict[str, str]:
        """Secret key by access key."""
        return dict(zip(self.ak, self.sk, strict=True))

    @property
    def passwords(self) -> dict[str, str]:
        """Password by the name of each user."""
        return {name: password for name, _, password in map(_split_user, self.user)}

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


def _split_user(user: str) -> tuple[str, str, str]:
    return user.partition(":")


def make_settings(values: Mapping[str, object], also: tuple[str, ...] = ()) -> Settings:
    """Settings by name, lists for tuples; raises SettingsError that tells the nearest for an unknown name.

    `also` are names that the caller takes out before, and may be meant.
    """
    for name in values:
        if name not in BY_NAME:
            match = nearest(name, [*BY_NAME, *also])
            hint = f"; did you mean {match!r}?" if match else ""
            raise SettingsError(f"{name}: no such setting{hint}")
    typed = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return Settings(**typed)  # type: ignore[arg-type]  # Settings checks each value


@dataclass(frozen=True, slots=True)
class Resolved:
    """Settings, and where the value of each came from."""

    settings: Settings
    sources: Mapping[str, Source]


def resolve(flags: Mapping[str, object], environment: Mapping[str, str]) -> Resolved:
    """Settings by precedence: flag, then environment, then default.

    `flags` holds values as typed, by setting name; None and () count as not given. Raises SettingsError that names the
    flag or variable, what was expected, and for an unknown variable with our prefix the nearest name.
    """
    _refuse_unknown_variables(environment)
    values: dict[str, object] = {}
    sources: dict[str, Source] = {}
    for setting in TABLE:
        given = flags.get(setting.name)
        if given is not None and given != ():
            values[setting.name] = _parse(setting, given, setting.flag)
            sources[setting.name] = "flag"
        elif environment.get(setting.variable):
            values[setting.name] = _parse(setting, environment[setting.variable], setting.variable)
            sources[setting.name] = "environment"
        else:
            sources[setting.name] = "default"
    return Resolved(Settings(**values), sources)  # type: ignore[arg-type]  # the table types each value


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = {setting.variable for setting in TABLE}
    for name in sorted(environment):
        if name.startswith(ENVIRONMENT_PREFIX) and name not in known:
            match = nearest(name.removeprefix(ENVIRONMENT_PREFIX), BY_NAME)
            hint = f"did you mean {BY_NAME[match].variable}? " if match else ""
            raise SettingsError(f"{name}: no such setting; {hint}`taurus-mock serve --help` lists them all")


def _parse(setting: Setting, given: object, where: str) -> object:
    """The value of the right type for what was typed."""
    if isinstance(setting.default, tuple):
        return tuple(part.strip() for part in given.split(",")) if isinstance(given, str) else given
    if isinstance(setting.default, bool):
        return given if isinstance(given, bool) else _parse_bool(str(given), where)
    if setting.is_number:
        try:
            given = int(str(given))
        except ValueError:
            raise SettingsError(f"{where}: expected a whole number, got {given!r}") from None
    _check_value(setting, given, where)
    return given


def _parse_bool(text: str, where: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    try:
        return words[text.strip().lower()]
    except KeyError:
        raise SettingsError(f"{where}: expected true or false, got {text!r}") from None


def _check_value(setting: Setting, value: object, where: str) -> None:
    if setting.choices and str(value) not in setting.choices:
        match = nearest(str(value), setting.choices)
        hint = f"; did you mean {match!r}?" if match else ""
        raise SettingsError(f"{where}: expected one of {', '.join(setting.choices)}, got {value!r}{hint}")
    if setting.is_number and isinstance(value, int):
        if value < setting.minimum:
            raise SettingsError(f"{where}: expected at least {setting.minimum}, got {value}")
        if setting.maximum is not None and value > setting.maximum:
            raise SettingsError(f"{where}: expected at most {setting.maximum}, got {value}")
