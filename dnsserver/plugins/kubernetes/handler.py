"""A query to the cluster's answer (cluster-dns-behaviour.md, sections 2 to 11)."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from dnsserver.answering.authoritative import not_ready
from dnsserver.answering.lookup import Elsewhere, Resolution, resolve
from dnsserver.answering.query import Query, follow
from dnsserver.answering.reply import Reply
from dnsserver.plugins.kubernetes.state_answers import StateAnswers, looked_up
from dnsserver.plugins.plugin import Handler, not_supported
from dnsserver.wire.codes import Rcode
from dnsserver.zone.view import Zone

#: Questions that the server asks itself for one query. ExternalName Services of several zones can point at each
#: other without end; a chain inside one zone has its own limit.
TRAIL_MAX = 8


class KubernetesHandler:
    """Answers for the cluster's zones; everything else goes to `next_handler`.

    `lookup` puts a query through the whole server, for ExternalName targets outside the zone.
    """

    def __init__(
        self,
        answers: StateAnswers,
        next_handler: Handler,
        lookup: Callable[[Query], Awaitable[Reply | None]],
    ) -> None:
        self._answers = answers
        self._next = next_handler
        self._lookup = lookup

    async def __call__(self, query: Query) -> Reply | None:
        zone = self._answers.zone(query.name)
        if zone is None:
            return await self._next(query)
        if not looked_up(query.question):
            return not_supported(query)
        resolution = resolve(zone, query.question)
        reply = self._answers.settled(zone, resolution, query.name)
        if reply is not None:
            return reply
        if isinstance(resolution.outcome, Elsewhere):
            return await self._chased(self._answers.told(zone, resolution), resolution.outcome.target, query)
        if self._answers.falls_through(query.name, resolution):
            fallen = await self._next(query)
            return fallen if zone.state.synced else self._unless_negative(fallen, zone, resolution)
        return self._answers.signed(not_ready(zone, resolution.origin))

    async def _chased(self, reply: Reply, target: bytes, query: Query) -> Reply:
        """*reply* with what the whole server says of *target*; when it says nothing good, the CNAMEs alone."""
        been = (*query.trail, query.name)
        if target.lower() in been or len(been) > TRAIL_MAX:
            return reply
        found = await self._lookup(follow(query, target))
        if found is None or found.rcode != Rcode.NOERROR:
            return reply
        return replace(reply, answer=reply.answer + found.answer, truncated=found.truncated)

    def _unless_negative(self, reply: Reply | None, zone: Zone, resolution: Resolution) -> Reply | None:
        """While the cluster is not known yet, another's "no such name" may be about a name that the cluster has."""
        if reply is None:
            return None
        empty = reply.rcode == Rcode.NOERROR and not reply.answer
        if empty or reply.rcode == Rcode.NXDOMAIN:
            return self._answers.signed(not_ready(zone, resolution.origin))
        return reply
