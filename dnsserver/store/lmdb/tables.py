"""ClusterTables over a transaction of LMDB."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator

from dnsserver.store.lmdb.codec import decoded, encoded
from dnsserver.store.lmdb.databases import Databases, Transaction
from dnsserver.store.lmdb.keys import (
    ADDRESS,
    ODD,
    address_prefix,
    block_prefix,
    counted_namespace,
    identified,
    identity,
    imported_prefix,
    pods_prefix,
    slices_prefix,
    whole_blocks,
)
from dnsserver.zone.objects import ClusterObject, EndpointSlice, Feed, ObjectKey, Pod
from dnsserver.zone.tables import AddressKind

#: Octets of slices, as they are stored, that are kept made: some ten times that in memory.
KEPT_OCTETS = 2 << 20

#: Called with what was held and what shall be held in its place; None: nothing.
Change = Callable[[Feed, ClusterObject | None, ClusterObject | None], None]


class StoreTables:
    """Reads `transaction`, which its owner puts in place; changes go to *change*, which brings them into it."""

    def __init__(self, databases: Databases, transaction: Transaction, change: Change) -> None:
        self.databases = databases
        self.transaction = transaction
        self._change = change
        self._kept: OrderedDict[bytes, tuple[bytes, EndpointSlice]] = OrderedDict()
        self._kept_octets = 0

    def get(self, feed: Feed, key: ObjectKey) -> ClusterObject | None:
        return self._get(feed, identity(key)[0])

    def known(self, feed: Feed, item: ClusterObject) -> ClusterObject | None:
        key, value = encoded(feed, item)
        old = self.transaction.get(key, db=self.databases.objects[feed])
        if old is None:
            return None
        return item if old == value else decoded(feed, key, old)

    def put(self, feed: Feed, item: ClusterObject, old: ClusterObject | None) -> None:
        self._change(feed, old, item)

    def delete(self, feed: Feed, old: ClusterObject) -> None:
        self._change(feed, old, None)

    def keys(self, feed: Feed) -> Iterable[ObjectKey]:
        with self.transaction.cursor(self.databases.objects[feed]) as cursor:
            found = list(cursor.iternext(values=False))
        return [self._key(feed, octets) for octets in found]

    def objects(self, feed: Feed) -> Iterable[ClusterObject]:
        with self.transaction.cursor(self.databases.objects[feed]) as cursor:
            return [decoded(feed, key, value) for key, value in cursor.iternext()]

    def count(self, feed: Feed) -> int:
        return self.transaction.stat(self.databases.objects[feed])["entries"]

    def slices_of(self, service: ObjectKey) -> list[EndpointSlice]:
        return self._slices(slices_prefix(service))

    def slices_of_import(self, service_import: ObjectKey) -> list[EndpointSlice]:
        return self._slices(imported_prefix(service_import))

    def owners(self, kind: AddressKind, packed: bytes) -> Iterator[ObjectKey]:
        owners = self._owners(address_prefix(ADDRESS[kind], packed))
        return (identified(own, spelled) for own, spelled in owners)

    def any_within(
        self, kinds: Collection[AddressKind], low: bytes, high: bytes, shown: Callable[[str], bool]
    ) -> bool:
        return any(self._any_within(ADDRESS[kind], low, high, shown) for kind in kinds)

    def pods_at(self, ip: str) -> list[Pod]:
        found = (self._get(Feed.PODS, own) for own, _ in self._owners(pods_prefix(ip)))
        return [pod for pod in found if isinstance(pod, Pod)]

    def _key(self, feed: Feed, octets: bytes) -> ObjectKey:
        if not octets.startswith(ODD):
            return identified(octets, b"")
        item = self._get(feed, octets)
        assert item is not None
        return item.key

    def _get(self, feed: Feed, key: bytes) -> ClusterObject | None:
        if feed is Feed.ENDPOINT_SLICES:
            return self._slice(key)
        value = self.transaction.get(key, db=self.databases.objects[feed])
        return None if value is None else decoded(feed, key, value)

    def _slices(self, prefix: bytes) -> list[EndpointSlice]:
        found = (self._slice(own) for own, _ in self._owners(prefix))
        return [slice_ for slice_ in found if slice_ is not None]

    def _slice(self, key: bytes) -> EndpointSlice | None:
        """One that did not change is the same object again: what was made of it need not be made anew."""
        value = self.transaction.get(key, db=self.databases.objects[Feed.ENDPOINT_SLICES])
        if value is None:
            return None
        kept = self._kept.get(key)
        if kept is not None and kept[0] == value:
            self._kept.move_to_end(key)
            return kept[1]
        made = decoded(Feed.ENDPOINT_SLICES, key, value)
        assert isinstance(made, EndpointSlice)
        self._keep(key, value, made)
        return made

    def _keep(self, key: bytes, value: bytes, made: EndpointSlice) -> None:
        old = self._kept.pop(key, None)
        self._kept[key] = value, made
        self._kept_octets += len(value) - (0 if old is None else len(old[0]))
        while self._kept_octets > KEPT_OCTETS:
            self._kept_octets -= len(self._kept.popitem(last=False)[1][0])

    def _owners(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Identities in the index below *prefix*, with their spelling: in the order of keys, but for odd ones."""
        return self._range(prefix, prefix)

    def _any_within(self, kind: bytes, low: bytes, high: bytes, shown: Callable[[str], bool]) -> bool:
        if whole_blocks(low, high):
            blocks = self._range(block_prefix(kind, low), block_prefix(kind, high))
            found = (counted_namespace(value) for _, value in blocks)
        else:
            owners = self._range(address_prefix(kind, low), address_prefix(kind, high))
            found = (identified(own, spelled).namespace for own, spelled in owners)
        hidden = set[str]()
        for namespace in found:
            if namespace not in hidden:
                if shown(namespace):
                    return True
                hidden.add(namespace)
        return False

    def _range(self, first: bytes, last: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The index's entries whose keys begin with something in [*first*, *last*], of one length: the rest of the
        key, and the value."""
        size = len(last)
        with self.transaction.cursor(self.databases.index) as cursor:
            if cursor.set_range(first):
                for key, value in cursor.iternext():
                    if key[:size] > last:
                        return
                    yield key[size:], value
