"""All questions to both servers, in rounds: what differs is asked again, as clusters change and datagrams get lost."""

import asyncio
import functools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dnsserver.comparing.accepted import Accepted, Case, accepted
from dnsserver.comparing.differences import Difference, Kind, differences
from dnsserver.comparing.presence import Answerer, GoneError, Side
from dnsserver.comparing.seen import Seen
from dnsserver.sources.kubernetes.pacing import Timing, TokenBucket
from dnsserver.wire.question import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How carefully is asked, and what counts; seconds. *zone* is the cluster's, in lower case."""

    zone: bytes
    qps: float
    concurrency: int
    retries: int
    pause_s: float
    ttl_tolerance_s: int = 0
    ignored: frozenset[Kind] = frozenset()
    strict: bool = False
    """Differences that docs/differences.md lists count as others do."""


@dataclass(slots=True)
class Trial:
    """A question, with the replies of all rounds. The last exchange failed where `old_error` or `new_error` says so."""

    question: Question
    old: list[Seen] = field(default_factory=list)
    new: list[Seen] = field(default_factory=list)
    old_error: str = ""
    new_error: str = ""

    def found(self, ttl_tolerance_s: int) -> tuple[Difference, ...]:
        """What differs by the last replies."""
        if self.old_error or self.new_error:
            return (Difference(Kind.NO_REPLY, self.old_error or "replied", self.new_error or "replied"),)
        return differences(self.old, self.new, ttl_tolerance_s)

    def case(self, zone: bytes) -> Case:
        old = None if self.old_error else self.old[-1]
        new = None if self.new_error else self.new[-1]
        return Case(self.question.name.lower(), self.question.rtype, zone, old, new)


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference that stayed."""

    question: Question
    difference: Difference


@dataclass(slots=True)
class Outcome:
    """`equal` are the questions without any difference; the others may have several."""

    asked: int = 0
    equal: int = 0
    findings: list[Finding] = field(default_factory=list)
    accepted: Counter[Accepted] = field(default_factory=Counter)
    ignored: Counter[Kind] = field(default_factory=Counter)

    @property
    def kinds(self) -> Counter[Kind]:
        return Counter(finding.difference.kind for finding in self.findings)


#: Told the round, from 1, all its questions, and how many of them are through.
Progress = Callable[[int, int, int], None]


async def compare(
    questions: Sequence[Question],
    old: Answerer,
    new: Answerer,
    rules: Rules,
    progress: Progress = lambda *_: None,
) -> Outcome:
    """Ask *questions* of both, and those whose replies differ again, `retries` times. Raises GoneError."""
    outcome = Outcome(asked=len(questions))
    sides = Side(old, rules.zone), Side(new, rules.zone)
    left = [Trial(question) for question in questions]
    bucket = TokenBucket(rules.qps, rules.concurrency, Timing())
    for number in range(1, rules.retries + 2):
        if number > 1:
            await asyncio.sleep(rules.pause_s)
        told = functools.partial(progress, number, len(left))
        await _round(left, sides, rules, bucket, told)
        differing = [trial for trial in left if trial.found(rules.ttl_tolerance_s)]
        outcome.equal += len(left) - len(differing)
        left = differing
        if not left:
            break
    for trial in left:
        _judge(trial, rules, outcome)
    return outcome


async def _round(
    trials: Sequence[Trial],
    sides: tuple[Side, Side],
    rules: Rules,
    bucket: TokenBucket,
    progress: Callable[[int], None],
) -> None:
    waiting = iter(enumerate(trials, 1))
    old, new = sides

    async def work() -> None:
        for number, trial in waiting:
            await bucket.take()
            trial.old_error, trial.new_error = await asyncio.gather(
                old.asked(trial.question, trial.old), new.asked(trial.question, trial.new)
            )
            if old.gone or new.gone:
                return
            progress(number)

    async with asyncio.TaskGroup() as group:
        for number in range(min(rules.concurrency, len(trials))):
            group.create_task(work(), name=f"compare {number}")
    if gone := old.gone or new.gone:
        number = len(trials) - sum(1 for _ in waiting)
        raise GoneError(f"{gone}; given up at question {number:,} of {len(trials):,}")


def _judge(trial: Trial, rules: Rules, outcome: Outcome) -> None:
    """Count what of a question's differences is meant, does not matter, or is found."""
    case = trial.case(rules.zone)
    for difference in trial.found(rules.ttl_tolerance_s):
        row = None if rules.strict else accepted(difference.kind, case)
        if difference.kind in rules.ignored:
            outcome.ignored[difference.kind] += 1
        elif row is not None:
            outcome.accepted[row] += 1
        else:
            outcome.findings.append(Finding(trial.question, difference))
