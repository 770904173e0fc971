"""A server under load, its runs and their figures; servers and loads each on a core of their own."""

import contextlib
import math
import os
import shutil
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.subject import TICKS, Running
from bench.tools import Load, ask

#: Percent. A run in which other processes took more of the server's core is made again, while there are repeats left.
NOISE = 5.0
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
            return cls(None, None)
        return cls(allowed[-1], allowed[0])

    @property
    def one(self) -> str | None:
        """The servers' core, as taskset takes it."""
        return None if self.server is None else str(self.server)

    @property
    def both(self) -> str | None:
        return None if self.server is None else f"{self.load},{self.server}"

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
    p999_us: float
    lost: int
    nxdomain: float
    """The share of these replies, in percent."""
    others: float
    """What other processes took of the server's core, in percent of it; 0 without a core of its own."""


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
    """The runs of a scene, of which *repeats* are made again where it was not quiet."""

    def __init__(self, repeats: int) -> None:
        self._repeats = repeats

    async def run(self, subject: Running, load: Load) -> Measured:
        found = await _measure(subject, load)
        while found.others > NOISE and self._repeats:
            self._repeats -= 1
            again = await _measure(subject, load)
            found = min(found, again, key=lambda run: run.others)
        return found


async def _measure(subject: Running, load: Load) -> Measured:
    before, core_before = subject.cpu_s(), _core_s(subject.pid)
    done, probed = await ask(subject.port, load)
    cpu_s, core_s = subject.cpu_s() - before, _core_s(subject.pid) - core_before
    cuts = statistics.quantiles(probed.latencies, n=1000) if load.probe_rate else [math.nan] * 999
    return Measured(
        cpu_us=cpu_s * 1e6 / (done.completed + len(probed.latencies)),
        cores=cpu_s / done.seconds,
        rate=done.completed / done.seconds,
        average_us=statistics.fmean(probed.latencies) if load.probe_rate else done.average_us,
        p50_us=cuts[499],
        p99_us=cuts[989],
        p999_us=cuts[998],
        lost=done.lost + probed.lost,
        nxdomain=done.nxdomain,
        others=max(0.0, 100 * (core_s - cpu_s) / done.seconds),
    )
