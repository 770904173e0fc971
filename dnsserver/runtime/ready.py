"""Replies that only want their ID, and where a question is answered that has one."""

from collections.abc import Callable
from dataclasses import dataclass

from dnsserver.observability.counters import OTHER, TYPES, Exchange, ZoneCounters
from dnsserver.observability.tallies import Tallies, Tally
from dnsserver.runtime.passage import Passage
from dnsserver.store.hot import ENTRY_OCTETS, HotAnswers
from dnsserver.transports.responder import Finders, ReadyReply
from dnsserver.wire.codes import Type
from dnsserver.wire.errors import WireError
from dnsserver.wire.question import Question

#: Octets. The replies of one second that are kept ready, over one protocol to the clients of one IP version.
SECOND_OCTETS_MAX = 16 << 20
#: Stands for the numbers of replies that nobody counts.
UNCOUNTED: Tally = [0]


@dataclass(frozen=True, slots=True)
class Place:
    """The server block that answers a question, and what counts its queries, if anything does."""

    passage: Passage
    counters: ZoneCounters | None
    shuffles: bool
    reads_options: bool


#: Where a question is answered; None: by nobody, or not by a block alone.
Chooser = Callable[[Question], Place | None]


class Places:
    """Where questions are answered, by their octets. Who finds nothing in one place asks for the same in the next."""

    def __init__(self, choose: Chooser) -> None:
        self._choose = choose
        self._octets = b""
        self._found: tuple[Question, Place] | None = None

    def of(self, octets: bytes) -> tuple[Question, Place] | None:
        """The question that *octets* are, and its place; None for what is no question, or is not answered by a block
        alone. ANY has a different answer each time."""
        if octets != self._octets:
            self._octets, self._found = octets, self._look_up(octets)
        return self._found

    def _look_up(self, octets: bytes) -> tuple[Question, Place] | None:
        try:
            question, end = Question.decode(octets, 0)
        except WireError:
            return None
        place = self._choose(question) if end == len(octets) and question.rtype != Type.ANY else None
        return None if place is None else (question, place)


class Ready:
    """The replies over one protocol to the clients of one IP version that only want their ID."""

    def __init__(self, tallies: Tallies, refresh: Callable[[], None], room: float) -> None:
        self.replies: HotAnswers[ReadyReply] = HotAnswers(lambda reply: reply[1], room)
        self._tallies = tallies
        self._refresh = refresh
        self._second: dict[bytes, ReadyReply] = {}
        self._second_octets = 0
        self._second_most = int(SECOND_OCTETS_MAX * room)

    def find(self) -> Finders:
        self._refresh()
        return self.replies.of_services.young.get, self.replies.others.young.get, self._second.get

    def given(self, replies: int, seconds: float) -> None:
        self._tallies.lasted(seconds, replies)

    def get_of_second(self, key: bytes) -> ReadyReply | None:
        return self._second.get(key)

    def put_of_second(self, key: bytes, reply: ReadyReply) -> None:
        """Until `end_second`; while there is room, as whoever has none is answered all the same."""
        self._second_octets += ENTRY_OCTETS + len(key) + reply[1]
        if self._second_octets <= self._second_most:
            self._second[key] = reply

    def end_second(self) -> None:
        self._second.clear()
        self._second_octets = 0

    def clear(self) -> None:
        self.replies.clear()
        self.end_second()


def exchange_of(protocol: str, ipv6: bool, rtype: int, rcode: int, plugin: str, do: bool) -> Exchange:
    return (protocol, ipv6, rtype if rtype in TYPES else OTHER, rcode, plugin, do)
