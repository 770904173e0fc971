"""The network of a virtual run: each query goes to a real server, from a socket of its own."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from dnsserver.stubs.machine import Transport
from dnsserver.stubs.virtual import Delivery
from dnsserver.wire.frames import PREFIX, frame

#: Seconds. A server that has not answered by then is taken to have lost the query.
PATIENCE_S = 2.0

#: Is told a transport and a local port.
Announce = Callable[[Transport, int], None]


class Servers:
    """Name servers and where they really are: host and port.

    A server that is not in *places* is not asked (its queries are lost), unless there is a *default*.
    """

    def __init__(
        self,
        places: Mapping[str, tuple[str, int]],
        default: tuple[str, int] | None = None,
        patience_s: float = PATIENCE_S,
        announce: Announce | None = None,
    ) -> None:
        """*announce* is told from which local port a query comes, over which transport, before it is sent."""
        self._places = places
        self._default = default
        self._patience_s = patience_s
        self._announce = announce or _to_nobody

    async def __call__(self, server: str, transport: Transport, octets: bytes) -> Delivery:
        place = self._places.get(server, self._default)
        if place is None:
            return Delivery(fate="lost")
        begun = time.monotonic()
        ask = _by_udp if transport == "udp" else _by_tcp
        try:
            async with asyncio.timeout(self._patience_s):
                reply = await ask(place, octets, self._announce)
        except TimeoutError:
            return Delivery(fate="lost")
        except ConnectionRefusedError:
            return Delivery(delay=time.monotonic() - begun, fate="refused")
        except OSError:
            return Delivery(delay=time.monotonic() - begun, fate="closed")
        return Delivery(reply, time.monotonic() - begun)


class _Datagrams(asyncio.DatagramProtocol):
    """The first datagram with the ID that was sent, or the error of the socket."""

    def __init__(self, ident: bytes) -> None:
        self._ident = ident
        self.reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _addr: Any) -> None:
        if data[:2] == self._ident and not self.reply.done():
            self.reply.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(exc)


def _to_nobody(_transport: Transport, _port: int) -> None:
    """It is of interest to servers that are part of the test."""


async def _by_udp(place: tuple[str, int], octets: bytes, announce: Announce) -> bytes:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: _Datagrams(octets[:2]), remote_addr=place
    )
    try:
        announce("udp", transport.get_extra_info("sockname")[1])
        transport.sendto(octets)
        return await protocol.reply
    finally:
        transport.close()


async def _by_tcp(place: tuple[str, int], octets: bytes, announce: Announce) -> bytes:
    reader, writer = await asyncio.open_connection(*place)
    try:
        announce("tcp", writer.get_extra_info("sockname")[1])
        writer.write(frame(octets))
        size = int.from_bytes(await reader.readexactly(PREFIX), "big")
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError:
        raise ConnectionResetError from None
    finally:
        writer.close()
