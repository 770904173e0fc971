"""The cluster's state in a process that reads it."""

from collections.abc import Iterable
from typing import NoReturn

from dnsserver.zone.cluster import ClusterState, Standing
from dnsserver.zone.memory_tables import MemoryTables
from dnsserver.zone.objects import Feed
from dnsserver.zone.tables import ClusterTables


class ReadState(ClusterState):
    """Empty and unsynced until the store shows it something; what sources call raises TypeError."""

    def __init__(self, feeds: Iterable[Feed]) -> None:
        super().__init__(feeds, 0)

    def show(self, feeds: frozenset[Feed], standing: Standing, tables: ClusterTables) -> None:
        """Be as a generation of the store is. The listeners are to be told by `tell`."""
        self.feeds = feeds
        self._tables = tables
        self._adopt(standing)

    def lose(self) -> None:
        """The store can be read no longer: nothing is known any more."""
        self.show(self.feeds, Standing(self.serial), MemoryTables())

    def replace(self, *_: object, **__: object) -> NoReturn:
        _refuse()

    def put(self, *_: object, **__: object) -> NoReturn:
        _refuse()

    def drop(self, *_: object, **__: object) -> NoReturn:
        _refuse()

    def mark_stale(self, *_: object, **__: object) -> NoReturn:
        _refuse()

    def mark_fresh(self, *_: object, **__: object) -> NoReturn:
        _refuse()


def _refuse() -> NoReturn:
    raise TypeError("this state is read from a store; only the writer's can be changed")
