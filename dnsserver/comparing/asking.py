"""One of the servers that are compared: asked by UDP, and by TCP where the reply is truncated."""

import asyncio

from dnsserver.comparing.seen import Seen
from dnsserver.plugins.addresses import Address
from dnsserver.plugins.forward.asking import Asked
from dnsserver.plugins.forward.links import Link
from dnsserver.transports.upstream.peer import ExchangeError, Peer
from dnsserver.transports.upstream.pool import PooledQuestions
from dnsserver.transports.upstream.stream import StreamConnection
from dnsserver.transports.upstream.udp import UdpQuestions
from dnsserver.wire.codes import Flag
from dnsserver.wire.edns import Edns
from dnsserver.wire.errors import WireError
from dnsserver.wire.header import Header
from dnsserver.wire.limits import MESSAGE_MAX
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question
from dnsserver.wire.writer import MessageWriter

#: Octets. UDP payload that questions offer: IPv6's 1280 less 48 of headers (DNS flag day 2020).
PAYLOAD_OFFERED = 1232


class Server:
    """Its sockets are closed by `close`."""

    def __init__(self, address: Address, timeout_s: float) -> None:
        """*timeout_s*: how long each of UDP and TCP is waited for."""
        peer = Peer(address.host, address.port)
        self._shown = str(address)
        self._timeout_s = timeout_s
        self._link = Link(PooledQuestions(peer, StreamConnection), UdpQuestions(peer))

    def __repr__(self) -> str:
        return f"<Server {self._shown}>"

    def __str__(self) -> str:
        return self._shown

    async def ask(self, question: Question) -> Seen:
        """The reply as a client sees it. Raises ExchangeError when there is none, or none that can be read."""
        return Seen.of(await self.reply(question), question)

    async def reply(self, question: Question) -> Message:
        """The whole reply. Raises as `ask`."""
        asked = Asked(_query(question), question, 0)
        octets = await self._exchanged(asked, tcp=False)
        if Header.decode(octets).flags & Flag.TC:
            octets = await self._exchanged(asked, tcp=True)
        try:
            return Message.decode(octets)
        except WireError as error:
            raise ExchangeError(f"a reply that cannot be read: {error}") from None

    async def _exchanged(self, asked: Asked, *, tcp: bool) -> bytes:
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        return await self._link.ask(
            asked.octets, asked.accepts, tcp=tcp, read_s=self._timeout_s, deadline=deadline
        )

    def close(self) -> None:
        self._link.close()


def _query(question: Question) -> bytes:
    """As a stub resolver asks, with EDNS."""
    header = Header(0, flags=Flag.RD)
    return MessageWriter(header, question, MESSAGE_MAX).finish(opt=Edns(PAYLOAD_OFFERED).encode())
