"""The text of single records, compared with what dnspython says of the same text."""

import dns.message
import dns.rdataclass
import dns.rrset
import pytest

from dnsserver.sources.zonefile import RecordTextError, record_from_text
from dnsserver.wire.header import Header
from dnsserver.wire.limits import MESSAGE_MAX
from dnsserver.wire.records import Record
from dnsserver.wire.writer import MessageWriter

#: Text, owner, TTL, and type with data as presentation format has them.
RECORDS = (
    ("example.org. 300 IN A 192.0.2.1", "example.org. 300 IN A 192.0.2.1"),
    ("example.org 300 A 192.0.2.1", "example.org. 300 IN A 192.0.2.1"),
    ("example.org. IN 300 AAAA 2001:db8::1", "example.org. 300 IN AAAA 2001:db8::1"),
    ("a.example. in mx 10 mail.example.", "a.example. 3600 IN MX 10 mail.example."),
    ("a.example.\t1h30m\tCNAME\tB.example", "a.example. 5400 IN CNAME B.example."),
    ('a. TXT "x y" z "a\\"b" ; comment', 'a. 3600 IN TXT "x y" "z" "a\\"b"'),
    ('a. TXT "(;)"', 'a. 3600 IN TXT "(;)"'),
    ("x. 5 SOA ns. host. ( 1 2 ; serial\n 3 4\n 5 )", "x. 5 IN SOA ns. host. 1 2 3 4 5"),
    ("_a._tcp.x. 9 SRV 1 2 3 t.x.", "_a._tcp.x. 9 IN SRV 1 2 3 t.x."),
    ("x. 9 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1", 'x. 9 IN HTTPS 1 . alpn="h2" ipv4hint="192.0.2.1"'),
    ('x. 9 CAA 0 issue "ca.example"', 'x. 9 IN CAA 0 issue "ca.example"'),
    ("x. 9 TYPE65280 \\# 2 abcd", "x. 9 IN TYPE65280 \\# 2 abcd"),
    ("x. 9 A \\# 4 c0000201", "x. 9 IN A 192.0.2.1"),
    ("a\\.b.x. 9 NS .", "a\\.b.x. 9 IN NS ."),
    ("x. CLASS1 9 PTR \\065.x.", "x. 9 IN PTR A.x."),
    ("x. 9 NAPTR 1 2 u e2u !^.*$!a! .", 'x. 9 IN NAPTR 1 2 "u" "e2u" "!^.*$!a!" .'),
)

#: Text, what is wrong with it.
WRONG = (
    ("a. A 1", "'1' is no IPv4 address"),
    ("a. AAAA 192.0.2.1", "'192.0.2.1' is no IPv6 address"),
    ("a. A 192.0.2.1 192.0.2.2", "'192.0.2.1 192.0.2.2' is no IPv4 address"),
    ("a. CH A 192.0.2.1", "class 'CH' is not served: only IN is"),
    ("a. NOPE 1", "unknown type 'NOPE'"),
    ("a. AXFR", "unknown type 'AXFR'"),
    ("a. 300 IN", "no type"),
    (" A 192.0.2.1", "a record needs an owner name in front"),
    ('a. TXT "x', "a quote is never closed"),
    ("a. SOA ns. host. ( 1 2 3 4 5", "'(' is never closed"),
    ("a. TXT )", "')' without '('"),
    ("a. A 192.0.2.1\nb. A 192.0.2.1", "more than one record"),
    ("a. 2147483648 A 192.0.2.1", "TTL 2147483648 is larger than 2147483647"),
    ("a. 99999999999999999999999w A 192.0.2.1", "TTL 99999999999999999999999w is larger than 2147483647"),
    ("a. 1x A 192.0.2.1", "'1x' is no TTL"),
    ("a..b. A 192.0.2.1", "'a..b.' has an empty label"),
    (f"{'a' * 64}. A 192.0.2.1", f"'{'a' * 64}.' has a label of 64 octets; 63 is the most"),
    (f"{'a.' * 128} A 192.0.2.1", f"'{'a.' * 128}' is longer than 255 octets"),
    ("a. SVCB 1 b. mandatory=alpn", "key 1 declared mandatory but not present"),
    ("a. SRV 1 2 x t.", "expecting an integer"),
)


def shown(record: Record) -> str:
    """The record as an independent reader shows it."""
    writer = MessageWriter(Header(0), None, MESSAGE_MAX)
    assert writer.put_all(1, [record])
    message = dns.message.from_wire(writer.finish())
    rrset: dns.rrset.RRset = message.answer[0]
    return rrset.to_text()


@pytest.mark.parametrize(("text", "wanted"), RECORDS)
def test_record(text: str, wanted: str) -> None:
    record = record_from_text(text)
    assert record is not None
    assert shown(record) == wanted


@pytest.mark.parametrize("text", ["", " \t", "; nothing", "\n ; nothing\n"])
def test_nothing(text: str) -> None:
    assert record_from_text(text) is None


@pytest.mark.parametrize(("text", "reason"), WRONG)
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(RecordTextError) as caught:
        record_from_text(text)
    assert str(caught.value) == reason


def test_ttl_of_the_caller() -> None:
    record = record_from_text("a. A 192.0.2.1", default_ttl=7)
    assert record is not None
    assert record.ttl == 7
