"""API objects to slim objects: what is kept, what is tolerated, what is left out, and in what words."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from dnsserver.sources.objects import (
    ALL_PARTS,
    NO_PORT_NUMBER,
    SliceParts,
    namespace_from,
    pod_from,
    service_from,
    slice_from,
    slim,
)
from dnsserver.sources.structs import (
    KINDS,
    NamespaceObject,
    ObjectError,
    PodObject,
    ServiceObject,
    SliceObject,
    decode,
    from_mapping,
)
from dnsserver.sources.texts import is_address, is_label
from dnsserver.zone.objects import (
    ClusterObject,
    Endpoint,
    EndpointSlice,
    Namespace,
    ObjectKey,
    Pod,
    Port,
    Service,
    ServiceImport,
    ServiceType,
)

KEY = ObjectKey("shop", "web")


def made(obj: dict[str, Any]) -> tuple[tuple[ClusterObject, ...], list[str]]:
    """Slim objects and notes, the same by both ways in."""
    notes: list[str] = []
    value = from_mapping(obj)
    assert value is not None
    found = slim(value, notes.append)
    kind = KINDS[obj["apiVersion"], obj["kind"]]
    again: list[str] = []
    assert slim(decode(kind, msgspec.json.encode(obj)), again.append) == found
    assert again == notes
    return found, notes


def service_obj(spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": spec,
    }


def slice_obj(**fields: Any) -> dict[str, Any]:
    metadata = {
        "name": "web-x1",
        "namespace": "shop",
        "labels": {"kubernetes.io/service-name": "web", "x": None},
    }
    found = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata}
    return {**found, "addressType": "IPv4", **fields}


SERVICES: tuple[tuple[Any, Service], ...] = (
    (None, Service(KEY, ServiceType.UNSET)),
    ({}, Service(KEY, ServiceType.UNSET)),
    (
        {
            "type": "ClusterIP",
            "clusterIP": "10.96.0.1",
            "clusterIPs": ["10.96.0.1", "fd00::1"],
            "ports": None,
        },
        Service(KEY, cluster_ips=("10.96.0.1", "fd00::1")),
    ),
    ({"type": "NodePort", "clusterIP": "10.96.0.1"}, Service(KEY, ServiceType.NODE_PORT, ("10.96.0.1",))),
    (
        {"type": "LoadBalancer", "clusterIPs": None, "clusterIP": "10.96.0.1"},
        Service(KEY, ServiceType.LOAD_BALANCER, ("10.96.0.1",)),
    ),
    ({"type": "ClusterIP", "clusterIPs": ["None"]}, Service(KEY, cluster_ips=("None",))),
    (
        {"type": "ExternalName", "externalName": "db.example.com.", "clusterIP": ""},
        Service(KEY, ServiceType.EXTERNAL_NAME, external_name="db.example.com."),
    ),
    (
        {
            "type": "ClusterIP",
            "ports": [
                {"port": 53, "protocol": "UDP", "name": "dns", "targetPort": "x"},
                {"port": 80, "protocol": None, "name": None},
                {"port": 5, "protocol": "SCTP"},
            ],
        },
        Service(KEY, ports=(Port("dns", "udp", 53), Port("", "tcp", 80), Port("", "sctp", 5))),
    ),
)


@pytest.mark.parametrize(("spec", "service"), SERVICES)
def test_service(spec: Any, service: Service) -> None:
    assert made(service_obj(spec)) == ((service,), [])


def test_service_with_bad_values() -> None:
    spec = {
        "type": "Magic",
        "clusterIPs": ["10.96.0.1", "10.96.0.256", None],
        "ports": [{"name": "none"}, {"port": 70_000}, None, {"port": 1}],
    }
    (found,), notes = made(service_obj(spec))
    assert found == Service(KEY, ServiceType.UNSET, ("10.96.0.1",), (Port("", "tcp", 1),))
    assert notes == [
        "Service shop/web: spec.type: 'Magic' is unknown, so its clusterIPs decide",
        "Service shop/web: spec.clusterIPs: '10.96.0.256' is no IP address, so it is left out",
        "Service shop/web: spec.ports[0].port is missing, so the port is left out",
        "Service shop/web: spec.ports[1].port: 70000 is no port number, so the port is left out",
        "Service shop/web: spec.ports[2].port is missing, so the port is left out",
    ]


def endpoints_of(*items: Any) -> tuple[tuple[Endpoint, ...], list[str]]:
    (found,), notes = made(slice_obj(endpoints=list(items)))
    assert isinstance(found, EndpointSlice)
    return found.endpoints, notes


READY: tuple[tuple[Any, bool], ...] = (
    ({}, True),
    ({"conditions": None}, True),
    ({"conditions": {}}, True),
    ({"conditions": {"ready": None}}, True),
    ({"conditions": {"ready": True, "serving": False}}, True),
    ({"conditions": {"ready": False, "serving": True, "terminating": True}}, False),
)


@pytest.mark.parametrize(("fields", "ready"), READY)
def test_ready(fields: dict[str, Any], ready: bool) -> None:
    found, notes = endpoints_of({"addresses": ["10.0.0.1"], **fields})
    assert (len(found), notes) == (1 if ready else 0, [])


def test_endpoint_with_several_addresses() -> None:
    found, _ = endpoints_of({"addresses": ["10.0.0.1", "10.0.0.2"], "hostname": "db-0"})
    assert found == (Endpoint("10.0.0.1", "db-0"), Endpoint("10.0.0.2", "db-0"))


def test_pod_name_must_be_shorter_than_64() -> None:
    found, notes = endpoints_of(
        {"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": "p" * 63}},
        {"addresses": ["10.0.0.2"], "targetRef": {"kind": "Pod", "name": "p" * 64}},
        {"addresses": ["10.0.0.3"], "targetRef": {"name": None}},
        {"addresses": ["10.0.0.4"], "targetRef": None},
    )
    assert [item.pod_name for item in found] == ["p" * 63, "", "", ""]
    assert notes == []


def test_null_endpoints_and_addresses() -> None:
    assert endpoints_of(None, {"addresses": None}, {"addresses": []}) == ((), [])
    assert made(slice_obj(endpoints=None, ports=None)) == (
        (EndpointSlice(ObjectKey("shop", "web-x1"), "web"),),
        [],
    )


BAD_ADDRESSES = (
    "10.0.0.300",
    "10.0.0",
    "010.0.0.1",
    "fe80::1%eth0",
    "::g",
    "web",
    "",
    "1\x00",
    "１.1.1.1",
    None,
)


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_address_that_is_none(address: Any) -> None:
    found, notes = endpoints_of({"addresses": ["10.0.0.1", address]})
    assert found == (Endpoint("10.0.0.1"),)
    assert notes == [
        f"EndpointSlice shop/web-x1: endpoints[0]: {address!r} is no IP address, so it is left out"
    ]


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "255.1.2.3", "::", "fd00::1", "fd00:0:0:0:0:0:0:1", "::ffff:10.0.0.1"]
)
def test_address_keeps_its_spelling(address: str) -> None:
    assert is_address(address)
    assert endpoints_of({"addresses": [address]}) == ((Endpoint(address),), [])


@pytest.mark.parametrize("name", ["a", "0", "db-0", "DB", "x" * 63])
def test_hostname(name: str) -> None:
    assert is_label(name)
    assert endpoints_of({"addresses": ["10.0.0.1"], "hostname": name})[0] == (Endpoint("10.0.0.1", name),)


@pytest.mark.parametrize("name", ["-a", "a-", "a.b", "a_b", "x" * 64, "é", "a b"])
def test_hostname_that_is_no_label(name: str) -> None:
    found, notes = endpoints_of({"addresses": ["10.0.0.1"], "hostname": name})
    assert found == (Endpoint("10.0.0.1"),)
    where = "EndpointSlice shop/web-x1: endpoints[0].hostname"
    assert notes == [f"{where}: {name!r} is no DNS label, so its address names it"]


def test_slice_ports() -> None:
    """A port without number stands for all ports: CoreDNS makes it -1, and so do we."""
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "any", "port": None}, {}]
    (found,), notes = made(slice_obj(ports=ports))
    assert isinstance(found, EndpointSlice)
    assert found.ports == (
        Port("http", "tcp", 80),
        Port("any", "tcp", NO_PORT_NUMBER),
        Port("", "tcp", NO_PORT_NUMBER),
    )
    assert notes == []


def test_slice_of_names_is_ignored() -> None:
    assert made(slice_obj(addressType="FQDN", endpoints=[{"addresses": ["db.example.com"]}])) == ((), [])


def test_slice_without_label_belongs_to_no_service() -> None:
    (found,), _ = made({**slice_obj(), "metadata": {"name": "web-x1", "namespace": "shop", "labels": None}})
    assert isinstance(found, EndpointSlice)
    assert found.service == ""


def test_endpoints_become_one_slice_per_subset() -> None:
    obj = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "web", "namespace": "shop"},
        "subsets": [
            {
                "addresses": [
                    {"ip": "10.0.0.1", "hostname": "db-0", "targetRef": {"name": "pod-0"}},
                    {"ip": "bad"},
                    None,
                ],
                "notReadyAddresses": [{"ip": "10.0.0.9"}],
                "ports": [{"port": 80}],
            },
            None,
            {"addresses": [{"ip": "10.0.0.2"}]},
        ],
    }
    found, notes = made(obj)
    assert found == (
        EndpointSlice(
            ObjectKey("shop", "web:0"),
            "web",
            (Endpoint("10.0.0.1", "db-0", "pod-0"),),
            (Port("", "tcp", 80),),
        ),
        EndpointSlice(ObjectKey("shop", "web:1"), "web"),
        EndpointSlice(ObjectKey("shop", "web:2"), "web", (Endpoint("10.0.0.2"),)),
    )
    assert notes == ["Endpoints shop/web: subsets[0].addresses[1]: 'bad' is no IP address, so it is left out"]
    assert made({**obj, "subsets": None}) == ((), [])


def pod_obj(status: Any, **metadata: Any) -> dict[str, Any]:
    head = {"name": "web", "namespace": "shop", **metadata}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": head, "status": status}


PODS: tuple[tuple[dict[str, Any], tuple[Pod, ...]], ...] = (
    (pod_obj({"phase": "Running", "podIP": "10.0.0.1"}), (Pod(KEY, "10.0.0.1"),)),
    (pod_obj({"phase": "Pending"}), (Pod(KEY, ""),)),
    (pod_obj(None), (Pod(KEY, ""),)),
    (pod_obj({"podIP": "10.0.0.1"}, deletionTimestamp="2025-01-01T00:00:00Z"), (Pod(KEY, "10.0.0.1", True),)),
    (pod_obj({"podIP": "10.0.0.1"}, deletionTimestamp=None), (Pod(KEY, "10.0.0.1"),)),
    (pod_obj({"phase": "Succeeded", "podIP": "10.0.0.1"}), ()),
    (pod_obj({"phase": "Failed"}), ()),
    (pod_obj({"phase": "Unknown"}), ()),
)


@pytest.mark.parametrize(("obj", "pods"), PODS)
def test_pod(obj: dict[str, Any], pods: tuple[Pod, ...]) -> None:
    assert made(obj) == (pods, [])


def test_yaml_dates_are_taken() -> None:
    value = from_mapping(pod_obj({"podIP": "10.0.0.1"}, deletionTimestamp=datetime(2025, 1, 1, tzinfo=UTC)))
    assert isinstance(value, PodObject)
    assert pod_from(value) == Pod(KEY, "10.0.0.1", True)


def test_namespace() -> None:
    obj = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop"},
        "status": {"phase": "Active"},
    }
    assert made(obj) == ((Namespace("shop"),), [])
    value = from_mapping(obj, "default")
    assert isinstance(value, NamespaceObject)
    assert namespace_from(value) == Namespace("shop")


def test_other_kinds_are_none_of_ours() -> None:
    for version, kind in (
        ("apps/v1", "Deployment"),
        ("v1", "Secret"),
        ("discovery.k8s.io/v1beta1", "EndpointSlice"),
    ):
        assert from_mapping({"apiVersion": version, "kind": kind, "metadata": 7}) is None
    assert from_mapping({}) is None


def test_namespace_for_objects_that_name_none() -> None:
    value = from_mapping({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}, "shop")
    assert isinstance(value, ServiceObject)
    assert service_from(value, pytest.fail).key == KEY
    assert value.labels == {}


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    (
        service_obj({"ports": [{"port": "80"}]}),
        "Service shop/web: spec.ports[0].port: Expected int | null, got str",
    ),
    (service_obj([]), "Service shop/web: spec: Expected object | null, got array"),
    ({**service_obj({}), "metadata": 7}, "Service ?: metadata: Expected object | null, got int"),
    (slice_obj(endpoints={}), "EndpointSlice shop/web-x1: endpoints: Expected array | null, got object"),
    (
        slice_obj(endpoints=[{"conditions": {"ready": "yes"}}]),
        "EndpointSlice shop/web-x1: endpoints[0].conditions.ready: Expected bool | null, got str",
    ),
)


@pytest.mark.parametrize(("obj", "says"), REFUSED)
def test_wrong_types_are_refused_by_both_ways_in(obj: dict[str, Any], says: str) -> None:
    with pytest.raises(ObjectError) as caught:
        from_mapping(obj)
    assert str(caught.value) == says
    with pytest.raises(ObjectError) as caught:
        decode(KINDS[obj["apiVersion"], obj["kind"]], msgspec.json.encode(obj))
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        (None, "EndpointSlice ?: metadata.name is missing"),
        ({"namespace": "shop"}, "EndpointSlice shop/?: metadata.name is missing"),
        ({"name": "web"}, "EndpointSlice web: metadata.namespace is missing"),
    ],
)
def test_missing_identity(metadata: Any, says: str) -> None:
    value = decode(SliceObject, msgspec.json.encode({"metadata": metadata}))
    with pytest.raises(ObjectError) as caught:
        slice_from(value, pytest.fail)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    "octets", [b"", b"{", b"\xff", b'{"metadata":{"name":"\xff"}}', b"[]", b"<html>", b'"\\ud800"']
)
def test_octets_that_are_no_object(octets: bytes) -> None:
    with pytest.raises(ObjectError, match=r"^Service"):
        decode(ServiceObject, octets)


def test_equal_ports_are_one_value() -> None:
    (one,), _ = made(service_obj({"ports": [{"port": 80, "name": "http"}]}))
    (two,), _ = made(service_obj({"ports": [{"port": 80, "name": "http"}]}))
    assert isinstance(one, Service)
    assert isinstance(two, Service)
    assert one.ports[0] is two.ports[0]


def external_obj(spec: dict[str, Any], *ingress: Any) -> dict[str, Any]:
    return {**service_obj(spec), "status": {"loadBalancer": {"ingress": list(ingress)}}}


@pytest.mark.parametrize(
    ("obj", "ips", "hosts"),
    [
        (external_obj({"externalIPs": ["203.0.113.1", "2001:db8::1"]}), ("203.0.113.1", "2001:db8::1"), ()),
        (external_obj({}, {"ip": "203.0.113.1"}, {"ip": "203.0.113.2"}), ("203.0.113.1", "203.0.113.2"), ()),
        (external_obj({}, {"hostname": "lb.example."}, None, {}), (), ("lb.example.",)),
        (external_obj({}, {"ip": "203.0.113.1", "hostname": "lb.example"}), ("203.0.113.1",), ()),
        (external_obj({}, {"hostname": "203.0.113.1"}), ("203.0.113.1",), ()),
        (
            external_obj({"externalIPs": ["203.0.113.1", None]}, {"ip": "203.0.113.1"}, {"hostname": "lb"}),
            ("203.0.113.1",),
            ("lb",),
        ),
        ({**service_obj({}), "status": None}, (), ()),
        ({**service_obj({}), "status": {"loadBalancer": None}}, (), ()),
    ],
)
def test_addresses_outside(obj: dict[str, Any], ips: tuple[str, ...], hosts: tuple[str, ...]) -> None:
    (found,), _ = made(obj)
    assert isinstance(found, Service)
    assert (found.external_ips, found.external_hosts) == (ips, hosts)


def test_addresses_outside_that_are_none() -> None:
    (found,), notes = made(external_obj({"externalIPs": ["x y"]}, {"hostname": "a..b"}))
    assert isinstance(found, Service)
    assert (found.external_ips, found.external_hosts) == ((), ())
    assert notes[-2:] == [
        "Service shop/web: spec.externalIPs: 'x y' is no IP address, so it is left out",
        "Service shop/web: status.loadBalancer.ingress: 'a..b' is no IP address, so it is left out",
    ]


def import_obj(spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "multicluster.x-k8s.io/v1alpha1",
        "kind": "ServiceImport",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": spec,
    }


def test_service_imports() -> None:
    stated = {
        "type": "ClusterSetIP",
        "ips": ["10.112.0.1", None],
        "ports": [{"name": "http", "port": 80, "protocol": "TCP", "appProtocol": "x"}],
    }
    ports = (Port("http", "tcp", 80),)
    assert made(import_obj(stated)) == ((ServiceImport(KEY, False, ("10.112.0.1",), ports),), [])
    assert made(import_obj({"type": "Headless"})) == ((ServiceImport(KEY, True),), [])
    assert made(import_obj(None)) == ((ServiceImport(KEY),), [])
    found, notes = made(import_obj({"ips": ["no"]}))
    assert found == (ServiceImport(KEY),)
    assert notes == ["ServiceImport shop/web: spec.ips: 'no' is no IP address, so it is left out"]


def test_parts_of_slices() -> None:
    labels = {
        "kubernetes.io/service-name": "web",
        "multicluster.kubernetes.io/service-name": "shared",
        "multicluster.kubernetes.io/source-cluster": "East",
    }
    obj = slice_obj(endpoints=[{"addresses": ["10.0.0.1"], "zone": "EU-1a"}])
    obj["metadata"] = {**obj["metadata"], "labels": labels}
    value = from_mapping(obj)
    assert isinstance(value, SliceObject)
    own, key = Endpoint("10.0.0.1"), ObjectKey("shop", "web-x1")
    notes: list[str] = []
    assert slice_from(value, notes.append) == EndpointSlice(key, "web", (own,))
    assert slice_from(value, notes.append, ALL_PARTS) == EndpointSlice(
        key, "web", (Endpoint("10.0.0.1", zone="eu-1a"),), (), "shared", "East"
    )
    imported = SliceParts(own=False, imported=True)
    assert slice_from(value, notes.append, imported) == EndpointSlice(key, "", (own,), (), "shared", "East")
    assert notes == []
