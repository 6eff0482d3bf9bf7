"""The register: every clause of the contract, how it is known, what the suite sends for it and what it accepts."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Level = Literal["stated", "example", "custom", "silent"]
"""How a clause is known; `schemas/README.md` explains the levels and names the sources."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One sentence of the contract. An id is never used again for another meaning."""

    id: str
    group: str
    level: Level
    source: tuple[str, ...]
    sentence: str
    sent: str
    """What the suite sends."""
    accepted: str
    """Which answers keep the clause."""

    @property
    def can_break(self) -> bool:
        """Whether an implementation can be wrong here; what no source speaks of is observed only."""
        return self.level != "silent"


ROUTE, PROJECT, AUTHENTICATION, LANGUAGE = "route", "project id", "authentication", "language"
JSON, BODY, ITEMS, DELAY = "media type and JSON", "body", "items", "delay"
SUCCESS, REFUSAL, INDEPENDENCE = "success reply", "refusal reply", "independence of calls"
GROUPS = (ROUTE, PROJECT, AUTHENTICATION, LANGUAGE, JSON, BODY, ITEMS, DELAY, SUCCESS, REFUSAL, INDEPENDENCE)

OK = "200"
REFUSED = "400 with the documented error body"
CREDENTIALS = "400, 401 or 403 with the documented error body"
ELSEWHERE = "400, 401, 403, 404, 405 or 501"
EITHER = "200, or 400, 404 or 413 with the documented error body; never a 5xx or a broken connection"
EVERY_200, EVERY_REFUSAL = "every call of the run that is answered with 200", "every call of the run that is refused"
STATED = ("page-table", "definition")

# fmt: off
CLAUSES = (
    Clause("route.example", ROUTE, "stated", ("page-table", "page-example"),
           "POST /v3/{project_id}/instances/database-version/upgrade with the documented example is accepted.",
           "the documented example, with a delay of the encoding that the implementation takes", OK),
    Clause("route.method", ROUTE, "stated", ("page-table", "gateway-errors"),
           "The operation is a POST: no other method upgrades anything.",
           "the good call with GET, PUT, PATCH, DELETE and a made-up method", ELSEWHERE),
    Clause("route.path", ROUTE, "stated", ("page-table", "gateway-errors"),
           "The operation is at its path only, not at paths that resemble it.",
           "the good call to some twenty other paths: a part missing, added, in capitals or spelt differently",
           ELSEWHERE),
    Clause("route.trailing-slash", ROUTE, "silent", (), "A slash after the path.",
           "the good call to the path with a slash", EITHER),

    Clause("project-id.form", PROJECT, "stated", STATED,
           "A project id has exactly 32 characters, only letters and digits; another is refused.",
           "31 and 33 characters, other characters plain and percent-encoded, letters and digits beyond ASCII",
           "400 or 404 with the documented error body; 403 also, where other projects are refused so"),
    Clause("project-id.range", PROJECT, "stated", STATED,
           "Every project id of 32 letters and digits is well-formed.",
           "project ids of digits, of small letters, of capitals, and of the first and last of each",
           "200; where only one project is served, what other well-formed projects get"),

    Clause("auth.token-required", AUTHENTICATION, "stated", ("page-table", "authentication"),
           "A call without credentials is refused.", "the good call without X-Auth-Token", CREDENTIALS),
    Clause("auth.token-empty", AUTHENTICATION, "stated", ("page-table", "authentication"),
           "An empty token is no credential.", "the good call with an empty X-Auth-Token, and with blanks",
           CREDENTIALS),
    Clause("auth.header-case", AUTHENTICATION, "custom", ("rfc-9110",),
           "Header names count in any case.", "the good call with header names in small letters and in capitals", OK),
    Clause("auth.signature", AUTHENTICATION, "custom", ("authentication", "sdk-python"),
           "A call that is signed with --ak and --sk is accepted without a token.",
           "the good call signed; a signature of nobody is observed", OK),
    Clause("auth.token-unknown", AUTHENTICATION, "silent", ("authentication",),
           "A token that nobody was given.", "the good call with a made-up token", "200, or " + CREDENTIALS),
    Clause("auth.authorization-other", AUTHENTICATION, "silent", ("authentication",),
           "An Authorization that is no signature, in place of a token.",
           "the good call with Bearer, Basic and made-up texts in place of a token", "200, or " + CREDENTIALS),
    Clause("auth.authorization-empty", AUTHENTICATION, "silent", ("sdk-python",),
           "An empty Authorization beside a token.", "the good call with an empty Authorization",
           "200, or " + CREDENTIALS),

    Clause("language.values", LANGUAGE, "stated", STATED,
           "X-Language en-us and zh-cn are served, for good calls and for refusals.",
           "the good call and calls to refuse, in both languages", "200 or " + REFUSED),
    Clause("language.other", LANGUAGE, "silent", STATED, "X-Language outside the documented range.",
           "the good call with X-Language fr-fr, empty, and in capitals", EITHER),

    Clause("media-type.json", JSON, "custom", ("sdk-python", "sdk-node", "rfc-8259"),
           "application/json is accepted, with a charset as the official SDKs send it.",
           "the good call as application/json, with charset=utf-8 and UTF-8, with and without a blank", OK),
    Clause("media-type.other", JSON, "silent", (), "Other media types, and none.",
           "the good call as text/plain, as a form, and without Content-Type",
           "200, or 400 or 415 with the documented error body; never a 5xx or a broken connection"),
    Clause("json.syntax", JSON, "stated", ("page-table", "rfc-8259"), "What is not JSON is refused.",
           "text, a cut body, trailing garbage, trailing commas, single quotes, comments, missing quotes, bad escapes",
           REFUSED),
    Clause("json.empty", JSON, "stated", ("page-table", "rfc-8259"), "An empty body is refused.",
           "no bytes, and white space only", REFUSED),
    Clause("json.encoding", JSON, "custom", ("rfc-8259",), "JSON is UTF-8; other bytes are refused.",
           "bytes that are no UTF-8, inside and outside of strings", REFUSED),
    Clause("json.freedom", JSON, "stated", ("page-table", "rfc-8259"),
           "White space between tokens, the order of keys and escapes in strings mean nothing.",
           "the good call indented, with tabs and line ends, with its keys in another order, with escaped letters",
           OK),
    Clause("json.oddities", JSON, "silent", ("rfc-8259",),
           "A byte order mark, keys given twice, NaN, numbers of 5,000 digits and deep nesting.",
           "the good call with such a thing in an unknown property", EITHER),
    Clause("transfer.segments", JSON, "custom", ("rfc-9112",),
           "How a request is cut into TCP segments means nothing.",
           "the good call with pauses after its first line, after its head and in the middle of its body", OK),
    Clause("transfer.chunked", JSON, "silent", ("rfc-9112",), "A request body in chunks.",
           "the good call with Transfer-Encoding: chunked", "200, or any 4xx or 501"),

    Clause("body.object", BODY, "stated", STATED, "The body is an object.",
           "null, strings, numbers, booleans and arrays, one that holds the good body included", REFUSED),
    Clause("batch.present", BODY, "stated", STATED, "databases_instance_infos is mandatory.",
           "bodies without it, and with its name spelt differently", REFUSED),
    Clause("batch.array", BODY, "stated", STATED, "databases_instance_infos is an array.",
           "null, strings, numbers, booleans and objects in its place, a single item included", REFUSED),
    Clause("batch.sizes", BODY, "stated", STATED, "A batch can have several instances.",
           "batches of 2, 3, 10, 11, 50, 51, 99 and 100 instances", OK),
    Clause("batch.minimum", BODY, "silent", (), "An empty batch.", "an empty array", EITHER),
    Clause("batch.maximum", BODY, "silent", ("sibling-pages",), "More than 100 instances.",
           "batches of 101 and 1,000", EITHER),
    Clause("batch.duplicates", BODY, "silent", (), "The same instance twice.", "a batch that has one instance twice",
           EITHER),
    Clause("body.unknown-keys", BODY, "silent", STATED, "Properties that the page does not name.",
           "the good call with further properties, in the body and in an item", EITHER),
    Clause("body.large", BODY, "silent", ("gateway-errors",), "Large bodies.",
           "the good call with an unknown property of 300,000 characters", EITHER),

    Clause("item.object", ITEMS, "stated", STATED, "Each item is an object, wherever it stands.",
           "items of other types, first, middle, last, beyond the 10th and the 50th", REFUSED),
    Clause("instance-id.present", ITEMS, "stated", STATED, "instance_id is mandatory in each item.",
           "items without it at every place, and with its name spelt differently", REFUSED),
    Clause("instance-id.string", ITEMS, "stated", STATED, "instance_id is a string in each item.",
           "values of other types at every place", REFUSED),
    Clause("current-version.present", ITEMS, "stated", STATED, "current_version is mandatory in each item.",
           "items without it at every place, and with its name spelt differently", REFUSED),
    Clause("current-version.string", ITEMS, "stated", STATED, "current_version is a string in each item.",
           "values of other types at every place", REFUSED),
    Clause("text.odd", ITEMS, "stated", STATED,
           "A string is well-typed whatever is in it: it may be refused for its form, but not with a server error.",
           "empty strings, NUL, lone surrogates, other alphabets and 100,000 characters as id and version", EITHER),
    Clause("instance-id.form", ITEMS, "silent", ("sibling-pages",), "The form of instance_id.",
           "ids of 35 and 37 characters, in capitals, with another end", EITHER),
    Clause("current-version.form", ITEMS, "silent", ("sibling-pages",), "The form of current_version.",
           "versions of two parts, of letters, and unknown ones", EITHER),

    Clause("delay.present", DELAY, "stated", STATED, "delay is mandatory.",
           "bodies without it, and with its name spelt differently", REFUSED),
    Clause("delay.true", DELAY, "stated", ("page-table", "page-example", "definition", "sdk-go", "terraform"),
           "A delay of true is accepted, as boolean, as string, or as both.", 'true and "true"',
           "200 for at least one; " + REFUSED + " for the other"),
    Clause("delay.false", DELAY, "stated", ("page-table", "page-example", "definition", "sdk-go", "terraform"),
           "A delay of false is accepted, as boolean, as string, or as both.", 'false and "false"',
           "200 for at least one; " + REFUSED + " for the other"),
    Clause("delay.encoding", DELAY, "stated", STATED, "Nothing but true and false is a delay.",
           "null, numbers, 0 and 1 among them, other words, empty and padded strings, arrays and objects", REFUSED),
    Clause("delay.case", DELAY, "silent", (), "The case of the letters of a delay.", '"TRUE", "True" and "False"',
           EITHER),

    Clause("reply.status", SUCCESS, "stated", STATED, "Success is status 200.",
           "every call of the run that must be accepted", "200, no other 2xx"),
    Clause("reply.media-type", SUCCESS, "example", ("page-example", "sdk-python"), "A success is sent as JSON.",
           EVERY_200, "a JSON media type"),
    Clause("reply.json", SUCCESS, "stated", STATED, "A success has a JSON text.", EVERY_200, "strict JSON in UTF-8"),
    Clause("reply.object", SUCCESS, "stated", STATED, "A success is an object.", EVERY_200, "an object"),
    Clause("reply.resp-present", SUCCESS, "stated", STATED, "resp is always there.", EVERY_200, "a property resp"),
    Clause("reply.resp-string", SUCCESS, "stated", STATED, "resp is a string.", EVERY_200, "a string"),
    Clause("reply.resp-success", SUCCESS, "example", ("page-example", "terraform"),
           "resp is exactly `success`; Terraform fails on anything else.", EVERY_200,
           "`success`; another text is a warning, unless --strict"),
    Clause("reply.framing", SUCCESS, "custom", ("rfc-9112",),
           "Every reply is whole: neither cut nor followed by anything.",
           "every call of the run", "what Content-Length, the chunks and Content-Encoding promise"),

    Clause("error.no-server-error", REFUSAL, "stated", STATED, "No server error that nobody provoked.",
           "every call of the run",
           "no status of 500 or more but 501 for another method, no reset, closed or silent connection"),
    Clause("error.media-type", REFUSAL, "custom", ("gateway-errors", "sdk-python"), "A refusal is sent as JSON.",
           EVERY_REFUSAL, "a JSON media type"),
    Clause("error.json", REFUSAL, "stated", STATED, "A refusal has a JSON text.", EVERY_REFUSAL,
           "strict JSON in UTF-8"),
    Clause("error.object", REFUSAL, "stated", STATED, "A refusal is an object.", EVERY_REFUSAL, "an object"),
    Clause("error.code-present", REFUSAL, "stated", STATED, "error_code is always there.", EVERY_REFUSAL,
           "a property error_code"),
    Clause("error.code-string", REFUSAL, "stated", STATED, "error_code is a string.", EVERY_REFUSAL, "a string"),
    Clause("error.message-present", REFUSAL, "stated", STATED, "error_msg is always there.", EVERY_REFUSAL,
           "a property error_msg"),
    Clause("error.message-string", REFUSAL, "stated", STATED, "error_msg is a string.", EVERY_REFUSAL, "a string"),
    Clause("error.request-id-string", REFUSAL, "custom", ("gateway-errors",),
           "request_id is a string where it is given.", EVERY_REFUSAL, "a string, or no request_id"),

    Clause("independence.repeat", INDEPENDENCE, "stated", STATED,
           "A good call gets the same answer, however many came before it.",
           "the good call 30 times, for one instance after the other where made-up ones are accepted", OK),
    Clause("independence.same-instance", INDEPENDENCE, "silent", ("service-errors",),
           "An instance again that was upgraded before.",
           "the good call again for the same instance, with another delay or version, and together with another one",
           "200, or 400, 403, 404 or 409 with the documented error body; never a 5xx or a broken connection"),
    Clause("independence.after-refusal", INDEPENDENCE, "stated", STATED,
           "A refusal leaves nothing behind for a good call.",
           "the good call after each kind of bad one, for the same instance and on the same connection", OK),
    Clause("independence.after-success", INDEPENDENCE, "stated", STATED,
           "A success leaves nothing behind for a bad call.",
           "each kind of bad call after a good one, for the same instance and on the same connection",
           "what the bad call gets alone, or what a good one gets that is refused for an instance again"),
    Clause("independence.connections", INDEPENDENCE, "custom", ("rfc-9112",),
           "Kept and fresh connections make no difference.",
           "the good call on fresh connections, on a kept one, and with Connection: close", OK),
    Clause("independence.parallel", INDEPENDENCE, "stated", STATED, "Calls at the same moment do not meet.",
           "8 different calls at once, good and bad", "for each what it gets alone"),
)
# fmt: on
BY_ID = {clause.id: clause for clause in CLAUSES}


def select(patterns: Iterable[str] = (), groups: Iterable[str] = ()) -> list[Clause]:
    """The clauses whose id matches a pattern and whose group is named; without patterns or groups, all.

    Raises ValueError for a pattern that matches none and for an unknown group.
    """
    patterns, groups = list(patterns), list(groups)
    for pattern in patterns:
        if not any(fnmatchcase(clause.id, pattern) for clause in CLAUSES):
            close = get_close_matches(pattern, [clause.id for clause in CLAUSES], n=1)
            meant = f"; perhaps {close[0]}" if close else ""
            raise ValueError(f"no clause matches {pattern!r}{meant}; --list shows them all")
    for group in groups:
        if group not in GROUPS:
            raise ValueError(f"no group is named {group!r}; the groups are {', '.join(GROUPS)}")
    return [
        clause
        for clause in CLAUSES
        if (not patterns or any(fnmatchcase(clause.id, pattern) for pattern in patterns))
        and (not groups or clause.group in groups)
    ]
