"""What was asked and what was sent, without clocks, ports and message IDs: so that two runs can be compared."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.message
import dns.rcode

from dnsserver.wire.codes import type_name

#: Exchanges that are kept, the newest; `Transcript.forgotten` counts those before.
EXCHANGES_MAX = 10_000
#: Records of a reply that are shown.
RECORDS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Exchange:
    """A query and what it got. `n` is which time this client asked that over this protocol. `rcode` is "" for silence.

    `answer` are the records of the answer section as `TYPE data`, of many the first RECORDS_SHOWN; `faults` what went
    wrong on the way, as in a script. A message that was cut is shown as it was before.
    """

    client: str
    protocol: str
    name: str
    type: str
    n: int
    rcode: str
    truncated: bool
    answer: tuple[str, ...]
    faults: tuple[str, ...]

    @classmethod
    def of(
        cls,
        client: str,
        protocol: str,
        name: str,
        rtype: int,
        n: int,
        reply: bytes | None,
        faults: tuple[str, ...],
    ) -> "Exchange":
        rcode, truncated, answer = ("", False, ()) if reply is None else _read(reply)
        return cls(client, protocol, name, type_name(rtype), n, rcode, truncated, answer, faults)

    def __str__(self) -> str:
        got = " ".join(
            (self.rcode or "(silence)", *(["TC"] if self.truncated else []), ", ".join(self.answer))
        )
        wrong = f" [{'; '.join(self.faults)}]" if self.faults else ""
        return f"{self.client} {self.protocol} {self.name} {self.type} #{self.n}: {got.rstrip()}{wrong}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        fields = ("client", "protocol", "name", "type", "n", "rcode", "truncated")
        return {
            **{field: getattr(self, field) for field in fields},
            "answer": list(self.answer),
            "faults": list(self.faults),
        }

    def as_json(self) -> str:
        return json.dumps(self.as_dict())


class Transcript:
    """The exchanges of a server, in the order in which they were over."""

    def __init__(self) -> None:
        self._kept: deque[Exchange] = deque(maxlen=EXCHANGES_MAX)
        self.forgotten = 0

    def __repr__(self) -> str:
        return f"<Transcript of {len(self._kept)} exchanges>"

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, exchange: Exchange) -> None:
        self.forgotten += len(self._kept) == EXCHANGES_MAX
        self._kept.append(exchange)

    def clear(self) -> None:
        self._kept.clear()
        self.forgotten = 0

    def text(self) -> str:
        """One line for each, in their order."""
        return "".join(f"{exchange}\n" for exchange in self)

    def sorted_text(self) -> str:
        """The lines by client, question and time: the same also when questions are asked at the same time."""
        by_question = sorted(
            self, key=lambda each: (each.client, each.name, each.type, each.protocol, each.n)
        )
        return "".join(f"{exchange}\n" for exchange in by_question)

    def as_json(self) -> str:
        """A JSON object a line."""
        return "".join(f"{exchange.as_json()}\n" for exchange in self)


def _read(reply: bytes) -> tuple[str, bool, tuple[str, ...]]:
    """RCODE, TC and answers of a reply, read by a library that did not write it."""
    try:
        message = dns.message.from_wire(reply, ignore_trailing=True)
    except dns.exception.DNSException as error:
        return f"unreadable ({type(error).__name__})", False, ()
    records = [
        f"{dns.rdatatype.to_text(rrset.rdtype)} {data.to_text()}"
        for rrset in message.answer
        for data in rrset
    ]
    more = [f"and {len(records) - RECORDS_SHOWN} more"] if len(records) > RECORDS_SHOWN else []
    return (
        dns.rcode.to_text(message.rcode()),
        bool(message.flags & dns.flags.TC),
        tuple(records[:RECORDS_SHOWN] + more),
    )
