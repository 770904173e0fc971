"""Whole messages: what is decoded, and what is refused (RFC 1035 section 4, RFC 3597 section 4, RFC 6891)."""

import struct

import pytest

from dnsserver.wire.errors import WireError
from dnsserver.wire.header import Header
from dnsserver.wire.message import Message
from dnsserver.wire.records import Rdata, Record

NAME = b"\7example\3com\0"
QUESTION = NAME + b"\0\1\0\1"
#: Offset of the question's name.
AT = b"\xc0\x0c"


def record(rtype: int, rdata: bytes, ttl: int = 60, owner: bytes = AT, rclass: int = 1) -> bytes:
    return owner + struct.pack("!HHLH", rtype, rclass, ttl, len(rdata)) + rdata


def reply(*records: bytes, word: int = 0x8180) -> bytes:
    return struct.pack("!6H", 1, word, 1, len(records), 0, 0) + QUESTION + b"".join(records)


WWW = b"\3www" + NAME
RDATAS: tuple[tuple[str, int, bytes, Rdata], ...] = (
    ("A", 1, b"\1\2\3\4", Rdata(b"\1\2\3\4")),
    ("AAAA", 28, bytes(16), Rdata(bytes(16))),
    ("NS", 2, b"\3www" + AT, Rdata(b"", (WWW,))),
    ("CNAME", 5, AT, Rdata(b"", (NAME,))),
    ("CNAME uncompressed", 5, WWW, Rdata(b"", (WWW,))),
    ("PTR", 12, b"\0", Rdata(b"", (b"\0",))),
    ("DNAME", 39, AT, Rdata(b"", (NAME,))),
    ("SOA", 6, b"\2ns" + AT + AT + bytes(20), Rdata(b"", (b"\2ns" + NAME, NAME), bytes(20))),
    ("MX", 15, b"\0\x0a" + AT, Rdata(b"\0\x0a", (NAME,))),
    ("SRV", 33, b"\0\1\0\2\0\3" + AT, Rdata(b"\0\1\0\2\0\3", (NAME,))),
    ("RP", 17, AT + AT, Rdata(b"", (NAME, NAME))),
    ("AFSDB", 18, b"\0\1" + AT, Rdata(b"\0\1", (NAME,))),
    ("TXT", 16, b"\3abc\0", Rdata(b"\3abc\0")),
    ("HTTPS", 65, b"\0\1\0", Rdata(b"\0\1\0")),
    ("unknown", 65280, b"\xc0\x0c", Rdata(b"\xc0\x0c")),
    ("unknown and empty", 65280, b"", Rdata()),
)
#: Only records that stand for "any" or "none" do without (RFC 2136 section 2.4).
WITHOUT_RDATA = ((1, 255), (5, 255), (5, 254))


@pytest.mark.parametrize(("why", "rtype", "octets", "rdata"), RDATAS, ids=[row[0] for row in RDATAS])
def test_rdata(why: str, rtype: int, octets: bytes, rdata: Rdata) -> None:
    message = Message.decode(reply(record(rtype, octets)))
    assert message.answer == (Record(NAME, rtype, 60, rdata),), why


@pytest.mark.parametrize(("rtype", "rclass"), WITHOUT_RDATA)
def test_records_of_updates_have_no_rdata(rtype: int, rclass: int) -> None:
    message = Message.decode(reply(record(rtype, b"", rclass=rclass)))
    assert message.answer == (Record(NAME, rtype, 60, Rdata(), rclass),)


def test_sections_questions_and_opt() -> None:
    opt = b"\0" + struct.pack("!HHLH", 41, 1400, 0x0100_8000, 0)
    octets = struct.pack("!6H", 9, 0x8183, 2, 1, 1, 2) + QUESTION * 2
    octets += record(1, bytes(4)) + record(6, AT + AT + bytes(20)) + opt + record(28, bytes(16), 7, AT, 3)
    message = Message.decode(octets + b"octets behind")
    assert len(message.questions) == 2
    assert [item.rtype for item in message.answer + message.authority] == [1, 6]
    (extra,) = message.additional
    assert (extra.rtype, extra.ttl, extra.rclass) == (28, 7, 3)
    assert message.edns is not None
    assert (message.edns.payload, message.edns.do) == (1400, True)
    assert message.rcode == 16 + 3


def test_rcode_without_opt() -> None:
    assert Message.decode(reply(word=0x8185)).rcode == 5


def test_the_first_opt_counts() -> None:
    first, second = (b"\0" + struct.pack("!HHLH", 41, size, 0, 0) for size in (1000, 2000))
    message = Message.decode(struct.pack("!6H", 1, 0x8180, 1, 0, 0, 2) + QUESTION + first + second)
    assert message.edns is not None
    assert message.edns.payload == 1000
    assert message.additional == ()


BROKEN: tuple[tuple[str, bytes], ...] = (
    ("no header", bytes(11)),
    ("no question", struct.pack("!6H", 1, 0, 1, 0, 0, 0)),
    ("a record missing", struct.pack("!6H", 1, 0, 1, 1, 0, 0) + QUESTION),
    ("an owner that is cut", reply(b"\xc0")),
    ("a fixed part that is cut", reply(AT + b"\0\1\0\1\0\0\0\0\0")),
    ("RDATA that is cut", reply(record(16, b"abc")[:-1])),
    ("RDATA longer than the message", reply(AT + struct.pack("!HHLH", 16, 1, 0, 0xFFFF))),
    ("A without RDATA", reply(record(1, b""))),
    ("CNAME without RDATA", reply(record(5, b""))),
    ("CNAME of class CH without RDATA", reply(record(5, b"", rclass=3))),
    ("A of 3 octets", reply(record(1, bytes(3)))),
    ("A of 5 octets", reply(record(1, bytes(5)))),
    ("AAAA of 4 octets", reply(record(28, bytes(4)))),
    ("CNAME with octets behind", reply(record(5, AT + b"x"))),
    ("CNAME that runs out of its RDATA", reply(AT + struct.pack("!HHLH", 5, 1, 0, 2) + b"\3www\0")),
    ("CNAME that points at itself", reply(record(5, b"\xc0\x29"))),
    ("CNAME that points forwards", reply(record(5, b"\xc0\x40"), record(1, bytes(4)))),
    ("SOA without timers", reply(record(6, AT + AT))),
    ("SOA with 19 octets", reply(record(6, AT + AT + bytes(19)))),
    ("SOA with one name", reply(record(6, AT))),
    ("MX without name", reply(record(15, b"\0\1"))),
    ("SRV of 5 octets", reply(record(33, bytes(5)))),
    (
        "an option that is cut",
        struct.pack("!6H", 1, 0, 1, 0, 0, 1)
        + QUESTION
        + b"\0"
        + struct.pack("!HHLH", 41, 512, 0, 3)
        + b"\0\1\0",
    ),
)


@pytest.mark.parametrize("octets", [row[1] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_no_message(octets: bytes) -> None:
    with pytest.raises(WireError) as caught:
        Message.decode(octets)
    assert caught.value.rcode == 1


def test_every_cut_of_a_message() -> None:
    whole = reply(record(15, b"\0\x0a" + AT), record(33, bytes(6) + AT), record(1, bytes(4)))
    assert len(Message.decode(whole).answer) == 3
    for size in range(len(whole)):
        with pytest.raises(WireError):
            Message.decode(whole[:size])


def test_header_stands_in_the_message() -> None:
    octets = reply(record(1, bytes(4)))
    assert Message.decode(octets).header == Header.decode(octets)
