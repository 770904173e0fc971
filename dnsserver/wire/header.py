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
        ident, word, questions, answers, authorities, additionals = _LAYOUT.unpack_from(message)
        opcode, rcode = word >> 11 & 15, word & 15
        return cls(ident, opcode, rcode, word & _FLAGS, questions, answers, authorities, additionals)

    def encode(self) -> bytes:
        counts = self.questions, self.answers, self.authorities, self.additionals
        return encode_header(self.id, self.opcode, self.rcode, self.flags, *counts)

    def with_flags(self, flags: int) -> "Header":
        """The same with other flags."""
        counts = self.questions, self.answers, self.authorities, self.additionals
        return Header(self.id, self.opcode, self.rcode, flags, *counts)


def encode_header(
    ident: int,
    opcode: int,
    rcode: int,
    flags: int,
    questions: int,
    answers: int,
    authorities: int,
    additionals: int,
) -> bytes:
    """The octets of such a header; of *rcode* the lower four bits."""
    word = flags | opcode << 11 | rcode & 15
    return _LAYOUT.pack(ident, word, questions, answers, authorities, additionals)
