"""What rules do to replies, the last rule first (coredns-compat.md, section 3.8)."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from dnsserver.answering.query import Query, follow
from dnsserver.answering.reply import Reply
from dnsserver.plugins.rewrite.texts import Rewriter
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.errors import NameTextError, WireError
from dnsserver.wire.records import Rdata, Record

#: Puts a query through the whole server.
Lookup = Callable[[Query], Awaitable[Reply | None]]
#: Questions that the server asks itself for one query: rules for CNAMEs can lead to each other without end.
TRAIL_MAX = 8
_NAPTR = 35
#: Types whose first name in the RDATA is their value.
_NAMED = frozenset((Type.SRV, Type.MX, Type.CNAME, Type.NS, Type.DNAME, Type.SOA, Type.PTR))


class Answering(Protocol):
    """What one rule does to the reply to *query*, which is the one that went on."""

    async def answered(self, reply: Reply, query: Query, lookup: Lookup) -> Reply: ...


def each_record(reply: Reply, change: Callable[[Record], Record]) -> Reply:
    def changed(records: Iterable[Record]) -> tuple[Record, ...]:
        return tuple(map(change, records))

    return replace(
        reply,
        answer=changed(reply.answer),
        authority=changed(reply.authority),
        additional=changed(reply.additional),
    )


def _rewritten(name: bytes, rewriter: Rewriter) -> bytes:
    """*name* where it is not meant, or where no name would come out."""
    text = rewriter(names.to_text(name))
    try:
        return name if text is None else names.from_text(text)
    except NameTextError:
        return name


@dataclass(frozen=True, slots=True)
class Owners:
    """Other owner names."""

    rewriter: Rewriter

    async def answered(self, reply: Reply, query: Query, lookup: Lookup) -> Reply:  # noqa: ARG002
        return each_record(
            reply, lambda record: replace(record, owner=_rewritten(record.owner, self.rewriter))
        )


@dataclass(frozen=True, slots=True)
class Values:
    """Other names in the data of records."""

    rewriter: Rewriter

    async def answered(self, reply: Reply, query: Query, lookup: Lookup) -> Reply:  # noqa: ARG002
        return each_record(reply, self._changed)

    def _changed(self, record: Record) -> Record:
        rdata = record.rdata
        if record.rtype in _NAMED and rdata.names:
            value = _rewritten(rdata.names[0], self.rewriter)
            return replace(record, rdata=replace(rdata, names=(value, *rdata.names[1:])))
        if record.rtype == _NAPTR:
            return replace(record, rdata=self._of_naptr(rdata))
        return record

    def _of_naptr(self, rdata: Rdata) -> Rdata:
        """The name is behind two numbers and three strings (RFC 3403 section 4.1)."""
        octets, place = rdata.head, 4
        try:
            for _ in range(3):
                place += 1 + octets[place]
            value, _ = names.decode(octets, place)
        except (IndexError, WireError):
            return rdata
        return Rdata(octets[:place] + _rewritten(value, self.rewriter))


@dataclass(frozen=True, slots=True)
class Ttls:
    """TTLs in seconds, from `low` to `high`."""

    low: int
    high: int

    async def answered(self, reply: Reply, query: Query, lookup: Lookup) -> Reply:  # noqa: ARG002
        return each_record(
            reply, lambda record: replace(record, ttl=min(max(record.ttl, self.low), self.high))
        )


@dataclass(frozen=True, slots=True)
class Rcodes:
    """`new` in place of `old`."""

    old: int
    new: int

    async def answered(self, reply: Reply, query: Query, lookup: Lookup) -> Reply:  # noqa: ARG002
        return replace(reply, rcode=self.new) if reply.rcode == self.old else reply


@dataclass(frozen=True, slots=True)
class CnameTargets:
    """Another target for the first CNAME that is meant, with that target's records."""

    rewriter: Rewriter

    async def answered(self, reply: Reply, query: Query, lookup: Lookup) -> Reply:
        kept: list[Record] = []
        for record in reply.answer:
            if record.rtype != Type.CNAME:
                continue
            target = record.rdata.names[0]
            new = _rewritten(target.lower(), self.rewriter)
            if new == target.lower():
                kept.append(record)
                continue
            been = (*query.trail, query.name)
            if new in been or len(been) > TRAIL_MAX:
                return reply
            found = await lookup(follow(query, new))
            if found is None:
                return reply
            kept.append(replace(record, rdata=Rdata(names=(new,))))
            return replace(
                reply,
                answer=(*kept, *found.answer),
                truncated=found.truncated,
                live=reply.live or found.live,
            )
        return reply


@dataclass(frozen=True, slots=True)
class Options:
    """The EDNS option that a rule has set, as the client is shown it; None: it is not shown."""

    code: int
    data: bytes | None

    async def answered(self, reply: Reply, query: Query, lookup: Lookup) -> Reply:  # noqa: ARG002
        kept = tuple(option for option in reply.options if option[0] != self.code)
        return replace(reply, options=kept if self.data is None else (*kept, (self.code, self.data)))
