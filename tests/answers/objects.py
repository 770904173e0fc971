"""Slim cluster objects from short texts.

An object is "NAMESPACE/NAME". Ports are "NAME:NUMBER/PROTOCOL", TCP unless said, the name empty when unnamed.
Endpoints are "ADDRESS", "ADDRESS=HOSTNAME" or "ADDRESS#POD", with "@ZONE" behind each of them.
"""

from dnsserver.zone.objects import (
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


def key(text: str) -> ObjectKey:
    namespace, _, name = text.partition("/")
    return ObjectKey(namespace, name)


def ports(text: str) -> tuple[Port, ...]:
    found = []
    for word in text.split():
        name, _, rest = word.rpartition(":")
        number, _, protocol = rest.partition("/")
        found.append(Port(name, protocol or "tcp", int(number)))
    return tuple(found)


def service(
    name: str, addresses: str = "", port: str = "", kind: ServiceType = ServiceType.CLUSTER_IP
) -> Service:
    return Service(key(name), kind, tuple(addresses.split()), ports(port))


def headless(name: str, port: str = "") -> Service:
    return service(name, "None", port)


def external(name: str, target: str) -> Service:
    return Service(key(name), ServiceType.EXTERNAL_NAME, external_name=target)


def service_import(name: str, ips: str = "", port: str = "") -> ServiceImport:
    """Headless without *ips*."""
    return ServiceImport(key(name), not ips, tuple(ips.split()), ports(port))


def endpoint(text: str) -> Endpoint:
    text, _, zone = text.partition("@")
    if "=" in text:
        address, _, hostname = text.partition("=")
        return Endpoint(address, hostname, zone=zone)
    address, _, pod = text.partition("#")
    return Endpoint(address, pod_name=pod, zone=zone)


def slice_of(service_name: str, suffix: str, endpoints: str, port: str = "") -> EndpointSlice:
    """A slice that the label ties to *service_name*; its own name is that with *suffix*."""
    found = key(service_name)
    own = ObjectKey(found.namespace, f"{found.name}-{suffix}")
    return EndpointSlice(own, found.name, tuple(map(endpoint, endpoints.split())), ports(port))


def imported_slice(name: str, cluster: str, endpoints: str, port: str = "") -> EndpointSlice:
    """A slice that *cluster* gives for the ServiceImport *name*."""
    found = key(name)
    own = ObjectKey(found.namespace, f"{found.name}-{cluster}")
    made = tuple(map(endpoint, endpoints.split()))
    return EndpointSlice(own, "", made, ports(port), found.name, cluster)


def unlabelled_slice(name: str, endpoints: str, port: str = "") -> EndpointSlice:
    return EndpointSlice(key(name), "", tuple(map(endpoint, endpoints.split())), ports(port))


def pod(name: str, ip: str, *, terminating: bool = False) -> Pod:
    return Pod(key(name), ip, terminating)


def namespaces(names: str) -> tuple[Namespace, ...]:
    return tuple(map(Namespace, names.split()))
