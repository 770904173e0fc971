"""One question over TCP, and all the messages that come for it."""

import asyncio
import socket
from collections.abc import AsyncGenerator

from dnsserver.wire.frames import PREFIX, frame

#: Seconds. For the connection, and for each message.
MESSAGE_S = 10.0


async def replies(octets: bytes, host: str, port: int) -> AsyncGenerator[bytes, None]:
    """Ask *host*, an IP address; the messages one by one, until the caller has enough. Raises OSError."""
    async with asyncio.timeout(MESSAGE_S):
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        )
        reader, writer = await asyncio.open_connection(*found[0][4][:2], family=found[0][0])
    try:
        writer.write(frame(octets))
        while True:
            async with asyncio.timeout(MESSAGE_S):
                size = int.from_bytes(await reader.readexactly(PREFIX), "big")
                message = await reader.readexactly(size)
            yield message
    except asyncio.IncompleteReadError:
        raise ConnectionResetError("the other side has closed the connection") from None
    finally:
        writer.transport.abort()
