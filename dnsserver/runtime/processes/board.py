"""What the parent and all its children share: a slot for each child place, and how often each role was replaced."""

import mmap
from collections.abc import Mapping
from enum import StrEnum

from dnsserver.runtime.processes.slots import SLOT_CAPACITY, Slot

#: The place of the control child; workers have 1, 2, ...
CONTROL_NUMBER = 0


class Kind(StrEnum):
    """What a child is for."""

    CONTROL = "control"
    WORKER = "worker"


class Reason(StrEnum):
    """Why a child was replaced."""

    EXIT = "exit"
    """It ended by itself, with whatever code."""
    SIGNAL = "signal"
    """It was killed from outside, or crashed."""
    HANG = "hang"
    """It gave no heartbeat, and the parent killed it."""
    START = "start"
    """It said why it cannot start, and ended."""


_KEYS = tuple((kind, reason) for kind in Kind for reason in Reason)


class RestartCounters:
    """How often children were replaced, by kind and reason. The parent counts; every process may read."""

    def __init__(self) -> None:
        self._counts = memoryview(mmap.mmap(-1, 8 * len(_KEYS))).cast("Q")

    def __repr__(self) -> str:
        return f"<RestartCounters {' '.join(f'{k}/{r}={n}' for (k, r), n in self.counts().items() if n)}>"

    def add(self, kind: Kind, reason: Reason) -> None:
        self._counts[_KEYS.index((kind, reason))] += 1

    def counts(self) -> Mapping[tuple[Kind, Reason], int]:
        """Every kind and reason, also those with 0."""
        return dict(zip(_KEYS, self._counts, strict=True))


class Board:
    """Shared memory of a family of processes; made before the first of them is forked."""

    def __init__(
        self, workers: int, slot_capacity: int = SLOT_CAPACITY, before: "Board | None" = None
    ) -> None:
        """*slot_capacity* in octets, of each slot. *before*: that of the family whose place this one takes."""
        self.slots = tuple(Slot(slot_capacity) for _ in range(1 + workers))
        """By number of the place: the control child's, then the workers'."""
        self.before = before
        """Its members may still be finishing what they have begun."""
        self.earlier = b""
        """What the owner has kept of the boards before that, whose members have all ended."""
        self.restarts: RestartCounters = before.restarts if before else RestartCounters()
        self._run: memoryview = before._run if before else memoryview(mmap.mmap(-1, 8)).cast("Q")
        self._words = memoryview(mmap.mmap(-1, 8)).cast("Q")

    def __repr__(self) -> str:
        return f"<Board workers={len(self.worker_slots)} {self.restarts!r}>"

    @property
    def control_was_ready(self) -> bool:
        """Whether a control process of this family has done its work: one that starts now takes its place."""
        return bool(self._words[0])

    def note_control_ready(self) -> None:
        """By the parent."""
        self._words[0] = 1

    @property
    def failed_reloads(self) -> int:
        """In this run of the program, of this family and those before it."""
        return self._run[0]

    def note_failed_reload(self) -> None:
        """By the parent."""
        self._run[0] += 1

    @property
    def control_slot(self) -> Slot:
        return self.slots[CONTROL_NUMBER]

    @property
    def worker_slots(self) -> tuple[Slot, ...]:
        return self.slots[CONTROL_NUMBER + 1 :]
