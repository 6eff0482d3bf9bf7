"""Measures everything and rewrites the results in docs/performance.md."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from datetime import datetime, timezone
from pathlib import Path

import fleet
import imports
import load
import own_work
import soak
import start
import suite
from contenders import MOCK, installed
from figures import QUICK, Plan, add_quick, table

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
QUICK_SOAK = 1000
_RESULTS = re.compile(r"(?<=<!-- results -->\n).*?(?=<!-- end -->)", re.DOTALL)


def main(options: Namespace) -> None:
    """Measure, then write; whatever could fail is tried before the minutes of measuring."""
    document: Path = options.document
    if not _RESULTS.search(document.read_text("utf-8")):
        sys.exit(f"{document}: has no part from <!-- results --> to <!-- end -->")
    if not options.without_load:
        load.demand_wrk()
    results = measure_all(QUICK if options.quick else Plan(), with_load=not options.without_load)
    document.write_text(_RESULTS.sub(lambda _: results, document.read_text("utf-8")), "utf-8")
    print(results, f"\nwritten to {document}", sep="")


def measure_all(plan: Plan, *, with_load: bool) -> str:
    """The results as Markdown."""
    facts = circumstances(plan)
    starts = start.measure(plan)
    own = own_work.measure(plan)
    fleets = fleet.measure(plan)
    costs = imports.measure(plan)
    loads = load.show(load.measure(plan)) if with_load else "Not measured in this run."
    checked = suite.show(suite.measure(plan))
    soaked = soak.show(soak.measure(QUICK_SOAK if plan is QUICK else soak.REQUESTS))
    aims = [
        ["first answer, ms", "500", starts[MOCK].show(scale=1000)],
        ["one valid instance, ratio to a bare Flask view", "1.5", own.singles[True, False].ratio.show(2)],
        ["1,000 valid instances, ms", "2", own.batches[1000, True].show(2, scale=1000)],
        *([f"10,000 instances: {title}, ms", "5", each.show(2, scale=1000)] for title, each in fleets.items()),
    ]
    sections = {
        "Circumstances": facts,
        "Aims": table(["Aim", "at most", "measured"], aims),
        "Start": start.show(starts),
        "The mock's own work": own_work.show(own),
        "A large fleet": fleet.show(fleets),
        "Load": loads,
        "Contract suite": checked,
        "Imports": imports.show(costs),
        "Soak": soaked,
    }
    return "\n" + "".join(f"### {title}\n\n{text}\n\n" for title, text in sections.items())


def circumstances(plan: Plan) -> str:
    """What the figures depend on."""
    contenders = {*start.CONTENDERS, *load.CONTENDERS}
    packages = sorted({package for contender in contenders for package in contender.packages})
    pinned = load.cores()[0]
    rows = {
        "date": f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC",
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} on {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join(f"{package} {installed(package) or '(not installed)'}" for package in packages),
        "load average before": " ".join(f"{each:.2f}" for each in os.getloadavg()) if sys.platform != "win32" else "-",
        "wrk": f"{wrk_version()}, {load.CONNECTIONS} connections, {'a core of its own' if pinned else 'not pinned'}",
        "rounds": f"{plan.starts} starts, {plan.pairs} pairs of {plan.calls} calls, {plan.imports} imports, "
        f"{plan.load_rounds} loads of {plan.load_seconds} s",
    }
    warning = "**A quick run: these figures mean nothing.**\n\n" if plan is QUICK else ""
    return warning + table(["What", "Value"], list(rows.items()))


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    name = None
    if sys.platform == "linux":
        name = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    elif sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        name = re.search("(.+)", subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    return name[1] if name else platform.processor() or "unknown"


def wrk_version() -> str:
    """Such as `debian/4.1.0-3+b2`, or `not installed`."""
    try:
        printed = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout  # noqa: S607  # whichever is installed
    except OSError:
        return "not installed"
    return printed.split()[1]


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--document", type=Path, default=DOCUMENT, help="the page to rewrite, docs/performance.md")
    parser.add_argument("--without-load", action="store_true", help="leave out what needs wrk")
    add_quick(parser)
    main(parser.parse_args())
