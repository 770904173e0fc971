"""What a look-up put on the wire, and what came back."""

from dataclasses import dataclass, field

from dnsserver.stubs.machine import Channel, Transport
from dnsserver.stubs.outcome import Outcome
from dnsserver.wire.codes import Flag
from dnsserver.wire.message import Message


@dataclass(slots=True)
class Exchange:
    """One query: sent at `at` seconds after the look-up began, and answered at `answered` if at all."""

    at: float
    channel: Channel
    server: str
    query: Message
    octets: bytes
    answered: float | None = None
    reply: bytes = b""
    broken: str = ""
    """ "refused" or "closed": what became of the socket instead of a reply."""

    @property
    def transport(self) -> Transport:
        return self.channel.transport

    @property
    def question(self) -> tuple[bytes, int]:
        """Name in wire form, type."""
        asked = self.query.questions[0]
        return asked.name, asked.rtype

    @property
    def authentic(self) -> bool:
        return bool(self.query.header.flags & Flag.AD)


@dataclass(slots=True)
class Transcript:
    """`seconds` is how long the program waited; None when it would wait for ever."""

    exchanges: list[Exchange] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)
    seconds: float | None = 0.0

    @property
    def packets(self) -> int:
        """DNS messages in both directions, without the segments that TCP needs besides."""
        return len(self.exchanges) + sum(bool(exchange.reply) for exchange in self.exchanges)

    def sent(self, at: float, channel: Channel, server: str, octets: bytes) -> Exchange:
        exchange = Exchange(at, channel, server, Message.decode(octets), octets)
        self.exchanges.append(exchange)
        return exchange

    def heard(self, at: float, channel: Channel, server: str, octets: bytes) -> None:
        """Note *octets* with the last query that they can belong to."""
        for exchange in reversed(self.exchanges):
            same = exchange.channel == channel and exchange.server == server
            if same and not exchange.reply and exchange.octets[:2] == octets[:2]:
                exchange.answered, exchange.reply = at, octets
                return

    def broke(self, at: float, channel: Channel, how: str) -> None:
        """Note the end of a socket with what was sent by it and has no reply."""
        for exchange in self.exchanges:
            if exchange.channel == channel and not exchange.reply:
                exchange.answered, exchange.broken = at, how
