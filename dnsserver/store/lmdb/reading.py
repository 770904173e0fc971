"""The processes that read the store: the cluster's state as of the last generation."""

import logging
from collections.abc import Iterable
from pathlib import Path

import lmdb

from dnsserver.store.lmdb.codec import Meta
from dnsserver.store.lmdb.errors import DamagedError
from dnsserver.store.lmdb.read_state import ReadState
from dnsserver.store.lmdb.snapshot import Snapshot
from dnsserver.zone.cluster import ClusterState, Standing
from dnsserver.zone.objects import Feed

#: What is looked at while there is no store: a number that never changes.
NO_STORE = memoryview(bytes(8)).cast("Q")

#: Seconds that a reader waits at its start for a writer that exchanges the files: 0.1 s for 10,000 Services. Later it
#: goes on with what it has.
PATIENCE_S = 5.0

LOG = logging.getLogger("dnsserver.store")


class StoreReader:
    """`state` is read-only, and as of the last `refresh`, which is to be called before each batch of questions.

    While there is no store it is empty and not synced. *feeds* are what it waits for until the store says. One thread;
    an instance is of no use in a forked child, which makes its own.
    """

    def __init__(self, folder: Path, feeds: Iterable[Feed] = Feed) -> None:
        self.folder = folder
        self._state = ReadState(feeds)
        self._snapshot: Snapshot | None = None
        self._view = NO_STORE
        self._seen = 0
        self._holding = False
        """What lies there now knows less than what is open: `beat` looks whether it still does."""
        self._reopen(PATIENCE_S)

    def __repr__(self) -> str:
        return f"<StoreReader {self.folder}: generation={self.generation}>"

    @property
    def state(self) -> ClusterState:
        return self._state

    @property
    def generation(self) -> int:
        """That of `state`; 0 while there is no store."""
        return 0 if self._snapshot is None else self._snapshot.meta.generation

    def refresh(self) -> None:
        """Go to the last generation, and tell the state's listeners what has changed. Costs next to nothing when
        there is no new one. Does not raise."""
        if self._view[0] != self._seen:
            self._advance()

    def beat(self) -> None:
        """To be called every half second, also when nobody asks: the store may have come, or been replaced."""
        if self._snapshot is None or self._snapshot.replaced:
            self._reopen(0.0)
        else:
            self._holding = False
            self._advance()

    def close(self) -> None:
        """The state is empty from now on."""
        if self._snapshot is not None:
            self._let_go(self._snapshot)

    def _advance(self) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            return
        before = snapshot.meta
        # Looked at before the snapshot is taken: what is committed in between is found at the next look.
        self._seen = self._view[0]
        try:
            snapshot.renew()
            told, touched = snapshot.touched_since(before.generation)
        except (lmdb.Error, DamagedError) as error:
            LOG.error("%s: the store can be read no longer: %s", self.folder, error)
            self._let_go(snapshot)
            return
        if snapshot.meta.generation == before.generation:
            if snapshot.meta.generation < self._seen and not self._holding and snapshot.replaced:
                self._reopen(0.0)
            return
        self._show(snapshot)
        if _known_otherwise(before, snapshot.meta):
            self._state.tell(None)
        elif told:
            self._state.tell(touched)

    def _reopen(self, patience_s: float) -> None:
        """What is there now, in place of what was open; that stays where there is nothing to read, or what had fewer
        full lists: a writer that begins anew would make this server forget names that it has told."""
        try:
            snapshot = Snapshot(self.folder, patience_s)
        except (OSError, ValueError, lmdb.Error, DamagedError) as error:
            LOG.debug("%s: no store to read yet: %s", self.folder, error)
            return
        old = self._snapshot
        if old is not None and _knows_less(snapshot.meta, old.meta):
            snapshot.close()
            if not self._holding:
                LOG.warning(
                    "%s: the store begins anew; what it had is served until it is complete", self.folder
                )
            self._holding = True
            return
        self._snapshot, self._view, self._holding = snapshot, snapshot.view, False
        self._seen = 0  # the next look finds out what has come meanwhile
        self._show(snapshot)
        if old is not None:
            old.close()
        self._state.tell(None)

    def _show(self, snapshot: Snapshot) -> None:
        meta = snapshot.meta
        standing = Standing(meta.serial, meta.synced, meta.restored, meta.stale)
        self._state.show(meta.feeds, standing, snapshot.tables)

    def _let_go(self, snapshot: Snapshot) -> None:
        self._snapshot, self._view, self._seen, self._holding = None, NO_STORE, 0, False
        self._state.lose()
        snapshot.close()
        self._state.tell(None)


def _knows_less(new: Meta, old: Meta) -> bool:
    """Of the feeds that are still wanted."""
    return not old.synced & new.feeds <= new.synced


def _known_otherwise(before: Meta, after: Meta) -> bool:
    return (before.feeds, before.synced, before.restored) != (after.feeds, after.synced, after.restored)
