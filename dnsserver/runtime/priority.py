"""Whose work can wait: clients notice milliseconds, the cluster's changes do not."""

import contextlib
import ctypes
import gc
import os
import platform
import struct

#: What the control process adds to its nice value (nice(2)). On a core of its own it loses nothing by that; on one
#: that it shares with a worker, the worker is let in at once when a query comes.
CONTROL_NICENESS = 10
#: Nanoseconds. How long the control process may run on before somebody else is let in (Linux 6.12; the least that can
#: be asked for): on the core of a worker, what is left of its turn is what a query waits.
CONTROL_SLICE_NS = 100_000
#: The number of sched_setattr(2), for which neither Python nor the C library has a name.
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
#: struct sched_attr: its size, policy, flags, nice value, priority, runtime, deadline, period.
_SCHED_ATTR = struct.Struct("=IIQiIQQQ")

#: Octets. Pieces from this size on go back to the kernel when they are free, and free memory at the end of the heap
#: too: 5 MiB less for 10,000 Services and 100,000 endpoints.
RETURNED_OCTETS = 64 << 10
#: Names of malloc.h (mallopt(3)).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3

#: Objects more than before until the garbage collector looks at the youngest, and how many of its generations until it
#: looks at the next: of what answers leave behind hardly anything is a cycle, and a look at all that is held takes tens
#: of milliseconds, in which nobody is answered (Python's own: 700, 10, 10).
COLLECT_AFTER = (10_000, 50, 50)


def give_way() -> None:
    """Make this process let others go first, for good."""
    with contextlib.suppress(OSError):  # a filter forbids it: then it does not
        niceness = os.nice(CONTROL_NICENESS)
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        _take_short_turns(niceness)


def _take_short_turns(niceness: int) -> None:
    """Where the kernel knows of it; elsewhere a worker that wakes goes first anyway."""
    number = _SCHED_SETATTR.get(platform.machine())
    if number is not None:
        wanted = _SCHED_ATTR.pack(_SCHED_ATTR.size, os.SCHED_BATCH, 0, niceness, 0, CONTROL_SLICE_NS, 0, 0)
        ctypes.CDLL(None).syscall(number, 0, wanted, 0)


def return_memory() -> None:
    """Have the C library give back what is free: lists of a large cluster come and go in pieces of megabytes."""
    with contextlib.suppress(AttributeError):  # a C library without it, such as musl
        for option in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
            ctypes.CDLL(None).mallopt(option, RETURNED_OCTETS)


def collect_seldom() -> None:
    """Make the garbage collector of this process, which is a server's alone, a rare guest."""
    gc.set_threshold(*COLLECT_AFTER)
