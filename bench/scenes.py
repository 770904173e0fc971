"""The scenes by name, and a run through some of them."""

import contextlib
import shutil
from collections.abc import Awaitable, Callable, Iterable, Iterator

from bench.churn import churn
from bench.cluster import objects
from bench.effort import Bench
from bench.events import events
from bench.headless import headless
from bench.outside import outside_names
from bench.peers import Place, all_running, remark_missing
from bench.queries import Subjects, hits, low, mix, tcp
from bench.reloads import reloads
from bench.sizes import sizes
from bench.sizing import sizing
from bench.start import start
from bench.sync import start_small, sync
from dnsserver.testing.kube_api import KubeApi

#: Scenes that have all servers up at the same time, on the same cluster.
TOGETHER: dict[str, Callable[[Bench, Subjects], Awaitable[None]]] = {
    "hits": hits,
    "mix": mix,
    "tcp": tcp,
    "low": low,
    "headless": headless,
}
#: Scenes that start their servers themselves.
ALONE: dict[str, Callable[[Bench], Awaitable[None]]] = {
    "sizes": sizes,
    "churn": churn,
    "outside": outside_names,
    "reloads": reloads,
    "events": events,
    "start": start,
    "start-small": start_small,
    "sync": sync,
    "sizing": sizing,
}
NAMES = (*TOGETHER, *ALONE)
#: They are asked by dnsperf.
LOADED = (*TOGETHER, "sizes", "churn", "outside", "reloads")
#: They have CoreDNS on all cores as well.
COREDNS_ALL_IN = ("hits", "mix")


async def run(bench: Bench, names: Iterable[str]) -> bool:
    """Whether all went well. A scene that fails is remarked, and does not keep the others from running."""
    wanted, failed = list(names), list[str]()
    remark_missing(bench.results)
    if shutil.which("dnsperf") is None:
        bench.results.remark("dnsperf is missing (Debian package dnsperf): queries are not measured.")
        wanted = [name for name in wanted if name not in LOADED]
    with bench.cores.aside():
        together = [name for name in TOGETHER if name in wanted]
        if together:
            with _remarked(bench, " ".join(together), failed):
                await _together(bench, together, failed)
        for name in (name for name in ALONE if name in wanted):
            with _remarked(bench, name, failed):
                await ALONE[name](bench)
    return not failed


async def _together(bench: Bench, names: list[str], failed: list[str]) -> None:
    async with KubeApi() as api:
        api.add(*objects())
        place = Place(api.url, bench.folder / "together", bench.cores)
        coredns_all = any(name in COREDNS_ALL_IN for name in names)
        async with all_running(place, coredns_all=coredns_all) as subjects:
            for name in names:
                with _remarked(bench, name, failed):
                    await TOGETHER[name](bench, subjects)


@contextlib.contextmanager
def _remarked(bench: Bench, name: str, failed: list[str]) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever it is: it is told, and the run ends with an exit code of its own
        failed.append(name)
        bench.results.remark(f"**{name} failed**: {type(error).__name__}: {error}")
