"""A server under measurement: a process of its own, its CPU and memory read from /proc."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

#: Seconds. A server that has not answered rightly by then has failed.
START_LIMIT_S = 60.0
#: Seconds. Between two looks at whether the server answers rightly.
POLL_S = 0.01
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """How to start one: `command` is followed by the path of the Corefile. `plugins`: their lines in it."""

    name: str
    command: tuple[str, ...]
    plugins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Running:
    pid: int
    port: int
    log: Path

    def cpu_s(self) -> float:
        """User and system time so far, in seconds, of the process and its children."""
        return sum(sum(map(int, _stat(pid)[11:13])) for pid in self._pids()) / TICKS

    def peak_mib(self) -> float:
        return self._status("VmHWM")

    def rss_mib(self) -> float:
        return self._status("VmRSS")

    def _status(self, key: str) -> float:
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in self._pids()]
        found = [line for text in texts for line in text.splitlines() if line.startswith(key + ":")]
        return sum(int(line.split()[1]) for line in found) / 1024

    def _pids(self) -> list[int]:
        """The process and all below it."""
        parents: dict[int, int] = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal():
                with contextlib.suppress(OSError):
                    parents[int(folder.name)] = int(_stat(int(folder.name))[1])
        found = [self.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on, which is field 3 of proc_pid_stat(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def servers() -> list[Server]:
    """Ours, and CoreDNS where $COREDNS or the PATH has it."""
    found = [Server("dnsserver", (sys.executable, "-m", "dnsserver", "-conf"))]
    coredns = os.environ.get("COREDNS") or shutil.which("coredns")
    if coredns:
        found.append(Server("coredns", (coredns, "-conf")))
    return found


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.asynccontextmanager
async def running(
    server: Server, api_url: str, folder: Path, core: int | None = None
) -> AsyncIterator[Running]:
    """*server* on the cluster of *api_url*."""
    port = free_port()
    corefile = folder / f"{server.name}.Corefile"
    more = "".join(f" {line}\n" for line in server.plugins)
    corefile.write_text(
        f".:{port} {{\n bind 127.0.0.1\n{more} kubernetes cluster.local in-addr.arpa ip6.arpa {{\n"
        f"  endpoint {api_url}\n  startup_timeout 100ms\n }}\n}}\n"
    )
    async with process(server.name, (*server.command, str(corefile)), port, folder, core) as subject:
        yield subject


@contextlib.asynccontextmanager
async def process(
    name: str, command: Sequence[str], port: int, folder: Path, core: int | None = None
) -> AsyncIterator[Running]:
    """*command*, which listens on *port*, on one core if given; ended by its process id."""
    prefix = () if core is None else ("taskset", "--cpu-list", str(core))
    log_path = folder / f"{name}.log"
    with log_path.open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            *prefix, *command, stdout=log, stderr=asyncio.subprocess.STDOUT
        )
        try:
            yield Running(child.pid, port, log_path)
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
            await child.wait()


async def wait_for(subject: Running, ask: "AsyncAsk", wanted: str) -> float:
    """Seconds until *ask* first gives *wanted*."""
    begun = time.perf_counter()
    while await ask() != wanted:
        if time.perf_counter() - begun > START_LIMIT_S:
            said = subject.log.read_text(errors="replace")[-2000:]
            raise TimeoutError(f"no right answer within {START_LIMIT_S:g} s; the server said:\n{said}")
        await asyncio.sleep(POLL_S)
    return time.perf_counter() - begun


class AsyncAsk:
    """Ask for the A record of one name: the address as text, or "" for anything else."""

    def __init__(self, client: "Client", name: str) -> None:
        self._client = client
        self._name = name

    async def __call__(self) -> str:
        return await self._client.address(self._name)


class Client(asyncio.DatagramProtocol):
    """One UDP socket with many questions in flight, told apart by their IDs."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._next = 0

    @classmethod
    async def connect(cls, port: int) -> "Client":
        loop = asyncio.get_running_loop()
        _, client = await loop.create_datagram_endpoint(cls, remote_addr=("127.0.0.1", port))
        return client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - connected socket
        waiting = self._waiting.pop(int.from_bytes(data[:2], "big"), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens yet: the question times out, and is asked again."""

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def ask(self, message: bytes, timeout_s: float = 0.5) -> bytes:
        """The reply to *message*, which gets an ID of ours; "" when there is none in time."""
        assert self._transport is not None
        self._next = (self._next + 1) & 0xFFFF
        reply = asyncio.get_running_loop().create_future()
        self._waiting[self._next] = reply
        self._transport.sendto(self._next.to_bytes(2, "big") + message[2:])
        try:
            return await asyncio.wait_for(reply, timeout_s)
        except TimeoutError:
            return b""

    async def address(self, name: str) -> str:
        """The first A record of *name* as text, "" when there is none in time."""
        labels = b"".join(bytes((len(part),)) + part.encode() for part in name.rstrip(".").split("."))
        data = await self.ask(b"\0\0\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1")
        if len(data) < 12 or data[3] & 15 or not int.from_bytes(data[6:8], "big"):
            return ""
        # The last answer record is an A record: four octets at the end of the answer section. Without other
        # sections these are the last four octets of the message.
        return ".".join(str(octet) for octet in data[-4:])
