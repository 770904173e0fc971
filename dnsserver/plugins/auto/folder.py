"""A folder of master files that come and go."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.auto.settings import AutoSettings
from dnsserver.plugins.static_zones import ZoneTable
from dnsserver.plugins.zone_files import ZoneFile, ZoneFiles
from dnsserver.wire import names

_log = plugin_logger("auto")

#: Files and folders looked at: a mistyped folder shall not keep a thread busy for ever.
ENTRIES_MAX = 100_000


class ZoneFolder:
    """Keeps *table* equal to the files of a folder; *changed* is called with each zone that comes, changes or goes."""

    def __init__(self, settings: AutoSettings, table: ZoneTable, changed: Callable[[bytes], None]) -> None:
        self._settings = settings
        self._table = table
        self._changed = changed
        self._files: dict[bytes, ZoneFile] = {}
        self._reader = ZoneFiles("auto", table, changed)

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """The first look is over when this is entered."""
        async with self._reader.running():
            await self.look()
            looking = asyncio.create_task(self._keep(), name="auto")
            try:
                yield
            finally:
                looking.cancel()
                await asyncio.wait((looking,))

    def place(self, origin: bytes) -> str:
        """The file of a zone that is there."""
        return str(self._files[origin].path)

    async def _keep(self) -> None:
        while self._settings.reload_s > 0:
            await asyncio.sleep(self._settings.reload_s)
            await self.look()

    async def look(self) -> None:
        """Read what is new or has changed, and forget what is gone."""
        found = await asyncio.to_thread(self._found)
        for origin in self._files.keys() - found.keys():
            del self._files[origin]
            self._table.remove(origin)
            _log.info("Deleting zone `%s'", names.to_text(origin))
            self._changed(origin)
        for origin, path in found.items():
            known = self._files.get(origin)
            if known is not None:
                known.path = path
                await self._reader.look(known)
            else:
                await self._insert(ZoneFile(origin, path, self._settings.reload_s))

    async def _insert(self, file: ZoneFile) -> None:
        if await self._reader.load(file):
            self._files[file.origin] = file
            _log.info("Inserting zone `%s' from: %s", names.to_text(file.origin), file.path)
            self._changed(file.origin)

    def _found(self) -> dict[bytes, Path]:
        """The file of each zone. Folders are read in lexical order, and the first file of a zone counts."""
        found: dict[bytes, Path] = {}
        top = self._settings.directory
        if top is None or not top.exists():
            _log.warning("Directory does not exist: %s", top or "")
            return found
        number = 0
        for folder, folders, files in os.walk(os.path.realpath(top), onerror=_unreadable):
            folders.sort()
            for file in sorted(files):
                number += 1
                origin = self._settings.origin_of(file)
                if origin is not None:
                    self._note(found, origin, Path(folder, file))
            if number > ENTRIES_MAX:
                _log.warning("%s has more than %d files; the rest is not looked at", top, ENTRIES_MAX)
                break
        return found

    def _note(self, found: dict[bytes, Path], origin: bytes, path: Path) -> None:
        other = found.setdefault(origin, path)
        # In a volume of a ConfigMap every file is there twice: as itself, and as a symbolic link to it.
        if other != path and os.path.realpath(other) != os.path.realpath(path):
            text = 'Multiple zone files match origin "%s": using "%s" instead of "%s"'
            _log.warning(text, names.to_text(origin), other, path)


def _unreadable(error: OSError) -> None:
    _log.warning("error reading %s: %s", error.filename, error.strerror)
