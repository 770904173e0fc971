"""Zones of fixed content: tables named after their RFCs, as `dig` shows replies."""

from dataclasses import dataclass

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from dnsserver.answering.query import Query, read_query
from dnsserver.answering.reply import encode
from dnsserver.answering.static import Told, tell
from dnsserver.sources.zonefile import record_from_text
from dnsserver.wire import names
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Type
from dnsserver.wire.records import Rdata, Record
from dnsserver.zone.canonical import name_of, sort_key
from dnsserver.zone.static import StaticZone, ZoneBuilder, ZoneDataError

SOA = "example. 300 IN SOA ns.example. host.example. 7 3600 600 86400 300"
NS = "example. 3600 IN NS ns.example."
#: RFC 4592 section 2.2.1, with an SOA record's TTL above its last field.
RFC4592 = """
example. 3600 SOA ns.example. host.example. 7 3600 600 86400 300
example. 3600 NS ns.example.
ns.example. 3600 A 192.0.2.53
*.example. 3600 TXT "this is a wildcard"
*.example. 3600 MX 10 host1.example.
sub.*.example. 3600 TXT "this is not a wildcard"
host1.example. 3600 A 192.0.2.1
_ssh._tcp.host1.example. 3600 SRV 1 2 3 host1.example.
_ssh._tcp.host2.example. 3600 SRV 1 2 3 host1.example.
subdel.example. 3600 NS ns.subdel.example.
subdel.example. 3600 NS ns.elsewhere.test.
subdel.example. 3600 DS 1 8 2 00000000000000000000000000000000000000000000000000000000000000ff
ns.subdel.example. 3600 A 192.0.2.99
"""
REFERRAL = (
    "subdel.example. 3600 IN NS ns.subdel.example.",
    "subdel.example. 3600 IN NS ns.elsewhere.test.",
)
GLUE = ("ns.subdel.example. 3600 IN A 192.0.2.99",)
#: RFC 6672, CNAME chains, additional addresses.
ALIASES = """
example. 300 SOA ns.example. host.example. 7 3600 600 86400 300
example. 3600 NS ns.example.
ns.example. 60 A 192.0.2.53
ns.example. 60 AAAA 2001:db8::53
old.example. 60 DNAME new.example.
old.example. 60 TXT "at the owner"
a.new.example. 60 A 192.0.2.1
gone.example. 60 DNAME elsewhere.test.
loop.example. 60 DNAME x.loop.example.
one.example. 60 CNAME two.example.
two.example. 60 CNAME ns.example.
nowhere.example. 60 CNAME missing.example.
empty.example. 60 CNAME a.new.example.
out.example. 60 CNAME www.elsewhere.test.
ring.example. 60 CNAME gnir.example.
gnir.example. 60 CNAME ring.example.
cut.example. 60 CNAME www.subdel.example.
subdel.example. 60 NS ns.subdel.example.
*.wild.example. 60 CNAME ns.example.
mail.example. 60 MX 10 ns.example.
mail.example. 60 MX 20 ns.example.
svc.example. 60 HTTPS 1 ns.example.
"""
ADDRESSES = ("ns.example. 60 IN A 192.0.2.53", "ns.example. 60 IN AAAA 2001:db8::53")


@dataclass(frozen=True)
class Case:
    question: str
    answer: tuple[str, ...] = ()
    rcode: str = "NOERROR"
    authority: tuple[str, ...] = (NS,)
    additional: tuple[str, ...] = ()
    aa: bool = True

    def __str__(self) -> str:
        return self.question


WILDCARDS = (
    # RFC 4592 section 2.2.1: what is synthesised, and what is not.
    Case(
        "host3.example. MX",
        ("host3.example. 3600 IN MX 10 host1.example.",),
        additional=("host1.example. 3600 IN A 192.0.2.1",),
    ),
    Case("host3.example. A", authority=(SOA,)),
    Case("foo.bar.example. TXT", ('foo.bar.example. 3600 IN TXT "this is a wildcard"',)),
    Case("host1.example. MX", authority=(SOA,)),
    Case("sub.*.example. MX", authority=(SOA,)),
    Case("_telnet._tcp.host1.example. SRV", rcode="NXDOMAIN", authority=(SOA,)),
    Case("host.subdel.example. A", authority=REFERRAL, additional=GLUE, aa=False),
    Case("ghost.*.example. MX", rcode="NXDOMAIN", authority=(SOA,)),
    # Section 2.2.2: empty non-terminals exist, and no wildcard stands in for them.
    Case("_tcp.host2.example. TXT", authority=(SOA,)),
    Case("host2.example. TXT", authority=(SOA,)),
    Case("*.example. TXT", ('*.example. 3600 IN TXT "this is a wildcard"',)),
    Case(
        "HoSt3.eXample. TXT",
        ('HoSt3.eXample. 3600 IN TXT "this is a wildcard"',),
        authority=("eXample. 3600 IN NS ns.example.",),
    ),
    # RFC 1034 section 4.3.2, RFC 4035 section 3.1.4.1: cuts.
    Case("subdel.example. NS", authority=REFERRAL, additional=GLUE, aa=False),
    Case("ns.subdel.example. A", authority=REFERRAL, additional=GLUE, aa=False),
    Case(
        "subdel.example. DS",
        (
            "subdel.example. 3600 IN DS 1 8 2 00000000000000000000000000000000000000000000000000000000000000ff",
        ),
    ),
    Case("example. NS", (NS,), authority=(), additional=("ns.example. 3600 IN A 192.0.2.53",)),
    Case("example. SOA", (SOA.replace("300 IN", "3600 IN"),)),
    Case("example. A", authority=(SOA,)),
    # RFC 8482 section 4.1: one RRset is enough.
    Case("host1.example. ANY", ("host1.example. 3600 IN A 192.0.2.1",)),
)

CHAINS = (
    Case(
        "one.example. A",
        ("one.example. 60 IN CNAME two.example.", "two.example. 60 IN CNAME ns.example.", ADDRESSES[0]),
    ),
    Case("one.example. CNAME", ("one.example. 60 IN CNAME two.example.",)),
    # RFC 6604, RFC 2308 section 2: the end of the chain says RCODE and SOA.
    Case("nowhere.example. A", ("nowhere.example. 60 IN CNAME missing.example.",), "NXDOMAIN", (SOA,)),
    Case("empty.example. AAAA", ("empty.example. 60 IN CNAME a.new.example.",), authority=(SOA,)),
    Case(
        "ring.example. A",
        ("ring.example. 60 IN CNAME gnir.example.", "gnir.example. 60 IN CNAME ring.example."),
        authority=(),
    ),
    Case("x.wild.example. AAAA", ("x.wild.example. 60 IN CNAME ns.example.", ADDRESSES[1])),
    Case(
        "cut.example. A",
        ("cut.example. 60 IN CNAME www.subdel.example.",),
        authority=("subdel.example. 60 IN NS ns.subdel.example.",),
    ),
    # RFC 6672 section 3.
    Case(
        "a.old.example. A",
        (
            "old.example. 60 IN DNAME new.example.",
            "a.old.example. 60 IN CNAME a.new.example.",
            "a.new.example. 60 IN A 192.0.2.1",
        ),
    ),
    Case(
        "a.old.example. CNAME",
        ("old.example. 60 IN DNAME new.example.", "a.old.example. 60 IN CNAME a.new.example."),
    ),
    Case("old.example. TXT", ('old.example. 60 IN TXT "at the owner"',)),
    Case("old.example. DNAME", ("old.example. 60 IN DNAME new.example.",)),
    Case(
        f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 47}.gone.example. A",
        ("gone.example. 60 IN DNAME elsewhere.test.",),
        "YXDOMAIN",
        (),
    ),
    Case(
        "mail.example. MX",
        ("mail.example. 60 IN MX 10 ns.example.", "mail.example. 60 IN MX 20 ns.example."),
        additional=ADDRESSES,
    ),
    Case("svc.example. HTTPS", ("svc.example. 60 IN HTTPS 1 ns.example.",), additional=ADDRESSES),
)


def zone_of(text: str, origin: str = "example.") -> StaticZone:
    builder = ZoneBuilder(names.from_text(origin))
    for line in text.strip().splitlines():
        record = record_from_text(line)
        assert record is not None
        builder.add(record)
    return builder.build()


def query_of(text: str, *, do: bool = False) -> Query:
    name, rtype = text.split()
    wire = dns.message.make_query(name, rtype, want_dnssec=do, use_edns=0, payload=4096).to_wire()
    query = read_query(wire, Arrival("tcp", "192.0.2.7", 1, "192.0.2.8", 53))
    assert isinstance(query, Query)
    return query


def told(zone: StaticZone, text: str, *, do: bool = False) -> Told:
    return tell(zone, query_of(text, do=do).question, do=do)


def shown(found: Told, text: str) -> Case:
    """What the client gets, as an independent reader shows it."""
    reply = dns.message.from_wire(encode(found.reply, query_of(text)))
    sections = [
        tuple(line for rrset in section for line in rrset.to_text().splitlines())
        for section in (reply.answer, reply.authority, reply.additional)
    ]
    rcode = dns.rcode.to_text(reply.rcode())
    return Case(text, sections[0], rcode, sections[1], sections[2], bool(reply.flags & dns.flags.AA))


@pytest.mark.parametrize("case", WILDCARDS, ids=str)
def test_rfc4592(case: Case) -> None:
    assert shown(told(zone_of(RFC4592), case.question), case.question) == case


@pytest.mark.parametrize("case", CHAINS, ids=str)
def test_chains(case: Case) -> None:
    assert shown(told(zone_of(ALIASES), case.question), case.question) == case


@pytest.mark.parametrize(
    ("question", "target"),
    [("out.example. A", "www.elsewhere.test."), ("a.b.gone.example. A", "a.b.elsewhere.test.")],
)
def test_chain_leaves_the_zone(question: str, target: str) -> None:
    assert told(zone_of(ALIASES), question).elsewhere == names.from_text(target)


def test_chain_that_grows_ends() -> None:
    """And says once what the DNAME is (RFC 2181 section 5)."""
    answer = told(zone_of(ALIASES), "a.loop.example. A").reply.answer
    assert len(answer) < 20
    assert len(set(answer)) == len(answer)


@pytest.mark.parametrize("rdata", [b"", b"\0\1", b"\0\1\3ns"])
def test_broken_rdata_from_a_transfer_names_no_host(rdata: bytes) -> None:
    builder = ZoneBuilder(names.from_text("example."))
    soa = record_from_text(SOA)
    assert soa is not None
    builder.add(soa)
    builder.add(Record(names.from_text("svc.example."), Type.HTTPS, 60, Rdata(rdata)))
    reply = told(builder.build(), "svc.example. HTTPS").reply
    assert [each.rdata for each in reply.answer] == [Rdata(rdata)]
    assert reply.additional == ()


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("ghost.*.example. MX", True),
        ("_tcp.host2.example. TXT", True),
        ("host1.example. MX", False),
        ("host3.example. A", False),
        ("host3.example. MX", False),
        ("a.subdel.example. A", False),
    ],
)
def test_missing(question: str, missing: bool) -> None:
    assert told(zone_of(RFC4592), question).missing is missing


def test_records_twice_and_ttls_that_differ() -> None:
    """RFC 2181 sections 5 and 5.2."""
    zone = zone_of(RFC4592 + "host1.example. 60 A 192.0.2.1\nhost1.example. 90 A 192.0.2.2\n")
    answer = shown(told(zone, "host1.example. A"), "host1.example. A").answer
    assert answer == ("host1.example. 60 IN A 192.0.2.1", "host1.example. 60 IN A 192.0.2.2")


def test_many_records_of_a_name() -> None:
    zone = zone_of(RFC4592 + "".join(f"many.example. 60 A 10.0.{i // 250}.{i % 250}\n" for i in range(2000)))
    assert len(told(zone, "many.example. A").reply.answer) == 2000


def test_no_zone() -> None:
    with pytest.raises(ZoneDataError, match="no SOA record for origin example"):
        zone_of("example. 1 NS ns.example.\nsub.example. 1 SOA a. b. 1 2 3 4 5\n")
    with pytest.raises(
        ZoneDataError, match=r"NSEC3 zone is not supported, dropping RR: x\.example\. for zone: exa"
    ):
        zone_of(RFC4592 + "x.example. 1 NSEC3PARAM 1 0 0 -\n")


def test_records_of_other_zones_are_left_out() -> None:
    builder = ZoneBuilder(names.from_text("Example."))
    for text in ("example. 1 SOA a. b. 1 2 3 4 5", "www.elsewhere. 1 A 192.0.2.1"):
        record = record_from_text(text)
        assert record is not None
        builder.add(record)
    assert builder.foreign == 1
    assert list(builder.build().records()) == []


def test_canonical_order() -> None:
    """RFC 4034 section 6.1."""
    ordered = [
        names.from_text(text)
        for text in (
            "example. a.example. yljkjljk.a.example. z.a.example. zabc.a.example. z.example."
            " \\001.z.example. \\000.zz.example. \\000\\000.zz.example. *.zz.example. \\200.zz.example."
        ).split()
    ]
    assert sorted(set(ordered), key=sort_key) == ordered
    assert [name_of(sort_key(name)) for name in ordered] == ordered
