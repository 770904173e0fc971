"""A store that is open for reading, and its snapshot of one generation."""

from pathlib import Path
from typing import NoReturn

import lmdb

from dnsserver.store.lmdb.codec import META_KEY, Meta, decoded_entry, decoded_meta, log_key
from dnsserver.store.lmdb.databases import DATA_FILE, open_databases, open_to_read
from dnsserver.store.lmdb.generation import FILE, MappedGeneration
from dnsserver.store.lmdb.locking import opening
from dnsserver.store.lmdb.tables import StoreTables
from dnsserver.zone.objects import ClusterObject, Feed, ObjectKey

#: Generations that a reader puts together; one that is later takes it that anything has changed.
BEHIND_MOST = 1_024


class Snapshot:
    """`tables` and `meta` are of the same generation: the last one at the time of `renew`."""

    def __init__(self, folder: Path, patience_s: float) -> None:
        """Waits *patience_s* for a writer that exchanges the files. Raises OSError, ValueError, lmdb.Error and
        DamagedError when there is no store, or none that is whole."""
        self._files = folder / DATA_FILE, folder / FILE
        with opening(folder, patience_s):
            self._inodes = self._present()
            self._mapped = MappedGeneration(folder, write=False)
            try:
                self._environment = open_to_read(folder)
            except Exception:
                self._mapped.close()
                raise
        try:
            databases = open_databases(self._environment, create=False)
            self.tables = StoreTables(databases, self._environment.begin(), _refuse)
            self.view = self._mapped.view
            self.meta = self._meta()
        except Exception:
            self.close()
            raise

    @property
    def replaced(self) -> bool:
        """Whether others lie where the files were."""
        try:
            return self._present() != self._inodes
        except OSError:
            return False  # nothing is there at this moment: better an old store than none

    def renew(self) -> None:
        """Go to the last generation. Raises lmdb.Error and DamagedError."""
        self.tables.transaction.abort()
        try:
            transaction = self._environment.begin()
        except lmdb.MapResizedError:
            self._environment.set_mapsize(0)  # as large as the writer has made it
            transaction = self._environment.begin()
        self.tables.transaction = transaction
        self.meta = self._meta()

    def touched_since(self, generation: int) -> tuple[bool, frozenset[ObjectKey] | None]:
        """Whether listeners are to be told of what came after *generation*, and the keys."""
        if not 0 < self.meta.generation - generation <= BEHIND_MOST:
            return True, None
        told, touched = False, set[ObjectKey]()
        for number in range(generation + 1, self.meta.generation + 1):
            key = log_key(number)
            value = self.tables.transaction.get(key, db=self.tables.databases.meta)
            if value is None:
                return True, None
            entry = decoded_entry(key, value)
            if entry.keys is None:
                return True, None
            told = told or entry.told
            touched |= entry.keys
        return told, frozenset(touched)

    def close(self) -> None:
        self._environment.close()
        self._mapped.close()

    def _meta(self) -> Meta:
        return decoded_meta(self.tables.transaction.get(META_KEY, db=self.tables.databases.meta))

    def _present(self) -> tuple[int, ...]:
        return tuple(path.stat().st_ino for path in self._files)


def _refuse(feed: Feed, old: ClusterObject | None, new: ClusterObject | None) -> NoReturn:
    raise TypeError(f"a snapshot does not change: {feed}, {old} to {new}")
