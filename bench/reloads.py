"""The scene `reloads`: queries at a fixed rate while the server goes over to another Corefile, and while it stops."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from bench.churn import changing_api
from bench.cluster import HITS, QUERIES, write_queries
from bench.effort import Bench
from bench.peers import check, ready
from bench.results import COREDNS, OURS, Section
from bench.subject import STATE_OPTION, WORKERS_OPTION, Running, Server, coredns, free_port, process
from bench.tools import Done, Load, ask, warm_up

#: Queries a second; and how many wait for their replies while a server is silent, which is what comes in 0.2 s.
RATE, OUTSTANDING = 10_000, 2_000
#: Seconds from one SIGUSR1 to the next.
RELOAD_S = 1.0
#: Seconds. SIGTERM comes so long after the first query; the server answers on; the last query is asked before its end.
BEFORE_S, LAMEDUCK_S, STOPPED_S = 1.0, 2, 2.5
#: Queries whose answers are looked at before.
CHECKED = 200
#: Seconds. A reload has ended by then.
SETTLED_S = 10.0
#: What a server says at the beginning and at the end of each reload; CoreDNS too.
BEGUN, RELOADED = "[INFO] Reloading", "[INFO] Reloading complete"
ONE_PROCESS = f"{OURS}, one process"
HEAD = ("server", "what happens", "reloads", "queries", "lost", "worst ms", "dropped by its socket")
#: The scenes that figures are kept under.
RELOADING, STOPPING = "reloads", "reloads-stop"
#: Of one Corefile and the next.
TTLS = (5, 6)

COREFILE = """\
.:{port} {{
    bind 127.0.0.1
    errors
    prometheus 127.0.0.1:{metrics}
    health 127.0.0.1:{health} {{
        lameduck {lameduck}s
    }}
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        endpoint {api_url}
        startup_timeout 100ms
        ttl {ttl}
    }}
    loadbalance
}}
"""
#: It is there in two of four Corefiles.
BLOCK = """\
extra.test:{port} {{
    bind 127.0.0.1
    whoami
}}
"""


@dataclass(frozen=True, slots=True)
class Run:
    done: Done
    reloads: int
    dropped: int
    """Datagrams for which the server's sockets had no room."""


@dataclass(slots=True)
class Reloaded:
    """A server with a Corefile that changes; `text` gives it after so many changes."""

    subject: Running
    corefile: Path
    text: Callable[[int], str]
    changes: int = 0

    async def keep_reloading(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(RELOAD_S)
            self.changes += 1
            new = self.corefile.with_suffix(".new")
            new.write_text(self.text(self.changes))
            new.replace(self.corefile)
            os.kill(self.subject.pid, signal.SIGUSR1)

    async def stop(self) -> None:
        await asyncio.sleep(BEFORE_S)
        os.kill(self.subject.pid, signal.SIGTERM)

    async def run(self, load: Load, meanwhile: Coroutine[None, None, None]) -> Run:
        """*load*, and what happens to the server *meanwhile*."""
        reloads, dropped = self._reloads(), self._dropped()
        happening = asyncio.create_task(meanwhile, name="meanwhile")
        try:
            done, _ = await ask(self.subject.port, load)
        finally:
            happening.cancel()
            await asyncio.wait((happening,))
        return Run(done, self._reloads() - reloads, self._dropped() - dropped)

    async def rest(self) -> None:
        """Until it has followed the last SIGUSR1, or SETTLED_S are over."""
        end = time.monotonic() + SETTLED_S
        while self._said(BEGUN) > self._reloads() and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    def _said(self, line: str) -> int:
        return self.subject.log.read_text(errors="replace").splitlines().count(line)

    def _reloads(self) -> int:
        return self._said(RELOADED)

    def _dropped(self) -> int:
        """By all UDP sockets on the port so far (/proc/net/udp: local_address, and drops as the last column)."""
        rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
        return sum(int(row[-1]) for row in rows if int(row[1].rpartition(":")[2], 16) == self.subject.port)


@dataclass(slots=True)
class Runs:
    """Of one server."""

    reloading: list[Run] = field(default_factory=list)
    stopping: list[Run] = field(default_factory=list)


async def reloads(bench: Bench) -> None:
    """One server at a time: a reload takes what it can get of the core."""
    runs: dict[str, Runs] = defaultdict(Runs)
    file = bench.folder / "queries"
    write_queries(file, HITS.asks(QUERIES))
    load = Load(file, bench.effort.churn_s, RATE, outstanding=OUTSTANDING)
    async with changing_api(0) as api:
        for _ in range(bench.effort.few):
            for server in _servers():
                async with _running(server, api.url, bench) as reloaded:
                    await ready(reloaded.subject)
                    await check(server.name, reloaded.subject, islice(HITS.asks(QUERIES), CHECKED))
                    await warm_up(reloaded.subject.port, file)
                    found = runs[server.name]
                    found.reloading.append(await reloaded.run(load, reloaded.keep_reloading()))
                    await reloaded.rest()
                    await warm_up(reloaded.subject.port, file)
                    short = replace(load, seconds=STOPPED_S)
                    found.stopping.append(await reloaded.run(short, reloaded.stop()))
    _add(bench, runs)


def _add(bench: Bench, runs: dict[str, Runs]) -> None:
    rows = []
    for name, found in runs.items():
        for scene, what, measured in (
            (RELOADING, f"SIGUSR1 each {RELOAD_S:g} s", found.reloading),
            (STOPPING, "SIGTERM", found.stopping),
        ):
            lost = sum(run.done.lost for run in measured)
            bench.results.figures[scene, name, "lost"] = lost
            reloads, dropped = (sum(getattr(run, key) for run in measured) for key in ("reloads", "dropped"))
            queries = sum(run.done.completed + run.done.lost for run in measured)
            worst_ms = max(run.done.worst_us for run in measured) / 1000
            rows.append(
                [name, what, str(reloads), f"{queries:,}", str(lost), f"{worst_ms:.0f}", str(dropped)]
            )
    title = (
        f"`reloads`: {HITS.name}, {RATE:,} queries a second, while each second brings another Corefile and SIGUSR1, "
        f"and in the {LAMEDUCK_S} s of `lameduck` after SIGTERM. All of {bench.effort.few} runs of "
        f"{bench.effort.churn_s:g} s and {STOPPED_S:g} s together:"
    )
    bench.results.add(Section(title, HEAD, rows))


def _servers() -> Iterator[Server]:
    """With one worker, in one process, and CoreDNS."""
    python = (sys.executable, "-m", "dnsserver", WORKERS_OPTION)
    yield Server(OURS, (*python, "1", "-conf"))
    yield Server(ONE_PROCESS, (*python, "0", "-conf"))
    if program := coredns():
        yield Server(COREDNS, (program, "-conf"))


@contextlib.asynccontextmanager
async def _running(server: Server, api_url: str, bench: Bench) -> AsyncIterator[Reloaded]:
    port, metrics, health = (free_port() for _ in range(3))

    def text(changes: int) -> str:
        block = COREFILE.format(
            **{"port": port, "metrics": metrics, "health": health},
            **{"api_url": api_url, "lameduck": LAMEDUCK_S, "ttl": TTLS[changes % 2]},
        )
        return block + BLOCK.format(port=port) if changes % 4 > 1 else block

    corefile = bench.folder / "reloads.Corefile"
    corefile.write_text(text(0))
    command = [*server.command, str(corefile)]
    if server.name == OURS:
        command += [STATE_OPTION, tempfile.mkdtemp(prefix="state-", dir=bench.folder)]
    async with process(server.name, command, port, bench.folder, bench.cores.one) as subject:
        yield Reloaded(subject, corefile, text)
