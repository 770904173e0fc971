"""Metrics from one process to another: families to octets and back [msgspec]."""

import operator
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from dnsserver.observability.counters import Histogram
from dnsserver.observability.families import AnyFamily, Family, HistogramFamily, Kind

#: How numbers with the same labels become one; a function cannot be sent, its name can.
_TOGETHER: dict[str, Callable[[float, float], float]] = {"sum": operator.add, "min": min, "max": max}
_NAMES = {function: name for name, function in _TOGETHER.items()}

_Labels = tuple[str, ...]
_Number = tuple[str, str, str, _Labels, list[tuple[_Labels, float]], str]
_Histogram = tuple[str, str, _Labels, list[tuple[_Labels, list[float], list[int], float]]]
_decoder = msgspec.msgpack.Decoder(tuple[list[_Number], list[_Histogram]])


def encode_families(families: Iterable[AnyFamily]) -> bytes:
    """*families* as octets for `decode_families`. Raises ValueError for one whose numbers go together in a way that
    is neither sum, min nor max."""
    numbers: list[Any] = []
    histograms: list[Any] = []
    for family in families:
        if isinstance(family, Family):
            together = _NAMES.get(family.together)
            if together is None:
                raise ValueError(f"{family.name}: {family.together!r} cannot be sent")
            numbers.append(
                (family.name, family.kind.value, family.help, family.labels, family.samples, together)
            )
        else:
            samples = [
                (labels, tuple(found.bounds), found.counts, found.total) for labels, found in family.samples
            ]
            histograms.append((family.name, family.help, family.labels, samples))
    return msgspec.msgpack.encode((numbers, histograms))


def decode_families(octets: bytes) -> list[AnyFamily]:
    """What `encode_families` was given. Raises ValueError when *octets* are something else."""
    numbers, histograms = _decoder.decode(octets)
    found: list[AnyFamily] = [
        Family(name, Kind(kind), text, labels, tuple(samples), _TOGETHER[together])
        for name, kind, text, labels, samples, together in numbers
    ]
    found += [
        HistogramFamily(
            name,
            text,
            labels,
            tuple((each, Histogram(tuple(bounds), counts, total)) for each, bounds, counts, total in samples),
        )
        for name, text, labels, samples in histograms
    ]
    return found


def lasting(families: Iterable[AnyFamily]) -> list[AnyFamily]:
    """Those that go on counting when the process that counted is replaced by another: no gauges."""
    return [
        family for family in families if isinstance(family, HistogramFamily) or family.kind is Kind.COUNTER
    ]
