"""The state of the cluster as DNS sees it: slim objects with the indexes that lookups need.

One writer (a source, in the event loop's thread) and any number of readers in the same thread. Sources call
`replace` with each full list, `put` and `drop` for each event in between.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dnsserver.zone.memory_tables import MemoryTables
from dnsserver.zone.objects import (
    ClusterObject,
    EndpointSlice,
    Feed,
    Namespace,
    ObjectKey,
    Pod,
    Service,
    ServiceImport,
)
from dnsserver.zone.tables import AddressKind, ClusterTables

#: Called after a change with the keys of the Services and ServiceImports whose records may have changed (a key stands
#: for both), and of Namespaces, `("", name)`.
#: A change of pods alone comes without keys. None: anything may have changed.
ChangeListener = Callable[[frozenset[ObjectKey] | None], None]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a state knows of its content as a whole.

    `synced`: the feeds that have had a full list; `restored`: those of them that had it in an earlier run only;
    `stale`: those known to be out of date, with the reason.
    """

    serial: int
    synced: frozenset[Feed] = frozenset()
    restored: frozenset[Feed] = frozenset()
    stale: Mapping[Feed, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Content:
    """All that a state has."""

    standing: Standing
    objects: Mapping[Feed, tuple[ClusterObject, ...]]


class ClusterState:
    """Slim objects by feed, with indexes by Service and by address; they lie in *tables*.

    `now` arguments are Unix seconds; the zone's SOA serial is the greatest of them at which something relevant
    changed, so it never goes back. A feed is synced from its first `replace` on and stays so; `mark_stale` says
    that the source has lost its watch and the data may be out of date.
    """

    def __init__(self, feeds: Iterable[Feed], now: float, tables: ClusterTables | None = None) -> None:
        self.feeds = frozenset(feeds)
        self.serial = int(now)
        self._tables = MemoryTables() if tables is None else tables
        self._synced: set[Feed] = set()
        self._restored: set[Feed] = set()
        self._stale: dict[Feed, str] = {}
        self._listeners: list[ChangeListener] = []

    # What sources call.

    def replace(self, feed: Feed, objects: Iterable[ClusterObject], now: float) -> None:
        """Make *feed* hold exactly *objects* (a full list), and count it as synced."""
        fresh = {item.key: item for item in objects}
        gone = [key for key in self._tables.keys(feed) if key not in fresh]
        changes = [self._drop(feed, key, now) for key in gone]
        changes += [self._put(feed, item, now) for item in fresh.values()]
        self._synced.add(feed)
        self._stale.pop(feed, None)
        if self._restored == {feed}:
            self._restored.clear()
            self.tell(None)  # whatever hung on the content being an old one
        else:
            self._restored.discard(feed)
            self._tell_of(changes)

    def put(self, feed: Feed, item: ClusterObject, now: float) -> None:
        """Add or update one object."""
        self._tell_of([self._put(feed, item, now)])

    def drop(self, feed: Feed, key: ObjectKey, now: float) -> None:
        """Remove one object; a key that is not there is no error (a delete may be told twice)."""
        self._tell_of([self._drop(feed, key, now)])

    def mark_stale(self, feed: Feed, reason: str) -> None:
        """The source cannot follow *feed* at present; its objects go on being served."""
        self._stale[feed] = reason

    def mark_fresh(self, feed: Feed) -> None:
        """The source follows *feed* again without having needed a new list."""
        self._stale.pop(feed, None)

    def restore(self, content: "Content") -> None:
        """Begin as another state was, which had all that this one is to have; `restored` until lists come."""
        if not self.feeds <= content.standing.synced:
            return
        for feed in self.feeds:
            self.replace(feed, content.objects[feed], 0)
        self._adopt(Standing(content.standing.serial, self.feeds, self.feeds))

    # What readers call.

    @property
    def synced(self) -> bool:
        """True once every feed has had its first full list, be it in an earlier run (`restored`)."""
        return self.feeds <= self._synced

    @property
    def restored(self) -> bool:
        """True while the content is that of an earlier run, and some feed has had no full list in this one."""
        return bool(self._restored)

    @property
    def waiting_for(self) -> list[str]:
        """Names of the feeds that have had no full list yet."""
        return sorted(feed.value for feed in self.feeds - self._synced)

    @property
    def stale(self) -> dict[Feed, str]:
        """The feeds that are known to be out of date, with the reason."""
        return dict(self._stale)

    @property
    def standing(self) -> Standing:
        return Standing(self.serial, frozenset(self._synced), frozenset(self._restored), self.stale)

    def content(self) -> "Content":
        """Everything, as it is now."""
        objects = {feed: tuple(self._tables.objects(feed)) for feed in self.feeds}
        return Content(self.standing, objects)

    def subscribe(self, listener: ChangeListener) -> None:
        self._listeners.append(listener)

    def tell(self, touched: frozenset[ObjectKey] | None) -> None:
        """Tell the listeners; whoever brings the tables up to date by other ways than this state's does so."""
        for listener in self._listeners:
            listener(touched)

    def service(self, key: ObjectKey) -> Service | None:
        found = self._tables.get(Feed.SERVICES, key)
        return found if isinstance(found, Service) else None

    def services(self) -> Iterator[Service]:
        return (item for item in self._tables.objects(Feed.SERVICES) if isinstance(item, Service))

    def keys(self, feed: Feed) -> list[ObjectKey]:
        """Of all objects of a kind, in order."""
        return sorted(self._tables.keys(feed))

    def slices_of(self, service: ObjectKey) -> list[EndpointSlice]:
        """The EndpointSlices tied to *service*, in the order of their names."""
        return self._tables.slices_of(service)

    def slices(self) -> Iterator[EndpointSlice]:
        """All EndpointSlices, in the order of their keys."""
        for key in self.keys(Feed.ENDPOINT_SLICES):
            found = self._tables.get(Feed.ENDPOINT_SLICES, key)
            if isinstance(found, EndpointSlice):
                yield found

    def service_import(self, key: ObjectKey) -> ServiceImport | None:
        found = self._tables.get(Feed.SERVICE_IMPORTS, key)
        return found if isinstance(found, ServiceImport) else None

    def slices_of_import(self, service_import: ObjectKey) -> list[EndpointSlice]:
        """The EndpointSlices that other clusters gave for *service_import*, in the order of their names."""
        return self._tables.slices_of_import(service_import)

    def namespaces(self) -> Iterator[str]:
        return (key.name for key in self._tables.keys(Feed.NAMESPACES))

    def has_namespace(self, name: str) -> bool:
        return self._tables.get(Feed.NAMESPACES, ObjectKey("", name)) is not None

    def services_at(self, packed: bytes) -> list[Service]:
        """The Services that have the address *packed* (4 or 16 octets) as a clusterIP, in the order of their keys."""
        owners = self._tables.owners(AddressKind.CLUSTER_IP, packed)
        return [found for key in owners if (found := self.service(key))]

    def external_owners(self, packed: bytes) -> Iterator[ObjectKey]:
        """The Services that have the address *packed* for clients outside, in the order of their keys."""
        return self._tables.owners(AddressKind.EXTERNAL, packed)

    def import_owners(self, packed: bytes) -> Iterator[ObjectKey]:
        """The ServiceImports that have the address *packed*, in the order of their keys."""
        return self._tables.owners(AddressKind.CLUSTERSET_IP, packed)

    def slices_at(self, packed: bytes) -> Iterator[EndpointSlice]:
        """The slices of Services and ServiceImports with a ready endpoint at the address *packed*, in the order of
        their keys."""
        for key in self._tables.owners(AddressKind.ENDPOINT, packed):
            found = self._tables.get(Feed.ENDPOINT_SLICES, key)
            if isinstance(found, EndpointSlice):
                yield found

    def any_address_within(
        self, kinds: Collection[AddressKind], low: bytes, high: bytes, shown: Callable[[str], bool]
    ) -> bool:
        """Whether an address of one of *kinds* lies in [low, high] (packed, of one family) in a namespace that *shown*
        accepts."""
        return self._tables.any_within(kinds, low, high, shown)

    def pods_at(self, ip: str) -> list[Pod]:
        """The pods whose status.podIP is spelled *ip*."""
        return self._tables.pods_at(ip)

    def pods(self) -> Iterator[Pod]:
        """All that are known, in any order."""
        return (item for item in self._tables.objects(Feed.PODS) if isinstance(item, Pod))

    def count(self, feed: Feed) -> int:
        return self._tables.count(feed)

    # Bookkeeping. `_put` and `_drop` return the keys for listeners, None when nothing has changed.

    def _adopt(self, standing: Standing) -> None:
        """Take over what an earlier run, or another process, knew of the content."""
        self.serial = standing.serial
        self._synced = set(standing.synced)
        self._restored = set(standing.restored)
        self._stale = dict(standing.stale)

    def _put(self, feed: Feed, item: ClusterObject, now: float) -> set[ObjectKey] | None:
        old = self._tables.known(feed, item)
        if old is item:
            return None
        if isinstance(item, Pod) and item.terminating and old is None:
            return None  # first seen while terminating: never served (section 7)
        self._tables.put(feed, item, old)
        if not (isinstance(item, Pod) and isinstance(old, Pod) and item.ip == old.ip):
            self._changed(item, now)
        return _touched(old) | _touched(item)

    def _drop(self, feed: Feed, key: ObjectKey, now: float) -> set[ObjectKey] | None:
        old = self._tables.get(feed, key)
        if old is None:
            return None
        self._tables.delete(feed, old)
        self._changed(old, now)
        return _touched(old)

    def _changed(self, item: ClusterObject, now: float) -> None:
        if not isinstance(item, Namespace):  # section 10: namespaces do not move the serial
            self.serial = max(self.serial, int(now))

    def _tell_of(self, changes: Iterable[set[ObjectKey] | None]) -> None:
        real = [touched for touched in changes if touched is not None]
        if real:
            self.tell(frozenset().union(*real))


def _touched(item: ClusterObject | None) -> set[ObjectKey]:
    """Where *item* shows: the Service, or the Namespace; nowhere for pods, and slices without a Service."""
    match item:
        case Service() | ServiceImport() | Namespace():
            return {item.key}
        case EndpointSlice():
            keys = {item.service_key} if item.service else set()
            return keys | {item.import_key} if item.imported else keys
        case _:
            return set()
