"""Counters, and the text that they become (coredns-compat.md, section 4.1)."""

import pickle
import re
from collections.abc import Iterator

import pytest

from dnsserver.observability.counters import (
    OTHER,
    SILENT,
    Exchange,
    Histogram,
    QueryCounters,
    ZoneCounters,
)
from dnsserver.observability.dns_metrics import dns_families
from dnsserver.observability.families import AnyFamily, Family, HistogramFamily, Kind, counter, merge
from dnsserver.observability.metrics import CONTENT_TYPE, Exposition

A, AAAA = 1, 28

#: Section 4.1: metric, type, labels in alphabetical order.
TABLE = """
coredns_dns_do_requests_total          counter    server,view,zone
coredns_dns_request_duration_seconds   histogram  server,view,zone
coredns_dns_request_size_bytes         histogram  proto,server,view,zone
coredns_dns_requests_total             counter    family,proto,server,type,view,zone
coredns_dns_response_size_bytes        histogram  proto,server,view,zone
coredns_dns_responses_total            counter    plugin,rcode,server,view,zone
coredns_panics_total                   counter    -
dnsserver_misjudged_total              counter    -
"""
#: Section 4, sets TB and ZB, as Go writes numbers.
BUCKETS = {
    "duration_seconds": "0.00025 0.0005 0.001 0.002 0.004 0.008 0.016 0.032 0.064 0.128 0.256 0.512 1.024 2.048 4.096"
    " 8.192 +Inf",
    "size_bytes": "0 100 200 300 400 511 1023 2047 4095 8291 16000 32000 48000 64000 +Inf",
}

_SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def counters() -> QueryCounters:
    """Two queries for one zone, one of them by TCP with DO, and one that nobody took."""
    found = QueryCounters()
    zone = found.zone("dns://:53", "cluster.local.")
    zone.add(("udp", False, A, 0, "kubernetes", False), 40, 120, 0.0003)
    zone.add(("tcp", True, OTHER, 3, "kubernetes", True), 70, 512, 0.3)
    found.zone("dns://:53", "dropped").add(("udp", False, AAAA, 5, "", False), 30, 30, 0.00001)
    return found


def text(*families: AnyFamily) -> list[str]:
    answer = Exposition(lambda: families).answer()
    assert answer.status == 200
    return answer.body.decode().splitlines()


def table(lines: list[str]) -> Iterator[str]:
    """Metric, type and labels of each metric of *lines* in the form of TABLE."""
    kind = ""
    labels: set[str] = set()
    for line in [*lines, "# TYPE end end"]:
        if line.startswith("# TYPE"):
            if kind:
                yield f"{kind} {','.join(sorted(labels - {'le'})) or '-'}"
            kind, labels = line.removeprefix("# TYPE "), set()
        elif found := _SAMPLE.match(line):
            labels |= {name for name, _ in _LABEL.findall(found["labels"] or "")}


def test_names_types_and_labels() -> None:
    lines = [line for line in text(*dns_families(counters())) if "process_" not in line]
    assert list(table(lines)) == [" ".join(row.split()) for row in TABLE.split("\n") if row]


def test_every_counter_of_queries() -> None:
    shown = [line for line in text(*dns_families(counters())) if "_total{" in line]
    server, zone = 'server="dns://:53"', 'view="",zone="cluster.local."'
    dropped = 'view="",zone="dropped"'
    assert [line.removeprefix("coredns_dns_") for line in shown] == [
        f"do_requests_total{{{server},{zone}}} 1.0",
        f'requests_total{{family="2",proto="tcp",{server},type="other",{zone}}} 1.0',
        f'requests_total{{family="1",proto="udp",{server},type="A",{zone}}} 1.0',
        f'requests_total{{family="1",proto="udp",{server},type="AAAA",{dropped}}} 1.0',
        f'responses_total{{plugin="kubernetes",rcode="NOERROR",{server},{zone}}} 1.0',
        f'responses_total{{plugin="kubernetes",rcode="NXDOMAIN",{server},{zone}}} 1.0',
        f'responses_total{{plugin="",rcode="REFUSED",{server},{dropped}}} 1.0',
    ]


def test_every_metric_is_explained() -> None:
    lines = text(*dns_families(counters()))
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    explained = [line.split()[2] for line in lines if re.match(r"# HELP \w+ \w", line)]
    assert explained == names


def test_only_counters_without_labels_are_there_from_the_start() -> None:
    lines = [line for line in text(*dns_families(QueryCounters())) if "process_" not in line]
    assert [line for line in lines if not line.startswith("#")] == [
        "coredns_panics_total 0.0",
        "dnsserver_misjudged_total 0.0",
    ]
    assert len(lines) == 6


@pytest.mark.parametrize("metric", ["request_duration_seconds", "request_size_bytes", "response_size_bytes"])
def test_bounds_of_buckets(metric: str) -> None:
    lines = [line for line in text(*dns_families(counters())) if f"{metric}_bucket" in line]
    (wanted,) = (bounds for name, bounds in BUCKETS.items() if metric.endswith(name))
    found = [dict(_LABEL.findall(line))["le"] for line in lines]
    assert found == wanted.split() * (len(found) // len(wanted.split()))
    assert found


def bucket(histogram: Histogram) -> int:
    """The number of the only bucket with an observation."""
    (found,) = (number for number, count in enumerate(histogram.counts) if count)
    return found


@pytest.mark.parametrize(
    ("seconds", "number"), [(0.0, 0), (0.00025, 0), (0.000251, 1), (0.001, 2), (8.192, 15), (8.193, 16)]
)
def test_bucket_of_a_duration(seconds: float, number: int) -> None:
    """A bucket holds its upper bound, too."""
    zone = ZoneCounters()
    zone.add(("udp", False, A, 0, "", False), 40, 40, seconds)
    assert (bucket(zone.seconds), zone.seconds.total) == (number, seconds)


@pytest.mark.parametrize(
    ("octets", "number"), [(0, 0), (12, 1), (100, 1), (511, 5), (512, 6), (64_000, 13), (65_535, 14)]
)
@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_bucket_of_a_size(octets: int, number: int, protocol: str) -> None:
    zone = ZoneCounters()
    zone.add((protocol, False, A, 0, "", False), octets, 300, 0.0)
    zone.add((protocol, False, A, 0, "", False), octets, None, 0.0)
    assert (bucket(zone.asked[protocol]), zone.asked[protocol].total) == (number, 2 * octets)
    assert (bucket(zone.sent[protocol]), zone.sent[protocol].total) == (3, 300)
    zone = ZoneCounters()
    zone.add((protocol, False, A, 0, "", False), 40, octets, 0.0)
    assert (bucket(zone.sent[protocol]), zone.sent[protocol].total) == (number, octets)


def test_buckets_are_cumulative() -> None:
    histogram = Histogram((1, 2.5), [3, 0, 4], 99.5)
    lines = text(HistogramFamily("size", "A size.", (), (((), histogram),)))
    assert lines[:7] == [
        "# HELP size A size.",
        "# TYPE size histogram",
        'size_bucket{le="1"} 3.0',
        'size_bucket{le="2.5"} 3.0',
        'size_bucket{le="+Inf"} 7.0',
        "size_count 7.0",
        "size_sum 99.5",
    ]


def test_a_silence_is_a_query_without_a_reply() -> None:
    found = QueryCounters()
    exchange: Exchange = ("udp", False, A, SILENT, "", False)
    found.zone("dns://:53", ".").add(exchange, 40, None, 0.001)
    names = {family.name for family in merge(dns_families(found))}
    assert "coredns_dns_requests_total" in names
    assert "coredns_dns_responses_total" not in names
    assert (
        'coredns_dns_response_size_bytes_count{proto="udp",server="dns://:53",view="",zone="."} 0.0'
        in text(*dns_families(found))
    )


def test_counters_of_several_processes_add_up() -> None:
    """They travel as values; the sum shows what one process would have shown that had done all."""
    one, other = counters(), counters()
    one.panics, other.panics = 1, 2
    other.zone("dns://:53", "only.here.").add(("udp", False, A, 0, "", False), 1, 2, 0.5)
    total = QueryCounters()
    for part in (one, other):
        total.merge(pickle.loads(pickle.dumps(part)))
    zone = total.zone("dns://:53", "cluster.local.")
    assert zone.exchanges == {
        ("udp", False, A, 0, "kubernetes", False): 2,
        ("tcp", True, OTHER, 3, "kubernetes", True): 2,
    }
    assert sum(zone.seconds.counts) == 4
    assert zone.seconds.total == pytest.approx(0.6006)
    assert zone.asked["tcp"].total == 140
    assert zone.sent["udp"].counts[2] == 2
    assert sum(total.zone("dns://:53", "only.here.").exchanges.values()) == 1
    assert total.panics == 3
    assert one == replace_panics(counters(), 1), "the parts stay as they were"


def replace_panics(found: QueryCounters, panics: int) -> QueryCounters:
    found.panics = panics
    return found


def test_parts_of_the_server_make_one_metric() -> None:
    def part(*samples: tuple[tuple[str, ...], float]) -> Family:
        return Family("objects", Kind.GAUGE, "Objects.", ("zone",), samples, max)

    histograms = [HistogramFamily("took", "Time.", (), (((), Histogram((1,), [1, 0], 1)),)) for _ in range(2)]
    parts = (part((("b",), 1), (("a",), 5)), part((("b",), 3)), part())
    merged = merge([counter("b_total", "B.", 2), *histograms, *parts, counter("b_total", "B.", 3)])
    assert merged == [
        counter("b_total", "B.", 5),
        part((("a",), 5), (("b",), 3)),
        HistogramFamily("took", "Time.", (), (((), Histogram((1,), [2, 0], 2)),)),
    ]
    assert histograms[0].samples[0][1].total == 1, "what was handed out stays as it was"


def test_a_name_has_one_meaning() -> None:
    with pytest.raises(ValueError, match="took"):
        merge(
            [
                HistogramFamily("took", "", (), (((), Histogram((1,))),)),
                Family("took", Kind.GAUGE, "", (), (((), 1),)),
            ]
        )


def test_label_values_are_escaped() -> None:
    lines = text(Family("one", Kind.GAUGE, "One.", ("zone",), ((('a"\\b\n',), 1),)))
    assert 'one{zone="a\\"\\\\b\\n"} 1.0' in lines


def test_the_text_says_what_it_is() -> None:
    answer = Exposition(tuple).answer()
    assert (
        answer.content_type
        == CONTENT_TYPE
        == "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    )
