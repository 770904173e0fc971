"""Which faults a query meets: by what is asked and by the seed alone, never by what else goes on."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from dnsserver.faults.fault import Fault, Kind
from dnsserver.wire.codes import type_name

#: Questions whose times are counted, by client; of more than these the ones not asked for longest begin anew.
QUESTIONS_MAX = 65_536


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as its times are counted. `name` is in lower case, without final dot; the root is "."."""

    client: str
    protocol: str
    name: str
    rtype: int

    def __str__(self) -> str:
        return f"{self.client} {self.protocol} {self.name} {type_name(self.rtype)}"


class Counts:
    """How often each question was asked."""

    def __init__(self) -> None:
        self._times: OrderedDict[Asked, int] = OrderedDict()

    def next(self, asked: Asked) -> int:
        """Which time this is, from 1."""
        n = self._times.pop(asked, 0) + 1
        self._times[asked] = n
        if len(self._times) > QUESTIONS_MAX:
            self._times.popitem(last=False)
        return n


def met(faults: Sequence[Fault], seed: int, asked: Asked, n: int) -> tuple[Fault, ...]:
    """All delays that meet the *n*-th time of *asked*, up to and with the first fault that is none."""
    found: list[Fault] = []
    for fault in faults:
        turn = fault.meets(
            client=asked.client, protocol=asked.protocol, name=asked.name, rtype=asked.rtype, n=n
        )
        if turn and _thrown(seed, fault, asked, n) < fault.probability:
            found.append(fault)
            if fault.kind is not Kind.DELAY:
                break
    return tuple(found)


def _thrown(seed: int, fault: Fault, asked: Asked, n: int) -> float:
    """A number in [0, 1) that hangs on the arguments and nothing else."""
    text = f"{seed}\n{fault}\n{asked}\n{n}"
    digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
