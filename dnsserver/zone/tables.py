"""Where a cluster state keeps its objects: what any kind of tables can be asked, and what it guarantees."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from dnsserver.zone.objects import ClusterObject, EndpointSlice, Feed, ObjectKey, Pod


class ClusterTables(Protocol):
    """Slim objects by feed and key, with indexes by Service and by address.

    The tables hold what they are told; what counts as a change is the state's business. A slice without a Service
    is held, and in no index. An object that did not change is the same one each time, for as long as it is kept made.
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

    def cluster_ip_owners(self, packed: bytes) -> Iterator[ObjectKey]:
        """The Services with this clusterIP (4 or 16 octets), in the order of their keys."""

    def endpoint_owners(self, packed: bytes) -> Iterator[ObjectKey]:
        """The slices of Services with an endpoint at this address (4 or 16 octets), in the order of their keys."""

    def any_within(self, low: bytes, high: bytes, shown: Callable[[str], bool]) -> bool:
        """Whether an owner in a namespace that *shown* accepts has an address in [low, high] (packed, one family)."""

    def pods_at(self, ip: str) -> list[Pod]:
        """The pods whose status.podIP is spelled *ip*, in any order."""
