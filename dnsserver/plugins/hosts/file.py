"""The hosts file on disk: looked at now and then, read in a thread, and only believed when it stands still."""

import asyncio
import os
import stat
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from dnsserver.plugins.hosts.table import HostTable, parse_hosts

#: Octets. Some five million lines. The names of a larger file would take gigabytes of memory, in every process.
FILE_MAX = 256 << 20
#: Octets. A longer line is no list of names; CoreDNS stops reading the file there.
LINE_MAX = 65_536
#: Seconds that a file which has changed must stay the same before it is read, and looks at it until then.
SETTLE_S, SETTLE_LOOKS = 0.1, 20
#: Numbers of lines that a warning names.
NAMED_LINES = 3


class HostsFileError(Exception):
    """The file cannot be used as it is; the text says why."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What tells that a file has changed."""

    mtime_ns: int
    size: int
    inode: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """The file as it was when it was *seen*."""

    seen: Seen
    table: HostTable
    unread: "Unread"


@dataclass(slots=True)
class Unread:
    """How many lines could not be used, and the numbers of the first of them."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, number: int) -> None:
        self.count += 1
        if len(self.first) < NAMED_LINES:
            self.first.append(number)

    def __str__(self) -> str:
        more = self.count - len(self.first)
        return ", ".join(map(str, self.first)) + (f" and {more} more" if more else "")


def look(path: str) -> Seen:
    """Raises HostsFileError for what is no file that can be read whole."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a path may be "", which pathlib takes for the working directory
    except (OSError, ValueError) as error:
        raise HostsFileError(_reason(error)) from None
    if not stat.S_ISREG(found.st_mode):
        raise HostsFileError("it is no regular file")
    if found.st_size > FILE_MAX:
        raise HostsFileError(f"it has {found.st_size} octets, and {FILE_MAX} is the most that is read")
    return Seen(found.st_mtime_ns, found.st_size, found.st_ino)


def load(path: str, zones: Container[bytes], *, reverse: bool) -> Loaded:
    """Read *path* to its end. Takes seconds for millions of lines: for a thread. Raises HostsFileError."""
    before, unread = look(path), Unread()
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            table = parse_hosts(_lines(file), zones, reverse=reverse, unread=unread.add)
    except OSError as error:
        raise HostsFileError(_reason(error)) from None
    if look(path) != before:
        raise HostsFileError("it changes while it is read")
    return Loaded(before, table, unread)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines; of one that is too long no more than one octet, which stands for nothing."""
    while line := file.readline(LINE_MAX):
        if len(line) < LINE_MAX or line.endswith(b"\n"):
            yield line
            continue
        while (rest := file.readline(LINE_MAX)) and not rest.endswith(b"\n"):
            pass
        yield b"?"


async def settled(path: str) -> Seen:
    """What the file is like, once it has stopped changing: who writes it may be half way. Raises HostsFileError."""
    last = look(path)
    for _ in range(SETTLE_LOOKS):
        await asyncio.sleep(SETTLE_S)
        now = look(path)
        if now == last:
            return now
        last = now
    raise HostsFileError("it changes all the time")


def _reason(error: OSError | ValueError) -> str:
    return str((isinstance(error, OSError) and error.strerror) or error)
