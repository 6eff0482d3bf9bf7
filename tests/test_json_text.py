"""Bytes to JSON values: what is taken, and which reason each refusal gives."""

from __future__ import annotations

import pytest

from mockserver.json_text import MAX_CONTAINERS, MAX_DEPTH, MAX_DIGITS, JsonTextError, escape, parse_json


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
        (b" \t\r\n1\n", 1),
        (b'""', ""),
        (b"null", None),
        ('"é 网"'.encode(), "é 网"),
        (b'"\\u0000"', "\0"),
        (b'"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        (b'"\\\\ud800"', "\\ud800"),
        (b'{"a": 1, "b": 2, "a": 3}', {"a": 3, "b": 2}),
        (b'"' + b"[" * 1000 + b'"', "[" * 1000),
        (b"[" + b"[]," * 1000 + b"[]]", [[]] * 1001),
        (b"9" * MAX_DIGITS, 10**MAX_DIGITS - 1),
        (b"0." + b"3" * 5000, 1 / 3),
    ],
    ids=[
        "all-types",
        "whitespace-around",
        "empty-string",
        "null",
        "not-ascii",
        "escaped-nul",
        "surrogate-pair",
        "escaped-backslash-before-u",
        "key-twice-has-its-last-value",
        "brackets-in-a-string",
        "many-brackets-but-shallow",
        "as-many-digits-as-allowed",
        "digits-of-a-fraction",
    ],
)
def test_json_is_parsed(body: bytes, value: object) -> None:
    assert parse_json(body) == value


def test_a_text_has_containers_to_the_limit_and_no_more() -> None:
    inner = b",".join([b"[{}]"] * (MAX_CONTAINERS // 2 - 1))
    quoted = b',"' + b'[\\"' * 1000 + b'"]'
    parse_json(b"[{}," + inner + quoted)
    with pytest.raises(JsonTextError) as caught:
        parse_json(b"[{},{}," + inner + quoted)
    assert caught.value == JsonTextError("containers", expected=MAX_CONTAINERS)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [(b"[", b"]"), (b'{"a":', b"}"), (b"[[],", b"]"), (b'{"a":{},"b":', b"}")],
    ids=["arrays", "objects", "arrays-with-others-beside", "objects-with-others-beside"],
)
def test_nesting_is_taken_to_the_limit_and_no_further(opening: bytes, closing: bytes) -> None:
    parse_json(opening * 99 + b"[1]" + closing * 99)
    with pytest.raises(JsonTextError) as caught:
        parse_json(opening * 99 + b"[{}]" + closing * 99)
    assert caught.value == JsonTextError("depth", expected=100)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", JsonTextError("empty")),
        (b" \t\r\n", JsonTextError("empty")),
        (b'{"a": "\xff"}', JsonTextError("encoding", received=7)),
        ("{}".encode("utf-16-le") + b"\xff", JsonTextError("encoding", received=4)),
        (b'"\xed\xa0\x80"', JsonTextError("encoding", received=1)),
        (b"\xef\xbb\xbf{}", JsonTextError("byte-order-mark")),
        (b"{}\n{}", JsonTextError("syntax", received="Extra data at line 2 column 1")),
        (b'{"a": tru}', JsonTextError("syntax", received="Expecting value at line 1 column 7")),
        (b"NaN", JsonTextError("syntax", received="NaN is not a JSON value")),
        (b"[Infinity]", JsonTextError("syntax", received="Infinity is not a JSON value")),
        (b'{"a": -Infinity}', JsonTextError("syntax", received="-Infinity is not a JSON value")),
        (b"9" * (MAX_DIGITS + 1), JsonTextError("number", expected=MAX_DIGITS)),
        (b"[-" + b"9" * 5000 + b"]", JsonTextError("number", expected=MAX_DIGITS)),
        (b"[" * 100_000 + b"]" * 100_000, JsonTextError("depth", expected=MAX_DEPTH)),
        (b"[" * 100_000, JsonTextError("depth", expected=MAX_DEPTH)),
        (b'"\\ud800"', JsonTextError("surrogate")),
        (b'{"a/b": [0, {"c~d": "\\uDFFF"}]}', JsonTextError("surrogate", "/a~1b/1/c~0d")),
        (b'{"a": {"\\udc00": 1}}', JsonTextError("surrogate", "/a")),
        (b'["\\ude00\\ud83d", "\\ud800"]', JsonTextError("surrogate", "/0")),
    ],
    ids=[
        "empty",
        "only-whitespace",
        "invalid-byte",
        "utf-16",
        "surrogate-as-bytes",
        "byte-order-mark",
        "two-values",
        "cut-literal",
        "nan",
        "infinity",
        "minus-infinity",
        "a-digit-too-many",
        "digits-of-a-negative-number",
        "deeper-than-the-stack",
        "deeper-than-the-stack-and-cut",
        "surrogate-alone",
        "surrogate-inside-with-its-escaped-place",
        "surrogate-in-a-key-of-the-object-named",
        "surrogates-in-the-wrong-order-and-the-first-counts",
    ],
)
def test_what_is_no_json_is_refused_with_its_reason(body: bytes, expected: JsonTextError) -> None:
    with pytest.raises(JsonTextError) as caught:
        parse_json(body)
    assert caught.value == expected


@pytest.mark.parametrize(
    "body",
    [
        b"\x00",
        b'"\x00"',
        b"\x0c",
        b"\xc2\xa0",
        b"\x0c{}",
        b'{"a": 1,}',
        b"{'a': 1}",
        b"[01]",
        b"[1.]",
        b"[.5]",
        b"+1",
        b"0x1",
        b"{} //",
    ],
    ids=repr,
)
def test_looser_dialects_of_json_are_refused_for_their_syntax(body: bytes) -> None:
    with pytest.raises(JsonTextError) as caught:
        parse_json(body)
    assert caught.value.rule == "syntax"


@pytest.mark.parametrize(
    ("key", "escaped"),
    [("plain", "plain"), ("a/b", "a~1b"), ("a~b", "a~0b"), ("~1", "~01"), ("", "")],
    ids=["plain", "slash", "tilde", "tilde-before-a-digit", "empty"],
)
def test_keys_are_escaped_as_parts_of_a_pointer(key: str, escaped: str) -> None:
    assert escape(key) == escaped
