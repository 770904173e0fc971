"""API objects (services, endpointslices, endpoints, pods, namespaces) to slim objects [msgspec].

The structs hold what DNS needs and no more; msgspec skips all other fields while it reads. They are as
tolerant as CoreDNS's decoder: missing fields, null for any value, unknown fields (cluster-dns-behaviour.md,
sections 4 and 13).

Octets of the API (`decode`) or a plain mapping (`from_mapping`) give an `ApiObject`; `slim` turns that into
slim objects. What has to be left out of an object that is otherwise good is told to a `Note` callback; what
makes an object useless is an `ObjectError`.
"""

import socket
from collections.abc import Callable, Mapping
from functools import lru_cache
from sys import intern
from typing import Any, ClassVar, TypeVar

import msgspec

from dnsserver.zone.objects import (
    ClusterObject,
    Endpoint,
    EndpointSlice,
    Feed,
    Namespace,
    ObjectKey,
    Pod,
    Port,
    Service,
    ServiceType,
)

#: Octets. Longest label of a name (RFC 1035 §2.3.4).
MAX_LABEL = 63
#: Greatest port number (RFC 768, RFC 9293).
MAX_PORT = 65_535
#: `Port.number` of an EndpointSlice port without a number ("all ports"): addresses resolve, SRV does not
#: (CoreDNS, object/endpoint.go; cluster-dns-behaviour.md, section 4.2).
NO_PORT_NUMBER = -1
#: Ties an EndpointSlice to its Service (discovery.k8s.io/v1, LabelServiceName).
SERVICE_NAME_LABEL = "kubernetes.io/service-name"
#: EndpointSlices of this addressType hold names, which DNS cannot serve as addresses.
FQDN_ADDRESSES = "FQDN"
#: Pods in these phases have no address of their own any more (cluster-dns-behaviour.md, section 13).
FINISHED_PHASES = frozenset({"Succeeded", "Failed", "Unknown"})
#: Distinct (name, protocol, number) kept to be shared between objects; a cluster has some hundreds.
SHARED_PORTS = 4_096

#: Told, in one sentence that names the object, what was left out of it.
Note = Callable[[str], None]

_PROTOCOLS = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp"}
_SERVICE_TYPES = {kind.value: kind for kind in ServiceType}
_LABEL_OCTETS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


class ObjectError(ValueError):
    """An API object that cannot be used; the text names kind, namespace/name, field, and what is wrong."""


class Struct(msgspec.Struct, rename="camel", gc=False):
    """gc=False: these trees hold no cycles and live for one conversion."""


class Meta(Struct):
    name: str | None = None
    namespace: str | None = None
    labels: dict[str, str | None] | None = None
    resource_version: str | None = None
    deletion_timestamp: Any = None
    """Text in JSON; YAML makes it a date. Only whether it is set counts."""


class ApiObject(Struct):
    """What all kinds share; `kind` is the API's spelling."""

    kind: ClassVar[str] = "object"
    namespaced: ClassVar[bool] = True

    metadata: Meta | None = None

    @property
    def labels(self) -> dict[str, str]:
        """metadata.labels, never null."""
        found = self.metadata.labels if self.metadata else None
        return {key: value or "" for key, value in (found or {}).items()}

    @property
    def resource_version(self) -> str:
        return (self.metadata.resource_version if self.metadata else None) or ""

    @property
    def key(self) -> ObjectKey:
        """Identity, or an ObjectError that names the missing field."""
        meta = self.metadata or Meta()
        name, namespace = meta.name or "", meta.namespace or ""
        if not name:
            raise ObjectError(f"{self.kind} {_shown(namespace, name)}: metadata.name is missing")
        if not self.namespaced:
            return ObjectKey("", name)
        if not namespace:
            raise ObjectError(f"{self.kind} {name}: metadata.namespace is missing")
        return ObjectKey(intern(namespace), name)


class ApiPort(Struct):
    name: str | None = None
    protocol: str | None = None
    port: int | None = None


class ServiceSpec(Struct):
    type: str | None = None
    cluster_ip: str | None = msgspec.field(default=None, name="clusterIP")
    cluster_ips: list[str | None] | None = msgspec.field(default=None, name="clusterIPs")
    external_name: str | None = None
    ports: list[ApiPort | None] | None = None


class ServiceObject(ApiObject):
    kind: ClassVar[str] = "Service"
    spec: ServiceSpec | None = None


class Conditions(Struct):
    ready: bool | None = None


class Reference(Struct):
    name: str | None = None


class SliceEndpoint(Struct):
    addresses: list[str | None] | None = None
    conditions: Conditions | None = None
    hostname: str | None = None
    target_ref: Reference | None = None


class SliceObject(ApiObject):
    kind: ClassVar[str] = "EndpointSlice"
    address_type: str | None = None
    endpoints: list[SliceEndpoint | None] | None = None
    ports: list[ApiPort | None] | None = None


class SubsetAddress(Struct):
    ip: str | None = None
    hostname: str | None = None
    target_ref: Reference | None = None


class Subset(Struct):
    """notReadyAddresses are not read: not ready is not served."""

    addresses: list[SubsetAddress | None] | None = None
    ports: list[ApiPort | None] | None = None


class EndpointsObject(ApiObject):
    kind: ClassVar[str] = "Endpoints"
    subsets: list[Subset | None] | None = None


class PodStatus(Struct):
    phase: str | None = None
    pod_ip: str | None = msgspec.field(default=None, name="podIP")


class PodObject(ApiObject):
    kind: ClassVar[str] = "Pod"
    status: PodStatus | None = None


class NamespaceObject(ApiObject):
    kind: ClassVar[str] = "Namespace"
    namespaced: ClassVar[bool] = False


#: apiVersion and kind of all that DNS reads.
KINDS: Mapping[tuple[str, str], type[ApiObject]] = {
    ("v1", "Service"): ServiceObject,
    ("discovery.k8s.io/v1", "EndpointSlice"): SliceObject,
    ("v1", "Endpoints"): EndpointsObject,
    ("v1", "Pod"): PodObject,
    ("v1", "Namespace"): NamespaceObject,
}

#: The kind that each feed lists and watches.
KIND_OF_FEED: Mapping[Feed, type[ApiObject]] = {
    Feed.SERVICES: ServiceObject,
    Feed.ENDPOINT_SLICES: SliceObject,
    Feed.PODS: PodObject,
    Feed.NAMESPACES: NamespaceObject,
}


class _Identity(Struct):
    metadata: Meta | None = None


_IDENTITY = msgspec.json.Decoder(_Identity)
_DECODERS = {kind: msgspec.json.Decoder(kind) for kind in KINDS.values()}

Kind = TypeVar("Kind", bound=ApiObject)


def decode(kind: type[Kind], raw: bytes | msgspec.Raw) -> Kind:
    """One object; an ObjectError names it as far as its metadata can be read."""
    try:
        found = _DECODERS[kind].decode(raw)
    except msgspec.MsgspecError as error:
        raise ObjectError(f"{kind.kind} {_name_in(raw)}: {wrong(error)}") from error
    except UnicodeDecodeError as error:
        raise ObjectError(f"{kind.kind}: not UTF-8: {error}") from error
    assert isinstance(found, kind)
    return found


def _name_in(raw: bytes | msgspec.Raw) -> str:
    try:
        meta = _IDENTITY.decode(raw).metadata or Meta()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "?"
    return _shown(meta.namespace, meta.name)


def from_mapping(obj: Mapping[str, Any], namespace: str = "") -> ApiObject | None:
    """A mapping with apiVersion and kind (parsed YAML) to its struct; None for a kind that DNS does not read.

    *namespace* is used for a namespaced object that names none.
    """
    found = KINDS.get((str(obj.get("apiVersion") or ""), str(obj.get("kind") or "")))
    if found is None:
        return None
    try:
        value = msgspec.convert(dict(obj), found)
    except msgspec.MsgspecError as error:
        metadata = obj.get("metadata")
        meta = metadata if isinstance(metadata, Mapping) else {}
        shown = _shown(meta.get("namespace") or namespace, meta.get("name"))
        raise ObjectError(f"{found.kind} {shown}: {wrong(error)}") from error
    if value.namespaced and value.metadata and not value.metadata.namespace:
        value.metadata.namespace = namespace
    return value


def _shown(namespace: object, name: object) -> str:
    return f"{namespace}/{name or '?'}" if namespace else str(name or "?")


def wrong(error: msgspec.MsgspecError) -> str:
    """msgspec's text "Expected `int`, got `str` - at `$.spec.ports[0].port`" with the field first."""
    what, _, where = str(error).replace("`", "").partition(" - at ")
    return f"{where.removeprefix('$').removeprefix('.')}: {what}" if where.strip("$") else what


def slim(obj: ApiObject, note: Note) -> tuple[ClusterObject, ...]:
    """The slim objects that *obj* stands for: one, several (Endpoints), or none (nothing in it for DNS)."""
    match obj:
        case ServiceObject():
            return (service_from(obj, note),)
        case SliceObject():
            found = slice_from(obj, note)
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
    """A clusterIP that is no address, and a port without a number, are left out and noted."""
    key, spec = obj.key, obj.spec or ServiceSpec()
    kind = _SERVICE_TYPES.get(spec.type or "")
    if kind is None:
        kind = ServiceType.UNSET
        note(f"Service {_shown(*key)}: spec.type: {spec.type!r} is unknown, so its clusterIPs decide")
    listed = [text for text in (spec.cluster_ips or [spec.cluster_ip]) if text]
    good = tuple(text for text in listed if text == "None" or is_address(text))
    for text in listed:
        if text not in good:
            note(f"Service {_shown(*key)}: spec.clusterIPs: {text!r} is no IP address, so it is left out")
    ports = _ports(spec.ports, f"Service {_shown(*key)}: spec.ports", note)
    return Service(key, kind, good, ports, spec.external_name or "")


def slice_from(obj: SliceObject, note: Note) -> EndpointSlice | None:
    """The ready endpoints of a slice, or None for a slice of names (addressType FQDN)."""
    key = obj.key
    if obj.address_type == FQDN_ADDRESSES:
        return None
    shown = f"EndpointSlice {_shown(*key)}"
    endpoints: list[Endpoint] = []
    for place, item in enumerate(obj.endpoints or ()):
        if item is None or (item.conditions is not None and item.conditions.ready is False):
            continue
        endpoints += _endpoints(
            item.addresses, item.hostname, item.target_ref, f"{shown}: endpoints[{place}]", note
        )
    service = obj.labels.get(SERVICE_NAME_LABEL, "")
    ports = _ports(obj.ports, f"{shown}: ports", note, absent=NO_PORT_NUMBER)
    return EndpointSlice(key, service, tuple(endpoints), ports)


def slices_from_endpoints(obj: EndpointsObject, note: Note) -> tuple[EndpointSlice, ...]:
    """One slice per subset. The ":" in the names keeps them apart from real slices, which have none."""
    key = obj.key
    slices = []
    for place, subset in enumerate(obj.subsets or ()):
        where = f"Endpoints {_shown(*key)}: subsets[{place}]"
        endpoints: list[Endpoint] = []
        for index, item in enumerate((subset.addresses if subset else None) or ()):
            if item is not None:
                at = f"{where}.addresses[{index}]"
                endpoints += _endpoints([item.ip], item.hostname, item.target_ref, at, note)
        ports = _ports(subset.ports if subset else None, f"{where}.ports", note)
        name = ObjectKey(key.namespace, f"{key.name}:{place}")
        slices.append(EndpointSlice(name, key.name, tuple(endpoints), ports))
    return tuple(slices)


def pod_from(obj: PodObject) -> Pod | None:
    """None for a pod that has finished: a field selector keeps those from a watch, but not from a dump."""
    key, status = obj.key, obj.status or PodStatus()
    if status.phase in FINISHED_PHASES:
        return None
    terminating = bool(obj.metadata and obj.metadata.deletion_timestamp)
    return Pod(key, status.pod_ip or "", terminating)


def namespace_from(obj: NamespaceObject) -> Namespace:
    return Namespace(obj.key.name)


def is_address(text: str) -> bool:
    """Whether *text* is an IPv4 or IPv6 address as the API writes them: no zone, no leading zeros."""
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def is_label(text: str) -> bool:
    """Whether *text* is one label of a host name (RFC 1123 §2.1), in any case."""
    return (
        0 < len(text) <= MAX_LABEL and _LABEL_OCTETS.issuperset(text) and text[0] != "-" and text[-1] != "-"
    )


def _endpoints(
    addresses: list[str | None] | None, hostname: str | None, target: Reference | None, where: str, note: Note
) -> list[Endpoint]:
    if hostname and not is_label(hostname):
        note(f"{where}.hostname: {hostname!r} is no DNS label, so its address names it")
        hostname = ""
    name = (target.name if target else None) or ""
    if len(name.encode()) > MAX_LABEL:
        name = ""
    found = []
    for address in addresses or ():
        if address is not None and is_address(address):
            found.append(Endpoint(address, hostname or "", name))
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
        protocol = (port.protocol if port else None) or "TCP"
        found.append(_shared_port((port.name if port else None) or "", protocol, number))
    return tuple(found)


@lru_cache(maxsize=SHARED_PORTS)
def _shared_port(name: str, protocol: str, number: int) -> Port:
    """Most objects have one of few ports: one value for all of them saves memory."""
    return Port(name, _PROTOCOLS.get(protocol, protocol.lower()), number)
