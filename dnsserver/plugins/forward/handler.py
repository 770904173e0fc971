"""Queries that other servers answer (coredns-compat.md, section 3.4)."""

import asyncio

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.forward.addresses import Address
from dnsserver.plugins.forward.asking import PLUGIN, ask
from dnsserver.plugins.forward.probes import Probes
from dnsserver.plugins.forward.settings import ForwardSettings
from dnsserver.plugins.forward.upstreams import Upstreams
from dnsserver.plugins.plugin import Handler
from dnsserver.transports.exchange import ExchangeError, ExchangePlaces, OwnWantError
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode


class Forward:
    """Forwards the names of one `forward`, in every class; other names go to the next handler."""

    def __init__(
        self,
        following: Handler,
        settings: ForwardSettings,
        upstreams: Upstreams,
        probes: Probes,
        places: ExchangePlaces,
    ) -> None:
        """*places* are those of the whole server."""
        self._next = following
        self._settings = settings
        self._upstreams = upstreams
        self._probes = probes
        self._places = places
        self._in_flight = 0

    def __repr__(self) -> str:
        return f"<Forward in_flight={self._in_flight} {self._upstreams!r}>"

    async def __call__(self, query: Query) -> Reply | None:
        if not self._is_ours(query.name):
            return await self._next(query)
        most = self._settings.max_concurrent
        if most and self._in_flight >= most:
            error = f"concurrent queries exceeded maximum {most}"
            return Reply(rcode=Rcode.REFUSED, plugin=PLUGIN, error=error)
        if not self._places.take():
            error = f"upstream exchanges exceeded maximum {self._places.most}, our share of the limit of open files"
            return Reply(rcode=Rcode.SERVFAIL, plugin=PLUGIN, error=error)
        self._in_flight += 1
        try:
            return await self._forward(query)
        finally:
            self._in_flight -= 1
            self._places.give_back()

    def _is_ours(self, name: bytes) -> bool:
        zone = self._settings.zone
        if name == zone:
            return True
        return names.is_below(name, zone) and not any(
            names.is_below(name, excepted) for excepted in self._settings.excepted
        )

    async def _forward(self, query: Query) -> Reply:
        """The first upstream's reply; SERVFAIL with the last error when none comes in time."""
        now = asyncio.get_running_loop().time
        deadline = now() + self._settings.total_s
        error = ""
        for upstream in self._upstreams.attempts():
            if now() >= deadline:
                break
            try:
                return await self._ask(query, upstream.address, deadline)
            except OwnWantError as failure:
                error = str(failure)  # the next one could not be asked either
                break
            except ExchangeError as failure:
                error = str(failure)
                self._probes.start(upstream, self._settings)
        return Reply(rcode=Rcode.SERVFAIL, plugin=PLUGIN, error=error)

    async def _ask(self, query: Query, address: Address, deadline: float) -> Reply:
        """One attempt. Raises ExchangeError."""
        settings = self._settings
        tcp = settings.force_tcp or (query.arrival.protocol != "udp" and not settings.prefer_udp)
        reply = await ask(query, address, tcp=tcp, timeout_s=self._time_left(deadline))
        if reply.truncated and settings.prefer_udp and not tcp:
            return await ask(query, address, tcp=True, timeout_s=self._time_left(deadline))
        return reply

    def _time_left(self, deadline: float) -> float:
        """Seconds for one exchange."""
        return min(self._settings.attempt_s, max(0.0, deadline - asyncio.get_running_loop().time()))
