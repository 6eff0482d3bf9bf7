"""What importing the mock costs, and which packages cost it, by `python -X importtime`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

from contenders import environment
from figures import Plan, Spread, run, table

TARGETS = ("mockserver", "mockserver.app", "mockserver.server", "mockserver.cli", "flask")
_SELF = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \| +(\S+)$", re.MULTILINE)
_NAMED = 4
"""Packages that a row names."""


def measure(plan: Plan) -> dict[str, list[Counter[str]]]:
    """For each target and run: milliseconds by package of what it loads into an interpreter that has just started."""
    present = frozenset(_self_times("pass"))
    rounds = range(plan.warm_ups + plan.imports)
    return {target: [_cost(target, present) for _ in rounds][plan.warm_ups :] for target in TARGETS}


def _cost(target: str, present: frozenset[str]) -> Counter[str]:
    cost = Counter[str]()
    for module, microseconds in _self_times(f"import {target}").items():
        if module not in present:
            top = module.partition(".")[0]
            cost["standard library" if top in sys.stdlib_module_names else top] += microseconds
    return cost


def _self_times(code: str) -> dict[str, int]:
    """Microseconds that each module takes by itself."""
    command = [sys.executable, "-X", "importtime", "-c", code]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=environment()).stderr
    return {name: int(microseconds) for microseconds, name in _SELF.findall(printed)}


def show(costs: dict[str, list[Counter[str]]]) -> str:
    """The table of imports."""
    rows = []
    for target, runs in costs.items():
        medians = {name: Spread([cost[name] for cost in runs]).median / 1000 for name in runs[0]}
        dearest = sorted((name for name in medians if medians[name] >= 1), key=lambda name: -medians[name])[:_NAMED]
        total = Spread([cost.total() for cost in runs]).show(scale=1 / 1000)
        rows.append([f"`{target}`", total, ", ".join(f"{name} {medians[name]:.0f}" for name in dearest)])
    return table(["Import", "ms", "of these, by package"], rows)


if __name__ == "__main__":
    run(measure, show, __doc__)
