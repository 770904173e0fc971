"""The write transaction in which changes gather, and the map that grows under it."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import lmdb

from dnsserver.store.lmdb.codec import encoded
from dnsserver.store.lmdb.databases import (
    FIRST_MAP_SIZE,
    SUM_MODULO,
    Transaction,
    entry_sum,
    open_databases,
    open_environment,
)
from dnsserver.store.lmdb.keys import block_count, block_key, counted_number, identity, index_entries
from dnsserver.store.lmdb.tables import StoreTables
from dnsserver.zone.objects import ClusterObject, Feed

#: Records that one transaction changes before it is committed in the middle of a list: it bounds the memory that
#: changed pages take, and what has to be done again when the map has to grow.
RECORDS_MOST = 20_000

Changes = list[tuple[Feed, ClusterObject | None, ClusterObject | None]]


class WriteSession:
    """A transaction begins with the first change, and ends with `commit` or `abandon`.

    When the map is full it is made twice as large, which ends the transaction: so the changes are kept until they are
    committed, and made again.
    """

    def __init__(self, folder: Path, index_sum: int) -> None:
        """Raises lmdb.Error."""
        self._folder = folder
        self._environment = open_environment(folder, FIRST_MAP_SIZE)
        databases = open_databases(self._environment, create=True)
        self.tables = StoreTables(databases, self._environment.begin(), self._change)
        self.on_failure: Callable[[lmdb.Error], None] = _raise
        """Called when a change cannot be made; it should `abandon` all of them."""
        self.on_many: Callable[[], None] = _nothing
        """Called when there are RECORDS_MOST; it should `commit`."""
        self.index_sum = index_sum
        """That of the transaction so far."""
        self._sum_before = index_sum
        self._writing: Transaction | None = None
        self._changes: Changes = []
        self._records = 0
        self.broken = False
        """The environment could not be opened anew: nothing can be read or written until `reopen`."""

    @property
    def changed(self) -> bool:
        return bool(self._changes)

    def reader_check(self) -> None:
        """Free the places of readers that were killed: they would keep all that is deleted from being used again."""
        if not self.broken:
            self._environment.reader_check()

    def commit(self, finish: Callable[[Transaction], None]) -> None:
        """Commit with what *finish* adds, which may be called more than once. Raises lmdb.Error."""
        while True:
            try:
                transaction = self._begun()
                finish(transaction)
                transaction.commit()
                break
            except lmdb.MapFullError:
                self._make_again()
        self._writing = None
        self._changes.clear()
        self._records, self._sum_before = 0, self.index_sum
        self.tables.transaction = self._environment.begin()

    def abandon(self) -> None:
        """Drop all changes since the last commit.

        The environment is opened anew: LMDB gives one up for good whose last page it could not write. Raises
        lmdb.Error when that fails (see `broken`).
        """
        self._roll_back()
        self._changes.clear()
        self.reopen()

    def reopen(self) -> None:
        """Raises lmdb.Error, and is `broken` then."""
        self.broken = True
        self._environment.close()
        self._environment = open_environment(self._folder, FIRST_MAP_SIZE)
        self.tables.databases = open_databases(self._environment, create=False)
        self.tables.transaction = self._environment.begin()
        self.broken = False

    def close(self) -> None:
        if not self.broken:
            self._roll_back()
        self._environment.close()

    def _change(self, feed: Feed, old: ClusterObject | None, new: ClusterObject | None) -> None:
        self._changes.append((feed, old, new))
        try:
            try:
                self._apply(self._begun(), feed, old, new)
            except lmdb.MapFullError:
                self._make_again()
        except lmdb.Error as error:
            self.on_failure(error)
        if self._records >= RECORDS_MOST:
            self.on_many()

    def _apply(
        self,
        transaction: Transaction,
        feed: Feed,
        old: ClusterObject | None,
        new: ClusterObject | None,
    ) -> None:
        databases = self.tables.databases
        if new is not None:
            key, value = encoded(feed, new)
            transaction.put(key, value, db=databases.objects[feed])
        elif old is not None:
            transaction.delete(identity(old.key)[0], db=databases.objects[feed])
        self._index(transaction, old, new)

    def _index(self, transaction: Transaction, old: ClusterObject | None, new: ClusterObject | None) -> None:
        """Bring the entries of *old* to those of *new*, which has the same key; either may be missing."""
        item = new or old
        assert item is not None
        before, after = index_entries(old), index_entries(new)
        gone, come = before.keys() - after.keys(), after.keys() - before.keys()
        blocks: Counter[bytes | None] = Counter(block_key(key, item.key.namespace) for key in come)
        blocks.subtract(block_key(key, item.key.namespace) for key in gone)
        for key in gone:
            self._set(transaction, key, None)
        for key in come:
            self._set(transaction, key, after[key])
        for block, change in blocks.items():
            if block is not None and change:
                held = transaction.get(block, db=self.tables.databases.index)
                number = change + (counted_number(held) if held else 0)
                self._set(transaction, block, block_count(number, item.key.namespace) if number else None)
        self._records += 1 + len(gone) + len(come)

    def _set(self, transaction: Transaction, key: bytes, value: bytes | None) -> None:
        """Make *value* the index's entry under *key*; None: none."""
        database = self.tables.databases.index
        held = transaction.get(key, db=database)
        if held is not None:
            self.index_sum -= entry_sum(key, held)
        if value is None:
            transaction.delete(key, db=database)
        else:
            transaction.put(key, value, db=database)
            self.index_sum += entry_sum(key, value)
        self.index_sum %= SUM_MODULO

    def _begun(self) -> Transaction:
        if self._writing is None:
            self.tables.transaction.abort()  # an old snapshot would keep pages from being used again
            self._writing = self.tables.transaction = self._environment.begin(write=True)
        return self._writing

    def _make_again(self) -> None:
        """Make the map twice as large, until the changes fit into it."""
        while True:
            self._roll_back()
            self._grow()
            try:
                for change in self._changes:
                    self._apply(self._begun(), *change)
                return
            except lmdb.MapFullError:
                continue

    def _roll_back(self) -> None:
        self.tables.transaction.abort()
        self._writing = None
        self._records, self.index_sum = 0, self._sum_before

    def _grow(self) -> None:
        self._environment.set_mapsize(2 * self._environment.info()["map_size"])
        self.tables.transaction = self._environment.begin()


def _raise(error: lmdb.Error) -> None:
    raise error


def _nothing() -> None:
    pass
