"""What a transport needs of the server: octets in, octets or silence out."""

from collections.abc import Awaitable, Callable

from dnsserver.wire.arrival import Arrival

__all__ = ["AnswerNow", "Arrival", "Responder"]

#: Never raises; None means: send nothing.
Responder = Callable[[bytes, Arrival], Awaitable[bytes | None]]

#: Octets, the protocol, and whether the client's address is IPv6: the reply if it is at hand, else None. Never raises.
AnswerNow = Callable[[bytes, str, bool], bytes | None]
