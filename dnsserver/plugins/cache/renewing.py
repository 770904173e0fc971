"""Replies that are asked for anew while the ones that are kept go on being given."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from dnsserver.answering.kinds import Kind, answers
from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.cache.entry import Entry, Key, Renewal
from dnsserver.plugins.cache.lifetimes import kept_kind
from dnsserver.plugins.cache.memory import Memory
from dnsserver.plugins.cache.settings import CacheSettings
from dnsserver.plugins.plugin import Handler, Server
from dnsserver.transports.tasks import TaskHome
from dnsserver.wire.codes import Flag, Rcode

#: Renewals under way at one time; entries beyond that are renewed when they are asked for the next time. Each may take
#: as long as an upstream may, and some 10 KiB.
RENEWALS_MAX = 1_000
#: AD, in the fourth octet of a message.
_AD_OCTET, _AD = 3, 0x20


class Renewals:
    """Home of the tasks that renew; one at a time for each entry."""

    def __init__(self, memory: Memory, settings: CacheSettings, server: Server) -> None:
        self._memory = memory
        self._settings = settings
        self._server = server
        self._home: TaskHome | None = None
        self._under_way = 0

    def __repr__(self) -> str:
        return f"<Renewals under_way={self._under_way} {self._home!r}>"

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Entries are renewed inside only."""
        home = self._home = TaskHome("cache renewals")
        await home.open()
        try:
            yield
        finally:
            self._home = None
            await home.close()

    def start(self, entry: Entry, key: Key, query: Query, following: Handler, server: str) -> Renewal | None:
        """Renew *entry*, of which no renewal is under way, by asking *following* what *query* asks. None when there can
        be no renewal now. *server*: as in Memory.keep."""
        if self._home is None or self._under_way >= RENEWALS_MAX:
            return None
        renewal = Renewal()
        work = self._renew(renewal, entry, key, query, following, server)
        task = self._home.spawn(work, "cache renewal")
        if task is None:
            return None
        self._under_way += 1
        entry.renewal = renewal
        task.add_done_callback(lambda _: self._ended(entry, renewal))
        return renewal

    def _ended(self, entry: Entry, renewal: Renewal) -> None:
        self._under_way -= 1
        entry.renewal = None
        if renewal.reply is None and self._settings.stale.recheck_s:
            entry.retry_at = self._server.now() + self._settings.stale.recheck_s
        renewal.ended.set()

    async def _renew(
        self, renewal: Renewal, entry: Entry, key: Key, query: Query, following: Handler, server: str
    ) -> None:
        reply = await _whole(authenticating(query), following)
        if reply is None or reply.truncated:
            return
        now, question = self._server.now(), query.question
        kind = kept_kind(question, reply, signed_at=int(now) if key[3] else None)
        if not self._is_better(kind, reply, query):
            if self._settings.prefer_positive:
                self._memory.keep(question, key, reply, now, server)
            return
        renewal.reply, renewal.entry = self._memory.keep(question, key, reply, now, server)
        if renewal.entry is not None:
            renewal.entry.hits, renewal.entry.last_hit = entry.hits, now

    def _is_better(self, kind: Kind, reply: Reply, query: Query) -> bool:
        """Whether it may take the place of the entry: it resolves the name (RFC 8767 section 4)."""
        if self._settings.prefer_positive:
            return kind is Kind.SUCCESS and answers(query.question, reply)
        return kind is not Kind.OTHER and reply.rcode in (Rcode.NOERROR, Rcode.NXDOMAIN)


def authenticating(query: Query) -> Query:
    """*query* with AD: what is kept knows then whether it was validated, whoever asked first (RFC 6840 section 5.7)."""
    header = query.header
    if header.flags & Flag.AD:
        return query
    octets = bytearray(query.octets)
    octets[_AD_OCTET] |= _AD
    authentic = header.with_flags(header.flags | Flag.AD)
    return Query(
        authentic, query.question, query.edns, query.arrival, bytes(octets), query.trail, query.labels
    )


async def _whole(query: Query, following: Handler) -> Reply | None:
    """The reply of *following*, by TCP when it is truncated otherwise."""
    reply = await following(query)
    if reply is None or not reply.truncated or query.arrival.protocol != "udp":
        return reply
    return await following(replace(query, arrival=replace(query.arrival, protocol="tcp")))
