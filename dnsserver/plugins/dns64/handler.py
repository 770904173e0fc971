"""AAAA records made of A records, for networks without IPv4 (RFC 6147; coredns-compat.md, section 3.11)."""

import ipaddress
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace

from dnsserver.answering.query import Query, about
from dnsserver.answering.reply import Reply
from dnsserver.observability.families import Family, Kind
from dnsserver.plugins.dns64.settings import Dns64Settings
from dnsserver.plugins.place import server_label
from dnsserver.plugins.plugin import Handler
from dnsserver.wire.codes import Class, Flag, Rcode, Type
from dnsserver.wire.question import Question
from dnsserver.wire.records import Rdata, Record

#: Seconds. The highest TTL of a made record where no SOA record says for how long there is no other (RFC 6147, 5.1.7).
TTL_MAX_S = 600
#: Of an address made of an IPv4 address, this octet is always zero (RFC 6052 section 2.2).
_ZERO_OCTET = 8


@dataclass(slots=True)
class Translated:
    """Replies that were made, by where the query came in."""

    by_server: Counter[str] = field(default_factory=Counter)

    def families(self) -> Iterator[Family]:
        yield Family(
            "coredns_dns64_requests_translated_total",
            Kind.COUNTER,
            "Counter of DNS requests translated by dns64.",
            ("server",),
            tuple(((server,), float(number)) for server, number in self.by_server.items()),
        )


@dataclass(frozen=True, slots=True)
class Dns64:
    """Where *next* has no AAAA records, what *resolve* says of A records is made into them."""

    next: Handler
    settings: Dns64Settings
    resolve: Callable[[Query], Awaitable[Reply | None]]
    translated: Translated

    async def __call__(self, query: Query) -> Reply | None:
        reply = await self.next(query)
        if reply is None or not self._is_for(query) or not self._lacks_addresses(reply):
            return reply
        question = Question(query.question.name, Type.A, Class.IN)
        found = await self.resolve(about(query, question))
        if found is None:
            return None
        self.translated.by_server[server_label(query.arrival)] += 1
        most = _negative_ttl(reply)
        answer = tuple(_made(record, self.settings.prefix, most) for record in found.answer)
        # Made here: no server has authority for it, and no resolver has validated it.
        return replace(found, answer=answer, authoritative=False, authentic=False)

    def _is_for(self, query: Query) -> bool:
        """Not for those who check signatures themselves: they would find ours wanting (RFC 6147 section 5.5)."""
        if query.question.rtype != Type.AAAA or query.question.rclass != Class.IN:
            return False
        if query.edns is not None and query.edns.do and query.header.flags & Flag.CD:
            return False
        return self.settings.allow_ipv4 or ":" in query.arrival.client_host

    def _lacks_addresses(self, reply: Reply) -> bool:
        """An error counts as no addresses, but for NXDOMAIN: then there are none of IPv4 either (RFC 6147, 5.1.2)."""
        if reply.rcode == Rcode.NXDOMAIN:
            return False
        return self.settings.translate_all or not any(record.rtype == Type.AAAA for record in reply.answer)


def _negative_ttl(reply: Reply) -> int:
    return next((record.ttl for record in reply.authority if record.rtype == Type.SOA), TTL_MAX_S)


def _made(record: Record, prefix: ipaddress.IPv6Network, most: int) -> Record:
    """An A record as AAAA, with a TTL of *most* seconds at most; others as they are (RFC 6147 section 5.3.3)."""
    if record.rtype != Type.A:
        return record
    address = embedded(prefix, record.rdata.head)
    return replace(record, rtype=Type.AAAA, ttl=min(record.ttl, most), rdata=Rdata(address))


def embedded(prefix: ipaddress.IPv6Network, address: bytes) -> bytes:
    """The 16 octets of *address* (4) behind *prefix* (RFC 6052 section 2.2)."""
    place = prefix.prefixlen // 8
    octets = bytearray(prefix.network_address.packed)
    for octet in address:
        if place == _ZERO_OCTET:
            place += 1
        octets[place] = octet
        place += 1
    return bytes(octets)
