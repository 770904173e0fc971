"""The scene `sizing`: how much memory a container needs for a cluster, by number of workers.

What counts is what the kernel charges to the container, as that is what it is killed for: memory of all processes, and
the store, which lies in tmpfs where the root file system is read-only. Every run goes through a start, questions for
all names, and a change to another configuration, for which there is everything twice.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client, until_right
from bench.effort import Bench
from bench.memory_group import MemoryGroup, memory_group
from bench.results import OURS, Section
from bench.subject import STATE_OPTION, WORKERS_OPTION, Running, Server, running
from dnsserver.testing.kube_api import KubeApi, namespace, service, slice_of

#: Services, each with a slice of ENDPOINTS.
SIZES, ENDPOINTS = (1_000, 5_000, 10_000), 5
WORKERS = ("0", "1", "2")
#: MiB. Limits that are tried, the least first: kubeadm's is 170.
LIMITS = (96, 128, 170, 256, 384, 512)
#: tmpfs, as in a container.
MEMORY = Path("/dev/shm")
#: Seconds. Until what a start or a reload leaves behind has been given back.
SETTLE_S = 2.0
RELOAD_S = 60.0
#: Seconds since the start of a server. Its whole life here takes less.
END_S = 600.0
#: How long a start and a reload wait for the whole cluster: as long as it takes.
STARTUP = "60s"
DONE = "Reloading complete"
HEAD = (
    *(
        "Services",
        "endpoints",
        "workers",
        "limit that does",
        "at rest",
        "asked for all names",
        "peak in a reload",
    ),
    *("of it the store", "PSS", "CPU s of the start", "seconds to the first answers"),
)


@dataclass(frozen=True, slots=True)
class Memory:
    """In MiB: the limit, what was charged, and the PSS of all processes. In seconds: CPU time and wait of the start."""

    limit: int
    rest: float
    asked: float
    peak: float
    store: float
    pss: float
    cpu_s: float
    start_s: float


async def sizing(bench: Bench) -> None:
    """Needs Linux, /dev/shm, and the right to make control groups."""
    rows, least = [], dict.fromkeys(WORKERS, 0)
    for size in SIZES:
        async with KubeApi() as api:
            _fill(api, size)
            for workers in WORKERS:
                # What a smaller cluster has outgrown need not be tried again.
                least[workers], found = await _least(bench, api, size, workers, LIMITS[least[workers] :])
                rows.append([f"{size:,}", f"{size * ENDPOINTS:,}", workers, *_cells(found)])
                print(" ".join(rows[-1]), flush=True)
    title = (
        f"`sizing`: MiB that the kernel charges to the container, by `--workers`, with the least memory limit of "
        f"{', '.join(map(str, LIMITS))} MiB under which nothing was killed:"
    )
    bench.results.add(Section(title, HEAD, rows))


def _cells(found: Memory | None) -> list[str]:
    if found is None:
        return [f"> {LIMITS[-1]}", *["–"] * 7]
    memory = (found.limit, found.rest, found.asked, found.peak, found.store, found.pss)
    return [*(f"{mib:.0f}" for mib in memory), f"{found.cpu_s:.1f}", f"{found.start_s:.1f}"]


def _fill(api: KubeApi, size: int) -> None:
    api.add(namespace("default"))
    for number in range(size):
        api.add(service(_name(number), _address(96, number)))
        addresses = [_address(128, number * ENDPOINTS + place) for place in range(ENDPOINTS)]
        api.add(slice_of(_name(number), addresses))


def _name(number: int) -> str:
    return f"service-{number}"


def _address(second: int, number: int) -> str:
    return f"10.{second + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


async def _least(
    bench: Bench, api: KubeApi, size: int, workers: str, limits: Sequence[int]
) -> tuple[int, Memory | None]:
    """The place in LIMITS of the first of *limits* that does, and what was measured; None: none of them does."""
    for limit in limits:
        found = await _within(bench, api, size, workers, limit)
        if found is not None:
            return LIMITS.index(limit), found
    return len(LIMITS), None


async def _within(bench: Bench, api: KubeApi, size: int, workers: str, limit: int) -> Memory | None:
    """What was measured with this *limit*; None where something was killed for it."""
    state = Path(tempfile.mkdtemp(prefix="sizing-", dir=MEMORY))
    try:
        with memory_group("sizing", limit) as group:
            words = (
                sys.executable,
                "-m",
                "dnsserver",
                WORKERS_OPTION,
                workers,
                STATE_OPTION,
                str(state),
                "-conf",
            )
            server = Server(OURS, group.command(*words))
            try:
                async with running(server, api.url, bench.folder, state=state, startup=STARTUP) as subject:
                    found = await _measured(group, subject, size, limit)
            except (TimeoutError, ProcessLookupError):
                if not group.killed():
                    raise
                return None
            return None if group.killed() else found
    finally:
        shutil.rmtree(state)


async def _measured(group: MemoryGroup, subject: Running, size: int, limit: int) -> Memory:
    start_s = await until_right(
        subject, f"{_name(size - 1)}.default.svc.cluster.local", _address(96, size - 1)
    )
    cpu_s = subject.cpu_s()
    await asyncio.sleep(SETTLE_S)
    rest, pss, store = group.now_mib(), subject.pss_mib(), group.shared_mib()
    await _ask_all(subject, size)
    asked = group.now_mib()
    await _reload(subject)
    await _complete(subject, size)
    return Memory(limit, rest, asked, group.peak_mib(), store, pss, cpu_s, start_s)


async def _complete(subject: Running, size: int) -> None:
    """Until the last EndpointSlice of the list is there."""
    last = max(range(size), key=_name)
    address = _address(128, last * ENDPOINTS)
    await until_right(
        subject, f"{address.replace('.', '-')}.{_name(last)}.default.svc.cluster.local", address, END_S
    )


async def _ask_all(subject: Running, size: int) -> None:
    """From several sockets, so that every worker is asked."""
    clients = [await Client.connect(subject.port) for _ in range(16)]
    for first in range(0, size, len(clients)):
        names = [
            f"{_name(number)}.default.svc.cluster.local" for number in range(first, min(first + 16, size))
        ]
        await asyncio.gather(*(client.address(name) for client, name in zip(clients, names, strict=False)))
    for client in clients:
        client.close()


async def _reload(subject: Running) -> None:
    os.kill(subject.pid, signal.SIGUSR1)
    until = time.monotonic() + RELOAD_S
    while DONE not in subject.log.read_text() and not subject.ended():
        if time.monotonic() > until:
            raise TimeoutError(f"not gone over to another configuration within {RELOAD_S:g} s")
        await asyncio.sleep(0.1)
