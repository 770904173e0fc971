"""A query to the cluster's answer (cluster-dns-behaviour.md, sections 2 to 11)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from dnsserver.answering.authoritative import not_ready, reply_to
from dnsserver.answering.lookup import Elsewhere, NxDomain, Resolution, resolve
from dnsserver.answering.query import Query, follow
from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Handler
from dnsserver.wire import names
from dnsserver.wire.codes import Class, Rcode, Type
from dnsserver.zone.view import ZoneView

#: Questions that the server asks itself for one query. ExternalName Services of several zones can point at each
#: other without end; a chain inside one zone has its own limit.
TRAIL_MAX = 8


class KubernetesHandler:
    """Answers for the cluster's zones; everything else goes to `next_handler`.

    `lookup` puts a query through the whole server, for ExternalName targets outside the zone. `fallthrough`
    holds the zones in which a name that does not exist is the next plugin's business; None: nowhere.
    """

    def __init__(
        self,
        zones: Sequence[ZoneView],
        fallthrough: tuple[bytes, ...] | None,
        next_handler: Handler,
        lookup: Callable[[Query], Awaitable[Reply | None]],
    ) -> None:
        self._zones = {zone.origin: zone for zone in zones}
        self._fallthrough = fallthrough or ()
        self._next = next_handler
        self._lookup = lookup

    async def __call__(self, query: Query) -> Reply | None:
        zone = self._zone(query.name)
        if zone is None:
            return await self._next(query)
        if query.question.rclass != Class.IN or query.question.rtype in (Type.AXFR, Type.IXFR):
            return Reply(rcode=Rcode.REFUSED)
        resolution = resolve(zone, query.question)
        missing = isinstance(resolution.outcome, NxDomain)
        if missing and not resolution.cnames and self._falls_through(query.name):
            reply = await self._next(query)
            return reply if zone.state.synced else _unless_negative(reply, zone, resolution)
        if missing and not zone.state.synced:
            return not_ready(zone, resolution.origin)
        reply = reply_to(zone, resolution)
        if isinstance(resolution.outcome, Elsewhere):
            reply = await self._chased(reply, resolution.outcome.target, query)
        return replace(reply, plugin="kubernetes")

    def _zone(self, name: bytes) -> ZoneView | None:
        return next((self._zones[suffix] for suffix in names.suffixes(name) if suffix in self._zones), None)

    def _falls_through(self, name: bytes) -> bool:
        return any(names.is_below(name, zone) for zone in self._fallthrough)

    async def _chased(self, reply: Reply, target: bytes, query: Query) -> Reply:
        """*reply* with what the whole server says of *target*; when it says nothing good, the CNAMEs alone."""
        been = (*query.trail, query.name)
        if target.lower() in been or len(been) > TRAIL_MAX:
            return reply
        found = await self._lookup(follow(query, target))
        if found is None or found.rcode != Rcode.NOERROR:
            return reply
        return replace(reply, answer=reply.answer + found.answer, truncated=found.truncated)


def _unless_negative(reply: Reply | None, zone: ZoneView, resolution: Resolution) -> Reply | None:
    """While the cluster is not known yet, another's "no such name" may be about a name that the cluster has."""
    if reply is None:
        return None
    empty = reply.rcode == Rcode.NOERROR and not reply.answer
    return not_ready(zone, resolution.origin) if empty or reply.rcode == Rcode.NXDOMAIN else reply
