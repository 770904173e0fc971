"""What the API lets through and no name can be made of: left out or left without name, with a note."""

from typing import Any

import pytest

from dnsserver.sources.objects import slim
from dnsserver.sources.structs import ObjectError, from_mapping
from dnsserver.zone.objects import Endpoint, EndpointSlice, ObjectKey, Port, Service
from tests.sources.test_objects import KEY, endpoints_of, made, service_obj, slice_obj


@pytest.mark.parametrize("label", ["a.b", "a b", "-a", "é", "x" * 64, "x" * 100, "\x00", "a_b"])
def test_slice_of_a_service_that_no_name_can_have(label: str) -> None:
    """It belongs to no Service, so its addresses have no names and no PTR records."""
    obj = slice_obj(endpoints=[{"addresses": ["10.0.0.1"]}])
    obj["metadata"] = {**obj["metadata"], "labels": {"kubernetes.io/service-name": label}}
    (found,), notes = made(obj)
    assert found == EndpointSlice(ObjectKey("shop", "web-x1"), "", (Endpoint("10.0.0.1"),))
    quoted = repr(label if len(label) <= 80 else "x" * 80 + "...")
    where = "EndpointSlice shop/web-x1: metadata.labels[kubernetes.io/service-name]"
    assert notes == [f"{where}: {quoted} is no DNS label, so the slice belongs to no Service"]


@pytest.mark.parametrize("name", ["http", "HTTP", "x", "0", "my_port", "_x", "x" * 63])
def test_port_name(name: str) -> None:
    ports = [{"port": 80, "name": name, "protocol": "UDP"}]
    assert made(service_obj({"type": "ClusterIP", "ports": ports})) == (
        (Service(KEY, ports=(Port(name, "udp", 80),)),),
        [],
    )
    (found,), notes = made(slice_obj(ports=ports))
    assert (getattr(found, "ports", ()), notes) == ((Port(name, "udp", 80),), [])


@pytest.mark.parametrize("field", ["name", "protocol"])
@pytest.mark.parametrize("text", ["a.b", "a b", "-a", "a-", "é", "x" * 64, "x" * 300, "\n"])
def test_port_that_no_name_can_be_made_of(text: str, field: str) -> None:
    """The port stays, so that the addresses are served as before."""
    ports = [{"port": 80, "name": "http", "protocol": "TCP", field: text}, {"port": 81, "name": "next"}]
    kept = (Port("", "tcp", 80), Port("next", "tcp", 81))
    quoted = repr(text if len(text) <= 80 else text[:80] + "...")
    (found,), notes = made(service_obj({"type": "ClusterIP", "ports": ports}))
    assert found == Service(KEY, ports=kept)
    where = f"ports[0].{field}: {quoted} is no DNS label, so the port has no name"
    assert notes == [f"Service shop/web: spec.{where}"]
    (found,), notes = made(slice_obj(ports=ports))
    assert getattr(found, "ports", ()) == kept
    assert notes == [f"EndpointSlice shop/web-x1: {where}"]


@pytest.mark.parametrize("name", ["a.b", "web-0", "WEB"])
def test_pod_name_of_labels(name: str) -> None:
    found, _ = endpoints_of({"addresses": ["10.0.0.1"], "targetRef": {"name": name}})
    assert found == (Endpoint("10.0.0.1", "", name),)


@pytest.mark.parametrize("name", ["a..b", ".a", "a.", "a b", "a/b", "-a.b", "é", "a_b"])
def test_pod_name_that_is_no_host_name(name: str) -> None:
    found, notes = endpoints_of({"addresses": ["10.0.0.1"], "targetRef": {"name": name}})
    assert (found, notes) == ((Endpoint("10.0.0.1"),), [])


def named(kind: str, version: str, namespace: str, name: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"namespace": namespace, "name": name}}


UNUSABLE: tuple[tuple[dict[str, Any], str], ...] = (
    (named("Service", "v1", "shop", "a.b"), "Service shop/a.b: metadata.name: 'a.b'"),
    (named("Service", "v1", "a b", "web"), "Service a b/web: metadata.namespace: 'a b'"),
    (
        named("Service", "v1", "shop", "x" * 100),
        f"Service shop/{'x' * 80}: metadata.name: '{'x' * 80}...'",
    ),
    (named("Namespace", "v1", "", "-a"), "Namespace -a: metadata.name: '-a'"),
    (
        named("EndpointSlice", "discovery.k8s.io/v1", "a.b", "web.x1"),
        "EndpointSlice a.b/web.x1: metadata.namespace: 'a.b'",
    ),
    (named("Endpoints", "v1", "a.b", "web"), "Endpoints a.b/web: metadata.namespace: 'a.b'"),
)


@pytest.mark.parametrize(("obj", "says"), UNUSABLE, ids=[says for _, says in UNUSABLE])
def test_object_whose_name_is_no_label(obj: dict[str, Any], says: str) -> None:
    value = from_mapping(obj)
    assert value is not None
    with pytest.raises(ObjectError) as caught:
        slim(value, pytest.fail)
    assert str(caught.value) == f"{says} is no DNS label"


def test_endpoints_of_a_leader_election_belong_to_no_service() -> None:
    obj = {**named("Endpoints", "v1", "shop", "lock.example.org"), "subsets": [{}]}
    assert made(obj) == ((EndpointSlice(ObjectKey("shop", "lock.example.org:0"), ""),), [])
