"""What `template` counts (coredns-compat.md, section 4.2)."""

from collections import Counter
from collections.abc import Iterator

from dnsserver.answering.query import Query
from dnsserver.observability.families import Family, Kind
from dnsserver.plugins.place import server_label
from dnsserver.plugins.template.matching import Matched

_PLACE = ("server", "zone", "view", "class", "type")


class TemplateCounts:
    """Of the templates of one server block, whose view is *view*."""

    def __init__(self, view: str) -> None:
        self._view = view
        self._matches: Counter[tuple[str, ...]] = Counter()
        self._failures: Counter[tuple[str, ...]] = Counter()
        self._broken_records: Counter[tuple[str, ...]] = Counter()

    def __repr__(self) -> str:
        return f"<TemplateCounts matches={self._matches.total()}>"

    def matched(self, query: Query, found: Matched) -> None:
        self._matches[self._place(query, found)] += 1

    def failed(self, query: Query, found: Matched, section: str, template: str) -> None:
        """A template could not be run."""
        self._failures[*self._place(query, found), section, template] += 1

    def broken(self, query: Query, found: Matched, section: str, template: str) -> None:
        """What a template gave is no record."""
        self._broken_records[*self._place(query, found), section, template] += 1

    def _place(self, query: Query, found: Matched) -> tuple[str, ...]:
        return server_label(query.arrival), found.zone, self._view, found.rclass, found.rtype

    def families(self) -> Iterator[Family]:
        for name, text, labels, counts in (
            ("matches", "Counter of template regex matches.", _PLACE, self._matches),
            (
                "template_failures",
                "Counter of go template failures.",
                (*_PLACE, "section", "template"),
                self._failures,
            ),
            (
                "rr_failures",
                "Counter of mis-templated RRs.",
                (*_PLACE, "section", "template"),
                self._broken_records,
            ),
        ):
            samples = tuple((place, float(number)) for place, number in counts.items())
            yield Family(f"coredns_template_{name}_total", Kind.COUNTER, text, labels, samples)
