"""The server as several processes: a parent, a control process, and workers (docs/architecture.md, "Processes").

The parent has the sockets and starts the others; it reads the Corefile to know which. The control process follows the
cluster and writes the store; workers read the store and answer. To go over to another Corefile, the parent starts all
of them once more, on the same sockets, and then ends those that were there before.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from dnsserver.config import ConfigError, Corefile, Origin
from dnsserver.plugins.plugin import SourceFactory
from dnsserver.runtime.admin import bind_admin, in_the_way
from dnsserver.runtime.generation import Generation, Whole
from dnsserver.runtime.processes import ProcessStartError, Supervisor
from dnsserver.runtime.processes.child import settle_memory
from dnsserver.runtime.reloading import ReloadError, Wish, read_anew
from dnsserver.runtime.reporting import fold
from dnsserver.runtime.server import StartError
from dnsserver.runtime.serving import Started, raise_file_limit
from dnsserver.store.errors import StoreError
from dnsserver.store.lmdb import choose_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessOptions:
    """`workers`: how many, at least 1; `auto`: where the Corefile does not say. `state_dir`: where the store is; None:
    where there is room. `state_max_age_s`: what an earlier run left is not served if it is older. `judged` and
    `shared`: as in Surroundings. `admin`: where the admin endpoint is to be, None for nowhere."""

    workers: int
    auto: bool = False
    state_dir: Path | None = None
    state_max_age_s: float
    judged: float = 0.0
    shared: bool = False
    admin: tuple[str, int] | None = None


def serve_by_processes(
    corefile: Corefile,
    origin: Origin,
    options: ProcessOptions,
    started: Started,
    source: SourceFactory | None = None,
) -> int:
    """Serve *corefile*, and later what *origin* gives then, until a signal says stop; the exit code. *started* is
    called once all sockets are answered.

    Not to be called in a process with threads or an event loop. Raises ConfigError and StartError.
    """
    raise_file_limit()
    try:
        stores = choose_directory(options.state_dir)
    except StoreError as error:
        raise StartError(str(error)) from None
    with contextlib.closing(stores):
        whole = Whole(
            origin=origin,
            workers=options.workers,
            auto=options.auto,
            state_max_age_s=options.state_max_age_s,
            judged=options.judged,
            shared=options.shared,
            stores=stores,
            source=source,
            process=os.getpid(),
        )
        parent = _Parent(corefile, whole, started)
        settle_memory()
        return parent.run(options.admin)


class _Parent:
    """Which generation there is, and the next one."""

    def __init__(self, corefile: Corefile, whole: Whole, started: Started) -> None:
        self._whole = whole
        self._tried = corefile.digest
        self._present = Generation(corefile, whole)
        self._present.on_started = lambda: self._begin(started)

    def run(self, admin: tuple[str, int] | None) -> int:
        """*admin*: as in ProcessOptions."""
        try:
            self._present.bind_http()
            self._whole.admin = bind_admin(admin)  # behind those: the Corefile's own addresses come first
            return Supervisor(self._present, self._next).run()
        except ProcessStartError as error:
            raise StartError(str(error)) from None
        finally:
            for generation in tuple(self._whole.generations):
                generation.close()
            for sock in self._whole.admin:
                sock.close()

    def _begin(self, started: Started) -> None:
        started(self._present.plan)
        self._present.plan.runs()

    def _next(self, digest: str) -> Generation | None:
        """See NextCrew. What a child wishes for is the Corefile with this *digest*."""
        if digest and digest == self._tried:
            return None  # whoever wishes for it has only just begun, and cannot know
        wish, before = Wish(digest), self._present
        wish.begins()
        try:
            corefile = read_anew(self._whole.origin)
            self._tried = corefile.digest
            generation = self._generation(corefile, before)
        except (ReloadError, ConfigError, StartError, ProcessStartError) as error:
            self._tried = digest or self._tried
            self._failed(wish, str(error))
            return None
        generation.on_started = lambda: self._go_over(generation)
        generation.on_took_over = lambda: self._went_over(wish)
        generation.on_given_up = lambda reason: self._failed(wish, reason)
        return generation

    def _generation(self, corefile: Corefile, before: Generation) -> Generation:
        """Raises ConfigError, StartError and ProcessStartError."""
        fold(before.board)
        generation = Generation(corefile, self._whole, before)
        try:
            self._whole.stores.clear(generation.side)
            generation.bind_http()
        except BaseException:
            generation.close()
            raise
        return generation

    def _go_over(self, generation: Generation) -> None:
        self._present.heir, generation.heir = generation, None
        self._present = generation

    def _went_over(self, wish: Wish) -> None:
        wish.fulfilled()
        self._present.plan.runs()

    def _failed(self, wish: Wish, reason: str) -> None:
        """No *reason*: the server stops before it comes to it."""
        if reason:
            if wish.digest:
                self._present.board.note_failed_reload()
            admin = self._whole.admin
            wish.failed(in_the_way(reason, admin[0].getsockname()[1] if admin else 0))
