"""Queries and replies with other bits (coredns-compat.md, section 3.11)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.header.settings import HeaderSettings, Rule
from dnsserver.plugins.plugin import Handler
from dnsserver.wire.codes import Flag

#: The flags in a message (RFC 1035 section 4.1.1).
_FLAGS = slice(2, 4)


@dataclass(frozen=True, slots=True)
class HeaderBits:
    """Changes the bits of queries to *next*, and of its replies."""

    next: Handler
    settings: HeaderSettings

    async def __call__(self, query: Query) -> Reply | None:
        reply = await self.next(_asking(query, self.settings.query))
        return None if reply is None else changed(reply, self.settings.response)


def changed(reply: Reply, rules: Iterable[Rule]) -> Reply:
    """*reply* by *rules*."""
    for flag, state in rules:
        match flag:
            case Flag.AA:
                reply = replace(reply, authoritative=state)
            case Flag.RA:
                reply = replace(reply, recursion_available=state)
            case _:
                reply = replace(reply, recursion_desired=state)
    return reply


def _asking(query: Query, rules: tuple[Rule, ...]) -> Query:
    """*query* by *rules*, as a value and in its octets."""
    if not rules:
        return query
    flags, word = query.header.flags, int.from_bytes(query.octets[_FLAGS], "big")
    for flag, state in rules:
        flags = flags | flag if state else flags & ~flag
        word = word | flag if state else word & ~flag
    octets = bytearray(query.octets)
    octets[_FLAGS] = word.to_bytes(2, "big")
    return replace(query, header=query.header.with_flags(flags), octets=bytes(octets))
