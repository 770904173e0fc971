"""What counts as a difference: replies in presentation format, and the kinds that are found between them."""

from dataclasses import dataclass

import pytest

from dnsserver.comparing.differences import Kind, differences
from dnsserver.comparing.seen import Seen
from tests.comparing.replies import SOA, seen

WEB = "web.default.svc.cluster.local."
A = f"{WEB} A"


@dataclass(frozen=True)
class Case:
    """Two replies, and what of them differs."""

    name: str
    old: Seen
    new: Seen
    kinds: tuple[Kind, ...] = ()

    def __str__(self) -> str:
        return self.name


def addresses(*found: str, ttl: int = 30, owner: str = WEB, flags: str = "QR AA RD") -> Seen:
    return seen(A, *(f"{owner} {ttl} IN A {address}" for address in found), flags=flags)


def denied(rcode: str = "NXDOMAIN", soa: str = SOA) -> Seen:
    return seen(A, authority=[soa] if soa else [], rcode=rcode)


def srv(*lines: str) -> Seen:
    return seen(f"_http._tcp.{WEB} SRV", *(f"_http._tcp.{WEB} 30 IN SRV {line}" for line in lines))


def alias(*targets: str, address: str = "192.0.2.1") -> Seen:
    owners = (WEB, *targets)
    chain = [f"{owner} 30 IN CNAME {target}" for owner, target in zip(owners, targets, strict=False)]
    return seen(A, *chain, f"{owners[-1]} 30 IN A {address}")


CASES = (
    Case("equal", addresses("10.0.0.1"), addresses("10.0.0.1")),
    Case("order", addresses("10.0.0.1", "10.0.0.2"), addresses("10.0.0.2", "10.0.0.1")),
    Case("case of names", addresses("10.0.0.1"), addresses("10.0.0.1", owner=WEB.upper())),
    Case("case of targets", srv(f"0 100 80 {WEB}"), srv(f"0 100 80 {WEB.upper()}")),
    Case("serial", denied(), denied(soa=SOA.replace(" 1 7200", " 77 7200"))),
    Case("one address less", addresses("10.0.0.1", "10.0.0.2"), addresses("10.0.0.1"), (Kind.ANSWER,)),
    Case("NODATA for data", addresses("10.0.0.1"), denied("NOERROR"), (Kind.ANSWER,)),
    Case("NXDOMAIN for NODATA", denied("NOERROR"), denied(), (Kind.RCODE,)),
    Case("SERVFAIL for data", addresses("10.0.0.1"), denied("SERVFAIL", ""), (Kind.RCODE,)),
    Case("weight", srv(f"0 100 80 {WEB}"), srv(f"0 50 80 {WEB}"), (Kind.ANSWER,)),
    Case("TTL", addresses("10.0.0.1"), addresses("10.0.0.1", ttl=5), (Kind.TTL,)),
    Case("MINIMUM", denied(), denied(soa=SOA[:-2] + "5"), (Kind.NEGATIVE_TTL,)),
    Case("no SOA", denied(), denied(soa=""), (Kind.NEGATIVE_TTL,)),
    Case("alias flattened", alias("a.example."), addresses("192.0.2.1"), (Kind.CNAME,)),
    Case("longer chain", alias("a.example."), alias("b.example.", "a.example."), (Kind.CNAME,)),
    Case(
        "other target",
        alias("a.example."),
        alias("b.example.", address="192.0.2.2"),
        (Kind.ANSWER, Kind.CNAME),
    ),
    Case("AA", addresses("10.0.0.1"), addresses("10.0.0.1", flags="QR RD"), (Kind.AA,)),
    Case("RA", addresses("10.0.0.1"), addresses("10.0.0.1", flags="QR AA RD RA"), (Kind.RA,)),
    Case("AD, CD", addresses("10.0.0.1"), addresses("10.0.0.1", flags="QR AA RD AD CD")),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_differences(case: Case) -> None:
    assert tuple(one.kind for one in differences([case.old], [case.new], 0)) == case.kinds
    backwards = tuple(one.kind for one in differences([case.new], [case.old], 0))
    assert backwards == case.kinds


@pytest.mark.parametrize(
    ("old", "new", "tolerance_s", "explained"),
    [
        ((30,), (30,), 0, True),
        ((30,), (5,), 0, False),
        ((30,), (29,), 1, True),
        ((30, 30, 30), (5, 5, 5), 0, False),  # each has its own
        ((17, 15, 13), (30, 30, 30), 0, True),  # counted down from 30
        ((30, 30, 30), (4, 2, 29), 0, True),  # expired on the way
        ((30, 28, 26), (5, 5, 5), 0, False),  # more than ever stood there
        ((300, 298), (12, 30), 0, True),  # two caches: nothing can be said
    ],
)
def test_ttls_that_a_cache_counts_down(
    old: tuple[int, ...], new: tuple[int, ...], tolerance_s: int, explained: bool
) -> None:
    left = [addresses("10.0.0.1", ttl=ttl) for ttl in old]
    right = [addresses("10.0.0.1", ttl=ttl) for ttl in new]
    found = differences(left, right, tolerance_s)
    assert [one.kind for one in found] == ([] if explained else [Kind.TTL])


def test_a_difference_shows_both_sides() -> None:
    (found,) = differences([addresses("10.0.0.1", "10.0.0.2")], [alias("a.example.")], 0)[:1]
    assert found.old == "NOERROR: A 10.0.0.1, A 10.0.0.2"
    assert found.new == "NOERROR: CNAME a.example., A 192.0.2.1"
    many = addresses(*(f"10.0.0.{number}" for number in range(1, 10)))
    assert str(many).endswith("A 10.0.0.6, and 3 more")
