"""The look at our own `/health`: how long it takes tells whether the process is overloaded (coredns-compat.md, 4.2)."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from dnsserver.observability.counters import Histogram
from dnsserver.observability.families import AnyFamily, HistogramFamily, counter
from dnsserver.observability.logs import plugin_logger
from dnsserver.transports.addresses import endpoint_text
from dnsserver.transports.tasks import TaskHome

_log = plugin_logger("health")

#: Seconds. Upper bounds of the buckets: 0.25 ms, ten times as much, and so on (coredns-compat.md, section 4).
BOUNDS = tuple(0.00025 * 10**power for power in range(5))
#: Seconds between two looks; what one may take; from when on the log tells of it. All CoreDNS's.
PAUSE_S, TIMEOUT_S, SLOW_S = 1.0, 3.0, 1.0
#: Octets of a reply that are read.
REPLY_MAX = 4096


@dataclass(slots=True)
class SelfProbe:
    """*host* is "" for all addresses: then `localhost` is asked."""

    host: str
    port: int
    seconds: Histogram = field(default_factory=lambda: Histogram(BOUNDS))
    failures: int = 0

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Looks while the listener is there; not at all where its port was left to the system."""
        if not self.port:
            yield
            return
        home = TaskHome("health")
        await home.open()
        home.spawn(self._run(), "look at /health")
        try:
            yield
        finally:
            await home.close()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(PAUSE_S)
            await self.look()

    async def look(self) -> None:
        begun, url = time.perf_counter(), f"http://{endpoint_text(self.host, self.port)}/health"
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._get()
        except (OSError, TimeoutError) as error:
            self.failures += 1
            _log.warning(
                'Local health request to "%s" failed: %s', url, error or f"no reply in {TIMEOUT_S:g}s"
            )
        taken = time.perf_counter() - begun
        self.seconds.add(taken, 1)
        if SLOW_S < taken < TIMEOUT_S:
            _log.warning('Local health request to "%s" took more than 1s: %gs', url, round(taken, 6))

    async def _get(self) -> None:
        """Raises OSError when there is no reply."""
        reader, writer = await asyncio.open_connection(self.host or "localhost", self.port)
        try:
            writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            if not await reader.read(REPLY_MAX):
                raise ConnectionError("EOF")
        finally:
            writer.transport.abort()

    def families(self) -> Iterator[AnyFamily]:
        yield HistogramFamily(
            "coredns_health_request_duration_seconds",
            "Histogram of the time (in seconds) each request took.",
            (),
            (((), self.seconds),),
        )
        yield counter(
            "coredns_health_request_failures_total",
            "The number of times the health check failed.",
            self.failures,
        )
