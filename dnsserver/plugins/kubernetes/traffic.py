"""What is counted of the traffic with the API server, by the names that CoreDNS has for it (coredns-compat.md, 4.2)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from dnsserver.observability.counters import Histogram
from dnsserver.observability.families import AnyFamily, Family, HistogramFamily, Kind
from dnsserver.zone.objects import Service

#: Seconds. Upper bounds of the buckets of requests: the default ones of Prometheus.
REQUEST_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Seconds. Those of changes on their way from the cluster to here: 1 ms, doubled 19 times.
PROGRAMMING_BOUNDS = tuple(0.001 * 2**power for power in range(20))
#: All requests are reads.
_VERB = "GET"


class ApiTraffic:
    """A Meter of sources/kubernetes."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()
        self._took: dict[str, Histogram] = {}
        self._held_back: dict[str, Histogram] = {}
        self._programmed: dict[str, Histogram] = {}

    def held_back(self, host: str, seconds: float) -> None:
        _observe(self._held_back, host, seconds, REQUEST_BOUNDS)

    def requested(self, host: str, code: str) -> None:
        self._requests[code, host] += 1

    def took(self, host: str, seconds: float) -> None:
        _observe(self._took, host, seconds, REQUEST_BOUNDS)

    def programmed(self, service: Service, seconds: float) -> None:
        kind = "headless_with_selector" if service.headless else "cluster_ip"
        _observe(self._programmed, kind, seconds, PROGRAMMING_BOUNDS)

    def families(self) -> Iterator[AnyFamily]:
        yield HistogramFamily(
            "coredns_kubernetes_dns_programming_duration_seconds",
            "Seconds from a change in the cluster until it can be served.",
            ("service_kind",),
            tuple(((kind,), found) for kind, found in self._programmed.items()),
        )
        yield Family(
            "coredns_kubernetes_rest_client_requests_total",
            Kind.COUNTER,
            "Requests to the API server, by status code, method and host.",
            ("code", "method", "host"),
            tuple(((code, _VERB, host), float(number)) for (code, host), number in self._requests.items()),
        )
        yield _by_host("request", "Seconds that lists took, by verb and host.", self._took)
        yield _by_host("rate_limiter", "Seconds that requests were held back for.", self._held_back)


def _observe(table: dict[str, Histogram], key: str, seconds: float, bounds: Sequence[float]) -> None:
    table.setdefault(key, Histogram(bounds)).add(seconds, 1)


def _by_host(what: str, text: str, table: Mapping[str, Histogram]) -> HistogramFamily:
    samples = tuple(((_VERB, host), found) for host, found in table.items())
    return HistogramFamily(
        f"coredns_kubernetes_rest_client_{what}_duration_seconds", text, ("verb", "host"), samples
    )
