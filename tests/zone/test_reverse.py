"""Reverse names to addresses (RFC 1035 section 3.5, RFC 3596 section 2.5)."""

from ipaddress import IPv4Address, IPv6Address
from random import Random

import dns.reversename
import pytest

from dnsserver.wire import names
from dnsserver.zone.reverse import address_range, is_reverse


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("1.0.0.10.in-addr.arpa.", "10.0.0.1", "10.0.0.1"),
        ("0.0.0.0.in-addr.arpa.", "0.0.0.0", "0.0.0.0"),
        ("255.255.255.255.in-addr.arpa.", "255.255.255.255", "255.255.255.255"),
        ("0.0.10.in-addr.arpa.", "10.0.0.0", "10.0.0.255"),
        ("10.in-addr.arpa.", "10.0.0.0", "10.255.255.255"),
        ("in-addr.arpa.", "0.0.0.0", "255.255.255.255"),
    ],
)
def test_ipv4(name: str, low: str, high: str) -> None:
    span = address_range(names.from_text(name))
    assert span is not None
    assert (span.low, span.high) == (IPv4Address(low).packed, IPv4Address(high).packed)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("ip6.arpa.", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("d.f.ip6.arpa.", "fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("1." + "0." * 27 + "0.0.d.f.ip6.arpa.", "fd00::1", "fd00::1"),
        ("0." * 27 + "0.0.d.f.ip6.arpa.", "fd00::", "fd00::f"),
    ],
)
def test_ipv6(name: str, low: str, high: str) -> None:
    span = address_range(names.from_text(name))
    assert span is not None
    assert (span.low, span.high) == (IPv6Address(low).packed, IPv6Address(high).packed)


@pytest.mark.parametrize(
    "name",
    [
        ".", "arpa.", "cluster.local.", "in-addr.arpa.cluster.local.", "ip4.arpa.", "xin-addr.arpa.",
        "1.1.0.0.10.in-addr.arpa.", "256.in-addr.arpa.", "01.in-addr.arpa.", "00.in-addr.arpa.", "a.in-addr.arpa.",
        "1a.in-addr.arpa.", "-1.in-addr.arpa.", "1000.in-addr.arpa.", r"\049\0461.in-addr.arpa.",
        r"\1780.in-addr.arpa.",
        "0x1.in-addr.arpa.", r"1\032.in-addr.arpa.", "99999999999999999999.in-addr.arpa.",
        "g.ip6.arpa.", "00.ip6.arpa.", "-.ip6.arpa.", "0." * 33 + "ip6.arpa.", r"\000.ip6.arpa.", r"0\046.ip6.arpa.",
    ],
)  # fmt: skip
def test_no_reverse_name(name: str) -> None:
    assert address_range(names.from_text(name)) is None


def test_random_addresses() -> None:
    rng = Random(5)
    for _ in range(500):
        address = rng.choice((IPv4Address(rng.getrandbits(32)), IPv6Address(rng.getrandbits(128))))
        name = dns.reversename.from_address(str(address)).to_wire() or b""
        labels = names.labels(name)
        for cut in range(len(labels) - 2):
            span = address_range(names.join(labels[cut:]))
            assert span is not None
            assert span.low <= address.packed <= span.high
            missing = cut * (8 if address.version == 4 else 4)
            size = int.from_bytes(span.high, "big") - int.from_bytes(span.low, "big") + 1
            assert size == 1 << missing


@pytest.mark.parametrize(
    ("zone", "reverse"),
    [
        ("in-addr.arpa.", True), ("ip6.arpa.", True), ("10.in-addr.arpa.", True), ("IP6.arpa.", True),
        ("0.0.d.f.ip6.arpa.", True), ("arpa.", False), (".", False), ("cluster.local.", False),
        ("in-addr.arpa.local.", False), ("xip6.arpa.", False),
    ],
)  # fmt: skip
def test_is_reverse(zone: str, reverse: bool) -> None:
    assert is_reverse(names.from_text(zone)) == reverse
