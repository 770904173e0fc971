"""A reply to octets that fit (section 15; RFC 2181 section 9)."""

import dns.flags
import dns.message
import dns.rcode
import pytest

from dnsserver.answering.query import Query, read_query
from dnsserver.answering.reply import Reply, encode
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Rcode
from dnsserver.wire.edns import extended_error
from dnsserver.wire.records import Rdata, Record
from tests.answering.packets import CD, QUESTION, RD, message, opcode, opt

UDP = Arrival("udp", "192.0.2.1", 4711, "192.0.2.2", 53)
#: Octets: header and question, and the OPT record.
EMPTY, OPT = 12 + len(QUESTION), 11
#: Octets of an A record whose owner is a pointer.
A_SIZE = 16
OWNER = QUESTION[:-4]


def query(payload: int | None = None, word: int = RD, ttl: int = 0, protocol: str = "udp") -> Query:
    octets = (
        message(word=word) if payload is None else message(QUESTION + opt(payload, ttl), word, (1, 0, 0, 1))
    )
    found = read_query(octets, Arrival(protocol, "192.0.2.1", 4711, "192.0.2.2", 53))
    assert isinstance(found, Query)
    return found


def addresses(count: int, third: int = 0) -> tuple[Record, ...]:
    return tuple(Record(OWNER, 1, 5, Rdata(bytes((10, third, n >> 8, n & 255)))) for n in range(count))


def decoded(octets: bytes) -> dns.message.Message:
    return dns.message.from_wire(octets, one_rr_per_rrset=True)


def sizes(reply: dns.message.Message) -> tuple[int, int, int]:
    return len(reply.answer), len(reply.authority), len(reply.additional)


@pytest.mark.parametrize("payload", [None, 0, 512, 513, 700, 1232, 1480, 4095, 4096, 4097, 65535])
def test_answers_are_cut_from_the_end_with_tc(payload: int | None) -> None:
    asked = query(payload)
    limit = min(max(512, payload or 0), 4096)
    room = (limit - EMPTY - (0 if payload is None else OPT)) // A_SIZE
    octets = encode(Reply(answer=addresses(room + 1), authority=addresses(1), additional=addresses(1)), asked)
    reply = decoded(octets)
    assert sizes(reply) == (room, 0, 0)
    assert limit - A_SIZE < len(octets) <= limit
    assert reply.flags & dns.flags.TC
    assert [rrset[0].to_text() for rrset in reply.answer] == [f"10.0.{n >> 8}.{n & 255}" for n in range(room)]


def test_the_exact_limit() -> None:
    """The last record ends at the last octet: it fits; one octet less and it does not."""
    size = EMPTY + OPT + 40 * A_SIZE
    whole = encode(Reply(answer=addresses(40)), query(size))
    assert len(whole) == size
    assert not decoded(whole).flags & dns.flags.TC
    cut = decoded(encode(Reply(answer=addresses(40)), query(size - 1)))
    assert sizes(cut) == (39, 0, 0)
    assert cut.flags & dns.flags.TC


def test_authority_is_cut_with_tc() -> None:
    reply = decoded(encode(Reply(answer=addresses(20), authority=addresses(20)), query()))
    assert reply.flags & dns.flags.TC
    assert sizes(reply) == (20, (512 - EMPTY) // A_SIZE - 20, 0)


def test_additional_is_dropped_without_tc() -> None:
    reply = decoded(encode(Reply(answer=addresses(20), additional=addresses(20)), query()))
    assert not reply.flags & dns.flags.TC
    assert sizes(reply) == (20, 0, (512 - EMPTY) // A_SIZE - 20)


def test_no_additional_behind_a_cut() -> None:
    """A record that would fit where a longer one did not is not put in its place."""
    long = Record(OWNER, 16, 5, Rdata(b"\xff" + bytes(255) + b"\xf0" + bytes(240)))
    reply = decoded(encode(Reply(answer=(long,), additional=addresses(1)), query()))
    assert reply.flags & dns.flags.TC
    assert sizes(reply) == (0, 0, 0)


def test_tcp_takes_65535_octets() -> None:
    room = (65535 - EMPTY) // A_SIZE
    octets = encode(Reply(answer=addresses(room)), query(protocol="tcp"))
    assert len(octets) == EMPTY + room * A_SIZE
    assert not decoded(octets).flags & dns.flags.TC
    more = encode(Reply(answer=addresses(room + 1)), query(protocol="tcp"))
    assert len(more) == len(octets)
    assert decoded(more).flags & dns.flags.TC


def test_edns_size_does_not_matter_over_tcp() -> None:
    assert sizes(decoded(encode(Reply(answer=addresses(100)), query(512, protocol="tcp")))) == (100, 0, 0)


def test_opt_has_its_room() -> None:
    """Options of the reply count: the answer gives way to them."""
    error = extended_error(14, "waiting")
    size = EMPTY + OPT + 4 + len(error[1]) + 30 * A_SIZE
    octets = encode(Reply(answer=addresses(31), options=(error,)), query(size))
    assert len(octets) == size
    reply = decoded(octets)
    assert reply.options[0].to_text() == "EDE 14 (Not Ready): waiting"
    assert sizes(reply) == (30, 0, 0)


@pytest.mark.parametrize("payload", [0, 512, 1232, 65535])
@pytest.mark.parametrize("flags", [0, 0x8000, 0xFFFF])
def test_opt_echoes_size_and_do(payload: int, flags: int) -> None:
    reply = decoded(encode(Reply(), query(payload, ttl=flags)))
    assert (reply.edns, reply.payload, reply.ednsflags) == (0, payload, flags & 0x8000)
    assert reply.options == ()


def test_no_opt_without_opt() -> None:
    reply = decoded(encode(Reply(options=(extended_error(14),)), query()))
    assert reply.edns == -1


def test_the_upper_bits_of_an_rcode_are_in_opt() -> None:
    assert decoded(encode(Reply(rcode=Rcode.BADVERS), query(1232))).rcode() == dns.rcode.BADVERS


@pytest.mark.parametrize(
    ("reply", "flags"),
    [
        (Reply(), 0),
        (Reply(authoritative=True), dns.flags.AA),
        (Reply(recursion_available=True), dns.flags.RA),
        (Reply(authentic=True), dns.flags.AD),
        (Reply(truncated=True), dns.flags.TC),
        (Reply(authoritative=True, truncated=True), dns.flags.AA | dns.flags.TC),
    ],
)
@pytest.mark.parametrize("word", [0, RD, CD, RD | CD, 0x07F0])
def test_header_bits(reply: Reply, flags: int, word: int) -> None:
    found = decoded(encode(reply, query(word=word)))
    assert found.flags == dns.flags.QR | flags | word & (RD | CD)
    assert found.id == 0xBEEF


def test_notify_keeps_its_opcode_and_no_bits() -> None:
    octets = encode(Reply(authoritative=True), query(word=opcode(4) | RD | CD))
    assert octets[2:4] == bytes((0xA4, 0))


@pytest.mark.parametrize("rcode", list(Rcode)[:-1])
def test_rcode_and_question(rcode: Rcode) -> None:
    octets = encode(Reply(rcode=rcode), query())
    assert octets == message(word=0x8100 | rcode)
