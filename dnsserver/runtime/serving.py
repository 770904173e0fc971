"""Serve in one process until a signal says stop (coredns-compat.md, section 5.2)."""

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from dnsserver.config import ConfigError, Corefile, Origin
from dnsserver.observability.families import AnyFamily, merge
from dnsserver.observability.reports import lasting
from dnsserver.plugins.plugin import SourceFactory
from dnsserver.plugins.prometheus.collecting import own_families
from dnsserver.runtime.admin import administered, bind_admin, in_the_way
from dnsserver.runtime.life import Life
from dnsserver.runtime.memory import room
from dnsserver.runtime.priority import collect_seldom
from dnsserver.runtime.processes.signals import IMPATIENT_EXIT
from dnsserver.runtime.reloading import Attempts, ByItself, ReloadError, Wish, read_anew
from dnsserver.runtime.server import ClusterDnsServer, StartError
from dnsserver.runtime.surroundings import Between, Surroundings
from dnsserver.runtime.temporary import temporary_folder

__all__ = ["StartError", "serve_until_signal"]

LOG = logging.getLogger("dnsserver")

#: Is called once the server answers.
Started = Callable[[ClusterDnsServer], None]


async def serve_until_signal(
    corefile: Corefile,
    origin: Origin,
    started: Started,
    source: SourceFactory | None = None,
    judged: float = 0.0,
    between: Between | None = None,
    shared: bool = False,
    admin: tuple[str, int] | None = None,
) -> int:
    """Serve *corefile* in this process, and later what *origin* gives then; the exit code.

    *started* is called once the sockets are open; *source* is as in ClusterDnsServer, *judged*, *between* and *shared*
    as in Surroundings; *admin*: where the admin endpoint is to be, None for nowhere.

    Raises ConfigError and StartError.
    """
    raise_file_limit()
    collect_seldom()
    gc.collect()
    gc.freeze()  # all that is there now stays; so a collection after a reload has less to look at
    return await _Process(corefile, origin, started, source, judged, between, shared, admin).run()


class _Process:
    """What is served now, and what comes after it."""

    def __init__(
        self,
        corefile: Corefile,
        origin: Origin,
        started: Started,
        source: SourceFactory | None,
        judged: float,
        between: Between | None,
        shared: bool,
        admin: tuple[str, int] | None,
    ) -> None:
        self._origin = origin
        self._started = started
        self._source = source
        self._judged = judged
        self._between = between
        self._shared = shared
        self._admin = admin
        self._attempts = Attempts(corefile.digest)
        self._stop = asyncio.Event()
        self._wished = asyncio.Event()
        self._wish = Wish()
        self._lives: list[Life] = []
        """Those that run, the oldest first."""
        self._counted: list[AnyFamily] = []
        """By those that have ended."""
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._first = Life()
        self._equip(self._first, corefile)

    async def run(self) -> int:
        try:
            return await self._run()
        finally:
            if self._temporary is not None:
                self._temporary.cleanup()

    async def _run(self) -> int:
        self._install_signals()
        serving = asyncio.create_task(self._serve(), name="serve")
        await self._until(serving)
        if not serving.done() and not self._lives:
            serving.cancel()  # the start may be waiting for an API server that never comes
        try:
            await serving
        except asyncio.CancelledError:
            if not self._stop.is_set():
                raise
        return 0

    async def _serve(self) -> None:
        life = self._first
        set_log_level(life.server)
        await life.start()
        self._lives.append(life)
        # Behind the Corefile's own addresses, which come first.
        async with administered(bind_admin(self._admin), lambda: self._lives[-1].server, answers=True):
            self._started(life.server)
            life.server.runs()
            life = await self._served(life)
            await life.server.go_lame()
            await asyncio.sleep(life.server.lameduck_s)
        for each in tuple(self._lives):
            await each.end()

    async def _served(self, life: Life) -> Life:
        """Until the signal to stop; the life that serves then."""
        while not self._stop.is_set():
            await self._until(life.task, self._wished)
            if life.task.done():
                await life.task  # it failed
            elif self._wished.is_set():
                self._wished.clear()
                life = await self._go_over(life, self._wish)
        return life

    async def _until(self, task: asyncio.Task[None], *events: asyncio.Event) -> None:
        """Wait for the end of *task*, for one of *events*, or for the signal to stop."""
        waiting = [asyncio.create_task(event.wait()) for event in (self._stop, *events)]
        try:
            await asyncio.wait((task, *waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()

    # Going over to another configuration.

    def _wish_for(self, wish: Wish) -> None:
        self._wish = wish
        self._wished.set()

    async def _go_over(self, old: Life, wish: Wish) -> Life:
        """Start what the Corefile is now, and end the *old* one; or the other way about. Which of them it is."""
        wish.begins()
        try:
            new = await self._successor(old)
        except (ReloadError, ConfigError, StartError) as error:
            self._attempts.failed(wish)
            wish.failed(in_the_way(str(error), self._admin[1] if self._admin else 0))
            return old
        if new is None:
            return old
        set_log_level(new.server)
        old.heirs, new.heirs, new.before = new.server.places, frozenset(), None
        ending = asyncio.create_task(self._end(old), name="end of the old configuration")
        await self._until(ending)
        if ending.done():
            await ending
            wish.fulfilled()
            new.server.runs()
        return new

    async def _successor(self, old: Life) -> Life | None:
        """Running; None when the server is told to stop meanwhile. Raises ReloadError, ConfigError and StartError."""
        # In a thread: what comes meanwhile is answered.
        corefile = await asyncio.to_thread(read_anew, self._origin)
        self._attempts.tried = corefile.digest
        new = Life(old)
        await asyncio.to_thread(self._equip, new, corefile)
        starting = asyncio.create_task(new.start(), name="start of the new configuration")
        await self._until(starting)
        if not starting.done():
            starting.cancel()
            await asyncio.wait((starting,))
            return None
        await starting
        self._lives.append(new)
        return new

    async def _end(self, life: Life) -> None:
        await life.end()
        self._lives.remove(life)
        self._counted = merge([*self._counted, *lasting(own_families(life.server))])
        gc.collect()  # a server is full of cycles

    def _equip(self, life: Life, corefile: Corefile) -> None:
        """Give *life* its server. Raises ConfigError and StartError."""
        around = Surroundings(
            keep=life.keep,
            sockets=life.borrowed,
            handed_over=life.handed_over,
            succeeds=life.before is not None,
            families=lambda: self._counted_before(life),
            folder=self._folder,
            judged=self._judged,
            between=self._between,
            shared=self._shared,
            room=room(1, len(corefile.blocks)),
            reloading=ByItself(self._origin, corefile.digest, self._attempts, self._wish_for),
        )
        directory = self._origin.directory
        life.server = ClusterDnsServer(corefile, directory, source=self._source, surroundings=around)

    def _folder(self) -> Path:
        """It outlives a reload: zones that were transferred are there at once."""
        if self._temporary is None:
            self._temporary = temporary_folder()
        return Path(self._temporary.name)

    def _counted_before(self, life: Life) -> Iterable[AnyFamily]:
        """What those have counted that were there before *life*, be it that they still finish what they began."""
        yield from self._counted
        for other in self._lives:
            if other is life:
                return
            yield from lasting(own_families(other.server))

    # Signals.

    def _install_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._terminate)
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        loop.add_signal_handler(signal.SIGQUIT, self._quit)
        loop.add_signal_handler(signal.SIGUSR1, self._wish_for, Wish())
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _terminate(self) -> None:
        LOG.info("SIGTERM: Shutting down servers then terminating")
        self._stop.set()

    def _interrupt(self) -> None:
        if self._stop.is_set():
            LOG.info("SIGINT: Force quit")
            os._exit(IMPATIENT_EXIT)
        LOG.info("SIGINT: Shutting down")
        self._stop.set()

    def _quit(self) -> None:
        LOG.info("SIGQUIT: Quitting process immediately")
        os._exit(0)


def set_log_level(server: ClusterDnsServer) -> None:
    """As the plugin `debug` wants it."""
    wanted = any(plugin.debug for plugin in server.plugins())
    LOG.setLevel(logging.DEBUG if wanted else logging.INFO)


def raise_file_limit() -> None:
    """Every TCP client is an open file; the soft limit of 1,024 that shells and containers begin with is for
    programs that use select()."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):  # not ours to raise: the pool of connections adapts
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
