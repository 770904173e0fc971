"""Messages with name compression and a limit (RFC 1035 section 4.1.4, RFC 3597 section 4)."""

import struct
from random import Random

import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Type
from dnsserver.wire.edns import Edns
from dnsserver.wire.header import Header
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question
from dnsserver.wire.records import (
    COMPRESSIBLE,
    Rdata,
    Record,
    address_rdata,
    name_rdata,
    soa_rdata,
    srv_rdata,
    txt_rdata,
)
from dnsserver.wire.writer import MessageWriter

COM = names.from_text("example.com.")
QUESTION = Question(COM, Type.A)
#: Octets of header and question.
START = 12 + len(COM) + 4


def writer(limit: int = 65535, reserved: int = 0, question: Question | None = QUESTION) -> MessageWriter:
    return MessageWriter(Header(1, flags=Flag.QR), question, limit, reserved)


def written(*records: Record) -> bytes:
    found = writer()
    assert found.put_all(1, records)
    return found.finish()


def fixed(rtype: int, size: int) -> bytes:
    return struct.pack("!HHLH", rtype, 1, 5, size)


def text(name: str) -> bytes:
    return names.from_text(name)


LAYOUTS: tuple[tuple[str, tuple[Record, ...], bytes], ...] = (
    (
        "an owner that is the question",
        (Record(COM, 1, 5, address_rdata("192.0.2.1")),),
        b"\xc0\x0c" + fixed(1, 4) + b"\xc0\0\2\1",
    ),
    (
        "an owner below the question",
        (Record(text("a.example.com."), 1, 5, address_rdata("192.0.2.1")),),
        b"\1a\xc0\x0c" + fixed(1, 4) + b"\xc0\0\2\1",
    ),
    (
        "a suffix of the question",
        (Record(text("b.com."), 1, 5, address_rdata("192.0.2.1")),),
        b"\1b\xc0\x14" + fixed(1, 4) + b"\xc0\0\2\1",
    ),
    (
        "another case is another name",
        (Record(text("EXAMPLE.com."), 1, 5, address_rdata("192.0.2.1")),),
        b"\7EXAMPLE\xc0\x14" + fixed(1, 4) + b"\xc0\0\2\1",
    ),
    ("the root", (Record(b"\0", 2, 5, name_rdata(b"\0")),), b"\0" + fixed(2, 1) + b"\0"),
    (
        "names of CNAME are compressed and known from then on",
        (
            Record(COM, 5, 5, name_rdata(text("www.example.net."))),
            Record(text("www.example.net."), 1, 5, address_rdata("192.0.2.1")),
        ),
        b"\xc0\x0c" + fixed(5, 17) + text("www.example.net.") + b"\xc0\x29" + fixed(1, 4) + b"\xc0\0\2\1",
    ),
    (
        "SOA has two names",
        (Record(COM, 6, 5, soa_rdata(text("ns.example.com."), text("ns.example.com."), 1, 2, 3, 4, 5)),),
        b"\xc0\x0c" + fixed(6, 27) + b"\2ns\xc0\x0c\xc0\x29" + struct.pack("!5L", 1, 2, 3, 4, 5),
    ),
    (
        "SRV targets are neither compressed nor pointed at",
        (
            Record(COM, 33, 5, srv_rdata(1, 2, 3, text("new.example.com."))),
            Record(text("new.example.com."), 1, 5, address_rdata("192.0.2.1")),
        ),
        b"\xc0\x0c" + fixed(33, 23) + b"\0\1\0\2\0\3" + text("new.example.com.")
        + b"\3new\xc0\x0c" + fixed(1, 4) + b"\xc0\0\2\1",
    ),
    ("TXT", (Record(COM, 16, 5, txt_rdata(b"1.1.0", b"")),), b"\xc0\x0c" + fixed(16, 7) + b"\5" + b"1.1.0\0"),
)  # fmt: skip


@pytest.mark.parametrize(("why", "records", "octets"), LAYOUTS, ids=[row[0] for row in LAYOUTS])
def test_layout(why: str, records: tuple[Record, ...], octets: bytes) -> None:
    assert written(*records)[START:] == octets, why


def test_types_whose_names_may_be_compressed() -> None:
    """Those of RFC 1035 and no younger ones: receivers need not know these (RFC 3597 section 4)."""
    assert {2, 5, 6, 12, 15} == COMPRESSIBLE


def test_counts_flags_and_opt() -> None:
    found = writer()
    address = Record(COM, 1, 5, address_rdata("192.0.2.1"))
    assert found.put_all(1, [address] * 3)
    assert found.put_all(2, [address] * 2)
    assert found.put_all(3, [address])
    octets = found.finish(flags=Flag.TC, opt=Edns(1232).encode())
    header = Header.decode(octets)
    assert (header.questions, header.answers, header.authorities, header.additionals) == (1, 3, 2, 2)
    assert header.flags == Flag.QR | Flag.TC
    assert Message.decode(octets).edns == Edns(1232)


def test_without_question() -> None:
    found = writer(question=None)
    assert found.put_all(1, [Record(COM, 1, 5, address_rdata("192.0.2.1"))])
    assert found.finish()[12:] == COM + fixed(1, 4) + b"\xc0\0\2\1"


def test_pointers_end_at_14_bits() -> None:
    """A name that stands beyond 0x3FFF is written out each time; those before it are still pointed at."""
    filler = [Record(COM, 16, 5, Rdata(bytes(1000)))] * 17
    late = Record(text("late.example.com."), 1, 5, address_rdata("192.0.2.1"))
    octets = written(*filler, late, late)
    assert len(octets) > 0x3FFF
    assert octets.count(b"\4late\xc0\x0c") == 2
    message = dns.message.from_wire(octets, one_rr_per_rrset=True)
    assert [rrset.name.to_text() for rrset in message.answer[-2:]] == ["late.example.com."] * 2


@pytest.mark.parametrize("offset", [0x3FFE, 0x3FFF, 0x4000])
def test_the_last_offset_that_a_pointer_can_name(offset: int) -> None:
    size = offset - START - 12
    late = Record(text("late."), 1, 5, address_rdata("192.0.2.1"))
    octets = written(Record(COM, 65280, 5, Rdata(bytes(size))), late, late)
    assert octets[offset : offset + 6] == text("late.")
    second = octets[offset + 6 + 14 :]
    if offset <= 0x3FFF:
        assert second[:2] == (0xC000 | offset).to_bytes(2, "big")
    else:
        assert second[:6] == text("late.")
    assert [item.owner for item in Message.decode(octets).answer[1:]] == [text("late.")] * 2


@pytest.mark.parametrize("reserved", [0, 11, 100])
def test_the_exact_limit(reserved: int) -> None:
    address = Record(COM, 1, 5, address_rdata("192.0.2.1"))
    limit = START + 2 * 16 + reserved
    found = writer(limit, reserved)
    assert not found.put_all(1, [address] * 3)
    assert len(found.finish()) == limit - reserved
    found = writer(limit - 1, reserved)
    assert not found.put_all(1, [address] * 2)
    assert len(found.finish()) == limit - reserved - 16


def test_a_record_that_does_not_fit_leaves_no_trace() -> None:
    """Neither octets nor counts nor names: a later record must not point at what is not there."""
    found = writer(START + 36)
    gone = Record(text("gone.example.org."), 5, 5, name_rdata(text("target.example.org.")))
    assert not found.put_all(1, [gone])
    assert found.put_all(2, [Record(text("gone.example.org."), 1, 5, address_rdata("192.0.2.1"))])
    octets = found.finish()
    assert octets[START:] == text("gone.example.org.") + fixed(1, 4) + b"\xc0\0\2\1"
    assert Header.decode(octets).answers == 0


def test_put_all_stops_at_the_first_without_room() -> None:
    found = writer(START + 20)
    long = Record(COM, 16, 5, Rdata(bytes(50)))
    short = Record(COM, 1, 5, address_rdata("192.0.2.1"))
    assert not found.put_all(1, [long, short])
    assert len(found.finish()) == START


def test_rdata_beyond_16_bits_of_length_does_not_fit() -> None:
    found = writer(200_000)
    assert not found.put_all(1, [Record(COM, 65280, 5, Rdata(bytes(0x10000)))])
    assert found.put_all(1, [Record(COM, 65280, 5, Rdata(bytes(0xFFFF)))])


def test_relative_rdata_below_an_origin() -> None:
    relative = srv_rdata(0, 100, 80, b"\1a", relative=True)
    assert relative.below(COM) == srv_rdata(0, 100, 80, b"\1a" + COM)
    absolute = name_rdata(COM)
    assert absolute.below(b"\0") is absolute


# Differential: random records, read back by two decoders.

LABELS = [b"a", b"A", b"bb", b"\xff\0.", b"x" * 63, b"example", b"com"]


def random_name(rng: Random) -> bytes:
    return names.join(rng.choice(LABELS) for _ in range(rng.randrange(4)))


def random_record(rng: Random) -> Record:
    rdata = rng.choice(
        (
            (1, Rdata(rng.randbytes(4))),
            (28, Rdata(rng.randbytes(16))),
            (2, name_rdata(random_name(rng))),
            (5, name_rdata(random_name(rng))),
            (12, name_rdata(random_name(rng))),
            (15, Rdata(rng.randbytes(2), (random_name(rng),))),
            (6, soa_rdata(random_name(rng), random_name(rng), *(rng.randrange(1 << 31) for _ in range(5)))),
            (33, srv_rdata(0, rng.randrange(65536), rng.randrange(65536), random_name(rng))),
            (39, name_rdata(random_name(rng))),
            (16, txt_rdata(rng.randbytes(rng.randrange(20)))),
            (65280, Rdata(rng.randbytes(rng.randrange(20)))),
        )
    )
    return Record(random_name(rng), rdata[0], rng.randrange(1 << 31), rdata[1])


def test_random_messages_as_two_decoders_read_them() -> None:
    rng = Random(4)
    for _ in range(600):
        question = Question(random_name(rng), 255)
        records = [random_record(rng) for _ in range(rng.randrange(1, 30))]
        limit = rng.choice((512, 1232, 65535))
        found = writer(limit, question=question)
        complete = found.put_all(1, records)
        octets = found.finish()
        assert len(octets) <= limit
        ours = Message.decode(octets)
        kept = records[: len(ours.answer)]
        assert list(ours.answer) == kept
        assert complete == (len(kept) == len(records))
        theirs = dns.message.from_wire(octets, one_rr_per_rrset=True)
        assert [shown(rrset.name, rrset.ttl, rrset[0]) for rrset in theirs.answer] == [
            shown(*expected(record)) for record in kept
        ]
        assert theirs.question[0].name.to_wire() == question.name


def shown(name: dns.name.Name, ttl: int, rdata: dns.rdata.Rdata) -> tuple[str, int, str]:
    return name.to_text(), ttl, rdata.to_text()


def expected(record: Record) -> tuple[dns.name.Name, int, dns.rdata.Rdata]:
    octets = record.rdata.head + b"".join(record.rdata.names) + record.rdata.tail
    rtype = dns.rdatatype.RdataType.make(record.rtype)
    rdata = dns.rdata.from_wire(dns.rdataclass.IN, rtype, octets, 0, len(octets))
    return dns.name.from_wire(record.owner, 0)[0], record.ttl, rdata
