"""localhost and the reverse zones of addresses that mean the host itself (coredns-compat.md, section 3.11)."""

from collections.abc import Iterator
from dataclasses import dataclass

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.observability.families import Family, counter
from dnsserver.plugins.plugin import Handler
from dnsserver.plugins.zone_names import longest
from dnsserver.wire import names
from dnsserver.wire.codes import Class, Rcode, Type
from dnsserver.wire.question import Question
from dnsserver.wire.records import Rdata, Record, address_rdata, name_rdata, soa_rdata

#: Seconds, a week: of all records, and in the SOA record.
TTL_S = 604_800

LOCALHOST = names.from_text("localhost.")
ZONES = frozenset((LOCALHOST, *(names.from_text(f"{octet}.in-addr.arpa.") for octet in (0, 127, 255))))

_LOOPBACK_NAME = names.from_text("1.0.0.127.in-addr.arpa.")
#: Names that exist because that one does (RFC 8020).
_BETWEEN = frozenset(map(names.from_text, ("0.127.in-addr.arpa.", "0.0.127.in-addr.arpa.")))
_LABEL = LOCALHOST[:-1]
_ADDRESSES: dict[int, Rdata] = {Type.A: address_rdata("127.0.0.1"), Type.AAAA: address_rdata("::1")}
_SOA = soa_rdata(LOCALHOST, names.from_text("root.localhost."), 1, 0, 0, 0, TTL_S)
_APEX: dict[int, Rdata] = {Type.SOA: _SOA, Type.NS: name_rdata(LOCALHOST)}


@dataclass(slots=True)
class LocalCount:
    """Queries for names below `localhost`, or that begin with it."""

    requests: int = 0

    def families(self) -> Iterator[Family]:
        yield counter(
            "coredns_local_localhost_requests_total",
            "Counter of special localhost subdomain requests.",
            self.requests,
        )


def is_prefixed(name: bytes) -> bool:
    """Whether `localhost` stands in front, as a search list makes it: `localhost.example.org`."""
    return name.startswith(_LABEL) and name != LOCALHOST


def is_local(name: bytes, prefix: bool) -> bool:
    """Whether *name* (lower case) is answered here; *prefix*: as `is_prefixed` too."""
    return longest(name, ZONES) is not None or (prefix and is_prefixed(name))


@dataclass(frozen=True, slots=True)
class Local:
    """Answers these names for class IN; the rest goes to *next*."""

    next: Handler
    prefix: bool
    count: LocalCount

    async def __call__(self, query: Query) -> Reply | None:
        name, question = query.name, query.question
        if question.rclass != Class.IN:
            return await self.next(query)
        zone = longest(name, ZONES)
        if (zone == LOCALHOST and name != LOCALHOST) or (self.prefix and is_prefixed(name)):
            self.count.requests += 1
            return _of_types(question, _ADDRESSES, question.name)
        if zone is None:
            return await self.next(query)
        return _in_zone(question, name, question.name[len(name) - len(zone) :])


def _in_zone(question: Question, name: bytes, zone: bytes) -> Reply:
    """*zone* is spelt as the question spells it."""
    if name == LOCALHOST:
        return _of_types(question, _ADDRESSES | _APEX, zone)
    if name in ZONES:
        return _of_types(question, _APEX, zone)
    if name == _LOOPBACK_NAME:
        return _of_types(question, {Type.PTR: name_rdata(LOCALHOST)}, zone)
    return _negative(zone, Rcode.NOERROR if name in _BETWEEN else Rcode.NXDOMAIN)


def _of_types(question: Question, types: dict[int, Rdata], zone: bytes) -> Reply:
    """The record of the type that is asked for, or NODATA."""
    rdata = types.get(question.rtype)
    if rdata is None:
        return _negative(zone, Rcode.NOERROR)
    return Reply(answer=(Record(question.name, question.rtype, TTL_S, rdata),), plugin="local")


def _negative(zone: bytes, rcode: Rcode) -> Reply:
    return Reply(rcode=rcode, authority=(Record(zone, Type.SOA, TTL_S, _SOA),), plugin="local")
