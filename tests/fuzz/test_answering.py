"""Mutated queries to random clusters: every reply is a message that another decoder reads, and fits.

FUZZ_PACKETS=1000000 pytest tests/fuzz/test_answering.py
"""

from random import Random

import dns.message
import pytest

from dnsserver.answering.query import Query, read_query
from dnsserver.answering.reply import encode
from dnsserver.plugins.plugin import Handler
from dnsserver.wire import names
from dnsserver.wire.arrival import Arrival
from tests.fuzz.mutation import PACKETS, packets
from tests.fuzz.seeds import QUERIES
from tests.fuzz.worlds import HOSTNAMES, NAMES, NAMESPACES, random_scene

#: Random clusters per run; the packets are shared out among them.
WORLDS = 40
#: Of that many packets one is answered: handler and dnspython take twenty times as long as the parser.
ANSWERED = 4
ARRIVALS = tuple(Arrival(protocol, "192.0.2.1", 4711, "192.0.2.2", 53) for protocol in ("udp", "udp", "tcp"))

LABELS = (
    *(part.encode() for part in (*NAMESPACES, *NAMES, *HOSTNAMES) if part),
    *b"svc pod dns ns dns-version cluster local in-addr ip6 arpa _http _tcp _udp http tcp _ 10 96 0 1 2 f d".split(),
    *b"10-4-0-1 10-96-1-2 fd00-10-96--1 --1 * SVC Cluster LOCAL pod-a dotted example com".split(),
    *b"east w est _zone pin prefer eu-1a EU-1A rack 7 ns1".split(),
)
ZONES = tuple(
    map(
        names.from_text,
        "cluster.local. Cluster.Local. clusterset.local. example.org. 96.10.in-addr.arpa. 0.0.d.f.ip6.arpa. .".split(),
    )
)
TYPES = (1, 28, 33, 16, 12, 2, 6, 5, 15, 255, 65, 43, 65280, 252)


def likely_query(rng: Random) -> bytes:
    """A question about a name of the sort that the clusters have."""
    parts = [rng.choice(LABELS) for _ in range(rng.randrange(6))]
    if rng.random() < 0.7:
        parts = [rng.choice(LABELS) for _ in range(rng.randrange(3))]
        parts += [part.encode() for part in (rng.choice(NAMES), rng.choice(NAMESPACES))]
        parts += rng.choice(((b"svc",), (b"svc",), (b"pod",), ()))
        if rng.random() < 0.2:
            parts = [
                rng.choice((b"eu-1a", b"EU-1A", b"7")),
                rng.choice((b"pin", b"prefer")),
                b"_zone",
                *parts[-3:],
            ]
    name = (names.prefix(parts) + rng.choice(ZONES))[-255:]
    if sum(map(len, parts)) > 220:
        name = names.from_text("cluster.local.")
    flags = rng.choice((0, 0x100, 0x10, 0x2000))
    question = name + rng.choice(TYPES).to_bytes(2, "big") + b"\0\1"
    if rng.random() < 0.5:
        return rng.randbytes(2) + flags.to_bytes(2, "big") + b"\0\1\0\0\0\0\0\0" + question
    size = rng.choice((0, 512, 600, 1232, 4096, 65535)).to_bytes(2, "big")
    opt = b"\0\0\x29" + size + rng.choice((bytes(4), b"\0\0\x80\0")) + b"\0\0"
    return rng.randbytes(2) + flags.to_bytes(2, "big") + b"\0\1\0\0\0\0\0\1" + question + opt


async def checked(handler: Handler, octets: bytes, arrival: Arrival) -> int | None:
    """The RCODE of the reply; None when there is no query."""
    query = read_query(octets, arrival)
    if not isinstance(query, Query):
        if query.octets is not None:
            dns.message.from_wire(query.octets)
        return None
    reply = await handler(query)
    assert reply is not None
    sent = encode(reply, query)
    assert len(sent) <= query.size_limit
    shown = dns.message.from_wire(sent, one_rr_per_rrset=True)
    assert shown.id == query.header.id
    if query.header.opcode == 0:
        assert shown.question[0].name.to_wire() == query.question.name
    assert (shown.edns >= 0) == (query.edns is not None)
    assert shown.edns < 0 or shown.payload == (query.edns and query.edns.payload)
    return int(shown.rcode())


@pytest.mark.parametrize("half", ["mutated", "likely"])
async def test_replies_are_messages_that_fit(half: str) -> None:
    rng = Random(half)
    rcodes: dict[int, int] = {}
    share = max(20, PACKETS // ANSWERED // 2 // WORLDS)
    for world in range(WORLDS):
        handler = random_scene(Random(world)).handler()
        some = (
            packets(share, QUERIES, 100 + world)
            if half == "mutated"
            else (likely_query(rng) for _ in range(share))
        )
        for octets in some:
            try:
                rcode = await checked(handler, octets, rng.choice(ARRIVALS))
            except Exception as error:
                pytest.fail(f"{error!r} in world {world} for {octets.hex()}")
            if rcode is not None:
                rcodes[rcode] = rcodes.get(rcode, 0) + 1
    assert rcodes.keys() >= {0, 2, 3}, "answers, errors of the end of the chain, and missing names"
