"""Whose work can wait: clients notice milliseconds, the cluster's changes do not."""

import contextlib
import gc
import os

#: What the control process adds to its nice value (nice(2)). On a core of its own it loses nothing by that; on one
#: that it shares with a worker, the worker is let in at once when a query comes.
CONTROL_NICENESS = 10
#: Objects more than before until the garbage collector looks at the youngest, and how many of its generations until it
#: looks at the next: of what answers leave behind hardly anything is a cycle, and a look at all that is held takes tens
#: of milliseconds, in which nobody is answered (Python's own: 700, 10, 10).
COLLECT_AFTER = (10_000, 50, 50)


def give_way() -> None:
    """Make this process let others go first, for good."""
    with contextlib.suppress(OSError):  # a filter forbids it: then it does not
        os.nice(CONTROL_NICENESS)
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def collect_seldom() -> None:
    """Make the garbage collector of this process, which is a server's alone, a rare guest."""
    gc.set_threshold(*COLLECT_AFTER)
