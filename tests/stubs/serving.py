"""Scripted servers with sockets, by UDP and TCP."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from dnsserver.wire.frames import frame
from tests.stubs.scripted import CLOSE, Script, line

#: Seconds without a further query, after which a connection that shall be closed is.
PAUSE_S = 0.05
#: Seconds, in which a connection ends once the client has closed it.
PATIENCE_S = 5.0


@dataclass(slots=True)
class Served:
    """`asked`: time (monotonic, seconds) and line of each query."""

    asked: list[tuple[float, str]] = field(default_factory=list)


@asynccontextmanager
async def serving(script: Script, hosts: Sequence[str], port: int) -> AsyncIterator[Served]:
    """A server on each of *hosts*."""
    served = Served()
    opened: list[asyncio.DatagramTransport | asyncio.Server] = []
    conversations: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    try:
        for number, host in enumerate(hosts, 1):
            server = _Server(number, script, served.asked, conversations)
            listener = await asyncio.start_server(server.accepted, host, port)
            opened.append(listener)
            transport, _ = await loop.create_datagram_endpoint(
                partial(_itself, server), local_addr=(host, port)
            )
            opened.append(transport)
        yield served
    finally:
        for item in opened:
            item.close()
        for task in conversations:  # whoever asked closes its connections, and they end
            await asyncio.wait_for(task, PATIENCE_S)


class _Server(asyncio.DatagramProtocol):
    def __init__(
        self,
        number: int,
        script: Script,
        asked: list[tuple[float, str]],
        conversations: list[asyncio.Task[None]],
    ) -> None:
        self._number, self._script, self._asked = number, script, asked
        self._conversations = conversations

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        said = self._take("udp", data)
        if isinstance(said, bytes):
            self._transport.sendto(said, addr)

    def accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._conversations.append(asyncio.create_task(self._stream(reader, writer)))

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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
