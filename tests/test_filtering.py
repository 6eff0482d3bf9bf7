"""Request bodies as outputs show them: without passwords."""

from __future__ import annotations

import json

import pytest

from mockserver.filtering import FILTERED, shown_body

USER = {"name": "alice", "password": "wonderland", "domain": {"name": "d"}}
TOKEN_REQUEST = {"auth": {"identity": {"methods": ["password"], "password": {"user": USER}}, "scope": {}}}


def test_a_password_is_filtered_and_what_is_around_it_stays() -> None:
    shown = shown_body(json.dumps(TOKEN_REQUEST).encode())
    assert "wonderland" not in shown
    user = json.loads(shown)["auth"]["identity"]["password"]["user"]
    assert user == {**USER, "password": FILTERED}


@pytest.mark.parametrize(
    "body",
    [
        b'{"databases_instance_infos": [], "delay": false}',
        '{"name": "数据"}'.encode(),
        b"{",
        b"\xff",
        b"",
    ],
    ids=["batch", "chinese", "cut", "bytes", "empty"],
)
def test_a_body_without_passwords_is_shown_as_it_came(body: bytes) -> None:
    assert shown_body(body) == body.decode("utf-8", "replace")


@pytest.mark.parametrize(
    "body",
    [
        b'{"password": "wonderland"',
        b'{"user": [{"PassWord": "wonderland"}]}',
        b'{"pass\\u0077ord": "wonderland"}',
        b'{"password": ["wonderland"]}',
        b'{"password": "wonder',
    ],
    ids=["no-json", "other-case", "escaped", "list", "cut"],
)
def test_a_password_is_found_however_it_is_written(body: bytes) -> None:
    assert "wonder" not in shown_body(body)
