"""The plot: CPU microseconds per query, a panel for each scene, a bar for each server."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.churn import CHANGING
from bench.headless import LOOKUP
from bench.outside import CACHED, UNCACHED
from bench.results import COREDNS, DNSMASQ, KNOT, NSD, OURS, UNBOUND, Results
from bench.sizes import SIZES, figures_of

#: By scene, in the order of the plot. Scenes differ by a factor of a hundred, so each panel has a scale of its own.
PANELS = {
    "hits": "A hits, full load",
    "mix": "mix, full load",
    figures_of(SIZES[-1]): f"{SIZES[-1]:,} Services, full load",
    "tcp": "TCP, full load",
    "hits-fixed": "A hits, 20,000 queries/s",
    CHANGING: "20,000 queries/s + 500 changes/s",
    "low": "A hits, 1,000 queries/s",
    CACHED: "outside names, cached",
    UNCACHED: "outside names, forwarded",
    LOOKUP: "1,000 endpoints: UDP, then TCP",
}
LABELS = {
    OURS: "dnsserver (Python)",
    KNOT: "Knot DNS (C)",
    NSD: "NSD (C)",
    UNBOUND: "Unbound (C)",
    DNSMASQ: "dnsmasq (C)",
    COREDNS: "CoreDNS (Go)",
}
COLORS = {
    OURS: "#1f6feb",
    KNOT: "#6e7781",
    NSD: "#a3abb3",
    UNBOUND: "#6e7781",
    DNSMASQ: "#a3abb3",
    COREDNS: "#d29922",
}
COLUMNS = 4
#: Inches.
WIDTH_INCH, ROW_INCH, HEAD_INCH, FOOT_INCH, PANEL_HEAD_INCH = 12.6, 1.75, 0.75, 0.3, 0.42
TITLE = "CPU time per query, µs: less is better. Each panel has a scale of its own"
#: Its own ground, so that it is the same to see on a white and on a dark page.
GROUND, INK, FRAME = "#ffffff", "#1f2328", "#d0d7de"
PIXELS_PER_INCH = 160


def draw(results: Results, caption: str, path: Path) -> bool:
    """Write the plot as PNG; False when no scene of it was measured."""
    panels = [scene for scene in PANELS if (scene, OURS, "cpu_us") in results.figures]
    if not panels:
        return False
    rows = -(-len(panels) // COLUMNS)
    height = ROW_INCH * rows + HEAD_INCH + FOOT_INCH
    figure = Figure(figsize=(WIDTH_INCH, height), facecolor=GROUND, edgecolor=FRAME, linewidth=2)
    figure.text(0.02, 1 - 0.32 / height, TITLE, color=INK, fontsize=15, weight="bold")
    figure.text(0.02, 1 - 0.58 / height, _summary(results), color=COLORS[OURS], fontsize=11)
    for place, scene in enumerate(panels):
        row, column = divmod(place, COLUMNS)
        top = height - HEAD_INCH - row * ROW_INCH - PANEL_HEAD_INCH
        inches = (ROW_INCH - PANEL_HEAD_INCH - 0.15) / height
        left, width = 0.02 + column / COLUMNS, 1 / COLUMNS - 0.03
        _panel(figure.add_axes((left, top / height - inches, width, inches)), results, scene)
    figure.text(0.02, 0.12 / height, caption, color=INK, fontsize=7.5)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=PIXELS_PER_INCH, facecolor=GROUND, edgecolor=FRAME)
    return True


def _panel(axes: Axes, results: Results, scene: str) -> None:
    names = [name for name in LABELS if (scene, name, "cpu_us") in results.figures]
    costs = [results.figures[scene, name, "cpu_us"] for name in names]
    axes.barh(range(len(names)), costs, color=[COLORS[name] for name in names], height=0.74)
    for place, (name, cost) in enumerate(zip(names, costs, strict=True)):
        # Names stand next to their bars: nothing has to be looked up in a legend.
        text = f"{cost:,.1f}  {LABELS[name]}" if cost < 100 else f"{cost:,.0f}  {LABELS[name]}"
        weight = "bold" if name == OURS else "normal"
        axes.text(cost + max(costs) * 0.02, place, text, va="center", fontsize=8.5, color=INK, weight=weight)
    axes.set_xlim(0, max(costs) * 2.4)
    axes.set_ylim(len(LABELS) - 0.5, -0.5)
    axes.set_axis_off()
    head = axes.transAxes
    axes.text(0, 1.17, PANELS[scene], transform=head, fontsize=10, color=INK, weight="bold")
    axes.text(0, 1.03, _ratios(results, scene), transform=head, fontsize=8.5, color=COLORS[OURS])


def _summary(results: Results) -> str:
    """The ratios of the first panel, in words."""
    ratios = _ratios(results, "hits")
    return f"dnsserver takes {ratios}, for A records of 10,000 Services" if ratios else ""


def _ratios(results: Results, scene: str) -> str:
    found = {
        label: results.ratio("cpu_us", (scene, OURS), (scene, peer))
        for peer, label in ((KNOT, "Knot"), (COREDNS, "CoreDNS"))
    }
    return ", ".join(f"{ratio:.2f} × {label}" for label, ratio in found.items() if ratio is not None)
