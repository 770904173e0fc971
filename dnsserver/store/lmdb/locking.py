"""One writer per folder, and no reader that opens while the files are being exchanged."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from weakref import WeakSet

from dnsserver.store.errors import StoreError
from dnsserver.store.lmdb.errors import StoreInUseError

FILE = "lock"
#: Seconds between two tries of a reader that waits for the files.
LOOK_S = 0.005

_held: "WeakSet[FolderLock]" = WeakSet()


class FolderLock:
    """Held until `close`, or until the process ends, however it does. A forked child does not hold it."""

    def __init__(self, folder: Path) -> None:
        """Raises StoreInUseError when it is held, StoreError when it cannot be made."""
        path = folder / FILE
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"cannot open {path}: {error.strerror}; make the folder writable") from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            whose = f"by process {holder}" if holder else "by another process"
            raise StoreInUseError(f"{folder} is in use {whose}; end that, or choose another folder") from None
        with contextlib.suppress(OSError):  # the number is for people; a full disk is no reason to stop
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, b"%d\n" % os.getpid(), 0)
        _held.add(self)

    @property
    def held(self) -> bool:
        return self._descriptor >= 0

    def close(self) -> None:
        """Also what a forked child does with its copy: the lock stays its parent's."""
        if self.held:
            os.close(self._descriptor)
            self._descriptor = -1


@contextlib.contextmanager
def exchanging(folder: Path) -> Iterator[None]:
    """No reader is opening the store meanwhile. Readers take some milliseconds for that."""
    with _directory(folder) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def opening(folder: Path, patience_s: float) -> Iterator[None]:
    """Nobody exchanges the files meanwhile. Raises OSError: BlockingIOError when somebody does, *patience_s* long."""
    with _directory(folder) as descriptor:
        until = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise
                time.sleep(LOOK_S)
        yield


@contextlib.contextmanager
def _directory(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _let_go() -> None:
    for lock in _held:
        lock.close()


os.register_at_fork(after_in_child=_let_go)
