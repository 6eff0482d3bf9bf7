"""The implementation under test: the one place where bytes leave, with credentials, pace and the safety guard."""

from __future__ import annotations

import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from os.path import commonprefix
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contract_tests import documents
from contract_tests.guard import Guard, GuardStop
from contract_tests.messages import NoReply, Outcome, Reply, Request
from contract_tests.renewal import Renewal
from contract_tests.signing import sign
from contract_tests.wire import Address, Wire, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contract_tests.options import Options

TOKEN, SIGNATURE = "$TOKEN", "$AUTHORIZATION"  # stand for the secrets in every report
SECRETS = (TOKEN, SIGNATURE)
MAX_TIMEOUTS = 3
"""Requests without an answer, after which the target counts as lost."""
MAX_WAIT = 60.0
"""Seconds of a Retry-After that are waited for."""
_RETRIES = 3
TOO_MANY = 429
_CONNECTIONS = 8
"""For a slow target."""
_TELLING = 12
"""Characters of a secret that tell something; texts are cut where they are long."""
_FILTERED = "[Filtered]"
_MADE_UP_TOKEN = "contract-check"  # noqa: S105  # no secret


NOT_SENT = Reply(200, (("content-type", "application/json"),), b'{"resp":"success"}')
"""What a dry run takes for the answer."""


class TargetLost(Exception):  # noqa: N818  # says what happened
    """The target does not answer any more."""


class Target:
    """Sends requests, counts what came back, and never lets a secret out of itself."""

    def __init__(self, options: Options, url: str, tell: Callable[[Request], None] | None = None) -> None:
        """A target at a base URL; `tell` is told of every request that leaves."""
        parts = urlsplit(url)
        tls = ssl.create_default_context() if parts.scheme == "https" else None
        host = str(parts.hostname)
        shown = f"[{host}]" if ":" in host else host
        self._host = f"{shown}:{parts.port}" if parts.port else shown
        self._options, self._tell = options, tell
        self._address = Address(host, parts.port or (443 if tls else 80), tls)
        self._wire = self._new_wire()
        self._token = options.token or _MADE_UP_TOKEN
        self._guard = Guard(frozenset(each.id for each in options.instances)) if options.is_safe else None
        named = (each.id for each in options.instances)
        self.renewal = Renewal([documents.example_item()["instance_id"], *named])
        self._next = 0.0
        self._timeouts, self._is_throttled = 0, False
        self.url = f"{parts.scheme}://{self._host}"
        self.base = parts.path.rstrip("/")
        """The path of the base URL."""
        self.is_slow = False
        """Whether it answers late, but several calls together as fast as one; the survey finds out."""
        self.requests = 0

    @property
    def credentials(self) -> tuple[tuple[str, str], ...]:
        """The headers of a good call's credentials, with names for the secrets."""
        return (("Authorization", SIGNATURE),) if self._options.access_key else (("X-Auth-Token", TOKEN),)

    @property
    def lost(self) -> str | None:
        """Why nothing more is sent; None as long as the target answers."""
        if self._timeouts >= MAX_TIMEOUTS:
            return f"the target left {MAX_TIMEOUTS} requests without a whole answer"
        if self._is_throttled:
            return "the target still answered 429 after each wait that it asked for; see --rate"
        return None

    def _new_wire(self) -> Wire:
        return Wire(self._address, self._host, self._options.timeout)

    @property
    def _is_guarded(self) -> bool:
        """Whether a success would be an accident."""
        return self._guard is not None and not self._options.allow_upgrades

    def close(self) -> None:
        """End the kept connection."""
        self._wire.close()

    def exchange(self, request: Request, *, fresh: bool = False) -> Outcome:
        """Send a request and give the outcome; honours Retry-After. Raises TargetLost and GuardStop."""
        return self._exchange(self._wire, self.renewal.renewed(request), fresh=fresh)

    def exchange_each(self, requests: Sequence[Request]) -> list[Outcome]:
        """An exchange for each request, on several connections, as a slow target needs. Raises as `exchange` does."""
        wires = [self._new_wire() for _ in range(_CONNECTIONS)]
        renewed = [self.renewal.renewed(request) for request in requests]
        self.close()

        def run(number: int) -> list[Outcome]:
            return [self._exchange(wires[number], request) for request in renewed[number::_CONNECTIONS]]

        try:
            with ThreadPoolExecutor(_CONNECTIONS) as pool:
                shares = list(pool.map(run, range(_CONNECTIONS)))
        finally:
            for wire in wires:
                wire.close()
        return [shares[index % _CONNECTIONS][index // _CONNECTIONS] for index in range(len(requests))]

    def _exchange(self, wire: Wire, request: Request, *, fresh: bool = False) -> Outcome:
        for left in reversed(range(_RETRIES)):
            self._inspect(request)
            if self._options.dry_run:
                self._count(request, NOT_SENT)
                return NOT_SENT
            self._keep_pace()
            outcome = wire.exchange(self._filled(request), fresh=fresh)
            self._count(request, outcome)
            delay = _retry_after(outcome) if left else None
            if delay is None:
                break
            wait_until(time.monotonic() + delay)
        self._is_throttled |= _retry_after(outcome) is not None
        return outcome

    def at_once(self, requests: Sequence[Request]) -> list[Outcome]:
        """Send requests at the same moment, each on a connection of its own. Raises TargetLost and GuardStop."""
        renewed = [self.renewal.renewed(request) for request in requests]
        for request in renewed:
            self._inspect(request)
            self._keep_pace()
        if self._options.dry_run:
            return [self._exchange(self._wire, request) for request in renewed]
        outcomes = self._wire.at_once([self._filled(request) for request in renewed])
        for request, outcome in zip(renewed, outcomes, strict=True):
            self._count(request, outcome)
        return outcomes

    def filtered(self, text: str) -> str:
        """A text without the secrets, whole or cut, which an implementation may have sent back."""
        for secret in filter(None, (self._options.token, self._options.secret_key)):
            start, rest = secret[:_TELLING], secret[_TELLING:]
            before, *parts = text.replace(secret, _FILTERED).split(start)
            same = [len(commonprefix([part, rest])) for part in parts]  # noqa: RUF071  # of characters, not of paths
            text = before + "".join(_FILTERED + part[size:] for part, size in zip(parts, same, strict=True))
        return text

    def _inspect(self, request: Request) -> None:
        """Refuse what must not leave, before any byte of it does."""
        if self.lost:
            raise TargetLost(self.lost)
        if self._guard:
            self._guard.check(request.target, request.headers, request.body)

    def _keep_pace(self) -> None:
        if self._options.rate:
            wait_until(self._next)
            self._next = max(self._next, time.monotonic()) + 1 / self._options.rate

    def _filled(self, request: Request) -> Request:
        """The request with its secrets."""
        headers = []
        for name, value in request.headers:
            if value == SIGNATURE:
                rest = [each for each in request.headers if each[1] != SIGNATURE]
                signed = [("Host", self._host), *rest]
                headers += sign(
                    request.method,
                    request.target,
                    signed,
                    request.body,
                    access_key=str(self._options.access_key),
                    secret_key=str(self._options.secret_key),
                    now=datetime.now(timezone.utc),
                )
            else:
                headers.append((name, value.replace(TOKEN, self._token)))
        return replace(request, headers=tuple(headers))

    def _count(self, request: Request, outcome: Outcome) -> None:
        self.requests += 1
        if self._tell:
            self._tell(request)
        if isinstance(outcome, NoReply):
            self._timeouts += outcome.kind in ("timeout", "stalled")
            return
        upgraded = outcome.status == 200 and self._is_guarded and outcome is not NOT_SENT  # noqa: PLR2004  # the documented success
        if upgraded:
            raise GuardStop(
                f"the target answered 200 to a request that names no real instance ({request.note or 'a good call'}); "
                "the run ends here, since this may be a real account. If it is none, name it with --allow-upgrades"
            )


def _retry_after(outcome: Outcome) -> float | None:
    """Seconds to wait before the same again; None when nothing asks for it."""
    value = outcome.header("retry-after") if isinstance(outcome, Reply) and outcome.status == TOO_MANY else None
    if value is None:
        return None
    if value.isdecimal():
        return min(float(value), MAX_WAIT)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return min(max(0.0, (moment - datetime.now(timezone.utc)).total_seconds()), MAX_WAIT)
