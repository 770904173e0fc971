"""Octets from a client to a query, or to what they deserve instead (section 15)."""

import dns.flags
import dns.message
import dns.rcode
import pytest

from dnsserver.answering.query import Query, Rejected, bare_error, follow, read_query, reply_flags
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Flag, Rcode
from dnsserver.wire.header import Header
from tests.answering.packets import (
    ACCEPTED,
    CD,
    NAME,
    QUESTION,
    RD,
    REJECTED,
    SOA_RDATA,
    Packet,
    message,
    opcode,
    opt,
    record,
)

UDP = Arrival("udp", "192.0.2.1", 4711, "192.0.2.2", 53)
TCP = Arrival("tcp", "192.0.2.1", 4711, "192.0.2.2", 53)


def accepted(octets: bytes, arrival: Arrival = UDP) -> Query:
    query = read_query(octets, arrival)
    assert isinstance(query, Query)
    return query


@pytest.mark.parametrize("packet", REJECTED, ids=str)
def test_octets_that_are_no_query(packet: Packet) -> None:
    found = read_query(packet.octets, UDP)
    assert isinstance(found, Rejected)
    assert found.octets == packet.reply
    assert packet.word is None or found.rcode == packet.word & 15


@pytest.mark.parametrize("octets", [octets for _, octets in ACCEPTED], ids=[why for why, _ in ACCEPTED])
def test_octets_that_are_an_odd_query(octets: bytes) -> None:
    query = accepted(octets)
    assert (query.name, query.question.rtype, query.question.rclass) == (NAME, 1, 1)
    assert (query.octets, query.arrival, query.trail) == (octets, UDP, ())


@pytest.mark.parametrize("size", range(12, len(message())))
def test_a_query_cut_anywhere_behind_its_header(size: int) -> None:
    found = read_query(message(word=RD)[:size], UDP)
    assert found == Rejected(message(b"", 0x8101, (0, 0, 0, 0)), Rcode.FORMERR)


def test_name_is_folded_and_the_question_is_not() -> None:
    mixed = NAME.replace(b"nginx", b"NgInX")
    query = accepted(message(mixed + b"\0\1\0\1"))
    assert query.question.name == mixed
    assert query.name == NAME


@pytest.mark.parametrize(
    ("octets", "arrival", "limit"),
    [
        (message(), UDP, 512),
        (message(QUESTION + opt(0), 0, (1, 0, 0, 1)), UDP, 512),
        (message(QUESTION + opt(511), 0, (1, 0, 0, 1)), UDP, 512),
        (message(QUESTION + opt(513), 0, (1, 0, 0, 1)), UDP, 513),
        (message(QUESTION + opt(1232), 0, (1, 0, 0, 1)), UDP, 1232),
        (message(QUESTION + opt(4096), 0, (1, 0, 0, 1)), UDP, 4096),
        (message(QUESTION + opt(65535), 0, (1, 0, 0, 1)), UDP, 4096),
        (message(), TCP, 65535),
        (message(QUESTION + opt(512), 0, (1, 0, 0, 1)), TCP, 65535),
    ],
)
def test_size_limit(octets: bytes, arrival: Arrival, limit: int) -> None:
    assert accepted(octets, arrival).size_limit == limit


def test_a_second_opt_is_ignored() -> None:
    query = accepted(message(QUESTION + opt(1000) + opt(4096), 0, (1, 0, 0, 2)))
    assert query.edns is not None
    assert query.edns.payload == 1000


@pytest.mark.parametrize("counts", [(1, 1, 0, 0), (1, 0, 1, 0)])
def test_opt_counts_in_additional_only(counts: tuple[int, int, int, int]) -> None:
    """RFC 6891 section 6.1.1."""
    assert accepted(message(QUESTION + opt(4096), 0, counts)).edns is None


def test_a_query_longer_than_512_octets_is_accepted() -> None:
    padded = opt(rdata=b"\0\x0c\x02\x58" + bytes(600))
    query = accepted(message(QUESTION + padded, 0, (1, 0, 0, 1)))
    assert query.edns is not None
    assert query.edns.options == ((12, bytes(600)),)


@pytest.mark.parametrize("version", [1, 2, 255])
@pytest.mark.parametrize("word", [0, RD, RD | CD])
def test_bad_edns_version(version: int, word: int) -> None:
    octets = message(QUESTION + opt(1232, version << 16), word, (1, 0, 0, 1))
    found = read_query(octets, UDP)
    assert isinstance(found, Rejected)
    assert found.rcode == Rcode.BADVERS
    assert found.octets is not None
    reply = dns.message.from_wire(found.octets)
    assert reply.rcode() == dns.rcode.BADVERS
    assert (reply.edns, reply.payload, reply.options) == (0, 0, ())
    assert reply.flags == dns.flags.QR | word
    assert [str(question.name) for question in reply.question] == ["nginx.default.svc.cluster.local."]
    assert (reply.answer, reply.authority, reply.additional) == ([], [], [])


def test_reply_flags_of_query_and_notify() -> None:
    every = 0x07F0
    assert reply_flags(accepted(message(word=every))) == Flag.QR | Flag.RD | Flag.CD
    assert reply_flags(accepted(message(word=every | opcode(4)))) == Flag.QR


@pytest.mark.parametrize("rcode", [Rcode.FORMERR, Rcode.NOTIMP])
def test_bare_error_is_a_header(rcode: Rcode) -> None:
    octets = bare_error(Header(7, opcode=4, flags=Flag.AA | Flag.Z | Flag.CD, questions=1), rcode)
    kept = 4 if rcode == Rcode.NOTIMP else 0
    assert octets == message(b"", 0x8010 | opcode(kept) | rcode, (0, 0, 0, 0), ident=7)


def test_follow_asks_with_the_clients_size_and_do() -> None:
    octets = message(QUESTION + opt(1400, 0x8000, b"\0\x0a\0\2ab"), RD | CD, (1, 0, 0, 1))
    target = b"\3www\7example\3com\0"
    query = follow(accepted(octets), target)
    assert (query.question.name, query.question.rtype, query.question.rclass) == (target, 1, 1)
    assert (query.trail, query.arrival) == ((NAME,), UDP)
    sent = dns.message.from_wire(query.octets)
    assert (sent.edns, sent.payload, sent.ednsflags, sent.options) == (0, 1400, 0x8000, ())
    assert sent.flags == dns.flags.RD | dns.flags.CD
    assert sent.question[0].to_text() == "www.example.com. IN A"
    assert read_query(query.octets, UDP) == Query(query.header, query.question, query.edns, UDP, query.octets)


def test_follow_without_edns() -> None:
    query = follow(follow(accepted(message()), b"\1a\0"), b"\1b\0")
    assert (query.edns, query.trail) == (None, (NAME, b"\1a\0"))
    assert dns.message.from_wire(query.octets).edns == -1


def test_ixfr_carries_its_soa() -> None:
    octets = message(NAME + b"\0\xfb\0\1" + record(6, SOA_RDATA), 0, (1, 0, 1, 0))
    assert accepted(octets).question.rtype == 251
