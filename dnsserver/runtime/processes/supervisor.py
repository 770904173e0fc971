"""The parent process: the order of a start, of going over to another crew, and of a stop; and what signals come to."""

import logging
import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from dnsserver.runtime.processes.board import Board
from dnsserver.runtime.processes.child import Closable
from dnsserver.runtime.processes.family import Family, Limits, ProcessStartError
from dnsserver.runtime.processes.link import ChildLink, Word
from dnsserver.runtime.processes.place import Place
from dnsserver.runtime.processes.signals import IMPATIENT_EXIT, SignalInbox

LOG = logging.getLogger("dnsserver")


class Crew(Protocol):
    """What one control child and some workers do, and what their owner does in the parent meanwhile."""

    board: Board
    """The memory that all of them share, with a slot for each; children have it as `ChildLink.board`."""

    @property
    def lameduck_s(self) -> float:
        """Seconds between LAME and DRAIN at the stop."""
        ...

    def control(self, link: ChildLink, number: int) -> int:
        """The life of the control child (see Role)."""
        ...

    def worker(self, link: ChildLink, number: int) -> int:
        """The life of a worker."""
        ...

    def control_ready(self) -> None:
        """Called once, when control is ready and before the workers are forked. Raises ProcessStartError."""
        ...

    def started(self) -> None:
        """Called once, when all workers are ready."""
        ...

    def leaves(self) -> None:
        """Called once, when no child of this crew will be forked any more: what children share by being forked may be
        closed."""
        ...

    def last_word(self, number: int) -> bytes:
        """What the child of this place is told with DRAIN, of which there will be no other."""
        ...

    def given_up(self, reason: str) -> None:
        """Called in place of `took_over`: this crew did not come up, and the one before it stays. No *reason*: that one
        was told to stop meanwhile."""
        ...

    def took_over(self) -> None:
        """Called when this crew has taken the place of another, whose children have ended."""
        ...


#: The crew that shall take the place of the present one, for what a child has wished, "" for a signal; None: there is
#: none, and the owner has said why.
NextCrew = Callable[[str], Crew | None]


class _QuitNow(Exception):
    """SIGQUIT."""


class Supervisor:
    """One control child and some workers, kept alive until a signal says stop, and replaced as a whole when a signal or
    one of them says so. For the main thread of a process without other threads, whose only children these are: every
    child that dies is waited for here."""

    def __init__(self, first: Crew, next_crew: NextCrew, limits: Limits | None = None) -> None:
        self._crew = first
        self._next_crew = next_crew
        self._limits = limits or Limits()
        self._families: list[Family] = []
        self._stopping = self._signalled = False

    def __repr__(self) -> str:
        return f"<Supervisor {self._families} stopping={self._stopping}>"

    def run(self) -> int:
        """Start, supervise, stop; the exit code. No child is left then, whichever way it ends.

        Raises ProcessStartError when a child of the first crew cannot start, and whatever the owner raises.
        """
        with SignalInbox() as inbox, selectors.DefaultSelector() as selector:
            selector.register(inbox, selectors.EVENT_READ)
            self._inbox, self._selector = inbox, selector
            self._family = self._family_of(self._crew)
            try:
                if self._comes_up(self._family, self._crew):
                    self._crew.started()
                    self._supervise()
                    self._stop()
            except _QuitNow:
                return 0
            except ProcessStartError:
                if not self._stopping:  # a signal to the whole group ends children too, before they are ready
                    raise
            finally:
                for family in self._families:
                    family.end()
        return 0

    def _family_of(self, crew: Crew) -> Family:
        family = Family(
            crew.board, crew.control, crew.worker, self._limits, self._selector, self._not_for_children
        )
        self._families.append(family)
        return family

    def _not_for_children(self) -> list[Closable]:
        links = [link for family in self._families for link in family.links]
        return [self._inbox, self._selector, *links]

    def _comes_up(self, family: Family, crew: Crew) -> bool:
        """Whether all did; False when a signal says stop before: then it serves nobody, and has nothing to drain."""
        family.fork(family.control)
        if not self._ready((family.control,)):
            return False
        crew.control_ready()
        for place in family.workers:
            family.fork(place)
        return self._ready(family.workers)

    def _ready(self, places: Sequence[Place]) -> bool:
        while not self._stopping and not all(place.was_ready for place in places):
            self._turn()
        return not self._stopping

    def _supervise(self) -> None:
        while not self._stopping:
            self._turn()
            wish = "" if self._signalled else self._family.wish()
            if wish is not None and not self._stopping:
                self._signalled = False
                crew = self._next_crew(wish)
                if crew is not None:
                    self._go_over(crew)

    def _go_over(self, crew: Crew) -> None:
        """Bring *crew* up, and end the present one; or the other way about."""
        family, reason = self._family_of(crew), ""
        try:
            came_up = self._comes_up(family, crew)
        except ProcessStartError as error:
            came_up, reason = False, str(error)
        if not came_up:
            self._retire(family, crew)
            crew.given_up(reason)
            return
        old, self._family = self._family, family
        old_crew, self._crew = self._crew, crew
        crew.started()
        self._retire(old, old_crew)
        crew.took_over()

    def _retire(self, family: Family, crew: Crew) -> None:
        """Others take over from *family*, or have never left. A stop does not wait for it: it waits for all."""
        family.replacing = False
        family.kill(family.unready)
        crew.leaves()
        for places in (family.workers, (family.control,)):
            self._tell_to_drain(places, family, crew)
            self._await_end(places, family, lambda: self._stopping)
        if not self._stopping:
            self._families.remove(family)

    def _stop(self) -> None:
        """Who dies while lame is still replaced: clients are still sent here."""
        family, crew = self._family, self._crew
        everybody = (family.control, *family.workers)
        family.lame = True
        family.tell(everybody, Word.LAME)
        until = time.monotonic() + crew.lameduck_s
        while time.monotonic() < until:
            self._turn(until)
        family.replacing = False
        crew.leaves()
        for places in (family.workers, (family.control,)):
            self._tell_to_drain(places, family, crew)
            self._await_end(places, family)
        for other in self._families:
            self._await_end((*other.workers, other.control), other)

    def _tell_to_drain(self, places: Sequence[Place], family: Family, crew: Crew) -> None:
        for place in places:
            family.tell((place,), Word.DRAIN, crew.last_word(place.number))

    def _await_end(
        self, places: Sequence[Place], family: Family, enough: Callable[[], bool] = lambda: False
    ) -> None:
        """Until nobody lives in *places*, or there is *enough*; who takes too long is killed."""
        until = time.monotonic() + self._limits.drain_s
        while any(place.child for place in places) and time.monotonic() < until and not enough():
            self._turn(until)
        if not enough():
            for place in family.kill(places):
                LOG.warning("%s did not finish within %g s and is killed", place.name, self._limits.drain_s)

    def _turn(self, until: float = float("inf")) -> None:
        """Wait until something happens, *until* at most (seconds of `time.monotonic`), and act on it."""
        due = min(until, *(family.due() for family in self._families))
        for key, _ in self._selector.select(max(0.0, due - time.monotonic())):
            if isinstance(key.data, Place):
                for family in self._families:
                    if key.data in family:
                        family.hear(key.data)
            else:
                self._act_on(self._inbox.take())
        for family in self._families:
            family.attend()

    def _act_on(self, signals: bytes) -> None:
        """Those that died come last: that may be an error, and what was told meanwhile shall not be lost by it."""
        for number in signals:
            match number:
                case signal.SIGTERM:
                    LOG.info("SIGTERM: Shutting down servers then terminating")
                    self._stopping = True
                case signal.SIGINT:
                    self._interrupted()
                case signal.SIGQUIT:
                    LOG.info("SIGQUIT: Quitting process immediately")
                    raise _QuitNow
                case signal.SIGUSR1:
                    self._signalled = True
        if signal.SIGCHLD in signals:
            self._reap()

    def _interrupted(self) -> None:
        if self._stopping:
            LOG.info("SIGINT: Force quit")
            for family in self._families:
                family.kill((family.control, *family.workers))
            os._exit(IMPATIENT_EXIT)
        LOG.info("SIGINT: Shutting down")
        self._stopping = True

    def _reap(self) -> None:
        """Wait for all that have died, also those that are ours only because this is process 1 of a container.

        Raises ProcessStartError when a child died that was to be the first of its place.
        """
        failure = None
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if not pid:
                break
            try:
                for family in self._families:
                    family.buried(pid, status)
            except ProcessStartError as error:
                failure = error
        if failure is not None:
            raise failure
