"""forward: Corefile text to settings."""

import logging
from pathlib import Path

import pytest

from dnsserver.plugins.addresses import Address
from dnsserver.plugins.forward import options, setup
from dnsserver.plugins.forward.addresses import HostName, To
from dnsserver.plugins.forward.settings import ForwardSettings, Probe, TlsFiles
from dnsserver.wire import names
from tests.plugins.helpers import directive, refused, site

ONE = (Address("192.0.2.1", 53),)


def settings_of(text: str, directory: Path = Path("/")) -> ForwardSettings:
    return options.settings_of(directive(text).occurrences[0], directory)


@pytest.mark.parametrize(
    ("to", "addresses"),
    [
        ("192.0.2.1", ONE),
        ("192.0.2.1:5353", (Address("192.0.2.1", 5353),)),
        ("2001:DB8::0:1", (Address("2001:db8::1"),)),
        ("[2001:db8::1]", (Address("2001:db8::1"),)),
        ("[2001:db8::1]:5353", (Address("2001:db8::1", 5353),)),
        ("fe80::1%eth0", (Address("fe80::1%eth0"),)),
        ("[fe80::1%eth0]:5353", (Address("fe80::1%eth0", 5353),)),
        ("dns://192.0.2.1", ONE),
        ("dns://192.0.2.1:5353", (Address("192.0.2.1", 5353),)),
        ("dns://[::1]:5353", (Address("::1", 5353),)),
        ("dns://::1", (Address("::1"),)),
        ("192.0.2.2 192.0.2.1", (Address("192.0.2.2"), Address("192.0.2.1"))),
        ("192.0.2.1 192.0.2.1:53 dns://192.0.2.1", ONE),
        ("tls://192.0.2.1", (Address("192.0.2.1", 853, "tls"),)),
        ("tls://192.0.2.1:8853", (Address("192.0.2.1", 8853, "tls"),)),
        ("tls://192.0.2.1%dns.test", (Address("192.0.2.1", 853, "tls", "dns.test"),)),
        ("tls://192.0.2.1%dns.test:8853", (Address("192.0.2.1", 8853, "tls", "dns.test"),)),
        ("tls://[2001:db8::1%dns.test]:8853", (Address("2001:db8::1", 8853, "tls", "dns.test"),)),
        ("tls://2001:db8::1%dns.test", (Address("2001:db8::1", 853, "tls", "dns.test"),)),
        ("https://192.0.2.1", (Address("192.0.2.1", 443, "https"),)),
        ("https://192.0.2.1:8443", (Address("192.0.2.1", 8443, "https"),)),
        ("https://dns.test", (HostName("dns.test", 443, "https"),)),
        ("dns.test", (HostName("dns.test"),)),
        ("dns.test:5353", (HostName("dns.test", 5353),)),
        ("tls://dns.test%other.test:8853", (HostName("dns.test", 8853, "tls", "other.test"),)),
        ("192.0.2.1:853 tls://192.0.2.1", (Address("192.0.2.1", 853),)),  # as CoreDNS: address and port count
        (" ".join(f"192.0.2.{n}" for n in range(15)), tuple(Address(f"192.0.2.{n}") for n in range(15))),
    ],
)
def test_upstreams(to: str, addresses: tuple[To, ...]) -> None:
    assert settings_of(f"forward . {to}").upstreams == addresses


RESOLV_CONF = """\
# nameserver 10.9.9.9
search ns.svc.cluster.local
nameserver 192.0.2.1
nameserver\t2001:db8::1 trailing
nameserver fe80::1%eth0
  nameserver 192.0.2.1
nameserver
options ndots:5
"""


@pytest.mark.parametrize("prefix", ["", "dns://"])
@pytest.mark.parametrize("absolute", [True, False])
def test_upstreams_of_a_file(prefix: str, absolute: bool, tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(RESOLV_CONF)
    to = prefix + (str(file) if absolute else "resolv.conf")
    expected = (Address("192.0.2.1"), Address("2001:db8::1"), Address("fe80::1%eth0"), Address("10.0.0.1"))
    assert settings_of(f"forward . {to} 10.0.0.1 192.0.2.1", tmp_path).upstreams == expected


def test_name_server_by_name_is_passed_over_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("nameserver ns.test\nnameserver 192.0.2.1\n")
    assert settings_of(f"forward . {file}").upstreams == ONE
    assert caplog.messages == [f"{file}: nameserver ns.test is not an IP address and is not used"]


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ("", {}),
        ("except a.test", {"excepted": ("a.test.",)}),
        ("except A.test 10.0.0.0/8\nexcept b.test", {"excepted": ("a.test.", "10.in-addr.arpa.", "b.test.")}),
        ("force_tcp", {"force_tcp": True}),
        ("prefer_udp", {"prefer_udp": True}),
        ("policy random", {"policy": "random"}),
        ("policy round_robin", {"policy": "round_robin"}),
        ("policy sequential", {"policy": "sequential"}),
        ("max_concurrent 1000", {"max_concurrent": 1000}),
        ("max_concurrent 0", {}),
        ("max_fails 0", {"max_fails": 0}),
        ("max_connect_attempts 0", {"max_connect_attempts": 0}),
        ("max_connect_attempts 7", {"max_connect_attempts": 7}),
        ("expire 1m", {"expire_s": 60}),
        ("max_age 1h", {"max_age_s": 3600}),
        ("max_age 2s\nexpire 2s", {"max_age_s": 2, "expire_s": 2}),
        ("max_idle_conns 3", {"max_idle_conns": 3}),
        ("read_timeout 0.5s", {"read_s": 0.5}),
        ("randomize_case", {"randomize_case": True}),
        ("next nxdomain SERVFAIL\nnext REFUSED", {"next_rcodes": frozenset((2, 3, 5))}),
        ("next_on_nodata", {"next_on_nodata": True}),
        ("failover servfail NOTIMPL", {"failover": frozenset((2, 4))}),
        ("failfast_all_unhealthy_upstreams", {"failfast": True}),
        ("tls", {"tls": TlsFiles()}),
        ("tls_servername dns.test", {"tls_servername": "dns.test"}),
        ("doh_method GET", {"doh_method": "GET"}),
        ("source_address 192.0.2.7", {"source_address": "192.0.2.7"}),
        (
            "resolver 192.0.2.8 [::1]:5353 ::2",
            {"resolvers": (Address("192.0.2.8"), Address("::1", 5353), Address("::2"))},
        ),
        ("max_fails 7", {"max_fails": 7}),
        ("health_check 5s", {"probe": Probe(interval_s=5)}),
        ("health_check 5s no_rec", {"probe": Probe(interval_s=5, recursion=False)}),
        (
            "health_check 0.25s domain A.test no_rec",
            {"probe": Probe(interval_s=0.25, recursion=False, domain=names.from_text("a.test"))},
        ),
    ],
)
def test_options(options: str, changed: dict[str, object]) -> None:
    excepted = changed.pop("excepted", ())
    assert isinstance(excepted, tuple)
    expected = ForwardSettings(
        zone=names.ROOT,
        upstreams=ONE,
        excepted=tuple(map(names.from_text, excepted)),
        **changed,  # type: ignore[arg-type]
    )
    assert settings_of(f"forward . 192.0.2.1 {{\n{options}\n}}") == expected


@pytest.mark.parametrize(
    ("origin", "zone"),
    [
        (".", "."),
        ("Example.ORG", "example.org."),
        ("10.1.0.0/16", "1.10.in-addr.arpa."),
        ("a.test:53", "a.test."),
    ],
)
def test_from(origin: str, zone: str, caplog: pytest.LogCaptureFixture) -> None:
    assert settings_of(f"forward {origin} 192.0.2.1").zone == names.from_text(zone)
    assert caplog.messages == []


def test_only_the_first_zone_of_a_cidr_counts(caplog: pytest.LogCaptureFixture) -> None:
    assert settings_of("forward 10.1.0.0/15 192.0.2.1").zone == names.from_text("0.10.in-addr.arpa.")
    assert caplog.record_tuples == [
        (
            "dnsserver.plugin.forward",
            logging.WARNING,
            "Unsupported CIDR notation: '10.1.0.0/15' expands to multiple zones. Using only '0.10.in-addr.arpa.'.",
        )
    ]


PARSING = "Corefile:{} - Error during parsing: "
COUNT = PARSING + "Wrong argument count or unexpected line ending after '{}'"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("", COUNT.format(2, "forward")),
        (".", COUNT.format(2, ".")),
        ("a..b 192.0.2.1", "zone is not a valid domain name: a..b (Corefile:2)"),
        (". dns://", 'invalid address: "dns://" (Corefile:2)'),
        (". 192.0.2.1:x", 'invalid address: "192.0.2.1:x": the port must be 1 to 65535 (Corefile:2)'),
        (". 192.0.2.1:", 'invalid address: "192.0.2.1:": the port must be 1 to 65535 (Corefile:2)'),
        (". 192.0.2.1:0", 'invalid address: "192.0.2.1:0": the port must be 1 to 65535 (Corefile:2)'),
        (". [::1]:65536", 'invalid address: "[::1]:65536": the port must be 1 to 65535 (Corefile:2)'),
        (
            ". https://192.0.2.1/dns-query",
            "paths are not allowed in HTTPS upstream addresses (the /dns-query path is used by default): "
            "https://192.0.2.1/dns-query (Corefile:2)",
        ),
        (". tls://", 'invalid address: "tls://" (Corefile:2)'),
        (
            ". quic://192.0.2.1",
            "'quic' is not supported as a destination protocol in forward: quic://192.0.2.1 (Corefile:2)",
        ),
        (". 192.0.2.300", 'not an IP address, file, or valid domain: "192.0.2.300" (Corefile:2)'),
        (". x..y", 'not an IP address, file, or valid domain: "x..y" (Corefile:2)'),
        (". /none/resolv.conf", 'not an IP address or file: "/none/resolv.conf" (Corefile:2)'),
        (". /dev/null", 'not an IP address or file: "/dev/null" (Corefile:2)'),
        (". /", 'not an IP address or file: "/" (Corefile:2)'),
        (". " + "1.1.1.1 " * 16, "more than 15 TOs configured: 16 (Corefile:2)"),
    ],
)
def test_refused_arguments(arguments: str, error: str) -> None:
    assert refused(setup, f"forward {arguments}") == f"plugin/forward: {error}"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"search x\n", "no valid upstream addresses found"),
        (b"", "no valid upstream addresses found"),
        (b"\xff\0" * 10, "no valid upstream addresses found"),
        (bytes(1_048_577), 'file "resolv.conf" is larger than 1048576 octets'),
    ],
)
def test_refused_files(content: bytes, error: str, tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_bytes(content)
    text = "forward . resolv.conf"
    assert refused(setup, text, tmp_path) == f"plugin/forward: {error} (Corefile:2)"


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ("except", COUNT.format(3, "except")),
        ("except a..b", "zone is not a valid domain name: a..b (Corefile:3)"),
        ("force_tcp on", COUNT.format(3, "on")),
        ("prefer_udp on", COUNT.format(3, "on")),
        ("policy", COUNT.format(3, "policy")),
        ("policy best", PARSING.format(3) + "unknown policy 'best'"),
        ("max_concurrent", COUNT.format(3, "max_concurrent")),
        ("max_concurrent many", 'strconv.Atoi: parsing "many": invalid syntax (Corefile:3)'),
        ("max_concurrent -4", "max_concurrent can't be negative: -4 (Corefile:3)"),
        ("max_fails", COUNT.format(3, "max_fails")),
        ("max_fails -1", 'strconv.ParseUint: parsing "-1": invalid syntax (Corefile:3)'),
        (
            "max_fails 4294967296",
            "max_fails: 4294967296 must be at least 0 and at most 4294967295 (Corefile:3)",
        ),
        ("health_check", COUNT.format(3, "health_check")),
        ("health_check 5", 'time: missing unit in duration "5" (Corefile:3)'),
        ("health_check -1s", "health_check can't be negative: -1000000000 (Corefile:3)"),
        ("health_check 1s rec", "health_check: unknown option rec (Corefile:3)"),
        ("health_check 1s domain", COUNT.format(3, "domain")),
        ("health_check 1s domain a..b", "health_check: invalid domain name a..b (Corefile:3)"),
        ("polcy random", PARSING.format(3) + "unknown property 'polcy'"),
        ("randomize_case on", COUNT.format(3, "on")),
        ("expire", COUNT.format(3, "expire")),
        ("expire -1s", "expire can't be negative: -1s (Corefile:3)"),
        ("max_age -1m", "max_age can't be negative: -1m0s (Corefile:3)"),
        ("max_age 1s", "max_age (1s) must not be less than expire (10s) (Corefile:2)"),
        ("max_idle_conns -1", "max_idle_conns can't be negative: -1 (Corefile:3)"),
        ("read_timeout 0s", "read_timeout must be positive: 0s (Corefile:3)"),
        ("read_timeout 1", 'time: missing unit in duration "1" (Corefile:3)'),
        ("max_connect_attempts -1", 'strconv.ParseUint: parsing "-1": invalid syntax (Corefile:3)'),
        ("next", COUNT.format(3, "next")),
        ("next FOO", "FOO is not a valid rcode (Corefile:3)"),
        ("next_on_nodata x", COUNT.format(3, "x")),
        ("failover", COUNT.format(3, "failover")),
        ("failover x", "x is not a valid rcode (Corefile:3)"),
        ("failover NOERROR", "NoError cannot be used in failover (Corefile:3)"),
        ("failfast_all_unhealthy_upstreams 1", COUNT.format(3, "1")),
        ("tls a b c d", COUNT.format(3, "d")),
        ("tls none", "error reading /none: open /none: no such file or directory (Corefile:3)"),
        ("tls no ne", "could not load TLS cert: open /no: no such file or directory (Corefile:3)"),
        (
            "tls /etc/hostname",
            "could not read root certs: /etc/hostname: no certificate or crl found (Corefile:3)",
        ),
        ("tls_servername", COUNT.format(3, "tls_servername")),
        ("doh_method PUT", "doh_method must be either POST or GET (Corefile:3)"),
        ("source_address x", PARSING.format(3) + "invalid IP address: x"),
        ("resolver", COUNT.format(3, "resolver")),
        ("resolver x", 'resolver must be an IP address or IP:port: "x" (Corefile:3)'),
    ],
)
def test_refused_options(option: str, error: str) -> None:
    assert refused(setup, f"forward . 192.0.2.1 {{\n{option}\n}}") == f"plugin/forward: {error}"


def test_refused_in_the_second_line() -> None:
    assert refused(setup, "forward a.test 192.0.2.1\nforward . x..y") == (
        'plugin/forward: not an IP address, file, or valid domain: "x..y" (Corefile:3)'
    )


def test_one_name_for_all_and_one_of_its_own() -> None:
    text = "forward . tls://192.0.2.1%a.test {\ntls_servername b.test\n}"
    assert refused(setup, text) == (
        "plugin/forward: both forward ('b.test') and proxy level ('a.test') TLS servernames are set for upstream "
        "proxy 'tls://192.0.2.1:853' (Corefile:2)"
    )


def test_lets_other_classes_in() -> None:
    assert setup(directive("forward . 192.0.2.1"), site()).classes_beyond_in
