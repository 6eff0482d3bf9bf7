"""Who may use the admin API: this machine, or whoever has the token; never a web page of somebody else's."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mockserver.model import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Guard:
    """Checks a request to the admin API."""

    token: str | None
    hosts: frozenset[str]
    """Names under which the mock may be called, beside those of this machine."""

    def check(self, headers: Mapping[str, str], remote_address: str) -> None:
        """Return when the request may go on; raises ApiError that says what was wrong.

        `headers` have lower-case names. A web page that the user visits can reach this machine: it betrays itself by a
        foreign Origin, or, after rebinding its own name to this address, by a foreign Host.
        """
        host = _host_name(headers.get("host", ""))
        # A page that rebinds its own name has no token, and other machines know this one by names that nobody told us.
        if self.token is None and not (host in self.hosts or _is_loopback(host)):
            raise ApiError("admin-forbidden", {"reason": f"the Host {host!r} is not a name of this machine"})
        origin = headers.get("origin")
        if origin is not None and _site(origin) != headers.get("host", "").lower():
            raise ApiError("admin-forbidden", {"reason": f"the Origin {origin[:80]!r} is another site's"})
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise ApiError("admin-forbidden", {"reason": "the request comes from another site's page"})
        if self.token is None:
            if not _is_loopback(remote_address):
                raise ApiError("admin-forbidden", {"reason": "without --admin-token only this machine may use it"})
        elif not self._has_token(headers):
            raise ApiError("admin-unauthorized")

    def _has_token(self, headers: Mapping[str, str]) -> bool:
        given = headers.get("x-admin-token") or headers.get("authorization", "").removeprefix("Bearer ")
        return bool(given) and hmac.compare_digest(given.encode("utf-8", "replace"), str(self.token).encode())


def _host_name(host: str) -> str:
    """The name or address in a Host header, without port and brackets, in lower case."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _site(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
