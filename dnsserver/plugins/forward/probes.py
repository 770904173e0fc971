"""Health checks: only for upstreams that have failed, and only until they answer (coredns-compat.md, section 3.4)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from dnsserver.plugins.forward.counting import ForwardCounters
from dnsserver.plugins.forward.settings import ForwardSettings
from dnsserver.plugins.forward.upstreams import Upstream
from dnsserver.transports.tasks import TaskHome
from dnsserver.transports.upstream.peer import ExchangeError, OwnWantError
from dnsserver.wire.codes import Flag, Type
from dnsserver.wire.header import Header
from dnsserver.wire.limits import HEADER_SIZE
from dnsserver.wire.question import Question

#: Seconds. The least pause between two checks: `health_check 0` shall not be a flood.
PAUSE_MIN_S = 0.01


class Probes:
    """Home of the tasks that check upstreams."""

    def __init__(self, counters: ForwardCounters) -> None:
        self._counters = counters
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
        work = _probe(upstream, settings, self._failed)
        if self._home.spawn(work, f"probe {upstream.name}") is None:
            upstream.is_probed = False

    def _failed(self, name: str) -> None:
        self._counters.failed_checks[name] += 1


async def _probe(upstream: Upstream, settings: ForwardSettings, failed: Callable[[str], None]) -> None:
    try:
        while True:
            try:
                await _check(upstream, settings)
                break
            except OwnWantError:  # nothing was learnt about the upstream
                pass
            except ExchangeError:
                upstream.fails += 1
                failed(upstream.name)
            await asyncio.sleep(max(PAUSE_MIN_S, settings.probe.interval_s))
        upstream.fails = 0
    finally:
        upstream.is_probed = False


async def _check(upstream: Upstream, settings: ForwardSettings) -> None:
    """Raises ExchangeError without a reply. Any will do, SERVFAIL and REFUSED too."""
    flags = Flag.RD if settings.probe.recursion else 0
    octets = Header(0, flags=flags, questions=1).encode() + Question(settings.probe.domain, Type.NS).encode()

    def accept(reply: bytes) -> bool:
        return len(reply) >= HEADER_SIZE and bool(Header.decode(reply).flags & Flag.QR)

    deadline = asyncio.get_running_loop().time() + settings.probe_s
    await upstream.link.ask(
        octets, accept, tcp=settings.force_tcp, read_s=settings.probe_s, deadline=deadline
    )
