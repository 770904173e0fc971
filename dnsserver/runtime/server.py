"""The running server: sources, then sockets; and the way back (docs/architecture.md, "A start, a stop")."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.config import Corefile
from dnsserver.observability.http import HttpAnswer, HttpListener, HttpListenError
from dnsserver.plugins.plugin import Plugin, SourceFactory
from dnsserver.runtime.dispatch import Dispatcher
from dnsserver.runtime.sites import BuiltListener, build_listeners, build_sites
from dnsserver.transports.binding import ListenError
from dnsserver.transports.limits import TransportCounters
from dnsserver.transports.listener import Listener
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Rcode

LOG = logging.getLogger("dnsserver.server")

#: Seconds. What has arrived when the sockets close may take this long to be answered (coredns-compat.md, 5.2).
DRAIN_S = 5.0
READY_PATH = "/ready"


class StartError(Exception):
    """The server cannot start; the text says what to mend."""


class ClusterDnsServer:
    """A Corefile, served. Construction checks the configuration (ConfigError); entering starts (StartError too)."""

    def __init__(
        self,
        corefile: Corefile,
        directory: Path,
        *,
        now: Callable[[], float] = time.time,
        source: SourceFactory | None = None,
    ) -> None:
        """*source* replaces the sources that `kubernetes` directives name: for embedding."""
        self._now = now
        self.sites = build_sites(corefile, self, directory, source)
        self._built = build_listeners(self.sites)
        self._dispatchers = {
            (listener.address, listener.port): Dispatcher(listener.sites) for listener in self._built
        }
        self._exits = contextlib.AsyncExitStack()
        self._http: list[HttpListener] = []
        self._ready: list[HttpListener] = []
        self.listeners: list[Listener] = []
        self.counters = TransportCounters()

    def __repr__(self) -> str:
        return f"<ClusterDnsServer {' '.join(repr(listener) for listener in self.listeners)}>"

    # What plugins may ask (plugins.plugin.Server).

    async def resolve(self, query: Query) -> Reply | None:
        dispatcher = self._dispatcher(query.arrival)
        return Reply(rcode=Rcode.REFUSED) if dispatcher is None else await dispatcher.resolve(query)

    def plugins(self) -> tuple[Plugin, ...]:
        return tuple(plugin for site in self.sites for plugin in site.plugins)

    def now(self) -> float:
        return self._now()

    # Life.

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as exits:
            try:
                # The probes first: they say "not ready" while the sources have their first lists read.
                await self._start_http(exits)
                for plugin in self.plugins():
                    if plugin.lifespan is not None:
                        await exits.enter_async_context(plugin.lifespan())
                await self._open_sockets(exits)
            except (ListenError, HttpListenError) as error:
                raise StartError(str(error)) from None
            self._exits = exits.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exits.aclose()

    async def go_lame(self) -> None:
        """Be unready, and go on answering for as long as `health { lameduck }` says."""
        await _close_all(self._ready)
        seconds = max((plugin.lameduck_s for plugin in self.plugins()), default=0.0)
        if seconds > 0:
            logging.getLogger("dnsserver.plugin.health").info("Going into lameduck mode for %gs", seconds)
            await asyncio.sleep(seconds)

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        """Host and port of every DNS socket, ports as the system chose them where 0 was asked for."""
        return tuple(endpoint for listener in self.listeners for endpoint in listener.endpoints)

    def _dispatcher(self, arrival: Arrival) -> Dispatcher | None:
        """The one that *arrival* came in by; a wildcard listener serves every address."""
        for address in (arrival.server_host, ""):
            for port in (arrival.server_port, 0):
                found = self._dispatchers.get((address, port))
                if found is not None:
                    return found
        return None

    async def _open_sockets(self, exits: contextlib.AsyncExitStack) -> None:
        opened = []
        try:
            for built in self._built:
                opened.append((built, self._listener(built)))
        except ListenError:
            for _, listener in opened:
                await listener.close()
            raise
        for _, listener in opened:
            self.listeners.append(listener)
            await listener.start()
            exits.push_async_callback(listener.close, DRAIN_S)

    def _listener(self, built: BuiltListener) -> Listener:
        respond = self._dispatchers[built.address, built.port].respond
        return Listener.bind([(built.address, built.port)], respond, counters=self.counters)

    async def _start_http(self, exits: contextlib.AsyncExitStack) -> None:
        for (host, port), routes in self._routes().items():
            listener = HttpListener(host, port, routes, reuse_port=False)
            await listener.start()
            exits.push_async_callback(listener.close)
            self._http.append(listener)
            if set(routes) == {READY_PATH}:
                self._ready.append(listener)

    def _routes(self) -> Mapping[tuple[str, int], Mapping[str, Callable[[], HttpAnswer]]]:
        """One listener per address and port; several blocks may name the same (coredns-compat.md, 3.3)."""
        found: dict[tuple[str, int], dict[str, Callable[[], HttpAnswer]]] = {}
        for plugin in self.plugins():
            for route in plugin.routes:
                found.setdefault((route.host, route.port), {}).setdefault(route.path, route.answer)
        return found


async def _close_all(listeners: Sequence[HttpListener]) -> None:
    for listener in listeners:
        await listener.close()
