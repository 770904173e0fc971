"""What the scenes found: sections with a table for people, and figures for the targets and for the plot."""

from collections.abc import Sequence
from dataclasses import dataclass, field

#: By scene, server and metric. Metrics carry their units in their names: cpu_us, p99_us, pss_mib, seconds.
Figures = dict[tuple[str, str, str], float]
OURS, KNOT, COREDNS, NSD = "dnsserver", "knot", "coredns", "nsd"
UNBOUND, DNSMASQ = "unbound", "dnsmasq"
#: The peers that tables have a column of ratios for.
PEERS = (KNOT, COREDNS)


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def text(self) -> str:
        """As Markdown, without a heading."""
        lines = [f"| {' | '.join(cells)} |" for cells in (self.head, ["---"] * len(self.head), *self.rows)]
        return "\n\n".join([self.title, "\n".join(lines), *self.notes])


@dataclass(slots=True)
class Results:
    """Sections are printed as they come."""

    sections: list[Section] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What is missing or was left out, a sentence each."""
    figures: Figures = field(default_factory=dict)

    def add(self, section: Section) -> None:
        self.sections.append(section)
        print(f"\n{section.text()}", flush=True)

    def remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)
            print(f"\n{text}", flush=True)

    def ratio(self, metric: str, mine: tuple[str, str], other: tuple[str, str]) -> float | None:
        """The figure of (scene, server) *mine* as a multiple of that of *other*; None where one is missing."""
        above, below = self.figures.get((*mine, metric)), self.figures.get((*other, metric))
        return above / below if above is not None and below else None

    def to_peers(self, scene: str, server: str, metric: str = "cpu_us") -> list[str]:
        """Two cells: the ratio to each of PEERS."""
        found = [self.ratio(metric, (scene, server), (scene, peer)) for peer in PEERS]
        return [
            "–" if ratio is None else f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}" for ratio in found
        ]
