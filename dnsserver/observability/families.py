"""Metrics as values: what any part of the server hands out when somebody asks for its numbers."""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum

from dnsserver.observability.counters import Histogram

#: The values of a family's labels, in their order.
LabelValues = tuple[str, ...]


class Kind(Enum):
    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its full name (a counter's ends in `_total`), and a number for each set of labels."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    samples: tuple[tuple[LabelValues, float], ...] = ()
    together: Callable[[float, float], float] = operator.add
    """What two parts of the server with the same labels come to."""

    def merged(self, other: "Family") -> "Family":
        numbers = dict(self.samples)
        for labels, number in other.samples:
            numbers[labels] = self.together(numbers[labels], number) if labels in numbers else number
        return replace(self, samples=tuple(numbers.items()))


@dataclass(frozen=True, slots=True)
class HistogramFamily:
    """One metric that is a histogram for each set of labels."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    samples: tuple[tuple[LabelValues, Histogram], ...] = ()

    def merged(self, other: "HistogramFamily") -> "HistogramFamily":
        found = {labels: histogram.copy() for labels, histogram in self.samples}
        for labels, histogram in other.samples:
            if labels in found:
                found[labels].merge(histogram)
            else:
                found[labels] = histogram
        return replace(self, samples=tuple(found.items()))


AnyFamily = Family | HistogramFamily


def merge(families: Iterable[AnyFamily]) -> list[AnyFamily]:
    """*families* sorted, with each name and in it each set of labels once, and those without samples left out: the
    exposition format wants it so."""
    found: dict[str, AnyFamily] = {}
    for family in families:
        if family.samples:
            held = found.get(family.name)
            found[family.name] = family if held is None else _two(held, family)
    return [_sorted(found[name]) for name in sorted(found)]


def counter(name: str, text: str, number: float) -> Family:
    """A counter without labels."""
    return Family(name, Kind.COUNTER, text, (), (((), number),))


def _two(held: AnyFamily, family: AnyFamily) -> AnyFamily:
    if isinstance(held, Family) and isinstance(family, Family):
        return held.merged(family)
    if isinstance(held, HistogramFamily) and isinstance(family, HistogramFamily):
        return held.merged(family)
    raise ValueError(f"{held.name} is a histogram for one part of the server, and none for another")


def _sorted(family: AnyFamily) -> AnyFamily:
    if isinstance(family, Family):
        return replace(family, samples=tuple(sorted(family.samples)))
    return replace(family, samples=tuple(sorted(family.samples, key=lambda sample: sample[0])))
