"""What came of a question, for assertions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: In place of an RCODE: nothing came in time; the connection was closed before the whole message was there.
TIMEOUT, CLOSED = "TIMEOUT", "CLOSED"


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `name` has its final dot, `ttl` is in seconds, `data` is in presentation format."""

    name: str
    ttl: int
    type: str
    data: str

    def __str__(self) -> str:
        return f"{self.name} {self.ttl} IN {self.type} {self.data}"


@dataclass(frozen=True, slots=True)
class Step:
    """One question of several that a resolver asks for one name, and what came."""

    name: str
    type: str
    protocol: str
    rcode: str
    truncated: bool = False
    answer: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()

    def __str__(self) -> str:
        got = ", ".join(f"{record.type} {record.data}" for record in self.answer) or "no records"
        return f"{self.protocol} {self.name} {self.type}: {self.rcode}{' TC' * self.truncated}, {got}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came for `name` (as it was asked) and `type`; `from_pod` is who asked.

    `rcode` is a mnemonic (NOERROR, NXDOMAIN, SERVFAIL...), TIMEOUT or CLOSED. `transcript` has every question that was
    asked on the way, and `decided` says which of them the answer is.
    """

    name: str
    type: str
    transcript: tuple[Step, ...]
    from_pod: str = ""
    decided: int = -1

    def __str__(self) -> str:
        """For people: what was asked, what came."""
        who = f" from {self.from_pod}" if self.from_pod else ""
        return "\n".join(
            (f"{self.name} {self.type}{who}: {self.rcode}", *(f"  {step}" for step in self.transcript))
        )

    @property
    def _step(self) -> Step:
        return self.transcript[self.decided]

    @property
    def rcode(self) -> str:
        return self._step.rcode

    @property
    def truncated(self) -> bool:
        """The reply has TC."""
        return self._step.truncated

    @property
    def records(self) -> tuple[Record, ...]:
        """The answer section, CNAMEs on the way too, as they came."""
        return self._step.answer

    @property
    def authority(self) -> tuple[Record, ...]:
        return self._step.authority

    @property
    def additional(self) -> tuple[Record, ...]:
        """Without OPT."""
        return self._step.additional

    @property
    def values(self) -> list[str]:
        """Data of the records of the type that was asked, sorted: an RRset has no order."""
        return sorted(record.data for record in self.records if record.type == self.type)

    @property
    def addresses(self) -> list[str]:
        """All addresses in the answer section, sorted as text."""
        return sorted(record.data for record in self.records if record.type in ("A", "AAAA"))

    @property
    def names(self) -> list[str]:
        """The names that CNAME, PTR and SRV records lead to, sorted, with final dot."""
        kinds = ("CNAME", "PTR", "SRV")
        return sorted(record.data.split()[-1] for record in self.records if record.type in kinds)

    @property
    def ttl(self) -> int | None:
        """Seconds: the lowest of the answer section; None when that is empty."""
        return min((record.ttl for record in self.records), default=None)

    @property
    def found(self) -> bool:
        """There are records of the type that was asked."""
        return self.rcode == "NOERROR" and bool(self.values)


def difference(values: Iterable[str], wanted: Iterable[str]) -> Iterator[str]:
    """One line for each value that is missing or too many."""
    left = list(values)
    for value in sorted(wanted):
        if value in left:
            left.remove(value)
        else:
            yield f"  - {value}  (missing)"
    yield from (f"  + {value}  (not expected)" for value in sorted(left))
