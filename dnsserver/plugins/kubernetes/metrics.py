"""The numbers of a `kubernetes` block."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from dnsserver.observability.families import AnyFamily, Family, Kind
from dnsserver.plugins.kubernetes.traffic import ApiTraffic
from dnsserver.plugins.plugin import Source, SourceFactory
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Feed


@runtime_checkable
class ManifestCounters(Protocol):
    """What a source of manifests counts."""

    errors_total: int
    reloads_total: int


class FeedCounters(Protocol):
    """What is counted while one resource is followed."""

    @property
    def feed(self) -> Feed: ...

    @property
    def lists_total(self) -> int: ...

    @property
    def watches_total(self) -> int: ...

    @property
    def events_total(self) -> int: ...

    @property
    def failures_total(self) -> int: ...


@runtime_checkable
class LiveCounters(Protocol):
    """What a source that follows an API server counts."""

    @property
    def reflectors(self) -> Sequence[FeedCounters]: ...


class BlockMetrics:
    """Of the cluster that *zone*, in presentation format, stands for."""

    def __init__(self, zone: str, state: ClusterState) -> None:
        self._zone = zone
        self._state = state
        self._source: object = None
        self.traffic = ApiTraffic()

    def __repr__(self) -> str:
        return f"<BlockMetrics {self._zone} source={self._source!r}>"

    def watching(self, factory: SourceFactory) -> SourceFactory:
        """*factory*, with what it makes remembered for its counters."""

        async def make(state: ClusterState, feeds: frozenset[Feed]) -> Source:
            self._source = source = await factory(state, feeds)
            return source

        return make

    def families(self) -> Iterator[AnyFamily]:
        zone, state = (self._zone,), self._state
        yield Family(
            "dnsserver_kubernetes_synced",
            Kind.GAUGE,
            "1 once every resource has had its first full list.",
            ("zone",),
            ((zone, float(state.synced)),),
            min,
        )
        yield Family(
            "dnsserver_kubernetes_restored",
            Kind.GAUGE,
            "1 while the state of an earlier run is served.",
            ("zone",),
            ((zone, float(state.restored)),),
            max,
        )
        stale = state.stale
        yield self._by_feed(
            "feed_stale", "1 while a resource cannot be followed.", lambda feed: float(feed in stale)
        )
        yield self._by_feed("objects", "Objects that are served.", lambda feed: float(state.count(feed)))
        yield from self.traffic.families()
        if isinstance(self._source, LiveCounters):
            yield from self._of_feeds(self._source.reflectors)
        if isinstance(self._source, ManifestCounters):
            yield from self._of_manifests(self._source)

    def _by_feed(self, name: str, text: str, number: Callable[[Feed], float]) -> Family:
        samples = tuple(((self._zone, feed.value), number(feed)) for feed in self._state.feeds)
        return Family(f"dnsserver_kubernetes_{name}", Kind.GAUGE, text, ("zone", "feed"), samples, max)

    def _of_feeds(self, counted: Sequence[FeedCounters]) -> Iterator[Family]:
        numbers: Sequence[tuple[str, str, Callable[[FeedCounters], int]]] = (
            ("lists", "Lists that were taken over whole.", lambda each: each.lists_total),
            ("watches", "Watches that the API server took up.", lambda each: each.watches_total),
            ("events", "Events of watches, bookmarks and errors included.", lambda each: each.events_total),
            (
                "failures",
                "Lists and watches that ended otherwise than they should.",
                lambda each: each.failures_total,
            ),
        )
        for name, text, number in numbers:
            samples = tuple(((self._zone, each.feed.value), float(number(each))) for each in counted)
            yield Family(f"dnsserver_kubernetes_{name}_total", Kind.COUNTER, text, ("zone", "feed"), samples)

    def _of_manifests(self, source: ManifestCounters) -> Iterable[Family]:
        for name, text, number in (
            ("errors", "Times that a manifest was found broken.", source.errors_total),
            ("reloads", "Times that changed manifests were taken over.", source.reloads_total),
        ):
            samples = (((self._zone,), float(number)),)
            yield Family(f"dnsserver_manifest_{name}_total", Kind.COUNTER, text, ("zone",), samples)
