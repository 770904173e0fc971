"""The shared store: the cluster's slim objects in LMDB, written by one process and read by many.

A writer and a reader each give a `ClusterState` over it, so the rules of names and records are those of memory.
"""

from dnsserver.store.errors import StoreError
from dnsserver.store.lmdb.directory import Side, StoreDirectory, choose_directory
from dnsserver.store.lmdb.errors import DamagedError, StoreInUseError
from dnsserver.store.lmdb.reading import StoreReader
from dnsserver.store.lmdb.writing import StoreWriter

__all__ = [
    "DamagedError",
    "Side",
    "StoreDirectory",
    "StoreError",
    "StoreInUseError",
    "StoreReader",
    "StoreWriter",
    "choose_directory",
]
