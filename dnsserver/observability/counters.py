"""What a server counts on the way of a query: plain numbers that can be added up, and know nothing of their text.

The counters of several processes become one by `merge`; `dns_metrics.py` turns them into metrics.
"""

import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import type_number

#: Seconds. Upper bounds of the buckets of durations: 0.25 ms, doubled 15 times (coredns-compat.md, section 4).
TIME_BOUNDS = tuple(0.00025 * 2**power for power in range(16))
#: Octets. Upper bounds of the buckets of message sizes (coredns-compat.md, section 4).
SIZE_BOUNDS = (0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16_000, 32_000, 48_000, 64_000)

#: The types that are counted by name (coredns-compat.md, section 4.1); clients choose types, and must not be able to
#: make ever more series.
TYPES = frozenset(
    number
    for name in (
        "A AAAA CNAME DNSKEY DS HTTPS SVCB MX NS NSEC NSEC3 PTR RRSIG SOA SRV TXT IXFR AXFR ANY"
    ).split()
    if (number := type_number(name)) is not None
)
#: Stands for all other types; a reserved type (RFC 6895 section 3.1).
OTHER = 0
#: Stands for the RCODE of a query that got no reply.
SILENT = -1
#: The zone of queries that no server block took. Without a final dot it is no zone's name.
DROPPED = "dropped"

#: Protocol, whether the client's address is IPv6, type, RCODE, plugin, DO bit.
Exchange = tuple[str, bool, int, int, str, bool]


@dataclass(slots=True)
class Histogram:
    """How many observations are at most `bounds[0]`, beyond that at most `bounds[1]`, and so on; last: beyond all."""

    bounds: Sequence[float]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0
    """The sum of all observations."""

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def copy(self) -> "Histogram":
        return Histogram(self.bounds, list(self.counts), self.total)

    def add(self, value: float, times: int) -> None:
        self.counts[bisect_left(self.bounds, value)] += times
        self.total += value * times

    def merge(self, other: "Histogram") -> None:
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.total += other.total

    def shared_out(self, shares: Mapping[int, int]) -> "dict[int, Histogram]":
        """For each of *shares*, which are no more than the observations together, so many of them: its part of every
        bucket, and none of them twice."""
        observed = sum(self.counts)
        counts: dict[int, list[int]] = {key: [] for key in shares if observed}
        before = dict.fromkeys(counts, 0)
        reached = 0
        for count in self.counts if counts else ():
            reached += count
            left, whole = reached, observed
            for key, found in counts.items():
                # Of the first observations up to here, those that the ones before did not get.
                up_to = left * shares[key] // whole if whole else 0
                found.append(up_to - before[key])
                before[key] = up_to
                left, whole = left - up_to, whole - shares[key]
        return {
            key: Histogram(self.bounds, found, self.total * shares[key] / observed)
            for key, found in counts.items()
        }


def no_durations() -> Histogram:
    return Histogram(TIME_BOUNDS)


@dataclass(slots=True)
class ZoneCounters:
    """The queries for one zone at one address, and what became of them."""

    exchanges: dict[Exchange, int] = field(default_factory=dict)
    seconds: Histogram = field(default_factory=no_durations)
    asked: dict[str, Histogram] = field(default_factory=dict)
    """Octets of queries, by protocol."""
    sent: dict[str, Histogram] = field(default_factory=dict)
    """Octets of replies, by protocol."""

    def add(self, exchange: Exchange, asked: int, sent: int | None, seconds: float) -> None:
        """Count one query of *asked* octets and its reply of *sent* octets; None for silence.

        All in one function: every query comes through here, and calls would nearly double the cost.
        """
        self.exchanges[exchange] = self.exchanges.get(exchange, 0) + 1
        durations = self.seconds
        durations.counts[bisect_left(TIME_BOUNDS, seconds)] += 1
        durations.total += seconds
        protocol = exchange[0]
        sizes = self.asked.get(protocol) or self._first(protocol)
        sizes.counts[bisect_left(SIZE_BOUNDS, asked)] += 1
        sizes.total += asked
        if sent is not None:
            sizes = self.sent[protocol]
            sizes.counts[bisect_left(SIZE_BOUNDS, sent)] += 1
            sizes.total += sent

    def add_many(self, exchange: Exchange, asked: int, sent: int, number: int) -> None:
        """Count *number* queries of *asked* octets with replies of *sent* octets; their durations come apart."""
        self.exchanges[exchange] = self.exchanges.get(exchange, 0) + number
        protocol = exchange[0]
        sizes = self.asked.get(protocol) or self._first(protocol)
        sizes.add(asked, number)
        self.sent[protocol].add(sent, number)

    def _first(self, protocol: str) -> Histogram:
        self.sent[protocol] = Histogram(SIZE_BOUNDS)
        return self.asked.setdefault(protocol, Histogram(SIZE_BOUNDS))

    def merge(self, other: "ZoneCounters") -> None:
        for exchange, count in other.exchanges.items():
            self.exchanges[exchange] = self.exchanges.get(exchange, 0) + count
        self.seconds.merge(other.seconds)
        for mine, theirs in ((self.asked, other.asked), (self.sent, other.sent)):
            for protocol, sizes in theirs.items():
                mine.setdefault(protocol, Histogram(SIZE_BOUNDS)).merge(sizes)


@dataclass(slots=True)
class QueryCounters:
    """Everything that one server counts of queries; the keys are its address as `dns://:53`, and the zone as text."""

    zones: dict[tuple[str, str, str], ZoneCounters] = field(default_factory=dict)
    panics: int = 0
    """Exceptions that a handler let through."""
    misjudged: int = 0
    """Quick answers that were compared with the plain path's, and were not the same."""

    def zone(self, server: str, zone: str, view: str = "") -> ZoneCounters:
        return self.zones.setdefault((server, zone, view), ZoneCounters())

    def merge(self, other: "QueryCounters") -> None:
        self.panics += other.panics
        self.misjudged += other.misjudged
        for key, counters in other.zones.items():
            self.zones.setdefault(key, ZoneCounters()).merge(counters)


class Meter:
    """Counts the queries of one listener, into *zones* by the site that took them: as
    BuiltListener names it, mostly by its zone (wire name, lower case).

    Zones that are not there are not counted. *dropped* has the queries that no zone took.
    """

    def __init__(self, zones: Mapping[bytes, ZoneCounters], dropped: ZoneCounters) -> None:
        self._zones = zones
        self._dropped = dropped

    def __repr__(self) -> str:
        return f"<Meter zones={len(self._zones)}>"

    def zone(self, zone: bytes) -> ZoneCounters | None:
        """What counts the queries that *zone* takes; None when they are not counted."""
        return self._zones.get(zone)

    def answered(
        self, zone: bytes | None, query: Query, reply: Reply | None, sent: bytes | None, begun: float
    ) -> None:
        """Count *query*, which *zone* took, or no zone; *begun* is when it came, by `time.perf_counter`."""
        counters = self._dropped if zone is None else self._zones.get(zone)
        if counters is None:
            return
        arrival, edns, rtype = query.arrival, query.edns, query.question.rtype
        exchange = (
            arrival.protocol,
            ":" in arrival.client_host,
            rtype if rtype in TYPES else OTHER,
            SILENT if reply is None else reply.rcode,
            "" if reply is None else reply.plugin,
            edns is not None and edns.do,
        )
        counters.add(
            exchange, len(query.octets), None if sent is None else len(sent), time.perf_counter() - begun
        )

    def rejected(self, arrival: Arrival, octets: bytes, rcode: int, sent: bytes | None, begun: float) -> None:
        """Count octets that were no query; their type is not known."""
        rcode = SILENT if sent is None else rcode
        exchange = (arrival.protocol, ":" in arrival.client_host, OTHER, rcode, "", False)
        size = None if sent is None else len(sent)
        self._dropped.add(exchange, len(octets), size, time.perf_counter() - begun)
