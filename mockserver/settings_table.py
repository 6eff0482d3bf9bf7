"""Every setting: one table, read by the command line, the environment, the docs and their test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ENVIRONMENT_PREFIX = "TAURUS_MOCK_"

Group = Literal["server", "contract", "authentication", "behaviour", "fleet", "admin", "output"]


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
    Setting(
        "token", (), "A token to accept, repeatable; without it and --user any will do.", "authentication", secret=True
    ),
    Setting(
        "ak",
        (),
        "Access key of a signer, repeatable, each with its --sk; without it signatures are not verified.",
        "authentication",
    ),
    Setting("sk", (), "Secret key of the --ak in the same place.", "authentication", secret=True),
    Setting(
        "user",
        (),
        "NAME:PASSWORD that gets a token from POST /v3/auth/tokens, repeatable; without it anybody does.",
        "authentication",
        metavar="NAME:PASSWORD",
        secret=True,
    ),
    Setting("fleet", None, "JSON file with the instances that each project has at first.", "fleet", metavar="FILE"),
    Setting(
        "fleet_size",
        None,
        "Generate a fleet of so many instances from the seed instead.",
        "fleet",
        maximum=1_000_000,
        metavar="NUMBER",
    ),
    Setting(
        "unknown_instances",
        "adopt",
        "An upgrade of an instance that the fleet does not have: adopt it with the version that the request states, "
        "accept the request each time and keep nothing, or reject it.",
        "fleet",
        choices=("adopt", "accept", "reject"),
    ),
    Setting(
        "unknown_status", "400", "Status that refuses an instance that does not exist.", "fleet", choices=("400", "404")
    ),
    Setting(
        "upgrade_seconds",
        0,
        "How long an upgrade is Running before it is Completed.",
        "fleet",
        maximum=10_000_000,
        metavar="NUMBER",
    ),
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
