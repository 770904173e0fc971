"""The 12 octets in front of every message (RFC 1035 section 4.1.1)."""

import struct
from dataclasses import dataclass

from dnsserver.wire.errors import WireError
from dnsserver.wire.limits import HEADER_SIZE

_LAYOUT = struct.Struct("!6H")
#: All but opcode and RCODE.
_FLAGS = 0x87F0


@dataclass(frozen=True, slots=True)
class Header:
    """`flags` holds the single bits; opcode and rcode stand beside it."""

    id: int
    opcode: int = 0
    rcode: int = 0
    flags: int = 0
    questions: int = 0
    answers: int = 0
    authorities: int = 0
    additionals: int = 0

    @classmethod
    def decode(cls, message: bytes) -> "Header":
        """Raises WireError when there are fewer than 12 octets."""
        if len(message) < HEADER_SIZE:
            raise WireError("message is shorter than a header")
        ident, word, *counts = _LAYOUT.unpack_from(message)
        return cls(ident, word >> 11 & 15, word & 15, word & _FLAGS, *counts)

    def encode(self) -> bytes:
        word = self.flags | self.opcode << 11 | self.rcode & 15
        return _LAYOUT.pack(self.id, word, self.questions, self.answers, self.authorities, self.additionals)
