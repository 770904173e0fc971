"""How questions and replies lie in the octets of one connection: sans-IO, one object per connection."""

from typing import Protocol

from dnsserver.wire.frames import TcpFrames, frame
from dnsserver.wire.limits import HEADER_SIZE

#: A DNS message, and what its reply is to be given back with.
Asked = tuple[bytes, int]
#: What comes from a connection.
Octets = bytes | bytearray | memoryview


class Conversation(Protocol):
    """Octets in, questions out; replies in, octets out."""

    @property
    def buffered(self) -> int:
        """Octets of questions that are not there in full; 0 exactly when none has begun."""
        ...

    @property
    def unsent(self) -> int:
        """Octets of replies that the client has not made room for."""
        ...

    @property
    def more(self) -> bool:
        """Octets are here that can only be read once the last question has its reply: then feed nothing."""
        ...

    @property
    def ended(self) -> bool:
        """Nothing more can be asked."""
        ...

    @property
    def malformed(self) -> bool:
        """That is so because the client did not keep to the protocol."""
        ...

    def feed(self, data: Octets) -> list[Asked]:
        """The questions that *data* completes. Never raises."""
        ...

    def output(self) -> bytes:
        """What is to be sent and is no reply to a question; asked for after every `feed`."""
        ...

    def reply(self, place: int, message: bytes | None) -> bytes:
        """What is to be sent for the reply *message* to the question that was given out with *place*; None: silence."""
        ...

    def goodbye(self) -> bytes:
        """What to send when no more questions are wanted."""
        ...


class DnsConversation:
    """Messages with their length in front (RFC 1035 section 4.2.2)."""

    __slots__ = ("_frames", "ended", "malformed")

    unsent = 0
    more = False

    def __init__(self) -> None:
        self._frames = TcpFrames()
        self.ended = False
        self.malformed = False

    @property
    def buffered(self) -> int:
        return self._frames.buffered

    def feed(self, data: Octets) -> list[Asked]:
        asked: list[Asked] = []
        for message in self._frames.feed(data):
            if len(message) < HEADER_SIZE:
                self.ended = self.malformed = True
                break
            asked.append((message, 0))
        return asked

    def output(self) -> bytes:
        return b""

    def reply(self, _place: int, message: bytes | None) -> bytes:
        return frame(message) if message else b""

    def goodbye(self) -> bytes:
        return b""
