"""The zones that this process answers from: read from their copies when those have changed."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable

from dnsserver.answering.inbound import TransferError
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.secondary.copies import ZoneFileCopy
from dnsserver.plugins.secondary.following import LOOK_S
from dnsserver.plugins.static_zones import ZoneTable
from dnsserver.sources.zonefile import ReadingStoppedError
from dnsserver.wire import names
from dnsserver.zone.static import StaticZone

_log = plugin_logger("secondary")


class ZoneReader:
    """Keeps *table* equal to *copies*; a zone that has expired is not answered from. *now*: Unix seconds."""

    def __init__(
        self,
        copies: tuple[ZoneFileCopy, ...],
        table: ZoneTable,
        changed: Callable[[bytes], None],
        now: Callable[[], float],
    ) -> None:
        self._copies = copies
        self._table = table
        self._changed = changed
        self._now = now
        self._seen: dict[bytes, int] = {}
        self._read: dict[bytes, StaticZone] = {}
        self._stopped = threading.Event()

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """What an earlier run has left is there when this is entered."""
        self._stopped.clear()
        await self._look()
        looking = asyncio.create_task(self._keep(), name="secondary")
        try:
            yield
        finally:
            self._stopped.set()
            looking.cancel()
            await asyncio.wait((looking,))

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self._look()

    async def _look(self) -> None:
        for copy in self._copies:
            written = copy.written()
            if written and written != self._seen.get(copy.origin):
                self._seen[copy.origin] = written
                await self._load(copy)
            self._expire(copy)

    async def _load(self, copy: ZoneFileCopy) -> None:
        where = names.to_text(copy.origin)
        try:
            zone = await asyncio.to_thread(copy.load, self._stopped.is_set)
        except (OSError, TransferError) as error:
            _log.error("Reading zone %s failed: %s", where, error)
        except ReadingStoppedError:
            return
        else:
            self._read[copy.origin] = zone

    def _expire(self, copy: ZoneFileCopy) -> None:
        """Put the zone where it is answered from, or away when no primary was reached for too long."""
        zone = self._read.get(copy.origin)
        if zone is not None and self._now() - copy.confirmed_s() > max(zone.times[2], 1):
            zone = None
        if zone is self._table[copy.origin]:
            return
        if zone is None:
            _log.error("Zone %s is expired", names.to_text(copy.origin))
        self._table.put(copy.origin, zone)
        self._changed(copy.origin)
