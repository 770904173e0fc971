"""The parent process: the order of a start and of a stop, and what signals come to."""

import logging
import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence

from dnsserver.runtime.processes.board import CONTROL_NUMBER, Board
from dnsserver.runtime.processes.child import Role
from dnsserver.runtime.processes.family import Family, Limits, ProcessStartError
from dnsserver.runtime.processes.link import Word
from dnsserver.runtime.processes.place import Place
from dnsserver.runtime.processes.signals import (
    IMPATIENT_EXIT,
    SignalInbox,
    warn_that_reload_is_not_supported,
)
from dnsserver.runtime.processes.slots import SLOT_CAPACITY

LOG = logging.getLogger("dnsserver")


class _QuitNow(Exception):
    """SIGQUIT."""


class Supervisor:
    """One control child and some workers, kept alive until a signal says stop. For the main thread of a process without
    other threads, whose only children these are: every child that dies is waited for here."""

    def __init__(
        self,
        *,
        control: Role,
        worker: Role,
        workers: int,
        on_control_ready: Callable[[], None],
        on_started: Callable[[], None],
        on_drain: Callable[[], None] = lambda: None,
        lameduck_s: float | Callable[[], float] = 0.0,
        limits: Limits | None = None,
        slot_capacity: int = SLOT_CAPACITY,
    ) -> None:
        """*on_control_ready* and *on_started* are called in the parent, once: when control is ready and before the
        workers are forked, and when all workers are. *on_drain* is called at the stop, once no child will be forked
        any more: what children share by being forked may be closed. *lameduck_s*, or what it returns at the stop, is
        the seconds between LAME and DRAIN. *slot_capacity* is octets.
        """
        self.board = Board(workers, slot_capacity)
        """The memory that all share; children have it as `ChildLink.board`."""
        self._control = Place(CONTROL_NUMBER, control)
        self._workers = tuple(Place(CONTROL_NUMBER + 1 + index, worker) for index in range(workers))
        self._on_control_ready = on_control_ready
        self._on_started = on_started
        self._on_drain = on_drain
        self._lameduck_s = lameduck_s
        self._limits = limits or Limits()
        self._stopping = False

    def __repr__(self) -> str:
        return (
            f"<Supervisor {self._control!r} {' '.join(map(repr, self._workers))} stopping={self._stopping}>"
        )

    def run(self) -> int:
        """Start, supervise, stop; the exit code. No child is left then, whichever way it ends.

        Raises ProcessStartError when a child cannot start, and whatever the callbacks raise.
        """
        with SignalInbox() as inbox, selectors.DefaultSelector() as selector:
            selector.register(inbox, selectors.EVENT_READ)
            places = (self._control, *self._workers)
            parents = (inbox, selector)
            self._inbox, self._selector = inbox, selector
            self._family = Family(self.board, places, self._limits, selector, parents)
            try:
                if self._start():
                    while not self._stopping:
                        self._turn()
                    self._stop()
            except _QuitNow:
                return 0
            except ProcessStartError:
                if not self._stopping:  # a signal to the whole group ends children too, before they are ready
                    raise
            finally:
                self._family.end()
        return 0

    def _start(self) -> bool:
        """Whether all came up; False when a signal says stop before: then nobody is served, and nothing to drain."""
        self._family.fork(self._control)
        if not self._came_up((self._control,)):
            return False
        self._on_control_ready()
        for place in self._workers:
            self._family.fork(place)
        if not self._came_up(self._workers):
            return False
        self._on_started()
        return True

    def _came_up(self, places: Sequence[Place]) -> bool:
        while not self._stopping and not all(place.was_ready for place in places):
            self._turn()
        return not self._stopping

    def _stop(self) -> None:
        """Who dies while lame is still replaced: clients are still sent here."""
        everybody = (self._control, *self._workers)
        self._family.lame = True
        self._family.tell(everybody, Word.LAME)
        lameduck_s = self._lameduck_s if isinstance(self._lameduck_s, float | int) else self._lameduck_s()
        until = time.monotonic() + lameduck_s
        while time.monotonic() < until:
            self._turn(until)
        self._family.replacing = False
        self._on_drain()
        self._drain(self._workers)
        self._drain((self._control,))

    def _drain(self, places: Sequence[Place]) -> None:
        self._family.tell(places, Word.DRAIN)
        until = time.monotonic() + self._limits.drain_s
        while any(place.child for place in places) and time.monotonic() < until:
            self._turn(until)
        for place in self._family.kill(places):
            LOG.warning("%s did not finish within %g s and is killed", place.name, self._limits.drain_s)

    def _turn(self, until: float = float("inf")) -> None:
        """Wait until something happens, *until* at most (seconds of `time.monotonic`), and act on it."""
        due = min(self._family.due(), until)
        for key, _ in self._selector.select(max(0.0, due - time.monotonic())):
            if isinstance(key.data, Place):
                self._family.hear(key.data)
            else:
                for number in self._inbox.take():
                    self._act_on(number)
        self._family.attend()

    def _act_on(self, number: int) -> None:
        match number:
            case signal.SIGCHLD:
                self._family.reap()
            case signal.SIGTERM:
                LOG.info("SIGTERM: Shutting down servers then terminating")
                self._stopping = True
            case signal.SIGINT:
                if self._stopping:
                    self._family.kill((self._control, *self._workers))
                    os._exit(IMPATIENT_EXIT)
                LOG.info("SIGINT: Shutting down")
                self._stopping = True
            case signal.SIGQUIT:
                raise _QuitNow
            case signal.SIGUSR1:
                warn_that_reload_is_not_supported()
