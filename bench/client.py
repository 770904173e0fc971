"""Questions to a server from this process: over one UDP socket, or one over TCP."""

import asyncio
import time
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from bench.subject import Running

#: Seconds. A server that has not answered rightly by then has failed.
START_LIMIT_S = 60.0
#: Seconds. Between two looks at whether the server answers rightly, and for the reply to one of them: a question that
#: came before the server listened is never answered, and must not decide when the next is asked.
POLL_S, POLL_REPLY_S = 0.005, 0.05
#: Seconds. For a reply over TCP.
TCP_REPLY_S = 10.0


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

    async def address(self, name: str, timeout_s: float = 0.5) -> str:
        """The last A record of *name* as text, "" when there is none in time."""
        labels = b"".join(bytes((len(part),)) + part.encode() for part in name.rstrip(".").split("."))
        data = await self.ask(b"\0\0\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1", timeout_s)
        if len(data) < 12 or data[3] & 15 or not int.from_bytes(data[6:8], "big"):
            return ""
        # The last answer record is an A record: four octets at the end of the answer section. Without other
        # sections these are the last four octets of the message.
        return ".".join(str(octet) for octet in data[-4:])


async def until_right(subject: "Running", name: str, address: str, limit_s: float = START_LIMIT_S) -> float:
    """Seconds from the start of the process until *name* first has *address*.

    TimeoutError after *limit_s*, or at once when the process has ended.
    """
    client = await Client.connect(subject.port)
    try:
        while await client.address(name, POLL_REPLY_S) != address:
            if time.perf_counter() - subject.begun > limit_s or subject.ended():
                said = subject.log.read_text(errors="replace")[-2000:]
                raise TimeoutError(
                    f"no right answer to {name} within {limit_s:g} s; the server said:\n{said}"
                )
            await asyncio.sleep(POLL_S)
        return time.perf_counter() - subject.begun
    finally:
        client.close()


async def ask_tcp(port: int, message: bytes) -> bytes:
    """The reply to *message* over a TCP connection of its own."""
    async with asyncio.timeout(TCP_REPLY_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(len(message).to_bytes(2, "big") + message)
        reply = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        writer.close()
        await writer.wait_closed()
    return reply
