"""LMDB's side: how the environment is opened, and which databases are in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from zlib import crc32

import lmdb

from dnsserver.zone.objects import Feed

DATA_FILE, LOCK_FILE = "data.mdb", "lock.mdb"
#: Octets of address space that the store begins with. It doubles when they are used up; memory and disk are taken
#: for what is written only.
FIRST_MAP_SIZE = 64 << 20
#: Processes that can read at the same time.
READERS_MAX = 510
#: Names of the databases besides those of the feeds.
INDEX, META = "index", "meta"
NAMES = (*(feed.value for feed in Feed), INDEX, META)
#: Those whose entries are counted and checked.
COUNTED = NAMES[:-1]

SUM_MODULO = 1 << 64

#: Quoted: they are classes of the library's type stubs only.
Transaction: TypeAlias = "lmdb.Transaction[bytes]"
Database: TypeAlias = "lmdb._Database"


@dataclass(frozen=True, slots=True)
class Databases:
    """`index` has the entries of `keys.index_entries`; `meta` the format, the Meta record and the log."""

    objects: dict[Feed, Database]
    index: Database
    meta: Database

    def named(self, name: str) -> Database:
        if name == INDEX:
            return self.index
        return self.meta if name == META else self.objects[Feed(name)]


def open_environment(path: Path, map_size: int, *, alone: bool = False) -> lmdb.Environment:
    """For writing. *path* is the store's folder, or, *alone*, a file of its own that nobody else opens.

    No sync: what the kernel has been given outlives the process, and a store that a power failure has torn is seen
    to be damaged at the next start.
    """
    return lmdb.open(
        str(path),
        map_size=map_size,
        subdir=not alone,
        lock=not alone,
        max_dbs=len(NAMES),
        max_readers=READERS_MAX,
        max_spare_txns=1,
        sync=False,
        metasync=False,
        mode=0o600,
    )


def open_to_read(path: Path, *, alone: bool = False) -> lmdb.Environment:
    """For reading, with the size that it has. Raises lmdb.Error."""
    return lmdb.open(
        str(path),
        map_size=0,
        readonly=True,
        create=False,
        subdir=not alone,
        lock=not alone,
        max_dbs=len(NAMES),
        max_readers=READERS_MAX,
        max_spare_txns=1,
    )


def open_databases(environment: lmdb.Environment, *, create: bool) -> Databases:
    found = {name: environment.open_db(name.encode(), create=create) for name in NAMES}
    return Databases({feed: found[feed.value] for feed in Feed}, found[INDEX], found[META])


def entry_sum(key: bytes, value: bytes) -> int:
    """An entry's share in the sum over the index."""
    return crc32(value, crc32(key))
