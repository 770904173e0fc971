"""Where the stores lie: the first place that can be written, and that no other process has."""

import contextlib
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from dnsserver.store.errors import StoreError
from dnsserver.store.lmdb.errors import StoreInUseError
from dnsserver.store.lmdb.locking import FolderLock
from dnsserver.store.lmdb.room import lacks_room, make_room

#: Where a server looks that has not been told: on disk, and in memory where the root file system is read-only.
ON_DISK, IN_MEMORY = Path("/var/lib/dnsserver"), Path("/dev/shm/dnsserver")

#: Octets that must fit into a folder: a small store, and some changes.
ROOM = 256 * 1024
#: Whoever may write to the folder could exchange the files under us.
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

LOG = logging.getLogger("dnsserver.store")


class Side(Enum):
    """Of two stores of a cluster one is in use; while the server goes over to another configuration, the other one is
    filled. The value is the ending of the folder's name."""

    FIRST = ""
    SECOND = "-second"

    @property
    def other(self) -> "Side":
        return Side.SECOND if self is Side.FIRST else Side.FIRST


@dataclass(frozen=True, slots=True)
class StoreDirectory:
    """Held by this process until `close`. `private`: of this process and its children, and removed then."""

    path: Path
    private: bool
    lock: FolderLock

    def folder(self, number: int, side: Side = Side.FIRST) -> Path:
        """The store of the Corefile's `kubernetes` block *number*, counted from 0."""
        return self.path / f"cluster-{number}{side.value}"

    def seeds(self, number: int, side: Side) -> list[Path]:
        """The stores that are on *side*; that of block *number* first, as in most cases it is the right one."""
        found = sorted(folder for folder in self.path.glob("cluster-*") if _side_of(folder) is side)
        return sorted(found, key=lambda folder: folder != self.folder(number, side))

    def clear(self, side: Side) -> None:
        """Remove the stores that are on *side*, which nobody uses."""
        for folder in self.seeds(0, side):
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        if self.private and self.lock.held:  # which a forked child does not
            shutil.rmtree(self.path, ignore_errors=True)
        self.lock.close()


def _side_of(folder: Path) -> Side:
    return Side.SECOND if folder.name.endswith(Side.SECOND.value) else Side.FIRST


def choose_directory(
    wanted: Path | None, defaults: tuple[Path, ...] = (ON_DISK, IN_MEMORY)
) -> StoreDirectory:
    """*wanted*, or the first of *defaults* that can be written; where another process has that, a private one.

    Raises StoreError when *wanted* cannot be written, StoreInUseError when another process has it.
    """
    if wanted is not None:
        return _held(wanted)
    for place in defaults:
        try:
            return _held(place)
        except StoreInUseError as error:
            LOG.info("%s; this process takes a directory of its own", error)
            break
        except StoreError as error:
            LOG.debug("%s", error)
    return _private(defaults[-1])


def _held(path: Path) -> StoreDirectory:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder {path}: {error.strerror}; choose another") from None
    _check_safe(path)
    _probe(path, 0)  # before the lock, whose file needs as much; it can say better what is wrong
    with contextlib.ExitStack() as undo:
        lock = FolderLock(path)
        undo.callback(lock.close)
        _check_room(path)
        undo.pop_all()
    return StoreDirectory(path, private=False, lock=lock)


def _check_safe(path: Path) -> None:
    """Raises StoreError when others could put their files in the place of ours."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise StoreError(f"{path} is a symbolic link; name the folder that it leads to")
    if found.st_uid not in (os.geteuid(), 0):
        raise StoreError(f"the folder {path} belongs to another user; choose another")
    if found.st_mode & _OTHERS_WRITE:
        mend = f"`chmod go-w {path}`, or choose another, such as {path / 'state'}"
        raise StoreError(f"others may write to the folder {path}; {mend}")


def _check_room(path: Path) -> None:
    """Raises StoreError when there is no room, also without what was set aside. The caller has the folder's lock."""
    while True:
        try:
            _probe(path, ROOM)
        except StoreError as error:
            made = [make_room(folder) for folder in path.glob("cluster-*")] if lacks_room(str(error)) else []
            if not any(made):
                raise
        else:
            return


def _probe(path: Path, size: int) -> None:
    """Raises StoreError when no file of *size* octets can be written there."""
    try:
        with tempfile.TemporaryFile(dir=path, buffering=0) as file:
            left = size
            while left:
                left -= file.write(bytes(left))
    except OSError as error:
        mend = f"free {ROOM >> 10} KiB there, or choose another" if lacks_room(error) else "make it writable"
        raise StoreError(f"cannot write to the folder {path}: {error.strerror}; {mend}") from None


def _private(beside: Path) -> StoreDirectory:
    """`NAME-PID` beside the last default, else among the temporary files; what dead processes left is removed."""
    for parent in _shared_places(beside.parent):
        _remove_leftovers(parent, beside.name)
        path = parent / f"{beside.name}-{os.getpid()}"
        with contextlib.suppress(OSError):
            path.mkdir(mode=0o700)
            try:
                _probe(path, ROOM)
                return StoreDirectory(path, private=True, lock=FolderLock(path))
            except StoreError as error:
                LOG.debug("%s", error)
                shutil.rmtree(path, ignore_errors=True)
    raise StoreError(
        f"no folder for the store can be made in {beside.parent}; free {ROOM >> 10} KiB there, or choose one"
    )


def _shared_places(first: Path) -> Iterator[Path]:
    yield first
    try:
        temporary = Path(tempfile.gettempdir())
    except FileNotFoundError:  # as in a container whose root file system is read-only
        return
    yield temporary


def _remove_leftovers(parent: Path, name: str) -> None:
    for path in parent.glob(f"{name}-*"):
        number = path.name.removeprefix(f"{name}-")
        if not number.isascii() or not number.isdigit() or _alive(int(number)):
            continue
        with contextlib.suppress(StoreError, OSError):
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                continue  # anybody may make such a name there
            # The number may be one of another container that shares the memory: the lock tells.
            lock = FolderLock(path)
            shutil.rmtree(path)
            lock.close()


def _alive(process: int) -> bool:
    if process == os.getpid():
        return False  # of an earlier process with this number: in containers it is often the same
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
