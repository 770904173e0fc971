"""Run a stub as it is: with a socket for each that the library opens, and waiting for what it waits for."""

import asyncio
import socket
from collections.abc import Mapping
from typing import Any

from dnsserver.stubs.machine import Broken, Channel, Close, Event, Expired, Reply, Send, Stub, Wait
from dnsserver.stubs.outcome import Outcome
from dnsserver.stubs.transcript import Transcript
from dnsserver.wire.frames import TcpFrames, frame

#: Octets that one read of a stream takes at most.
READ_SIZE = 65_536

#: Server, as resolv.conf names it, to host and port.
Places = Mapping[str, tuple[str, int]]
#: What a socket got: octets and the server that they came from, or the reason why nothing comes any more.
_Got = tuple[Channel, str, bytes] | tuple[Channel, OSError]


async def run_really(stub: Stub[Outcome], places: Places) -> Transcript:
    """Run *stub* to its end, in real time; what it sends to servers that are not in *places* is lost.

    A library may wait for ever (glibc, for an answer by TCP): give this a time-out.
    """
    sockets = _Sockets(places)
    try:
        return await _Run(stub, sockets).run()
    finally:
        await sockets.close()


class _Run:
    def __init__(self, stub: Stub[Outcome], sockets: "_Sockets") -> None:
        self._stub = stub
        self._sockets = sockets
        self._clock = asyncio.get_running_loop().time
        self._begun = self._clock()
        self._transcript = Transcript()

    async def run(self) -> Transcript:
        event: Event | None = None
        while True:
            try:
                action = self._stub.send(event)
            except StopIteration as end:
                self._transcript.outcome = end.value
                self._transcript.seconds = self._clock() - self._begun
                return self._transcript
            event = None
            if isinstance(action, Send):
                self._transcript.sent(
                    self._clock() - self._begun, action.channel, action.server, action.octets
                )
                await self._sockets.send(action)
            elif isinstance(action, Close):
                self._sockets.drop(action.channel)
            else:
                event = await self._next(action)

    async def _next(self, action: Wait) -> Event:
        until = None if action.until is None else self._begun + action.until
        try:
            async with asyncio.timeout_at(until):
                got = await self._sockets.next()
        except TimeoutError:
            return Expired(self._clock() - self._begun)
        at = self._clock() - self._begun
        if len(got) == 3:
            channel, server, octets = got
            for exchange in self._transcript.unanswered(channel)[::-1]:
                if exchange.server == server and exchange.octets[:2] == octets[:2]:
                    exchange.answered, exchange.reply = at, octets
                    break
            return Reply(at, channel, server, octets)
        channel, error = got
        refused = isinstance(error, ConnectionRefusedError)
        self._transcript.broke(at, channel, "refused" if refused else "closed")
        return Broken(at, channel, refused, reset=isinstance(error, ConnectionResetError))


class _Sockets:
    """The sockets of a look-up, and what they got, in order."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._servers = {place: server for server, place in places.items()}
        self._got: asyncio.Queue[_Got] = asyncio.Queue()
        self._datagrams: dict[Channel, asyncio.DatagramTransport] = {}
        self._unreachable: set[Channel] = set()
        self._streams: dict[Channel, tuple[asyncio.Queue[bytes], asyncio.Task[None]]] = {}

    async def send(self, action: Send) -> None:
        place = self._places.get(action.server)
        if place is None:
            return
        if action.channel.transport == "tcp":
            self._send_by_stream(action, place)
            return
        transport = self._datagrams.get(action.channel)
        if transport is None:
            try:
                transport = await self._opened(action.channel, place)
            except OSError as error:  # there is no way there
                self._unreachable.add(action.channel)
                self.failed(action.channel, error)
                return
            self._datagrams[action.channel] = transport
        transport.sendto(action.octets, None if action.channel.connected else place)

    async def next(self) -> _Got:
        """What came for a socket that is not closed."""
        while True:
            got = await self._got.get()
            if got[0] in self._datagrams or got[0] in self._streams or got[0] in self._unreachable:
                return got

    def drop(self, channel: Channel) -> None:
        self._unreachable.discard(channel)
        transport = self._datagrams.pop(channel, None)
        if transport is not None:
            transport.close()
        stream = self._streams.pop(channel, None)
        if stream is not None:
            stream[1].cancel()

    async def close(self) -> None:
        tasks = [task for _, task in self._streams.values()]
        for channel in (*self._datagrams, *self._streams):
            self.drop(channel)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _opened(self, channel: Channel, place: tuple[str, int]) -> asyncio.DatagramTransport:
        family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        where: dict[str, Any] = {"remote_addr": place}
        if not channel.connected:
            where = {"local_addr": ("::" if family == socket.AF_INET6 else "0.0.0.0", 0)}
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self, channel), family=family, **where
        )
        return transport

    def datagram(self, channel: Channel, octets: bytes, address: tuple[Any, ...]) -> None:
        server = self._servers.get((address[0], address[1]))
        if server is not None:
            self._got.put_nowait((channel, server, octets))

    def failed(self, channel: Channel, error: OSError) -> None:
        self._got.put_nowait((channel, error))

    def _send_by_stream(self, action: Send, place: tuple[str, int]) -> None:
        stream = self._streams.get(action.channel)
        if stream is None:
            queue: asyncio.Queue[bytes] = asyncio.Queue()
            task = asyncio.create_task(self._stream(action.channel, action.server, place, queue))
            stream = self._streams[action.channel] = (queue, task)
        stream[0].put_nowait(frame(action.octets))

    async def _stream(
        self, channel: Channel, server: str, place: tuple[str, int], queue: asyncio.Queue[bytes]
    ) -> None:
        """Connect, send what is queued, and read until the other side closes."""
        try:
            reader, writer = await asyncio.open_connection(*place)
        except OSError as error:
            self.failed(channel, error)
            return
        sending = asyncio.create_task(_written(writer, queue))
        frames = TcpFrames()
        try:
            while data := await reader.read(READ_SIZE):
                for message in frames.feed(data):
                    self._got.put_nowait((channel, server, message))
            self.failed(channel, ConnectionAbortedError())
        except OSError as error:
            self.failed(channel, error)
        finally:
            sending.cancel()
            writer.close()


async def _written(writer: asyncio.StreamWriter, queue: asyncio.Queue[bytes]) -> None:
    while True:
        writer.write(await queue.get())


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, sockets: _Sockets, channel: Channel) -> None:
        self._sockets = sockets
        self._channel = channel

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._sockets.datagram(self._channel, data, addr)

    def error_received(self, exc: Exception) -> None:
        if self._channel.connected and isinstance(exc, OSError):
            self._sockets.failed(self._channel, exc)
