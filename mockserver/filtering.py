"""What never appears in any output."""

from __future__ import annotations

FILTERED = "[Filtered]"
SECRET_HEADERS = frozenset(
    {
        *("authorization", "cookie", "proxy-authorization"),
        *("x-admin-token", "x-auth-token", "x-security-token", "x-subject-token"),
    }
)
