"""Assertions about answers, and what they say when they fail."""

import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from dnsserver.testing.answers import CLOSED, TIMEOUT, Answer, difference
from dnsserver.wire.codes import rcode_number

#: Seconds between two questions of one assertion.
PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class Expected:
    """What an answer should be. `values` in any order; None: one or more, or none where `rcode` is no NOERROR."""

    name: str
    type: str
    values: tuple[str, ...] | None
    rcode: str

    @classmethod
    def of(cls, name: str, rtype: str, values: Iterable[str] | None, rcode: str) -> "Expected":
        """Raises ValueError for what no answer could ever be."""
        if isinstance(values, str):
            raise ValueError(f"values={values!r}: give a list, as [{values!r}]")
        if rcode.upper() not in (TIMEOUT, CLOSED) and rcode_number(rcode.upper()) is None:
            raise ValueError(
                f"rcode={rcode!r}: give NOERROR, NXDOMAIN, SERVFAIL or the like, {TIMEOUT} or {CLOSED}"
            )
        return cls(name, rtype.upper(), None if values is None else tuple(values), rcode.upper())

    def met(self, answer: Answer) -> bool:
        if answer.rcode != self.rcode:
            return False
        if self.values is None:
            return bool(answer.values) == (self.rcode == "NOERROR")
        return answer.values == sorted(self.values)

    def asked(self, ask: Callable[[], Answer], explain: Callable[[Answer], str], within_s: float) -> Answer:
        """The answer of *ask*, which is called until it is as expected, for *within_s* seconds at most; after that
        *explain* says why it is not."""
        __tracebackhide__ = True  # pytest shows the test's line
        end = time.monotonic() + within_s
        while True:
            answer = ask()
            if self.met(answer):
                return answer
            if time.monotonic() >= end:
                why = textwrap.indent(explain(answer), "  ")
                raise AssertionError("\n".join((*self._told(answer, within_s), "why:", why)))
            time.sleep(PAUSE_S)

    def _told(self, answer: Answer, within_s: float) -> Iterator[str]:
        who = f" from {answer.from_pod}" if answer.from_pod else ""
        late = f" (within {within_s:g} s)" if within_s else ""
        yield f"{self.name} {self.type}{who} is not as expected{late}"
        yield f"expected: {self._shown()}"
        yield f"came:     {answer.rcode} {', '.join(answer.values) or 'no records of this type'}"
        if self.values is not None and answer.rcode == self.rcode:
            yield "differs:"
            yield from difference(answer.values, self.values)
        yield "asked:"
        yield from (f"  {step}" for step in answer.transcript)

    def _shown(self) -> str:
        if self.values is not None:
            return f"{self.rcode} {', '.join(sorted(self.values)) or 'no records of this type'}"
        return f"{self.rcode}{' and at least one record' * (self.rcode == 'NOERROR')}"
