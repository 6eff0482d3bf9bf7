"""What never appears in any output."""

from __future__ import annotations

import json
import re

FILTERED = "[Filtered]"
SECRET_HEADERS = frozenset(
    {
        *("authorization", "cookie", "proxy-authorization"),
        *("x-admin-token", "x-auth-token", "x-security-token", "x-subject-token"),
    }
)
_PASSWORD = re.compile(rb"passw", re.IGNORECASE)


def shown_body(body: bytes) -> str:
    """A request body as text, without the passwords in it; all of it goes where they cannot be found for sure."""
    if not _PASSWORD.search(body) and b"\\u" not in body:
        return body.decode("utf-8", "replace")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return FILTERED
    filtered = _without_passwords(value)
    return body.decode("utf-8", "replace") if filtered == value else json.dumps(filtered, ensure_ascii=False)


def _without_passwords(value: object) -> object:
    if isinstance(value, list):
        return [_without_passwords(each) for each in value]
    if isinstance(value, dict):
        # The password method holds an object under the same name, whose other values tell what was asked for.
        return {key: FILTERED if _is_secret(key, each) else _without_passwords(each) for key, each in value.items()}
    return value


def _is_secret(key: str, value: object) -> bool:
    return "passw" in key.lower() and not isinstance(value, dict)
