"""Names outside of the cluster: cached, forwarded, and found by the search list (`cached`, `uncached`, `walk`)."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from bench.cluster import AAAA, HITS, NXDOMAIN, OUTSIDE, QUERIES, SEARCH, A, Ask, Mix, objects, write_queries
from bench.effort import Bench
from bench.load import BUSY, Loads, Measured, median, told_others
from bench.peers import Place, check
from bench.queries import MOST_HEAD, Subjects, by_turns, keep, rows_of_most
from bench.resolvers import OUTSIDE_ZONE, remark_missing_resolvers, resolvers
from bench.results import COREDNS, OURS, Section
from bench.tools import Load, warm_up
from dnsserver.testing.kube_api import KubeApi

#: Names that are asked once; a run has no time for more.
ONCE = 150_000
#: The scene that has the cost of a name of the cluster, under the same Corefile as a cached one.
CACHED, CLUSTER_NAME, UNCACHED, WALK = "cached", "cached-cluster", "uncached", "walk"
#: Queries of one lookup by a resolver: A and AAAA of the name under each suffix, and of the name itself.
LOOKUP = 2 * (len(SEARCH) + 1)


def outside(rng: Random) -> Ask:
    return Ask(f"www.example{rng.randrange(OUTSIDE)}.{OUTSIDE_ZONE}", A)


CACHED_NAMES = Mix("A of cached outside names", ((100, outside),))


async def outside_names(bench: Bench, scenes: tuple[str, ...] = (CACHED, UNCACHED, WALK)) -> None:
    if not remark_missing_resolvers(bench.results):
        return
    async with KubeApi() as api:
        api.add(*objects())
        place = Place(api.url, bench.folder / "outside", bench.cores)
        async with resolvers(place) as subjects:
            for scene in scenes:
                await _SCENES[scene](bench, subjects)


async def _cached(bench: Bench, subjects: Subjects) -> None:
    for scene, mix, asked in (
        (CACHED, CACHED_NAMES, subjects),
        (CLUSTER_NAME, HITS, {name: subjects[name] for name in (OURS, COREDNS) if name in subjects}),
    ):
        file = bench.folder / "queries"
        write_queries(file, mix.asks(QUERIES))
        for name, subject in asked.items():
            await check(name, subject, list(mix.asks(100)))
            await warm_up(subject.port, file)
        load = Load(file, bench.effort.most_s)
        runs = await by_turns(bench, asked, load, bench.effort.rounds)
        keep(bench.results, scene, runs)
        _add(bench, scene, f"`{scene}`: {mix.name}, as many as the server takes", runs)


async def _uncached(bench: Bench, subjects: Subjects) -> None:
    loads, runs = Loads(0), {name: list[Measured]() for name in subjects}
    for turn in range(bench.effort.rounds):
        for name, subject in subjects.items():
            file = bench.folder / "queries"
            write_queries(file, _never_asked(f"{turn}-{name}"))
            runs[name].append(await loads.run(subject, Load(file, bench.effort.most_s)))
    keep(bench.results, UNCACHED, runs)
    title = (
        f"`{UNCACHED}`: A of names that were never asked, each from one upstream, as many as the server takes"
    )
    _add(bench, UNCACHED, title, runs)


def _never_asked(which: str) -> Iterator[Ask]:
    return (Ask(f"n{number}.{which}.{OUTSIDE_ZONE}", A) for number in range(ONCE))


async def _walk(bench: Bench, subjects: Subjects) -> None:
    asked = {name: subjects[name] for name in (OURS, COREDNS) if name in subjects}
    file = bench.folder / "queries"
    write_queries(file, _lookups())
    for subject in asked.values():
        await warm_up(subject.port, file)
    runs = await by_turns(bench, asked, Load(file, bench.effort.most_s), bench.effort.rounds)
    lookups = {
        name: [replace(run, cpu_us=run.cpu_us * LOOKUP) for run in measured]
        for name, measured in runs.items()
    }
    keep(bench.results, WALK, lookups)
    title = (
        f"`{WALK}`: outside names by the search list, cached, as many as the server takes; CPU per lookup, which is "
        f"{LOOKUP} queries (`ndots:5`, A and AAAA):"
    )
    _add(bench, WALK, title, lookups)


def _lookups() -> Iterator[Ask]:
    """Every outside name, by every suffix of the search list, and then itself."""
    for number in range(OUTSIDE):
        name = f"www.example{number}.{OUTSIDE_ZONE}"
        for suffix in SEARCH:
            for rtype in (A, AAAA):
                yield Ask(f"{name}.{suffix}", rtype, NXDOMAIN, answers=0)
        yield Ask(name, A)
        yield Ask(name, AAAA, answers=0)


def _add(bench: Bench, scene: str, title: str, runs: dict[str, list[Measured]]) -> None:
    notes = [told_others(runs.values())]
    idle = [name for name, measured in runs.items() if median(measured, "cores") < BUSY]
    if idle:
        notes.append(f"Not at their limit, as the load or the upstream was at its own: {'; '.join(idle)}.")
    bench.results.add(Section(title, MOST_HEAD, rows_of_most(bench.results, scene, runs), notes))


_SCENES = {CACHED: _cached, UNCACHED: _uncached, WALK: _walk}
