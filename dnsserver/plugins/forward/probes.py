"""Health checks: only for upstreams that have failed, and only until they answer (coredns-compat.md, section 3.4)."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator

from dnsserver.plugins.forward.addresses import Address
from dnsserver.plugins.forward.asking import ID_BITS
from dnsserver.plugins.forward.settings import ForwardSettings
from dnsserver.plugins.forward.upstreams import Upstream
from dnsserver.transports.exchange import ExchangeError, OwnWantError, exchange_tcp, exchange_udp
from dnsserver.transports.tasks import TaskHome
from dnsserver.wire.codes import Flag, Type
from dnsserver.wire.header import NO_FLAGS, Header
from dnsserver.wire.limits import HEADER_SIZE
from dnsserver.wire.question import Question

#: Seconds. The least pause between two checks: `health_check 0` shall not be a flood.
PAUSE_MIN_S = 0.01


class Probes:
    """Home of the tasks that check upstreams."""

    def __init__(self) -> None:
        self._home: TaskHome | None = None

    def __repr__(self) -> str:
        return f"<Probes {self._home!r}>"

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Checks run inside only. One task may enter and another leave."""
        home = self._home = TaskHome("forward probes")
        await home.open()
        try:
            yield
        finally:
            self._home = None
            await home.close()

    def start(self, upstream: Upstream, settings: ForwardSettings) -> None:
        """Check *upstream*, which has just failed, until it answers."""
        if settings.max_fails == 0 or upstream.is_probed or self._home is None:
            return
        upstream.is_probed = True
        if self._home.spawn(_probe(upstream, settings), f"probe {upstream.address}") is None:
            upstream.is_probed = False


async def _probe(upstream: Upstream, settings: ForwardSettings) -> None:
    try:
        while True:
            try:
                await _check(upstream.address, settings)
                break
            except OwnWantError:  # nothing was learnt about the upstream
                pass
            except ExchangeError:
                upstream.fails += 1
            await asyncio.sleep(max(PAUSE_MIN_S, settings.probe.interval_s))
        upstream.fails = 0
    finally:
        upstream.is_probed = False


async def _check(address: Address, settings: ForwardSettings) -> None:
    """Raises ExchangeError without a reply. Any will do, SERVFAIL and REFUSED too."""
    ident = secrets.randbits(ID_BITS)
    flags = Flag.RD if settings.probe.recursion else NO_FLAGS
    octets = (
        Header(ident, flags=flags, questions=1).encode() + Question(settings.probe.domain, Type.NS).encode()
    )
    exchange = exchange_tcp if settings.force_tcp else exchange_udp

    def accept(reply: bytes) -> bool:
        return (
            len(reply) >= HEADER_SIZE
            and reply[:2] == octets[:2]
            and bool(Header.decode(reply).flags & Flag.QR)
        )

    await exchange(octets, address.host, address.port, accept, settings.probe_s)
