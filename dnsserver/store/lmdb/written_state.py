"""The cluster's state in the process that writes it: it says so when there is something to commit."""

from collections.abc import Callable, Iterable

from dnsserver.store.lmdb.tables import StoreTables
from dnsserver.zone.cluster import ClusterState, Standing
from dnsserver.zone.memory_tables import MemoryTables
from dnsserver.zone.objects import ClusterObject, Feed


class WrittenState(ClusterState):
    """A feed whose changes did not all reach the store is stale until its next full list has."""

    def __init__(
        self, feeds: Iterable[Feed], now: float, tables: StoreTables, noticed: Callable[[], None]
    ) -> None:
        """*noticed* is called when what is known of the content as a whole may have changed."""
        super().__init__(feeds, now, tables)
        self._noticed = noticed
        self._lost: set[Feed] = set()
        self._failures = 0
        self._reason = ""
        self._committed = self.standing
        self._reachable = True

    @property
    def whole(self) -> bool:
        """Whether all changes have reached the store."""
        return not self._lost

    @property
    def fresh(self) -> bool:
        """Whether all feeds had their lists in this run, and are followed."""
        return self.synced and not self.restored and not self._stale

    def replace(self, feed: Feed, objects: Iterable[ClusterObject], now: float) -> None:
        failures = self._failures
        super().replace(feed, objects, now)
        if self._failures == failures and self._reachable:
            self._lost.discard(feed)
        else:
            self._return()
        self._noticed()

    def mark_stale(self, feed: Feed, reason: str) -> None:
        super().mark_stale(feed, reason)
        self._noticed()

    def mark_fresh(self, feed: Feed) -> None:
        if feed not in self._lost:
            super().mark_fresh(feed)
            self._noticed()

    def take_over(self, standing: Standing) -> None:
        """Begin with the content of an earlier run."""
        self._adopt(standing)

    def committed(self, standing: Standing) -> None:
        self._committed = standing

    def roll_back(self, reason: str) -> None:
        """The changes since the last commit are lost: the content is that of then."""
        self._failures += 1
        self._reason = reason
        self._lost.update(self.feeds)
        self._return()
        self.tell(None)

    def lose(self) -> None:
        """The store cannot even be read: what comes now leads nowhere, and is lost. To be rolled back after."""
        self._reachable = False
        self._tables = MemoryTables()

    def find(self, tables: StoreTables) -> None:
        """It can be read again."""
        self._reachable = True
        self._tables = tables

    def _return(self) -> None:
        """What has been told to this server's clients stays: the serial."""
        serial = self.serial
        self._adopt(self._committed)
        self.serial = max(serial, self.serial)
        self._stale.update(dict.fromkeys(self.feeds, self._reason))
