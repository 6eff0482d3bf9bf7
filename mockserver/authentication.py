"""Who may call: a token, a signature, or either, by the `auth` setting."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mockserver.model import ApiError
from mockserver.signing import check_signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mockserver.identity import Identity
    from mockserver.model import ApiRequest
    from mockserver.settings import Settings


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Checks credentials as the vendor's gateway does."""

    demanded: str
    """`any`, `token`, `signed` or `off`."""
    tokens: tuple[str, ...]
    """Accepted tokens; when empty, any will do."""
    secret_keys: Mapping[str, str]
    """Secret key by access key; when empty, signatures are not verified."""
    identity: Identity
    """Knows the tokens that were issued here: with them, and with users, any other token is wrong."""

    def check(self, request: ApiRequest, now: float) -> None:
        """Return when the request may call; raises ApiError (401) that says what is wrong.

        `now` is the time by the project's clock, Unix seconds, by which tokens expire. Signatures are judged by the
        wall clock, which signers go by: a test that moves the project's clock would else lock every SDK out.

        With both credentials on the request, one right one is enough: callers that add a token to an SDK send both.
        An empty header counts as absent, since that is how SDK callers switch the signature off.
        """
        if self.demanded == "off":
            return
        token = request.headers.get("x-auth-token", "").strip()
        signed = bool(request.headers.get("authorization", "").strip())
        issued = self.identity.judge(token, now) if token else "foreign"
        if token and self.demanded != "signed" and (issued == "valid" or self._is_accepted(token, issued)):
            return
        if signed and self.demanded != "token":
            check_signature(request, self.secret_keys, request.received_at)
            return
        if self.demanded == "signed":
            raise ApiError("signature-missing")
        if token:
            raise ApiError("token-expired" if issued == "expired" else "token-unknown")
        raise ApiError("token-missing" if self.demanded == "token" else "credentials-missing")

    def _is_accepted(self, token: str, issued: str) -> bool:
        """Whether a token that was not issued here will do."""
        if issued == "expired":
            return False
        if not self.tokens:
            return not self.identity.passwords
        given = token.encode("utf-8", "replace")
        return any(hmac.compare_digest(given, known.encode()) for known in self.tokens)


def load_authenticator(settings: Settings, identity: Identity) -> Authenticator:
    """The authenticator that the settings ask for."""
    return Authenticator(settings.auth, settings.token, settings.secret_keys, identity)
