"""Section 1.5 of coredns-compat.md: server keys, zones and CIDRs."""

from __future__ import annotations

import pytest

from dnsserver.config import ConfigError, reverse_zones, zones_from
from dnsserver.config.keys import server_keys
from tests.config.helpers import outcome, parsed

#: Octets. The longest label that DNS can carry.
LABEL = "a" * 63

KEYS = (
    (".", "dns://.:1053"),
    (".:53", "dns://.:53"),
    ("dns://.", "dns://.:1053"),
    ("dns://example.org:5300", "dns://example.org.:5300"),
    ("tls://example.org", "tls://example.org.:853"),
    ("quic://example.org", "quic://example.org.:853"),
    ("https://example.org", "https://example.org.:443"),
    ("https3://example.org", "https3://example.org.:443"),
    ("grpc://example.org", "grpc://example.org.:443"),
    ("tls://.:8853", "tls://.:8853"),
    ("FOO.Bar", "foo.bar.:1053"),
    ("foo.bar.", "foo.bar.:1053"),
    ("a:0", "a.:0"),
    ("a:+53", "a.:53"),
    ("a:053", "a.:53"),
    ("a:65535", "a.:65535"),
    ("a:b", "a:b.:1053"),
    ("É.org", "É.org.:1053"),
    (f"{LABEL}.org", f"{LABEL}.org.:1053"),
    (r"a\.b", r"a\.b.:1053"),
    (r"a\046b\\", r"a\046b\\.:1053"),
    (r"a\.", r"a\..:1053"),
    ("10.0.0.0/24", "0.0.10.in-addr.arpa.:1053"),
    ("10.0.0.0/24:5300", "0.0.10.in-addr.arpa.:5300"),
    ("tls://10.0.0.0/8", "tls://10.in-addr.arpa.:853"),
    ("10.0.0.0/23:53", "0.0.10.in-addr.arpa.:53 1.0.10.in-addr.arpa.:53"),
    ("2001:db8::/32", "8.b.d.0.1.0.0.2.ip6.arpa.:1053"),
    ("2001:db8::/32:53", "8.b.d.0.1.0.0.2.ip6.arpa.:53"),
    ("2001:db8::/31", "8.b.d.0.1.0.0.2.ip6.arpa.:1053 9.b.d.0.1.0.0.2.ip6.arpa.:1053"),
    ("10.0.0.0/33", "10.0.0.0/33.:1053"),
    ("10.0.0.0/255.0.0.0", "10.0.0.0/255.0.0.0.:1053"),
)


@pytest.mark.parametrize(("text", "expected"), KEYS)
def test_keys(text: str, expected: str) -> None:
    keys = server_keys(text, 1053)
    assert " ".join(str(key).removeprefix("dns://") for key in keys) == expected.replace("dns://", "")
    assert {key.text for key in keys} == {text}


REFUSED = (
    (":53", "zone is not a valid domain name: "),
    ("a:", 'expecting data after last colon: "a:"'),
    ("dns://", 'expecting data after last colon: ""'),
    ("a..b", "zone is not a valid domain name: a..b"),
    (".a", "zone is not a valid domain name: .a"),
    ("..", "zone is not a valid domain name: .."),
    ("a\\", "zone is not a valid domain name: a\\"),
    (f"{LABEL}a.org", f"zone is not a valid domain name: {LABEL}a.org"),
    ("a." * 150, "specified zone is too long: 300 > 255"),
    ("é." * 90, "specified zone is too long: 270 > 255"),
    ("a." * 127 + "a", "zone is not a valid domain name: " + "a." * 127 + "a"),
    ("a:65536", "address 65536: invalid port"),
    ("a:-1", "address -1: invalid port"),
    ("::/0", "invalid CIDR ::/0"),
    ("::1/128", "invalid CIDR ::1/128"),
    ("0::/16", "invalid CIDR 0::/16"),
    ("unix://x", "unknown scheme 'unix' in 'unix://x'; use one of dns, tls, quic, https, https3, grpc"),
    ("http://x", "unknown scheme 'http' in 'http://x'; use one of dns, tls, quic, https, https3, grpc"),
)


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_refused_keys(text: str, message: str) -> None:
    assert outcome(f"a {{\n}}\n{text} {{\n}}") == f"error inspecting server blocks: {message} (Corefile:3)"


def test_a_lone_comma_is_an_empty_key() -> None:
    expected = 'error inspecting server blocks: expecting data after last colon: "" (Corefile:1)'
    assert outcome(", . {\n}") == expected


CIDRS = (
    ("0.0.0.0/0", "in-addr.arpa."),
    ("10.0.0.0/15", "0.10.in-addr.arpa. 1.10.in-addr.arpa."),
    ("192.168.1.1/23", "0.168.192.in-addr.arpa. 1.168.192.in-addr.arpa."),
    ("10.129.60.0/22", " ".join(f"{n}.129.10.in-addr.arpa." for n in range(60, 64))),
    ("10.0.0.4/31", "4.0.0.10.in-addr.arpa. 5.0.0.10.in-addr.arpa."),
    ("10.0.0.4/32", "4.0.0.10.in-addr.arpa."),
    ("fd00::/8", "d.f.ip6.arpa."),
    ("FD00::/7", "c.f.ip6.arpa. d.f.ip6.arpa."),
    ("::/0", "ip6.arpa."),
)


@pytest.mark.parametrize(("cidr", "zones"), CIDRS)
def test_reverse_zones(cidr: str, zones: str) -> None:
    assert " ".join(reverse_zones(cidr)) == zones


def test_widest_expansion() -> None:
    assert len(reverse_zones("10.0.0.0/9")) == 128


@pytest.mark.parametrize(
    "text", ["10.0.0.0", "10.0.0/8", "10.0.0.0/33", "a/8", "fe80::%1/64", "010.0.0.0/8", ""]
)
def test_no_cidr(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        reverse_zones(text)


ZONES = (
    ("", ()),
    ("Cluster.Local", ("cluster.local.",)),
    ("dns://a.org:53", ("a.org.",)),
    ("a. A b", ("a.", "b.")),
    ("a 10.0.0.0/23", ("a.", "0.0.10.in-addr.arpa.", "1.0.10.in-addr.arpa.")),
    ("3600s", ("3600s.",)),
)


@pytest.mark.parametrize(("text", "zones"), ZONES)
def test_zones_from(text: str, zones: tuple[str, ...]) -> None:
    assert zones_from(text) == zones


def test_zones_from_refuses_what_is_no_zone() -> None:
    with pytest.raises(ConfigError, match=r"^zone is not a valid domain name: a\.\.b$"):
        zones_from("ok a..b")


def test_zones_of_a_block_are_those_of_all_keys() -> None:
    (block,) = parsed("a:53 A:54 10.0.0.0/23 {\n}").blocks
    assert block.zones == ("a.", "0.0.10.in-addr.arpa.", "1.0.10.in-addr.arpa.")


def test_too_many_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dnsserver.config.corefile.MAX_KEYS", 200)
    expected = "Corefile:2 - Error during parsing: configuration too large: more than 200 zones"
    assert outcome("10.0.0.0/9,\n11.0.0.0/9 {\n}").startswith(expected)
