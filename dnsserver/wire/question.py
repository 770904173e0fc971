"""The question section's entry (RFC 1035 section 4.1.2)."""

import struct
from dataclasses import dataclass

from dnsserver.wire import names
from dnsserver.wire.errors import WireError

_LAYOUT = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class Question:
    """`name` in wire form, in the case in which it was asked."""

    name: bytes
    rtype: int
    rclass: int = 1

    @classmethod
    def decode(cls, message: bytes, place: int) -> tuple["Question", int]:
        """The question at *place*, and the place behind it. Raises WireError."""
        name, place = names.decode(message, place)
        if len(message) < place + _LAYOUT.size:
            raise WireError("question is cut")
        return cls(name, *_LAYOUT.unpack_from(message, place)), place + _LAYOUT.size

    def encode(self) -> bytes:
        return self.name + self.encode_fixed()

    def encode_fixed(self) -> bytes:
        """What stands behind the name."""
        return _LAYOUT.pack(self.rtype, self.rclass)
