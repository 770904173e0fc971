"""The scene `churn`: answers while endpoints change, against the same without changes."""

import asyncio
import contextlib
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import islice
from typing import Any

from bench.client import Client
from bench.cluster import HITS_AND_HEADLESS, QUERIES, ZONE, A, Ask, write_queries
from bench.effort import Bench
from bench.load import Loads, Measured, median, told_others
from bench.peers import check, ready
from bench.queries import PROBE_RATE, RATE
from bench.results import Section
from bench.subject import Running, running, servers
from bench.tools import Load, warm_up

#: Endpoint changes a second.
CHANGE_RATE = 500
#: Queries whose answers are looked at before.
CHECKED = 200
#: Seconds. The last change is answered by then.
FOLLOW_S = 2.0
HEAD = (
    *("server", "changes/s", "queries/s", "lost", "CPU µs/query", "CPU % of a core"),
    *("p50 µs", "p99 µs", "p99.9 µs", "p99 to without", "last change answered"),
)
#: The scenes that figures are kept under.
CALM, CHANGING = "churn-calm", "churn-changing"


@dataclass(slots=True)
class Runs:
    """Of one server."""

    calm: list[Measured]
    changing: list[Measured]
    rates: list[float]
    """Changes a second that were made."""
    followed: bool = True
    """Whether the last change was answered each time."""


async def churn(bench: Bench) -> None:
    runs: dict[str, Runs] = defaultdict(lambda: Runs([], [], []))
    async with changing_api(CHANGE_RATE) as api:
        await _rounds(bench, api, runs)
    for name, found in runs.items():
        for scene, measured in ((CALM, found.calm), (CHANGING, found.changing)):
            for metric in ("cpu_us", "p50_us", "p99_us", "p999_us"):
                bench.results.figures[scene, name, metric] = median(measured, metric)
            bench.results.figures[scene, name, "lost"] = sum(run.lost for run in measured)
    rows = [row for name, found in runs.items() for row in _rows(bench, name, found)]
    title = (
        f"`churn`: {HITS_AND_HEADLESS.name}, {RATE:,} queries a second, without and with {CHANGE_RATE} endpoint "
        f"changes a second. Medians of {bench.effort.few} runs of {bench.effort.churn_s:g} s:"
    )
    every = [measured for found in runs.values() for measured in (found.calm, found.changing)]
    bench.results.add(Section(title, HEAD, rows, [told_others(every)]))


async def _rounds(bench: Bench, api: "Api", runs: dict[str, Runs]) -> None:
    """One server at a time: the others would follow the changes on the same core."""
    file, loads = bench.folder / "queries", Loads(bench.effort.repeats)
    write_queries(file, HITS_AND_HEADLESS.asks(QUERIES))
    load = Load(file, bench.effort.churn_s, RATE, PROBE_RATE)
    for _ in range(bench.effort.few):
        for server in servers():
            async with running(server, api.url, bench.folder, bench.cores.one) as subject:
                await ready(subject)
                # Those that nobody has changed yet: the addresses are not looked at, the number of them is.
                await check(server.name, subject, islice(HITS_AND_HEADLESS.asks(QUERIES), CHECKED))
                await warm_up(subject.port, file)
                found = runs[server.name]
                found.calm.append(await loads.run(subject, load))
                begun = time.perf_counter()
                await api.say("change")
                found.changing.append(await loads.run(subject, load))
                seconds = time.perf_counter() - begun
                done = await api.ask("rest")
                found.rates.append(done["changes"] / seconds)
                found.followed &= await _followed(subject, done["name"], done["address"])


def _rows(bench: Bench, name: str, found: Runs) -> list[list[str]]:
    to_calm = bench.results.ratio("p99_us", (CHANGING, name), (CALM, name))
    rows = []
    for measured in (found.calm, found.changing):
        changing = measured is found.changing
        rows.append(
            [
                *(name, f"{statistics.median(found.rates):.0f}" if changing else "0"),
                *(f"{median(measured, 'rate'):,.0f}", str(sum(run.lost for run in measured))),
                f"{median(measured, 'cpu_us'):.2f}",
                f"{100 * median(measured, 'cores'):.0f}",
                *(f"{median(measured, metric):,.0f}" for metric in ("p50_us", "p99_us", "p999_us")),
                f"{to_calm:.2f}" if changing and to_calm is not None else "–",
                ("yes" if found.followed else "no") if changing else "–",
            ]
        )
    return rows


async def _followed(subject: Running, name: str, address: str) -> bool:
    """Whether *name* has *address* within FOLLOW_S."""
    client = await Client.connect(subject.port)
    message = Ask(f"{name}.default.svc.{ZONE}", A).octets()
    end = time.perf_counter() + FOLLOW_S
    found = False
    while not found and time.perf_counter() < end:
        found = ip_address(address).packed in await client.ask(message)
        await asyncio.sleep(0.001)
    client.close()
    return found


class Api:
    """The process bench.changing_api."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child
        self.url = ""

    async def say(self, line: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(f"{line}\n".encode())
        await self._child.stdin.drain()

    async def ask(self, line: str) -> dict[str, Any]:
        await self.say(line)
        return await self.read()

    async def read(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        found: dict[str, Any] = json.loads(await self._child.stdout.readline())
        return found


@contextlib.asynccontextmanager
async def changing_api(rate: int) -> AsyncIterator[Api]:
    """It makes *rate* changes a second, when told to."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.changing_api", str(rate)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        api = Api(child)
        api.url = (await api.read())["url"]
        yield api
    finally:
        child.terminate()
        await child.wait()
