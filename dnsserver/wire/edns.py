"""EDNS(0): the OPT pseudo-record (RFC 6891 section 6.1)."""

import struct
from dataclasses import dataclass

from dnsserver.wire.codes import OPTION_EDE, Type
from dnsserver.wire.errors import WireError
from dnsserver.wire.names import ROOT

_FIXED = struct.Struct("!HHBBHH")
_OPTION = struct.Struct("!HH")
_DO = 0x8000
#: Octets. Code and length in front of an option's data.
OPTION_HEAD = 4
#: Octets of EXTRA-TEXT that we write: it is to fit beside the answer, and to be read in a line of a log.
EXTRA_TEXT_MAX = 64
#: In place of what was cut off.
_CUT = "…"


@dataclass(frozen=True, slots=True)
class Edns:
    """`payload` is the sender's UDP size in octets; `extended_rcode` the upper eight bits of the RCODE."""

    payload: int
    version: int = 0
    do: bool = False
    options: tuple[tuple[int, bytes], ...] = ()
    extended_rcode: int = 0

    @classmethod
    def from_record(cls, rclass: int, ttl: int, rdata: bytes) -> "Edns":
        """From the class, TTL and RDATA of an OPT record. Raises WireError when the options are cut."""
        options = []
        place = 0
        while place < len(rdata):
            if len(rdata) - place < _OPTION.size:
                raise WireError("EDNS option is cut")
            code, size = _OPTION.unpack_from(rdata, place)
            place += _OPTION.size
            if len(rdata) - place < size:
                raise WireError("EDNS option is cut")
            options.append((code, rdata[place : place + size]))
            place += size
        return cls(rclass, ttl >> 16 & 0xFF, bool(ttl & _DO), tuple(options), ttl >> 24)

    def encode(self) -> bytes:
        """The whole OPT record."""
        rdata = encode_options(self.options)
        flags = _DO if self.do else 0
        fixed = _FIXED.pack(Type.OPT, self.payload, self.extended_rcode, self.version, flags, len(rdata))
        return ROOT + fixed + rdata


def encode_options(options: tuple[tuple[int, bytes], ...]) -> bytes:
    """RDATA of an OPT record: option code and data of each (RFC 6891 section 6.1.2)."""
    return b"".join(_OPTION.pack(code, len(data)) + data for code, data in options)


def extended_error(code: int, text: str = "") -> tuple[int, bytes]:
    """An Extended DNS Error as an EDNS option, with *text* as it is (RFC 8914 section 2)."""
    return OPTION_EDE, code.to_bytes(2, "big") + text.encode()


def told_cause(code: int, text: str) -> tuple[int, bytes]:
    """As `extended_error`, of a cause that we tell: *text* is cut to EXTRA_TEXT_MAX octets, between two characters."""
    octets = text.encode()
    if len(octets) > EXTRA_TEXT_MAX:
        room = EXTRA_TEXT_MAX - len(_CUT.encode())
        text = octets[:room].decode(errors="ignore") + _CUT
    return extended_error(code, text)
