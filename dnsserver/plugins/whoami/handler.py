"""The reply that describes its client."""

from dataclasses import dataclass

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Handler
from dnsserver.wire import names
from dnsserver.wire.codes import Class, Type
from dnsserver.wire.limits import NAME_MAX
from dnsserver.wire.records import Record, address_rdata, srv_rdata


@dataclass(frozen=True, slots=True)
class Whoami:
    """Answers every query of class IN; others go to *next*."""

    next: Handler

    async def __call__(self, query: Query) -> Reply | None:
        if query.question.rclass != Class.IN:
            return await self.next(query)
        return Reply(additional=(_address(query), *_port(query)), authoritative=True, plugin="whoami")


def _address(query: Query) -> Record:
    """The client's address at the name asked, without the scope, which only this host knows."""
    rdata = address_rdata(query.arrival.client_host.partition("%")[0])
    rtype = Type.A if len(rdata.head) == 4 else Type.AAAA
    return Record(query.question.name, rtype, 0, rdata)


def _port(query: Query) -> tuple[Record, ...]:
    """The client's port at `_udp.` or `_tcp.` and the name asked; nothing when that makes no name."""
    owner = names.prefix((f"_{query.arrival.protocol}".encode(),)) + query.question.name
    if len(owner) > NAME_MAX:
        return ()
    return (Record(owner, Type.SRV, 0, srv_rdata(0, 0, query.arrival.client_port, names.ROOT)),)
