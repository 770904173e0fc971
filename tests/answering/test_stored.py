"""Stored answers: what is kept, what differs from client to client, and what is left to the plain path."""

import struct
from dataclasses import dataclass, replace

import pytest

from dnsserver.answering.fast import fast_reply
from dnsserver.answering.query import Query, read_query
from dnsserver.answering.reply import Reply, encode
from dnsserver.answering.stored import StoredAnswer, compile_answer, question_end
from dnsserver.wire import names
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Rcode, Type
from dnsserver.wire.limits import MESSAGE_MAX
from dnsserver.wire.question import Question
from dnsserver.wire.records import Rdata, Record, name_rdata, soa_rdata, srv_rdata
from tests.answering.packets import (
    AA,
    AD,
    CD,
    HEADER,
    NAME,
    QR,
    QUESTION,
    RA,
    RD,
    TC,
    Z,
    message,
    opcode,
    opt,
)

#: Serial of the zone when the answer was stored, and now.
THEN, NOW = 1_000, 0xFEDC_BA98
SERIAL = NOW.to_bytes(4, "big")
END = HEADER + len(QUESTION)
#: Octets of an A record whose owner is a pointer, and of OPT without options.
A_SIZE, OPT_SIZE = 16, 11
ZONE = names.from_text("cluster.local.")
WITH_OPT = (1, 0, 0, 1)


def as_it_is(_: list[bytes]) -> None:
    """No other order."""


def backwards(records: list[bytes]) -> None:
    records.reverse()


def asked(name: bytes = NAME, rtype: int = Type.A) -> Question:
    return Question(name, rtype)


def addresses(number: int, owner: bytes = NAME) -> tuple[Record, ...]:
    return tuple(
        Record(owner, Type.A, 5, Rdata(struct.pack("!L", 0x0A00_0000 + each))) for each in range(number)
    )


def soa(origin: bytes, serial: int = THEN) -> Record:
    """As a zone gives it: its names end in the zone as the question spells it."""
    first, second = (names.prefix(parts) + origin for parts in ((b"ns", b"dns"), (b"hostmaster",)))
    return Record(origin, Type.SOA, 5, soa_rdata(first, second, serial, 7200, 1800, 86400, 5))


def negative(origin: bytes = ZONE, serial: int = THEN, rcode: int = Rcode.NXDOMAIN) -> Reply:
    return Reply(rcode=rcode, authority=(soa(origin, serial),), authoritative=True)


def positive(*answer: Record, additional: tuple[Record, ...] = ()) -> Reply:
    return Reply(answer=answer, additional=additional, authoritative=True)


def stored(reply: Reply, other: Reply | None = None, *, shuffle: bool = False) -> StoredAnswer:
    found = compile_answer(asked(), reply, asked(NAME.swapcase()), other, shuffle=shuffle)
    assert found is not None
    return found


def plainly(reply: Reply, octets: bytes, protocol: str = "udp") -> bytes:
    query = read_query(octets, Arrival(protocol, "192.0.2.1", 4711, "192.0.2.2", 53))
    assert isinstance(query, Query)
    return encode(reply, query)


def quickly(reply: Reply, octets: bytes, *, udp: bool = True) -> bytes | None:
    return fast_reply(octets, question_end(octets), stored(reply), SERIAL, as_it_is, udp=udp)


# The place behind the question.


@pytest.mark.parametrize(
    ("octets", "end"),
    [
        (b"", -1),
        (b"\0", -1),
        (bytes(11), -1),
        (bytes(12), -1),
        (bytes(16), -1),
        (bytes(17), 17),  # the root
        (bytes(18), 17),
        (message(), END),
        (message() + b"more", END),
        (message()[:-1], -1),
        (message()[:-4], -1),
        (message()[:-5], -1),
        (message(b"\1" * 300), -1),  # no zero at all
        (message(b"\1a\xc0\x0c\0\1\0\1"), -1),  # a pointer: the type's zero ends it
        (message(b"\1a\xc0\x0c\0\1\0\1\0\0"), 12 + 9),
        (message(b"\3a\0b" + b"\0\0\1\0\1"), 12 + 2 + 5),  # a zero inside a label: no stored name has one
    ],
    ids=range(16),
)
def test_question_end(octets: bytes, end: int) -> None:
    assert question_end(octets) == end


# What is stored.


@dataclass(frozen=True, slots=True)
class Spelling:
    why: str
    reply: Reply
    other: Reply | None
    any_case: bool

    def __str__(self) -> str:
        return self.why


UPPER, ZONE_UPPER = NAME.swapcase(), ZONE.swapcase()
TARGET = names.from_text("pod.nginx.default.svc.cluster.local.")
SPELLINGS = (
    Spelling("addresses", positive(*addresses(2)), positive(*addresses(2, UPPER)), True),
    Spelling("nothing", positive(), positive(), True),
    Spelling("a negative answer", negative(), negative(ZONE_UPPER), True),
    Spelling("no other reply", positive(*addresses(1)), None, False),
    Spelling(
        "an owner in lower case whatever was asked", positive(*addresses(1)), positive(*addresses(1)), False
    ),
    Spelling("other records", positive(*addresses(1)), positive(*addresses(2, UPPER)), False),
    Spelling(
        "a name that is not compressed",
        positive(Record(NAME, Type.SRV, 5, srv_rdata(0, 1, 80, TARGET))),
        positive(Record(UPPER, Type.SRV, 5, srv_rdata(0, 1, 80, TARGET.swapcase()))),
        False,
    ),
    Spelling(
        "a CNAME into the zone",
        positive(Record(NAME, Type.CNAME, 5, name_rdata(b"\1x" + ZONE))),
        positive(Record(UPPER, Type.CNAME, 5, name_rdata(b"\1x" + ZONE_UPPER))),
        True,
    ),
    Spelling(
        "a CNAME out of the zone, in its own spelling",
        positive(Record(NAME, Type.CNAME, 5, name_rdata(names.from_text("a.example.")))),
        positive(Record(UPPER, Type.CNAME, 5, name_rdata(names.from_text("a.example.")))),
        True,
    ),
    Spelling(
        "a CNAME to what the lower case has as its own end",
        positive(Record(NAME, Type.CNAME, 5, name_rdata(names.from_text("a.local.")))),
        positive(Record(UPPER, Type.CNAME, 5, name_rdata(names.from_text("a.local.")))),
        False,
    ),
    Spelling("another RCODE is not looked at", positive(), Reply(rcode=Rcode.NXDOMAIN), True),
)


@pytest.mark.parametrize("case", SPELLINGS, ids=str)
def test_octets_for_every_spelling(case: Spelling) -> None:
    assert stored(case.reply, case.other).any_case == case.any_case


@pytest.mark.parametrize(
    ("reply", "counts", "with_opt"),
    [
        (positive(), (0, 0, 0), (0, 0, 1)),
        (negative(), (0, 1, 0), (0, 1, 1)),
        (positive(*addresses(300)), (300, 0, 0), (300, 0, 1)),
        (positive(*addresses(1), additional=addresses(2)), (1, 0, 2), (1, 0, 3)),
        (positive(additional=addresses(255)), (0, 0, 255), (0, 0, 256)),
    ],
)
def test_counts(reply: Reply, counts: tuple[int, ...], with_opt: tuple[int, ...]) -> None:
    found = stored(reply)
    assert struct.unpack("!3H", found.counts) == counts
    assert struct.unpack("!3H", found.counts_with_opt) == with_opt


def test_what_no_message_can_hold_is_not_stored() -> None:
    room = (MESSAGE_MAX - END) // A_SIZE
    question, other = asked(), asked(UPPER)
    assert compile_answer(question, positive(*addresses(room)), other, None, shuffle=False) is not None
    assert compile_answer(question, positive(*addresses(room + 1)), other, None, shuffle=False) is None


# What differs from reply to reply.


@pytest.mark.parametrize(
    ("reply", "is_negative"),
    [
        (negative(), True),
        (negative(rcode=Rcode.NOERROR), True),
        (replace(negative(), answer=(Record(NAME, Type.CNAME, 5, name_rdata(ZONE)),)), True),
        (positive(*addresses(1)), False),
        (positive(soa(ZONE)), False),
        (positive(), False),
        (replace(negative(), additional=addresses(1)), False),
        (Reply(authority=(soa(ZONE), *addresses(1))), False),
    ],
)
def test_the_serial_of_now_is_in_negative_answers(reply: Reply, is_negative: bool) -> None:
    found = stored(reply)
    assert found.negative == is_negative
    body = found.octets(SERIAL, as_it_is)
    if is_negative:
        now = replace(reply, authority=(soa(ZONE, NOW),))
        assert body == stored(now).body != found.body
    else:
        assert body == found.body


@pytest.mark.parametrize("serial", [0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF])
def test_a_negative_reply_is_the_plain_one(serial: int) -> None:
    for octets in (message(), message(QUESTION + opt(), RD, WITH_OPT)):
        fast = fast_reply(octets, END, stored(negative()), serial.to_bytes(4, "big"), as_it_is, udp=True)
        assert fast == plainly(negative(serial=serial), octets)


AAAA = tuple(Record(NAME, Type.AAAA, 5, Rdata(bytes(15) + bytes((number,)))) for number in range(4))
ALIAS = Record(NAME, Type.CNAME, 5, name_rdata(TARGET))
ALIAS_OUT = Record(NAME, Type.CNAME, 5, name_rdata(names.from_text("a.example.")))
OUT = addresses(3, names.from_text("a.example."))
TEXTS = tuple(Record(NAME, Type.TXT, 5, Rdata(b"\3" + bytes((65 + number,)) * 3)) for number in range(3))


@pytest.mark.parametrize(
    ("reply", "in_order", "moving"),
    [
        (positive(*addresses(1)), 0, 1),
        (positive(*addresses(2)), 0, 2),
        (positive(*addresses(50)), 0, 50),
        (positive(*AAAA), 0, 4),
        (positive(ALIAS, *addresses(3, TARGET)), 1, 3),
        (positive(ALIAS_OUT, *OUT), 1, 3),
        (
            positive(
                ALIAS_OUT, Record(OUT[0].owner, Type.CNAME, 5, name_rdata(TARGET)), *addresses(2, TARGET)
            ),
            2,
            2,
        ),
        (positive(ALIAS, *addresses(1, TARGET)), 2, 0),
        (positive(ALIAS), 1, 0),
        (positive(*TEXTS), 3, 0),
        (positive(*addresses(2), *AAAA[:2]), 4, 0),
        (positive(*addresses(2), additional=addresses(1)), 2, 0),
        (positive(), 0, 0),
    ],
)
def test_order_of_addresses(reply: Reply, in_order: int, moving: int) -> None:
    """CNAMEs stay in front; only addresses of one name change places, and only where somebody wants that."""
    kept, moved = reply.answer[:in_order], reply.answer[in_order : in_order + moving]
    expected = replace(reply, answer=(*kept, *reversed(moved)))
    assert quickly(reply, message(), udp=False) == plainly(reply, message(), "tcp")
    octets = stored(reply, shuffle=True).octets(SERIAL, backwards)
    assert octets == stored(expected).body
    assert stored(reply, shuffle=False).octets(SERIAL, backwards) == stored(reply).body


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
