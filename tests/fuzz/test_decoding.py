"""Any octets give a value or a WireError; any other exception is our bug.

FUZZ_PACKETS=1000000 pytest tests/fuzz/test_decoding.py
"""

import dns.exception
import dns.message
import pytest

from dnsserver.answering.query import Query, Rejected, read_query
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.errors import WireError
from dnsserver.wire.limits import HEADER_SIZE, NAME_MAX
from dnsserver.wire.message import Message
from tests.fuzz.mutation import PACKETS, packets
from tests.fuzz.seeds import QUERIES, REPLIES

ARRIVAL = Arrival("udp", "192.0.2.1", 4711, "192.0.2.2", 53)
#: Every so many packets the result is compared with dnspython's, which is slow.
COMPARED = 10


def test_read_query_never_raises() -> None:
    read = 0
    for octets in packets(PACKETS, QUERIES, 1):
        try:
            found = read_query(octets, ARRIVAL)
        except Exception as error:
            pytest.fail(f"{error!r} for {octets.hex()}")
        if isinstance(found, Query):
            read += 1
            assert len(found.question.name) <= NAME_MAX
            assert 512 <= found.size_limit <= 65535
        else:
            check_rejected(found, octets)
    assert read > PACKETS // 10, "too few packets come through to mean anything"


def check_rejected(found: Rejected, octets: bytes) -> None:
    """A bare header of the same ID, BADVERS, or silence for what is no query."""
    if found.octets is None:
        assert len(octets) < HEADER_SIZE or octets[2] & 0x80
        return
    assert found.octets[:2] == octets[:2]
    assert found.octets[2] & 0x80
    if found.rcode == 16:
        assert len(found.octets) < 512
    else:
        assert len(found.octets) == HEADER_SIZE
        assert not any(found.octets[4:])


def test_message_decode_raises_wire_error_alone() -> None:
    decoded = 0
    for number, octets in enumerate(packets(PACKETS, REPLIES, 2)):
        try:
            message = Message.decode(octets)
        except WireError:
            continue
        except Exception as error:
            pytest.fail(f"{error!r} for {octets.hex()}")
        decoded += 1
        if number % COMPARED == 0:
            compare(message, octets)
    assert decoded > PACKETS // 20, "too few packets come through to mean anything"


def compare(message: Message, octets: bytes) -> None:
    """What both can read, both read alike: questions, owners, types and TTLs of all records."""
    try:
        theirs = dns.message.from_wire(octets, one_rr_per_rrset=True, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        return
    if theirs.opcode() == 5 or theirs.had_tsig or message.header.questions != 1:
        return
    assert theirs.question[0].name.to_wire() == message.questions[0].name
    pairs = (
        (message.answer, theirs.answer),
        (message.authority, theirs.authority),
        (message.additional, theirs.additional),
    )
    for ours, others in pairs:
        shown = [(record.owner, record.rtype, record.rclass) for record in ours]
        assert shown == [(rrset.name.to_wire(), rrset.rdtype, rrset.rdclass) for rrset in others]


def test_short_octets() -> None:
    """Everything of up to two octets, and headers with each second word."""
    for size in range(3):
        for value in range(256**size):
            octets = value.to_bytes(size, "big")
            assert read_query(octets, ARRIVAL) == Rejected(None, 1)
    for word in range(0, 65536, 7):
        found = read_query(b"\x12\x34" + word.to_bytes(2, "big") + bytes(8), ARRIVAL)
        assert isinstance(found, Rejected)
        assert (found.octets is None) == bool(word & 0x8000)
