"""The server as several processes: a parent, a control process, and workers (docs/architecture.md, "Processes").

The parent has the sockets and starts the others; it reads the Corefile to know which. The control process follows the
cluster and writes the store; workers read the store and answer.
"""

import asyncio
import contextlib
import math
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dnsserver.config import ConfigError, Corefile
from dnsserver.plugins.plugin import SourceFactory
from dnsserver.plugins.prometheus.collecting import all_families
from dnsserver.runtime.memory import room
from dnsserver.runtime.priority import collect_seldom, give_way, return_memory
from dnsserver.runtime.processes import CONTROL_NUMBER, ChildLink, ProcessStartError, Supervisor
from dnsserver.runtime.reporting import Reports, unmanned, worker_families
from dnsserver.runtime.server import ClusterDnsServer, StartError
from dnsserver.runtime.serving import Started, raise_file_limit, set_log_level
from dnsserver.runtime.sites import bind_for_workers
from dnsserver.runtime.surroundings import CONTROL, WORKER, Surroundings
from dnsserver.store.errors import StoreError
from dnsserver.store.lmdb import StoreDirectory, choose_directory
from dnsserver.store.lmdb.keeping import read, written
from dnsserver.transports.binding import BoundSockets, ListenError

_Life = Callable[[ClusterDnsServer, ChildLink], Awaitable[None]]

#: The folder beside the stores that is for plugins.
ZONES = "zones"
#: Seconds. A SIGTERM to every process of the server reaches children and parent this far apart at most.
SAME_SIGNAL_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessOptions:
    """`workers`: how many, at least 1. `state_dir`: where the store is; None: where there is room. `state_max_age_s`:
    what an earlier run left is not served if it is older. `judged`: as in Surroundings."""

    workers: int
    state_dir: Path | None = None
    state_max_age_s: float
    judged: float = 0.0


def serve_by_processes(
    corefile: Corefile,
    directory: Path,
    options: ProcessOptions,
    started: Started,
    source: SourceFactory | None = None,
) -> int:
    """Serve *corefile* until a signal says stop; the exit code. *started* is called once all sockets are answered.

    Not to be called in a process with threads or an event loop. Raises ConfigError and StartError.
    """
    raise_file_limit()
    try:
        stores = choose_directory(options.state_dir)
    except StoreError as error:
        raise StartError(str(error)) from None
    with contextlib.closing(stores):
        return _Processes(corefile, directory, options, stores, started, source).run()


class _Processes:
    def __init__(
        self,
        corefile: Corefile,
        directory: Path,
        options: ProcessOptions,
        stores: StoreDirectory,
        started: Started,
        source: SourceFactory | None,
    ) -> None:
        self._options = options
        self._stores = stores
        self._started = started
        self._make = partial(ClusterDnsServer, corefile, directory, source=source)
        # Never entered. It tells whether the Corefile is right, and where to listen.
        self._plan = self._make()
        self._process = os.getpid()
        set_log_level(self._plan)
        self._sockets: tuple[tuple[BoundSockets, ...], ...] = ()

    def run(self) -> int:
        supervisor = Supervisor(
            control=self._control,
            worker=self._worker,
            workers=self._options.workers,
            on_control_ready=self._bind,
            on_started=lambda: self._started(self._plan),
            on_drain=self._close,
            lameduck_s=self._plan.lameduck_s,
        )
        try:
            return supervisor.run()
        except ProcessStartError as error:
            raise StartError(str(error)) from None
        finally:
            self._close()

    # The parent.

    def _bind(self) -> None:
        try:
            self._sockets = bind_for_workers(self._plan.built, self._options.workers)
        except ListenError as error:
            raise StartError(str(error)) from None

    def _close(self) -> None:
        """The parent's own copies."""
        for sockets in self._sockets:
            for each in sockets:
                each.close()

    # The children.

    def _control(self, link: ChildLink, _number: int) -> int:
        give_way()
        return_memory()
        self._close()  # there are some when an earlier control process is replaced
        board = link.board
        # What workers answer from already does not get too old by the death of who wrote it.
        around = Surroundings(
            role=CONTROL,
            folder=self._stores.path / ZONES,
            keep=written(
                self._stores.folder, math.inf if board.control_was_ready else self._options.state_max_age_s
            ),
            families=lambda: worker_families(board),
            process=self._process,
            unmanned=lambda: unmanned(board, time.monotonic()),
        )
        return self._live(link, around, _follow)

    def _worker(self, link: ChildLink, number: int) -> int:
        own = self._sockets[number - 1]
        for others in self._sockets:
            for each in others if others is not own else ():
                each.close_udp()
        around = Surroundings(
            role=WORKER,
            folder=self._stores.path / ZONES,
            keep=read(self._stores.folder),
            sockets=own,
            handed_over=lambda: not link.told_to_drain,
            judged=self._options.judged,
            room=room(self._options.workers, len(self._plan.built)),
        )
        return self._live(link, around, _answer)

    def _live(self, link: ChildLink, around: Surroundings, life: _Life) -> int:
        """The child's whole life; its exit code."""
        collect_seldom()

        async def alive(server: ClusterDnsServer) -> None:
            async with link, _reported(server, link), server:
                link.ready()
                await life(server, link)

        try:
            server = self._make(surroundings=around)  # before there is an event loop, as a writer wants it
            asyncio.run(alive(server))
        except (ConfigError, StartError) as error:
            link.failed(str(error))
            return 1
        return 0


async def _follow(server: ClusterDnsServer, link: ChildLink) -> None:
    """The control process's life."""

    async def lame() -> None:
        await link.lame.wait()
        await server.go_lame()

    waiting = asyncio.create_task(lame(), name="lame")
    await _told_to_end(link)
    waiting.cancel()
    await asyncio.wait((waiting,))


async def _answer(_server: ClusterDnsServer, link: ChildLink) -> None:
    """A worker's life."""
    await _told_to_end(link)


@contextlib.asynccontextmanager
async def _reported(server: ClusterDnsServer, link: ChildLink) -> AsyncIterator[None]:
    """Tell the control process what a worker counts, if anybody wants to know; at the end, all of it."""
    if link.number == CONTROL_NUMBER or not any(site.counted for site in server.sites):
        yield
        return
    reports = Reports(link.slot, lambda: all_families(server))
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
