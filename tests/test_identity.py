"""The identity service's data: users, tokens until they end, and whose project is where."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support import NOW, PROJECT_ID, REQUEST_ID
from test_resources import copy_documents, edit

from mockserver.errors import ResourceError
from mockserver.identity import TOKEN_LIFETIME, Identity, load_identity

if TYPE_CHECKING:
    from pathlib import Path

DAY = 24 * 3600
OTHER_ID = "f" * 32


@pytest.fixture(scope="module")
def identity() -> Identity:
    return load_identity({"anna": "right", "ben": "a:b"}, b"a key")


@pytest.fixture(scope="module")
def token(identity: Identity) -> str:
    return identity.issue(REQUEST_ID, NOW)


@pytest.mark.parametrize(
    ("name", "password", "expected"),
    [
        ("anna", "right", True),
        ("ben", "a:b", True),
        ("anna", "a:b", False),
        ("anna", "Right", False),
        ("Anna", "right", False),
        ("anna", "", False),
        ("carl", "", False),
        ("", "", False),
        ("anna", "rïght", False),
    ],
    ids=[
        "right", "colon", "another's", "letter-case", "letter-case-of-the-name", "empty", "unknown-and-empty",
        "nobody", "not-ascii",
    ],
)  # fmt: skip
def test_a_user_is_known_by_name_and_password(identity: Identity, name: str, password: str, *, expected: bool) -> None:
    assert identity.knows(name, password) is expected
    assert load_identity({}, b"").knows(name, password)


def test_a_password_may_be_of_any_letters() -> None:
    assert load_identity({"李": "密码"}, b"").knows("李", "密码")


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (0, "valid"),
        (DAY - 1, "valid"),
        (DAY, "expired"),
        (DAY + 0.5, "expired"),
        (10 * DAY, "expired"),
        (-DAY, "valid"),
    ],
    ids=["at-once", "in-the-last-second", "after-24-hours", "a-little-later", "much-later", "before"],
)
def test_a_token_is_valid_for_24_hours(identity: Identity, token: str, later: float, expected: str) -> None:
    assert TOKEN_LIFETIME == DAY
    assert identity.judge(token, NOW + later) == expected


def test_a_token_never_outlives_24_hours_by_a_fraction(identity: Identity) -> None:
    """Tokens have whole seconds; one issued within a second ends with the beginning of it."""
    token = identity.issue(REQUEST_ID, NOW + 0.9)
    assert [identity.judge(token, NOW + DAY + part) for part in (-0.1, 0.0, 0.9)] == ["valid", "expired", "expired"]


def test_tokens_differ_by_request_and_time(identity: Identity, token: str) -> None:
    assert len({token, identity.issue(OTHER_ID, NOW), identity.issue(REQUEST_ID, NOW + 1)}) == 3
    assert identity.issue(REQUEST_ID, NOW) == token
    assert re.fullmatch(r"[\w.-]+", token), "it must fit into a header"


@pytest.mark.parametrize(
    "word", ["", ".", "...", "a-token", "a.b.c.d", "taurus-mock-token", "taurus-mock-token.1.x.y", "é", "\udc80"]
)
def test_what_was_never_issued_is_foreign(identity: Identity, word: str) -> None:
    assert identity.judge(word, NOW) == "foreign"


def test_a_token_with_any_character_changed_is_foreign(identity: Identity, token: str) -> None:
    changed = [token[:i] + ("0" if token[i] != "0" else "1") + token[i + 1 :] for i in range(len(token))]
    cut = [token[:i] for i in range(len(token))] + [token[i:] for i in range(1, len(token))]
    found = Counter(identity.judge(each, NOW) for each in [*changed, *cut, token + "0", f" {token}", token.upper()])
    assert found == {"foreign": len(changed) + len(cut) + 3}


def test_a_longer_life_cannot_be_written_into_a_token(identity: Identity, token: str) -> None:
    prefix, expires, rest = token.split(".", 2)
    assert identity.judge(f"{prefix}.{int(expires) + DAY}.{rest}", NOW + DAY) == "foreign"


def test_a_token_of_another_mock_is_foreign(identity: Identity, token: str) -> None:
    assert replace(identity, key=b"another key").judge(token, NOW) == "foreign"
    assert load_identity({}, b"a key").judge(token, NOW) == "valid", "users do not matter"


def test_the_account_has_a_project_in_each_region(identity: Identity) -> None:
    regions = identity.regions
    assert len({each.id for each in regions}) == len({each.project_id for each in regions}) == len(regions) > 1
    assert all(re.fullmatch("[0-9a-f]{32}", each.project_id) for each in regions)
    assert all(set(each.names) == {"en-us", "zh-cn"} for each in regions)
    assert re.fullmatch("[0-9a-f]{32}", identity.account_id)
    assert identity.regions[0].project_id == PROJECT_ID, "the documented example's project"


def test_a_project_has_its_region_and_any_other_the_first(identity: Identity) -> None:
    assert [identity.region_of(each.project_id) for each in identity.regions] == list(identity.regions)
    assert identity.region_of("f" * 32) == identity.regions[0]


def test_an_unusable_account_is_refused_at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy_documents(tmp_path, monkeypatch) / "fixtures" / "identity.json"
    edit(path, "/regions/0/project", "x")
    with pytest.raises(ResourceError, match=r"identity\.json: at /regions/0: .*'project' is perhaps 'project_id'"):
        load_identity({}, b"")
