"""Where a cluster state keeps its objects: what any kind of tables can be asked, and what it guarantees."""

from collections.abc import Callable, Collection, Iterable, Iterator
from enum import Enum
from typing import Protocol

from dnsserver.zone.objects import (
    ClusterObject,
    EndpointSlice,
    Feed,
    ObjectKey,
    Pod,
    Service,
    ServiceImport,
)


class AddressKind(Enum):
    """What an address is to the object that has it."""

    CLUSTER_IP = "of a Service inside the cluster"
    ENDPOINT = "of an endpoint in a slice of a Service or ServiceImport"
    EXTERNAL = "of a Service for clients outside"
    CLUSTERSET_IP = "of a ServiceImport"


class ClusterTables(Protocol):
    """Slim objects by feed and key, with indexes by Service and by address.

    The tables hold what they are told; what counts as a change is the state's business. A slice of no Service and no
    ServiceImport is held, and in no index. An object that did not change is the same one each time, for as long as it
    is kept made.
    """

    def get(self, feed: Feed, key: ObjectKey) -> ClusterObject | None: ...

    def known(self, feed: Feed, item: ClusterObject) -> ClusterObject | None:
        """What is held under the key of *item*: *item* itself when that is equal to it."""

    def put(self, feed: Feed, item: ClusterObject, old: ClusterObject | None) -> None:
        """Hold *item* in place of *old*, which is what is held under its key."""

    def delete(self, feed: Feed, old: ClusterObject) -> None:
        """Hold *old*, which is held, no longer."""

    def keys(self, feed: Feed) -> Iterable[ObjectKey]:
        """In any order."""

    def objects(self, feed: Feed) -> Iterable[ClusterObject]:
        """In any order."""

    def count(self, feed: Feed) -> int: ...

    def slices_of(self, service: ObjectKey) -> list[EndpointSlice]:
        """In the order of their names."""

    def slices_of_import(self, service_import: ObjectKey) -> list[EndpointSlice]:
        """In the order of their names."""

    def owners(self, kind: AddressKind, packed: bytes) -> Iterator[ObjectKey]:
        """The objects that have this address (4 or 16 octets) of this kind, in the order of their keys."""

    def any_within(
        self, kinds: Collection[AddressKind], low: bytes, high: bytes, shown: Callable[[str], bool]
    ) -> bool:
        """Whether an owner in a namespace that *shown* accepts has an address of one of *kinds* in [low, high]
        (packed, one family)."""

    def pods_at(self, ip: str) -> list[Pod]:
        """The pods whose status.podIP is spelled *ip*, in any order."""


def addresses_of(item: ClusterObject) -> Iterator[tuple[AddressKind, Iterable[str]]]:
    """The addresses by which *item* is found, as texts; some may be none."""
    match item:
        case Service():
            yield AddressKind.CLUSTER_IP, item.cluster_ips
            yield AddressKind.EXTERNAL, item.external_ips
        case ServiceImport():
            yield AddressKind.CLUSTERSET_IP, item.ips
        case EndpointSlice() if item.service or item.imported:
            yield AddressKind.ENDPOINT, (endpoint.address for endpoint in item.endpoints)
