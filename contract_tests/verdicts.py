"""What an answer must be, and what is wrong with one: pure functions of the outcome of an exchange."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from contract_tests.documents import broken_clauses, shown
from contract_tests.messages import NoReply, Outcome, Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_JSON_MEDIA_TYPE = re.compile(r"(application|text)/([a-z0-9!#$&^_.+-]+\+)?json\s*(;.*)?", re.IGNORECASE)
_CHARSET = re.compile(r""";\s*charset\s*=\s*"?([^"\s;]+)""", re.IGNORECASE)
_SHOWN = 300
"""Characters of a body that a finding shows."""
_DIGITS = 300
"""Digits of a number that is read exactly."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """Which statuses keep a clause."""

    statuses: frozenset[int]
    sentence: str
    documented_refusal: bool = True
    """Whether a refusal must have the documented form; what another path answers is often a framework's."""

    def undocumented(self) -> Expectation:
        """The same without a look at the form of refusals."""
        return Expectation(self.statuses, self.sentence, documented_refusal=False)

    def also(self, *statuses: int) -> Expectation:
        """The same with further statuses."""
        words = f"{self.sentence} (here also {', '.join(map(str, statuses))})"
        return Expectation(self.statuses | set(statuses), words, self.documented_refusal)


ACCEPTED = Expectation(frozenset({200}), "200")
REFUSED = Expectation(frozenset({400}), "400 with the documented error body")
CREDENTIALS_REFUSED = Expectation(frozenset({400, 401, 403}), "400, 401 or 403 with the documented error body")
INSTANCE_REFUSED = Expectation(frozenset({400, 403, 404, 409}), "400, 403, 404 or 409 with the documented error body")
"""What an instance may get that the target does not know, or has upgraded before."""
PROJECT_REFUSED = Expectation(frozenset({400, 404}), "400 or 404 with the documented error body")
NOT_HERE = Expectation(frozenset({400, 401, 403, 404, 405, 501}), "400, 401, 403, 404, 405 or 501", False)  # noqa: FBT003  # a table
EITHER = Expectation(frozenset({200, 400, 404, 413}), "200, or 400, 404 or 413 with the documented error body")
EITHER_MEDIA_TYPE = Expectation(frozenset({200, 400, 415}), "200, or 400 or 415 with the documented error body")
EITHER_CREDENTIALS = Expectation(frozenset({200, 400, 401, 403}), "200, or 400, 401 or 403")
EITHER_TRANSFER = Expectation(frozenset({200, *range(400, 500), 501}), "200, a 4xx or 501", False)  # noqa: FBT003  # a table


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an outcome."""

    clause: str
    expected: str
    received: str


def problems(outcome: Outcome, expectation: Expectation, clause: str) -> list[Problem]:
    """Everything that is wrong with an outcome; `clause` is the one behind the expectation."""
    if isinstance(outcome, NoReply):
        return [Problem(_no_reply_clause(outcome, clause), "a whole reply", describe(outcome))]
    found = [
        Problem("reply.framing", "a reply that is whole, with nothing after it", text) for text in outcome.problems
    ]
    if outcome.status not in expectation.statuses:
        broken = _status_clause(outcome.status, expectation, clause)
        found.append(Problem(broken, expectation.sentence, describe(outcome)))
    found += [] if outcome.problems else _form(outcome, expectation)
    return found


def _no_reply_clause(outcome: NoReply, clause: str) -> str:
    """A cut reply is badly framed; a connection that breaks without one fails what was asked."""
    return "reply.framing" if outcome.kind in ("cut", "stalled", "not-http") else clause


def _status_clause(status: int, expectation: Expectation, clause: str) -> str:
    """Another 2xx is a success of the wrong status; everything else breaks what was asked."""
    if ACCEPTED.statuses <= expectation.statuses and 200 <= status < 300:  # noqa: PLR2004  # the class of successes
        return "reply.status"
    return clause


def _form(reply: Reply, expectation: Expectation) -> Iterable[Problem]:
    if reply.status == 200:  # noqa: PLR2004  # the documented success
        return _check_form(reply, "reply", "upgrade-reply")
    if reply.status < 400:  # noqa: PLR2004  # the documented errors begin there
        return []
    if expectation.documented_refusal:
        return _check_form(reply, "error", "error-reply")
    return _check_likeness(reply)


def _check_likeness(reply: Reply) -> Iterator[Problem]:
    """A refusal that need not be documented, but has one of the documented keys, has them all."""
    try:
        value = strict_json(reply.body)
    except ValueError:
        return
    if isinstance(value, dict) and {"error_code", "error_msg"} & value.keys():
        for clause, text in broken_clauses("error-reply", value):
            yield Problem(clause, "the documented error body, as it begins like one", f"{text}: {describe(reply)}")


def _check_form(reply: Reply, family: str, model: str) -> Iterator[Problem]:
    """Media type, JSON and schema of a documented reply."""
    media_type = reply.header("content-type")
    if not media_type or not _JSON_MEDIA_TYPE.fullmatch(media_type.strip()) or _other_charset(media_type):
        received = f"Content-Type: {media_type}" if media_type else "no Content-Type"
        yield Problem(f"{family}.media-type", "application/json, in UTF-8 if it names a charset", received)
    try:
        value = strict_json(reply.body)
    except ValueError as error:
        yield Problem(f"{family}.json", "strict JSON in UTF-8", f"{describe(reply)} ({error})")
        return
    for clause, text in broken_clauses(model, value):
        yield Problem(clause, f"the documented {family} body", f"{text}: {describe(reply)}")
    if (
        family == "reply"
        and isinstance(value, dict)
        and isinstance(value.get("resp"), str)
        and value["resp"] != "success"
    ):
        yield Problem("reply.resp-success", "the text success", describe(reply))


def _other_charset(media_type: str) -> bool:
    """Whether a media type says that its JSON is not UTF-8, which it must be."""
    match = _CHARSET.search(media_type)
    return match is not None and match[1].lower() not in ("utf-8", "utf8", "us-ascii", "ascii")


def strict_json(body: bytes) -> object:
    """The value of a JSON text; raises ValueError for everything that RFC 8259 does not have."""
    try:
        value: object = json.loads(body.decode("utf-8"), parse_constant=_no_constant, parse_int=_integer)
    except RecursionError:
        raise ValueError("it is nested too deep to be read") from None
    return value


def _integer(digits: str) -> float:
    """A number of any length; Python's own reader refuses some that JSON has."""
    return int(digits) if len(digits) <= _DIGITS else float(digits)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def describe(outcome: Outcome) -> str:
    """An outcome in words, on one line."""
    if isinstance(outcome, NoReply):
        return f"no whole reply ({outcome.kind}): {outcome.detail}"
    text = outcome.body.decode("utf-8", "backslashreplace")
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return f"{outcome.status} {short if short.isprintable() else shown(short)}".rstrip()
