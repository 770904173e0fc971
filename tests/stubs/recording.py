"""Run by a program's name inside a network namespace: all scenarios with a real library, and what it asked.

    python -m tests.stubs.recording COMMAND...     as root; prints JSON: title -> queries, outcome

COMMAND takes the family (4, 6, *) and the name, and prints lines as `programs` says. Each scenario has servers of its
own, on 127.0.N.1 to 127.0.N.3, port 53, and its resolv.conf in a mount namespace.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from dnsserver.stubs import Family
from dnsserver.wire.frames import frame
from tests.stubs.scenarios import SCENARIOS
from tests.stubs.scripted import CLOSE, Scenario, Script, line

#: Scenarios at the same time: they wait, most of the time.
PARALLEL = 12
#: Seconds. No look-up takes longer, or it hangs.
PATIENCE_S = 15.0
#: Seconds without a further query, after which a connection that shall be closed is.
PAUSE_S = 0.05
MODES = {Family.BOTH: "*", Family.IPV4: "4", Family.IPV6: "6"}
#: Shows its first argument as /etc/resolv.conf to the command behind it.
_WITH_RESOLV_CONF = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'

Recorded = dict[str, Any]


class _Server(asyncio.DatagramProtocol):
    def __init__(self, number: int, script: Script, asked: list[tuple[float, str]]) -> None:
        self._number, self._script, self._asked = number, script, asked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        said = self._take("udp", data)
        if isinstance(said, bytes):
            self._transport.sendto(said, addr)

    async def stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a connection's queries until the client closes it; close it once it has sent all that it will."""
        limit = None
        try:
            while True:
                async with asyncio.timeout(limit):
                    size = int.from_bytes(await reader.readexactly(2), "big")
                said = self._take("tcp", await reader.readexactly(size))
                if said == CLOSE:
                    limit = PAUSE_S
                if isinstance(said, bytes):
                    writer.write(frame(said))
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            return
        finally:
            writer.close()

    def _take(self, transport: str, octets: bytes) -> bytes | str:
        self._asked.append((time.monotonic(), line(self._number, transport, octets)))
        return self._script.answer(self._number, transport, octets)


def _itself(server: _Server) -> _Server:
    return server


async def record(scenario: Scenario, number: int, command: Sequence[str], folder: Path) -> Recorded:
    """Run *scenario* as the *number*-th."""
    asked: list[tuple[float, str]] = []
    script = Script(scenario)
    hosts = [f"127.0.{number}.{place}" for place in range(1, scenario.servers + 1)]
    loop = asyncio.get_running_loop()
    opened: list[asyncio.DatagramTransport | asyncio.Server] = []
    for place, host in enumerate(hosts, 1):
        server = _Server(place, script, asked)
        transport, _ = await loop.create_datagram_endpoint(partial(_itself, server), local_addr=(host, 53))
        opened += [transport, await asyncio.start_server(server.stream, host, 53)]
    resolv_conf = folder / f"{number}.conf"
    resolv_conf.write_text(scenario.resolv_conf(hosts))
    told = await _run(command, resolv_conf, scenario)
    for item in opened:
        item.close()
    begun = asked[0][0] if asked else 0.0
    return {"asked": [(round(at - begun, 3), text) for at, text in asked], **told}


async def _run(command: Sequence[str], resolv_conf: Path, scenario: Scenario) -> Recorded:
    words = ("unshare", "-m", "sh", "-c", _WITH_RESOLV_CONF, "sh", str(resolv_conf), *command)
    process = await asyncio.create_subprocess_exec(
        *words, MODES[scenario.family], scenario.lookup, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return {"addresses": [], "seconds": None}
    lines = [text.partition(" ") for text in out.decode().splitlines()]
    found: Recorded = {"addresses": [value for key, _, value in lines if key == "address"]}
    found.update({key: value for key, _, value in lines if key in ("error", "text")})
    found["seconds"] = float(next(value for key, _, value in lines if key == "seconds"))
    return found


async def record_all(command: Sequence[str]) -> dict[str, Recorded]:
    turn = asyncio.Semaphore(PARALLEL)

    async def one(scenario: Scenario, number: int, folder: Path) -> Recorded:
        async with turn:
            return await record(scenario, number, command, folder)

    with tempfile.TemporaryDirectory() as folder:
        found = await asyncio.gather(
            *(one(scenario, number, Path(folder)) for number, scenario in enumerate(SCENARIOS, 1))
        )
    return {scenario.title: told for scenario, told in zip(SCENARIOS, found, strict=True)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(record_all(sys.argv[1:])), indent=1))
