"""What goes out on the connection for each fault, byte for byte."""

from __future__ import annotations

from typing import get_args

import pytest
from support import REQUEST_ID, api_request

from mockserver.delivery import Script, reply_headers, script_of, status_line
from mockserver.model import Delivery, Exchange, Fault, Reply

BODY = b'{"resp":"success"}'
HEAD = (
    "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Type: application/json\r\n"
    f"X-Request-Id: {REQUEST_ID}\r\nRetry-After: 1\r\nX-Mock-Scenario: mine\r\n"
).encode()


def script(delivery: Delivery, body: bytes = BODY) -> Script:
    """The script of a reply with a further header."""
    reply = Reply(429, body, (("Retry-After", "1"),), delivery=delivery)
    return script_of(Exchange(api_request(), reply, scenario="mine"), delivery)


FAULTS: dict[Fault, tuple[bytes, str]] = {
    "connection-reset": (b"", "reset"),
    "empty-reply": (b"", "close"),
    "truncated": (HEAD + b'Content-Length: 18\r\n\r\n{"resp":"', "close"),
    "malformed-json": (HEAD + b'Content-Length: 9\r\n\r\n{"resp":"', "close"),
    "garbage": (b"\x00noise", "close"),
    "malformed-chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n" + BODY, "close"),
    "hang": (b"", "hang"),
}


def test_every_fault_is_in_the_table() -> None:
    assert set(FAULTS) == set(get_args(Fault))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_sends_its_bytes_and_ends_the_connection(fault: Fault) -> None:
    sent, ending = FAULTS[fault]
    assert script(Delivery(fault=fault, garbage=b"\x00noise")) == Script((sent,) if sent else (), 0, ending)  # type: ignore[arg-type]  # a Literal


def test_an_empty_body_is_broken_all_the_same() -> None:
    assert script(Delivery(fault="truncated"), b"").pieces == (HEAD + b"Content-Length: 1\r\n\r\n",)
    assert script(Delivery(fault="malformed-json"), b"").pieces == (HEAD + b"Content-Length: 1\r\n\r\n{",)


@pytest.mark.parametrize("pieces", [2, 10, 150, 1000])
def test_a_drip_spreads_the_whole_reply_evenly_over_its_seconds(pieces: int) -> None:
    dripped = script(Delivery(pieces=pieces, spread=3.0))
    assert b"".join(dripped.pieces) == HEAD + b"Content-Length: 18\r\n\r\n" + BODY
    assert 1 < len(dripped.pieces) <= pieces
    assert all(dripped.pieces)
    assert dripped.pause * (len(dripped.pieces) - 1) == pytest.approx(3.0)
    assert dripped.ending == "close"


def test_a_drip_has_as_many_pieces_as_asked_when_there_are_bytes_enough() -> None:
    assert [len(script(Delivery(pieces=pieces)).pieces) for pieces in (2, 3, 10)] == [2, 3, 10]


@pytest.mark.parametrize(
    ("status", "line"),
    [(200, "200 OK"), (413, "413 Request Entity Too Large"), (494, "494 Request Header Too Large")],
)
def test_a_status_has_its_phrase(status: int, line: str) -> None:
    phrases = {line, line.replace("Request Entity", "Content")}  # RFC 9110 renamed it, and Python 3.13 with it
    assert status_line(status) in phrases


def test_a_reply_names_its_scenario_only_when_it_met_one() -> None:
    exchange = Exchange(api_request(), Reply(200, BODY, content_type="text/plain"))
    assert reply_headers(exchange) == [("Content-Type", "text/plain"), ("X-Request-Id", REQUEST_ID)]
