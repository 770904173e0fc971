"""What a server itself has of the cluster's objects, as evidence where the whole objects cannot be had."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from dnsserver.explaining.evidence import SERVICE_NAME_LABEL, Evidence, Place, Wanted, Whole
from dnsserver.zone.addresses import is_ip_address
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import EndpointSlice, Feed, ObjectKey, Port, Service


def slim_evidence(state: ClusterState, wanted: Wanted) -> Evidence:
    """Namespaces, Services and EndpointSlices, without the labels and selectors that the server does not keep."""
    return Evidence(tuple(_objects(state, wanted)))


def _objects(state: ClusterState, wanted: Wanted) -> Iterator[Whole]:
    for name in state.namespaces():
        yield Whole(Place("Namespace", "", name), {"metadata": {"name": name}})
    keys = [
        key
        for key in state.keys(Feed.SERVICES)
        if key.namespace == wanted.namespace or (wanted.name and key.name == wanted.name)
    ]
    if wanted.address:
        packed = ip_address(wanted.address).packed if is_ip_address(wanted.address) else b""
        keys += [service.key for service in state.services_at(packed)]
        yield from map(_slice, state.slices_at(packed))
    for key in dict.fromkeys(keys):
        service = state.service(key)
        if service is not None:
            yield _service(service)
            yield from map(_slice, state.slices_of(key))


def _service(service: Service) -> Whole:
    spec: dict[str, Any] = {
        "type": service.type.value,
        "clusterIPs": list(service.cluster_ips),
        "externalName": service.external_name,
        "ports": [_port(port) for port in service.ports],
    }
    return _whole("Service", service.key, {"spec": spec})


def _slice(found: EndpointSlice) -> Whole:
    endpoints = [
        {
            "addresses": [endpoint.address],
            "hostname": endpoint.hostname,
            "targetRef": {"kind": "Pod", "name": endpoint.pod_name},
        }
        for endpoint in found.endpoints
    ]
    value = {"endpoints": endpoints, "ports": [_port(port) for port in found.ports]}
    return _whole("EndpointSlice", found.key, value, {SERVICE_NAME_LABEL: found.service})


def _port(port: Port) -> dict[str, Any]:
    return {"name": port.name, "protocol": port.protocol.upper(), "port": port.number}


def _whole(kind: str, key: ObjectKey, value: dict[str, Any], labels: dict[str, str] | None = None) -> Whole:
    metadata = {"namespace": key.namespace, "name": key.name, "labels": labels or {}}
    return Whole(Place(kind, key.namespace, key.name), {"kind": kind, "metadata": metadata, **value})
