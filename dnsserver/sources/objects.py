"""API objects (services, serviceimports, endpointslices, endpoints, pods, namespaces) to slim objects.

What has to be left out of an object that is otherwise good is told to a `Note` callback; what makes an object
useless is an `ObjectError`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from sys import intern

from dnsserver.sources.structs import (
    ApiObject,
    ApiPort,
    EndpointsObject,
    ImportObject,
    ImportSpec,
    Ingress,
    LoadBalancer,
    NamespaceObject,
    ObjectError,
    PodObject,
    PodStatus,
    Reference,
    ServiceObject,
    ServiceSpec,
    ServiceStatus,
    SliceObject,
    shown,
)
from dnsserver.sources.texts import MAX_LABEL, is_address, is_host_name, is_label, is_port_name
from dnsserver.zone.objects import (
    HEADLESS,
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

#: Greatest port number (RFC 768, RFC 9293).
MAX_PORT = 65_535
#: `Port.number` of an EndpointSlice port without a number ("all ports"): addresses resolve, SRV does not
#: (CoreDNS, object/endpoint.go; cluster-dns-behaviour.md, section 4.2).
NO_PORT_NUMBER = -1
#: Ties an EndpointSlice to its Service (discovery.k8s.io/v1, LabelServiceName).
SERVICE_NAME_LABEL = "kubernetes.io/service-name"
#: Ties an EndpointSlice to its ServiceImport, and says which cluster its endpoints are in (KEP-1645).
IMPORT_NAME_LABEL = "multicluster.kubernetes.io/service-name"
SOURCE_CLUSTER_LABEL = "multicluster.kubernetes.io/source-cluster"
#: spec.type of a ServiceImport without an address of its own.
HEADLESS_IMPORT = "Headless"
#: EndpointSlices of this addressType hold names, which DNS cannot serve as addresses.
FQDN_ADDRESSES = "FQDN"
#: Pods in these phases have no address of their own any more (cluster-dns-behaviour.md, section 13).
FINISHED_PHASES = frozenset({"Succeeded", "Failed", "Unknown"})
#: Characters of a name that notes show.
SHOWN_LENGTH = 80
#: Distinct (name, protocol, number) kept to be shared between objects; a cluster has some hundreds.
SHARED_PORTS = 4_096

#: Told, in one sentence that names the object, what was left out of it.
Note = Callable[[str], None]

#: What the API takes a port without protocol for.
DEFAULT_PROTOCOL = "TCP"
_PROTOCOLS = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp"}
_SERVICE_TYPES = {kind.value: kind for kind in ServiceType}


@dataclass(frozen=True, slots=True)
class SliceParts:
    """What is wanted of EndpointSlices. `own`: those of the cluster's own Services; `imported`: those of
    ServiceImports; `zones`: which topology zone each endpoint is in."""

    own: bool = True
    imported: bool = False
    zones: bool = False


OWN_SLICES = SliceParts()
ALL_PARTS = SliceParts(own=True, imported=True, zones=True)


def slim(obj: ApiObject, note: Note, parts: SliceParts = OWN_SLICES) -> tuple[ClusterObject, ...]:
    """The slim objects that *obj* stands for: one, several (Endpoints), or none (nothing in it for DNS)."""
    match obj:
        case ServiceObject():
            return (service_from(obj, note),)
        case ImportObject():
            return (import_from(obj, note),)
        case SliceObject():
            found = slice_from(obj, note, parts)
            return () if found is None else (found,)
        case EndpointsObject():
            return slices_from_endpoints(obj, note)
        case PodObject():
            pod = pod_from(obj)
            return () if pod is None else (pod,)
        case NamespaceObject():
            return (namespace_from(obj),)
    raise TypeError(f"no slim object for {type(obj).__name__}")


def service_from(obj: ServiceObject, note: Note) -> Service:
    """An address that is none, and a port without a number, are left out and noted.

    ObjectError when its name or namespace is no label: no name could be made of it.
    """
    key, spec = _named(obj), obj.spec or ServiceSpec()
    kind = _SERVICE_TYPES.get(spec.type or "")
    if kind is None:
        kind = ServiceType.UNSET
        note(f"Service {shown(*key)}: spec.type: {spec.type!r} is unknown, so its clusterIPs decide")
    where = f"Service {shown(*key)}: spec"
    inside = _addresses(spec.cluster_ips or [spec.cluster_ip], f"{where}.clusterIPs", note, HEADLESS)
    outside = _addresses(spec.external_ips or (), f"{where}.externalIPs", note)
    ips, hosts = _ingress((obj.status or ServiceStatus()).load_balancer or LoadBalancer(), shown(*key), note)
    ports = _ports(spec.ports, f"{where}.ports", note)
    external = tuple(dict.fromkeys(outside + ips))
    return Service(key, kind, inside, ports, spec.external_name or "", external, hosts)


def _ingress(balancer: LoadBalancer, service: str, note: Note) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Addresses, and the hostnames of those that have no address."""
    stated = [item or Ingress() for item in balancer.ingress or ()]
    texts = [item.ip or item.hostname or "" for item in stated]
    where = f"Service {service}: status.loadBalancer.ingress"
    hosts = tuple(text for text in texts if text and not is_address(text) and is_host_name(text.rstrip(".")))
    return _addresses((text for text in texts if text not in hosts), where, note), hosts


def import_from(obj: ImportObject, note: Note) -> ServiceImport:
    """An address that is none, and a port without a number, are left out and noted.

    ObjectError when its name or namespace is no label: no name could be made of it.
    """
    key, spec = _named(obj), obj.spec or ImportSpec()
    where = f"ServiceImport {shown(*key)}: spec"
    ips = _addresses(spec.ips or (), f"{where}.ips", note)
    return ServiceImport(key, spec.type == HEADLESS_IMPORT, ips, _ports(spec.ports, f"{where}.ports", note))


def _addresses(texts: Iterable[str | None], where: str, note: Note, other: str = "") -> tuple[str, ...]:
    """Those of *texts* that are addresses, or *other*."""
    found = []
    for text in texts:
        if text and (text == other or is_address(text)):
            found.append(text)
        elif text:
            note(f"{where}: {text!r} is no IP address, so it is left out")
    return tuple(found)


def slice_from(obj: SliceObject, note: Note, parts: SliceParts = OWN_SLICES) -> EndpointSlice | None:
    """The ready endpoints of a slice, or None for a slice of names (addressType FQDN)."""
    key = _named(obj, name=False)
    if obj.address_type == FQDN_ADDRESSES:
        return None
    where = f"EndpointSlice {shown(*key)}"
    endpoints: list[Endpoint] = []
    for place, item in enumerate(obj.endpoints or ()):
        if item is None or (item.conditions is not None and item.conditions.ready is False):
            continue
        zone = intern((item.zone or "").lower()) if parts.zones else ""
        at = f"{where}: endpoints[{place}]"
        endpoints += _endpoints(item.addresses, item.hostname, item.target_ref, at, note, zone)
    labels = obj.labels
    service = _owner(labels, SERVICE_NAME_LABEL, where, note) if parts.own else ""
    imported = _owner(labels, IMPORT_NAME_LABEL, where, note) if parts.imported else ""
    cluster = labels.get(SOURCE_CLUSTER_LABEL, "") if imported else ""
    ports = _ports(obj.ports, f"{where}: ports", note, absent=NO_PORT_NUMBER)
    return EndpointSlice(key, service, tuple(endpoints), ports, imported, cluster)


def _owner(labels: Mapping[str, str], label: str, where: str, note: Note) -> str:
    """The Service that *label* ties a slice to; "" for none."""
    service = labels.get(label, "")
    if service and not is_label(service):
        reason = f"{_quoted(service)} is no DNS label, so the slice belongs to no Service"
        note(f"{where}: metadata.labels[{label}]: {reason}")
        return ""
    return service


def slices_from_endpoints(obj: EndpointsObject, note: Note) -> tuple[EndpointSlice, ...]:
    """One slice per subset. The ":" in the names keeps them apart from real slices, which have none."""
    key = _named(obj, name=False)
    service = key.name if is_label(key.name) else ""  # leader elections use any names
    slices = []
    for place, subset in enumerate(obj.subsets or ()):
        where = f"Endpoints {shown(*key)}: subsets[{place}]"
        endpoints: list[Endpoint] = []
        for index, item in enumerate((subset.addresses if subset else None) or ()):
            if item is not None:
                at = f"{where}.addresses[{index}]"
                endpoints += _endpoints([item.ip], item.hostname, item.target_ref, at, note)
        ports = _ports(subset.ports if subset else None, f"{where}.ports", note)
        name = ObjectKey(key.namespace, f"{key.name}:{place}")
        slices.append(EndpointSlice(name, service, tuple(endpoints), ports))
    return tuple(slices)


def pod_from(obj: PodObject) -> Pod | None:
    """None for a pod that has finished: a field selector keeps those from a watch, but not from a dump."""
    key, status = obj.key, obj.status or PodStatus()
    if status.phase in FINISHED_PHASES:
        return None
    terminating = bool(obj.metadata and obj.metadata.deletion_timestamp)
    return Pod(key, status.pod_ip or "", terminating)


def namespace_from(obj: NamespaceObject) -> Namespace:
    return Namespace(_named(obj).name)


def _named(obj: ApiObject, *, name: bool = True) -> ObjectKey:
    """The key of *obj*; ObjectError when its namespace, or its *name*, cannot be a label of a name."""
    key = obj.key
    for field, text in (("name", key.name if name else ""), ("namespace", key.namespace)):
        if text and not is_label(text):
            where = shown(key.namespace[:SHOWN_LENGTH], key.name[:SHOWN_LENGTH])
            raise ObjectError(f"{obj.kind} {where}: metadata.{field}: {_quoted(text)} is no DNS label")
    return key


def _quoted(text: str) -> str:
    return repr(text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}...")


def _endpoints(
    addresses: list[str | None] | None,
    hostname: str | None,
    target: Reference | None,
    where: str,
    note: Note,
    zone: str = "",
) -> list[Endpoint]:
    if hostname and not is_label(hostname):
        note(f"{where}.hostname: {_quoted(hostname)} is no DNS label, so its address names it")
        hostname = ""
    name = (target.name if target else None) or ""
    if len(name) > MAX_LABEL or not is_host_name(name):
        name = ""
    found = []
    for address in addresses or ():
        if address is not None and is_address(address):
            found.append(Endpoint(address, hostname or "", name, zone))
        else:
            note(f"{where}: {address!r} is no IP address, so it is left out")
    return found


def _ports(
    ports: list[ApiPort | None] | None, where: str, note: Note, *, absent: int | None = None
) -> tuple[Port, ...]:
    """*absent* is the number of a port that has none; None leaves such a port out and notes it."""
    found = []
    for place, port in enumerate(ports or ()):
        number = port.port if port else None
        if number is None:
            number = absent
        elif not 0 <= number <= MAX_PORT:
            note(f"{where}[{place}].port: {number} is no port number, so the port is left out")
            continue
        if number is None:
            note(f"{where}[{place}].port is missing, so the port is left out")
            continue
        name, protocol = _port_name(port or ApiPort(), f"{where}[{place}]", note)
        found.append(_shared_port(name, protocol, number))
    return tuple(found)


def _port_name(port: ApiPort, where: str, note: Note) -> tuple[str, str]:
    """Name and protocol; a port of which no `_NAME._PROTOCOL` can be made has no name."""
    name, protocol = port.name or "", port.protocol or DEFAULT_PROTOCOL
    for field, text in (("name", name), ("protocol", protocol)):
        if text and not is_port_name(text):
            note(f"{where}.{field}: {_quoted(text)} is no DNS label, so the port has no name")
            return "", DEFAULT_PROTOCOL
    return name, protocol


@lru_cache(maxsize=SHARED_PORTS)
def _shared_port(name: str, protocol: str, number: int) -> Port:
    """Most objects have one of few ports: one value for all of them saves memory."""
    return Port(name, _PROTOCOLS.get(protocol, protocol.lower()), number)
