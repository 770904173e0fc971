"""The programs that ask: dnsperf, the prober next to it, and a client of our own for what dnsperf cannot read."""

import asyncio
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

#: Queries under way at one time: with as many as the server can, and with a fixed rate. What dnsperf sends in a burst
#: after it had to wait for its core has to fit the server's socket (net.core.rmem_default, some 270 small queries).
OUTSTANDING, OUTSTANDING_FIXED = 100, 200
#: Sockets that the queries come from.
CLIENTS = 10
#: Seconds. A query without reply for so long is lost.
LOST_S = 2
#: Seconds. The prober has started before dnsperf does, and ends before it.
PROBER_START_S, PROBER_END_S = 0.25, 0.3


@dataclass(frozen=True, slots=True)
class Load:
    """The queries of a file over and over, for some seconds."""

    queries: Path
    seconds: float
    rate: int = 0
    """Queries a second of dnsperf; 0: as many as the server takes."""
    probe_rate: int = 0
    """Queries a second of the prober next to it, which finds the percentiles; 0: there is none."""
    tcp: bool = False
    """Over connections that stay."""
    new_connections: bool = False
    """A TCP connection for each query, from bench.connections: dnsperf 2.10 takes no reply of more than 16 KiB."""
    outstanding: int = 0
    """Queries under way at one time; 0: as many as are usual here."""


@dataclass(frozen=True, slots=True)
class Done:
    """What the program that asked says of its run."""

    completed: int
    lost: int
    seconds: float
    average_us: float
    nxdomain: float = 0.0
    """The share of these replies, in percent."""
    worst_us: float = 0.0
    """The longest that a reply took, where dnsperf asked."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What the prober saw: `latencies` in microseconds."""

    latencies: list[float]
    lost: int


async def ask(port: int, load: Load) -> tuple[Done, Probed]:
    """The whole of *load*."""
    if load.new_connections:
        arguments = (port, load.queries, load.seconds, CLIENTS)
        said = await _output(sys.executable, "-m", "bench.connections", *map(str, arguments))
        return Done(**json.loads(said)), Probed([], 0)
    if not load.probe_rate:
        return await _dnsperf(port, load), Probed([], 0)
    return await asyncio.gather(_dnsperf_later(port, load), _probe(port, load))


async def warm_up(port: int, queries: Path, *, tcp: bool = False) -> None:
    """All *queries*, once."""
    options = [*_where(port, queries), "-n", "1", "-q", str(OUTSTANDING)]
    await _output("dnsperf", *options, *(["-m", "tcp"] if tcp else []))


async def _dnsperf_later(port: int, load: Load) -> Done:
    await asyncio.sleep(PROBER_START_S)
    return await _dnsperf(port, load)


async def _dnsperf(port: int, load: Load) -> Done:
    options = [*_where(port, load.queries), "-l", str(load.seconds)]
    usual = OUTSTANDING_FIXED if load.rate else OUTSTANDING
    options += ["-q", str(load.outstanding or usual), *(["-Q", str(load.rate)] if load.rate else [])]
    said = await _output("dnsperf", *options, *(["-m", "tcp"] if load.tcp else []))
    completed, nxdomain = (
        int(_number(said, "Queries completed")),
        re.search(r"NXDOMAIN \d+ \(([\d.]+)%\)", said),
    )
    if not completed:
        raise RuntimeError(f"no reply that dnsperf takes:\n{said}")
    return Done(
        completed=completed,
        lost=int(_number(said, "Queries lost")),
        seconds=_number(said, "Run time (s)"),
        average_us=_number(said, "Average Latency (s)") * 1e6,
        nxdomain=float(nxdomain[1]) if nxdomain else 0.0,
        worst_us=_number(said, "Average Latency (s)", r"[\d.]+ \(min [\d.]+, max ([\d.]+)\)") * 1e6,
    )


def _where(port: int, queries: Path) -> tuple[str, ...]:
    clients = ("-c", str(CLIENTS), "-t", str(LOST_S))
    return ("-s", "127.0.0.1", "-p", str(port), "-B", "-d", str(queries), *clients)


async def _probe(port: int, load: Load) -> Probed:
    arguments = (port, load.queries, load.seconds - PROBER_END_S, load.probe_rate)
    found = json.loads(await _output(sys.executable, "-m", "bench.prober", *map(str, arguments)))
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


def _number(said: str, key: str, form: str = r"([\d.]+)") -> float:
    found = re.search(rf"^\s*{re.escape(key)}:\s+{form}", said, re.MULTILINE)
    if found is None:
        raise LookupError(f"dnsperf did not say {key!r}:\n{said}")
    return float(found[1])
