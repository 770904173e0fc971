"""A query and a stored answer to the reply: header, EDNS, sizes; and which queries are commonplace."""

import struct
from dataclasses import dataclass

import pytest

from dnsserver.answering.fast import is_commonplace
from dnsserver.answering.reply import Reply
from dnsserver.answering.stored import question_end
from dnsserver.wire.limits import MESSAGE_MAX
from dnsserver.wire.records import Rdata, Record
from tests.answering.packets import AA, AD, CD, NAME, QR, QUESTION, RA, RD, TC, Z, message, opcode, opt
from tests.answering.replies import (
    A_SIZE,
    END,
    NOW,
    OPT_SIZE,
    WITH_OPT,
    addresses,
    negative,
    plainly,
    positive,
    quickly,
)


@pytest.mark.parametrize("word", [0, RD, CD, RD | CD, AA | TC | RA | Z | AD, 0x07FF])
def test_what_the_header_echoes(word: int) -> None:
    """RD and CD; ID; the RCODE of the query does not matter, nor do its other bits."""
    for reply in (positive(*addresses(1)), negative(serial=NOW)):
        for ident in (0, 0x1234, 0xFFFF):
            octets = message(word=word, ident=ident)
            found = quickly(reply, octets)
            assert found == plainly(reply, octets)
            assert found is not None
            assert struct.unpack_from("!2H", found) == (ident, QR | AA | word & (RD | CD) | reply.rcode)


@pytest.mark.parametrize("word", [QR, opcode(4), opcode(5), opcode(15), QR | RD, opcode(1) | RD])
def test_other_messages_than_queries_step_aside(word: int) -> None:
    assert quickly(positive(*addresses(1)), message(word=word)) is None


@pytest.mark.parametrize(
    "counts",
    [
        (0, 0, 0, 0),
        (2, 0, 0, 0),
        (256, 0, 0, 0),
        (1, 1, 0, 0),
        (1, 0, 1, 0),
        (1, 0, 0, 2),
        (1, 0, 0, 256),
        (1, 1, 0, 1),
    ],
)
def test_other_counts_step_aside(counts: tuple[int, int, int, int]) -> None:
    assert quickly(positive(*addresses(1)), message(QUESTION + opt(), 0, counts)) is None


# EDNS.


def option(code: int, data: bytes, announced: int | None = None) -> bytes:
    return struct.pack("!HH", code, len(data) if announced is None else announced) + data


@dataclass(frozen=True, slots=True)
class Record41:
    why: str
    octets: bytes
    taken: bool

    def __str__(self) -> str:
        return self.why


COOKIE = option(10, b"8 octets")
EDNS = (
    Record41("without options", opt(), True),
    Record41("DO", opt(ttl=0x8000), True),
    Record41("all flags", opt(ttl=0xFFFF), True),
    Record41("an upper RCODE", opt(ttl=0xFF00_0000), True),
    Record41("version 1", opt(ttl=0x1_0000), False),
    Record41("version 255", opt(ttl=0xFF_0000), False),
    Record41("another type", opt().replace(b"\0\0\x29", b"\0\0\x2a"), False),
    Record41("another type above", opt().replace(b"\0\0\x29", b"\0\1\x29"), False),
    Record41("another owner", opt(owner=b"\1x\0"), False),
    Record41("a pointer as owner", opt(owner=b"\xc0\x0c"), False),
    Record41("one option", opt(rdata=COOKIE), True),
    Record41("one empty option", opt(rdata=option(3, b"")), True),
    Record41("many options", opt(rdata=COOKIE * 40 + option(12, bytes(300))), True),
    Record41("an option's header cut by 1", opt(rdata=COOKIE + b"\0\1\0"), False),
    Record41("an option's header cut by 3", opt(rdata=COOKIE + b"\0"), False),
    Record41("an option cut", opt(rdata=COOKIE[:-1]), False),
    Record41("an option too long by 1", opt(rdata=option(10, b"12345678", 9)), False),
    Record41("an option too long by far", opt(rdata=option(10, b"12345678", 0xFFFF)), False),
    Record41("an option that ends in trailing octets", opt(rdata=option(10, b"", 4)) + bytes(4), False),
    Record41("RDATA beyond the end by 1", opt()[:-2] + b"\0\1", False),
    Record41("RDATA beyond the end by far", opt()[:-2] + b"\xff\xff" + bytes(100), False),
    Record41("RDATA cut", opt(rdata=COOKIE)[:-1], False),
    Record41("cut by 1", opt()[:-1], False),
    Record41("cut by 11", b"", False),
    Record41("trailing octets", opt() + b"anything", True),
    Record41("options and trailing octets", opt(rdata=COOKIE) + b"anything", True),
    Record41("a record before it", b"\0" + struct.pack("!HHLH", 1, 1, 0, 4) + bytes(4) + opt(), False),
)


@pytest.mark.parametrize("case", EDNS, ids=str)
def test_opt(case: Record41) -> None:
    """What is not ordinary steps aside; else the reply has the plain one's OPT: size and DO, no options."""
    for reply in (positive(*addresses(1)), negative(serial=NOW)):
        octets = message(QUESTION + case.octets, RD, WITH_OPT)
        assert quickly(reply, octets) == (plainly(reply, octets) if case.taken else None)


def test_trailing_octets_do_not_matter() -> None:
    reply = positive(*addresses(2))
    for trail in (b"\0", opt(), b"\xff" * 1000):
        assert quickly(reply, message() + trail) == quickly(reply, message()) == plainly(reply, message())


# Sizes.


def sized(octets: int, *, edns: bool) -> Reply:
    """A reply of exactly so many octets: addresses, and a text that fills up."""
    room = octets - END - (OPT_SIZE if edns else 0) - 12
    number = (room - 1) // A_SIZE
    fill = room - number * A_SIZE
    return positive(*addresses(number), Record(NAME, 65280, 5, Rdata(bytes(fill))))


@pytest.mark.parametrize(
    ("payload", "udp", "limit"),
    [
        (None, True, 512),
        (0, True, 512),
        (511, True, 512),
        (512, True, 512),
        (513, True, 513),
        (1232, True, 1232),
        (4095, True, 4095),
        (4096, True, 4096),
        (4097, True, 4096),
        (65535, True, 4096),
        (None, False, MESSAGE_MAX),
        (0, False, MESSAGE_MAX),
        (512, False, MESSAGE_MAX),
        (65535, False, MESSAGE_MAX),
    ],
)
def test_the_largest_reply(payload: int | None, udp: bool, limit: int) -> None:
    """The last octet that the client can take is used; one more, and the plain path has to cut."""
    octets = message() if payload is None else message(QUESTION + opt(payload), 0, WITH_OPT)
    protocol = "udp" if udp else "tcp"
    for size in (limit - 1, limit):
        reply = sized(size, edns=payload is not None)
        found = quickly(reply, octets, udp=udp)
        assert found is not None
        assert len(found) == size
        assert found == plainly(reply, octets, protocol)
    more = sized(limit + 1, edns=payload is not None)
    if udp or payload is not None:  # without OPT there is no such body
        assert quickly(more, octets, udp=udp) is None
    assert plainly(more, octets, protocol)[2] & TC >> 8


# Commonplace queries.


def with_opt(record: bytes, word: int = RD) -> bytes:
    return message(QUESTION + record, word, WITH_OPT)


ROOT = b"\0\0\2\0\1"
COMMONPLACE = (
    message(word=0),
    message(word=RD),
    message(word=RD | AD),
    message(word=RD | AD | CD),
    message(ROOT, RD),
    message(b"\1-\3_09\0\0\1\0\1", RD),
    message(b"\2\xc3\xa4\0\0\1\0\1", RD),
    *(with_opt(opt(size)) for size in (512, 1220, 1232, 1280, 1400, 1452, 4096, 8192, 65494)),
    with_opt(opt(1232, 0x8000)),
    with_opt(opt(1232, 0x8000), RD | AD | CD),
    with_opt(opt(), 0),
)
UNCOMMON = (
    *(message(word=RD | bit) for bit in (AA, TC, RA, Z, 1, 2, 4, 8)),
    *(with_opt(opt(), RD | bit) for bit in (AA, TC, RA, Z, 15)),
    message(QUESTION.upper(), RD),
    message(QUESTION.replace(b"nginx", b"ngInx"), RD),
    message(QUESTION.replace(b"local", b"locaL"), RD),
    message() + b"\0",
    with_opt(opt()) + b"\0",
    with_opt(opt()[:-1]),
    message(QUESTION, RD, WITH_OPT),
    message(QUESTION + opt(), RD),
    *(
        message(QUESTION + opt(), RD, counts)
        for counts in ((1, 0, 1, 0), (1, 1, 0, 0), (2, 0, 0, 1), (1, 0, 0, 257))
    ),
    *(with_opt(opt(size)) for size in (0, 511, 513, 1231, 1233, 4095, 65535)),
    *(with_opt(opt(ttl=bits)) for bits in (0x4000, 0x100, 1, 0x80, 0x10000, 0x1000000, 0x8001)),
    with_opt(opt(rdata=COOKIE)),
    with_opt(opt(rdata=option(3, b""))),
    with_opt(opt()[:-2] + b"\0\1"),
    with_opt(opt()[:-2] + b"\1\0"),
    with_opt(opt().replace(b"\0\0\x29", b"\0\0\x2a")),
    with_opt(opt().replace(b"\0\0\x29", b"\0\1\x29")),
    with_opt(opt().replace(b"\0\0\x29", b"\1\0\x29")),
)


@pytest.mark.parametrize("octets", COMMONPLACE, ids=bytes.hex)
def test_commonplace(octets: bytes) -> None:
    assert is_commonplace(octets, question_end(octets))


@pytest.mark.parametrize("octets", UNCOMMON, ids=bytes.hex)
def test_uncommon(octets: bytes) -> None:
    assert not is_commonplace(octets, question_end(octets))


def test_one_question_has_few_commonplace_queries() -> None:
    """Replies to them are kept: nobody can have millions of one name kept."""
    words = [word for word in range(0x800) if is_commonplace(message(word=word), END)]
    sizes = [size for size in range(65536) if is_commonplace(with_opt(opt(size)), END)]
    flags = [bits for bits in range(65536) if is_commonplace(with_opt(opt(1232, bits)), END)]
    assert len(words) * (1 + len(sizes) * len(flags)) < 300
