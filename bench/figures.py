"""How much is measured, and how figures are written: the median, and the least and most beside it."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Measured = TypeVar("Measured")


@dataclass(frozen=True)
class Plan:
    """How often and how long each part measures."""

    warm_ups: int = 1
    """Rounds that come first and are not counted: they fill the caches."""
    starts: int = 10
    imports: int = 10
    load_rounds: int = 3
    load_seconds: int = 5
    loads: tuple[tuple[int, bool], ...] = (
        (1, True),
        (1, False),
        (100, True),
        (100, False),
        (1000, True),
        (1000, False),
    )
    """Instances in a body, and whether all are valid."""
    calls: int = 1000
    """Calls of an application that are timed as one."""
    pairs: int = 20
    """Pairs of such timings, the mock's and its peer's."""


QUICK = Plan(warm_ups=0, starts=1, imports=1, load_rounds=1, load_seconds=1, loads=((1, False),), calls=2, pairs=2)
"""Shows that everything works; its figures mean nothing."""


@dataclass(frozen=True)
class Spread:
    """Measured values."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return median(self.values)

    def show(self, digits: int = 0, *, scale: float = 1) -> str:
        """Such as `12.5 (11.9-14.0)`, each value times `scale`."""
        middle, least, most = (
            f"{value * scale:,.{digits}f}" for value in (self.median, min(self.values), max(self.values))
        )
        return f"{middle} ({least}-{most})" if len(self.values) > 1 else middle


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def run(measure: Callable[[Plan], Measured], show: Callable[[Measured], str], description: str | None) -> None:
    """Measure and show one part, as a command of its own."""
    parser = ArgumentParser(description=description)
    add_quick(parser)
    print(show(measure(QUICK if parser.parse_args().quick else Plan())))


def add_quick(parser: ArgumentParser) -> None:
    """Give a command the flag for a quick run."""
    parser.add_argument("--quick", action="store_true", help="the fewest rounds: shows that it works, figures useless")
