"""Causes that lie in the ports of a Service."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dnsserver.explaining import fields
from dnsserver.explaining.cause import Cause
from dnsserver.explaining.evidence import Evidence, Whole
from dnsserver.explaining.nearest import nearest, suggestion
from dnsserver.explaining.pods import finished
from dnsserver.explaining.served import Served
from dnsserver.explaining.services import is_headless, is_ready, selects

#: What the API takes a port without protocol for.
DEFAULT_PROTOCOL = "TCP"


@dataclass(frozen=True, slots=True)
class NamedPort:
    """A port of a Service or of an EndpointSlice; `protocol` is in lower case, `name` "" for none."""

    name: str
    protocol: str
    number: int | None


def ports_of(value: Mapping[str, object], *path: str) -> Iterator[NamedPort]:
    """The ports in the list at *path*."""
    for port in fields.items(value, *path):
        protocol = fields.text(port, "protocol") or DEFAULT_PROTOCOL
        yield NamedPort(fields.text(port, "name"), protocol.lower(), fields.number(port, "port"))


def served_ports(service: Whole, evidence: Evidence, served: Served) -> tuple[NamedPort, ...]:
    """Those that names are made of: of a headless Service the ports of slices with ready endpoints."""
    if not is_headless(service):
        return tuple(ports_of(service.value, "spec", "ports"))
    found = [
        port
        for each in evidence.slices_of(service)
        if served.shows(each) and any(map(is_ready, fields.items(each.value, "endpoints")))
        for port in ports_of(each.value, "ports")
    ]
    return tuple(dict.fromkeys(found))


def wrong_port(name: str, protocol: str, service: Whole, evidence: Evidence, served: Served) -> Cause | None:
    """Why `_name._protocol` is no name below *service*; None when it is one, or the Service has none for another
    reason."""
    ports = served_ports(service, evidence, served)
    if any((port.name.lower(), port.protocol) == (name, protocol) for port in ports):
        return None
    asked = f"_{name}._{protocol}"
    others = [port.protocol for port in ports if port.name.lower() == name]
    if others:
        return Cause(
            "wrong-protocol",
            f"Port {name} of {service.place} is {others[0].upper()}, not {protocol.upper()}.",
            (service.place,),
            f"Ask for _{name}._{others[0]}, or add a port of this name and protocol to the Service.",
        )
    if any((port.name.lower(), port.protocol) == (protocol, name) for port in ports):
        return Cause(
            "port-and-protocol-swapped",
            f"The port's name comes first, then its protocol: _{protocol}._{name}, not {asked}.",
            (service.place,),
            f"Ask for _{protocol}._{name}.",
        )
    return (
        target_port_missing(service, evidence, name)
        or _unnamed(name, service, ports)
        or _no_such_port(asked, name, service, ports)
    )


def _unnamed(name: str, service: Whole, ports: Sequence[NamedPort]) -> Cause | None:
    unnamed = [port for port in ports if not port.name]
    if not unnamed or len(unnamed) != len(ports):
        return None
    return Cause(
        "port-without-name",
        f"{service.place} has one port, {unnamed[0].number}, without a name: only ports with a name have SRV names.",
        (service.place,),
        f"Give the port a name in the Service (name: {name}).",
    )


def _no_such_port(asked: str, name: str, service: Whole, ports: Sequence[NamedPort]) -> Cause:
    named = [port for port in ports if port.name]
    listed = ", ".join(f"_{port.name}._{port.protocol}" for port in named) or "none with a name"
    close = suggestion(nearest(name, (port.name for port in named)))
    return Cause(
        "no-such-port",
        f"{service.place} has no port {asked}. Its ports: {listed}.",
        (service.place,),
        close or "Ask for one of them, or give the port this name in the Service.",
    )


def target_port_missing(service: Whole, evidence: Evidence, name: str | None = None) -> Cause | None:
    """A port of *service* (the one called *name*, where that is given) whose targetPort is a name that none of its pods
    has: it is in no EndpointSlice, so no name is made of it, and no connection gets anywhere."""
    for port in fields.items(service.value, "spec", "ports"):
        target = fields.text(port, "targetPort")
        own = fields.text(port, "name")
        if not target or (name is not None and own.lower() != name):
            continue
        pods = [pod for pod in evidence.of("Pod", service.namespace) if selected(service, pod)]
        protocol = fields.text(port, "protocol") or DEFAULT_PROTOCOL
        if not pods or any((target, protocol) in container_ports(pod) for pod in pods):
            continue
        known = dict.fromkeys(found for pod in pods for found, _ in container_ports(pod))
        return Cause(
            "target-port-missing",
            f"Port {own or fields.number(port, 'port')} of {service.place} has targetPort {target}, which no"
            f" container of {pods[0].place} has. Named ports there: {', '.join(known) or 'none'}.",
            (service.place, *pods[0].place.origin, pods[0].place),
            suggestion(nearest(target, known))
            or "Name the container's port so, or write the number as targetPort.",
        )
    return None


def selected(service: Whole, pod: Whole) -> bool:
    """Whether *pod* is one that counts for the ports of *service*."""
    return (
        bool(fields.labels(service.value, "spec", "selector")) and selects(service, pod) and not finished(pod)
    )


def container_ports(pod: Whole) -> set[tuple[str, str]]:
    """Name and protocol of the containers' named ports, sidecars among them."""
    containers = [*fields.items(pod.value, "spec", "containers")]
    for container in fields.items(pod.value, "spec", "initContainers"):
        if fields.text(container, "restartPolicy") == "Always":
            containers.append(container)
    return {
        (fields.text(port, "name"), fields.text(port, "protocol") or DEFAULT_PROTOCOL)
        for container in containers
        for port in fields.items(container, "ports")
        if fields.text(port, "name")
    }
