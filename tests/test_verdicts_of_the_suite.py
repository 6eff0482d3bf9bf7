"""What is wrong with an answer: each clause of replies is broken by some answer, and no right answer breaks any."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract_tests.clauses import BY_ID, CLAUSES
from contract_tests.documents import broken_clauses
from contract_tests.messages import NoReply, Reply
from contract_tests.verdicts import (
    ACCEPTED,
    CREDENTIALS_REFUSED,
    EITHER,
    NOT_HERE,
    PROJECT_REFUSED,
    REFUSED,
    Expectation,
    describe,
    problems,
    strict_json,
)

JSON = "application/json"
SUCCESS: dict[str, Any] = {"resp": "success"}
ERROR: dict[str, Any] = {"error_code": "DBS.200001", "error_msg": "Parameter error."}
ASKED = "body.object"
"""The clause behind the expectations of these tests."""


def reply(status: int, body: object = b"", media_type: str | None = JSON, *, problems: tuple[str, ...] = ()) -> Reply:
    """A reply with a body: bytes as they are, other values as JSON."""
    headers = () if media_type is None else (("content-type", media_type),)
    return Reply(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode(), problems)


def clauses(outcome: Reply | NoReply, expectation: Expectation) -> list[str]:
    found = problems(outcome, expectation, ASKED)
    assert all(problem.clause in BY_ID and problem.expected and problem.received for problem in found)
    return [problem.clause for problem in found]


NESTED = "[" * 100_000
FRAMED = "reply.framing"
BAD: dict[str, tuple[Reply | NoReply, Expectation, list[str]]] = {
    "201": (reply(201, SUCCESS), ACCEPTED, ["reply.status"]),
    "204": (reply(204), ACCEPTED, ["reply.status"]),
    "202-where-both-may-be": (reply(202, SUCCESS), EITHER, ["reply.status"]),
    "201-for-a-bad-call": (reply(201, SUCCESS), REFUSED, [ASKED]),
    "200-for-a-bad-call": (reply(200, SUCCESS), REFUSED, [ASKED]),
    "200-and-an-error": (reply(200, ERROR), REFUSED, [ASKED, "reply.resp-present"]),
    "400-for-a-good-call": (reply(400, ERROR), ACCEPTED, [ASKED]),
    "404-for-a-bad-call": (reply(404, ERROR), REFUSED, [ASKED]),
    "422-for-a-bad-call": (reply(422, ERROR), REFUSED, [ASKED]),
    "500-for-a-bad-call": (reply(500, ERROR), REFUSED, [ASKED]),
    "500-for-any-call": (reply(500, ERROR), EITHER, [ASKED]),
    "302-for-another-path": (reply(302, media_type=None), NOT_HERE, [ASKED]),
    "200-for-another-path": (reply(200, SUCCESS), NOT_HERE, [ASKED]),
    "500-for-another-path": (reply(500, b"oh"), NOT_HERE, [ASKED]),
    "404-for-no-token": (reply(404, ERROR), CREDENTIALS_REFUSED, [ASKED]),
    "403-for-a-bad-project": (reply(403, ERROR), PROJECT_REFUSED, [ASKED]),
    "success-as-text": (reply(200, SUCCESS, "text/plain"), ACCEPTED, ["reply.media-type"]),
    "success-as-html": (reply(200, SUCCESS, "text/html; charset=utf-8"), ACCEPTED, ["reply.media-type"]),
    "success-without-media-type": (reply(200, SUCCESS, None), ACCEPTED, ["reply.media-type"]),
    "success-with-an-empty-media-type": (reply(200, SUCCESS, ""), ACCEPTED, ["reply.media-type"]),
    "success-in-latin-1": (reply(200, SUCCESS, f"{JSON}; charset=latin-1"), ACCEPTED, ["reply.media-type"]),
    "success-in-utf-16": (reply(200, SUCCESS, f'{JSON};a=b;charset="UTF-16"'), ACCEPTED, ["reply.media-type"]),
    "success-as-jsonp": (reply(200, SUCCESS, "application/jsonp"), ACCEPTED, ["reply.media-type"]),
    "success-as-json-lines": (reply(200, SUCCESS, "application/json-seq"), ACCEPTED, ["reply.media-type"]),
    "no-json-success": (reply(200, b"success"), ACCEPTED, ["reply.json"]),
    "empty-success": (reply(200), ACCEPTED, ["reply.json"]),
    "cut-success": (reply(200, b'{"resp":"success"'), ACCEPTED, ["reply.json"]),
    "two-successes": (reply(200, b'{"resp":"success"}{}'), ACCEPTED, ["reply.json"]),
    "success-with-nan": (reply(200, b'{"resp":"success","a":NaN}'), ACCEPTED, ["reply.json"]),
    "success-with-infinity": (reply(200, b'{"resp":"success","a":[-Infinity]}'), ACCEPTED, ["reply.json"]),
    "success-with-a-byte-order-mark": (reply(200, b'\xef\xbb\xbf{"resp":"success"}'), ACCEPTED, ["reply.json"]),
    "success-in-utf-16-bytes": (reply(200, json.dumps(SUCCESS).encode("utf-16")), ACCEPTED, ["reply.json"]),
    "success-in-bad-utf-8": (reply(200, b'{"resp":"success","a":"\xff"}'), ACCEPTED, ["reply.json"]),
    "success-in-single-quotes": (reply(200, b"{'resp':'success'}"), ACCEPTED, ["reply.json"]),
    "bottomless-success": (reply(200, NESTED.encode()), ACCEPTED, ["reply.json"]),
    "array-success": (reply(200, [SUCCESS]), ACCEPTED, ["reply.object"]),
    "text-success": (reply(200, "success"), ACCEPTED, ["reply.object"]),
    "null-success": (reply(200, b"null"), ACCEPTED, ["reply.object"]),
    "object-without-resp": (reply(200, {}), ACCEPTED, ["reply.resp-present"]),
    "resp-in-capitals": (reply(200, {"Resp": "success"}), ACCEPTED, ["reply.resp-present"]),
    "resp-null": (reply(200, {"resp": None}), ACCEPTED, ["reply.resp-string"]),
    "resp-true": (reply(200, {"resp": True}), ACCEPTED, ["reply.resp-string"]),
    "resp-object": (reply(200, {"resp": {"a": "数\ud800"}}), ACCEPTED, ["reply.resp-string"]),
    "resp-in-capital-letters": (reply(200, {"resp": "SUCCESS"}), ACCEPTED, ["reply.resp-success"]),
    "resp-with-a-blank": (reply(200, {"resp": "success "}), ACCEPTED, ["reply.resp-success"]),
    "resp-empty": (reply(200, {"resp": ""}), ACCEPTED, ["reply.resp-success"]),
    "a-tail": (reply(200, SUCCESS, problems=("2 bytes follow",)), ACCEPTED, [FRAMED]),
    "two-faults-of-framing": (reply(200, b"?", problems=("a", "b")), ACCEPTED, [FRAMED, FRAMED]),
    "wrong-status-with-a-tail": (reply(500, SUCCESS, problems=("a",)), ACCEPTED, [FRAMED, ASKED]),
    "error-as-text": (reply(400, ERROR, "text/plain"), REFUSED, ["error.media-type"]),
    "error-without-media-type": (reply(400, ERROR, None), REFUSED, ["error.media-type"]),
    "error-as-html-page": (reply(400, b"<html>", "text/html"), REFUSED, ["error.media-type", "error.json"]),
    "no-json-error": (reply(400, b"Bad Request"), REFUSED, ["error.json"]),
    "empty-error": (reply(400), REFUSED, ["error.json"]),
    "error-with-nan": (reply(400, b'{"error_code":"a","error_msg":"b","c":NaN}'), REFUSED, ["error.json"]),
    "text-error": (reply(400, "no"), REFUSED, ["error.object"]),
    "array-error": (reply(400, [ERROR]), REFUSED, ["error.object"]),
    "no-code": (reply(400, {"error_msg": "a"}), REFUSED, ["error.code-present"]),
    "no-message": (reply(400, {"error_code": "a"}), REFUSED, ["error.message-present"]),
    "neither": (reply(400, {"detail": []}), REFUSED, ["error.code-present", "error.message-present"]),
    "code-number": (reply(400, ERROR | {"error_code": 400}), REFUSED, ["error.code-string"]),
    "code-null": (reply(400, ERROR | {"error_code": None}), REFUSED, ["error.code-string"]),
    "message-array": (reply(400, ERROR | {"error_msg": ["a"]}), REFUSED, ["error.message-string"]),
    "request-id-number": (reply(400, ERROR | {"request_id": 1}), REFUSED, ["error.request-id-string"]),
    "request-id-null": (reply(400, ERROR | {"request_id": None}), REFUSED, ["error.request-id-string"]),
    "undocumented-401": (reply(401, {"detail": "no"}), CREDENTIALS_REFUSED,
                         ["error.code-present", "error.message-present"]),
    "undocumented-500": (reply(500, b"oh", "text/plain"), ACCEPTED, [ASKED, "error.media-type", "error.json"]),
    "half-documented-404": (reply(404, {"error_msg": "a"}), NOT_HERE, ["error.code-present"]),
    "timeout": (NoReply("timeout", "nothing came"), ACCEPTED, [ASKED]),
    "closed": (NoReply("closed", "it was closed"), REFUSED, [ASKED]),
    "reset": (NoReply("reset", "it was reset"), NOT_HERE, [ASKED]),
    "refused": (NoReply("refused", "nobody listens"), EITHER, [ASKED]),
    "cut": (NoReply("cut", "status 200 and 3 bytes"), ACCEPTED, [FRAMED]),
    "stalled": (NoReply("stalled", "status 200 and 3 bytes"), REFUSED, [FRAMED]),
    "not-http": (NoReply("not-http", "illegal status line"), NOT_HERE, [FRAMED]),
}  # fmt: skip


@pytest.mark.parametrize(("outcome", "expectation", "broken"), BAD.values(), ids=BAD)
def test_a_wrong_answer_breaks_its_clauses_and_no_others(
    outcome: Reply | NoReply, expectation: Expectation, broken: list[str]
) -> None:
    assert clauses(outcome, expectation) == broken


def test_every_clause_of_replies_is_broken_by_some_answer() -> None:
    """But for server errors: what provoked them is the clause of the test."""
    seen = {clause for _, _, broken in BAD.values() for clause in broken}
    families = {clause.id for clause in CLAUSES if clause.id.startswith(("reply.", "error."))}
    assert families - seen == {"error.no-server-error"}


CHINESE = {"error_code": "DBS.200001", "error_msg": "参数错误。"}
GOOD: dict[str, tuple[Reply, Expectation]] = {
    "success": (reply(200, SUCCESS), ACCEPTED),
    "charset": (reply(200, SUCCESS, "application/json;charset=utf-8"), ACCEPTED),
    "charset-in-capitals": (reply(200, SUCCESS, "Application/JSON ; Charset=UTF-8"), ACCEPTED),
    "charset-in-quotation-marks": (reply(200, SUCCESS, 'application/json; charset="utf-8"'), ACCEPTED),
    "charset-utf8": (reply(200, SUCCESS, "application/json; charset=utf8"), ACCEPTED),
    "charset-ascii": (reply(200, SUCCESS, "application/json; charset=US-ASCII"), ACCEPTED),
    "other-parameter": (reply(200, SUCCESS, "application/json; version=1"), ACCEPTED),
    "nothing-after-the-semicolon": (reply(200, SUCCESS, "application/json;"), ACCEPTED),
    "blanks-around-the-media-type": (reply(200, SUCCESS, " application/json "), ACCEPTED),
    "json-suffix": (reply(200, SUCCESS, "application/vnd.huawei.v3+json"), ACCEPTED),
    "text-json": (reply(200, SUCCESS, "text/json"), ACCEPTED),
    "further-keys": (reply(200, SUCCESS | {"job_id": None, "Resp": 5, "a": {"resp": 1}}), ACCEPTED),
    "indented": (reply(200, json.dumps(SUCCESS, indent=4).encode() + b"\r\n"), ACCEPTED),
    "white-space-around": (reply(200, b'\r\n\t {"resp" : "success"} \n'), ACCEPTED),
    "escapes": (reply(200, b'{"\\u0072esp":"s\\u0075ccess"}'), ACCEPTED),
    "lone-surrogate-beside": (reply(200, b'{"resp":"success","a":"\\ud800"}'), ACCEPTED),
    "key-twice": (reply(200, b'{"resp":"success","resp":"success"}'), ACCEPTED),
    "long-number-beside": (reply(200, b'{"resp":"success","a":' + b"9" * 5000 + b"}"), ACCEPTED),
    "number-beyond-doubles-beside": (reply(200, b'{"resp":"success","a":1e999}'), ACCEPTED),
    "error": (reply(400, ERROR), REFUSED),
    "error-problem-json": (reply(400, ERROR, "application/problem+json"), REFUSED),
    "chinese": (reply(400, json.dumps(CHINESE, ensure_ascii=False).encode()), REFUSED),
    "chinese-escaped": (reply(400, CHINESE), REFUSED),
    "other-code": (reply(400, ERROR | {"error_code": ""}), REFUSED),
    "empty-message": (reply(400, ERROR | {"error_msg": ""}), REFUSED),
    "request-id": (reply(400, ERROR | {"request_id": "a", "details": []}), REFUSED),
    "either-200": (reply(200, SUCCESS), EITHER),
    "either-413": (reply(413, ERROR), EITHER),
    "credentials-401": (reply(401, ERROR), CREDENTIALS_REFUSED),
    "credentials-403": (reply(403, ERROR), CREDENTIALS_REFUSED),
    "project-404": (reply(404, ERROR), PROJECT_REFUSED),
    "other-path-without-body": (reply(404, media_type=None), NOT_HERE),
    "other-path-as-html": (reply(404, b"<h1>Not Found</h1>", "text/html"), NOT_HERE),
    "other-path-as-text": (reply(405, b"405 method not allowed", "text/plain"), NOT_HERE),
    "other-path-of-a-framework": (reply(404, {"detail": "Not Found"}), NOT_HERE),
    "other-path-array": (reply(403, [1]), NOT_HERE),
    "other-path-nan": (reply(501, b'{"error_msg": NaN}'), NOT_HERE),
    "other-path-bottomless": (reply(404, NESTED.encode()), NOT_HERE),
    "other-path-bad-utf-8": (reply(404, b"\xff"), NOT_HERE),
    "undocumented-404": (reply(404, b"Not Found", "text/plain"), PROJECT_REFUSED.undocumented()),
}  # fmt: skip


@pytest.mark.parametrize(("outcome", "expectation"), GOOD.values(), ids=GOOD)
def test_a_right_answer_breaks_no_clause(outcome: Reply, expectation: Expectation) -> None:
    assert problems(outcome, expectation, ASKED) == []


def test_an_expectation_with_further_statuses_says_so() -> None:
    wider = REFUSED.also(404, 413)
    assert wider.statuses == {400, 404, 413}
    assert wider.sentence == "400 with the documented error body (here also 404, 413)"
    assert (wider.documented_refusal, NOT_HERE.also(422).documented_refusal) == (True, False)
    assert REFUSED.undocumented() == Expectation(REFUSED.statuses, REFUSED.sentence, documented_refusal=False)


def test_a_problem_says_what_was_expected_and_what_came() -> None:
    [problem] = problems(reply(500, {"a": 1}), NOT_HERE, ASKED)
    assert (problem.expected, problem.received) == ("400, 401, 403, 404, 405 or 501", '500 {"a": 1}')
    [problem] = problems(reply(200, {"resp": 5}), ACCEPTED, ASKED)
    assert (problem.expected, problem.received) == ("the documented reply body", '/resp is 5: 200 {"resp": 5}')
    [problem] = problems(reply(200, SUCCESS, "text/plain"), ACCEPTED, ASKED)
    assert problem.received == "Content-Type: text/plain"
    [problem] = problems(reply(400, ERROR, None), REFUSED, ASKED)
    assert problem.received == "no Content-Type"
    [problem] = problems(reply(200, b'{"a":NaN}'), ACCEPTED, ASKED)
    assert problem.received == '200 {"a":NaN} (NaN is not JSON)'
    [problem] = problems(NoReply("closed", "without a word"), ACCEPTED, ASKED)
    assert (problem.expected, problem.received) == ("a whole reply", "no whole reply (closed): without a word")


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (reply(200, SUCCESS), '200 {"resp": "success"}'),
        (reply(204), "204"),
        (reply(400, "参数".encode()), "400 参数"),
        (reply(400, b"a\nb\tc"), r'400 "a\nb\tc"'),
        (reply(400, b"\xff\x00"), r'400 "\\xff\u0000"'),
        (reply(400, "a\u2028b\x85\u202ec".encode()), r'400 "a\u2028b\u0085\u202ec"'),
        (reply(400, "数\n".encode()), r'400 "数\n"'),
        (reply(400, b"x" * 300), "400 " + "x" * 300),
        (reply(400, b"x" * 301), "400 " + "x" * 300 + "…"),
        (NoReply("reset", "by peer"), "no whole reply (reset): by peer"),
    ],
    ids=["json", "empty", "chinese", "lines", "bytes", "odd-lines", "chinese-lines", "300", "301", "none"],
)
def test_an_outcome_in_words_is_one_line(outcome: Reply | NoReply, text: str) -> None:
    assert describe(outcome) == text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("depth", [50, 200, 900, 950, 970, 980, 990, 2000, 5000, 100_000])
@pytest.mark.parametrize("key", ["resp", "further"])
def test_a_deep_reply_is_judged_and_breaks_nothing_here(depth: int, key: str) -> None:
    body = json.dumps(SUCCESS | {key: "@"}).replace('"@"', "[" * depth + "]" * depth)
    found = clauses(reply(200, body.encode()), ACCEPTED)
    assert found in (["reply.json"], ["reply.resp-string"] if key == "resp" else [])


@pytest.mark.parametrize("name", [case for case, (outcome, _, _) in BAD.items() if isinstance(outcome, Reply)])
def test_what_was_received_can_be_written_anywhere(name: str) -> None:
    outcome, expectation, _ = BAD[name]
    for problem in problems(outcome, expectation, ASKED):
        assert problem.received.encode().decode() == problem.received
        assert len(problem.received) < 1000


STRICT: dict[str, tuple[bytes, object]] = {
    "object": (b'{"a": [1, 2.5, "b", null, true]}', {"a": [1, 2.5, "b", None, True]}),
    "text": ('"参数"'.encode(), "参数"),
    "white-space": (b" \r\n\t1 ", 1),
    "last-of-two": (b'{"a":1,"a":2}', {"a": 2}),
}
LENIENT = {
    "nothing": b"",
    "white-space": b"  ",
    "nan": b"NaN",
    "infinity": b"[Infinity]",
    "comma": b"[1,]",
    "comment": b"[1] // a",
    "single-quotes": b"'a'",
    "byte-order-mark": b"\xef\xbb\xbf1",
    "utf-16": "1".encode("utf-16-le"),
    "latin-1": b'"\xe9"',
    "control-character": b'"a\nb"',
    "leading-zero": b"01",
    "non-breaking-space": "\u00a01".encode(),
    "other-digits": "٣".encode(),
    "two-values": b"1 2",
    "nested": NESTED.encode(),
}


@pytest.mark.parametrize(("text", "value"), STRICT.values(), ids=STRICT)
def test_json_is_read(text: bytes, value: object) -> None:
    assert strict_json(text) == value


@pytest.mark.parametrize("text", LENIENT.values(), ids=LENIENT)
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        strict_json(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("upgrade-reply", SUCCESS, []),
        ("upgrade-reply", {"resp": 0.5}, [("reply.resp-string", "/resp is 0.5")]),
        ("upgrade-reply", [], [("reply.object", "the body is []")]),
        ("error-reply", {"a": 1}, [("error.code-present", "no property error_code"),
                                   ("error.message-present", "no property error_msg")]),
        ("upgrade-request", {"databases_instance_infos": [{"instance_id": 1}, "数"], "delay": 1},
         [("current-version.present", "no property current_version"), ("delay.encoding", "/delay is 1"),
          ("instance-id.string", "/databases_instance_infos/0/instance_id is 1"),
          ("item.object", '/databases_instance_infos/1 is "数"')]),
        ("upgrade-request", {}, [("batch.present", "no property databases_instance_infos"),
                                 ("delay.present", "no property delay")]),
        ("upgrade-request", {"databases_instance_infos": {}, "delay": "true"},
         [("batch.array", "/databases_instance_infos is {}")]),
    ],
    ids=["good", "resp", "object", "error", "request", "empty", "batch"],
)  # fmt: skip
def test_the_clauses_that_a_value_breaks_are_told_with_their_places(
    name: str, value: object, found: list[tuple[str, str]]
) -> None:
    assert broken_clauses(name, value) == found
