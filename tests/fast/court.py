"""A server made from a Corefile over clusters that a test changes, asked by every way and compared.

The quick ways are those of the sockets: ready replies as BatchPort writes them, then what is at hand. The plain path is
the plugin chain of the same server at the same moment.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from dnsserver.answering.query import Query, read_query
from dnsserver.answering.reply import Reply, encode
from dnsserver.config import parse
from dnsserver.observability.counters import Meter, ZoneCounters, no_durations
from dnsserver.plugins.plugin import Source
from dnsserver.plugins.table import ORDER
from dnsserver.runtime.dispatch import Dispatcher
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.surroundings import Surroundings
from dnsserver.wire import names
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Type
from dnsserver.wire.message import Message
from dnsserver.wire.records import Record
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import ClusterObject, Feed
from tests.answers.scene import FEED_OF

#: Unix seconds at which every cluster is made.
CREATED = 1_000
LOOPBACK = "127.0.0.1"
#: What turns up in every server block: a listener of its own.
BIND = f"bind {LOOPBACK}"


@dataclass
class Clusters:
    """The states of the `kubernetes` blocks of a server, each fed as far as the block wants to know."""

    objects: Sequence[ClusterObject]
    states: list[ClusterState] = field(default_factory=list)

    async def factory(self, state: ClusterState, feeds: frozenset[Feed]) -> Source:
        for feed in (feed for feed in Feed if feed in feeds):
            held = [item for item in self.objects if FEED_OF[type(item)] is feed]
            state.replace(feed, held, CREATED)
        self.states.append(state)
        return _Waiting()

    def put(self, item: ClusterObject, now: float) -> None:
        for state in self.states:
            state.put(FEED_OF[type(item)], item, now)

    def drop(self, item: ClusterObject, now: float) -> None:
        for state in self.states:
            state.drop(FEED_OF[type(item)], item.key, now)


class _Waiting:
    async def run(self) -> None:
        await asyncio.Event().wait()


@dataclass
class Court:
    """`fast`, `ready`, `aside`: replies that were at hand, those of them that were ready, queries for the chain.
    `loosely`: names may be compressed in another way, as in replies of others that have the spelling of who asked
    first."""

    server: ClusterDnsServer
    clusters: Clusters
    fast: int = 0
    ready: int = 0
    aside: int = 0
    loosely: bool = False
    expected: dict[bytes, ZoneCounters] = field(default_factory=dict)

    @property
    def dispatcher(self) -> Dispatcher:
        (found,) = self.server._dispatchers.values()
        return found

    def arrival(self, protocol: str = "udp", *, ipv6: bool = False) -> Arrival:
        (host, port), *_ = self.server.endpoints
        return Arrival(protocol, "2001:db8::1" if ipv6 else "192.0.2.1", 4711, host, port, (host, port))

    async def ask(self, octets: bytes, protocol: str = "udp", *, ipv6: bool = False) -> bytes | None:
        """The reply that is at hand, None when there is none. Fails when the plain path could not give it."""
        found = self._ready_reply(octets, ipv6) if protocol == "udp" else None
        self.ready += found is not None
        if found is None:
            found = self.dispatcher.answer_now(octets, protocol, ipv6)
        if found is None:
            self.aside += 1
            return None
        self.fast += 1
        query = read_query(octets, self.arrival(protocol, ipv6=ipv6))
        assert isinstance(query, Query), octets.hex()
        reply = await self.dispatcher.resolve(query)
        assert reply is not None, octets.hex()
        zone = self.dispatcher.choice.zone(query)
        assert zone is not None
        plain = encode(reply, query)
        if self.dispatcher._sites[zone].shuffles:
            check_shuffled(found, plain, encode(reply, in_full(query)))
        else:
            same = found == plain or (self.loosely and Message.decode(found) == Message.decode(plain))
            assert same, f"{octets.hex()}: {found.hex()} is not {plain.hex()}"
        self._count(zone, query, reply, found)
        return found

    async def twice(self, octets: bytes, protocol: str = "udp", *, ipv6: bool = False) -> bytes | None:
        """The second time a ready reply is there, where there can be one."""
        first = await self.ask(octets, protocol, ipv6=ipv6)
        second = await self.ask(octets, protocol, ipv6=ipv6)
        assert (first is None) == (second is None), octets.hex()
        return second

    def _ready_reply(self, octets: bytes, ipv6: bool) -> bytes | None:
        """As BatchPort has it."""
        ready = self.dispatcher.ready(ipv6)
        found = next(filter(None, (find(octets[2:]) for find in ready.find())), None)
        if found is None:
            return None
        reply, end, tally, changing, _ = found
        sent = bytearray(octets[:2] + reply)
        assert end == len(sent)
        if changing is not None:
            start, now = changing
            sent[start : start + 4] = now[0]
            assert len(sent) == end
        tally[0] += 1
        ready.given(1, 0.001)
        return bytes(sent)

    def _count(self, zone: bytes, query: Query, reply: Reply, sent: bytes) -> None:
        """One by one, as the chain's replies are counted."""
        counters = self.expected.setdefault(zone, ZoneCounters())
        Meter({zone: counters}, ZoneCounters()).answered(zone, query, reply, sent, 0.0)

    def check_counts(self) -> None:
        """Asking for the numbers twice changes nothing."""
        for _ in range(2):
            found = self.server.measured().queries.zones
            for zone, site in self.dispatcher._sites.items():
                counted = [each for (_, name, _), each in found.items() if name == names.to_text(zone)]
                assert len(counted) == site.counted
                for counters in counted:
                    wanted = self.expected.get(zone, ZoneCounters())
                    assert replace(counters, seconds=no_durations()) == replace(
                        wanted, seconds=no_durations()
                    )
                    assert sum(counters.seconds.counts) == sum(wanted.seconds.counts)


@asynccontextmanager
async def court(
    text: str,
    objects: Sequence[ClusterObject],
    *,
    judged: float = 0.0,
    now: Callable[[], float] = lambda: CREATED,
    folder: Path = Path(),
) -> AsyncIterator[Court]:
    """The server of the Corefile *text* in *folder*, whose blocks all have the same *objects* at first."""
    clusters = Clusters(objects)
    corefile = parse(text, file="Corefile", directory=folder, directives=ORDER, environ={})
    server = ClusterDnsServer(
        corefile,
        folder,
        now=now,
        source=clusters.factory,
        surroundings=Surroundings(judged=judged),
    )
    async with server:
        yield Court(server, clusters)


def block(zones: str, *lines: str) -> str:
    """A server block; all of them share one listener."""
    keys = " ".join(f"{zone.rstrip('.')}.:0" for zone in zones.split())
    return "\n".join((f"{keys} {{", BIND, *lines, "}\n"))


def in_full(query: Query) -> Query:
    """*query* as if it had come by TCP, where every reply fits."""
    return replace(query, arrival=replace(query.arrival, protocol="tcp"))


def check_shuffled(one: bytes, other: bytes, whole: bytes) -> None:
    """Both are the same reply, but for the order of addresses; where not all fit, each has some of those of *whole*."""
    assert one[:10] == other[:10]
    mine, theirs, everything = map(Message.decode, (one, other, whole))
    assert (mine.questions, mine.authority, mine.edns) == (theirs.questions, theirs.authority, theirs.edns)
    for section in ("answer", "additional"):
        ours, others, full = (getattr(each, section) for each in (mine, theirs, everything))
        assert settled(ours) == settled(others)
        assert Counter(ours) <= Counter(full)
        if section == "additional" and len(others) < len(full):
            # How many fit hangs on which they are; no room is left for the smallest that are missing.
            smallest = 16 if any(record.rtype == Type.A for record in full) else 28
            assert abs(len(one) - len(other)) < 28 + smallest
            continue
        assert len(ours) == len(others)
        if not one[2] & 2:
            assert Counter(ours) == Counter(others)


def settled(records: Iterable[Record]) -> list[Record]:
    return [record for record in records if record.rtype not in (Type.A, Type.AAAA)]
