"""What `forward` counts (coredns-compat.md, section 4.2)."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dnsserver.observability.counters import Histogram, no_durations
from dnsserver.observability.families import AnyFamily, Family, HistogramFamily, Kind, counter
from dnsserver.plugins.forward.rcodes import rcode_label

#: The value of `proxy_name`.
PROXY = "forward"


@dataclass(slots=True)
class ForwardCounters:
    """The numbers of all `forward` of a server block; upstreams are named as `192.0.2.53:53`."""

    broken: int = 0
    """Times that a question found all upstreams down."""
    rejected: int = 0
    """Queries beyond `max_concurrent`."""
    coalesced: int = 0
    """Queries that waited for the reply to an equal one."""
    seconds: dict[tuple[str, int], Histogram] = field(default_factory=dict)
    """From a question to its reply, by upstream and RCODE."""
    failed_checks: Counter[str] = field(default_factory=Counter)
    connections: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    """Questions by upstream, protocol, and whether there was a connection that could be used again."""

    def lasted(self, upstream: str, rcode: int, seconds: float) -> None:
        histogram = self.seconds.get((upstream, rcode))
        if histogram is None:
            histogram = self.seconds[upstream, rcode] = no_durations()
        histogram.add(seconds, 1)

    def connection(self, upstream: str, protocol: str) -> Callable[[bool], None]:
        """What is told of each question by *protocol* whether there was a connection."""
        hit, miss = (upstream, protocol, True), (upstream, protocol, False)
        connections = self.connections

        def count(reused: bool) -> None:
            connections[hit if reused else miss] += 1

        return count

    def families(self) -> Iterator[AnyFamily]:
        yield counter(
            "coredns_forward_healthcheck_broken_total",
            "Questions that found all upstreams down.",
            self.broken,
        )
        yield counter(
            "coredns_forward_max_concurrent_rejects_total",
            "Queries refused because of max_concurrent.",
            self.rejected,
        )
        yield counter(
            "dnsserver_forward_coalesced_total",
            "Queries answered with the reply to an equal one that was under way.",
            self.coalesced,
        )
        yield HistogramFamily(
            "coredns_proxy_request_duration_seconds",
            "Seconds from a question to an upstream's reply.",
            ("proxy_name", "to", "rcode"),
            tuple(
                ((PROXY, upstream, rcode_label(rcode)), found.copy())
                for (upstream, rcode), found in self.seconds.items()
            ),
        )
        yield Family(
            "coredns_proxy_healthcheck_failures_total",
            Kind.COUNTER,
            "Health checks without a reply.",
            ("proxy_name", "to"),
            tuple(((PROXY, upstream), number) for upstream, number in self.failed_checks.items()),
        )
        yield self._cache("hits", "Questions over a connection that was open already.", True)
        yield self._cache("misses", "Questions that a connection was opened for.", False)

    def _cache(self, what: str, text: str, reused: bool) -> Family:
        return Family(
            f"coredns_proxy_conn_cache_{what}_total",
            Kind.COUNTER,
            text,
            ("proxy_name", "to", "proto"),
            tuple(
                ((PROXY, upstream, protocol), number)
                for (upstream, protocol, was_reused), number in self.connections.items()
                if was_reused is reused
            ),
        )
