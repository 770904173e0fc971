"""The scenes: objects to answers."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.churn import churn
from bench.queries import queries
from bench.subject import AsyncAsk, Client, Running, Server, running, servers, wait_for
from tests.support.kube_api import KubeApi, service, slice_of

#: The size of the first sync: Services, and endpoints over slices of SLICE_SIZE.
SERVICES, ENDPOINTS, SLICE_SIZE = 10_000, 100_000, 100
#: Watch events a second, and for how many seconds.
EVENT_RATE, EVENT_S = 200, 15
#: Services whose endpoints the events change in turn.
CHANGING = 500
#: Seconds. A change that is not answered by then counts as lost.
CHANGE_LIMIT_S = 5.0


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


async def sync(server: Server, folder: Path) -> str:
    """First sync of the big cluster: CPU, peak memory, and time until the last Service is answered rightly."""
    async with KubeApi() as api:
        big_cluster(api)
        async with running(server, api.url, folder) as subject:
            client = await Client.connect(subject.port)
            last = SERVICES - 1
            first_answer = await wait_for(subject, AsyncAsk(client, name_of(last)), address_of(last))
            # ClusterIPs come with the Services, endpoints with the slices: both have to be there.
            endpoint = f"{address_of(ENDPOINTS - 1).replace('.', '-')}.{name_of(ENDPOINTS // SLICE_SIZE - 1)}"
            complete = first_answer + await wait_for(
                subject, AsyncAsk(client, endpoint), address_of(ENDPOINTS - 1)
            )
            client.close()
            return (
                f"| {server.name} | {subject.cpu_s():.2f} | {subject.peak_mib():.0f} | {subject.rss_mib():.0f} "
                f"| {complete:.2f} |"
            )


async def events(server: Server, folder: Path) -> str:
    """Endpoint changes at EVENT_RATE: from the change in the API to the first right answer."""
    async with KubeApi() as api:
        api.namespace("default")
        for number in range(CHANGING):
            api.add(service(f"svc-{number}", "None"), slice_of(f"svc-{number}", [address_of(number)]))
        async with running(server, api.url, folder) as subject:
            client = await Client.connect(subject.port)
            await wait_for(subject, AsyncAsk(client, name_of(CHANGING - 1)), address_of(CHANGING - 1))
            before = subject.cpu_s()
            latencies, lost = await _changes(api, client)
            cpu = subject.cpu_s() - before
            client.close()
    cuts = statistics.quantiles(latencies, n=1000)
    return (
        f"| {server.name} | {len(latencies)} | {lost} | {cuts[499] * 1e3:.1f} | {cuts[989] * 1e3:.1f} "
        f"| {cuts[998] * 1e3:.1f} | {100 * cpu / EVENT_S:.0f} |"
    )


async def _changes(api: KubeApi, client: Client) -> tuple[list[float], int]:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    tasks = []
    for event in range(EVENT_RATE * EVENT_S):
        await asyncio.sleep(max(0.0, begun + event / EVENT_RATE - loop.time()))
        number, address = event % CHANGING, address_of(CHANGING + event)
        api.update(slice_of(f"svc-{number}", [address]))
        tasks.append(asyncio.create_task(_until_answered(client, name_of(number), address)))
    found = await asyncio.gather(*tasks)
    latencies = [seconds for seconds in found if seconds is not None]
    return latencies, len(found) - len(latencies)


async def _until_answered(client: Client, name: str, address: str) -> float | None:
    begun = time.perf_counter()
    while time.perf_counter() - begun < CHANGE_LIMIT_S:
        if await client.address(name) == address:
            return time.perf_counter() - begun
        await asyncio.sleep(0.0005)
    return None


async def start(server: Server, folder: Path) -> str:
    """A small cluster: from the start of the process to the first right answer."""
    times = []
    async with KubeApi() as api:
        api.namespace("default")
        api.add(service("svc-1", address_of(1)))
        memory = 0.0
        for _ in range(5):
            async with running(server, api.url, folder) as subject:
                client = await Client.connect(subject.port)
                times.append(await wait_for(subject, AsyncAsk(client, name_of(1)), address_of(1)))
                memory = Running.rss_mib(subject)
                client.close()
    return f"| {server.name} | {statistics.median(times):.2f} | {memory:.0f} |"


Scene = Callable[[Server, Path], Awaitable[str]]

SCENES: dict[str, tuple[str, str, Scene]] = {
    "sync": (
        f"First sync of {SERVICES:,} Services and {ENDPOINTS:,} endpoints",
        "| server | CPU s | peak RSS MiB | RSS MiB | seconds to complete answers |",
        sync,
    ),
    "events": (
        f"{EVENT_RATE} endpoint changes a second for {EVENT_S} s: change to first right answer",
        "| server | answered | lost | p50 ms | p99 ms | p99.9 ms | CPU % of a core |",
        events,
    ),
    "start": (
        "Process start to first right answer, small cluster, median of 5",
        "| server | seconds | RSS MiB |",
        start,
    ),
}

#: Scenes that run all servers by turns and print tables of their own.
COMPARISONS: dict[str, Callable[[Path], Awaitable[None]]] = {"queries": queries, "churn": churn}
NAMES = (*SCENES, *COMPARISONS)


async def run(names: list[str]) -> None:
    """Run the scenes, and print them as Markdown tables."""
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            if name in COMPARISONS:
                await COMPARISONS[name](Path(folder))
                continue
            title, head, scene = SCENES[name]
            print(f"\n{title}\n\n{head}\n|{' --- |' * (head.count('|') - 1)}")
            for server in servers():
                print(await scene(server, Path(folder)), flush=True)
