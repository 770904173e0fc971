"""Smaller sizes in queries and replies (coredns-compat.md, section 3.11)."""

from dataclasses import dataclass, replace

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Handler
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.limits import HEADER_SIZE
from dnsserver.wire.question import Question

#: Octets. TYPE, CLASS, TTL and RDLENGTH of a record (RFC 1035 section 4.1.3).
_FIXED = 10


@dataclass(frozen=True, slots=True)
class Bufsize:
    """Replies of *next* have no more than *size* octets over UDP, and upstreams are told so too."""

    next: Handler
    size: int

    async def __call__(self, query: Query) -> Reply | None:
        if query.edns is not None and query.edns.payload > self.size:
            query = _asking_for_less(query, self.size)
        reply = await self.next(query)
        return None if reply is None else limited(reply, self.size)


def limited(reply: Reply, size: int) -> Reply:
    """*reply* with no more than *size* octets over UDP."""
    return replace(reply, payload_max=min(size, reply.payload_max or size))


def _asking_for_less(query: Query, size: int) -> Query:
    """*query* with *size* in its OPT record, as a value and in its octets."""
    assert query.edns is not None
    octets = bytearray(query.octets)
    place = _opt_class(query)
    octets[place : place + 2] = size.to_bytes(2, "big")
    return replace(query, edns=replace(query.edns, payload=size), octets=bytes(octets))


def _opt_class(query: Query) -> int:
    """Where the class of the OPT record is, which is the size (RFC 6891 section 6.1.2)."""
    octets, header = query.octets, query.header
    _, place = Question.decode(octets, HEADER_SIZE)
    before = header.answers + header.authorities
    for number in range(before + header.additionals):
        _, place = names.decode(octets, place)
        if number >= before and int.from_bytes(octets[place : place + 2], "big") == Type.OPT:
            return place + 2
        place += _FIXED + int.from_bytes(octets[place + _FIXED - 2 : place + _FIXED], "big")
    raise ValueError("the query has no OPT record")
