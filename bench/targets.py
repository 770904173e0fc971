"""What the figures have to be, and whether they are."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.churn import CALM, CHANGE_RATE, CHANGING
from bench.outside import CACHED, CLUSTER_NAME
from bench.peers import COREDNS_ALL
from bench.queries import RATE
from bench.reloads import ONE_PROCESS, RELOADING, STOPPING
from bench.results import COREDNS, KNOT, OURS, Results, Section
from bench.sizes import SIZES, figures_of
from bench.start import DOWN, UP
from bench.sync import ENDPOINTS, SERVICES

HEAD = ("target", "at most", "measured", "met")


@dataclass(frozen=True, slots=True)
class Target:
    """`unit` follows the limit and the figure."""

    title: str
    limit: float
    unit: str
    figure: Callable[[Results], float | None]

    def row(self, results: Results) -> list[str]:
        found = self.figure(results)
        if found is None:
            return [self.title, self._told(self.limit), "not measured", "–"]
        met = "yes" if found <= self.limit else "**no**"
        return [
            self.title,
            self._told(self.limit),
            self._told(found, "" if found == int(found) else ".2f"),
            met,
        ]

    def _told(self, value: float, form: str = "g") -> str:
        return f"{value:{form or 'g'}}{self.unit}"


def _ratio(title: str, limit: float, metric: str, mine: tuple[str, str], other: tuple[str, str]) -> Target:
    return Target(title, limit, " ×", lambda results: results.ratio(metric, mine, other))


def _plain(title: str, limit: float, unit: str, scene: str, metric: str) -> Target:
    return Target(title, limit, unit, lambda results: results.figures.get((scene, OURS, metric)))


def _lost(title: str, scene: str) -> Target:
    """With one worker and in one process together."""

    def lost(results: Results) -> float | None:
        found = [results.figures.get((scene, server, "lost")) for server in (OURS, ONE_PROCESS)]
        counts = [count for count in found if count is not None]
        return sum(counts) if counts else None

    return Target(title, 0, "", lost)


def _cost(scene: str, title: str, peer: str, limit: float) -> Target:
    """As many as the server takes: the table of the same at a fixed rate has ratios of its own."""
    return _ratio(f"CPU per query, {title}, to {peer}", limit, "cpu_us", (scene, OURS), (scene, peer))


TARGETS = (
    _cost("hits", "A hits", KNOT, 1.35),
    _cost("hits", "A hits", COREDNS, 0.2),
    _cost("hits", "A hits", COREDNS_ALL, 0.2),
    _cost("mix", "mix", KNOT, 1.45),
    _cost("mix", "mix", COREDNS, 0.2),
    _cost("mix", "mix", COREDNS_ALL, 0.2),
    _ratio(
        "CPU per query, cached outside name, to a name of the cluster",
        1.5,
        "cpu_us",
        (CACHED, OURS),
        (CLUSTER_NAME, OURS),
    ),
    _ratio(
        f"CPU per query, {SIZES[-1]:,} Services, to {SIZES[0]:,}",
        1.15,
        "cpu_us",
        (figures_of(SIZES[-1]), OURS),
        (figures_of(SIZES[0]), OURS),
    ),
    _ratio(
        f"p99 at {RATE:,} queries/s with {CHANGE_RATE} endpoint changes/s, to without",
        2.0,
        "p99_us",
        (CHANGING, OURS),
        (CALM, OURS),
    ),
    _plain("queries lost in it", 0, "", CHANGING, "lost"),
    _lost("queries lost by a reload a second", RELOADING),
    _lost("queries lost by SIGTERM with lameduck", STOPPING),
    _plain(f"PSS, {SERVICES:,} Services and {ENDPOINTS:,} endpoints", 120, " MiB", "sync", "pss_mib"),
    Target(
        "peak PSS of the first sync, to PSS after it",
        1.3,
        " ×",
        lambda results: _quotient(results, "peak_mib", "pss_mib"),
    ),
    _plain("start, API server up", 3, " s", UP, "seconds"),
    _plain("start, API server down, stored state", 0.5, " s", DOWN, "seconds"),
)


def _quotient(results: Results, above: str, below: str) -> float | None:
    pair = [results.figures.get(("sync", OURS, metric)) for metric in (above, below)]
    return pair[0] / pair[1] if pair[0] is not None and pair[1] else None


def targets(results: Results) -> Section:
    return Section("Targets, met or not, in this run:", HEAD, [target.row(results) for target in TARGETS])
