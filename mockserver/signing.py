"""The AK/SK signature `SDK-HMAC-SHA256` of the vendor's gateway: the canonical request and its check.

Source: the signing guide and the official Python and Node SDKs, whose requests this module verifies.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from mockserver.filtering import FILTERED, SECRET_HEADERS
from mockserver.model import ApiError, ApiRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEME = "SDK-HMAC-SHA256"
MAX_CLOCK_DIFFERENCE = 15 * 60
"""Seconds by which X-Sdk-Date may differ from the gateway's clock."""

_PARTS = {
    "Access": re.compile(r"\bAccess=([^,\s]+)"),
    "SignedHeaders": re.compile(r"\bSignedHeaders=([^,\s]+)"),
    "Signature": re.compile(r"\bSignature=([0-9a-fA-F]{64})(?![^,\s])"),
}
_SCHEME_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,31}")
_DATE_FORMAT = "%Y%m%dT%H%M%SZ"
_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")


def check_signature(request: ApiRequest, secret_keys: Mapping[str, str], now: float) -> None:
    """Return when the request's Authorization header is a right signature.

    `secret_keys` maps access keys to secret keys. When it is empty, any well-formed signature is right, as there is
    nothing to verify it with. `now` is Unix time in seconds. Raises ApiError with what is wrong.
    """
    access_key, signed_headers, signature = _parse(request.headers.get("authorization", ""))
    if not secret_keys:
        return
    if access_key not in secret_keys:
        raise ApiError("access-key-unknown", {"access_key": access_key})
    date = _signed_date(request, signed_headers, now)
    for name in signed_headers:
        if name not in request.headers:
            raise ApiError("signature-header-absent", {"header": name})
    expected = sign(canonical_request(request, signed_headers), date, secret_keys[access_key])
    if not hmac.compare_digest(expected, signature.lower()):
        shown = canonical_request(request, signed_headers, show_secrets=False)
        raise ApiError("signature-mismatch", {"canonical": shown.replace("\n", "|")})


def canonical_request(request: ApiRequest, signed_headers: tuple[str, ...], *, show_secrets: bool = True) -> str:
    """The text that both sides sign: method, path, query, headers, their names and the body's hash, a line each."""

    def value(name: str) -> str:
        if name in SECRET_HEADERS and not show_secrets:
            return FILTERED
        return request.text(name).strip()

    return "\n".join(
        (
            request.method.upper(),
            _canonical_path(request.path),
            _canonical_query(request.query),
            "".join(f"{name}:{value(name)}\n" for name in signed_headers),
            ";".join(signed_headers),
            request.headers.get("x-sdk-content-sha256") or hashlib.sha256(request.body).hexdigest(),
        )
    )


def sign(canonical: str, date: str, secret_key: str) -> str:
    """The signature, 64 hexadecimal digits, of a canonical request signed at `date` (X-Sdk-Date)."""
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    text = f"{SCHEME}\n{date}\n{digest}"
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _parse(authorization: str) -> tuple[str, tuple[str, ...], str]:
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme != SCHEME:
        # A word that stands alone may be a secret sent without its scheme.
        shown = scheme if rest and _SCHEME_NAME.fullmatch(scheme) else FILTERED
        raise ApiError("signature-scheme", {"scheme": shown})
    found = {name: pattern.search(authorization) for name, pattern in _PARTS.items()}
    for name, match in found.items():
        if match is None:
            raise ApiError("signature-malformed", {"part": name})
    access_key, names, signature = (match.group(1) for match in found.values() if match)
    return access_key, tuple(names.lower().split(";")), signature


def _signed_date(request: ApiRequest, signed_headers: tuple[str, ...], now: float) -> str:
    date = request.headers.get("x-sdk-date", "")
    try:
        if not _DATE.fullmatch(date) or "x-sdk-date" not in signed_headers:
            raise ValueError(date)
        signed_at = datetime.strptime(date, _DATE_FORMAT).replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        raise ApiError("signature-date") from None
    if abs(signed_at - now) > MAX_CLOCK_DIFFERENCE:
        clock = datetime.fromtimestamp(now, timezone.utc).strftime(_DATE_FORMAT)
        raise ApiError("signature-expired", {"date": date, "now": clock})
    return date


def _canonical_path(path: str) -> str:
    """Every segment encoded but for unreserved characters; a slash at the end, even where the request has none."""
    encoded = quote(path, safe="/-_.~")
    return encoded if encoded.endswith("/") else f"{encoded}/"


def _canonical_query(query: str) -> str:
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{quote(key, safe='-_.~')}={quote(value, safe='-_.~')}" for key, value in pairs)
