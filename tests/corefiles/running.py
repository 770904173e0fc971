"""A name server that runs a Corefile in a process of its own."""

import asyncio
import http.client
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode

from tests.corefiles.machine import ENVIRONMENT, LOOPBACK, Machine
from tests.support.process import environment

#: Seconds. A start that takes longer does not come.
START_S = 30.0
#: Seconds. An exchange that takes longer does not come; one before anybody listens need not be waited for so long.
PATIENCE_S, LOOK_S = 5.0, 0.2
#: The server in one process; in three.
ONE = (sys.executable, "-m", "dnsserver", "--workers", "0")
SEVERAL = (sys.executable, "-m", "dnsserver", "--workers", "1", "--state-dir", "state")


@dataclass(frozen=True)
class Running:
    machine: Machine
    process: Process

    @property
    def log(self) -> str:
        """What it has printed."""
        return self._log.read_text()

    @property
    def _log(self) -> Path:
        return self.machine.folder / "log"

    async def ask(
        self,
        name: str,
        rtype: str = "A",
        *,
        rclass: str = "IN",
        tcp: bool = False,
        timeout_s: float = PATIENCE_S,
    ) -> dns.message.Message:
        query = dns.message.make_query(name, rtype, rclass)
        exchange = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
        host, port = self.machine.host, self.machine.dns
        return await exchange(query, host, port=port, timeout=timeout_s, ignore_trailing=True)

    async def is_up(self) -> bool:
        """Whether it has the cluster's objects."""
        try:
            return (await self.ask("nope.cluster.local.", timeout_s=LOOK_S)).rcode() == dns.rcode.NXDOMAIN
        except (OSError, dns.exception.Timeout):
            return False


@asynccontextmanager
async def running(machine: Machine, command: Sequence[str] = SEVERAL) -> AsyncIterator[Running]:
    """*command* with the Corefile of *machine*, from when it has the cluster's objects."""
    with (machine.folder / "log").open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *command,
            "-conf",
            "Corefile",
            cwd=machine.folder,
            stdout=out,
            stderr=out,
            env={**environment(), **ENVIRONMENT},
        )
    found = Running(machine, process)
    try:
        async with asyncio.timeout(START_S):
            while not await found.is_up():
                assert process.returncode is None, found.log
                await asyncio.sleep(0.05)
        yield found
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def fetched(port: int, path: str) -> tuple[int, str]:
    """Status and body of a page at port *port* of 127.0.0.1."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()
