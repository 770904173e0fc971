"""The scene `churn`: answers while endpoints change, against the same without changes."""

import asyncio
import contextlib
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator
from itertools import count, islice
from pathlib import Path

from bench.cluster import (
    HEADLESS,
    HITS_AND_HEADLESS,
    QUERIES,
    UNASKED,
    endpoints,
    objects,
    write_queries,
)
from bench.load import Cores, Loads, Measured, median, told_others, warm_up
from bench.peers import check, corefile_servers, ready
from bench.subject import running, servers
from tests.support.kube_api import KubeApi, slice_of

#: Queries and endpoint changes a second, rounds through all servers, and the seconds of one run.
RATE, CHANGE_RATE, ROUNDS, RUN_S = 20_000, 200, 3, 5.0
#: Queries whose answers are looked at before.
CHECKED = 200

#: By server, and whether endpoints changed.
Runs = dict[tuple[str, bool], list[Measured]]


async def churn(folder: Path) -> None:
    if shutil.which("dnsperf") is None:
        print("\ndnsperf is missing (Debian package dnsperf): answers under changes are not measured.")
        return
    if len(servers()) == 1:
        print("\ncoredns is missing (set COREDNS): no comparison with it.")
    cores = Cores.found()
    async with KubeApi() as api:
        api.add(*objects())
        with cores.aside():
            runs = await _rounds(api, folder, cores.server)
    _table(runs)


async def _rounds(api: KubeApi, folder: Path, core: int | None) -> Runs:
    """One server at a time: the others would follow the changes on the same core."""
    file = folder / "queries"
    write_queries(file, HITS_AND_HEADLESS.asks(QUERIES))
    loads, changes, runs = Loads(), count(), defaultdict[tuple[str, bool], list[Measured]](list)
    for _ in range(ROUNDS):
        for server in corefile_servers():
            async with running(server, api.url, folder, core) as subject:
                await ready(subject)
                await check(server.name, subject, islice(HITS_AND_HEADLESS.asks(QUERIES), CHECKED))
                await warm_up(subject, file)
                runs[server.name, False].append(await loads.run(subject, file, RUN_S, RATE))
                async with _changing(api, changes):
                    runs[server.name, True].append(await loads.run(subject, file, RUN_S, RATE))
    return runs


@contextlib.asynccontextmanager
async def _changing(api: KubeApi, changes: "count[int]") -> AsyncIterator[None]:
    """CHANGE_RATE changes a second while the context lasts; *changes* numbers them."""
    task = asyncio.create_task(_change(api, changes), name="changes")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _change(api: KubeApi, changes: "count[int]") -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for done, number in enumerate(changes):
        await asyncio.sleep(max(0.0, begun + done / CHANGE_RATE - loop.time()))
        turn = number // 2
        if number % 2:
            name, addresses = f"hl-{turn % HEADLESS}", endpoints(turn % HEADLESS, 1 + turn // HEADLESS)
        else:
            name, addresses = f"other-{turn % UNASKED}", [f"10.230.{number >> 8 & 255}.{number & 255}"]
        api.update(slice_of(name, addresses))


def _table(runs: Runs) -> None:
    print(
        f"\n`{HITS_AND_HEADLESS.name}`, {RATE:,} queries a second, without and with {CHANGE_RATE} endpoint changes a "
        f"second: medians of {ROUNDS} runs of {RUN_S:g} s\n"
    )
    print(
        "| server | changes/s | queries/s | lost | average latency µs | p50 µs | p99 µs | CPU % of a core |\n"
        "|" + " --- |" * 8
    )
    for (name, changing), measured in sorted(runs.items(), reverse=True, key=lambda item: item[0][0]):
        print(
            f"| {name} | {CHANGE_RATE if changing else 0} | {median(measured, 'rate'):,.0f} "
            f"| {sum(run.lost for run in measured)} | {median(measured, 'average_us'):,.0f} "
            f"| {median(measured, 'p50_us'):,.0f} | {median(measured, 'p99_us'):,.0f} "
            f"| {100 * median(measured, 'cores'):.0f} |",
            flush=True,
        )
    print(f"\n{told_others(runs.values())}")
