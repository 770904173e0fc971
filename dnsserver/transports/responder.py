"""What a transport needs of the server: octets in, octets or silence out."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from dnsserver.wire.arrival import Arrival

__all__ = ["AnswerNow", "Arrival", "Finders", "ReadyReplies", "ReadyReply", "Responder"]

#: Never raises; None means: send nothing.
Responder = Callable[[bytes, Arrival], Awaitable[bytes | None]]

#: Octets, the protocol, and whether the client's address is IPv6: the reply if it is at hand, else None. Never raises.
AnswerNow = Callable[[bytes, str, bool], bytes | None]

#: A reply without its ID, the octets of the whole with it, the number to add one to for each that is sent; where four
#: octets change from time to time, their place in the whole and what has them now; and what it is kept for.
ReadyReply = tuple[bytes, int, list[int], tuple[int, list[bytes]] | None, object]
#: Finds the reply to a query, which is given without its ID.
FindReady = Callable[[bytes], ReadyReply | None]
#: Where to look, in this order.
Finders = tuple[FindReady, FindReady, FindReady]


class ReadyReplies(Protocol):
    """Replies over UDP to the clients of one IP version that only want their ID."""

    def find(self) -> Finders:
        """Where to look, in this order; asked for with each batch, whose replies are those of this moment."""
        ...

    def given(self, replies: int, seconds: float) -> None:
        """So many of them were sent, that long after their queries had come."""
        ...


class NothingReady:
    """No reply is."""

    def find(self) -> Finders:
        return _nothing, _nothing, _nothing

    def given(self, replies: int, seconds: float) -> None:
        """Never any."""


def _nothing(_query: bytes) -> None:
    return None
