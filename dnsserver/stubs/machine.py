"""What a resolver library does and what happens to it, as values: no sockets, no clocks.

A stub is a generator. It yields what it does (`Send`, `Close`) and when it waits (`Wait`), and is sent what came of a
`Wait`. Whoever drives it has the sockets and the clock (`sockets`), or pretends to have them (`virtual`). Times are
seconds since the look-up began.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

Transport = Literal["udp", "tcp"]


@dataclass(frozen=True, slots=True)
class Channel:
    """A socket of the look-up; `number` tells those of one look-up apart, in the order in which they are opened.

    A datagram socket that is `connected` hears of ports where nobody listens (ICMP); others wait for their time-out.
    """

    transport: Transport
    number: int
    connected: bool = True


@dataclass(frozen=True, slots=True)
class Send:
    """One query, without the length that TCP puts before it; the socket is opened, and connected, by its first."""

    channel: Channel
    server: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Whatever comes for this socket is of no interest any more."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Wait:
    """Until something comes, or until this time; None: for ever."""

    until: float | None


@dataclass(frozen=True, slots=True)
class Reply:
    """One message, from the server that this socket sent to."""

    at: float
    channel: Channel
    server: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """The socket is of no use: nobody listens there, or the server closed the connection."""

    at: float
    channel: Channel
    refused: bool
    reset: bool = False
    """It was there, and was reset (ECONNRESET)."""


@dataclass(frozen=True, slots=True)
class Expired:
    at: float


Action = Send | Close | Wait
Event = Reply | Broken | Expired

Found = TypeVar("Found")
#: Ends with what it found.
Stub = Generator[Action, Event | None, Found]


def wait(until: float | None) -> Stub[Event]:
    """`Wait`, and what came of it."""
    event = yield Wait(until)
    if event is None:
        raise RuntimeError("a Wait is answered by an event")
    return event


@dataclass(slots=True)
class _Strand(Generic[Found]):
    """One of several stubs that run at the same time; `until` is how long it waits, `found` what it ended with."""

    stub: Stub[Found]
    until: float | None = None
    found: list[Found] = field(default_factory=list)
    channels: set[Channel] = field(default_factory=set)

    def advance(self, event: Event | None) -> Stub[None]:
        """Go on to its next `Wait`, or to its end."""
        while True:
            try:
                action = self.stub.send(event)
            except StopIteration as end:
                self.found.append(end.value)
                return
            if isinstance(action, Wait):
                self.until = action.until
                return
            if isinstance(action, Send):
                self.channels.add(action.channel)
            event = yield action

    def concerned(self, event: Event) -> bool:
        if isinstance(event, Expired):
            return self.until is not None and self.until <= event.at
        return event.channel in self.channels


def together(stubs: Sequence[Stub[Found]]) -> Stub[list[Found]]:
    """Run *stubs* at the same time; what they found, in the order in which they ended."""
    going = [_Strand(stub) for stub in stubs]
    found: list[Found] = []
    for strand in going:
        yield from strand.advance(None)
    while True:
        found += [item for strand in going for item in strand.found]
        going = [strand for strand in going if not strand.found]
        if not going:
            return found
        limits = [strand.until for strand in going if strand.until is not None]
        event = yield from wait(min(limits) if limits else None)
        for strand in going:
            if strand.concerned(event):
                yield from strand.advance(event)
