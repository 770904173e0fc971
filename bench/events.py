"""The scene `events`: from a change in the API to the first right answer."""

import asyncio
import statistics
import time

from bench.client import Client, until_right
from bench.effort import Bench
from bench.results import Section
from bench.subject import Server, running, servers
from bench.sync import address_of, name_of
from dnsserver.testing.kube_api import KubeApi, service, slice_of

#: Watch events a second.
EVENT_RATE = 200
#: Services whose endpoints the events change in turn.
CHANGING = 500
#: Seconds. A change that is not answered by then counts as lost.
CHANGE_LIMIT_S = 5.0
HEAD = ("server", "answered", "lost", "p50 ms", "p99 ms", "p99.9 ms", "CPU % of a core")


async def events(bench: Bench) -> None:
    rows = [await _events(bench, server) for server in servers()]
    title = (
        f"`events`: {EVENT_RATE} endpoint changes a second for {bench.effort.events_s:g} s, from the change to the "
        "first right answer:"
    )
    bench.results.add(Section(title, HEAD, rows))


async def _events(bench: Bench, server: Server) -> list[str]:
    async with KubeApi() as api:
        api.namespace("default")
        for number in range(CHANGING):
            api.add(service(f"svc-{number}", "None"), slice_of(f"svc-{number}", [address_of(number)]))
        async with running(server, api.url, bench.folder, bench.cores.one) as subject:
            await until_right(subject, name_of(CHANGING - 1), address_of(CHANGING - 1))
            client = await Client.connect(subject.port)
            before, begun = subject.cpu_s(), time.perf_counter()
            found = await _changes(api, client, round(EVENT_RATE * bench.effort.events_s))
            cores = (subject.cpu_s() - before) / (time.perf_counter() - begun)
            client.close()
    latencies = [seconds for seconds in found if seconds is not None]
    cuts = [1e3 * cut for cut in statistics.quantiles(latencies, n=1000)]
    for metric, place in (("p50_ms", 499), ("p99_ms", 989), ("p999_ms", 998)):
        bench.results.figures["events", server.name, metric] = cuts[place]
    return [
        *(server.name, str(len(latencies)), str(len(found) - len(latencies))),
        *(f"{cuts[place]:.1f}" for place in (499, 989, 998)),
        f"{100 * cores:.0f}",
    ]


async def _changes(api: KubeApi, client: Client, number_of: int) -> list[float | None]:
    """The seconds of each change; None for one that was not answered in time."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    tasks = []
    for event in range(number_of):
        await asyncio.sleep(max(0.0, begun + event / EVENT_RATE - loop.time()))
        number, address = event % CHANGING, address_of(CHANGING + event)
        api.update(slice_of(f"svc-{number}", [address]))
        tasks.append(asyncio.create_task(_until_answered(client, name_of(number), address)))
    return await asyncio.gather(*tasks)


async def _until_answered(client: Client, name: str, address: str) -> float | None:
    begun = time.perf_counter()
    while time.perf_counter() - begun < CHANGE_LIMIT_S:
        if await client.address(name) == address:
            return time.perf_counter() - begun
        await asyncio.sleep(0.0005)
    return None
