"""One table of settings, read by the command line, the environment, the docs and their test."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal

from mockserver.errors import SettingsError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT_PREFIX = "TAURUS_MOCK_"

Group = Literal["server", "contract", "authentication", "behaviour", "admin", "output"]
Source = Literal["flag", "environment", "default"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table; the type of `default` is the type of the value."""

    name: str
    default: str | int | bool | tuple[str, ...] | None
    help: str
    group: Group
    choices: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int | None = None
    metavar: str = "TEXT"
    secret: bool = False

    @property
    def flag(self) -> str:
        """The command-line flag, such as `--port-file`."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable, such as `TAURUS_MOCK_PORT_FILE`."""
        return ENVIRONMENT_PREFIX + self.name.upper()

    @property
    def is_number(self) -> bool:
        """Whether the value is a whole number."""
        return self.metavar == "NUMBER"


TABLE: tuple[Setting, ...] = (
    Setting("host", "127.0.0.1", "Address to listen on; anything but loopback is open to the network.", "server"),
    Setting("port", 8080, "Port to listen on; 0 takes a free one.", "server", maximum=65535, metavar="NUMBER"),
    Setting("port_file", None, "File that gets the port number once the mock listens.", "server", metavar="PATH"),
    Setting("scenario", "success", "Scenario for requests that ask for none.", "behaviour", metavar="NAME"),
    Setting(
        "scenarios",
        None,
        "Folder with further scenarios, read again when a file changes.",
        "behaviour",
        metavar="FOLDER",
    ),
    Setting("seed", 0, "Decides what chance brings, the same on every run.", "behaviour", metavar="NUMBER"),
    Setting(
        "auth",
        "any",
        "Credentials demanded: a token, a signature, any of the two, or none at all.",
        "authentication",
        choices=("any", "token", "signed", "off"),
    ),
    Setting("token", (), "A token to accept, repeatable; without it any token will do.", "authentication", secret=True),
    Setting(
        "ak",
        (),
        "Access key of a signer, repeatable, each with its --sk; without it signatures are not verified.",
        "authentication",
    ),
    Setting("sk", (), "Secret key of the --ak in the same place.", "authentication", secret=True),
    Setting(
        "delay",
        "any",
        "Encoding of `delay` to accept: boolean, string, or any of the two.",
        "contract",
        choices=("any", "boolean", "string"),
    ),
    Setting("min_batch", None, "Fewest instances in a batch; the API page states none.", "contract", metavar="NUMBER"),
    Setting(
        "max_batch",
        None,
        "Most instances in a batch; the API page states none.",
        "contract",
        minimum=1,
        metavar="NUMBER",
    ),
    Setting(
        "strict_ids",
        default=False,
        help="Accept only ids of 36 letters and digits ending in in07.",
        group="contract",
    ),
    Setting("admin", default=True, help="Offer the admin API under /__admin.", group="admin"),
    Setting(
        "admin_token",
        None,
        "Token that the admin API demands; with it, other machines may use it.",
        "admin",
        secret=True,
    ),
    Setting(
        "admin_port",
        None,
        "Port of its own for the admin API; 0 takes a free one.",
        "admin",
        maximum=65535,
        metavar="NUMBER",
    ),
    Setting(
        "journal_size", 1000, "Requests of a project that the journal keeps.", "admin", minimum=1, metavar="NUMBER"
    ),
    Setting("log_format", "text", "Form of the log on standard error.", "output", choices=("text", "json")),
    Setting("quiet", default=False, help="Log nothing but failures, and print only the ready line.", group="output"),
)
BY_NAME = {setting.name: setting for setting in TABLE}


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
        if self.min_batch is not None and self.max_batch is not None and self.min_batch > self.max_batch:
            raise SettingsError(f"--min-batch {self.min_batch} is more than --max-batch {self.max_batch}")

    @property
    def secret_keys(self) -> dict[str, str]:
        """Secret key by access key."""
        return dict(zip(self.ak, self.sk, strict=True))

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


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
    if setting.choices and value not in setting.choices:
        match = nearest(str(value), setting.choices)
        hint = f"; did you mean {match!r}?" if match else ""
        raise SettingsError(f"{where}: expected one of {', '.join(setting.choices)}, got {value!r}{hint}")
    if setting.is_number and isinstance(value, int):
        if value < setting.minimum:
            raise SettingsError(f"{where}: expected at least {setting.minimum}, got {value}")
        if setting.maximum is not None and value > setting.maximum:
            raise SettingsError(f"{where}: expected at most {setting.maximum}, got {value}")
