"""The scene `sizes`: A hits over all names of small and large clusters."""

import contextlib

from bench.cluster import hits_of_all, objects, write_queries
from bench.effort import Bench
from bench.load import Loads, Measured, median, told_others
from bench.peers import Place, all_running, check
from bench.queries import CHECKED
from bench.results import Section
from bench.subject import Running
from bench.tools import Load, warm_up
from dnsserver.testing.kube_api import KubeApi

#: Services. Every query file has each of them equally often.
SIZES = (1_000, 10_000, 100_000)
HEAD = (
    "server",
    "Services",
    "CPU µs/query",
    f"to {SIZES[0]:,}",
    "to knot",
    "to coredns",
    "queries/s",
    "PSS MiB",
)

Key = tuple[str, int]


def figures_of(size: int) -> str:
    """The scene that its figures are kept under."""
    return f"sizes-{size}"


async def sizes(bench: Bench) -> None:
    """All servers of all sizes are up at the same time, so that runs can take turns."""
    subjects: dict[Key, Running] = {}
    async with contextlib.AsyncExitStack() as stack:
        for size in SIZES:
            folder = bench.folder / f"size-{size}"
            folder.mkdir()
            write_queries(folder / "queries", hits_of_all(size))
            api = await stack.enter_async_context(KubeApi())
            api.add(*objects(size))
            place = Place(api.url, folder, bench.cores, size)
            for name, subject in (await stack.enter_async_context(all_running(place))).items():
                await check(name, subject, list(hits_of_all(size))[:CHECKED])
                await warm_up(subject.port, folder / "queries")
                subjects[name, size] = subject
        runs = await _by_turns(bench, subjects)
        memory = {key: subject.pss_mib() for key, subject in subjects.items()}
    _report(bench, runs, memory)


async def _by_turns(bench: Bench, subjects: dict[Key, Running]) -> dict[Key, list[Measured]]:
    """The sizes of one server follow each other, as these are compared."""
    loads, runs = Loads(bench.effort.repeats), {key: list[Measured]() for key in subjects}
    for _ in range(bench.effort.rounds):
        for key in sorted(subjects):
            load = Load(bench.folder / f"size-{key[1]}" / "queries", bench.effort.most_s)
            runs[key].append(await loads.run(subjects[key], load))
    return runs


def _report(bench: Bench, runs: dict[Key, list[Measured]], memory: dict[Key, float]) -> None:
    results, rows = bench.results, []
    for (name, size), measured in runs.items():
        for metric in ("cpu_us", "rate"):
            results.figures[figures_of(size), name, metric] = median(measured, metric)
    for name in dict.fromkeys(name for name, _ in runs):
        for size in SIZES:
            scene, measured = figures_of(size), runs[name, size]
            to_first = results.ratio("cpu_us", (scene, name), (figures_of(SIZES[0]), name))
            rows.append(
                [
                    *(name, f"{size:,}", f"{median(measured, 'cpu_us'):.2f}", f"{to_first or 0:.2f}"),
                    *results.to_peers(scene, name),
                    *(f"{median(measured, 'rate'):,.0f}", f"{memory[name, size]:.0f}"),
                ]
            )
    title = (
        f"`sizes`: A hits over all Services, as many as the server takes. Medians of {bench.effort.rounds} runs of "
        f"{bench.effort.most_s:g} s:"
    )
    results.add(Section(title, HEAD, rows, [told_others(runs.values())]))
