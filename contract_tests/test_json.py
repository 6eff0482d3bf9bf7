"""Media types, and what is JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st

from contract_tests.calls import BATCH, DELAY, ID, VERSION, changed, without
from contract_tests.strategies import spaced
from contract_tests.verdicts import ACCEPTED, EITHER, EITHER_MEDIA_TYPE, EITHER_TRANSFER, REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.judge import Judge
    from contract_tests.messages import Request

JSON_TYPES = (
    "application/json; charset=utf-8",
    "application/json;charset=utf-8",
    "application/json; charset=UTF-8",
    "application/json;charset=UTF-8",
    'application/json; charset="utf-8"',
    "application/json;charset=utf8",
    "Application/JSON",
    "application/json;  charset=utf-8",
)
OTHER_TYPES = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/xml",
    "multipart/form-data",
    "application/octet-stream",
    "nonsense",
    "",
)


def typed(judge: Judge, media_type: str, count: int = 1) -> Request:
    note = f"Content-Type: {media_type}"
    return without(judge.calls.good(note, count), "Content-Type", ("Content-Type", media_type))


@pytest.mark.clause("media-type.json")
def test_json_is_accepted_with_a_charset(judge: Judge) -> None:
    judge.accepted_only_with(typed(judge, media_type) for media_type in (*JSON_TYPES, "text/json", *OTHER_TYPES))
    judge.needs_acceptance()
    judge.expect_all((typed(judge, media_type) for media_type in JSON_TYPES[:4]), ACCEPTED)


@pytest.mark.clause("media-type.json")
def test_a_mistake_is_refused_whatever_the_charset(judge: Judge) -> None:
    for media_type in JSON_TYPES[:2]:
        bodies: tuple[object, ...] = (changed(judge.calls.body(), **{DELAY: None}), {}, [], b"{")
        for body in bodies:
            plain = judge.calls.post(body, "a mistake")
            request = without(
                plain,
                "Content-Type",
                ("Content-Type", media_type),
                note=f"a mistake with Content-Type: {media_type}",
            )
            judge.expect(request, REFUSED, unless=plain)


@pytest.mark.clause("media-type.other")
def test_other_media_types_are_observed(judge: Judge) -> None:
    judge.observe_all((typed(judge, each) for each in (*JSON_TYPES[4:], *OTHER_TYPES)), EITHER_MEDIA_TYPE)
    judge.observe_all([without(judge.calls.good(), "Content-Type", note="no Content-Type")], EITHER_MEDIA_TYPE)


def no_json(good: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Bodies that are no JSON text, whatever a lenient reader makes of them."""
    yield from cut_or_padded(json.dumps(good))
    yield from leniently_written(good)
    yield from bad_values(good)
    yield from bad_strings(good)
    yield from bottomless(good)


def cut_or_padded(text: str) -> Iterator[tuple[str, bytes]]:
    """A body with too little or too much."""
    yield "text", b"hello"
    yield "a cut body", text[:-1].encode()
    yield "half a body", text[: len(text) // 2].encode()
    yield "an opening brace", b"{"
    yield "a closing brace", b"}"
    yield "an open string", text.rpartition('"')[0].encode()
    yield "a letter after the body", f"{text}x".encode()
    yield "a brace after the body", f"{text}}}".encode()
    yield "a second body", f"{text}{text}".encode()
    yield "a second body on a line of its own", f"{text}\n{text}".encode()
    yield "a comma after the body", f"{text},".encode()
    yield "a NUL after the body", f"{text}\0".encode()
    yield "something before the body", f"x{text}".encode()


def leniently_written(good: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """A body as some readers take it, but no JSON reader does."""
    text, item = json.dumps(good), json.dumps(good[BATCH][0])
    yield "a comma after the last property", f"{text[:-1]},}}".encode()
    yield "a comma after the last item", text.replace(f"{item}]", f"{item},]").encode()
    yield "a comma after the last property of an item", text.replace(item, f"{item[:-1]},}}").encode()
    yield "two commas", text.replace(", ", ",, ", 1).encode()
    yield "no comma", text.replace(", ", " ", 1).encode()
    yield "no colon", text.replace(":", " ", 1).encode()
    yield "single quotes", text.replace('"', "'").encode()
    yield "names without quotes", text.replace(f'"{DELAY}"', DELAY).encode()
    yield "a comment", text.replace("{", "{/* comment */", 1).encode()
    yield "a comment to the end of the line", f"{text} // comment".encode()
    yield "a form", f"{DELAY}=false&{BATCH}=x".encode()
    yield "XML", b"<upgrade><delay>false</delay></upgrade>"


def bad_values(good: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Values that JSON does not have, each where it is of the wrong type besides."""
    for name in ("True", "None", "undefined", "NaN", "Infinity", "-Infinity", "01", "+1", ".5", "0x1", "1e999999"):
        yield f"{name} as delay", changed_text(good, name)
    yield "a number of 5,000 digits as delay", changed_text(good, "9" * 5000)
    own = json.dumps(good[BATCH][0][ID])
    yield "a number of 5,000 digits as instance_id", json.dumps(good).replace(own, "1" * 5000).encode()
    yield "NaN as instance_id", json.dumps(good).replace(own, "NaN").encode()


def bad_strings(good: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Strings that JSON does not have."""
    text, version = json.dumps(good), json.dumps(good[BATCH][0][VERSION])
    inside = {
        "line feed": "\n",
        "tab": "\t",
        "NUL": "\0",
        "bad escape": "\\q",
        "cut escape": "\\u00",
        "backslash": "\\ ",
    }
    for name, wrong in inside.items():
        yield f"a {name} in a value", text.replace(version, f'"{wrong}{version[1:]}').encode()
    yield "a value without its last quotation mark", text.replace(version, version[:-1]).encode()
    yield "a line feed in a name", text.replace(VERSION, f"{VERSION}\n").encode()
    yield "a bad escape in a name", text.replace(VERSION, f"{VERSION[:-1]}\\q").encode()


def bottomless(good: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Bodies that are nested too deep to be read by recursion."""
    yield "100,000 opening brackets", b"[" * 100_000
    yield "100,000 nested arrays", b"[" * 100_000 + b"]" * 100_000
    yield "100,000 opening braces", b'{"a":' * 100_000
    nested = json.dumps({**good, BATCH: "@"}).replace('"@"', "[" * 20_000 + "]" * 20_000)
    yield "20,000 nested arrays as the batch", nested.encode()


def changed_text(good: dict[str, Any], delay: str) -> bytes:
    """The body with raw text as its delay."""
    return json.dumps({**good, DELAY: "@"}).replace('"@"', delay).encode()


@pytest.mark.clause("json.syntax")
def test_what_is_not_json_is_refused(judge: Judge) -> None:
    judge.expect_all((judge.calls.post(text, note) for note, text in no_json(judge.calls.body())), REFUSED)


@pytest.mark.clause("json.empty")
def test_an_empty_body_is_refused(judge: Judge) -> None:
    judge.expect_all((judge.calls.post(text, f"the body {text!r}") for text in (b"", b" ", b"\r\n")), REFUSED)
    bare = without(judge.calls.post(b"", "no body and no Content-Type"), "Content-Type")
    judge.expect_all([bare], REFUSED.also(415))


@pytest.mark.clause("json.encoding")
def test_bytes_that_are_no_utf_8_are_refused(judge: Judge) -> None:
    text = json.dumps(judge.calls.body()).encode()
    inside = text.replace(b'": "', b'": "\xff', 1)
    bodies = {
        "the byte FF alone": b"\xff",
        "the byte FF before the body": b"\xff" + text,
        "the byte FF in a string": inside,
        "a cut UTF-8 sequence in a string": text.replace(b'": "', b'": "\xe4\xb8', 1),
        "Latin-1 in a string": text.replace(b'": "', b'": "\xe9t\xe9 ', 1),
        "the byte FE in a name": text.replace(b'{"', b'{"\xfe', 1),
        "a surrogate as UTF-8 in a string": text.replace(b'": "', b'": "\xed\xa0\x80', 1),
        "NUL in two bytes in a string": text.replace(b'": "', b'": "\xc0\x80', 1),
        "a slash in two bytes in a string": text.replace(b'": "', b'": "\xc0\xaf', 1),
        "a character beyond Unicode in a string": text.replace(b'": "', b'": "\xf4\x90\x80\x80', 1),
        "random bytes": bytes(range(128, 256)),
        "the byte 80 after the body": text + b"\x80",
    }
    judge.expect_all((judge.calls.post(body, note) for note, body in bodies.items()), REFUSED)


@pytest.mark.clause("json.freedom")
def test_spelling_means_nothing(judge: Judge) -> None:
    good = judge.calls.body()
    item = good[BATCH][0]
    compact = json.dumps(good, separators=(",", ":"))
    spellings = {
        "no blanks": compact,
        "indented": json.dumps(good, indent=2),
        "indented with tabs": json.dumps(good, indent="\t"),
        "ends of lines of Windows": json.dumps(good, indent=1).replace("\n", "\r\n"),
        "blanks around": f" \t\r\n{compact}\r\n\t ",
        "a line feed at the end": f"{compact}\n",
        "blanks before colons": json.dumps(good, separators=(" , ", " : ")),
        "delay first": json.dumps({DELAY: good[DELAY], BATCH: good[BATCH]}),
        "delay last": json.dumps({BATCH: good[BATCH], DELAY: good[DELAY]}),
        "instance_id first": json.dumps({BATCH: [{ID: item[ID], VERSION: item[VERSION]}], DELAY: good[DELAY]}),
        "current_version first": json.dumps({BATCH: [{VERSION: item[VERSION], ID: item[ID]}], DELAY: good[DELAY]}),
        "an escaped letter in a name": compact.replace("delay", "\\u0064elay"),
        "an escaped letter in an id": compact.replace(item[ID], f"\\u{ord(item[ID][0]):04x}{item[ID][1:]}"),
        "an escaped dot in a version": compact.replace(item[VERSION], item[VERSION].replace(".", "\\u002E")),
    }
    judge.accepted_only_with(judge.calls.post(text.encode(), note) for note, text in spellings.items())
    judge.needs_acceptance()
    judge.expect_all((judge.calls.post(text.encode(), note) for note, text in spellings.items()), ACCEPTED)
    judge.explore(lambda text: judge.expect(judge.calls.post(text, "another spelling"), ACCEPTED), spaced(good))


@pytest.mark.clause("json.oddities")
def test_odd_json_is_observed(judge: Judge) -> None:
    good = judge.calls.body()
    text = json.dumps(good)
    bodies = {
        "a byte order mark": b"\xef\xbb\xbf" + text.encode(),
        "UTF-16": text.encode("utf-16"),
        "a key twice with the same value": f'{text[:-1]}, "{DELAY}": {json.dumps(good[DELAY])}}}'.encode(),
        "a key twice, first a wrong value": f'{{"{DELAY}": 5, {text[1:]}'.encode(),
        "a key twice, last a wrong value": f'{text[:-1]}, "{DELAY}": 5}}'.encode(),
        "the batch twice": f'{text[:-1]}, "{BATCH}": {json.dumps(good[BATCH])}}}'.encode(),
        "an id twice in an item": text.replace(f'"{ID}"', f'"{ID}": "x", "{ID}"').encode(),
        "NaN in an unknown property": odd(text, "NaN"),
        "-Infinity in an unknown property": odd(text, "-Infinity"),
        "a number of 5,000 digits in an unknown property": odd(text, "9" * 5000),
        "a number beyond doubles in an unknown property": odd(text, "1e400"),
        "500 nested arrays in an unknown property": odd(text, "[" * 500 + "]" * 500),
        "50,000 nested arrays in an unknown property": odd(text, "[" * 50_000 + "]" * 50_000),
        "50,000 nested objects in an unknown property": odd(text, '{"a":' * 50_000 + "1" + "}" * 50_000),
        "a lone surrogate in an unknown property": odd(text, '"\\ud800"'),
        "a lone surrogate as a name": f'{text[:-1]}, "\\udfff": 1}}'.encode(),
        "NUL as a name": f'{text[:-1]}, "\\u0000": 1}}'.encode(),
        "an empty name": f'{text[:-1]}, "": 1}}'.encode(),
        "the name __proto__": f'{text[:-1]}, "__proto__": {{"{DELAY}": 1}}}}'.encode(),
    }
    judge.observe_all((judge.calls.post(body, note) for note, body in bodies.items()), EITHER)
    numbers = st.integers(min_value=-(10**30), max_value=10**30) | st.floats(allow_nan=False, allow_infinity=False)
    judge.explore(
        lambda number: judge.expect(
            judge.calls.post(odd(text, json.dumps(number)), f"an unknown property of {number!r}"), EITHER
        ),
        numbers,
    )


def odd(text: str, value: str) -> bytes:
    """The body with an unknown property of raw text."""
    return f'{text[:-1]}, "further": {value}}}'.encode()


@pytest.mark.clause("transfer.segments")
def test_how_a_request_is_cut_into_segments_means_nothing(judge: Judge) -> None:
    judge.needs_acceptance()
    for count in (1, 12):
        if judge.calls.instances(count):
            good = judge.calls.good(f"{count} instances, in several segments", count)
            for cuts in (("head",), ("head", "body"), ("line", "head"), ("body",)):
                judge.expect_all([replace(good, cuts=cuts, note=f"{good.note}: cut at {', '.join(cuts)}")], ACCEPTED)
    bad = judge.calls.post(changed(judge.calls.body(12), **{DELAY: None}), "a mistake, in several segments")
    judge.expect(replace(bad, cuts=("head", "body")), REFUSED, unless=bad)


@pytest.mark.clause("transfer.chunked")
def test_chunks_are_observed(judge: Judge) -> None:
    good = judge.calls.good()
    half = len(good.body) // 2
    chunks = (
        b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (good.body[:half], good.body[half:])) + b"0\r\n\r\n"
    )
    chunked = judge.calls.post(chunks, "a body in two chunks", headers=(("Transfer-Encoding", "chunked"),))
    judge.observe_all([chunked], EITHER_TRANSFER, may_be_silent=True)
    judge.target.close()  # a server that does not know chunks may have taken them for the next request
