"""The safety guard: whatever could name a real instance is stopped, and what the suite usually sends is not."""

from __future__ import annotations

import base64
import gzip
import html
import json
import time
import zlib
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import bounded
from support import PROJECT_ID, UPGRADE_PATH

from contract_tests.guard import IMPOSSIBLE_ID, Guard, GuardStop, impossible_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

REAL = "6754902da1f447269c6979b0590102a5in07"
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
HEADERS = [
    ("Host", "taurusdb.example.com"),
    ("X-Auth-Token", "token-value"),
    ("Content-Type", "application/json"),
    ("X-Sdk-Date", "20260101T000000Z"),
    ("Authorization", f"SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature={'4e8dd5e0' * 8}"),
]


def batch_of(instance_id: object, version: str = "2.0.48.231200") -> dict[str, object]:
    return {"databases_instance_infos": [{"current_version": version, "instance_id": instance_id}], "delay": False}


def body_of(instance_id: object) -> bytes:
    return json.dumps(batch_of(instance_id)).encode()


def raw_deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


def units(form: str, text: str) -> str:
    return "".join(form % ord(each) for each in text)


def stop(
    body: bytes = b"", *, target: str = UPGRADE_PATH, headers: list[tuple[str, str]] | None = None
) -> GuardStop | None:
    """What the guard says to a request, None when it passes."""
    try:
        Guard().check(target, [*HEADERS, *(headers or [])], body)
    except GuardStop as stopped:
        return stopped
    return None


JSON = body_of(REAL)
QUOTED = json.dumps(JSON.decode()).encode()
BODIES = {
    "plain": JSON,
    "upper-case": body_of(REAL.upper()),
    "mixed-case": body_of(REAL[:20].upper() + REAL[20:].title()),
    "all-escaped": JSON.replace(REAL.encode(), units("\\u%04x", REAL).encode()),
    "one-escape": JSON.replace(b"in07", b"\\u0069n07"),
    "escapes-of-javascript": units("\\x%02x", REAL).encode(),
    "escapes-with-braces": units("\\u{%x}", REAL).encode(),
    "octal-escapes": units("\\%03o", REAL).encode(),
    "eight-digit-escapes": units("\\U%08x", REAL).encode(),
    "escaped-surrogate-pairs": "".join(
        f"\\ud835\\udf{0xCE + int(each):02x}" if each.isdigit() else each for each in REAL
    ),
    "json-in-json": QUOTED,
    "json-in-json-in-json": json.dumps(QUOTED.decode()).encode(),
    "escapes-in-json-in-json": json.dumps(json.dumps(units("\\u%04x", REAL))).encode(),
    "percent": quote(JSON).encode(),
    "percent-of-every-byte": units("%%%02X", REAL).encode(),
    "percent-twice": quote(units("%%%02x", REAL)).encode(),
    "percent-u": units("%%u%04x", REAL).encode(),
    "form": f"instance_id={REAL}&delay=false".encode(),
    "html-decimal": units("&#%d;", REAL).encode(),
    "html-hexadecimal": units("&#x%x;", REAL).encode(),
    "html-zeros": units("&#0000000%d;", REAL).encode(),
    "html-twice": html.escape(units("&#%d;", REAL)).encode(),
    "quoted-printable": units("=%02X", REAL).encode(),
    "quoted-printable-line": f"{REAL[:33]}=\r\n{REAL[33:]}".encode(),
    "chunks-inside-the-end": f"{REAL[:33]}\r\n3\r\n{REAL[33:]}".encode(),
    "hexadecimal": REAL.encode().hex().encode(),
    "hexadecimal-odd": b"f" + REAL.encode().hex().encode(),
    **{codec: JSON.decode().encode(codec) for codec in ("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig")},
    **{codec: JSON.decode().encode(codec) for codec in ("utf-32", "utf-32-le", "utf-32-be")},
    "utf-16-after-one-byte": b'"' + REAL.encode("utf-16-le"),
    "utf-16-full-width": REAL.translate(FULL_WIDTH).encode("utf-16-be"),
    "utf-16-full-width-after-one-byte": b'"' + REAL.translate(FULL_WIDTH).encode("utf-16-le") + b'"',
    "utf-32-full-width": body_of(REAL).decode().translate(FULL_WIDTH).encode("utf-32"),
    "utf-16-of-escapes": units("\\u%04x", REAL).encode("utf-16"),
    "base64": base64.b64encode(JSON),
    "base64-of-the-id": base64.b64encode(REAL.encode()),
    "base64-for-urls": base64.urlsafe_b64encode(b"\xfb\xff" + JSON).rstrip(b"="),
    "base64-in-lines": base64.encodebytes(JSON * 2),
    "base64-in-json": json.dumps({"data": "prefix/" + base64.b64encode(REAL.encode()).decode()}).encode(),
    "base64-twice": base64.b64encode(base64.b64encode(REAL.encode())),
    "base64-of-gzip": base64.b64encode(gzip.compress(JSON)),
    "base64-of-deflate": base64.b64encode(raw_deflate(JSON)),
    "base64-of-utf-16": base64.b64encode(REAL.encode("utf-16-le")),
    "base64-of-full-width": base64.b64encode(REAL.translate(FULL_WIDTH).encode()),
    "gzip": gzip.compress(JSON),
    "gzip-twice": gzip.compress(gzip.compress(JSON)),
    "gzip-after-text": b"some text " + gzip.compress(JSON) + b" more",
    "gzip-second-member": gzip.compress(b"harmless") + gzip.compress(JSON),
    "gzip-torn": gzip.compress(JSON + b" " + bytes(range(256)) * 4)[:-9],
    "zlib": zlib.compress(JSON),
    "zlib-best": zlib.compress(JSON, 9),
    "deflate": raw_deflate(JSON),
    "deflate-of-deflate-shorter-than-an-id": raw_deflate(raw_deflate(REAL.encode())),
    "base64-of-deflate-shorter-than-an-id": base64.b64encode(raw_deflate(REAL.encode())),
    "hexadecimal-of-deflate-shorter-than-an-id": raw_deflate(REAL.encode()).hex().encode(),
    "full-width": body_of(REAL.translate(FULL_WIDTH)),
    "full-width-utf-8": REAL.translate(FULL_WIDTH).encode(),
    "mathematical-digits": "".join(chr(0x1D7D8 + int(c)) if c.isdigit() else c for c in REAL).encode(),
    "arabic-digits": "".join(chr(0x660 + int(c)) if c.isdigit() else c for c in REAL).encode(),
    "accents": "\u0301".join(REAL).encode(),
    "zero-width": "\u200b".join(REAL).encode(),
    "soft-hyphens": "\xad".join(REAL).encode(),
    "white-space": " ".join(REAL).encode(),
    "nul-inside": "\0".join(REAL).encode(),
    "escaped-nul-inside": "\\u0000".join(REAL).encode(),
    "hyphens-of-a-uuid": b"6754902d-a1f4-4726-9c69-79b0590102a5-in07",
    "html-space-inside": "&nbsp;".join(REAL).encode(),
    "cut-in-two-strings": json.dumps([REAL[:20], REAL[20:]]).encode(),
    "surrounded-by-digits": f"ff{REAL}00".encode(),
    "surrounded-by-text": f"xyz{REAL}xyz".encode(),
    "a-key": json.dumps({REAL: 1}).encode(),
    "first-of-two-equal-keys": f'{{"instance_id":"{REAL}","instance_id":"{impossible_id(1)}"}}'.encode(),
    "trailing-garbage": JSON + b"]]}",
    "invalid-utf-8": b"\xff\xfe\xfa" + JSON + b"\x80",
    "deep": b"[" * 100_000 + JSON,
    "beside-a-long-number": b"[" + b"9" * 5000 + b"," + JSON,
    "version": json.dumps(batch_of(impossible_id(1), REAL)).encode(),
    "after-12-megabytes": b"x" * 12_000_000 + JSON,
    "at-the-edge-of-a-slice": b"x" * (2**20 - 20) + JSON,
    "many-other-base64-runs": (base64.b64encode(bytes(range(60))) + b".") * 50 + base64.b64encode(JSON),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_real_id_in_the_body_is_stopped_however_it_is_encoded(name: str) -> None:
    body = BODIES[name]
    stopped = stop(body.encode() if isinstance(body, str) else body)
    assert stopped is not None
    assert f"holds {REAL}, " in str(stopped)


ELSEWHERE = {
    "path": (f"/v3/{PROJECT_ID}/instances/{REAL}/upgrade", []),
    "path-percent": (f"/v3/{PROJECT_ID}/{units('%%%02x', REAL)}", []),
    "query": (f"{UPGRADE_PATH}?instance_id={REAL.upper()}", []),
    "full-width-path": (f"/{REAL.translate(FULL_WIDTH)}", []),
    "header": (UPGRADE_PATH, [("X-Note", REAL)]),
    "header-name": (UPGRADE_PATH, [(f"X-{REAL}", "1")]),
    "header-base64": (UPGRADE_PATH, [("Authorization", f"Basic {base64.b64encode(JSON).decode()}")]),
    "header-utf-8-as-latin-1": (UPGRADE_PATH, [("X-Note", REAL.translate(FULL_WIDTH).encode().decode("latin-1"))]),
    "header-lone-surrogate": (UPGRADE_PATH, [("X-Note", f"\ud800{REAL}")]),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_real_id_in_the_target_or_a_header_is_stopped(name: str) -> None:
    target, headers = ELSEWHERE[name]
    assert "its target or a header" in str(stop(target=target, headers=headers))


SUSPECT = {
    "another-form": "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6in07",
    "another-engine": "6754902da1f447269c6979b0590102a5in01",
    "without-the-end": "6754902da1f447269c6979b0590102a5",
    "magic-id-of-the-mock": "mock500000000000000000000000000000in07"[-36:],
    "other-digits": "nosuchinstance00000000000000004xin07",
    "in-an-array": ["", {"x": ["a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6in07"]}],
}


@pytest.mark.parametrize("name", SUSPECT)
@pytest.mark.parametrize("key", ["instance_id", "Instance-Id", "instanceId", "ｉnstance_id", "instance\\u005fid"])
def test_an_instance_id_of_unknown_form_is_stopped(name: str, key: str) -> None:
    text = body_of(SUSPECT[name]).decode().replace("instance_id", key)
    assert stop(text.encode()) is not None


ODD_VALUES = {
    "impossible": impossible_id(42),
    "impossible-upper": impossible_id(42).upper(),
    "impossible-longer": impossible_id(42) + "x",
    "impossible-after-x": "x" + impossible_id(42),
    "impossible-shorter": impossible_id(42)[1:],
    "impossible-with-nul": impossible_id(42).replace("s", "s\0"),
    "impossible-with-surrogate": impossible_id(42) + "\ud800",
    "impossible-full-width": impossible_id(42).translate(FULL_WIDTH),
    "empty": "",
    "nul": "\0",
    "surrogate": "\ud800",
    "chinese": "数据" * 40,
    "x": "x" * 100_000,
    "a": "a" * 100_000,
    "zeros": "0" * 100_000,
    "backslashes": "\\" * 10_000,
    "number": 42,
    "none": None,
    "object": {"a": [1, True, "b"]},
}


@pytest.mark.parametrize("name", ODD_VALUES)
def test_what_the_suite_usually_sends_passes(name: str) -> None:
    assert stop(body_of(ODD_VALUES[name])) is None
    assert stop(json.dumps(batch_of(impossible_id(7), str(ODD_VALUES[name])), ensure_ascii=True).encode()) is None


ODD_BODIES = {
    "empty": b"",
    "no-json": b"not json",
    "nan": b'{"delay":NaN}',
    "deep": b"[" * 100_000,
    "long-number": b'{"instance_id":' + b"9" * 5000 + b"}",
    "long-references": b"&#"
    + b"9" * 5000
    + b";&#x"
    + b"f" * 5000
    + b";&#x110000;&#55296;\\ud800\\U00110000\\u{110000}",
    "invalid-utf-8": b"\xff\xfe\xfd" + body_of(impossible_id(1)),
    "utf-16": body_of(impossible_id(1)).decode().encode("utf-16"),
    "gzip": gzip.compress(body_of(impossible_id(1))),
    "every-byte": bytes(range(256)) * 100,
    "project-id": json.dumps({"project_id": PROJECT_ID, "next": "in07"}).encode(),
    "batch": json.dumps([batch_of(impossible_id(number)) for number in range(100)]).encode(),
    "unclosed-keys": b'{"instance_id":"' * 5000,
    "12-megabytes": b"x" * 12_000_000,
}


@pytest.mark.parametrize("name", ODD_BODIES)
def test_odd_bodies_without_ids_pass(name: str) -> None:
    assert stop(ODD_BODIES[name]) is None


def test_project_ids_tokens_and_signatures_pass_in_headers() -> None:
    token = "MII" + base64.b64encode(bytes(range(256)) * 8).decode()
    headers = [("X-Auth-Token", token), ("X-Project-Id", PROJECT_ID), ("X-Note", impossible_id(3)), ("X-Empty", "")]
    assert stop(JSON.replace(REAL.encode(), impossible_id(1).encode()), headers=headers) is None


def test_allowed_ids_pass_and_no_others() -> None:
    guard = Guard(frozenset({REAL.upper()}))
    guard.check(UPGRADE_PATH, HEADERS, JSON)
    guard.check(UPGRADE_PATH, HEADERS, base64.b64encode(JSON))
    with pytest.raises(GuardStop):
        guard.check(UPGRADE_PATH, HEADERS, JSON.replace(b"6754", b"6755"))


def test_an_allowed_id_of_another_form_passes() -> None:
    name = str(SUSPECT["another-form"])
    Guard(frozenset({name})).check(UPGRADE_PATH, HEADERS, body_of(name))


def test_the_text_says_what_was_found_where_and_what_to_do() -> None:
    assert str(stop(base64.b64encode(gzip.compress(JSON)), target="/v3/p/upgrade")) == (
        f"stopped before a request to '/v3/p/upgrade': its body, inside compression in base64, holds {REAL}, which "
        "could be a real id. Nothing was sent. Without --allow-upgrades the suite sends only ids that can not exist; "
        "to upgrade instances of yours, name each: --allow-upgrades --instance ID=VERSION."
    )


def test_a_long_target_is_shortened_in_the_text() -> None:
    assert f"to '/{'a' * 119}...': " in str(stop(JSON, target="/" + "a" * 5000))


@pytest.mark.parametrize(
    ("body", "coding", "text"),
    [
        (b"\x8b\xff", "br", "its body is encoded as br, which can not be searched"),
        (gzip.compress(bytes(3_000_000)), "gzip", "its body holds compressed data that is too large to be searched"),
    ],
    ids=["unknown-coding", "too-large"],
)
def test_what_can_not_be_searched_is_stopped(body: bytes, coding: str, text: str) -> None:
    assert f": {text}. Nothing was sent." in str(stop(body, headers=[("Content-Encoding", coding)]))


def test_a_coding_that_is_only_claimed_passes() -> None:
    assert stop(body_of(impossible_id(1)), headers=[("Content-Encoding", "br")]) is None


def test_impossible_ids_are_36_characters_and_distinct() -> None:
    ids = {impossible_id(number) for number in (0, 42, 10**18 - 1)}
    assert len(ids) == 3
    assert all(IMPOSSIBLE_ID.fullmatch(each) and len(each) == 36 for each in ids)
    assert impossible_id(42) == "nosuchinstance000000000000000042in07"


@pytest.mark.parametrize("number", [-1, 10**18])
def test_impossible_ids_have_18_digits(number: int) -> None:
    with pytest.raises(ValueError, match=f"^impossible ids have numbers of up to 18 digits, not {number}$"):
        impossible_id(number)


@pytest.mark.parametrize(
    "unit", [b"\\", b'\\"', b"%25", b"&amp;", b"[", b'{"instance_id":', b"\0", b"in07", "\u0301\u0323".encode()]
)
def test_time_stays_in_proportion(unit: bytes) -> None:
    """Far from the measured times, so that only another order of growth fails."""
    started = time.process_time()
    assert stop(unit * (200_000 // len(unit))) is None
    assert time.process_time() - started < 5


# How a real id may be hidden: as characters, then as bytes, several times over.


def _some(random: Random, text: str, form: Callable[[int], str], always: str = "") -> str:
    """Some characters in another form; `always` is what the other form starts with."""
    share = random.choice((0.1, 0.5, 1))
    return "".join(form(ord(each)) if random.random() < share or each in always else each for each in text)


def _joined(random: Random, text: str) -> str:
    junk = random.choice((" ", "\0", "\u200b", "-", "\t", "\ufeff", "\u00ad"))
    return "".join(each + junk * (random.random() < 0.3) for each in text)


CHARACTERS: list[Callable[[Random, str], str]] = [
    lambda random, text: _some(random, text, lambda code: chr(code).upper()),
    lambda random, text: _some(random, text, lambda code: chr(FULL_WIDTH.get(code, code))),
    _joined,
    lambda random, text: random.choice(("x", "in07 ", "~", "é", "zz")) + text + random.choice(("", "x", " in", "/")),
]
TEXTS: list[Callable[[Random, str], str]] = [
    lambda random, text: json.dumps({random.choice(("instance_id", "a")): text}, ensure_ascii=random.random() < 0.5),
    lambda random, text: _some(random, text, lambda code: f"\\u{code:04x}" if code < 0x10000 else chr(code), "\\"),
    lambda random, text: quote(text, safe=random.choice(("", '{}":', ":/ "))),
    lambda random, text: _some(random, text, lambda code: f"&#{code};", "&"),
    lambda random, text: _some(random, text, lambda code: f"&#x{code:X};", "&"),
    lambda _, text: html.escape(text),
    lambda _, text: json.dumps(text),
]
BINARY: list[Callable[[Random, bytes], bytes]] = [
    lambda _, data: base64.b64encode(data),
    lambda _, data: base64.urlsafe_b64encode(data).rstrip(b"="),
    lambda _, data: base64.encodebytes(data),
    lambda _, data: data.hex().encode(),
    lambda _, data: zlib.compress(data),
    lambda _, data: gzip.compress(data, 1),
    lambda _, data: raw_deflate(data),
]
CODECS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


def hidden(
    random: Random, text: str, wraps: Sequence[int] = (0, 0, 0, 1, 1, 2), codecs: Sequence[str] = CODECS
) -> bytes:
    """The text under random encodings, one inside the other; so many of them of bytes."""
    for change in random.choices(CHARACTERS, k=random.randrange(3)):
        text = change(random, text)
    times = random.choice(wraps)
    for encode in random.choices(TEXTS, k=random.randrange(2 if times else 3)):
        text = encode(random, text)
    data = text.encode(random.choice(codecs))
    for wrap in random.choices(BINARY, k=times):
        data = wrap(random, data)
    return data


def placed(random: Random, data: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
    """A request with the data somewhere in it; what is not text can only be the body."""
    place = random.randrange(6) if data.isascii() else 0
    text = data.decode("ascii", "replace")
    if place == 1:
        return f"{UPGRADE_PATH}?note={text}", HEADERS, body_of(impossible_id(1))
    if place == 2:
        return UPGRADE_PATH, [*HEADERS, ("X-Note", text)], body_of(impossible_id(1))
    if place == 3:
        return UPGRADE_PATH, HEADERS, body_of(text)
    if place == 4:
        return UPGRADE_PATH, HEADERS, json.dumps(batch_of(impossible_id(2), text)).encode()
    return UPGRADE_PATH, HEADERS, data


def is_stopped(target: str, headers: list[tuple[str, str]], body: bytes) -> bool:
    try:
        Guard().check(target, headers, body)
    except GuardStop:
        return True
    return False


def real_id(random: Random) -> str:
    return f"{random.getrandbits(128):032x}in07"


def an_impossible_id(random: Random) -> str:
    return impossible_id(random.randrange(10**18))


REQUESTS_PER_EXAMPLE = 100
SEEDS = st.integers(0, 2**64 - 1).map(Random)


@settings(bounded, max_examples=600)
@given(random=SEEDS)
def test_60000_requests_with_a_hidden_real_id_are_all_stopped(random: Random) -> None:
    for _ in range(REQUESTS_PER_EXAMPLE):
        request = placed(random, hidden(random, real_id(random)))
        assert is_stopped(*request), request


@settings(bounded, max_examples=400)
@given(random=SEEDS)
def test_40000_requests_with_impossible_ids_all_pass(random: Random) -> None:
    """In every encoding of UTF-8 text; base64 and mixed UTF-16 may look like anything, and are stopped in doubt."""
    for _ in range(REQUESTS_PER_EXAMPLE):
        request = placed(random, hidden(random, an_impossible_id(random), wraps=[0], codecs=["utf-8", "utf-8-sig"]))
        assert not is_stopped(*request), request
