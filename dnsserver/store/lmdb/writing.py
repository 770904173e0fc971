"""The one process that writes the store: changes gather for some milliseconds, and then are a generation."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import lmdb

from dnsserver.store.errors import StoreError
from dnsserver.store.lmdb.codec import (
    FORMAT_KEY,
    FORMAT_OCTETS,
    META_KEY,
    LogEntry,
    Meta,
    encoded_record,
    log_key,
)
from dnsserver.store.lmdb.databases import COUNTED, Transaction
from dnsserver.store.lmdb.generation import GREATEST, MappedGeneration
from dnsserver.store.lmdb.locking import FolderLock, exchanging
from dnsserver.store.lmdb.restoring import Wanted, restore, take_seed
from dnsserver.store.lmdb.room import lacks_room, make_room
from dnsserver.store.lmdb.session import WriteSession
from dnsserver.store.lmdb.written_state import WrittenState
from dnsserver.zone.cluster import ClusterState, Standing
from dnsserver.zone.objects import Feed, ObjectKey

#: Seconds. Changes that come sooner after a commit wait for the rest of it: a storm is some 200 generations a second,
#: each of which costs the writer and every reader a fraction of a millisecond.
GATHER_S = 0.005
#: Seconds between two tries while the store cannot be written.
OUTAGE_PAUSE_S = 1.0
#: Keys of a generation that are noted; of more, only that anything may have changed.
TOUCHED_MOST = 1_000
#: Generations whose touched keys are kept for readers that are late.
LOGGED_GENERATIONS = 1_024
#: Seconds between two looks for readers that were killed.
READER_CHECK_S = 5.0

LOG = logging.getLogger("dnsserver.store")


class StoreWriter:
    """`state` takes changes, in the thread of the event loop that runs when they come.

    They are committed at the end of the loop's present turn, or GATHER_S after the last commit. Without a running
    loop nothing is committed but by `commit`. A commit that fails is logged and sets `failed`: its changes are lost,
    the feeds stale, and the owner must have the source list again (and clear `failed`). Readers go on with the last
    generation meanwhile.
    """

    def __init__(
        self,
        folder: Path,
        feeds: Iterable[Feed],
        *,
        fingerprint: bytes,
        max_age_s: float,
        seeds: Sequence[Path] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        """Make *folder* if need be, and take over what an earlier run has left there, if its *fingerprint* (of the
        configuration) was the same and it is not older than *max_age_s*; or else a copy of what is in the first of the
        folders *seeds* of which the same is true, be it that somebody is writing there.

        To be called before the process has threads or an event loop: what is there is checked in a forked child.
        Raises StoreInUseError, and StoreError when the folder cannot be written.
        """
        self.folder = folder
        self.failed = asyncio.Event()
        self.outage = ""
        """Why the store cannot be written at present; "" when it can."""
        self._now = now
        self._fingerprint = fingerprint
        self._seeds = seeds
        self._touched: set[ObjectKey] | None = set()
        self._told = False
        self._timer: asyncio.Handle | None = None
        self._last_commit = self._last_check = 0.0  # seconds of the monotonic clock
        self._begin(frozenset(feeds), max_age_s)

    def __repr__(self) -> str:
        return f"<StoreWriter {self.folder}: generation={self.generation}{' failing' if self.outage else ''}>"

    @property
    def state(self) -> ClusterState:
        return self._state

    def commit(self) -> None:
        """Give readers what has changed since the last commit, if anything has. Does not raise (see `failed`)."""
        self._cancel_timer()
        if self._session.broken and not self._recovered():
            self._schedule()
            return
        if self._session.changed or self._state.standing != self._standing:
            entry = LogEntry(self._told, _pairs(self._touched))
            self._touched, self._told = set(), False
            self._write(entry)

    def touch(self) -> None:
        """To be called every minute: note that the content is still fresh, if it is."""
        self.commit()
        if self._state.fresh and int(self._now()) > self._fresh_at:
            self._write(None)
        self._check_readers()

    def close(self) -> None:
        """Commit, and leave the store to others."""
        self.commit()
        self._cancel_timer()
        self._close()

    def _begin(self, feeds: frozenset[Feed], max_age_s: float) -> None:
        """Raises StoreError. There is no third try: what the second began and had no room for is set aside in turn."""
        for last in (False, True):
            try:
                with ExitStack() as undo:
                    self._open(feeds, max_age_s, undo)
                    self._close = undo.pop_all().close
                return
            except (OSError, lmdb.Error) as error:
                if not (lacks_room(error) and make_room(self.folder)) or last:
                    raise StoreError(_cannot_write(self.folder, error)) from None

    def _open(self, feeds: frozenset[Feed], max_age_s: float, undo: ExitStack) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        undo.callback(FolderLock(self.folder).close)
        with exchanging(self.folder):
            self._mapped = MappedGeneration(self.folder, write=True)
            undo.callback(self._mapped.close)
            told = self._mapped.view[0] if self._mapped.view[0] < GREATEST else 0
            wanted = Wanted(self._fingerprint, feeds, told, max_age_s, self._now())
            found = restore(self.folder, wanted) or take_seed(self.folder, self._seeds, wanted)
            self._session = WriteSession(self.folder, found.index_sum if found else 0)
            undo.callback(self._session.close)
        self.generation = max(told, found.generation) if found else told
        self._fresh_at = found.fresh_at if found else 0
        self._state = WrittenState(feeds, self._now(), self._session.tables, self._schedule)
        if found:
            known = found.synced & feeds  # less than all when a writer is replaced that never had all
            self._state.take_over(Standing(found.serial, known, restored=known))
        self._standing = self._state.standing
        self._state.committed(self._standing)
        self._state.subscribe(self._changed)
        self._session.on_failure, self._session.on_many = self._fail, self._commit_part
        self._commit(LogEntry(True, None))

    # Gathering.

    def _changed(self, keys: frozenset[ObjectKey] | None) -> None:
        self._told = True
        if keys is None or self._touched is None:
            self._touched = None
        else:
            self._touched |= keys
            if len(self._touched) > TOUCHED_MOST:
                self._touched = None
        self._schedule()

    def _schedule(self) -> None:
        if self._timer is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # the owner commits
        due = self._last_commit + (OUTAGE_PAUSE_S if self.outage else GATHER_S)
        if time.monotonic() >= due:
            self._timer = loop.call_soon(self.commit)
        else:
            self._timer = loop.call_later(due - time.monotonic(), self.commit)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Committing.

    def _commit_part(self) -> None:
        """In the middle of a list, whose keys will be told at its end."""
        self._write(LogEntry(True, None))

    def _write(self, entry: LogEntry | None) -> None:
        try:
            self._commit(entry)
        except lmdb.Error as error:
            self._fail(error)

    def _commit(self, entry: LogEntry | None) -> None:
        """With *entry* it is a new generation, which readers look at. Raises lmdb.Error."""
        standing = self._state.standing
        generation = self.generation + (entry is not None)
        fresh_at = int(self._now()) if self._state.fresh else self._fresh_at

        def finish(transaction: Transaction) -> None:
            if entry is not None:
                self._log(transaction, generation, entry)
            self._put_meta(transaction, generation, standing, fresh_at)

        self._session.commit(finish)
        self.generation, self._fresh_at, self._standing = generation, fresh_at, standing
        self._mapped.view[0] = generation
        self._state.committed(standing)
        self._last_commit = time.monotonic()
        if self.outage and self._state.whole:
            LOG.info("%s: the store is written again", self.folder)
            self.outage = ""
        if self._last_commit - self._last_check > READER_CHECK_S:
            self._check_readers()

    def _put_meta(self, transaction: Transaction, generation: int, standing: Standing, fresh_at: int) -> None:
        databases = self._session.tables.databases
        meta = Meta(
            fingerprint=self._fingerprint,
            generation=generation,
            serial=standing.serial,
            fresh_at=fresh_at,
            feeds=self._state.feeds,
            synced=standing.synced,
            restored=standing.restored,
            stale=dict(standing.stale),
            counts={name: transaction.stat(databases.named(name))["entries"] for name in COUNTED},
            index_sum=self._session.index_sum,
        )
        transaction.put(META_KEY, encoded_record(META_KEY, meta), db=databases.meta)
        transaction.put(FORMAT_KEY, FORMAT_OCTETS, db=databases.meta)

    def _log(self, transaction: Transaction, generation: int, entry: LogEntry) -> None:
        database, key = self._session.tables.databases.meta, log_key(generation)
        transaction.put(key, encoded_record(key, entry), db=database)
        if generation > LOGGED_GENERATIONS:
            transaction.delete(log_key(generation - LOGGED_GENERATIONS), db=database)

    def _fail(self, error: lmdb.Error) -> None:
        text = _cannot_write(self.folder, error)
        if not self.outage:
            LOG.error("%s; its last state is served until then", text)
        self.outage = text
        self._last_commit = time.monotonic()
        if lacks_room(error):
            make_room(self.folder)
        try:
            self._session.abandon()
        except lmdb.Error as second:
            LOG.error("%s: the store cannot be opened again: %s; it is tried on", self.folder, second)
            self._state.lose()
        self._state.roll_back(text)
        self.failed.set()

    def _recovered(self) -> bool:
        """Open the store that could not be opened after a failure; the source has to list anew then."""
        self._last_commit = time.monotonic()
        try:
            self._session.reopen()
        except lmdb.Error:
            return False
        self._state.find(self._session.tables)
        self._state.roll_back(self.outage)
        self.failed.set()
        return True

    def _check_readers(self) -> None:
        self._last_check = time.monotonic()
        self._session.reader_check()


def _cannot_write(folder: Path, error: OSError | lmdb.Error) -> str:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return f"the store in {folder} cannot be written: {reason}; free space there, or make it writable"


def _pairs(touched: set[ObjectKey] | None) -> list[tuple[str, str]] | None:
    return None if touched is None else [(key.namespace, key.name) for key in touched]
