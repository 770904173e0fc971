"""Several processes: control transfers, workers answer and take NOTIFY; a new start has the zone at once."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import dns.exception

from tests.plugins.secondary.test_secondary import primary, write
from tests.runtime.helpers import ask, data, rcode
from tests.support.process import free_port

#: Seconds. For four processes to start on a busy machine.
START_S = 60.0
#: Seconds. Then another is asked: what a server gets while it starts may be lost.
ANSWER_S = 1.0


@contextlib.asynccontextmanager
async def running(folder: Path, port: int, from_port: int) -> AsyncIterator[None]:
    corefile = folder / "Corefile"
    corefile.write_text(
        f"example.org:{port} {{\n bind 127.0.0.1\n secondary {{\n transfer from 127.0.0.1:{from_port}\n }}\n}}\n"
    )
    state = folder / "state"
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "dnsserver", "-conf", str(corefile)),
            *("--workers", "2", "--state-dir", str(state)),
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def test_control_transfers_and_workers_answer(tmp_path: Path) -> None:
    write(tmp_path)
    own, theirs = free_port(), free_port()

    async def answers() -> list[str]:
        try:
            async with asyncio.timeout(ANSWER_S):
                reply = await ask(own, "www.example.org.")
        except (OSError, dns.exception.Timeout):
            return []
        return [rcode(reply), *data(reply)]

    async def settled(wanted: list[str]) -> None:
        async with asyncio.timeout(START_S):
            while await answers() != wanted:  # noqa: ASYNC110 - another process says so
                await asyncio.sleep(0.1)

    async with primary(tmp_path, theirs, f"to 127.0.0.1:{own}"), running(tmp_path, own, theirs):
        await settled(["NOERROR", "A 192.0.2.1"])
        write(tmp_path, 2, 2)
        await settled(["NOERROR", "A 192.0.2.2"])
        for _ in range(20):  # sockets of both workers
            await settled(["NOERROR", "A 192.0.2.2"])
    async with running(tmp_path, own, theirs):
        await settled(["NOERROR", "A 192.0.2.2"])
