"""Counting replies that are given again and again: one addition each, the rest when somebody asks for the numbers."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from dnsserver.observability.counters import Exchange, Histogram, ZoneCounters, no_durations

#: A number that grows by one with each reply of its kind.
Tally = list[int]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What replies have in common that share a tally: octets of the query and of the reply, the exchange,
    and who else is told their number."""

    exchange: Exchange
    asked: int
    sent: int
    also: Callable[[int], None] | None


@dataclass(slots=True)
class Tallies:
    """The ready replies of one listener.

    Clients choose type, DO bit and the octets of the name, so there are never more kinds than some ten thousands for
    each zone: queries to which replies are kept ready have no options and no octets behind (`is_commonplace`).
    """

    _kinds: dict[tuple[int, _Kind], tuple[ZoneCounters, Tally]] = field(default_factory=dict)
    _durations: Histogram = field(default_factory=no_durations)

    def tally(
        self,
        counters: ZoneCounters,
        exchange: Exchange,
        asked: int,
        sent: int,
        also: Callable[[int], None] | None = None,
    ) -> Tally:
        """What to add one to for such a reply, which is to appear in *counters*; *also* is told the number too."""
        kind = _Kind(exchange, asked, sent, also)
        return self._kinds.setdefault((id(counters), kind), (counters, [0]))[1]

    def lasted(self, seconds: float, replies: int) -> None:
        """So many replies took so long, each."""
        self._durations.add(seconds, replies)

    def fold(self) -> None:
        """Add what has been tallied to the counters, and begin anew.

        Which zone a duration belongs to is not noted, as every reply would pay for that: where one listener counts for
        several zones, their durations since the last time are shared out by the number of their replies.
        """
        replies: dict[int, int] = defaultdict(int)
        zones: dict[int, ZoneCounters] = {}
        for (number, kind), (counters, tally) in self._kinds.items():
            if tally[0]:
                counters.add_many(kind.exchange, kind.asked, kind.sent, tally[0])
                if kind.also is not None:
                    kind.also(tally[0])
                zones[number] = counters
                replies[number] += tally[0]
                tally[0] = 0
        for number, durations in self._durations.shared_out(replies).items():
            zones[number].seconds.merge(durations)
        self._durations = no_durations()
