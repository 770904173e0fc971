"""The scene `sync`: the first sync of a large cluster, and the memory that it takes."""

import asyncio
import statistics
from collections import defaultdict

from bench.client import until_right
from bench.effort import Bench
from bench.results import Section
from bench.subject import SAMPLE_S, PssPeak, Server, running, servers
from dnsserver.testing.kube_api import KubeApi, service, slice_of

#: Services, and endpoints over slices of SLICE_SIZE.
SERVICES, ENDPOINTS, SLICE_SIZE = 10_000, 100_000, 100
#: Seconds between the last right answer and the look at the memory.
SETTLE_S = 2.0
METRICS = ("cpu_s", "seconds", "peak_mib", "pss_mib", "rss_mib")
HEAD = ("server", "PSS MiB", "peak PSS MiB", "peak to PSS", "RSS MiB", "CPU s", "seconds to complete answers")


def name_of(number: int) -> str:
    return f"svc-{number}.default.svc.cluster.local"


def address_of(number: int) -> str:
    return f"10.{100 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def big_cluster(api: KubeApi) -> None:
    """SERVICES Services, the first of them headless with all ENDPOINTS between them."""
    api.namespace("default")
    headless = ENDPOINTS // SLICE_SIZE
    for number in range(SERVICES):
        cluster_ip = "None" if number < headless else address_of(number)
        api.add(service(f"svc-{number}", cluster_ip))
    for number in range(headless):
        first = number * SLICE_SIZE
        api.add(slice_of(f"svc-{number}", [address_of(first + place) for place in range(SLICE_SIZE)]))


async def sync(bench: Bench) -> None:
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    async with KubeApi() as api:
        big_cluster(api)
        for _ in range(bench.effort.few):
            for server in servers():
                found[server.name].append(await _sync(bench, server, api.url))
    rows = []
    for name, runs in found.items():
        medians = {metric: statistics.median(run[metric] for run in runs) for metric in METRICS}
        bench.results.figures.update({("sync", name, metric): medians[metric] for metric in METRICS})
        rows.append(
            [
                *(name, f"{medians['pss_mib']:.1f}", f"{medians['peak_mib']:.1f}"),
                f"{medians['peak_mib'] / medians['pss_mib']:.2f}",
                *(f"{medians['rss_mib']:.1f}", f"{medians['cpu_s']:.2f}", f"{medians['seconds']:.2f}"),
            ]
        )
    title = (
        f"`sync`: first sync of {SERVICES:,} Services and {ENDPOINTS:,} endpoints, on one core. Medians of "
        f"{bench.effort.few} runs; PSS of all processes, {SETTLE_S:g} s after the answers were complete, and the most "
        f"that was seen until then, by a look every {1e3 * SAMPLE_S:.0f} ms:"
    )
    bench.results.add(Section(title, HEAD, rows))


async def _sync(bench: Bench, server: Server, api_url: str) -> dict[str, float]:
    async with running(server, api_url, bench.folder, bench.cores.one) as subject:
        with PssPeak(subject) as peak:
            last, last_address = SERVICES - 1, address_of(ENDPOINTS - 1)
            await until_right(subject, name_of(last), address_of(last))
            # ClusterIPs come with the Services, endpoints with the slices: both have to be there.
            endpoint = f"{last_address.replace('.', '-')}.{name_of(ENDPOINTS // SLICE_SIZE - 1)}"
            seconds = await until_right(subject, endpoint, last_address)
            cpu_s = subject.cpu_s()
            await asyncio.sleep(SETTLE_S)
        values = (cpu_s, seconds, peak.mib, subject.pss_mib(), subject.rss_mib())
        return dict(zip(METRICS, values, strict=True))


async def start_small(bench: Bench) -> None:
    """A cluster of one Service: what the program itself takes."""
    rows = []
    async with KubeApi() as api:
        api.namespace("default")
        api.add(service("svc-1", address_of(1)))
        for server in servers():
            times, memory = [], 0.0
            for _ in range(bench.effort.starts):
                async with running(server, api.url, bench.folder, bench.cores.one) as subject:
                    times.append(await until_right(subject, name_of(1), address_of(1)))
                    memory = subject.pss_mib()
            seconds = statistics.median(times)
            bench.results.figures["start-small", server.name, "seconds"] = seconds
            rows.append([server.name, f"{seconds:.2f}", f"{memory:.0f}"])
    title = (
        f"`start-small`: process start to first right answer, one Service, on one core. Medians of "
        f"{bench.effort.starts}:"
    )
    bench.results.add(Section(title, ("server", "seconds", "PSS MiB"), rows))
