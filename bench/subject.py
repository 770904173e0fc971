"""A server under measurement: a process of its own, its CPU and memory read from /proc."""

import asyncio
import contextlib
import functools
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.results import COREDNS, OURS

TICKS = os.sysconf("SC_CLK_TCK")
#: Seconds between two samples of memory.
SAMPLE_S = 0.05
#: Seconds. A server that has not ended by then is killed.
END_S = 10.0
#: Ports of servers: below those that clients get (net.ipv4.ip_local_port_range).
PORTS = range(20_000, 30_000)
WORKERS_OPTION, STATE_OPTION = "--workers", "--state-dir"
#: What serves the names of the cluster, for dnsserver and coredns alike. The cost of counting is in.
COREFILE = """\
.:{port} {{
    bind 127.0.0.1
    errors
    prometheus 127.0.0.1:{metrics}
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        endpoint {api_url}
        startup_timeout {startup}
    }}
    loadbalance
}}
"""


#: The same with everything else asked elsewhere, and kept.
FORWARDING_COREFILE = COREFILE.replace(
    "    loadbalance\n", "    forward . 127.0.0.1:{upstream}\n    cache 3600\n    loadbalance\n"
)


@dataclass(frozen=True, slots=True)
class Server:
    """How to start one that reads a Corefile: `command` is followed by its path."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Running:
    pid: int
    port: int
    log: Path
    begun: float
    """On the clock of time.perf_counter."""

    def cpu_s(self) -> float:
        """User and system time so far, in seconds, of the process and its children."""
        return sum(sum(map(int, stat[11:13])) for pid in self.pids() if (stat := _stat(pid))) / TICKS

    def ended(self) -> bool:
        return not (stat := _stat(self.pid)) or stat[0] == "Z"

    def rss_mib(self) -> float:
        """Pages that processes share count once for each of them."""
        return self._memory_mib("status", "VmRSS")

    def pss_mib(self) -> float:
        """Pages that processes share count once."""
        return self._memory_mib("smaps_rollup", "Pss")

    def kill(self) -> None:
        """All processes at once, with no chance to tidy up."""
        _kill(self.pids())

    def pids(self) -> list[int]:
        """The process and all below it."""
        numbers = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
        parents = {pid: int(stat[1]) for pid in numbers if (stat := _stat(pid))}
        found = [self.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def _memory_mib(self, file: str, key: str) -> float:
        kib = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{pid}/{file}").read_text()
                kib += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(key + ":"))
        return kib / 1024


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on, which is field 3 of proc_pid_stat(5); none when it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _kill(pids: Sequence[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@dataclass(slots=True)
class PssPeak:
    """The most PSS in MiB, of samples every SAMPLE_S seconds while the context lasts; from a thread."""

    subject: Running
    mib: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._sample, name="memory")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(SAMPLE_S):
            self.mib = max(self.mib, self.subject.pss_mib())


@functools.cache
def takes(option: str) -> bool:
    """Whether this dnsserver has *option*, by what it says to -h."""
    command = (sys.executable, "-m", "dnsserver", "-h")
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=END_S).stdout
    return re.search(rf"(?<![\w-]){re.escape(option)}\b", said) is not None


def ours() -> Server:
    """With one worker, where it knows workers at all."""
    workers = (WORKERS_OPTION, "1") if takes(WORKERS_OPTION) else ()
    return Server(OURS, (sys.executable, "-m", "dnsserver", *workers, "-conf"))


def coredns() -> str | None:
    """The program: $COREDNS, or the one on PATH."""
    return os.environ.get("COREDNS") or shutil.which("coredns")


def servers() -> list[Server]:
    """Those that follow an API server."""
    program = coredns()
    return [ours(), *([Server(COREDNS, (program, "-conf"))] if program else [])]


def free_port() -> int:
    """A port that is free for UDP and TCP, and that no client gets for its end of a connection in the meantime."""
    while True:
        port = random.choice(PORTS)
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))
            return port


@contextlib.asynccontextmanager
async def running(
    server: Server,
    api_url: str,
    folder: Path,
    cpus: str | None = None,
    state: Path | None = None,
    upstream: int | None = None,
    startup: str = "100ms",
) -> AsyncIterator[Running]:
    """*server* on the cluster of *api_url*; ours with the stored *state*, or else with an empty one of its own. With
    *upstream*, a port, other names are asked there. *startup*: how long it waits for the cluster."""
    port = free_port()
    corefile = folder / f"{server.name}.Corefile"
    metrics = free_port()
    text = COREFILE if upstream is None else FORWARDING_COREFILE
    corefile.write_text(
        text.format(port=port, metrics=metrics, api_url=api_url, upstream=upstream, startup=startup)
    )
    command = [*server.command, str(corefile)]
    if server.name == OURS and takes(STATE_OPTION):
        # Not the default folder: what another server has left there is not what is measured.
        command += [STATE_OPTION, str(state or tempfile.mkdtemp(prefix="state-", dir=folder))]
    async with process(server.name, command, port, folder, cpus) as subject:
        yield subject


@contextlib.asynccontextmanager
async def process(
    name: str, command: Sequence[str], port: int, folder: Path, cpus: str | None = None
) -> AsyncIterator[Running]:
    """*command*, which listens on *port*, on these *cpus* (a list as taskset takes it); ended by its process id."""
    prefix = () if cpus is None else ("taskset", "--cpu-list", cpus)
    log_path = folder / f"{name}.log"
    with log_path.open("wb") as log:
        begun = time.perf_counter()
        child = await asyncio.create_subprocess_exec(
            *prefix, *command, stdout=log, stderr=asyncio.subprocess.STDOUT
        )
        subject = Running(child.pid, port, log_path, begun)
        try:
            yield subject
        finally:
            pids = subject.pids()
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(child.wait(), END_S)
            except TimeoutError:
                _kill(pids)
                await child.wait()
