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

#: Seconds. Work that takes longer hangs.
WORK_S = 30
_READ_OCTETS = 65_536
#: Signals that the parent decides on.
_PARENTS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1)

#: What was done, in words. Raises NodeError.
Work = Callable[[], list[str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done before an error, if there was one."""

    done: tuple[str, ...] = ()
    error: NodeError | None = None


def done_apart(*works: tuple[ErrorType, Work]) -> Outcome:
    """The outcome of all *works*, one after the other until one fails; each with the kind of error that it is when its
    process dies. To be called where there is one thread."""
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
    done = tuple(line["done"] for line in lines if "done" in line)
    if not lines or "end" not in lines[-1]:
        kind = works[min(sum("begun" in line for line in lines), len(works)) - 1][0]
        return Outcome(done, NodeError(kind, f"the process that does this ended with status {status}"))
    error = lines[-1]["end"]
    return Outcome(done, NodeError(ErrorType(error["kind"]), error["text"]) if error else None)


def _work(works: tuple[tuple[ErrorType, Work], ...], writing: int) -> None:
    """The child's life. What is asked to end has until its work is done; what hangs is ended by the alarm."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(WORK_S)
    error: dict[str, str] | None = None
    for kind, work in works:
        _tell(writing, begun=kind)
        try:
            for done in work():
                _tell(writing, done=done)
        except NodeError as found:
            error = {"kind": found.kind, "text": str(found)}
        except Exception as found:
            error = {"kind": kind, "text": f"{type(found).__name__}: {found}"}
        if error:
            break
    _tell(writing, end=error)


def _tell(writing: int, **what: object) -> None:
    os.write(writing, json.dumps(what).encode() + b"\n")
