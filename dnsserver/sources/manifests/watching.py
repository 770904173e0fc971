"""Waiting until something changes on disk [watchfiles]."""

import asyncio
import contextlib
import logging
from pathlib import Path

from dnsserver.sources.manifests.files import Scan

#: Milliseconds without a further change after which changes are reported, and the most that reporting waits.
QUIET_MS, GROUPED_MS = 50, 250
#: Seconds from the start of a watch until what changed meanwhile is looked for.
STARTED_S = 0.05
#: Seconds after which files are compared even if nothing was reported: network file systems report nothing.
COMPARED_S = 10.0
#: Seconds between comparisons when watching is not possible (for example fs.inotify.max_user_watches is reached).
POLLED_S = 0.5


class Watcher:
    """One watch at a time, of the folders that the last scan named, each by itself.

    Folders are watched rather than files, so files that are replaced, created or linked elsewhere are noticed.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._told = ""
        self._changed = asyncio.Event()
        self._scan = Scan()
        self._watched: frozenset[Path] = frozenset()
        self._outdated = True
        """A watched folder went or came: the watch may be of one that is gone."""
        self._task: asyncio.Task[None] | None = None

    async def changed(self, scan: Scan) -> None:
        """Return when files may be other than *scan* found them; perhaps they are not."""
        self._scan = scan
        watched = await asyncio.to_thread(lambda: scan.watched)
        if watched != self._watched or self._outdated:
            await self._restart(watched)
            return
        seconds = POLLED_S if self._task is None or self._task.done() else COMPARED_S
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)
        self._changed.clear()

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _restart(self, folders: frozenset[Path]) -> None:
        await self.stop()
        self._watched, self._outdated = folders, False
        self._task = asyncio.create_task(self._watch(folders), name="manifests: watch")
        await asyncio.sleep(STARTED_S)

    async def _watch(self, folders: frozenset[Path]) -> None:
        from watchfiles import awatch  # on first use: reading once does not need it

        try:
            async for _ in awatch(
                *sorted(folders),
                watch_filter=self._concerns,
                debounce=GROUPED_MS,
                step=QUIET_MS,
                recursive=False,
            ):
                self._changed.set()
        except (OSError, RuntimeError) as error:
            if str(error) != self._told:
                self._told = str(error)
                self._log.warning("manifests: cannot watch (%s); comparing files instead", error)

    def _concerns(self, _change: object, text: str) -> bool:
        path = Path(text)
        if path in self._watched:
            self._outdated = True
        return self._scan.concerns(path)
