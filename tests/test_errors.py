"""What an operator meets: one family of exceptions, and the nearest known name."""

from __future__ import annotations

import pytest

from mockserver import errors
from mockserver.errors import TaurusMockError, nearest

SCENARIOS = ["bad-request", "success", "throttled"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sucess", "success"),
        ("SUCCESS", "success"),
        ("throttle", "throttled"),
        ("badrequest", "bad-request"),
        ("teapot", None),
        ("", None),
        ("s" * 100_000, None),
    ],
    ids=["letter-missing", "letter-case", "ending", "hyphen-missing", "nothing-near", "empty", "huge"],
)
def test_the_nearest_name_is_the_most_similar_one(name: str, expected: str | None) -> None:
    assert nearest(name, SCENARIOS) == expected


def test_nothing_is_near_when_nothing_is_known() -> None:
    assert nearest("success", []) is None


def test_the_nearest_name_does_not_depend_on_the_order_of_the_known_ones() -> None:
    assert nearest("abcx", ["abcy", "abcz"]) == nearest("abcx", ["abcz", "abcy"])


def test_every_exception_of_the_module_is_one_that_the_command_line_prints() -> None:
    found = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)}
    assert all(issubclass(value, TaurusMockError) for value in found)
    assert {value.__name__ for value in found} == {
        "FleetError",
        "ResourceError",
        "ScenarioError",
        "ServerError",
        "SettingsError",
        "TaurusMockError",
    }
