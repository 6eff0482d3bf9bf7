"""The client's side of the AK/SK signature `SDK-HMAC-SHA256`: the headers that make a request a signed one.

Source: the vendor's signing guide and what its Python and Node SDKs send.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timezone
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

SCHEME = "SDK-HMAC-SHA256"
NEVER_SIGNED = frozenset({"accept", "accept-encoding", "authorization", "connection", "content-length"})
"""Proxies change them, HTTP libraries add them, and the signature can not sign itself."""
_UNRESERVED = "-_.~"


def sign(  # noqa: PLR0913  # a request and a credential have no fewer parts
    method: str,
    target: str,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    *,
    access_key: str,
    secret_key: str,
    now: datetime,
) -> list[tuple[str, str]]:
    """The headers X-Sdk-Date and Authorization that sign this request.

    `target` is the path and query as they are sent, percent-encoded. `headers` are those that are sent, Host among
    them. All of them are signed, except those that no SDK signs: NEVER_SIGNED and names with an underscore. An
    X-Sdk-Date among them stays the date of the signature and is not returned again. `now` is aware of its time zone.
    Raises ValueError for headers without Host, for a signed name that comes twice, and for a naive `now`.
    """
    if now.tzinfo is None:
        raise ValueError("a signature needs the time in UTC: give `now` a time zone")
    signed = [(name.lower(), _as_read(value)) for name, value in headers if _is_signed(name)]
    date = dict(signed).get("x-sdk-date")
    added = [] if date is not None else [("X-Sdk-Date", now.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ"))]
    signed = sorted(signed + [(name.lower(), value) for name, value in added])
    names = [name for name, _ in signed]
    if "host" not in names or len(set(names)) < len(names):
        raise ValueError(f"a signature needs Host, and each signed header once; these came: {', '.join(names)}")
    canonical = _canonical_request(method, target, signed, body)
    text = f"{SCHEME}\n{dict(signed)['x-sdk-date']}\n{hashlib.sha256(canonical).hexdigest()}"
    signature = hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
    value = f"{SCHEME} Access={access_key}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return [*added, ("Authorization", value)]


def _is_signed(name: str) -> bool:
    return name.lower() not in NEVER_SIGNED and "_" not in name


def _canonical_request(method: str, target: str, signed: Sequence[tuple[str, str]], body: bytes) -> bytes:
    """The six lines that both sides sign; the fourth ends in a line feed of its own."""
    path, _, query = target.partition("?")
    payload = dict(signed).get("x-sdk-content-sha256") or hashlib.sha256(body).hexdigest()
    lines = (
        method.upper(),
        _canonical_path(path),
        _canonical_query(query),
        "".join(f"{name}:{value}\n" for name, value in signed),
        ";".join(name for name, _ in signed),
        payload,
    )
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _canonical_path(path: str) -> str:
    """Decoded once and encoded anew by segment; a slash at the end, even where the target has none."""
    encoded = quote(unquote(path), safe=f"/{_UNRESERVED}")
    return encoded if encoded.endswith("/") else f"{encoded}/"


def _canonical_query(query: str) -> str:
    """Parameters decoded, sorted by name, then by value, and encoded anew."""
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{quote(name, safe=_UNRESERVED)}={quote(value, safe=_UNRESERVED)}" for name, value in pairs)


def _as_read(value: str) -> str:
    """A header's value as the gateway reads it: trimmed, and UTF-8 where its bytes are."""
    try:
        value = value.encode("latin-1").decode()
    except UnicodeError:
        return value.strip()
    return value.strip()
