"""The scene `queries`: what a query costs, here and elsewhere, by the same load."""

import shutil
from itertools import islice
from pathlib import Path

from bench.cluster import CLUSTER, HITS, QUERIES, Mix, objects, write_queries
from bench.load import BUSY, NOISE, Cores, Loads, Measured, median, told_others, warm_up
from bench.peers import all_running, check, missing
from bench.subject import Running
from tests.support.kube_api import KubeApi

#: Rounds through all servers, and the seconds of one run.
ROUNDS, RUN_S = 5, 2.0
#: Queries a second where latency is measured: every server takes them with time to spare.
RATE = 20_000
#: Queries whose answers are looked at before.
CHECKED = 500
#: Percentage points. By so much the share of NXDOMAIN may be off.
SHARE_OFF = 2.0
PEERS = ("knot", "coredns")

Runs = dict[str, list[Measured]]


async def queries(folder: Path) -> None:
    if shutil.which("dnsperf") is None:
        print("\ndnsperf is missing (Debian package dnsperf): no queries are measured.")
        return
    for line in missing():
        print(f"\n{line}")
    cores = Cores.found()
    async with KubeApi() as api:
        api.add(*objects())
        with cores.aside():
            async with all_running(api.url, folder, cores.server) as subjects:
                loads = Loads()
                for mix in (HITS, CLUSTER):
                    await _mix(mix, subjects, loads, folder)


async def _mix(mix: Mix, subjects: dict[str, Running], loads: Loads, folder: Path) -> None:
    file = folder / "queries"
    write_queries(file, mix.asks(QUERIES))
    for name, subject in subjects.items():
        await check(name, subject, islice(mix.asks(QUERIES), CHECKED))
        await warm_up(subject, file)
    most: Runs = {name: [] for name in subjects}
    fixed: Runs = {name: [] for name in subjects}
    memory: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, subject in subjects.items():
            most[name].append(await loads.run(subject, file, RUN_S))
            fixed[name].append(await loads.run(subject, file, RUN_S, RATE))
            memory[name] = subject.rss_mib()
    _same_answers(most)
    print(f"\n`{mix.name}`, as many as the server takes: medians of {ROUNDS} runs of {RUN_S:g} s\n")
    _table_of_most(most, memory)
    print(f"\n`{mix.name}`, {RATE:,} queries a second: medians of {ROUNDS} runs of {RUN_S:g} s\n")
    _table_of_fixed(fixed)
    print(f"\n{told_others([*most.values(), *fixed.values()])}", flush=True)


def _same_answers(runs: Runs) -> None:
    """The shares of NXDOMAIN under load; RuntimeError when a server answered otherwise than the first."""
    shares = {name: median(measured, "nxdomain") for name, measured in runs.items()}
    if max(shares.values()) - min(shares.values()) > SHARE_OFF:
        raise RuntimeError(f"NXDOMAIN in percent of the replies: {shares}")


def _table_of_most(runs: Runs, memory: dict[str, float]) -> None:
    print(
        "| server | CPU µs/query | from-to | to knot | to coredns | queries/s | to knot | to coredns "
        "| CPU % of a core | average latency µs | lost | RSS MiB |"
    )
    print("|" + " --- |" * 12)
    for name, measured in runs.items():
        costs = [run.cpu_us for run in measured]
        print(
            f"| {name} | {median(measured, 'cpu_us'):.2f} | {min(costs):.2f}-{max(costs):.2f} "
            f"| {_ratios(runs, name, 'cpu_us')} | {median(measured, 'rate'):,.0f} "
            f"| {_rate_ratios(runs, name)} | {100 * median(measured, 'cores'):.0f} "
            f"| {median(measured, 'average_us'):,.0f} | {sum(run.lost for run in measured)} "
            f"| {memory[name]:.0f} |",
            flush=True,
        )


def _table_of_fixed(runs: Runs) -> None:
    print(
        "| server | CPU µs/query | from-to | to knot | to coredns | CPU % of a core | average latency µs "
        "| p50 µs | p99 µs | lost |"
    )
    print("|" + " --- |" * 10)
    for name, measured in runs.items():
        costs = [run.cpu_us for run in measured]
        print(
            f"| {name} | {median(measured, 'cpu_us'):.2f} | {min(costs):.2f}-{max(costs):.2f} "
            f"| {_ratios(runs, name, 'cpu_us')} | {100 * median(measured, 'cores'):.0f} "
            f"| {median(measured, 'average_us'):,.0f} | {median(measured, 'p50_us'):,.0f} "
            f"| {median(measured, 'p99_us'):,.0f} | {sum(run.lost for run in measured)} |",
            flush=True,
        )


def _ratios(runs: Runs, name: str, field: str) -> str:
    """The value of *name* as a multiple of that of each peer of the same run, two cells."""
    own = median(runs[name], field)
    return " | ".join(f"{own / median(runs[peer], field):.2f}" if peer in runs else "–" for peer in PEERS)


def _rate_ratios(runs: Runs, name: str) -> str:
    """As `_ratios`. Where dnsperf was the limit, and not the server, the ratio is a bound, or says nothing."""
    cells = []
    for cell, peer in zip(_ratios(runs, name, "rate").split(" | "), PEERS, strict=True):
        pair = (runs[name], runs.get(peer, runs[name]))
        limits = (_busy(pair[0]), _busy(pair[1]))
        bound = {(True, True): "", (False, True): "≥ ", (True, False): "≤ "}.get(limits)
        noisy = any(median(one, "others") > NOISE for one in pair)
        if peer == name or peer not in runs:
            cells.append(cell)
        else:
            cells.append("–" if noisy or bound is None else bound + cell)
    return " | ".join(cells)


def _busy(measured: list[Measured]) -> bool:
    return median(measured, "cores") >= BUSY
