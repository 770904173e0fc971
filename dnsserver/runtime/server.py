"""The running server: sources, then sockets; and the way back (docs/architecture.md, "A start, a stop")."""

import asyncio
import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.config import Corefile
from dnsserver.observability.counters import QueryCounters
from dnsserver.observability.families import AnyFamily
from dnsserver.observability.http import HttpListener
from dnsserver.observability.http_sockets import HttpListenError
from dnsserver.plugins.plugin import Measured, Plugin, Reloading, SourceFactory
from dnsserver.plugins.ready import READY_PATH
from dnsserver.runtime.dispatch import Dispatcher
from dnsserver.runtime.routes import http_listeners
from dnsserver.runtime.sites import (
    BuiltListener,
    BuiltSite,
    build_listeners,
    build_sites,
    enabled_plugins,
)
from dnsserver.runtime.sockets import bind_alone, bind_http_places
from dnsserver.runtime.surroundings import HTTP, OpenSockets, Surroundings, Where
from dnsserver.runtime.temporary import temporary_folder
from dnsserver.runtime.tracing import RESOLVER
from dnsserver.store.errors import StoreError
from dnsserver.transports.binding import ListenError
from dnsserver.transports.exchange import ExchangePlaces
from dnsserver.transports.files import exchanges_max
from dnsserver.transports.limits import DEFAULT_LIMITS, TransportCounters
from dnsserver.transports.listener import Listener
from dnsserver.transports.pool import Pools
from dnsserver.wire.codes import Rcode

LOG = logging.getLogger("dnsserver.server")

#: Seconds. What has arrived when the sockets close may take this long to be answered (coredns-compat.md, 5.2).
DRAIN_S = 5.0


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
        surroundings: Surroundings | None = None,
    ) -> None:
        """*source* replaces the sources that `kubernetes` directives name: for embedding. *surroundings* say which part
        of the server this process is, and what it has of the others."""
        self._now = now
        self._around = surroundings or Surroundings()
        self._stopping = False
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self.counters = TransportCounters()
        self.exchanges = ExchangePlaces(exchanges_max(DEFAULT_LIMITS))
        self.sites = self._built_sites(corefile, directory, source)
        self.built = build_listeners(self.sites)
        self._queries = QueryCounters()
        # A process that does not answer has none: they would follow every change for nothing.
        answered = self.built if self._around.role.answers else ()
        self._dispatchers = {built.where: self._dispatcher(built) for built in answered}
        self._routes = http_listeners(self.plugins())
        self._only_ready: list[HttpListener] = []
        self.listeners: list[Listener] = []
        self._sockets = OpenSockets()
        self._by_socket: dict[tuple[str, int], Dispatcher] = {}
        self._grace_s = 0.0
        self._exits = contextlib.AsyncExitStack()

    def _dispatcher(self, built: BuiltListener) -> Dispatcher:
        counted = any(site.counted for site in self.sites)
        return Dispatcher(
            built.sites,
            built.meter(self._queries) if counted else None,
            now=self._now,
            judged=self._around.judged,
            room=self._around.room,
        )

    def __repr__(self) -> str:
        return f"<ClusterDnsServer {' '.join(repr(listener) for listener in self.listeners)}>"

    # What plugins may ask (plugins.plugin.Server).

    async def resolve(self, query: Query) -> Reply | None:
        resolver = RESOLVER.get()
        if resolver is not None:
            return await resolver(query)
        dispatcher = self._by_socket.get(query.arrival.listener)
        return Reply(rcode=Rcode.REFUSED) if dispatcher is None else await dispatcher.resolve(query)

    def plugins(self) -> tuple[Plugin, ...]:
        return tuple(plugin for site in self.sites for plugin in site.plugins)

    def forget(self) -> None:
        for dispatcher in self._dispatchers.values():
            dispatcher.forget()

    def now(self) -> float:
        return self._now()

    def stopping(self) -> bool:
        return self._stopping

    def measured(self) -> Measured:
        for dispatcher in self._dispatchers.values():
            dispatcher.settle_counts()
        self._queries.panics = sum(dispatcher.panics for dispatcher in self._dispatchers.values())
        self._queries.misjudged = sum(each.misjudged for each in self._dispatchers.values())
        return Measured(self._queries, self.counters, tuple(enabled_plugins(self.sites)))

    def others(self) -> Iterable[AnyFamily]:
        return self._around.families()

    def folder(self) -> Path:
        if self._around.folder is not None:
            return self._around.folder()
        if self._temporary is None:
            self._temporary = temporary_folder()
        return Path(self._temporary.name)

    def process(self) -> int:
        return self._around.process or os.getpid()

    def unmanned(self) -> str:
        return self._around.unmanned()

    @property
    def reloading(self) -> Reloading:
        return self._around.reloading

    # Life.

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as exits:
            try:
                if self._around.role.follows:
                    await self._follow(exits)
                if self._around.role.answers:
                    for plugin in self.plugins():
                        if plugin.lifespan is not None:
                            await exits.enter_async_context(plugin.lifespan())
                    await self._open_sockets(exits)
            except (ListenError, HttpListenError) as error:
                raise StartError(str(error)) from None
            self._exits = exits.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        # Whoever is succeeded, on the same sockets, may still be asked by probes, and there is no reason to be unready.
        self._stopping |= not any(map(self._around.handed_over, self.places))
        await self._exits.aclose()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    async def go_lame(self) -> None:
        """Be unready, and go on answering; for how long is the caller's business (`lameduck_s`)."""
        self._stopping = True
        for listener in self._only_ready:
            await listener.close()
        if self.lameduck_s > 0:
            logging.getLogger("dnsserver.plugin.health").info(
                "Going into lameduck mode for %gs", self.lameduck_s
            )

    @property
    def lameduck_s(self) -> float:
        """Seconds to go on answering after the signal to stop, as `health` says."""
        return max((plugin.lameduck_s for plugin in self.plugins()), default=0.0)

    @property
    def workers_wanted(self) -> int:
        """How many processes are to answer, as the Corefile says; 0: it says nothing."""
        return max((plugin.workers for plugin in self.plugins()), default=0)

    def runs(self) -> None:
        """Tell the plugins that the whole server runs with them now; in one process of it."""
        for plugin in self.plugins():
            if plugin.running is not None:
                plugin.running()

    @property
    def places(self) -> frozenset[Where]:
        """What this server listens on, or is to."""
        return frozenset(
            (*(built.where for built in self.built), *((HTTP, *endpoint) for endpoint in self._routes))
        )

    @property
    def http_endpoints(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each HTTP listener, as the Corefile has them."""
        return tuple(self._routes)

    @property
    def sockets(self) -> OpenSockets:
        """Those that are open. They belong to this server."""
        return self._sockets

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        """Host and port of every DNS socket, ports as the system chose them where 0 was asked for."""
        return tuple(endpoint for listener in self.listeners for endpoint in listener.endpoints)

    def _built_sites(
        self, corefile: Corefile, directory: Path, source: SourceFactory | None
    ) -> tuple[BuiltSite, ...]:
        try:
            return build_sites(corefile, self, directory, source, self._around.keep)
        except StoreError as error:
            raise StartError(str(error)) from None

    async def _follow(self, exits: contextlib.AsyncExitStack) -> None:
        """The probes first: they say "not ready" while the sources have their first lists read. But while another goes
        on with its own, they tell of that one."""
        if not self._around.succeeds:
            await self._start_http(exits)
        for plugin in self.plugins():
            if plugin.follow is not None:
                await exits.enter_async_context(plugin.follow())
        if self._around.succeeds:
            await self._start_http(exits)

    async def _open_sockets(self, exits: contextlib.AsyncExitStack) -> None:
        """Bind them all, or none; then serve."""
        exits.push_async_callback(self._close_sockets)
        pools = Pools(self.counters, encrypted=any(built.scheme != "dns" for built in self.built))
        held = self._around.sockets([built.where for built in self.built])
        sockets = bind_alone(self.built, held.dns, shared=self._around.shared)
        self._sockets = OpenSockets(sockets, self._sockets.http)
        for built in self.built:
            dispatcher = self._dispatchers[built.where]
            between = self._around.between
            listener = Listener(
                sockets[built.where],
                between(dispatcher.respond) if between else dispatcher.respond,
                pool=pools.of(built.scheme, built.https_connections),
                now=None if between else dispatcher.answer_now,
                ready=None if between else dispatcher.ready,
                service=built.service(self.counters),
                timeouts=built.timeouts,
            )
            self.listeners.append(listener)
            self._by_socket.update(dict.fromkeys(listener.endpoints, dispatcher))
        for listener in self.listeners:
            await listener.start()
        self._grace_s = DRAIN_S

    async def _close_sockets(self) -> None:
        """All at the same time: the grace is that of all. Sockets that were never all open get none."""
        async with asyncio.TaskGroup() as group:
            for built, listener in zip(self.built, self.listeners, strict=False):
                closing = listener.close(self._grace_s, handed_over=self._around.handed_over(built.where))
                group.create_task(closing, name=f"close {listener!r}")

    async def _start_http(self, exits: contextlib.AsyncExitStack) -> None:
        held = self._around.sockets([(HTTP, *endpoint) for endpoint in self._routes])
        try:
            http = bind_http_places(self._routes, held, shared=self._around.shared)
            self._sockets = OpenSockets(http=http)
        except HttpListenError:
            for sock in held:
                sock.close()
            raise
        made = []
        for (host, port), routes in self._routes.items():
            where = (HTTP, host, port)
            answers = {path: route.answer for path, route in routes.items()}
            tls = next((route.tls for route in routes.values()), None)
            made.append(HttpListener(host, port, answers, sockets=self._sockets.http[where], tls=tls))
            exits.push_async_callback(self._close_http, made[-1], where)
            if set(routes) == {READY_PATH}:
                self._only_ready.append(made[-1])
        for listener in made:
            await listener.start()

    async def _close_http(self, listener: HttpListener, where: Where) -> None:
        await listener.close(handed_over=self._around.handed_over(where))
