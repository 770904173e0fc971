"""Replies with their records in another order (cluster-dns-behaviour.md, section 15)."""

import ipaddress
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.loadbalance.settings import LoadbalanceSettings, Network
from dnsserver.plugins.loadbalance.weights import DEFAULT, WeightFile, Weights
from dnsserver.plugins.plugin import Handler
from dnsserver.wire.codes import Rcode, Type
from dnsserver.wire.records import Record

#: The types whose replies the policy `weighted` changes; CoreDNS's.
WEIGHED = frozenset((Type.A, Type.AAAA, Type.SRV))

Records = tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Loadbalance:
    """Reorders every section of the NOERROR replies that *next* gives, zone transfers excepted."""

    next: Handler
    settings: LoadbalanceSettings
    weights: WeightFile | None = None
    """With the policy `weighted`."""

    async def __call__(self, query: Query) -> Reply | None:
        reply = await self.next(query)
        if reply is None or reply.rcode != Rcode.NOERROR or query.question.rtype in (Type.AXFR, Type.IXFR):
            return reply
        if self.weights is None:
            reply = reordered(reply)
        elif query.question.rtype in WEIGHED:
            reply = weighed(reply, self.weights.weights)
        prefer = self.settings.prefer
        if not prefer:
            return reply
        answer, additional = preferred(reply.answer, prefer), preferred(reply.additional, prefer)
        return replace(reply, answer=answer, additional=additional)


def reordered(reply: Reply) -> Reply:
    """*reply* with every section `shuffled`."""
    return _by_section(shuffled, reply)


def grouped(reply: Reply) -> Reply:
    """*reply* as the plugin makes it, but for chance: addresses and MX stay in their order."""
    return _by_section(_grouped, reply) if reply.rcode == Rcode.NOERROR else reply


def is_restless(reply: Reply) -> bool:
    """Whether the plugin may make another reply of it each time."""
    return reply.rcode == Rcode.NOERROR and any(
        len(addresses) > 1 or len(mxs) > 1
        for _, addresses, mxs, _ in map(_by_kind, (reply.answer, reply.authority, reply.additional))
    )


def _by_section(change: Callable[[Records], Records], reply: Reply) -> Reply:
    if len(reply.answer) < 2 and len(reply.authority) < 2 and len(reply.additional) < 2:
        return reply
    answer, authority, additional = map(change, (reply.answer, reply.authority, reply.additional))
    return reply.with_records(answer, authority, additional)


def weighed(reply: Reply, weights: Weights) -> Reply:
    """*reply* with another address first in answer and additional section: each as often as its weight says."""
    return replace(
        reply, answer=_one_first(reply.answer, weights), additional=_one_first(reply.additional, weights)
    )


def _one_first(records: Records, weights: Weights) -> Records:
    """CNAMEs, other records, addresses, MX; the address that is chosen changes places with the first."""
    cnames, addresses, mxs, rest = _by_kind(records)
    if not addresses:
        return records
    shares = [weights.get(record.owner.lower(), {}).get(record.rdata.head, DEFAULT) for record in addresses]
    (place,) = random.choices(range(len(addresses)), shares)
    addresses[0], addresses[place] = addresses[place], addresses[0]
    return (*cnames, *rest, *addresses, *mxs)


def shuffled(records: Records) -> Records:
    """CNAMEs, other records, addresses in random order, MX in random order."""
    if len(records) < 2:
        return records
    cnames, addresses, mxs, rest = _by_kind(records)
    random.shuffle(addresses)
    random.shuffle(mxs)
    return (*cnames, *rest, *addresses, *mxs)


def _grouped(records: Records) -> Records:
    cnames, addresses, mxs, rest = _by_kind(records)
    return (*cnames, *rest, *addresses, *mxs)


def preferred(records: Records, networks: tuple[Network, ...]) -> Records:
    """CNAMEs, addresses by the first of *networks* that has them, MX, other records."""
    cnames, addresses, mxs, rest = _by_kind(records)
    addresses.sort(key=lambda record: _rank(record, networks))  # stable: equals stay shuffled
    return (*cnames, *addresses, *mxs, *rest)


def _by_kind(records: Iterable[Record]) -> tuple[list[Record], list[Record], list[Record], list[Record]]:
    cnames: list[Record] = []
    addresses: list[Record] = []
    mxs: list[Record] = []
    rest: list[Record] = []
    kinds: dict[int, list[Record]] = {
        Type.CNAME: cnames,
        Type.A: addresses,
        Type.AAAA: addresses,
        Type.MX: mxs,
    }
    for record in records:
        kinds.get(record.rtype, rest).append(record)
    return cnames, addresses, mxs, rest


def _rank(record: Record, networks: tuple[Network, ...]) -> int:
    address = ipaddress.ip_address(record.rdata.head)
    for rank, network in enumerate(networks):
        if address in network:
            return rank
    return len(networks)
