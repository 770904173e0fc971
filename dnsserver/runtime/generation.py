"""One configuration that several processes serve: its sockets, its side of the store, and what each process does.

There are two of them while the server goes over from one to the other. Sockets whose address and port stay are the same
in both, so nothing that waits in them is lost. Stores are not: the new control process fills one of its own, which
begins with what the present one has, where that is of the same cluster and of the same settings.
"""

import asyncio
import contextlib
import importlib
import json
import math
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from dnsserver.config import ConfigError, Corefile, Origin
from dnsserver.observability.families import AnyFamily
from dnsserver.observability.http_sockets import HttpListenError
from dnsserver.plugins.plugin import SourceFactory
from dnsserver.plugins.prometheus.collecting import own_families
from dnsserver.runtime.admin import administered
from dnsserver.runtime.memory import room
from dnsserver.runtime.priority import collect_seldom, give_way, return_memory
from dnsserver.runtime.processes import CONTROL_NUMBER, Board, ChildLink, ProcessStartError
from dnsserver.runtime.processes.cpus import WORKERS_MAX
from dnsserver.runtime.reloading import ByParent
from dnsserver.runtime.reporting import Reports, control_families, unmanned
from dnsserver.runtime.server import ClusterDnsServer, StartError
from dnsserver.runtime.serving import set_log_level
from dnsserver.runtime.sockets import DnsSockets, HttpSockets, bind_for_workers, bind_http_places
from dnsserver.runtime.surroundings import CONTROL, WORKER, OpenSockets, Surroundings, Where
from dnsserver.store.keeping import Keep
from dnsserver.store.lmdb import Side, StoreDirectory
from dnsserver.store.lmdb.keeping import read, written
from dnsserver.transports.binding import ListenError

_Life = Callable[[ClusterDnsServer, ChildLink], Awaitable[None]]

#: The folder beside the stores that is for plugins.
ZONES = "zones"
#: Seconds. A SIGTERM to every process of the server reaches children and parent this far apart at most.
SAME_SIGNAL_S = 0.2


@dataclass(slots=True)
class Whole:
    """What all generations of a server have in common. `workers`: how many there are; `auto`: where the Corefile does
    not say. `process` is the parent's id; the rest as in ProcessOptions."""

    origin: Origin
    workers: int
    auto: bool
    state_max_age_s: float
    judged: float
    shared: bool
    stores: StoreDirectory
    source: SourceFactory | None
    process: int
    generations: "list[Generation]" = field(default_factory=list)
    """Those whose sockets the parent has open."""
    admin: tuple[socket.socket, ...] = ()
    """The sockets of the admin endpoint; every control process answers there."""

    def folder(self) -> Path:
        """For plugins."""
        folder = self.stores.path / ZONES
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder


class Generation:
    """A crew (see processes.Crew), made by the parent and used by its children."""

    def __init__(self, corefile: Corefile, whole: Whole, heir: "Generation | None" = None) -> None:
        """*heir*: the generation that serves until this one can. Raises ConfigError and StartError."""
        self._corefile = corefile
        self._whole = whole
        # Never entered. It tells whether the Corefile is right, and where to listen.
        self.plan = self._server(Surroundings())
        for name in {name for plugin in self.plan.plugins() for name in plugin.modules}:
            importlib.import_module(name)
        workers = min(self.plan.workers_wanted, WORKERS_MAX) if whole.auto else 0
        self.board: Board = Board(workers or whole.workers, before=heir.board if heir else None)
        self.side: Side = heir.side.other if heir else Side.FIRST
        self.heir = heir
        """Who has the sockets of this one that it shares, when it ends."""
        self.follows_another = heir is not None
        self._dns: tuple[DnsSockets, ...] = ()
        self._http: HttpSockets = {}
        self.on_started: Callable[[], None] = _nothing
        self.on_took_over: Callable[[], None] = _nothing
        self.on_given_up: Callable[[str], None] = _say_nothing
        whole.generations.append(self)

    def __repr__(self) -> str:
        return f"<Generation {self.board!r} {self.plan.built}>"

    @property
    def lameduck_s(self) -> float:
        return self.plan.lameduck_s

    def sockets(self, number: int) -> OpenSockets:
        """Those of the child with this number; none where there is no such child."""
        if number == CONTROL_NUMBER:
            return OpenSockets(http=self._http)
        return OpenSockets(self._dns[number - 1] if number <= len(self._dns) else {})

    # The parent.

    def bind_http(self) -> None:
        """Raises ProcessStartError."""
        held = self.heir.sockets(CONTROL_NUMBER) if self.heir else OpenSockets()
        try:
            self._http = bind_http_places(self.plan.http_endpoints, held, shared=self._whole.shared)
        except HttpListenError as error:
            raise ProcessStartError(str(error)) from None

    def control_ready(self) -> None:
        try:
            self._dns = bind_for_workers(
                self.plan.built,
                len(self.board.worker_slots),
                self.heir._dns if self.heir else (),
                shared=self._whole.shared,
            )
        except ListenError as error:
            raise ProcessStartError(str(error)) from None

    def started(self) -> None:
        set_log_level(self.plan)
        if not self.follows_another:
            self._whole.stores.clear(self.side.other)
        self.on_started()

    def leaves(self) -> None:
        self.close()

    def last_word(self, number: int) -> bytes:
        """The places where others go on with the child's sockets."""
        if self.heir is None:
            return b""
        own, others = self.sockets(number), self.heir.sockets(number)
        kept = [where for where, bound in own.dns.items() if bound is others.dns.get(where)]
        kept += [where for where, sockets in own.http.items() if sockets is others.http.get(where)]
        return json.dumps(kept).encode()

    def given_up(self, reason: str) -> None:
        self._whole.stores.clear(self.side)
        self.on_given_up(reason)

    def took_over(self) -> None:
        self._whole.stores.clear(self.side.other)
        self.heir = None
        self.on_took_over()

    def close(self) -> None:
        """Close the sockets that are those of no other generation."""
        if self in self._whole.generations:
            self._whole.generations.remove(self)
            others = {sock for each in self._whole.generations for sock in each.all_sockets()}
            _close(sock for sock in self.all_sockets() if sock not in others)

    def all_sockets(self) -> Iterator[socket.socket]:
        """Some of them more than once."""
        for number in range(len(self.board.slots)):
            yield from self.sockets(number)

    # The children.

    def control(self, link: ChildLink, number: int) -> int:
        give_way()
        return_memory()
        board, own = link.board, self._kept_open(number)
        # One that takes the place of another process shows itself when it has all that it needs; of another control
        # process of this generation there is nothing left that could wait for it.
        succeeds = self.follows_another and not board.control_was_ready
        around = Surroundings(
            role=CONTROL,
            folder=self._whole.folder,
            keep=self._written(succeeds=succeeds, replaces=board.control_was_ready),
            sockets=lambda _: own,
            handed_over=lambda where: _handed_over(link, where),
            succeeds=succeeds,
            families=control_families(board),
            process=self._whole.process,
            unmanned=lambda: unmanned(board, time.monotonic()),
            reloading=ByParent(self._whole.origin, self._corefile.digest, board, link),
        )
        return self._live(link, around, partial(_follow, admin=self._whole.admin))

    def worker(self, link: ChildLink, number: int) -> int:
        own = self._kept_open(number)
        _close(self._whole.admin)
        around = Surroundings(
            role=WORKER,
            folder=self._whole.folder,
            keep=read(lambda store: self._whole.stores.folder(store, self.side)),
            sockets=lambda _: own,
            handed_over=lambda where: _handed_over(link, where),
            judged=self._whole.judged,
            room=room(len(self.board.worker_slots), len(self.plan.built)),
        )
        return self._live(link, around, _answer)

    def _written(self, *, succeeds: bool, replaces: bool) -> Keep:
        stores, side = self._whole.stores, self.side
        # What workers answer from already does not get too old by the death of who wrote it.
        max_age_s = math.inf if succeeds or replaces else self._whole.state_max_age_s
        return written(
            lambda store: stores.folder(store, side),
            max_age_s,
            seeds=lambda store: stores.seeds(store, side.other),
            patient=succeeds,
        )

    def _kept_open(self, number: int) -> OpenSockets:
        """The child's own sockets; the others it closes."""
        own = self.sockets(number)
        kept = set(own)
        _close(sock for each in self._whole.generations for sock in each.all_sockets() if sock not in kept)
        return own

    def _server(self, around: Surroundings) -> ClusterDnsServer:
        directory = self._whole.origin.directory
        return ClusterDnsServer(self._corefile, directory, source=self._whole.source, surroundings=around)

    def _live(self, link: ChildLink, around: Surroundings, life: _Life) -> int:
        """The child's whole life; its exit code."""
        collect_seldom()

        async def alive(server: ClusterDnsServer) -> None:
            async with link:
                await life(server, link)

        try:
            server = self._server(around)  # before there is an event loop, as a writer wants it
            asyncio.run(alive(server))
        except (ConfigError, StartError) as error:
            link.failed(str(error))
            return 1
        return 0


def _nothing() -> None:
    pass


def _say_nothing(_: str) -> None:
    pass


def _close(sockets: Iterable[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def _handed_over(link: ChildLink, where: Where) -> bool:
    """Whether somebody goes on with the sockets there: the next child in this place, or the heir."""
    if not link.told_to_drain:
        return True
    return list(where) in (json.loads(link.told) if link.told else [])


async def _follow(server: ClusterDnsServer, link: ChildLink, admin: tuple[socket.socket, ...]) -> None:
    """The control process's life, with its admin endpoint. What it counts hangs on the store, so it is told before that
    is closed."""

    async def lame() -> None:
        await link.lame.wait()
        await server.go_lame()

    async with server, _reported(server, link), administered(admin, lambda: server, answers=False):
        link.ready()
        waiting = asyncio.create_task(lame(), name="lame")
        await _told_to_end(link)
        waiting.cancel()
        await asyncio.wait((waiting,))


async def _answer(server: ClusterDnsServer, link: ChildLink) -> None:
    """A worker's life. What it answers last is counted too."""
    async with _reported(server, link), server:
        link.ready()
        await _told_to_end(link)


@contextlib.asynccontextmanager
async def _reported(server: ClusterDnsServer, link: ChildLink) -> AsyncIterator[None]:
    """Tell what this process counts, if anybody wants to know; at the end, all of it."""
    if not any(site.counted for site in server.sites):
        yield
        return

    def families() -> Iterable[AnyFamily]:
        return own_families(server)

    reports = Reports(link.slot, families)
    reporting = asyncio.create_task(reports.run(), name="report")
    try:
        yield
    finally:
        reporting.cancel()
        await asyncio.wait((reporting,))
        reports.write()


async def _told_to_end(link: ChildLink) -> None:
    """Until the parent says DRAIN, or this process alone had a SIGTERM: then another will take its place.

    Some send that signal to every process of a service. The parent's word follows then, and nobody takes over.
    """
    await link.drain.wait()
    if link.told_to_drain:
        return
    link.drain.clear()
    try:
        async with asyncio.timeout(SAME_SIGNAL_S):
            await link.lame.wait()  # what the parent says first
    except TimeoutError:
        return
    await link.drain.wait()
