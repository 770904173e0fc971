"""Hot answers: question octets to stored answer, in memory, dropped by the change that could make them wrong.

A positive answer of a Service has a name of the cluster behind it, so there are as many as the cluster has. Negative
ones, and those of pod names (`pods insecure` answers every address), are as many as clients care to invent, so they
have a place of their own: inventing names drops no Service's answer.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from dnsserver.answering.stored import StoredAnswer
from dnsserver.wire.codes import Rcode, Type
from dnsserver.zone.objects import ObjectKey

#: Entries, about 500 octets each. Answers beyond these are compiled anew when they are asked for.
SERVICE_ANSWERS_MAX = 65_536
OTHERS_MAX = 16_384

_ADDRESS_TYPES = frozenset(rtype.to_bytes(2, "big") for rtype in (Type.A, Type.AAAA))

Source = TypeVar("Source")


@dataclass(frozen=True, slots=True)
class Held(Generic[Source]):
    """A stored answer, and what gives the serial of its zone. No answer: it cannot be stored, do not try again."""

    answer: StoredAnswer | None
    source: Source


def _inventable(question: bytes, answer: StoredAnswer | None) -> bool:
    """Whether clients can ask for ever more such: negative answers, but for NODATA of an address type. Those are as
    many as there are names, and every second question on a cluster of one family."""
    if answer is None or not answer.negative:
        return False
    return answer.rcode != Rcode.NOERROR or question[-4:-2] not in _ADDRESS_TYPES


class HotAnswers(Generic[Source]):
    """`service`: the Service whose changes end the answer; None: any change does."""

    def __init__(self) -> None:
        # Ordered: the oldest of a plain dict is found only past the places of all that were dropped before it.
        self._of_services: OrderedDict[bytes, Held[Source]] = OrderedDict()
        self._others: OrderedDict[bytes, Held[Source]] = OrderedDict()
        self._by_service: dict[ObjectKey | None, set[bytes]] = defaultdict(set)
        self._service_of: dict[bytes, ObjectKey | None] = {}

    def __len__(self) -> int:
        return len(self._of_services) + len(self._others)

    def get(self, question: bytes) -> Held[Source] | None:
        return self._of_services.get(question) or self._others.get(question)

    def put(self, question: bytes, held: Held[Source], service: ObjectKey | None) -> None:
        """Hold it, in place of what was held for *question*, or of the oldest where there are as many as may be."""
        if question in self._service_of:
            self._drop(question)
        table, most = self._of_services, SERVICE_ANSWERS_MAX
        if service is None or not service.namespace or _inventable(question, held.answer):
            table, most = self._others, OTHERS_MAX
        if len(table) >= most:
            self._drop(next(iter(table)))
        table[question] = held
        self._service_of[question] = service
        self._by_service[service].add(question)

    def forget(self, services: Iterable[ObjectKey]) -> None:
        """These Services have changed."""
        for service in (*services, None):
            for question in list(self._by_service.get(service, ())):
                self._drop(question)

    def clear(self) -> None:
        """Something has changed that many answers may depend on: namespaces, for one."""
        for table in (self._of_services, self._others, self._by_service, self._service_of):
            table.clear()

    def _drop(self, question: bytes) -> None:
        self._of_services.pop(question, None)
        self._others.pop(question, None)
        service = self._service_of.pop(question)
        left = self._by_service[service]
        left.discard(question)
        if not left:
            del self._by_service[service]
