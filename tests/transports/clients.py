"""Clients and responders for the tests of transports."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from dnsserver.transports.addresses import SocketAddress
from dnsserver.transports.limits import TransportLimits
from dnsserver.transports.responder import Arrival
from dnsserver.wire.frames import frame

#: Seconds. No test waits longer for what must come.
PATIENCE_S = 5.0
#: Seconds. What must not come has had time to.
SILENCE_S = 0.1

#: Limits in milliseconds, for tests that let them pass.
QUICK = TransportLimits(
    answer_s=0.3,
    tcp_first_read_s=0.1,
    tcp_message_s=0.1,
    tcp_idle_s=0.2,
    tcp_write_s=0.2,
    accept_pause_s=0.02,
)

T = TypeVar("T")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def query(number: int = 1, text: bytes = b"question") -> bytes:
    """Something that is long enough to be a DNS message, with *number* as its ID."""
    return number.to_bytes(2, "big") + bytes(10) + text


async def echo(octets: bytes, _: Arrival) -> bytes | None:
    return octets


async def silent(_octets: bytes, _: Arrival) -> bytes | None:
    return None


async def hang(_octets: bytes, _: Arrival) -> bytes | None:
    await asyncio.Event().wait()
    return None


async def until(condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Wait until *condition* holds."""
    deadline = asyncio.get_running_loop().time() + patience_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"never true: {condition}"
        await asyncio.sleep(0.002)


async def soon(coming: Awaitable[T]) -> T:
    return await asyncio.wait_for(coming, PATIENCE_S)


async def receive_from(sock: socket.socket) -> tuple[bytes, SocketAddress]:
    """`loop.sock_recvfrom`, which not every event loop has."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return sock.recvfrom(65_535)
        except BlockingIOError:
            readable = asyncio.Event()
            loop.add_reader(sock.fileno(), readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(sock.fileno())


class UdpClient:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    async def send(self, octets: bytes, to: tuple[str, int]) -> None:
        self.sock.sendto(octets, to)
        await asyncio.sleep(0)

    async def receive(self) -> tuple[bytes, tuple[str, int]]:
        octets, origin = await soon(receive_from(self.sock))
        return octets, (origin[0], origin[1])

    async def ask(self, octets: bytes, to: tuple[str, int]) -> tuple[bytes, tuple[str, int]]:
        await self.send(octets, to)
        return await self.receive()


@asynccontextmanager
async def udp_client(host: str = "127.0.0.1") -> AsyncIterator[UdpClient]:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind((host, 0))
        yield UdpClient(sock)


@asynccontextmanager
async def tcp_client(host: str, port: int, *, source: str | None = None) -> AsyncIterator[Streams]:
    local = (source, 0) if source else None
    reader, writer = await soon(asyncio.open_connection(host, port, local_addr=local))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


async def read_message(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await soon(reader.readexactly(2)), "big")
    return await soon(reader.readexactly(length))


async def ask(streams: Streams, octets: bytes) -> bytes:
    reader, writer = streams
    writer.write(frame(octets))
    return await read_message(reader)


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What still comes until the server closes or resets."""
    rest = b""
    try:
        while data := await soon(reader.read(65_536)):
            rest += data
    except ConnectionError:
        pass
    return rest


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def reset_when_closed(sock: socket.socket) -> None:
    """Close without the courtesies: the peer gets a reset at once."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
