"""One Service to all names below it: weights, labels, and what must not break a name."""

import struct

import pytest

from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.zone.objects import Endpoint, EndpointSlice, Port, Service
from dnsserver.zone.policy import RecordPolicy
from dnsserver.zone.service_names import ServiceNames
from dnsserver.zone.slice_targets import endpoint_labels
from tests.answers.objects import external, headless, key, ports, service, slice_of

POLICY = RecordPolicy()
POD_NAMES = RecordPolicy(endpoint_pod_names=True)


@pytest.mark.parametrize(
    ("endpoint", "label", "with_pods"),
    [
        (Endpoint("10.4.1.32"), "10-4-1-32", "10-4-1-32"),
        (Endpoint("10.4.1.32", "web-0"), "web-0", "web-0"),
        (Endpoint("10.4.1.32", "web-0", "pod"), "web-0", "web-0"),
        (Endpoint("10.4.1.32", pod_name="pod"), "10-4-1-32", "pod"),
        (Endpoint("fd00:10:4:15::2"), "fd00-10-4-15--2", "fd00-10-4-15--2"),
        (Endpoint("fd00:10:4:16::"), "fd00-10-4-16--0", "fd00-10-4-16--0"),
        (Endpoint("::1"), "--1", "--1"),
        (Endpoint("::"), "--0", "--0"),
        (Endpoint("FD00:0::1"), "FD00-0--1", "FD00-0--1"),
    ],
)
def test_endpoint_label(endpoint: Endpoint, label: str, with_pods: str) -> None:
    assert endpoint_labels(endpoint, POLICY) == tuple(label.encode().split(b"."))
    assert endpoint_labels(endpoint, POD_NAMES) == tuple(with_pods.encode().split(b"."))


@pytest.mark.parametrize(
    ("count", "weight"),
    [
        (1, 100),
        (2, 50),
        (3, 33),
        (4, 25),
        (6, 16),
        (7, 14),
        (40, 2),
        (50, 2),
        (51, 1),
        (99, 1),
        (100, 1),
        (1000, 1),
    ],
)
def test_weight(count: int, weight: int) -> None:
    endpoints = " ".join(f"10.0.{n >> 8}.{n & 255}" for n in range(count))
    found = ServiceNames(headless("d/s"), [slice_of("d/s", "x", endpoints, "http:80")], POLICY)
    for owner in (b"", names.prefix((b"_http", b"_tcp"))):
        rdatas = found[owner][Type.SRV].rdatas
        assert len(rdatas) == count
        assert {struct.unpack("!HHH", rdata.head) for rdata in rdatas} == {(0, weight, 80)}


def test_every_name_of_a_service() -> None:
    slices = [slice_of("d/s", "x", "10.0.0.1=a 10.0.0.2", "http:80 dns:53/udp :9")]
    found = ServiceNames(headless("d/s"), slices, POLICY)
    assert set(found) == {
        names.prefix(parts)
        for parts in (
            (),
            (b"_tcp",),
            (b"_udp",),
            (b"_http", b"_tcp"),
            (b"_dns", b"_udp"),
            (b"a",),
            (b"10-0-0-2",),
        )
    }


@pytest.mark.parametrize(
    "empty",
    [
        headless("d/s"),
        external("d/s", "10.0.0.1"),
        external("d/s", "fd00::1"),
        external("d/s", ""),
        external("d/s", "."),
        external("d/s", "a..b"),
        external("d/s", "x" * 64),
        external("d/s", "\ud800.example.com"),
    ],
    ids=lambda item: ascii(item.external_name),
)
def test_services_without_any_name(empty: Service) -> None:
    assert dict(ServiceNames(empty, [], POLICY)) == {}


def test_addresses_that_are_none_are_passed_over() -> None:
    """Slices of addressType FQDN, and what nobody can read."""
    slices = [slice_of("d/s", "x", "www.example.com 10.0.0.999 10.0.0.1", "http:80")]
    found = ServiceNames(headless("d/s"), slices, POLICY)
    assert len(found[b""][Type.A].rdatas) == 1
    assert names.prefix((b"www", b"example", b"com")) not in found
    assert (
        dict(ServiceNames(headless("d/s"), [slice_of("d/s", "x", "www.example.com", "http:80")], POLICY))
        == {}
    )


@pytest.mark.parametrize("pod", ["a..b", ".", "a.", ".a", "..", "\ud800"], ids=ascii)
def test_pod_names_that_are_no_name_break_no_name(pod: str) -> None:
    """The API does not look at targetRef.name of a slice: such an endpoint has its address for a label."""
    bad = EndpointSlice(
        key("d/s-x"), "s", (Endpoint("10.0.0.1", pod_name=pod), Endpoint("10.0.0.2", "ok")), ports("h:80")
    )
    found = ServiceNames(headless("d/s"), [bad], POD_NAMES)
    assert found[names.prefix((b"ok",))][Type.A].rdatas[0].head == bytes((10, 0, 0, 2))
    assert found[names.prefix((b"10-0-0-1",))][Type.A].rdatas[0].head == bytes((10, 0, 0, 1))
    for owner, node in found.items():
        assert wire_prefix(owner)
        for rrset in node.values():
            assert all(wire_prefix(name) for rdata in rrset.rdatas for name in rdata.names)
            assert all(wire_prefix(name) for name, _ in rrset.additional)


def wire_prefix(octets: bytes) -> bool:
    """Whether *octets* are whole labels of 1 to 63 octets each."""
    place = 0
    while place < len(octets):
        if not 1 <= octets[place] <= 63:
            return False
        place += 1 + octets[place]
    return place == len(octets)


def test_ignoring_empty_services() -> None:
    ignoring = RecordPolicy(ignore_empty_service=True)
    plain = service("d/s", "10.96.0.1", "http:80")
    assert dict(ServiceNames(plain, [], ignoring)) == {}
    assert b"" in ServiceNames(plain, [slice_of("d/s", "x", "10.0.0.1", "http:80")], ignoring)
    assert b"" in ServiceNames(external("d/s", "a.example.com"), [], ignoring)


def test_a_port_without_number_gives_addresses_and_no_srv() -> None:
    """The API allows it ("all ports"); the slim port has the number -1 (section 4.2)."""
    slice_ = EndpointSlice(
        key("d/x"),
        "s",
        (Endpoint("10.0.0.1"), Endpoint("10.0.0.2")),
        (Port("http", "tcp", -1), Port("", "tcp", 80)),
    )
    found = ServiceNames(headless("d/s"), [slice_], POLICY)
    assert len(found[b""][Type.A].rdatas) == 2
    assert {struct.unpack("!HHH", rdata.head) for rdata in found[b""][Type.SRV].rdatas} == {(0, 25, 80)}
    named = found[names.prefix((b"_http", b"_tcp"))]
    assert (len(named[Type.A].rdatas), Type.SRV in named) == (2, False)


@pytest.mark.parametrize(
    "port", [Port("p" * 63, "tcp", 80), Port("p" * 300, "tcp", 80), Port("http", "t" * 63, 80)]
)
def test_port_names_that_are_no_label_break_no_name(port: Port) -> None:
    slice_ = EndpointSlice(key("d/x"), "s", (Endpoint("10.0.0.1"),), (port,))
    found = ServiceNames(headless("d/s"), [slice_], POLICY)
    assert set(found) == {b"", names.prefix((b"10-0-0-1",))}
    assert Type.SRV in found[b""]


def test_a_change_remakes_only_the_slice_that_changed() -> None:
    first, second = (
        EndpointSlice(key(f"d/{name}"), "s", (Endpoint(address),), ())
        for name, address in (("a", "10.0.0.1"), ("b", "10.0.0.2"))
    )
    before = ServiceNames(headless("d/s"), [first, second], POLICY)
    assert len(before[b""][Type.A].rdatas) == 2
    changed = EndpointSlice(key("d/b"), "s", (Endpoint("10.0.0.3"),), ())
    after = ServiceNames(headless("d/s"), [first, changed], POLICY, before)
    assert [rdata.head[-1] for rdata in after[b""][Type.A].rdatas] == [1, 3]
    assert after.slices_made[first.key] is before.slices_made[first.key]
    assert after.slices_made[changed.key] is not before.slices_made[changed.key]


def test_names_too_long_below_a_zone_are_left_out() -> None:
    found = ServiceNames(
        headless("d/s"), [slice_of("d/s", "x", "10.0.0.1 10.0.0.2=" + "h" * 63, "http:80")], POLICY
    )
    origin = names.from_text(".".join("z" * 60 for _ in range(3)) + ".zone.test.")
    srv = found[b""][Type.SRV]
    shown = srv.records(b"\x01x" + origin, origin)
    assert 0 < len(shown) < len(srv.rdatas)
    assert all(len(name) <= 255 for record in shown for name in record.rdata.names)
    assert len(srv.additional_records(origin)) == len(shown)
