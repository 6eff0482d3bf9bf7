"""The identity service's data: one account, a project for each region, users, and the tokens that they get."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mockserver.resources import bundle_root, read_object

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN_LIFETIME = 24 * 3600
"""Seconds for which a token is valid, as the vendor's page on tokens says."""
_PREFIX = "taurus-mock-token"


@dataclass(frozen=True, slots=True)
class Region:
    """A region, and the project of the account there, whose name is the region's id."""

    id: str
    project_id: str
    names: Mapping[str, str]
    """By language."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who may get a token, and what belongs to the one account of the mock."""

    account_id: str
    account_name: str
    regions: tuple[Region, ...]
    passwords: Mapping[str, str]
    """By user name; when empty, anybody gets a token."""
    key: bytes
    """Signs the tokens."""

    def knows(self, name: str, password: str) -> bool:
        """Whether a user may get a token."""
        if not self.passwords:
            return True
        known = self.passwords.get(name, "")
        return hmac.compare_digest(known.encode(), password.encode()) and name in self.passwords

    def region_of(self, project_id: str) -> Region:
        """The region of a project; a project that the account does not have is taken for one of its first region."""
        return next((region for region in self.regions if region.project_id == project_id), self.regions[0])

    def issue(self, request_id: str, now: float) -> str:
        """A token that ends 24 hours after `now`, Unix seconds; `request_id` tells it from others."""
        content = f"{_PREFIX}.{int(now) + TOKEN_LIFETIME}.{request_id}"
        return f"{content}.{self._mac(content)}"

    def judge(self, token: str, now: float) -> Literal["valid", "expired", "foreign"]:
        """What a token is at a time, Unix seconds: one of those issued here, or foreign."""
        content, _, mac = token.rpartition(".")
        prefix, _, rest = content.partition(".")
        if prefix != _PREFIX or not hmac.compare_digest(mac.encode("utf-8", "replace"), self._mac(content).encode()):
            return "foreign"
        return "valid" if now < int(rest.partition(".")[0]) else "expired"

    def _mac(self, content: str) -> str:
        return hmac.new(self.key, content.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def load_identity(passwords: Mapping[str, str], key: bytes) -> Identity:
    """The bundled account with its regions; raises ResourceError when `fixtures/identity.json` is unusable."""
    document: dict[str, Any] = read_object(bundle_root() / "fixtures" / "identity.json", schema="identity")
    return Identity(
        account_id=document["account"]["id"],
        account_name=document["account"]["name"],
        regions=tuple(Region(each["id"], each["project_id"], each["names"]) for each in document["regions"]),
        passwords=passwords,
        key=key,
    )
