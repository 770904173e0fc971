"""API objects as mappings, as `kubectl get -o json` shows them but for what DNS does not read."""

from collections.abc import Iterable, Mapping
from typing import Any

Obj = dict[str, Any]


def namespace(name: str, labels: Mapping[str, str] | None = None) -> Obj:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels or {})}}


def service(
    name: str,
    cluster_ip: str = "None",
    *,
    namespace: str = "default",
    ports: Iterable[tuple[str, int]] = (("http", 80),),
    labels: Mapping[str, str] | None = None,
    **spec: Any,
) -> Obj:
    """Headless unless *cluster_ip* is given; *spec* adds to the spec or replaces what is in it."""
    wanted = {
        "type": "ClusterIP",
        "clusterIP": cluster_ip,
        "clusterIPs": [cluster_ip],
        "ports": [{"name": port, "port": number, "protocol": "TCP"} for port, number in ports],
        **spec,
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {})},
        "spec": wanted,
    }


def slice_of(
    service: str,
    addresses: Iterable[str],
    *,
    name: str = "",
    namespace: str = "default",
    port: int = 8080,
    labels: Mapping[str, str] | None = None,
) -> Obj:
    """An EndpointSlice of ready endpoints, one per address."""
    found = list(addresses)
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": name or f"{service}-x1",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": service, **(labels or {})},
        },
        "addressType": "IPv6" if found and ":" in found[0] else "IPv4",
        "endpoints": [
            {
                "addresses": [address],
                "conditions": {"ready": True, "serving": True, "terminating": False},
                "nodeName": "node-1",
                "targetRef": {"kind": "Pod", "namespace": namespace, "name": f"{service}-{place}"},
            }
            for place, address in enumerate(found)
        ],
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
    }


def service_import(
    name: str,
    ips: Iterable[str] = (),
    *,
    namespace: str = "default",
    ports: Iterable[tuple[str, int]] = (("http", 80),),
    labels: Mapping[str, str] | None = None,
) -> Obj:
    """Headless unless *ips* are given."""
    listed = list(ips)
    return {
        "apiVersion": "multicluster.x-k8s.io/v1alpha1",
        "kind": "ServiceImport",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {})},
        "spec": {
            "type": "ClusterSetIP" if listed else "Headless",
            "ips": listed,
            "ports": [{"name": port, "port": number, "protocol": "TCP"} for port, number in ports],
        },
    }


def imported_slice(
    service: str, cluster: str, addresses: Iterable[str], *, namespace: str = "default", port: int = 8080
) -> Obj:
    """What *cluster* gives for the ServiceImport *service*; it is of no Service of this cluster."""
    found = slice_of(service, addresses, name=f"{service}-{cluster}", namespace=namespace, port=port)
    found["metadata"]["labels"] = {
        "multicluster.kubernetes.io/service-name": service,
        "multicluster.kubernetes.io/source-cluster": cluster,
    }
    return found


def pod(name: str, ip: str, *, namespace: str = "default", phase: str = "Running") -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {}},
        "spec": {"containers": [{"name": "main", "image": "example/main:1"}]},
        "status": {"phase": phase, "podIP": ip, "podIPs": [{"ip": ip}]},
    }
