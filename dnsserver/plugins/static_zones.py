"""What `file`, `auto` and `secondary` have in common: zones of fixed content, and the answers from them."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from dnsserver.answering.query import Query, follow
from dnsserver.answering.reply import Reply
from dnsserver.answering.static import tell
from dnsserver.plugins.plugin import (
    NOT_AUTHORITATIVE,
    Handler,
    Lasting,
    NoNextPlugin,
    Plugin,
    ZoneCopy,
    not_supported,
)
from dnsserver.wire import names
from dnsserver.wire.codes import Class, ExtendedError, Opcode, Rcode, Type
from dnsserver.wire.edns import told_cause
from dnsserver.wire.question import Question
from dnsserver.zone.static import StaticZone

#: Questions that the server asks itself for one query, where CNAMEs lead from zone to zone; as in `kubernetes`.
TRAIL_MAX = 8

#: Seconds. A reply may be given again so long without a look at the zone, which ends it when it changes.
LASTS_S = 3600

_ENDLESS = told_cause(ExtendedError.OTHER, "the CNAMEs lead back, or go on too long")

#: Deals with a NOTIFY for a zone, and says whether it is to be confirmed.
Notified = Callable[[Query, bytes], bool]


class ZoneTable:
    """Zones by origin (lower case); one without content yet is there as None, and SERVFAIL is all that it says."""

    def __init__(self) -> None:
        self._zones: dict[bytes, StaticZone | None] = {}

    def __repr__(self) -> str:
        return f"<ZoneTable {' '.join(map(names.to_text, self._zones))}>"

    @property
    def origins(self) -> tuple[bytes, ...]:
        return tuple(self._zones)

    def __getitem__(self, origin: bytes) -> StaticZone | None:
        return self._zones.get(origin)

    def put(self, origin: bytes, zone: StaticZone | None) -> None:
        self._zones[origin] = zone

    def remove(self, origin: bytes) -> None:
        self._zones.pop(origin, None)

    def origin_of(self, name: bytes) -> bytes | None:
        """The longest origin at or above *name*, which is in lower case."""
        zones = self._zones
        return next((suffix for suffix in names.suffixes(name) if suffix in zones), None)

    def copy(self, origin: bytes) -> ZoneCopy | None:
        """As `Plugin.zone_copy`."""
        zone = self._zones.get(origin)
        if zone is None:
            return None
        return ZoneCopy(zone.soa.records(origin, origin)[0], zone.records)


@dataclass(frozen=True, slots=True)
class Reach:
    """Which names a plugin answers from the zones of *table*: those *within*; of them, what has no records in the zones
    of *fallthrough* is the next plugin's business. All are wire names in lower case."""

    table: ZoneTable
    fallthrough: Sequence[bytes] = ()
    within: Sequence[bytes] = (names.ROOT,)

    def includes(self, name: bytes) -> bool:
        return any(names.is_below(name, zone) for zone in self.within)

    def origin_of(self, name: bytes) -> bytes | None:
        """The zone that *name* is answered from."""
        return self.table.origin_of(name) if self.includes(name) else None

    def leaves_alone(self, question: Question) -> bool:
        """As `Plugin.leaves_alone`: what is in none of the zones."""
        return self.table.origin_of(question.name.lower()) is None

    def falls_through(self, name: bytes) -> bool:
        """Whether *name*, without records, is the next plugin's business."""
        return any(names.is_below(name, zone) for zone in self.fallthrough)


class StaticReplies:
    """The replies of a block's zones that hang on nothing but the question: they may be given again until a zone
    changes, which has to end with `Server.forget`. *now*: Unix seconds."""

    def __init__(self, plugin: str, reach: Reach, now: Callable[[], float]) -> None:
        self._plugin = plugin
        self._reach = reach
        self._now = now

    def lasting(self, question: Question, *, do: bool, cd: bool) -> Lasting | None:  # noqa: ARG002 - as Remembers
        """As `Remembers.lasting`; None where a CNAME leaves the zone, or the next plugin has a say."""
        name = question.name.lower()
        origin = self._reach.origin_of(name)
        zone = None if origin is None else self._reach.table[origin]
        if zone is None or question.rclass != Class.IN:
            return None
        told = tell(zone, question, do=do)
        falls = told.missing and self._reach.falls_through(name)
        if told.elsewhere is not None or falls or question.rtype in (Type.AXFR, Type.IXFR):
            return None
        second = int(self._now())
        reply = replace(told.reply, plugin=self._plugin)
        return Lasting(reply, second, second + LASTS_S, ages=False, counted=_not_counted)


def _not_counted(_number: int) -> None:
    """Nobody wants to know how often a reply of a zone was given again."""


def notified_secondaries(block: Sequence[Plugin], origin: bytes) -> None:
    """Have the block's `transfer` tell the secondaries of a zone that it has changed."""
    for plugin in block:
        if plugin.notify is not None:
            plugin.notify(origin)


class StaticZoneHandler:
    """Answers what is in *reach*; everything else goes to *following*.

    *lookup* puts a query through the whole server, for CNAMEs that leave a zone.
    """

    def __init__(
        self,
        plugin: str,
        reach: Reach,
        following: Handler,
        lookup: Callable[[Query], Awaitable[Reply | None]],
        notified: Notified | None = None,
    ) -> None:
        self._plugin = plugin
        self._reach = reach
        self._next = following
        self._lookup = lookup
        self._notified = notified
        self._dropped = 0
        self._log = logging.getLogger(f"dnsserver.plugin.{plugin}")

    async def __call__(self, query: Query) -> Reply | None:
        origin = self._reach.origin_of(query.name)
        if origin is None:
            return await self._elsewhere(query)
        if query.question.rclass != Class.IN or query.question.rtype in (Type.AXFR, Type.IXFR):
            return not_supported(query)
        if query.header.opcode == Opcode.NOTIFY:
            return self._confirmed(query, origin)
        zone = self._reach.table[origin]
        if zone is None:
            error = f"zone {names.to_text(origin)} has not been loaded"
            return Reply(
                rcode=Rcode.SERVFAIL, options=(told_cause(ExtendedError.NOT_READY, error),), error=error
            )
        told = tell(zone, query.question, do=query.edns is not None and query.edns.do)
        if told.missing and self._reach.falls_through(query.name):
            return await self._next(query)
        reply = replace(told.reply, plugin=self._plugin)
        return reply if told.elsewhere is None else await self._chased(reply, told.elsewhere, query)

    async def _elsewhere(self, query: Query) -> Reply | None:
        """At the end of the chain an authoritative server refuses what is not its business."""
        if isinstance(self._next, NoNextPlugin) and self._reach.includes(query.name):
            return NOT_AUTHORITATIVE
        return await self._next(query)

    def _confirmed(self, query: Query, origin: bytes) -> Reply | None:
        """NOTIFY from whoever has no business to send it gets no answer (as in CoreDNS; RFC 1996 section 3.10 has it
        ignored too)."""
        if self._notified is not None and self._notified(query, origin):
            return Reply(authoritative=True, plugin=self._plugin)
        self._dropped += 1
        if self._dropped & (self._dropped - 1) == 0:  # the 1st, 2nd, 4th...: a client must not fill the log
            host, where = query.arrival.client_host, names.to_text(origin)
            self._log.info("Dropping notify from %s for %s", host, where)
        return None

    async def _chased(self, reply: Reply, target: bytes, query: Query) -> Reply:
        """*reply* with what the whole server says of *target*; the RCODE is that of the end (RFC 6604 section 3)."""
        been = (*query.trail, query.name)
        if target.lower() in been or len(been) > TRAIL_MAX:
            return replace(reply, rcode=Rcode.SERVFAIL, options=(*reply.options, _ENDLESS))
        found = await self._lookup(follow(query, target))
        if found is None:
            return reply
        negative = found.rcode == Rcode.NXDOMAIN or not found.answer
        return replace(
            reply,
            rcode=found.rcode if found.rcode in (Rcode.NXDOMAIN, Rcode.SERVFAIL) else Rcode.NOERROR,
            answer=reply.answer + found.answer,
            authority=found.authority if negative else (),
            truncated=found.truncated,
            options=reply.options + (found.options if found.rcode == Rcode.SERVFAIL else ()),
            live=found.live,
        )
