"""A cluster state's objects in dictionaries of this process."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeVar

from dnsserver.zone.addresses import AddressIndex
from dnsserver.zone.objects import ClusterObject, EndpointSlice, Feed, ObjectKey, Pod
from dnsserver.zone.tables import AddressKind, addresses_of

Outer = TypeVar("Outer")
Inner = TypeVar("Inner")
Value = TypeVar("Value")


class MemoryTables:
    """ClusterTables in dictionaries. One writer and any number of readers, in one thread."""

    def __init__(self) -> None:
        self._objects: dict[Feed, dict[ObjectKey, ClusterObject]] = {feed: {} for feed in Feed}
        self._slices: dict[ObjectKey, dict[ObjectKey, EndpointSlice]] = {}
        self._imported: dict[ObjectKey, dict[ObjectKey, EndpointSlice]] = {}
        self._addresses = {kind: AddressIndex() for kind in AddressKind}
        self._pods_by_ip: dict[str, dict[ObjectKey, Pod]] = {}

    def get(self, feed: Feed, key: ObjectKey) -> ClusterObject | None:
        return self._objects[feed].get(key)

    def known(self, feed: Feed, item: ClusterObject) -> ClusterObject | None:
        old = self._objects[feed].get(item.key)
        return item if old == item else old

    def put(self, feed: Feed, item: ClusterObject, old: ClusterObject | None) -> None:
        if old is not None:
            self._unlink(old)
        self._objects[feed][item.key] = item
        self._link(item)

    def delete(self, feed: Feed, old: ClusterObject) -> None:
        del self._objects[feed][old.key]
        self._unlink(old)

    def keys(self, feed: Feed) -> Iterable[ObjectKey]:
        return self._objects[feed].keys()

    def objects(self, feed: Feed) -> Iterable[ClusterObject]:
        return self._objects[feed].values()

    def count(self, feed: Feed) -> int:
        return len(self._objects[feed])

    def slices_of(self, service: ObjectKey) -> list[EndpointSlice]:
        return [item for _, item in sorted(self._slices.get(service, {}).items())]

    def slices_of_import(self, service_import: ObjectKey) -> list[EndpointSlice]:
        return [item for _, item in sorted(self._imported.get(service_import, {}).items())]

    def owners(self, kind: AddressKind, packed: bytes) -> Iterator[ObjectKey]:
        return iter(self._addresses[kind].owners(packed))

    def any_within(
        self, kinds: Collection[AddressKind], low: bytes, high: bytes, shown: Callable[[str], bool]
    ) -> bool:
        return any(self._addresses[kind].any_within(low, high, shown) for kind in kinds)

    def pods_at(self, ip: str) -> list[Pod]:
        return list(self._pods_by_ip.get(ip, {}).values())

    def _link(self, item: ClusterObject) -> None:
        for kind, texts in addresses_of(item):
            self._addresses[kind].add(item.key, texts)
        match item:
            case EndpointSlice():
                if item.service:
                    self._slices.setdefault(item.service_key, {})[item.key] = item
                if item.imported:
                    self._imported.setdefault(item.import_key, {})[item.key] = item
            case Pod():
                self._pods_by_ip.setdefault(item.ip, {})[item.key] = item

    def _unlink(self, item: ClusterObject) -> None:
        for kind, texts in addresses_of(item):
            self._addresses[kind].remove(item.key, texts)
        match item:
            case EndpointSlice():
                _discard(self._slices, item.service_key, item.key)
                _discard(self._imported, item.import_key, item.key)
            case Pod():
                _discard(self._pods_by_ip, item.ip, item.key)


def _discard(table: dict[Outer, dict[Inner, Value]], outer: Outer, inner: Inner) -> None:
    """Remove `table[outer][inner]`, and `table[outer]` with its last entry."""
    row = table.get(outer)
    if row is not None:
        row.pop(inner, None)
        if not row:
            del table[outer]
