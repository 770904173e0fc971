"""Queries that are answered from what was answered before (coredns-compat.md, section 3.5)."""

import asyncio
import math

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.cache.counts import CacheCounts
from dnsserver.plugins.cache.entry import Entry, Key, for_client, key_of, wants_signatures
from dnsserver.plugins.cache.memory import DENYING, Memory
from dnsserver.plugins.cache.renewing import Renewals, authenticating
from dnsserver.plugins.cache.settings import CacheSettings
from dnsserver.plugins.place import server_label
from dnsserver.plugins.plugin import Handler, Server
from dnsserver.wire.codes import Flag, Opcode


class Cache:
    """Answers from *memory*, and keeps there what *following* answers."""

    def __init__(
        self,
        following: Handler,
        settings: CacheSettings,
        memory: Memory,
        renewals: Renewals,
        counts: CacheCounts,
        server: Server,
    ) -> None:
        self._next = following
        self._settings = settings
        self._memory = memory
        self._renewals = renewals
        self._counts = counts
        self._server = server

    def __repr__(self) -> str:
        return f"<Cache {self._memory!r} {self._renewals!r}>"

    async def __call__(self, query: Query) -> Reply | None:
        if query.header.opcode != Opcode.QUERY or not self._settings.covers(query.question):
            return await self._next(query)
        now, server = self._server.now(), server_label(query.arrival)
        counts = self._counts.of(server)
        key = key_of(query.question, do=wants_signatures(query), cd=bool(query.header.flags & Flag.CD))
        entry = self._memory.find(query.question, key, now)
        if entry is None:
            counts.missed()
            return await self._asked(query, key, server)
        counts.hit(denies=entry.kind in DENYING)
        left_s = entry.left_s(now)
        if left_s <= 0:
            return await self._stale(entry, key, query, now, server)
        if self._settings.prefetch.amount:
            entry.seen(now, self._settings.prefetch.gap_s)
            if is_due(entry, left_s, self._settings) and self._renews(entry, key, query, server):
                counts.prefetches += 1
        return for_client(entry.given(query.question, shown_ttl_s(entry, left_s, self._settings)), query)

    async def _asked(self, query: Query, key: Key, server: str) -> Reply | None:
        reply = await self._next(authenticating(query))
        if reply is None:
            return None
        reply, _ = self._memory.keep(query.question, key, reply, self._server.now(), server)
        return for_client(reply, query)

    async def _stale(self, entry: Entry, key: Key, query: Query, now: float, server: str) -> Reply:
        stale, counts = self._settings.stale, self._counts.of(server)
        # A clock that went back says nothing of when the last attempt was.
        may_try = not 0 < entry.retry_at - now <= stale.recheck_s
        if stale.verify:
            # Where failures are noted, nobody waits for an attempt that another one has begun.
            if may_try and not (stale.recheck_s and entry.renewal):
                renewed = await self._verified(entry, key, query, server)
                if renewed is not None:
                    return for_client(renewed, query)
        elif may_try and self._renews(entry, key, query, server):
            counts.prefetches += 1
        counts.served_stale += 1
        return for_client(entry.given(query.question, stale.ttl_s, stale=True), query)

    async def _verified(self, entry: Entry, key: Key, query: Query, server: str) -> Reply | None:
        """What the plugins behind say now; None when they say nothing in time, or nothing good."""
        timeout_s = self._settings.stale.timeout_s
        renewal = entry.renewal or self._renewals.start(entry, key, query, self._next, server)
        if renewal is None:
            return None
        try:
            async with asyncio.timeout(timeout_s or None):
                await renewal.ended.wait()
        except TimeoutError:
            return None
        if renewal.entry is None or not timeout_s:
            return renewal.reply
        left_s = renewal.entry.left_s(self._server.now())
        return renewal.entry.given(query.question, shown_ttl_s(renewal.entry, left_s, self._settings))

    def _renews(self, entry: Entry, key: Key, query: Query, server: str) -> bool:
        """Begin to renew *entry*, if nobody does so already."""
        if entry.renewal is not None:
            return False
        return self._renewals.start(entry, key, query, self._next, server) is not None


def shown_ttl_s(entry: Entry, left_s: int, settings: CacheSettings) -> int:
    """The TTL of a fresh entry's records."""
    return entry.ttl_s if settings.keep_ttl else left_s


def window_s(entry: Entry, settings: CacheSettings) -> int:
    """Seconds before its end in which an entry may be fetched again; 0 when entries never are."""
    prefetch = settings.prefetch
    return math.ceil(prefetch.percentage / 100 * entry.ttl_s) if prefetch.amount else 0


def is_due(entry: Entry, left_s: int, settings: CacheSettings) -> bool:
    """Whether it is popular, and near its end."""
    return entry.hits >= settings.prefetch.amount and left_s <= window_s(entry, settings)
