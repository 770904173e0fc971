"""Manifests as a source of cluster state: read once, then followed on disk."""

import asyncio
import gc
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dnsserver.sources.applying import apply
from dnsserver.sources.manifests.addressing import ShortageError
from dnsserver.sources.manifests.building import Target, build
from dnsserver.sources.manifests.collecting import Collection
from dnsserver.sources.manifests.comparing import FEED_ORDER, changes
from dnsserver.sources.manifests.files import Scan, scan
from dnsserver.sources.manifests.reading import BrokenError
from dnsserver.sources.manifests.settings import (
    ALL_PATHS,
    DOCUMENTS_PATH,
    Documents,
    ManifestError,
    ManifestSettings,
)
from dnsserver.sources.manifests.watching import Watcher
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Identity

if TYPE_CHECKING:
    from dnsserver.explaining.evidence import Evidence, Wanted

Result = TypeVar("Result")


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Manifests are read to trees without cycles: looking for some in 10^6 new objects costs as much as reading."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class ManifestSource:
    """Keeps *state* equal to the manifests of *settings*, with what a cluster's controllers would add to them.

    `load` reads all of them once; `run` does so if need be, then follows changes until it is cancelled. What cannot
    be used is in `broken` with a text that names file, line, object and reason, and keeps its last good state; so does
    what one of the given paths held when that is not there any more.
    Until every file has had a good state once, the state is not synced: found names are answered, others are not
    denied.
    """

    def __init__(
        self,
        settings: ManifestSettings,
        state: ClusterState,
        *,
        now: Callable[[], float] = time.time,
        log: logging.Logger | None = None,
    ) -> None:
        self.settings = settings
        self.broken: dict[Path, str] = {}
        self.errors_total = 0
        """Times that a file was found broken, or broken in another way than before, or a given path missing."""
        self.reloads_total = 0
        """Times that a change was taken over after the first load."""
        self._state = state
        self._now = now
        self._log = log or logging.getLogger(__name__)
        self._collection = Collection(self._log)
        self._paths: tuple[Path, ...] | None = None
        self._scan = Scan()
        self._target: Target = {}
        self._documents = settings.documents
        self._refused_documents = ""
        self._loaded = self._tried = False
        self._pending = True
        """Something was read that is not in the state yet."""
        self._lock = asyncio.Lock()
        self._thread_lock = threading.Lock()

    def __repr__(self) -> str:
        files = len(self._scan.files)
        return f"<ManifestSource files={files} broken={len(self.broken)} loaded={self._loaded}>"

    @property
    def ignored(self) -> Counter[str]:
        """How many objects were passed over because answers do not depend on their kind, by kind."""
        return self._collection.ignored

    def places(self) -> dict[Identity, str]:
        """Where each stated object stands, as `FILE:LINE`."""
        return {
            identity: f"{content.path}:{line}"
            for content in self._collection.contents
            for identity, line in content.lines.items()
        }

    async def load(self) -> None:
        """Read everything. ManifestError when a path is missing or anything is broken.

        What is good is then in the state all the same, which stays unsynced; `run` goes on from there.
        """
        async with self._lock:
            self._tried = True
            if self.settings.documents is not None:
                try:
                    await self._in_thread(self._collection.set_documents, self.settings.documents)
                except BrokenError as error:
                    self._refused_documents = str(error)
            await self._refresh()
            if self.broken:
                raise ManifestError([self._told(path) for path in self.broken])

    async def run(self) -> None:
        """Load, unless `load` was called; then follow changes on disk until cancelled."""
        if not self._tried:
            await self.load()
        if not self.settings.paths:
            await asyncio.Event().wait()  # what is in memory changes by `set_documents` alone
        watcher = Watcher(self._log)
        try:
            while True:
                await watcher.changed(self._scan)
                async with self._lock:
                    await self._refresh()
        finally:
            await watcher.stop()

    async def set_documents(self, documents: Documents) -> None:
        """Serve *documents* instead of those in memory so far; ManifestError, and no change, when they are broken."""
        async with self._lock:
            try:
                await self._in_thread(self._collection.set_documents, documents)
            except BrokenError as error:
                raise ManifestError([str(error)]) from error
            self._tried = self._pending = True
            self._documents, self._refused_documents = documents, ""
            await self._refresh()

    async def evidence(self, wanted: "Wanted") -> "Evidence":  # noqa: ARG002 - manifests are read as a whole
        """Everything that the manifests hold now, with file and line."""
        # Imported here: a server does without it until something is to be explained.
        from dnsserver.explaining.evidence import Evidence
        from dnsserver.sources.manifests.evidence import KINDS_READ, manifest_evidence

        settings = replace(self.settings, documents=self._documents)
        try:
            return await self._in_thread(manifest_evidence, settings)
        except ManifestError as error:
            return Evidence((), dict.fromkeys(KINDS_READ, f"the manifests cannot be read: {error}"))

    async def _in_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        """*work* in a thread; never two at a time, not even when the task that waited for the first was cancelled."""

        def alone() -> Result:
            with self._thread_lock, _collector_paused():
                return work(*arguments)

        return await asyncio.to_thread(alone)

    async def _refresh(self) -> None:
        """Bring the state up to what is on disk and in memory; reading and comparing is done in a thread."""
        missing = self._scan.missing
        await self._in_thread(self._read)
        if not self._pending and missing == self._scan.missing:
            return
        target, broken = await self._in_thread(self._build)
        self._tell_broken(broken)
        found = await self._in_thread(changes, self._target, target)
        self._target = target
        await apply(found, self._state, self._now)
        self._pending = False
        if self._loaded:
            self.reloads_total += bool(found)
        elif not self.broken:
            self._loaded = True
            await self._replace_all()
        if found:
            self._log.info("manifests: %d files, %d changes", len(self._scan.files), len(found))

    async def _replace_all(self) -> None:
        """Count the feeds as synced; they hold what they shall hold already."""
        for feed in FEED_ORDER:
            if feed in self._target:
                self._state.replace(feed, self._target[feed].values(), self._now())
                await asyncio.sleep(0)

    def _read(self) -> None:
        if self._paths is None:
            self._paths = _absolute(self.settings.paths)
        self._scan = scan(self._paths)
        if self._collection.update(self._scan, time.time_ns()):
            self._pending = True

    def _build(self) -> tuple[Target, dict[Path, str]]:
        """What is to be served, and what is broken; a whole that is not possible leaves what is served as it is."""
        broken = dict(self._collection.broken)
        broken |= {path: f"{path}: no such file or folder" for path in self._scan.missing}
        if self._refused_documents:
            broken[DOCUMENTS_PATH] = self._refused_documents
        try:
            return build(self._collection.contents, self.settings), broken
        except ShortageError as error:
            return self._target, {**broken, ALL_PATHS: f"all manifests together: {error}"}

    def _told(self, path: Path) -> str:
        return self.broken[path] + (": correct the path" if path in self._scan.missing else "")

    def _tell_broken(self, broken: dict[Path, str]) -> None:
        for path, text in broken.items():
            if self.broken.get(path) != text:
                self.errors_total += 1
                missing = path in self._scan.missing
                mend = "put it there again" if missing else "correct the file and save it"
                self._log.error("%s; the last good state, if there was one, stays in use: %s", text, mend)
        for path in self.broken:
            if path not in broken:
                self._log.info("%s: good again", path)
        self.broken = broken


def _absolute(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """*paths* from the root, so that it does not matter where the process is later; ManifestError without a here."""
    try:
        return tuple(path.absolute() for path in paths)
    except OSError as error:
        listed = ", ".join(map(str, paths))
        reason = f"the working directory cannot be found ({error.strerror})"
        raise ManifestError(
            [f"{listed}: {reason}: start in one that exists, or write the whole path"]
        ) from error
