"""How long a server takes from the start of its process to its first good answer."""

from __future__ import annotations

from contenders import BY_HAND, CONNEXION, FLOOR, MOCK, PYTEST_HTTPSERVER, WERKZEUG, Contender, running
from figures import Plan, Spread, run, table

CONTENDERS = (MOCK, WERKZEUG, FLOOR, BY_HAND, CONNEXION, PYTEST_HTTPSERVER)


def measure(plan: Plan) -> dict[Contender, Spread]:
    """Seconds to the first good answer, in interleaved rounds."""
    present = [contender for contender in CONTENDERS if contender.is_installed]
    rounds = [[_start(contender) for contender in present] for _ in range(plan.warm_ups + plan.starts)]
    return {
        contender: Spread(values[plan.warm_ups :])
        for contender, values in zip(present, zip(*rounds, strict=True), strict=True)
    }


def _start(contender: Contender) -> float:
    with running(contender) as server:
        return server.first_answer


def show(starts: dict[Contender, Spread]) -> str:
    """The table of starts."""
    rows = [[contender.name, spread.show(scale=1000)] for contender, spread in starts.items()]
    rows += [[contender.name, "not installed"] for contender in CONTENDERS if contender not in starts]
    return table(["Server", "first answer, ms"], rows)


if __name__ == "__main__":
    run(measure, show, __doc__)
