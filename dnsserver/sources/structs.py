"""API objects as the API writes them: octets or mappings to structs [msgspec].

The structs hold what DNS needs and no more; msgspec skips all other fields while it reads. They are as
tolerant as CoreDNS's decoder: missing fields, null for any value, unknown fields (cluster-dns-behaviour.md,
sections 4 and 13). Octets of the API are for `decode`, a plain mapping for `from_mapping`.
"""

from collections.abc import Mapping
from sys import intern
from typing import Any, ClassVar, TypeVar

import msgspec

from dnsserver.zone.objects import ObjectKey


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
            raise ObjectError(f"{self.kind} {shown(namespace, name)}: metadata.name is missing")
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

    external_ips: list[str | None] | None = msgspec.field(default=None, name="externalIPs")


class Ingress(Struct):
    ip: str | None = None
    hostname: str | None = None


class LoadBalancer(Struct):
    ingress: list[Ingress | None] | None = None


class ServiceStatus(Struct):
    load_balancer: LoadBalancer | None = None


class ServiceObject(ApiObject):
    kind: ClassVar[str] = "Service"
    spec: ServiceSpec | None = None
    status: ServiceStatus | None = None


class ImportSpec(Struct):
    type: str | None = None
    ips: list[str | None] | None = None
    ports: list[ApiPort | None] | None = None


class ImportObject(ApiObject):
    """Of the MCS-API (KEP-1645)."""

    kind: ClassVar[str] = "ServiceImport"
    spec: ImportSpec | None = None


class Conditions(Struct):
    ready: bool | None = None


class Reference(Struct):
    name: str | None = None


class SliceEndpoint(Struct):
    addresses: list[str | None] | None = None
    conditions: Conditions | None = None
    hostname: str | None = None
    target_ref: Reference | None = None
    zone: str | None = None


class SliceAnnotations(Struct):
    trigger_time: str | None = msgspec.field(
        default=None, name="endpoints.kubernetes.io/last-change-trigger-time"
    )
    """RFC 3339: when the change was made that led to this version (v1, EndpointsLastChangeTriggerTime)."""


class SliceMeta(Meta):
    annotations: SliceAnnotations | None = None


class SliceObject(ApiObject):
    kind: ClassVar[str] = "EndpointSlice"
    metadata: SliceMeta | None = None
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
    ("multicluster.x-k8s.io/v1alpha1", "ServiceImport"): ImportObject,
    ("v1", "Endpoints"): EndpointsObject,
    ("v1", "Pod"): PodObject,
    ("v1", "Namespace"): NamespaceObject,
}


class _Identity(Struct):
    metadata: Meta | None = None


#: What msgspec raises for octets that it cannot make a value of; RecursionError at some 1,100 levels.
UnreadableError = msgspec.MsgspecError | UnicodeDecodeError | RecursionError
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_IDENTITY = msgspec.json.Decoder(_Identity)
_DECODERS = {kind: msgspec.json.Decoder(kind) for kind in KINDS.values()}

Kind = TypeVar("Kind", bound=ApiObject)


def decode(kind: type[Kind], raw: bytes | msgspec.Raw) -> Kind:
    """One object; an ObjectError names it as far as its metadata can be read."""
    try:
        found = _DECODERS[kind].decode(raw)
    except UNREADABLE as error:
        raise ObjectError(f"{kind.kind} {_name_in(raw)}: {wrong(error)}") from error
    assert isinstance(found, kind)
    return found


def _name_in(raw: bytes | msgspec.Raw) -> str:
    try:
        meta = _IDENTITY.decode(raw).metadata or Meta()
    except UNREADABLE:
        return "?"
    return shown(meta.namespace, meta.name)


def from_mapping(obj: Mapping[str, Any], namespace: str = "") -> ApiObject | None:
    """A mapping with apiVersion and kind (parsed YAML) to its struct; None for a kind that DNS does not read.

    *namespace* is used for a namespaced object that names none.
    """
    found = KINDS.get((str(obj.get("apiVersion") or ""), str(obj.get("kind") or "")))
    if found is None:
        return None
    try:
        value = msgspec.convert(dict(obj), found)
    except UNREADABLE as error:
        metadata = obj.get("metadata")
        meta = metadata if isinstance(metadata, Mapping) else {}
        name = shown(meta.get("namespace") or namespace, meta.get("name"))
        raise ObjectError(f"{found.kind} {name}: {wrong(error)}") from error
    if value.namespaced and value.metadata and not value.metadata.namespace:
        value.metadata.namespace = namespace
    return value


def shown(namespace: object, name: object) -> str:
    """How messages call an object."""
    return f"{namespace}/{name or '?'}" if namespace else str(name or "?")


def wrong(error: UnreadableError) -> str:
    """msgspec's text "Expected `int`, got `str` - at `$.spec.ports[0].port`" with the field first."""
    if isinstance(error, RecursionError):
        return "nested too deep"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8: {error}"
    what, _, where = str(error).replace("`", "").partition(" - at ")
    return f"{where.removeprefix('$').removeprefix('.')}: {what}" if where.strip("$") else what
