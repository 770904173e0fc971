"""A server under the load of dnsperf, with a prober next to it; each side on a core of its own."""

import asyncio
import contextlib
import json
import math
import os
import re
import shutil
import statistics
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.subject import TICKS, Running

#: Queries under way at one time: with as many as the server can, and with a fixed rate. What dnsperf sends in a burst
#: after it had to wait for its core has to fit the server's socket (net.core.rmem_default, some 270 small queries).
OUTSTANDING, OUTSTANDING_FIXED = 100, 200
#: UDP sockets that the queries come from.
CLIENTS = 10
#: Seconds. A query without reply for so long is lost.
LOST_S = 2
#: Seconds. The prober has started before dnsperf does, and ends before it.
PROBER_START_S, PROBER_END_S = 0.25, 0.3
#: Percent. A run in which other processes took more of the server's core is made again, REPEATS times in a scene.
NOISE, REPEATS = 5.0, 8
#: CPU seconds per second. A server that takes less is not at its limit: dnsperf is.
BUSY = 0.9


@dataclass(frozen=True, slots=True)
class Cores:
    """The core that the servers run on, and that of everything else; None where there is only one."""

    server: int | None
    load: int | None

    @classmethod
    def found(cls) -> "Cores":
        allowed = sorted(os.sched_getaffinity(0))
        if len(allowed) < 2 or shutil.which("taskset") is None:
            print("\nNo second core, or no taskset: servers and load share what there is.")
            return cls(None, None)
        return cls(allowed[-1], allowed[0])

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """This process, and the loads that it starts, on the load's core."""
        before = os.sched_getaffinity(0)
        if self.load is not None:
            os.sched_setaffinity(0, {self.load})
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. Latencies in microseconds: the prober's, or dnsperf's average where there was no prober."""

    cpu_us: float
    """Per query."""
    cores: float
    """CPU seconds per second."""
    rate: float
    average_us: float
    p50_us: float
    p99_us: float
    lost: int
    nxdomain: float
    """The share of these replies, in percent."""
    others: float
    """What other processes took of the server's core, in percent of it; 0 without a core of its own."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What the prober saw: `latencies` in microseconds."""

    latencies: list[float]
    lost: int


def told_others(runs: Iterable[list[Measured]]) -> str:
    """How quiet the machine was."""
    found = [run.others for measured in runs for run in measured]
    return (
        f"Other processes on the servers' core: {statistics.median(found):.0f} %, at most {max(found):.0f} %."
    )


def _core_s(pid: int) -> float:
    """The seconds that the one core of *pid* was busy, stolen time included."""
    allowed = os.sched_getaffinity(pid)
    if len(allowed) > 1:
        return 0.0
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{min(allowed)} "):
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, line.split()[1:9])
            return (user + nice + system + irq + softirq + steal) / TICKS
    return 0.0


def median(runs: list[Measured], field: str) -> float:
    return statistics.median(float(getattr(run, field)) for run in runs)


class Loads:
    """The runs of a scene."""

    def __init__(self) -> None:
        self._repeats = REPEATS

    async def run(self, subject: Running, queries: Path, seconds: float, rate: int = 0) -> Measured:
        """As `load`; again where it was not quiet, while there are repeats left."""
        found = await load(subject, queries, seconds, rate)
        while found.others > NOISE and self._repeats:
            self._repeats -= 1
            again = await load(subject, queries, seconds, rate)
            found = min(found, again, key=lambda run: run.others)
        return found


async def load(subject: Running, queries: Path, seconds: float, rate: int = 0) -> Measured:
    """*queries* over and over: as many as the server can, or *rate* a second and a prober next to them."""
    before, core_before = subject.cpu_s(), _core_s(subject.pid)
    probed = Probed([], 0)
    if rate:
        said, probed = await asyncio.gather(
            _dnsperf_later(subject, queries, seconds, rate), _probe(subject, queries, seconds - PROBER_END_S)
        )
    else:
        said = await _dnsperf(subject, queries, "-l", str(seconds), "-q", str(OUTSTANDING))
    cpu_s = subject.cpu_s() - before
    run_s = _number(said, "Run time (s)")
    completed = _number(said, "Queries completed") + len(probed.latencies)
    cuts = statistics.quantiles(probed.latencies, n=100) if rate else [math.nan] * 99
    return Measured(
        cpu_us=cpu_s * 1e6 / completed,
        cores=cpu_s / run_s,
        rate=_number(said, "Queries per second"),
        average_us=statistics.fmean(probed.latencies) if rate else _number(said, "Average Latency (s)") * 1e6,
        p50_us=cuts[49],
        p99_us=cuts[98],
        lost=int(_number(said, "Queries lost")) + probed.lost,
        nxdomain=_share(said, "NXDOMAIN"),
        others=max(0.0, 100 * (_core_s(subject.pid) - core_before - cpu_s) / run_s),
    )


async def warm_up(subject: Running, queries: Path) -> None:
    """All *queries*, once."""
    await _dnsperf(subject, queries, "-n", "1", "-q", str(OUTSTANDING))


async def _dnsperf_later(subject: Running, queries: Path, seconds: float, rate: int) -> str:
    await asyncio.sleep(PROBER_START_S)
    return await _dnsperf(subject, queries, "-l", str(seconds), "-q", str(OUTSTANDING_FIXED), "-Q", str(rate))


async def _dnsperf(subject: Running, queries: Path, *more: str) -> str:
    clients = ("-c", str(CLIENTS), "-t", str(LOST_S))
    where = ("-s", "127.0.0.1", "-p", str(subject.port), "-B", "-d", str(queries))
    return await _output("dnsperf", *where, *clients, *more)


async def _probe(subject: Running, queries: Path, seconds: float) -> Probed:
    arguments = (str(subject.port), str(queries), str(seconds))
    found = json.loads(await _output(sys.executable, "-m", "bench.prober", *arguments))
    return Probed(found["latencies"], found["lost"])


async def _output(*command: str) -> str:
    child = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        said, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.terminate()
            await child.wait()
    if child.returncode:
        raise RuntimeError(f"{command[0]}: exit {child.returncode}\n{said.decode(errors='replace')}")
    return said.decode()


def _number(said: str, key: str) -> float:
    found = re.search(rf"^\s*{re.escape(key)}:\s+([\d.]+)", said, re.MULTILINE)
    if found is None:
        raise LookupError(f"dnsperf did not say {key!r}:\n{said}")
    return float(found[1])


def _share(said: str, rcode: str) -> float:
    found = re.search(rf"{rcode} \d+ \(([\d.]+)%\)", said)
    return float(found[1]) if found else 0.0
