"""A name server that does what a test tells it, by UDP and TCP on one port of 127.0.0.1."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import cast

from dnsserver.wire.codes import Flag
from dnsserver.wire.frames import frame
from dnsserver.wire.header import Header
from dnsserver.wire.limits import HEADER_SIZE, MESSAGE_MAX
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record
from dnsserver.wire.writer import MessageWriter

#: Seconds. No test waits longer for what must come.
PATIENCE_S = 5.0
#: Turns of the loop, and more, from asyncio's accept() until our coroutine runs: transport, connection_made, task.
ACCEPTING = 8

#: The query and its protocol ("udp", "tcp") to what is sent: datagrams, or octets of the stream. After an empty
#: answer a TCP connection stays open; None closes it without a word.
Script = Callable[[bytes, str], Sequence[bytes] | None]


class Upstream:
    """`asked` has the protocol and octets of every query, `hosts` and `ports` where they came from."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[tuple[str, bytes]] = []
        self.ports: list[int] = []
        self.hosts: list[str] = []
        self.port = 0
        self.connections = 0

    @property
    def protocols(self) -> list[str]:
        return [protocol for protocol, _ in self.asked]

    def take(self, octets: bytes, protocol: str, client: tuple[str, int]) -> Sequence[bytes] | None:
        self.asked.append((protocol, octets))
        self.hosts.append(client[0])
        self.ports.append(client[1])
        return self.script(octets, protocol)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        for reply in self._upstream.take(data, "udp", addr) or ():
            self._transport.sendto(reply, addr)


@asynccontextmanager
async def upstream(script: Script) -> AsyncIterator[Upstream]:
    """Serves *script* until the end."""
    served = Upstream(script)
    gone: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        gone.append(writer)
        try:
            size = int.from_bytes(await reader.readexactly(2), "big")
            octets = await reader.readexactly(size)
            answer = served.take(octets, "tcp", writer.get_extra_info("peername"))
            for piece in answer or ():
                writer.write(piece)
            if answer is not None and not answer:
                await reader.read()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            served.connections -= 1
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    served.port = listener.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Datagrams(served), local_addr=("127.0.0.1", served.port)
    )
    try:
        yield served
    finally:
        transport.close()
        for sock in listener.sockets:
            asyncio.get_running_loop().remove_reader(sock.fileno())
        # Connections that were just accepted begin first: of a closed listener asyncio loses them.
        for _ in range(ACCEPTING):
            await asyncio.sleep(0)
        listener.close()
        for writer in gone:
            writer.transport.abort()
        await until(lambda: served.connections == 0)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for *condition*, not for ever."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nothing tells when it changes
            await asyncio.sleep(0.001)
    await asyncio.sleep(0)


def closed_port() -> int:
    """A port of 127.0.0.1 where nobody listens, by UDP or TCP."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
    ):
        stream.bind(("127.0.0.1", 0))
        port = int(stream.getsockname()[1])
        datagrams.bind(("127.0.0.1", port))
        return port


def reply_to(
    octets: bytes,
    answer: Iterable[Record] = (),
    *,
    authority: Iterable[Record] = (),
    additional: Iterable[Record] = (),
    rcode: int = 0,
    flags: int = Flag.RA,
    ident: int | None = None,
    question: Question | None = None,
    opt: bytes = b"",
) -> bytes:
    """A reply to the query *octets*; *ident* and *question* spoil it."""
    message = Message.decode(octets)
    number = message.header.id if ident is None else ident
    header = Header(number, message.header.opcode, rcode, Flag.QR | flags)
    writer = MessageWriter(header, question or message.questions[0], MESSAGE_MAX)
    for section, records in ((1, answer), (2, authority), (3, additional)):
        assert writer.put_all(section, records)
    return writer.finish(opt=opt)


def sent(reply: bytes, protocol: str) -> list[bytes]:
    """*reply* as it goes out by *protocol*."""
    return [reply if protocol == "udp" else frame(reply)]


def serving(answer: Iterable[Record] = (), *, rcode: int = 0, flags: int = Flag.RA) -> Script:
    """Replies to everything, by both protocols."""
    records = tuple(answer)

    def script(octets: bytes, protocol: str) -> Sequence[bytes]:
        return sent(reply_to(octets, records, rcode=rcode, flags=flags), protocol)

    return script


def sending(*pieces: bytes) -> Script:
    """Sends the same to everybody: datagrams, or octets of the stream."""

    def script(_octets: bytes, _by: str) -> Sequence[bytes]:
        return pieces

    return script


def closing(_octets: bytes, by: str) -> Sequence[bytes] | None:
    """Closes TCP connections without a word."""
    return None if by == "tcp" else ()


def silent(octets: bytes, protocol: str) -> Sequence[bytes]:
    """Takes queries, and says nothing."""
    assert len(octets) >= HEADER_SIZE
    assert protocol in ("udp", "tcp")
    return ()
