"""Where a transferred zone lies: a file with the messages of the transfer, which all processes of the server read.

Beside it lie two empty files whose times count: `.confirmed`, when a primary was last seen to have this zone, and
`.notify`, when a primary last sent NOTIFY.
"""

import asyncio
import hashlib
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from dnsserver.answering.inbound import InboundTransfer, TransferError
from dnsserver.plugins.addresses import Address
from dnsserver.sources.zonefile import ReadingStoppedError
from dnsserver.wire import names
from dnsserver.wire.frames import TcpFrames, frame
from dnsserver.wire.records import Record
from dnsserver.zone.static import StaticZone, ZoneBuilder, ZoneDataError

#: Octets read at a time.
_CHUNK = 1 << 16
#: For names of files.
_NUMBERS = itertools.count()


class ZoneFileCopy:
    """The files of one zone in *folder*; of other primaries it is another zone."""

    def __init__(self, folder: Path, origin: bytes, primaries: tuple[Address, ...]) -> None:
        self.origin = origin
        self.primaries = primaries
        key = hashlib.sha256(repr((origin, sorted(map(str, primaries)))).encode()).hexdigest()[:32]
        self._path, self._mark, self._confirmed = (
            folder / f"{key}.{kind}" for kind in ("zone", "notify", "confirmed")
        )

    def __repr__(self) -> str:
        return f"<ZoneFileCopy {names.to_text(self.origin)} {self._path}>"

    # By the process that transfers.

    async def receive(self, messages: AsyncIterator[bytes]) -> Record:
        """Write what comes, and put it in the place of what was there once it is whole; its SOA record. Raises
        TransferError, OSError."""
        transfer = InboundTransfer(self.origin)
        # Two generations of the server may transfer it at the same time, be it in one process.
        fresh = self._path.with_suffix(f".{os.getpid()}-{next(_NUMBERS)}")
        try:
            with fresh.open("wb") as file:
                while not transfer.done:
                    message = await anext(messages)
                    for _ in transfer.feed(message):
                        pass
                    file.write(frame(message))
                    await asyncio.sleep(0)
                file.flush()
                os.fsync(file.fileno())
            self.confirm()
            fresh.replace(self._path)
        finally:
            fresh.unlink(missing_ok=True)
        if transfer.soa is None:
            raise TransferError("no SOA record")
        return transfer.soa

    def confirm(self) -> None:
        """A primary still has this zone."""
        _touch(self._confirmed)

    def soa(self) -> Record | None:
        """The SOA record of what is there; None when nothing of use is."""
        try:
            return next(self._records(), None)
        except (OSError, TransferError):
            return None

    def marked(self) -> int:
        """Changes with every NOTIFY."""
        return _changed(self._mark)

    # By those that answer.

    def mark(self) -> None:
        """A primary has sent NOTIFY."""
        _touch(self._mark)

    def written(self) -> int:
        """Changes with every transfer; 0 without a file."""
        return _changed(self._path)

    def confirmed_s(self) -> float:
        """When a primary was last seen to have this zone, in Unix seconds; 0 without a file."""
        return _changed(self._confirmed) / 1e9

    def load(self, stopped: Callable[[], bool]) -> StaticZone:
        """Read the zone, for which a thread is the place. Raises TransferError, OSError, ReadingStoppedError."""
        builder = ZoneBuilder(self.origin)
        try:
            for number, record in enumerate(self._records()):
                builder.add(record)
                if number % 256 == 0:
                    time.sleep(0)
                    if stopped():
                        raise ReadingStoppedError
            return builder.build()
        except ZoneDataError as error:
            raise TransferError(str(error)) from None

    def _records(self) -> Iterator[Record]:
        transfer, frames = InboundTransfer(self.origin), TcpFrames()
        with self._path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                for message in frames.feed(chunk):
                    yield from transfer.feed(message)
        if not transfer.done:
            raise TransferError("the file is cut")


def _touch(path: Path) -> None:
    path.touch()
    os.utime(path)


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
