"""Signals of the parent, as something to be read; and of its children, who leave them to the parent."""

import contextlib
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

#: Exit code of a second SIGINT: the first one's orderly stop was too slow for somebody.
IMPATIENT_EXIT = 2
#: What the parent acts on. SIGHUP it ignores: a terminal that closes does not end a server.
HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGCHLD)
#: What goes to the whole foreground group (Ctrl-C, Ctrl-\\, a closed terminal), or by name to every process: the
#: parent decides on it.
_LEFT_TO_THE_PARENT = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1)
#: Octets, one per signal. A pipe holds 65,536.
_READ_MAX = 4096

_Handler = Callable[[int, FrameType | None], Any] | int | signal.Handlers | None


class SignalInbox:
    """While entered, signals come in as numbers to be read: a selector waits for them as for any other file."""

    def __init__(self) -> None:
        self._before: dict[signal.Signals, _Handler] = {}
        self._reader = self._writer = -1

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._wakeup_before = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in HEARD:
            self._before[number] = signal.signal(number, _in_the_pipe)
        self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        signal.set_wakeup_fd(self._wakeup_before)
        self.close()

    def fileno(self) -> int:
        return self._reader

    def take(self) -> bytes:
        """The numbers of the signals that came, in their order."""
        with contextlib.suppress(BlockingIOError):
            return os.read(self._reader, _READ_MAX)
        return b""

    def close(self) -> None:
        """Close the files only; in a child, which has them from its parent."""
        os.close(self._reader)
        os.close(self._writer)


def _in_the_pipe(_number: int, _frame: FrameType | None) -> None:
    """For signals that Python has put into the pipe; without a handler it would not."""


def leave_to_the_parent() -> None:
    """In a child that was just forked, with all signals blocked: undo the parent's handling."""
    signal.set_wakeup_fd(-1)
    for number in HEARD:
        signal.signal(number, signal.SIG_DFL)
    for number in _LEFT_TO_THE_PARENT:
        signal.signal(number, signal.SIG_IGN)
