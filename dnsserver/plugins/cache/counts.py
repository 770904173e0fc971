"""The numbers of a cache (coredns-compat.md, section 4.2)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dnsserver.observability.families import Family, Kind
from dnsserver.plugins.cache.memory import Memory

_OWN = ("server", "zones", "view")
_BY_TYPE = ("server", "type", "zones", "view")


@dataclass(slots=True)
class ServerCounts:
    """What one server of the block has asked the cache."""

    requests: int = 0
    success_hits: int = 0
    denial_hits: int = 0
    misses: int = 0
    prefetches: int = 0
    served_stale: int = 0

    def hit(self, times: int = 1, *, denies: bool) -> None:
        """So many requests were answered from what is kept."""
        self.requests += times
        if denies:
            self.denial_hits += times
        else:
            self.success_hits += times

    def missed(self) -> None:
        self.requests += 1
        self.misses += 1


class CacheCounts:
    """*zones* as metrics have them; *view*: the name of the block's view, "" without one."""

    def __init__(self, memory: Memory, zones: str, view: str) -> None:
        self._memory = memory
        self._own = (zones, view)
        self._servers: dict[str, ServerCounts] = {}

    def of(self, server: str) -> ServerCounts:
        """The counts for *server*, `dns://:53`."""
        counts = self._servers.get(server)
        if counts is None:
            counts = self._servers[server] = ServerCounts()
        return counts

    def families(self) -> Iterator[Family]:
        """Nothing before the first query: the server is not known."""
        first = next(iter(self._servers), None)
        if first is None:
            return
        memory = self._memory
        sizes = (("success", len(memory.success)), ("denial", len(memory.denial)))
        evicted = (("success", memory.success.evictions), ("denial", memory.denial.evictions))
        # Servers of one block share its entries: they are told once.
        yield self._by_type("entries", Kind.GAUGE, "The number of elements in the cache.", first, sizes)
        yield self._by_type("evictions_total", Kind.COUNTER, "The count of cache evictions.", first, evicted)
        yield self._counter("requests", "The count of cache requests.", lambda each: each.requests)
        yield self._hits()
        yield self._counter(
            "misses",
            "The count of cache misses. Deprecated, derive misses from cache hits/requests counters.",
            lambda each: each.misses,
        )
        yield self._counter(
            "prefetch",
            "The number of times the cache has prefetched a cached item.",
            lambda each: each.prefetches,
        )
        yield self._counter(
            "drops",
            "The number responses that are not cached, because the reply is malformed.",
            lambda _: (
                0
            ),  # a reply to another question never comes so far: who asked goes on waiting for the right one
        )
        yield self._counter(
            "served_stale",
            "The number of requests served from stale cache entries.",
            lambda each: each.served_stale,
        )

    def _by_type(
        self, name: str, kind: Kind, text: str, server: str, numbers: tuple[tuple[str, int], ...]
    ) -> Family:
        samples = tuple(((server, half, *self._own), float(number)) for half, number in numbers)
        return Family(f"coredns_cache_{name}", kind, text, _BY_TYPE, samples)

    def _hits(self) -> Family:
        samples = tuple(
            ((server, half, *self._own), float(number))
            for server, each in self._servers.items()
            for half, number in (("success", each.success_hits), ("denial", each.denial_hits))
        )
        return Family("coredns_cache_hits_total", Kind.COUNTER, "The count of cache hits.", _BY_TYPE, samples)

    def _counter(self, name: str, text: str, number: Callable[[ServerCounts], int]) -> Family:
        samples = tuple(((server, *self._own), float(number(each))) for server, each in self._servers.items())
        return Family(f"coredns_cache_{name}_total", Kind.COUNTER, text, _OWN, samples)
