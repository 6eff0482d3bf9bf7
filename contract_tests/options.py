"""What a run is asked for: one value, from `taurus-mock check` or from pytest's options."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, urlsplit

PROFILES = {"quick": 0, "standard": 6, "thorough": 200}
"""Generated requests for each property."""
_FORM = re.compile(r"[0-9A-Za-z]{32}")


class UsageError(Exception):
    """An option that cannot be: says which, what was expected and what to do."""


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance that the target knows."""

    id: str
    version: str

    @classmethod
    def parse(cls, text: str) -> Instance:
        """From `ID=VERSION`; raises UsageError."""
        instance_id, separator, version = text.partition("=")
        if not (instance_id and separator and version):
            raise UsageError(f"--instance: expected ID=VERSION, such as ...in07=2.0.48.231200, got {text!r}")
        return cls(instance_id, version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything that a run depends on; raises UsageError when two things contradict."""

    url: str | None = None
    """The target's base URL; None: the bundled mock, in process."""
    token: str | None = field(default=None, repr=False)
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    project_id: str | None = None
    instances: tuple[Instance, ...] = ()
    clauses: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    profile: Literal["quick", "standard", "thorough"] = "standard"
    max_examples: int | None = None
    seed: int = 0
    rate: float | None = None
    """Requests per second, at most."""
    timeout: float = 5.0
    """Seconds for the first byte of a reply."""
    strict: bool = False
    allow_upgrades: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.url is not None:
            parts = _parts(self.url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
                raise UsageError(f"the URL: expected http://HOST[:PORT][/PATH], got {self.url!r}")
            if parts.username is not None:
                raise UsageError("the URL: credentials do not belong into it; use --token-env or --ak with --sk-env")
        for name, text in {"--token": self.token, "--ak": self.access_key, "--sk": self.secret_key}.items():
            if text is not None and not (text and text.isprintable() and text.isascii()):
                raise UsageError(f"{name}: expected printable characters of ASCII; perhaps a line feed came along")
        if (self.access_key is None) != (self.secret_key is None):
            raise UsageError("--ak and --sk belong together")
        if self.profile not in PROFILES:
            raise UsageError(f"--profile: expected one of {', '.join(PROFILES)}, got {self.profile!r}")
        if self.project_id is not None and not _FORM.fullmatch(self.project_id):
            raise UsageError(f"--project-id: expected 32 letters and digits, got {self.project_id!r}")
        if self.allow_upgrades and not self.instances:
            raise UsageError("--allow-upgrades: name each instance that may be upgraded with --instance ID=VERSION")

    @property
    def examples(self) -> int:
        """Generated requests for each property."""
        return PROFILES[self.profile] if self.max_examples is None else self.max_examples

    @property
    def is_quick(self) -> bool:
        """Whether each mistake is sent at fewer places and in fewer ways."""
        return self.profile == "quick"

    @property
    def is_safe(self) -> bool:
        """Whether the target may be a real account, so that nothing may be upgraded unasked."""
        return self.url is not None and not is_loopback(urlsplit(self.url).hostname or "")


def _parts(url: str) -> SplitResult:
    """A URL in its parts; raises UsageError where it has no parts, or no such port can be."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # it is read for its error
    except ValueError as error:
        raise UsageError(f"the URL: expected http://HOST[:PORT][/PATH], got {url!r}: {error}") from None
    return parts


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, as it is written: no name is looked up."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
