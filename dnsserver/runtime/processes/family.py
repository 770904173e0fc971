"""The children: forked, heard, waited for, and replaced when they die or hang."""

import logging
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dnsserver.runtime.processes.board import CONTROL_NUMBER, Board, Reason
from dnsserver.runtime.processes.child import Closable, Role, fork
from dnsserver.runtime.processes.link import ParentLink, Word
from dnsserver.runtime.processes.place import Child, Place, how_it_ended

LOG = logging.getLogger("dnsserver.processes")

#: Seconds between two looks at the heartbeats, at most.
LOOK_S = 1.0
#: Looks that fit into the limit of hanging, where that is short.
_LOOKS_PER_LIMIT = 4


class ProcessStartError(Exception):
    """A child cannot start, and never could. The text is the child's own where it gave one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long the parent waits for a child. All in seconds."""

    hang_s: float = 5.0
    """Without a heartbeat: then it is killed and replaced."""
    first_beat_s: float = 60.0
    """From the fork to the first heartbeat: imports may take long where little CPU time is granted."""
    drain_s: float = 6.0
    """From DRAIN to the end: the 5 s that an answer may take, and one to spare (coredns-compat.md, section 5.2)."""


class Family:
    """The places of one control child and some workers, and whoever lives there. The owner of *selector* calls `hear`
    when a link of it can be read, `buried` with each child that it has waited for, and `attend` by the time `due` says.
    """

    def __init__(
        self,
        board: Board,
        control: Role,
        worker: Role,
        limits: Limits,
        selector: selectors.BaseSelector,
        parents: Callable[[], Iterable[Closable]],
    ) -> None:
        """*parents* gives what no child may keep open."""
        self.control = Place(CONTROL_NUMBER, control)
        self.workers = tuple(
            Place(CONTROL_NUMBER + 1 + index, worker) for index in range(len(board.worker_slots))
        )
        self._board = board
        self._places = (self.control, *self.workers)
        self._limits = limits
        self._selector = selector
        self._parents = parents
        self._look_s = min(LOOK_S, limits.hang_s / _LOOKS_PER_LIMIT)
        self._looked = self._awake_since = time.monotonic()
        self.lame = False
        """New children are told LAME first."""
        self.replacing = True
        """Who dies is replaced."""

    def __repr__(self) -> str:
        return f"<Family {' '.join(repr(place) for place in self._places)}>"

    def __contains__(self, place: object) -> bool:
        return place in self._places

    @property
    def unready(self) -> list[Place]:
        """Where somebody lives who has not said READY yet."""
        return [place for place in self._places if place.child is not None and not place.child.link.ready]

    @property
    def links(self) -> list[ParentLink]:
        return [place.child.link for place in self._places if place.child is not None]

    @property
    def empty(self) -> bool:
        """Whether nobody lives here."""
        return not self.links

    def fork(self, place: Place) -> None:
        """Raises ProcessStartError, or comes back to it later when the place has had a child that was ready."""
        now = time.monotonic()
        self._board.slots[place.number].beat(0.0)
        try:
            pid, link = fork(place.role, place.name, self._board, place.number, tuple(self._parents()))
        except OSError as error:
            if not place.was_ready:
                raise ProcessStartError(f"{place.name}: no new process: {error.strerror}") from error
            rest_s = place.rest(now, lived_s=0.0, started=False)
            LOG.error("%s: no new process: %s; again in %g s", place.name, error.strerror, rest_s)
            return
        place.took(Child(pid, link, born=now))
        self._selector.register(link, selectors.EVENT_READ, place)
        if self.lame:
            link.tell(Word.LAME)

    def hear(self, place: Place) -> None:
        """Take what the child there has said. Raises ProcessStartError when it says that it cannot start."""
        if place.child is None:
            return
        link = place.child.link
        if not link.hear() and link in self._selector.get_map():
            self._selector.unregister(link)  # its death follows; the end of the file would be news for ever
        self._note_ready(place, link)
        if link.failure is not None and not place.was_ready and self.replacing:
            raise ProcessStartError(link.failure)

    def wish(self) -> str | None:
        """What a child has said of the family that it wishes for in the place of this one; once."""
        for link in self.links:
            if link.wish is not None:
                found, link.wish = link.wish, None
                return found
        return None

    def tell(self, places: Iterable[Place], word: Word, more: bytes = b"") -> None:
        for place in places:
            if place.child is not None:
                place.child.link.tell(word, more)

    def kill(self, places: Iterable[Place]) -> list[Place]:
        """Kill whoever still lives in *places*; the places where somebody did."""
        killed = []
        for place in places:
            if place.child is not None:
                os.kill(place.child.pid, signal.SIGKILL)
                killed.append(place)
        return killed

    def end(self) -> None:
        """Kill all, and wait until they are gone."""
        self.replacing = False
        for place in self.kill(self._places):
            if place.child is not None:
                os.waitpid(place.child.pid, 0)
                self._forget(place, place.child)

    def buried(self, pid: int, status: int) -> bool:
        """Take note of a child that has ended, if it is one of this family; *status* is of waitpid(2).

        Raises ProcessStartError when a child died that was to be the first of its place.
        """
        for place in self._places:
            if place.child is not None and place.child.pid == pid:
                self._bury(place, place.child, status)
                return True
        return False

    def due(self) -> float:
        """When to `attend` next, in seconds of `time.monotonic`."""
        look_at = self._looked + self._look_s
        return min(look_at, *(place.next_at for place in self._places)) if self.replacing else look_at

    def attend(self) -> None:
        """Kill who hangs; fork whom it is time for."""
        now = time.monotonic()
        if now - self._looked >= self._look_s:
            self._look_for_hangs(now)
        for place in self._places:
            if place.next_at <= now and self.replacing:
                self.fork(place)

    def _look_for_hangs(self, now: float) -> None:
        if now - self._looked > 2 * self._look_s:
            # We did not run either: the whole container was frozen, or the machine is at its end. Killing helps nobody.
            self._awake_since = now
        self._looked = now
        for place in self._places:
            if place.child is None or place.child.hung:
                continue
            beat = self._board.slots[place.number].last_beat
            limit_s = self._limits.hang_s if beat else self._limits.first_beat_s
            silent_s = now - max(beat, place.child.born, self._awake_since)
            if silent_s > limit_s:
                LOG.error("%s (pid %d) hangs: no heartbeat for %.1f s", place.name, place.child.pid, silent_s)
                place.child.hung = True
                os.kill(place.child.pid, signal.SIGKILL)

    def _bury(self, place: Place, child: Child, status: int) -> None:
        child.link.hear()  # its last words
        self._note_ready(place, child.link)
        self._forget(place, child)  # before any error: its id may be another's from now on
        reason, words = how_it_ended(child, status)
        if not place.was_ready and self.replacing:
            raise ProcessStartError(
                words if reason is Reason.START else f"{place.name} ended before it was ready: {words}"
            )
        if not self.replacing:
            if status and child.link.ready:
                LOG.warning("%s (pid %d) ended: %s", place.name, child.pid, words)
            return
        self._board.restarts.add(place.kind, reason)
        now = time.monotonic()
        rest_s = place.rest(now, lived_s=now - child.born, started=child.link.ready)
        when = f"in {rest_s:g} s" if rest_s else "now"
        LOG.warning("%s (pid %d) ended: %s; it is replaced %s", place.name, child.pid, words, when)

    def _note_ready(self, place: Place, link: ParentLink) -> None:
        place.was_ready |= link.ready
        if place.was_ready and place.number == CONTROL_NUMBER:
            self._board.note_control_ready()

    def _forget(self, place: Place, child: Child) -> None:
        if child.link in self._selector.get_map():
            self._selector.unregister(child.link)
        child.link.close()
        place.child = None
