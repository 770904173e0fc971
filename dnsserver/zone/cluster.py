"""The state of the cluster as DNS sees it: slim objects with the indexes that lookups need.

One writer (a source, in the event loop's thread) and any number of readers in the same thread. Sources call
`replace` with each full list, `put` and `drop` for each event in between.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from dnsserver.zone.addresses import AddressIndex
from dnsserver.zone.objects import (
    ClusterObject,
    EndpointSlice,
    Feed,
    Namespace,
    ObjectKey,
    Pod,
    Service,
)

Outer = TypeVar("Outer")
Inner = TypeVar("Inner")
Value = TypeVar("Value")

#: Called after a change with the keys of the Services whose records may have changed, and of Namespaces, `("", name)`.
#: A change of pods alone comes without keys.
ChangeListener = Callable[[frozenset[ObjectKey]], None]


class ClusterState:
    """Slim objects by feed, with indexes by Service and by address.

    `now` arguments are Unix seconds; the zone's SOA serial is the greatest of them at which something relevant
    changed, so it never goes back. A feed is synced from its first `replace` on and stays so; `mark_stale` says
    that the source has lost its watch and the data may be out of date.
    """

    def __init__(self, feeds: Iterable[Feed], now: float) -> None:
        self.feeds = frozenset(feeds)
        self.serial = int(now)
        self._objects: dict[Feed, dict[ObjectKey, ClusterObject]] = {feed: {} for feed in Feed}
        self._synced: set[Feed] = set()
        self._stale: dict[Feed, str] = {}
        self._slices: dict[ObjectKey, dict[ObjectKey, EndpointSlice]] = {}
        self._cluster_ips = AddressIndex()
        self._endpoint_ips = AddressIndex()
        self._pods_by_ip: dict[str, dict[ObjectKey, Pod]] = {}
        self._listeners: list[ChangeListener] = []

    # What sources call.

    def replace(self, feed: Feed, objects: Iterable[ClusterObject], now: float) -> None:
        """Make *feed* hold exactly *objects* (a full list), and count it as synced."""
        fresh = {item.key: item for item in objects}
        gone = [key for key in self._objects[feed] if key not in fresh]
        changes = [self._drop(feed, key, now) for key in gone]
        changes += [self._put(feed, item, now) for item in fresh.values()]
        self._synced.add(feed)
        self._stale.pop(feed, None)
        self._tell(changes)

    def put(self, feed: Feed, item: ClusterObject, now: float) -> None:
        """Add or update one object."""
        self._tell([self._put(feed, item, now)])

    def drop(self, feed: Feed, key: ObjectKey, now: float) -> None:
        """Remove one object; a key that is not there is no error (a delete may be told twice)."""
        self._tell([self._drop(feed, key, now)])

    def mark_stale(self, feed: Feed, reason: str) -> None:
        """The source cannot follow *feed* at present; its objects go on being served."""
        self._stale[feed] = reason

    def mark_fresh(self, feed: Feed) -> None:
        """The source follows *feed* again without having needed a new list."""
        self._stale.pop(feed, None)

    # What readers call.

    @property
    def synced(self) -> bool:
        """True once every feed has had its first full list."""
        return self.feeds <= self._synced

    @property
    def waiting_for(self) -> list[str]:
        """Names of the feeds that have had no full list yet."""
        return sorted(feed.value for feed in self.feeds - self._synced)

    @property
    def stale(self) -> dict[Feed, str]:
        """The feeds that are known to be out of date, with the reason."""
        return dict(self._stale)

    def subscribe(self, listener: ChangeListener) -> None:
        self._listeners.append(listener)

    def service(self, key: ObjectKey) -> Service | None:
        found = self._objects[Feed.SERVICES].get(key)
        return found if isinstance(found, Service) else None

    def services(self) -> Iterator[Service]:
        return (item for item in self._objects[Feed.SERVICES].values() if isinstance(item, Service))

    def slices_of(self, service: ObjectKey) -> list[EndpointSlice]:
        """The EndpointSlices tied to *service*, in the order of their names."""
        return [item for _, item in sorted(self._slices.get(service, {}).items())]

    def namespaces(self) -> Iterator[str]:
        return (key.name for key in self._objects[Feed.NAMESPACES])

    def has_namespace(self, name: str) -> bool:
        return ObjectKey("", name) in self._objects[Feed.NAMESPACES]

    def services_at(self, packed: bytes) -> list[Service]:
        """The Services that have the address *packed* (4 or 16 octets) as a clusterIP, in the order of their keys."""
        return [found for key in self._cluster_ips.owners(packed) if (found := self.service(key))]

    def slices_at(self, packed: bytes) -> Iterator[EndpointSlice]:
        """The slices of Services with a ready endpoint at the address *packed*, in the order of their keys."""
        slices = self._objects[Feed.ENDPOINT_SLICES]
        for key in self._endpoint_ips.owners(packed):
            found = slices.get(key)
            if isinstance(found, EndpointSlice):
                yield found

    def any_address_within(self, low: bytes, high: bytes, shown: Callable[[str], bool]) -> bool:
        """Whether a clusterIP, or a ready endpoint's address of some Service, lies in [low, high] (packed, of one
        family) in a namespace that *shown* accepts."""
        return self._cluster_ips.any_within(low, high, shown) or self._endpoint_ips.any_within(
            low, high, shown
        )

    def pods_at(self, ip: str) -> list[Pod]:
        """The pods whose status.podIP is spelled *ip*."""
        return list(self._pods_by_ip.get(ip, {}).values())

    def count(self, feed: Feed) -> int:
        return len(self._objects[feed])

    # Bookkeeping. Both return the keys for listeners, None when nothing has changed.

    def _put(self, feed: Feed, item: ClusterObject, now: float) -> set[ObjectKey] | None:
        held = self._objects[feed]
        old = held.get(item.key)
        if old == item:
            return None
        if isinstance(item, Pod) and item.terminating and old is None:
            return None  # first seen while terminating: never served (section 7)
        touched = self._unlink(old)
        held[item.key] = item
        touched |= self._link(item)
        if not (isinstance(item, Pod) and isinstance(old, Pod) and item.ip == old.ip):
            self._changed(item, now)
        return touched

    def _drop(self, feed: Feed, key: ObjectKey, now: float) -> set[ObjectKey] | None:
        old = self._objects[feed].pop(key, None)
        if old is None:
            return None
        self._changed(old, now)
        return self._unlink(old)

    def _changed(self, item: ClusterObject, now: float) -> None:
        if not isinstance(item, Namespace):  # section 10: namespaces do not move the serial
            self.serial = max(self.serial, int(now))

    def _link(self, item: ClusterObject) -> set[ObjectKey]:
        match item:
            case Service():
                self._cluster_ips.add(item.key, item.cluster_ips)
                return {item.key}
            case EndpointSlice(service=""):
                pass  # ties no address to any name (section 4.2)
            case EndpointSlice():
                self._endpoint_ips.add(item.key, (endpoint.address for endpoint in item.endpoints))
                self._slices.setdefault(item.service_key, {})[item.key] = item
                return {item.service_key}
            case Pod():
                self._pods_by_ip.setdefault(item.ip, {})[item.key] = item
            case Namespace():
                return {item.key}
        return set()

    def _unlink(self, item: ClusterObject | None) -> set[ObjectKey]:
        match item:
            case Service():
                self._cluster_ips.remove(item.key, item.cluster_ips)
                return {item.key}
            case EndpointSlice(service=""):
                pass
            case EndpointSlice():
                self._endpoint_ips.remove(item.key, (endpoint.address for endpoint in item.endpoints))
                _discard(self._slices, item.service_key, item.key)
                return {item.service_key}
            case Pod():
                _discard(self._pods_by_ip, item.ip, item.key)
            case Namespace():
                return {item.key}
            case None:
                pass
        return set()

    def _tell(self, changes: Iterable[set[ObjectKey] | None]) -> None:
        real = [touched for touched in changes if touched is not None]
        if real:
            touched = frozenset().union(*real)
            for listener in self._listeners:
                listener(touched)


def _discard(table: dict[Outer, dict[Inner, Value]], outer: Outer, inner: Inner) -> None:
    """Remove `table[outer][inner]`, and `table[outer]` with its last entry."""
    row = table.get(outer)
    if row is not None:
        row.pop(inner, None)
        if not row:
            del table[outer]
