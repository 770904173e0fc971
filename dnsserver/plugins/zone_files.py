"""Zones that are read from master files, again when the files have changed."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from dnsserver.plugins.static_zones import ZoneTable
from dnsserver.sources.zonefile import LoadedZone, ReadingStoppedError, ZoneFileError, load_zone
from dnsserver.wire import names


@dataclass(slots=True)
class ZoneFile:
    """One zone's file. `reload_s`: seconds between two looks at it, 0: never again. `by_mtime`: the time of its last
    change says whether to read it again, in place of the serial. `changed_ns`: that time, of what was read last."""

    origin: bytes
    path: Path
    reload_s: float
    by_mtime: bool = False
    changed_ns: int = -1


def open_error(path: Path, error: OSError) -> str:
    """As Go words it: `open /zones/db: no such file or directory`."""
    reason = error.strerror or str(error)
    return f"open {path}: {reason[:1].lower()}{reason[1:]}"


class ZoneFiles:
    """Reads zones into *table*, in threads; *changed* is called for each that has a new content."""

    def __init__(self, plugin: str, table: ZoneTable, changed: Callable[[bytes], None]) -> None:
        self._table = table
        self._changed = changed
        self._log = logging.getLogger(f"dnsserver.plugin.{plugin}")
        self._stopped = threading.Event()

    def read(self, file: ZoneFile) -> bool:
        """Read the file at once, and say whether the zone is new. Raises ZoneFileError, OSError."""
        return self._take(file, load_zone(file.path, file.origin))

    async def keep(self, file: ZoneFile) -> None:
        """Look at the file every `reload_s`, until cancelled."""
        while file.reload_s > 0:
            await asyncio.sleep(file.reload_s)
            await self.look(file)

    async def look(self, file: ZoneFile) -> bool:
        """Read the file again if it has changed, and say whether it has. What is wrong is logged, and the zone stays
        as it is."""
        origin, path = names.to_text(file.origin), file.path
        try:
            changed = self._take(file, await asyncio.to_thread(self._load, file))
        except OSError as error:
            self._log.error('Failed to open zone "%s" in "%s": %s', origin, path, open_error(path, error))
        except ZoneFileError as error:
            self._log.error('Parsing zone "%s": %s', origin, error)
        else:
            zone = self._table[file.origin]
            if changed and zone is not None:
                self._log.info(
                    'Successfully reloaded zone "%s" in "%s" with %d SOA serial', origin, path, zone.serial
                )
                self._changed(file.origin)
            return changed
        return False

    async def load(self, file: ZoneFile) -> bool:
        """Read a file that was not there before, and say whether it is a zone; what is wrong is logged."""
        try:
            return self._take(file, await asyncio.to_thread(self._load, file))
        except OSError as error:
            self._log.warning("Opening %s failed: %s", file.path, open_error(file.path, error))
        except ZoneFileError as error:
            self._log.warning("Parse zone `%s': %s", names.to_text(file.origin), error)
        return False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While files may be read in threads; at the end those stop soon."""
        self._stopped.clear()
        try:
            yield
        finally:
            self._stopped.set()

    def _load(self, file: ZoneFile) -> LoadedZone | None:
        zone = self._table[file.origin]
        try:
            if file.by_mtime and zone is not None and file.path.stat().st_mtime_ns <= file.changed_ns:
                return None
            unless = None if file.by_mtime or zone is None else zone.serial
            return load_zone(file.path, file.origin, unless_serial=unless, stopped=self._stopped.is_set)
        except ReadingStoppedError:
            return None

    def _take(self, file: ZoneFile, loaded: LoadedZone | None) -> bool:
        if loaded is None:
            return False
        if loaded.foreign:
            self._log.warning(
                'Zone "%s" in "%s": %d records of other zones are left out',
                names.to_text(file.origin),
                file.path,
                loaded.foreign,
            )
        file.changed_ns = loaded.changed_ns
        self._table.put(file.origin, loaded.zone)
        return True
