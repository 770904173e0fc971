"""A cluster's state where several processes have it: one writes it, and the others read."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import count
from pathlib import Path

from dnsserver.store.keeping import Keep, Kept
from dnsserver.store.lmdb.reading import StoreReader
from dnsserver.store.lmdb.writing import StoreWriter
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Feed

LOG = logging.getLogger("dnsserver.store")

#: Seconds between two notes of a writer that the content is still fresh: what is not noted looks older than it is.
TOUCH_S = 30.0
#: Seconds between two looks of a reader that nobody asks.
BEAT_S = 0.5

#: The folder of the state with this number, counted from 0.
FolderOf = Callable[[int], Path]


class Written:
    """By the process that follows the cluster."""

    def __init__(self, writer: StoreWriter, *, patient: bool) -> None:
        self._writer = writer
        self.patient = patient

    @property
    def state(self) -> ClusterState:
        return self._writer.state

    def refresh(self) -> None:
        """Nobody else changes it."""

    def publish(self) -> None:
        self._writer.commit()

    @contextlib.asynccontextmanager
    async def attending(self) -> AsyncIterator[None]:
        yield

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[asyncio.Event]:
        touching = asyncio.create_task(
            _every(TOUCH_S, self._writer.touch), name="note that the store is fresh"
        )
        try:
            yield self._writer.failed
        finally:
            touching.cancel()
            await asyncio.wait((touching,))
            self._writer.close()


class Read:
    """By a process that answers."""

    patient = False

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader
        self.refresh = reader.refresh

    @property
    def state(self) -> ClusterState:
        return self._reader.state

    @contextlib.asynccontextmanager
    async def attending(self) -> AsyncIterator[None]:
        beating = asyncio.create_task(_every(BEAT_S, self._reader.beat), name="look at the store")
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.wait((beating,))
            self._reader.close()

    def publish(self) -> None:
        """This process only reads the store."""

    def writing(self) -> AbstractAsyncContextManager[asyncio.Event]:
        raise RuntimeError("this process only reads the store")


def _no_seeds(_: int) -> Sequence[Path]:
    return ()


def written(
    folder_of: FolderOf,
    max_age_s: float,
    *,
    seeds: Callable[[int], Sequence[Path]] = _no_seeds,
    patient: bool = False,
) -> Keep:
    """For the one process that follows the cluster; what an earlier run left is served if it is not older than
    *max_age_s*. To be used before the process has threads or an event loop, *seeds* and *patient* as in StoreWriter and
    Kept."""
    numbers = count()

    def keep(feeds: frozenset[Feed], configuration: bytes, now: Callable[[], float]) -> Kept:
        number = next(numbers)
        writer = StoreWriter(
            folder_of(number),
            feeds,
            fingerprint=configuration,
            max_age_s=max_age_s,
            seeds=seeds(number),
            now=now,
        )
        return Written(writer, patient=patient)

    return keep


def read(folder_of: FolderOf) -> Keep:
    """For a process that answers."""
    numbers = count()

    def keep(feeds: frozenset[Feed], _configuration: bytes, _now: Callable[[], float]) -> Kept:
        return Read(StoreReader(folder_of(next(numbers)), feeds))

    return keep


async def _every(seconds: float, act: Callable[[], None]) -> None:
    """An exception is a bug, and no reason to stop looking at the store for good."""
    while True:
        await asyncio.sleep(seconds)
        try:
            act()
        except Exception:
            LOG.exception("looking after the store failed; it will be tried again")
