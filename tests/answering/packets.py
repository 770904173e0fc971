"""Queries as octets, written by hand, and what they deserve (section 15)."""

import struct
from dataclasses import dataclass

import dns.name

NAME = dns.name.from_text("nginx.default.svc.cluster.local.").to_wire() or b""
#: nginx.default.svc.cluster.local. A IN
QUESTION = NAME + b"\0\1\0\1"
#: Octets in front of the first question.
HEADER = 12
ID = 0xBEEF

QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x400, 0x200, 0x100, 0x80, 0x40, 0x20, 0x10


def message(
    body: bytes = QUESTION, word: int = 0, counts: tuple[int, int, int, int] = (1, 0, 0, 0), ident: int = ID
) -> bytes:
    """A header with the second word *word* and these counts, and *body* behind it."""
    return struct.pack("!6H", ident, word, *counts) + body


def opcode(number: int) -> int:
    return number << 11


def opt(payload: int = 1232, ttl: int = 0, rdata: bytes = b"", owner: bytes = b"\0") -> bytes:
    """An OPT record; `ttl` is upper RCODE, version, flags."""
    return owner + struct.pack("!HHLH", 41, payload, ttl, len(rdata)) + rdata


def record(rtype: int, rdata: bytes, owner: bytes = b"\xc0\x0c") -> bytes:
    return owner + struct.pack("!HHLH", rtype, 1, 0, len(rdata)) + rdata


def pointer(offset: int) -> bytes:
    return (0xC000 | offset).to_bytes(2, "big")


SOA_RDATA = b"\0\0" + bytes(20)


@dataclass(frozen=True, slots=True)
class Packet:
    """`word`: the second header word of the bare reply that *octets* get; None: no reply at all."""

    why: str
    octets: bytes
    word: int | None

    def __str__(self) -> str:
        return self.why.replace(" ", "-")

    @property
    def reply(self) -> bytes | None:
        return None if self.word is None else message(b"", self.word, (0, 0, 0, 0))


def silent(why: str, octets: bytes) -> Packet:
    return Packet(why, octets, None)


def malformed(why: str, octets: bytes, kept: int = 0) -> Packet:
    """FORMERR; *kept* are the bits that it echoes."""
    return Packet(why, octets, QR | kept | 1)


def not_implemented(number: int, word: int = 0, kept: int = 0) -> Packet:
    octets = message(word=opcode(number) | word)
    return Packet(f"opcode {number} {word:04x}", octets, QR | opcode(number) | kept | 4)


REJECTED: tuple[Packet, ...] = (
    # no reply
    silent("nothing", b""),
    silent("one octet", b"\0"),
    silent("eleven octets", message()[:11]),
    silent("a response", message(word=QR)),
    silent("a response that is cut", message(b"", QR)),
    silent("a response with opcode 5", message(word=QR | opcode(5))),
    silent("a response with two questions", message(QUESTION * 2, QR, (2, 0, 0, 0))),
    # opcodes
    *(not_implemented(number) for number in (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)),
    not_implemented(5, TC | RD | RA | AD | CD, TC | RD | RA | AD | CD),
    not_implemented(2, AA | Z | RD, RD),
    not_implemented(2, 15, 0),
    Packet("opcode 2 and no question", message(b"", opcode(2), (0, 0, 0, 0)), QR | opcode(2) | 4),
    Packet("opcode 5 and a cut body", message(b"\x05", opcode(5), (1, 0, 3, 0)), QR | opcode(5) | 4),
    # counts
    malformed("no question", message(b"", 0, (0, 0, 0, 0))),
    malformed("no question but octets", message(counts=(0, 0, 0, 0))),
    malformed("two questions", message(QUESTION * 2, 0, (2, 0, 0, 0))),
    malformed("65535 questions", message(QUESTION, 0, (65535, 0, 0, 0))),
    malformed("two answers", message(QUESTION + record(1, bytes(4)) * 2, 0, (1, 2, 0, 0))),
    malformed("two authorities", message(QUESTION + record(6, SOA_RDATA) * 2, 0, (1, 0, 2, 0))),
    malformed("three additionals", message(QUESTION + record(1, bytes(4)) * 3, 0, (1, 0, 0, 3))),
    # bits: all but AA and Z come back, and opcode NOTIFY does not
    malformed("bits", message(b"", TC | RD | RA | AD | CD, (0, 0, 0, 0)), TC | RD | RA | AD | CD),
    malformed("bits that are cleared", message(b"", AA | Z | RD | 9, (0, 0, 0, 0)), RD),
    malformed("NOTIFY without question", message(b"", opcode(4) | RD, (0, 0, 0, 0)), RD),
    # bodies
    malformed("a header alone", message(b"")),
    malformed("a name that is cut", message(NAME[:9])),
    malformed("a name without root", message(NAME[:-1])),
    malformed("a question without type", message(NAME)),
    malformed("a question without class", message(NAME + b"\0\1")),
    malformed("a question that is cut in its class", message(NAME + b"\0\1\0")),
    malformed("a pointer to itself", message(pointer(HEADER) + b"\0\1\0\1")),
    malformed("a pointer forwards", message(pointer(40) + b"\0\1\0\1" + bytes(30))),
    malformed("a pointer beyond the end", message(pointer(0x3FFF) + b"\0\1\0\1")),
    malformed("a pointer that is cut", message(b"\xc0")),
    malformed("a loop", message(b"\1a" + pointer(HEADER) + b"\0\1\0\1")),
    malformed("label type 01", message(b"\x41a\0\0\1\0\1")),
    malformed("label type 10", message(b"\x81a\0\0\1\0\1")),
    malformed(
        "a name of 256 octets", message(b"\x3f" + b"a" * 63 + (b"\x3e" + b"a" * 62) * 3 + b"\1a\0\0\1\0\1")
    ),
    malformed("a record that is missing", message(counts=(1, 0, 0, 1))),
    malformed("a record that is cut", message(QUESTION + opt()[:6], 0, (1, 0, 0, 1))),
    malformed("RDATA that is cut", message(QUESTION + record(16, b"abc")[:-1], 0, (1, 0, 0, 1))),
    malformed("an A record of three octets", message(QUESTION + record(1, bytes(3)), 0, (1, 1, 0, 0))),
    malformed("an SOA without timers", message(QUESTION + record(6, b"\0\0"), 0, (1, 0, 1, 0))),
    malformed("an NS with octets behind", message(QUESTION + record(2, b"\0\0"), 0, (1, 0, 1, 0))),
    malformed("an option that is cut", message(QUESTION + opt(rdata=b"\0\x0a\0"), 0, (1, 0, 0, 1))),
    malformed("an option longer than OPT", message(QUESTION + opt(rdata=b"\0\x0a\0\5abcd"), 0, (1, 0, 0, 1))),
)

#: Queries that look odd and are answered.
ACCEPTED: tuple[tuple[str, bytes], ...] = (
    ("plain", message()),
    ("octets behind", message(QUESTION + b"trailing octets")),
    ("bits of a reply", message(word=AA | TC | RA | Z | AD | 15)),
    ("opcode NOTIFY", message(word=opcode(4))),
    ("a NOTIFY with its SOA", message(QUESTION + record(6, SOA_RDATA), opcode(4), (1, 1, 0, 0))),
    ("an authority", message(QUESTION + record(6, SOA_RDATA), 0, (1, 0, 1, 0))),
    ("OPT", message(QUESTION + opt(), 0, (1, 0, 0, 1))),
    ("OPT with an owner", message(QUESTION + opt(owner=b"\1x\0"), 0, (1, 0, 0, 1))),
    ("OPT with an owner by pointer", message(QUESTION + opt(owner=pointer(HEADER)), 0, (1, 0, 0, 1))),
    ("two OPTs", message(QUESTION + opt() + opt(4096, 1 << 16), 0, (1, 0, 0, 2))),
    ("OPT and TSIG", message(QUESTION + opt() + record(250, b"signature", b"\0"), 0, (1, 0, 0, 2))),
    ("OPT with unknown options", message(QUESTION + opt(rdata=b"\xff\xee\0\2ab\0\3\0\0"), 0, (1, 0, 0, 1))),
    ("OPT with an extended RCODE", message(QUESTION + opt(ttl=0xFF000000), 0, (1, 0, 0, 1))),
    ("OPT with all flags", message(QUESTION + opt(ttl=0xFFFF), 0, (1, 0, 0, 1))),
    ("OPT of size 0", message(QUESTION + opt(0), 0, (1, 0, 0, 1))),
    ("a record of unknown type", message(QUESTION + record(65280, b"xyz"), 0, (1, 0, 0, 1))),
)
