"""What a query costs, here and elsewhere, by the same load: the scenes `hits`, `mix`, `tcp` and `low`.

All servers are up at the same time, and the load goes to one at a time, by turns.
"""

import math
from dataclasses import replace
from itertools import islice
from pathlib import Path

from bench.cluster import CLUSTER, HITS, QUERIES, Mix, write_queries
from bench.effort import Bench
from bench.load import BUSY, NOISE, Loads, Measured, median, told_others
from bench.peers import COREDNS_ALL, check
from bench.results import PEERS, Results, Section
from bench.subject import TICKS, Running
from bench.tools import Load, warm_up

#: Queries a second where latency is measured: every server takes them with time to spare. The prober's come on top.
RATE, PROBE_RATE = 20_000, 1_000
#: Queries a second at low load, and those of the prober among them.
LOW_RATE, LOW_PROBE_RATE = 1_000, 500
#: Queries whose answers are looked at before.
CHECKED = 500
#: Percentage points. By so much the share of NXDOMAIN may be off.
SHARE_OFF = 2.0

Subjects = dict[str, Running]
Runs = dict[str, list[Measured]]

COSTS = ("CPU µs/query", "from-to", "to knot", "to coredns")
MOST_HEAD = (
    "server",
    *COSTS,
    "queries/s",
    "to knot",
    "to coredns",
    "CPU % of a core",
    "average latency µs",
    "lost",
)
FIXED_HEAD = (
    "server",
    *COSTS,
    "CPU % of a core",
    "p50 µs",
    "p99 µs",
    "p99.9 µs",
    "lost",
    "RSS MiB",
    "PSS MiB",
)
ALL_CORES_NOTE = (
    f"{COREDNS_ALL}: it has no setting for one core, so this one is as it comes; it shares the second core with "
    "dnsperf. All other servers have one core."
)


async def hits(bench: Bench, subjects: Subjects) -> None:
    await _mix(bench, "hits", HITS, subjects)


async def mix(bench: Bench, subjects: Subjects) -> None:
    await _mix(bench, "mix", CLUSTER, subjects)


async def tcp(bench: Bench, subjects: Subjects) -> None:
    file = bench.folder / "queries"
    subjects = on_one_core(subjects)
    await _prepare(HITS, file, subjects, tcp=True)
    load = Load(file, bench.effort.most_s, tcp=True)
    runs = await by_turns(bench, subjects, load, bench.effort.rounds)
    keep(bench.results, "tcp", runs)
    title = f"`tcp`: A hits over 10 TCP connections that stay, as many as the server takes{_told(runs, load)}"
    rows = rows_of_most(bench.results, "tcp", runs)
    bench.results.add(Section(title, MOST_HEAD, rows, _notes(runs)))


async def low(bench: Bench, subjects: Subjects) -> None:
    file = bench.folder / "queries"
    subjects = on_one_core(subjects)
    await _prepare(HITS, file, subjects)
    load = Load(file, bench.effort.slow_s, LOW_RATE - LOW_PROBE_RATE, LOW_PROBE_RATE)
    runs = await by_turns(bench, subjects, load, bench.effort.few)
    keep(bench.results, "low", runs)
    title = f"`low`: A hits, {LOW_RATE:,} queries a second, half of them the prober's{_told(runs, load)}"
    rows = _rows_of_fixed(bench.results, "low", runs, subjects)
    step_us = 1e6 / TICKS / (LOW_RATE * bench.effort.slow_s)
    step = f"The kernel counts CPU time in steps, of {step_us:.1f} µs per query here."
    bench.results.add(Section(title, FIXED_HEAD, rows, [told_others(runs.values()), step]))


def on_one_core(subjects: Subjects) -> Subjects:
    return {name: subject for name, subject in subjects.items() if name != COREDNS_ALL}


async def by_turns(bench: Bench, subjects: Subjects, load: Load, rounds: int) -> Runs:
    """Every server once, then all again."""
    loads, runs = Loads(bench.effort.repeats), {name: list[Measured]() for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            runs[name].append(await loads.run(subject, load))
    return runs


def keep(results: Results, scene: str, runs: Runs) -> None:
    """The medians, as figures of *scene*."""
    for name, measured in runs.items():
        for metric in ("cpu_us", "rate", "p50_us", "p99_us", "p999_us", "lost"):
            if not math.isnan(value := median(measured, metric)):
                results.figures[scene, name, metric] = value


async def _mix(bench: Bench, scene: str, mix: Mix, subjects: Subjects) -> None:
    file = bench.folder / "queries"
    await _prepare(mix, file, subjects)
    most = Load(file, bench.effort.most_s)
    fixed = replace(most, seconds=bench.effort.fixed_s, rate=RATE, probe_rate=PROBE_RATE)
    runs = await by_turns(bench, subjects, most, bench.effort.rounds)
    _same_answers(runs)
    keep(bench.results, scene, runs)
    title = f"`{scene}`: {mix.name}, as many as the server takes{_told(runs, most)}"
    rows = rows_of_most(bench.results, scene, runs)
    bench.results.add(Section(title, MOST_HEAD, rows, _notes(runs)))
    runs = await by_turns(bench, subjects, fixed, bench.effort.rounds)
    keep(bench.results, f"{scene}-fixed", runs)
    title = f"`{scene}`: {mix.name}, {RATE:,} queries a second{_told(runs, fixed)}"
    rows = _rows_of_fixed(bench.results, f"{scene}-fixed", runs, subjects)
    bench.results.add(Section(title, FIXED_HEAD, rows, [told_others(runs.values())]))


async def _prepare(mix: Mix, file: Path, subjects: Subjects, *, tcp: bool = False) -> None:
    """Write the queries, look at some answers of every server, and ask all of them once."""
    write_queries(file, mix.asks(QUERIES))
    for name, subject in subjects.items():
        await check(name, subject, islice(mix.asks(QUERIES), CHECKED))
        await warm_up(subject.port, file, tcp=tcp)


def _told(runs: Runs, load: Load) -> str:
    return f". Medians of {len(next(iter(runs.values())))} runs of {load.seconds:g} s:"


def _same_answers(runs: Runs) -> None:
    """The shares of NXDOMAIN under load; RuntimeError when a server answered otherwise than the first."""
    shares = {name: median(measured, "nxdomain") for name, measured in runs.items()}
    if max(shares.values()) - min(shares.values()) > SHARE_OFF:
        raise RuntimeError(f"NXDOMAIN in percent of the replies: {shares}")


def _notes(runs: Runs) -> list[str]:
    notes = [told_others(runs.values())]
    if idle := [name for name, measured in runs.items() if not _busy(measured)]:
        notes.append(
            f"Not at their limit, as dnsperf was at its own, or others took the core: {'; '.join(idle)}. With more to "
            "do at a time, these may take less per query."
        )
    return [*notes, ALL_CORES_NOTE] if COREDNS_ALL in runs else notes


def rows_of_most(results: Results, scene: str, runs: Runs) -> list[list[str]]:
    return [
        [
            *_costs(results, scene, name, measured),
            f"{median(measured, 'rate'):,.0f}",
            *_rate_ratios(results, scene, runs, name),
            f"{100 * median(measured, 'cores'):.0f}",
            f"{median(measured, 'average_us'):,.0f}",
            str(sum(run.lost for run in measured)),
        ]
        for name, measured in runs.items()
    ]


def _rows_of_fixed(results: Results, scene: str, runs: Runs, subjects: Subjects) -> list[list[str]]:
    return [
        [
            *_costs(results, scene, name, measured),
            f"{100 * median(measured, 'cores'):.0f}",
            *(f"{median(measured, metric):,.0f}" for metric in ("p50_us", "p99_us", "p999_us")),
            str(sum(run.lost for run in measured)),
            f"{subjects[name].rss_mib():.0f}",
            f"{subjects[name].pss_mib():.0f}",
        ]
        for name, measured in runs.items()
    ]


def _costs(results: Results, scene: str, name: str, measured: list[Measured]) -> list[str]:
    costs = [run.cpu_us for run in measured]
    extremes = f"{min(costs):.2f}-{max(costs):.2f}"
    return [name, f"{median(measured, 'cpu_us'):.2f}", extremes, *results.to_peers(scene, name)]


def _rate_ratios(results: Results, scene: str, runs: Runs, name: str) -> list[str]:
    """Where dnsperf was the limit, and not the server, the ratio is a bound, or says nothing."""
    cells = []
    for cell, peer in zip(results.to_peers(scene, name, "rate"), PEERS, strict=True):
        pair = (runs[name], runs.get(peer, runs[name]))
        limits = (_busy(pair[0]), _busy(pair[1]))
        bound = {(True, True): "", (False, True): "≥ ", (True, False): "≤ "}.get(limits)
        noisy = any(median(one, "others") > NOISE for one in pair)
        if peer == name or peer not in runs:
            cells.append(cell)
        else:
            cells.append("–" if noisy or bound is None else bound + cell)
    return cells


def _busy(measured: list[Measured]) -> bool:
    return median(measured, "cores") >= BUSY
