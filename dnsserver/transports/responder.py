"""What a transport needs of the server: octets in, octets or silence out."""

from collections.abc import Awaitable, Callable

from dnsserver.wire.arrival import Arrival

__all__ = ["Arrival", "Responder"]

#: Never raises; None means: send nothing.
Responder = Callable[[bytes, Arrival], Awaitable[bytes | None]]
