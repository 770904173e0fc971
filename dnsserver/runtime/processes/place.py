"""A place for a child, as the parent sees it: who is there, what became of the last one, when the next one comes."""

import math
import os
import signal
from dataclasses import dataclass

from dnsserver.runtime.processes.board import CONTROL_NUMBER, Kind, Reason
from dnsserver.runtime.processes.child import Role
from dnsserver.runtime.processes.link import ParentLink

#: Seconds. A child that was ready and lived this long is replaced at once: whatever ended it is no loop of crashes.
LIVED_S = 1.0
#: Seconds. Rest before a child is replaced that lived shorter, or could not start; doubled each time, to the maximum.
REST_FIRST_S = 0.1
REST_MAX_S = 5.0


@dataclass(slots=True)
class Child:
    """A process that was forked and not yet waited for: so its id is its own."""

    pid: int
    link: ParentLink
    born: float
    hung: bool = False
    """The parent has killed it because it gave no heartbeat."""


class Place:
    """One place, with at most one child."""

    def __init__(self, number: int, role: Role) -> None:
        self.number = number
        self.role = role
        self.kind = Kind.CONTROL if number == CONTROL_NUMBER else Kind.WORKER
        self.child: Child | None = None
        self.was_ready = False
        """Some child of this place has said READY."""
        self.next_at = math.inf
        """When to fork the next child, in seconds of `time.monotonic`."""
        self._rest_s = REST_FIRST_S

    def __repr__(self) -> str:
        return f"<Place {self.name} pid={self.child.pid if self.child else None}>"

    @property
    def name(self) -> str:
        return self.kind.value if self.kind is Kind.CONTROL else f"{self.kind.value} {self.number}"

    def took(self, child: Child) -> None:
        self.child = child
        self.next_at = math.inf

    def rest(self, now: float, *, lived_s: float, started: bool) -> float:
        """Set when the next child comes, after one that *lived_s*; the seconds until then."""
        if started and lived_s >= LIVED_S:
            self._rest_s = REST_FIRST_S
            self.next_at = now
            return 0.0
        rest_s = self._rest_s
        self._rest_s = min(2 * rest_s, REST_MAX_S)
        self.next_at = now + rest_s
        return rest_s


def how_it_ended(child: Child, status: int) -> tuple[Reason, str]:
    """Why, and in words; *status* is of waitpid(2)."""
    code = os.waitstatus_to_exitcode(status)
    if child.hung:
        return Reason.HANG, "no heartbeat"
    if child.link.failure is not None:
        return Reason.START, child.link.failure
    if code < 0:
        return Reason.SIGNAL, f"killed by {_signal_name(-code)}"
    return Reason.EXIT, f"exit code {code}"


def _signal_name(number: int) -> str:
    known = {item.value: item.name for item in signal.Signals}
    return known.get(number, f"signal {number}")  # most of the real-time signals have no name
