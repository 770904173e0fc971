"""What a look-up put on the wire, and what came back."""

from dataclasses import dataclass, field

from dnsserver.stubs.machine import Channel, Transport
from dnsserver.stubs.outcome import Outcome
from dnsserver.stubs.queries import Answer
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
    """What became of it instead: "refused", "closed" (the socket), "unheard" (an answer that was not waited for)."""

    @property
    def transport(self) -> Transport:
        return self.channel.transport

    @property
    def question(self) -> tuple[bytes, int]:
        """Name in wire form, type."""
        asked = self.query.questions[0]
        return asked.name, asked.rtype

    @property
    def answer(self) -> Answer | None:
        """The reply, as far as it can be read."""
        return Answer.read(self.reply)


@dataclass(slots=True)
class Transcript:
    """`seconds` is how long the program waited; None when it would wait for ever."""

    exchanges: list[Exchange] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)
    seconds: float | None = 0.0

    @property
    def answers(self) -> int:
        """Replies that came while the program listened."""
        return sum(bool(exchange.reply) for exchange in self.exchanges)

    def sent(self, at: float, channel: Channel, server: str, octets: bytes) -> Exchange:
        exchange = Exchange(at, channel, server, Message.decode(octets), octets)
        self.exchanges.append(exchange)
        return exchange

    def unanswered(self, channel: Channel) -> list[Exchange]:
        """What was sent by *channel* and has no answer, in order."""
        return [item for item in self.exchanges if item.channel == channel and not item.reply]

    def broke(self, at: float, channel: Channel, how: str) -> None:
        """Note what became of a socket with all that it still owes."""
        for exchange in self.unanswered(channel):
            exchange.answered, exchange.broken = at, how
