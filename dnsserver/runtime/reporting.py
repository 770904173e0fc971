"""What workers count, told by the process that serves the metrics."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator

from dnsserver.observability.families import AnyFamily, Family, Kind, merge
from dnsserver.observability.reports import decode_families, encode_families, lasting
from dnsserver.runtime.processes import Board, Slot

#: Seconds between two reports of a worker, so metrics are older than the present by no more.
REPORT_S = 0.5
#: Seconds. A worker whose last heartbeat is older answers nobody, or will soon be replaced.
SILENT_S = 3.0

LOG = logging.getLogger("dnsserver.processes")


class Reports:
    """A worker's: its numbers and, of what only grows, those of the workers that had its place before."""

    def __init__(self, slot: Slot, families: Callable[[], Iterable[AnyFamily]]) -> None:
        self._slot = slot
        self._families = families
        self._earlier = lasting(left_in(slot))

    def write(self) -> None:
        """Does not raise: a worker that answers is worth more than its numbers."""
        try:
            self._slot.write(encode_families(merge([*self._earlier, *self._families()])))
        except Exception:
            LOG.exception("the metrics of this worker cannot be told")

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.write()
            await asyncio.sleep(REPORT_S)


def control_families(board: Board) -> Callable[[], Iterable[AnyFamily]]:
    """What the control process has to tell besides its own: what those have counted that had its place before, what all
    workers have, and what became of the processes."""
    predecessors = lasting(left_in(board.control_slot))
    return lambda: (*predecessors, *_of_workers(board), *_counted_before(board))


def fold(board: Board) -> None:
    """Keep what those have counted that were there before the members of *board*, and let go of their memory. By the
    parent, when they have ended."""
    earlier = _counted_before(board)
    board.earlier = encode_families(merge(earlier))
    board.before = None


def _counted_before(board: Board) -> list[AnyFamily]:
    found = decode_families(board.earlier) if board.earlier else []
    if board.before is not None:
        for slot in board.before.slots:
            found += lasting(left_in(slot))
        found += _counted_before(board.before)
    return found


def _of_workers(board: Board) -> Iterator[AnyFamily]:
    for slot in board.worker_slots:
        yield from left_in(slot)
    yield Family(
        "dnsserver_workers",
        Kind.GAUGE,
        "Worker processes that the server is to have.",
        (),
        (((), float(len(board.worker_slots))),),
    )
    yield Family(
        "dnsserver_process_restarts_total",
        Kind.COUNTER,
        "Processes that were replaced, by what they were for and why they ended.",
        ("role", "reason"),
        tuple(
            ((str(kind), str(reason)), float(number))
            for (kind, reason), number in board.restarts.counts().items()
        ),
    )


def unmanned(board: Board, now: float) -> str:
    """Why nobody answers; *now* is `time.monotonic`. Those that were there before may still do."""
    boards = (board,) if board.before is None else (board, board.before)
    beats = [slot.last_beat for each in boards for slot in each.worker_slots]
    return "" if any(now - beat < SILENT_S for beat in beats) else "no worker process is running"


def left_in(slot: Slot) -> list[AnyFamily]:
    """What was last reported there."""
    octets = slot.read()
    return [] if octets is None else decode_families(octets)
