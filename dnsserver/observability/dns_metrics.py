"""The counters of queries as CoreDNS's metrics (coredns-compat.md, section 4.1)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from dnsserver.observability.counters import OTHER, SILENT, Exchange, Histogram, QueryCounters, ZoneCounters
from dnsserver.observability.families import AnyFamily, Family, HistogramFamily, Kind, LabelValues, counter
from dnsserver.wire.codes import rcode_name, type_name

#: The first labels of every metric of queries.
PLACE = ("server", "zone", "view")

#: Server, zone and view, and what was counted there.
_Place = tuple[LabelValues, ZoneCounters]


def dns_families(counters: QueryCounters) -> Iterator[AnyFamily]:
    """What *counters* come to."""
    places: list[_Place] = list(counters.zones.items())
    yield counter("coredns_panics_total", "Exceptions that a plugin let through.", counters.panics)
    yield counter(
        "dnsserver_misjudged_total",
        "Quick answers that differed from the slow path's (`--judge`).",
        counters.misjudged,
    )
    yield _sums("requests", "Queries that were read.", ("proto", "family", "type"), places, _request)
    yield _sums("do_requests", "Queries with the DO bit.", (), places, _do_request)
    yield _sums("responses", "Replies that were sent.", ("rcode", "plugin"), places, _response)
    yield HistogramFamily(
        "coredns_dns_request_duration_seconds",
        "Seconds from a query's arrival to its reply.",
        PLACE,
        tuple((place, counted.seconds) for place, counted in places if counted.exchanges),
    )
    yield _sizes("request", "Octets of queries.", ((place, counted.asked) for place, counted in places))
    yield _sizes("response", "Octets of replies.", ((place, counted.sent) for place, counted in places))


def _sums(
    what: str,
    text: str,
    labels: tuple[str, ...],
    places: Iterable[_Place],
    values: Callable[[Exchange], LabelValues | None],
) -> Family:
    """The exchanges by what *values* makes of them; those of which it makes None are left out."""
    found: Counter[LabelValues] = Counter()
    for place, counted in places:
        for exchange, number in counted.exchanges.items():
            more = values(exchange)
            if more is not None:
                found[place + more] += number
    return Family(f"coredns_dns_{what}_total", Kind.COUNTER, text, PLACE + labels, tuple(found.items()))


def _request(exchange: Exchange) -> LabelValues:
    protocol, is_ipv6, rtype, _, _, _ = exchange
    return protocol, "2" if is_ipv6 else "1", "other" if rtype == OTHER else type_name(rtype)


def _do_request(exchange: Exchange) -> LabelValues | None:
    return () if exchange[5] else None


def _response(exchange: Exchange) -> LabelValues | None:
    rcode, plugin = exchange[3:5]
    return None if rcode == SILENT else (rcode_name(rcode), plugin)


def _sizes(
    what: str, text: str, places: Iterable[tuple[LabelValues, dict[str, Histogram]]]
) -> HistogramFamily:
    samples = tuple(
        ((*place, protocol), sizes) for place, found in places for protocol, sizes in found.items()
    )
    return HistogramFamily(f"coredns_dns_{what}_size_bytes", text, (*PLACE, "proto"), samples)
