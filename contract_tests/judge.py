"""One test's judge: sends, compares with what the clause demands, and keeps the proof of what is wrong."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from contract_tests.clauses import BY_ID, Clause
from contract_tests.curl import curl, curl_at_once
from contract_tests.findings import Finding
from contract_tests.messages import Outcome, Reply, Request
from contract_tests.target import Target, TargetLost
from contract_tests.verdicts import (
    ACCEPTED,
    EITHER,
    INSTANCE_REFUSED,
    REFUSED,
    Expectation,
    Problem,
    describe,
    problems,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hypothesis.strategies import SearchStrategy

    from contract_tests.calls import Calls
    from contract_tests.options import Options
    from contract_tests.survey import Survey


LARGE = 16 * 1024
"""Bytes of a body that an implementation may find too large; 100 instances have fewer."""
NOT_FOUND = 404


@dataclass
class Judge:
    """Judges one clause; findings about the form of replies go to the clauses of that form."""

    clause: Clause
    survey: Survey
    target: Target
    options: Options
    findings: dict[str, Finding] = field(default_factory=dict)
    """The first finding of each clause."""
    observations: list[str] = field(default_factory=list)
    requests: int = 0

    @property
    def calls(self) -> Calls:
        """Builds requests for the target."""
        return self.survey.calls

    @property
    def is_broken(self) -> bool:
        """Whether the clause itself is broken, so that further requests prove nothing more."""
        return self.clause.id in self.findings

    def needs_acceptance(self, *, once: bool = False) -> None:
        """Leave the clause unchecked where no good call is possible; `once`: where none ever was."""
        if self.options.is_safe and not self.options.allow_upgrades:
            self.not_checked("safe mode: nothing may be upgraded on a target that is not this machine")
        if not self.survey.accepts:
            self.not_checked(self.target.filtered(f"no good call was accepted: {self.survey.refusal}"))
        if self.calls.habits.is_used_up and not once:
            self.not_checked("the target takes known instances only, and upgrades each of them once")

    def accepted_only_with(self, variants: Iterable[Request]) -> None:
        """Where no good call is accepted: whether one is that differs in something that must not matter."""
        if self.survey.accepts or self.options.is_safe or not self.survey.exchanges:
            return
        plain, outcome = self.survey.exchanges[0]
        for request in variants:
            reply = self.send(request)
            if isinstance(reply, Reply) and reply.status in ACCEPTED.statuses:
                received = f"{describe(outcome)}, but the same call with {request.note} is accepted"
                self.add(Problem(self.clause.id, ACCEPTED.sentence, received), [plain])
                return

    def not_checked(self, why: str) -> None:
        """End the test without a verdict."""
        __tracebackhide__ = True
        pytest.skip(why)

    def observe(self, text: str) -> None:
        """Note what the target does where it may do as it likes."""
        if text not in self.observations:
            self.observations.append(text)

    def expect(
        self,
        request: Request,
        expectation: Expectation,
        *,
        fresh: bool = False,
        before: Sequence[Request] = (),
        unless: Request | None = None,
    ) -> Outcome:
        """Send a request and judge the outcome.

        `before` are the requests that led to it. Where `unless` alone is as wrong, the clause is not to blame: another
        one is, whose test will tell.
        """
        expectation = self.fitting(request, expectation)
        outcome = self.send(request, fresh=fresh)
        if unless and self._blames_itself(outcome, expectation) and self.is_wrong(unless, expectation):
            return outcome
        self.judge([*before, request], outcome, expectation)
        return outcome

    def fitting(self, request: Request, expectation: Expectation) -> Expectation:
        """The expectation for this target and request.

        A target that takes known instances only may look for them before it looks at the rest of a batch, and one that
        upgrades each of them once for those that it has upgraded: in a bad call that repeats the instance of a good
        one, and in calls with odd ids, which may have been sent before. A large body may be refused for its size.
        """
        habits = self.calls.habits
        if expectation == REFUSED and not habits.takes_any_instance:
            expectation = expectation.also(404)
        is_known = request.instances == "same" or habits.is_used_up or EITHER.statuses <= expectation.statuses
        if habits.upgrades_once and is_known and REFUSED.statuses <= expectation.statuses:
            expectation = expectation.also(*sorted(INSTANCE_REFUSED.statuses - expectation.statuses))
        if REFUSED.statuses <= expectation.statuses and len(request.body) > LARGE:
            expectation = expectation.also(413)
        return expectation

    def expect_at_once(self, requests: Sequence[Request], expectations: Sequence[Expectation]) -> None:
        """Send requests at the same moment, and judge each outcome, unless the request alone is as wrong."""
        self.requests += len(requests)
        try:
            outcomes = self.target.at_once(requests)
        except TargetLost as lost:
            self.not_checked(str(lost))
            raise
        for request, given, outcome in zip(requests, expectations, outcomes, strict=True):
            expectation = self.fitting(request, given)
            if self.options.dry_run or (
                self._blames_itself(outcome, expectation) and self.is_wrong(request, expectation)
            ):
                continue
            for problem in self._problems(outcome, expectation):
                self.add(problem, [*requests, request], at_once=len(requests))

    def is_wrong(self, request: Request, expectation: Expectation) -> bool:
        """Whether a request, sent once more, does not get what is expected."""
        return self._blames_itself(self.send(request, fresh=True), expectation)

    def _blames_itself(self, outcome: Outcome, expectation: Expectation) -> bool:
        return any(problem.clause == self.clause.id for problem in self._problems(outcome, expectation))

    def _problems(self, outcome: Outcome, expectation: Expectation) -> list[Problem]:
        """What is wrong.

        The form of a refusal is no matter of the contract where no source speaks of the request, nor that of a 404
        where a framework answers it for every path.
        """
        is_404 = isinstance(outcome, Reply) and outcome.status == NOT_FOUND
        if not self.clause.can_break or (is_404 and not self.calls.habits.documents_404):
            expectation = expectation.undocumented()
        return problems(outcome, expectation, self._blamed)

    @property
    def _blamed(self) -> str:
        """The clause that a wrong answer breaks; what no source speaks of must not end in a server error, either."""
        return self.clause.id if self.clause.can_break else "error.no-server-error"

    def expect_all(self, requests: Iterable[Request], expectation: Expectation) -> None:
        """Send requests until one breaks the clause."""
        if self.target.is_slow:
            known = list(requests)
            for request, outcome in zip(known, self._send_each(known), strict=True):
                self.judge([request], outcome, self.fitting(request, expectation))
            return
        for request in requests:
            if self.is_broken:
                return
            self.expect(request, expectation)

    def observe_all(
        self,
        requests: Iterable[Request],
        expectation: Expectation,
        *,
        before: Sequence[Request] = (),
        may_be_silent: bool = False,
    ) -> None:
        """Send requests that may be answered in several ways, and note each way; of some not even an answer is due."""
        for request in requests:
            outcome = self.send(request) if may_be_silent else self.expect(request, expectation, before=before)
            answer = str(outcome.status) if isinstance(outcome, Reply) else "no reply"
            self.observe(f"{request.note}: {answer}")

    def send(self, request: Request, *, fresh: bool = False) -> Outcome:
        """Send a request without judging what comes back."""
        self.requests += 1
        try:
            return self.target.exchange(request, fresh=fresh)
        except TargetLost as lost:
            self.not_checked(str(lost))
            raise

    def _send_each(self, requests: list[Request]) -> list[Outcome]:
        self.requests += len(requests)
        try:
            return self.target.exchange_each(requests)
        except TargetLost as lost:
            self.not_checked(str(lost))
            raise

    def judge(self, requests: Sequence[Request], outcome: Outcome, expectation: Expectation) -> None:
        """Keep what is wrong with the outcome of the last of some requests."""
        if self.options.dry_run:
            return
        for problem in self._problems(outcome, expectation):
            observed = not self.clause.can_break and problem.clause == self._blamed
            if observed and not _is_server_error(outcome):
                self.observe(self.target.filtered(f"{requests[-1].note}: {problem.received}"))
            else:
                self.add(problem, requests)

    def add(self, problem: Problem, requests: Sequence[Request], at_once: int = 0) -> None:
        """Keep a problem with its proof, unless its clause has one already; `at_once` of them were sent together."""
        if problem.clause not in BY_ID:
            raise KeyError(problem.clause)
        if problem.clause in self.findings:
            return
        url, case = self.target.url, requests[-1].note or "a good call"
        # Whoever sends them again does so after this run, so they name instances that it does not.
        shown = [self.target.renewal.renewed(request) for request in requests[: at_once or None]]
        self.findings[problem.clause] = Finding(
            clause=problem.clause,
            case=f"{case}, among {at_once} calls at once" if at_once else case,
            expected=problem.expected,
            received=self.target.filtered(problem.received),
            curl=curl_at_once(url, shown) if at_once else curl(url, shown),
            requests=at_once or len(requests),
        )

    def explore(self, check: Callable[[Any], object], strategy: SearchStrategy[Any]) -> None:
        """Run `check` on generated values until a clause breaks, and then on ever smaller ones."""
        if not self.options.examples or self.is_broken:
            return
        judged = dict(self.findings)

        @hypothesis.seed(self.options.seed)
        @hypothesis.settings(
            max_examples=min(self.options.examples, 3) if self.target.is_slow else self.options.examples,
            database=None,
            deadline=None,
            phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
            suppress_health_check=list(hypothesis.HealthCheck),
            print_blob=False,
        )
        @hypothesis.given(strategy)
        def run(value: object) -> None:
            self.findings = dict(judged)
            check(value)
            if self.findings.keys() - judged.keys():
                smallest.clear()
                smallest.update(self.findings)
                raise _Found

        smallest: dict[str, Finding] = {}
        # One proof is kept, even if the target does not do the same again.
        with contextlib.suppress(_Found, hypothesis.errors.Flaky):
            run()
        self.findings = {**smallest, **judged}

    def to_json(self) -> dict[str, Any]:
        """What the report takes from a test."""
        return {
            "clause": self.clause.id,
            "findings": [asdict(finding) for finding in self.findings.values()],
            "observations": self.observations,
            "requests": self.requests,
            "accepted": self.survey.accepts,
            "lost": self.target.lost,
        }


class _Found(Exception):  # noqa: N818  # no error, but a result
    """A generated request breaks a clause."""


def _is_server_error(outcome: Outcome) -> bool:
    return not isinstance(outcome, Reply) or outcome.status >= 500  # noqa: PLR2004  # the class of server errors
