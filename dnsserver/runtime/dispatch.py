"""Octets to the site that answers, and its reply back to octets (cluster-dns-behaviour.md, section 15)."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from dnsserver.answering.fast import may_have_options
from dnsserver.answering.query import Query, Rejected, read_query
from dnsserver.answering.reply import Reply, encode
from dnsserver.answering.transfer import messages
from dnsserver.observability.counters import Meter
from dnsserver.plugins.plugin import NOT_AUTHORITATIVE, not_supported
from dnsserver.runtime.choosing import SiteChoice
from dnsserver.runtime.fastpath import FastPath
from dnsserver.runtime.ready import Place
from dnsserver.runtime.sites import BuiltSite
from dnsserver.transports.responder import NothingReady, ReadyReplies
from dnsserver.wire import names
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Class, ExtendedError, Rcode, type_name
from dnsserver.wire.edns import told_cause
from dnsserver.wire.question import Question
from dnsserver.wire.stream import FirstOfMany

LOG = logging.getLogger("dnsserver.server")

#: When a handler lets an exception through.
_FAILED = Reply(
    rcode=Rcode.SERVFAIL,
    options=(told_cause(ExtendedError.OTHER, "an error inside the server; see its log"),),
)


class Dispatcher:
    """Answers what arrives at one listener, by the site with the longest matching zone; *meter* counts that, *judged*
    is the share of quick answers that are compared with the plain path's, *room* the part of the usual octets that hot
    answers may take."""

    def __init__(
        self,
        sites: Mapping[bytes, BuiltSite],
        meter: Meter | None = None,
        *,
        now: Callable[[], float] = time.time,
        judged: float = 0.0,
        room: float = 1.0,
    ) -> None:
        """*now*: Unix seconds."""
        self._sites = sites
        self.choice = SiteChoice(sites)
        self._meter = meter
        self._debug = any(plugin.debug for site in sites.values() for plugin in site.plugins)
        self._places = {
            zone: Place(
                site.passage, None if meter is None else meter.zone(zone), site.shuffles, site.reads_options
            )
            for zone, site in sites.items()
        }
        passages = [place.passage for place in self._places.values()]
        states = {each.state for passage in passages for each in passage.states}
        self._refreshes = tuple(
            dict.fromkeys(
                plugin.refresh
                for site in sites.values()
                for plugin in site.plugins
                if plugin.refresh is not None
            )
        )
        self._fast: FastPath | None = None
        self._misjudged = 0
        if states or any(passage.remembers for passage in passages):
            self._fast = FastPath(self._fast_place, states, self._refresh, now=now, judged=judged, room=room)
        #: Exceptions that a handler let through; each is a bug.
        self.panics = 0

    def ready(self, ipv6: bool) -> ReadyReplies:
        """The replies over UDP that only want their ID, to clients whose address is an IPv6 one or not."""
        return NothingReady() if self._fast is None else self._fast.ready(ipv6)

    @property
    def misjudged(self) -> int:
        """Quick answers that were not those of the plain path; each is a bug."""
        return self._misjudged + (0 if self._fast is None else self._fast.misjudged)

    def forget(self) -> None:
        """Give no reply again."""
        if self._fast is not None:
            self._fast.forget()

    def settle_counts(self) -> None:
        """Bring the counters up to date."""
        if self._fast is not None:
            self._fast.tallies.fold()

    def answer_now(self, octets: bytes, protocol: str, ipv6: bool) -> bytes | None:
        """The reply to *octets* if it is at hand: what `respond` would give, without its way through the chain."""
        if self._fast is None:
            return None
        try:
            return self._fast.answer(octets, protocol, ipv6)
        except Exception:
            self.panics += 1
            LOG.exception("the fast path failed, this is a bug; queries take the chain from here on")
            fast, self._fast = self._fast, None
            self._misjudged = fast.misjudged
            fast.close()
            return None

    def _fast_place(self, question: Question) -> Place | None:
        if question.rclass != Class.IN:
            return None
        zone = self.choice.longest(question.name.lower(), question.rtype)
        return None if zone is None or zone in self.choice.views else self._places[zone]

    async def respond(self, octets: bytes, arrival: Arrival) -> bytes | None:
        """What to send for *octets*, or None for silence. Never raises but for cancellation."""
        # Sockets that take batches have asked before they came here; padding hangs on the arrival.
        if arrival.protocol != "udp" and (arrival.scheme == "dns" or not may_have_options(octets)):
            at_hand = self.answer_now(octets, arrival.protocol, ":" in arrival.client_host)
            if at_hand is not None:
                return at_hand
        begun = time.perf_counter()
        query = read_query(octets, arrival)
        if isinstance(query, Rejected):
            if self._meter is not None:
                self._meter.rejected(arrival, octets, query.rcode, query.octets, begun)
            return query.octets
        zone: bytes | None = None
        try:
            self._refresh()
            zone = self.choice.zone(query)
            reply = await self._resolved(query, zone)
            sent = None if reply is None else _encoded(reply, query)
        except asyncio.CancelledError:  # it took too long
            if self._meter is not None:
                self._meter.answered(zone, query, None, None, begun)
            raise
        except Exception as error:
            self.panics += 1
            self._tell(query, error)
            zone, reply = None, _FAILED
            sent = encode(reply, query)
        if self._meter is not None:
            self._meter.answered(zone, query, reply, sent, begun)
        return sent

    def _tell(self, query: Query, error: Exception) -> None:
        """One line; the stack is shown by `debug`, and by `errors { stacktrace }`."""
        name, rtype = names.to_text(query.question.name), type_name(query.question.rtype)
        LOG.error(
            "no answer for %s %s, this is a bug: %r",
            name,
            rtype,
            error,
            exc_info=error if self._debug else None,
        )

    def _refresh(self) -> None:
        for refresh in self._refreshes:
            refresh()

    async def resolve(self, query: Query) -> Reply | None:
        """The reply of the site that owns the name."""
        return await self._resolved(query, self.choice.zone(query))

    async def _resolved(self, query: Query, zone: bytes | None) -> Reply | None:
        if zone is None:
            return NOT_AUTHORITATIVE if query.question.rclass == Class.IN else not_supported(query)
        return await self._sites[zone].handler(query)


def _encoded(reply: Reply, query: Query) -> bytes:
    """The octets of *reply*; for a zone transfer those of its first message, with the others at hand."""
    if reply.following is None or query.arrival.protocol == "udp":
        return encode(reply, query)
    return FirstOfMany.of(messages(reply, query))
