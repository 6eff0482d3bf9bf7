"""Chance without randomness: a number drawn from a seed and a name is the same on every run and in any order."""

from __future__ import annotations

import hashlib
import math
from statistics import NormalDist


def draw(seed: int, *names: object) -> float:
    """A number from 0 to below 1."""
    return int.from_bytes(draw_bytes(8, seed, *names), "big") / 2**64


def draw_bytes(size: int, seed: int, *names: object) -> bytes:
    """Up to 64 bytes that look random."""
    return hashlib.blake2b(repr((seed, *names)).encode(), digest_size=size).digest()


def draw_uniform(low: float, high: float, number: float) -> float:
    """`number`, from 0 to below 1, stretched over an interval."""
    return low + (high - low) * number


def draw_lognormal(median: float, sigma: float, number: float) -> float:
    """The log-normal value below which the share `number` of all values lies."""
    return median * math.exp(sigma * NormalDist().inv_cdf(min(max(number, 1e-9), 1 - 1e-9)))
