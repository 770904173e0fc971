"""Fork a child, and what it does before its role begins and after that ends."""

import contextlib
import ctypes
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable
from typing import NoReturn, Protocol

from dnsserver.runtime.processes.board import Board
from dnsserver.runtime.processes.link import PARENT_GONE_EXIT, ChildLink, ParentLink, link_pair
from dnsserver.runtime.processes.signals import leave_to_the_parent

LOG = logging.getLogger("dnsserver.processes")

Role = Callable[[ChildLink, int], int]
"""What a child does: it gets its link and the number of its place, builds its own event loop, and returns the exit
code."""

#: Exit code of a child whose role raised an exception.
_RAISED_EXIT = 1
#: prctl(2): the signal that the kernel sends when the parent has died.
_PR_SET_PDEATHSIG = 1

_LIBC = ctypes.CDLL(None, use_errno=True)


class Closable(Protocol):
    def close(self) -> object: ...


def fork(
    role: Role, name: str, board: Board, number: int, parents: Iterable[Closable]
) -> tuple[int, ParentLink]:
    """Run *role* in a new process; its id, and the link to it. *parents* are closed in the child.

    Raises OSError.
    """
    gc.collect()  # what is garbage here, no child has to look at
    flush()
    parent = os.getpid()
    ours, theirs = link_pair()
    # A signal between the fork and the child's own handlers would go into the parent's pipe.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if not pid:
            link = ChildLink(theirs, board, number)
            _live(lambda: role(link, number), name, parent, mask, (*parents, ours))
    except OSError:
        ours.close()
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        theirs.close()
    return pid, ParentLink(ours)


def settle_memory() -> None:
    """Parent and child share every page until one writes to it, and a collector writes to each object it looks at. What
    is frozen, no collector looks at again: it is for what stays as long as the process."""
    gc.collect()
    gc.freeze()


def flush() -> None:
    """What waits in a buffer at a fork would be written twice, and at `os._exit` not at all."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(
            OSError, ValueError, AttributeError
        ):  # closed, full, or none: nothing to save
            stream.flush()


def _live(
    run: Callable[[], int], name: str, parent: int, mask: Iterable[int], parents: Iterable[Closable]
) -> NoReturn:
    """The child's whole life. It never returns into the parent's code, whose `finally` are not its own."""
    gc.freeze()  # see settle_memory; it writes to hardly any of them
    code = _RAISED_EXIT
    try:
        for closable in parents:
            closable.close()
        leave_to_the_parent()
        die_with(parent)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        code = run()
        flush()
    except BaseException:
        LOG.exception("%s failed", name)
    finally:
        os._exit(code)


def die_with(parent: int) -> None:
    """Be killed by the kernel when *parent* ends, even while too busy to hear it on the link."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # where a filter forbids it, the link must do
    if os.getppid() != parent:
        os._exit(PARENT_GONE_EXIT)
