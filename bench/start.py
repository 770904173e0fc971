"""The scene `start`: process start to first right answer, with the API server there, and with it gone."""

import asyncio
import statistics
import time
from pathlib import Path

from bench.client import until_right
from bench.cluster import SERVICES, cluster_ip, objects, service_name
from bench.effort import Bench
from bench.peers import ready
from bench.results import OURS, Section
from bench.subject import STATE_OPTION, ours, running, servers, takes
from dnsserver.testing.kube_api import KubeApi

#: Seconds. The state is stored when no file of it has changed for QUIET_S; it is given up after STORE_S.
QUIET_S, STORE_S = 1.0, 20.0
#: Seconds. Without an API server, answers come by then or not at all.
LIMIT_S = 10.0
#: The scenes that the figures are kept under.
UP, DOWN = "start-up", "start-down"


async def start(bench: Bench) -> None:
    rows = []
    async with KubeApi() as api:
        api.add(*objects())
        for server in servers():
            times = []
            for _ in range(bench.effort.starts):
                async with running(server, api.url, bench.folder, bench.cores.one) as subject:
                    times.append(await ready(subject))
            rows.append([server.name, "up", *_told(bench, UP, server.name, times)])
        rows.append([OURS, "down, stored state", *await _down(bench, api)])
    title = (
        f"`start`: process start to first right answer, {SERVICES:,} Services, on one core. Medians of "
        f"{bench.effort.starts}:"
    )
    bench.results.add(Section(title, ("server", "API server", "seconds", "from-to"), rows))


def _told(bench: Bench, scene: str, name: str, times: list[float]) -> list[str]:
    seconds = statistics.median(times)
    bench.results.figures[scene, name, "seconds"] = seconds
    return [f"{seconds:.2f}", f"{min(times):.2f}-{max(times):.2f}"]


async def _down(bench: Bench, api: KubeApi) -> list[str]:
    """Two cells. The state is that of a server that was killed; the API server is gone when it starts again."""
    if not takes(STATE_OPTION):
        return ["not supported", "–"]
    state = bench.folder / "state"
    state.mkdir()
    async with running(ours(), api.url, bench.folder, bench.cores.one, state) as subject:
        await ready(subject)
        await _stored(state)
        subject.kill()
    await api.stop()
    times = []
    last = SERVICES - 1
    for _ in range(bench.effort.starts):
        async with running(ours(), api.url, bench.folder, bench.cores.one, state) as subject:
            try:
                times.append(await until_right(subject, service_name(last), cluster_ip(last), LIMIT_S))
            except TimeoutError as error:
                bench.results.remark(f"Start from stored state: {error}")
                return ["no right answer", "–"]
            finally:
                subject.kill()
    return _told(bench, DOWN, OURS, times)


async def _stored(state: Path) -> None:
    """Wait until the files of *state* are there, and no longer change."""
    end = time.monotonic() + STORE_S
    seen, since = _files(state), time.monotonic()
    while time.monotonic() < end and not (seen and time.monotonic() - since > QUIET_S):
        await asyncio.sleep(0.1)
        if (now := _files(state)) != seen:
            seen, since = now, time.monotonic()


def _files(folder: Path) -> dict[Path, tuple[int, int]]:
    """Size and time of change of all files."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            status = path.stat()
            found[path] = (status.st_size, status.st_mtime_ns)
    return found
