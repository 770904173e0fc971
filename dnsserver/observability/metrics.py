"""Metrics as text, for Prometheus [prometheus_client]."""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from dnsserver.observability.counters import Histogram
from dnsserver.observability.families import AnyFamily, HistogramFamily, Kind, merge
from dnsserver.observability.http import HttpAnswer

#: What CoreDNS says of its text, whoever asks (coredns-compat.md, section 4).
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"


class Exposition:
    """The text of *families*, as they are when asked for."""

    def __init__(self, families: Callable[[], Iterable[AnyFamily]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Families(families))

    def answer(self) -> HttpAnswer:
        return HttpAnswer(200, generate_latest(self._registry), CONTENT_TYPE)


class _Families(Collector):
    def __init__(self, families: Callable[[], Iterable[AnyFamily]]) -> None:
        self._families = families

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is to tell is not known before the server is built."""
        return ()

    def collect(self) -> Iterator[Metric]:
        return map(_metric, merge(self._families()))


def _metric(family: AnyFamily) -> Metric:
    if isinstance(family, HistogramFamily):
        histograms = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        for labels, histogram in family.samples:
            histograms.add_metric(labels, _buckets(histogram), histogram.total)
        return histograms
    kind = CounterMetricFamily if family.kind is Kind.COUNTER else GaugeMetricFamily
    metric = kind(family.name, family.help, labels=family.labels)
    for labels, number in family.samples:
        metric.add_metric(labels, number)
    return metric


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """The bounds as Go writes them, with how many observations lie at or below each: `le` is compared as text."""
    bounds = [*(f"{bound:g}" for bound in histogram.bounds), "+Inf"]
    return list(zip(bounds, accumulate(histogram.counts), strict=True))
