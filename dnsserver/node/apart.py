"""Work in a process of its own that ends with it.

The library that speaks to the kernel takes 21 MiB and 0.2 s to import, for milliseconds of work once a minute. On each
node of a cluster that memory is better given back.
"""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

from dnsserver.node.errors import ErrorType, NodeError

#: Seconds. Work that takes longer hangs. Of the 30 that a pod has for its end, what two waits for it leave is enough.
WORK_S = 10
_READ_OCTETS = 65_536
#: Signals that the parent decides on.
_PARENTS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1)

#: What was done, in words. Raises NodeError.
Work = Callable[[], list[str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done, and what could not be."""

    done: tuple[str, ...] = ()
    errors: tuple[NodeError, ...] = ()


def done_apart(*works: tuple[ErrorType, Work]) -> Outcome:
    """The outcome of all *works*, one after the other; each with the kind of error that it is when its process dies. To
    be called where there is one thread."""
    reading, writing = os.pipe()
    # A signal between the fork and the child's own handlers would go to the parent's.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _PARENTS)
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            _work(works, writing)
        finally:
            os._exit(0)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    os.close(writing)
    told = b""
    while octets := os.read(reading, _READ_OCTETS):
        told += octets
    os.close(reading)
    _, status = os.waitpid(child, 0)
    lines = [json.loads(line) for line in told.splitlines()]
    errors = [NodeError(ErrorType(line["error"]), line["text"]) for line in lines if "error" in line]
    ended = sum("ended" in line for line in lines)
    if ended < len(works):
        errors.append(NodeError(works[ended][0], f"the process that does this ended with status {status}"))
    return Outcome(tuple(line["done"] for line in lines if "done" in line), tuple(errors))


def _work(works: tuple[tuple[ErrorType, Work], ...], writing: int) -> None:
    """The child's life. What is asked to end has until its work is done; what hangs is ended by the alarm."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(WORK_S)
    for kind, work in works:
        try:
            for done in work():
                _tell(writing, done=done)
        except NodeError as error:
            _tell(writing, error=error.kind, text=str(error))
        except Exception as error:
            _tell(writing, error=kind, text=f"{type(error).__name__}: {error}")
        _tell(writing, ended=True)


def _tell(writing: int, **what: object) -> None:
    os.write(writing, json.dumps(what).encode() + b"\n")
