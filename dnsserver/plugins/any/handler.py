"""HINFO for ANY (RFC 8482 section 4.2)."""

from dataclasses import dataclass

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Handler
from dnsserver.wire.codes import Class, Type
from dnsserver.wire.records import Record, txt_rdata

#: Seconds. As in CoreDNS, which took the number of the RFC.
TTL_S = 8482
#: HINFO is two character strings, like a TXT record of two.
RDATA = txt_rdata(b"ANY obsoleted", b"See RFC 8482")


@dataclass(frozen=True, slots=True)
class AnyType:
    """Answers type ANY of class IN for every name; the rest goes to *next*."""

    next: Handler

    async def __call__(self, query: Query) -> Reply | None:
        if query.question.rtype != Type.ANY or query.question.rclass != Class.IN:
            return await self.next(query)
        return Reply(answer=(Record(query.question.name, Type.HINFO, TTL_S, RDATA),), plugin="any")
