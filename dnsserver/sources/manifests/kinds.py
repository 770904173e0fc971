"""One parsed API object to what it states: kind by kind, with the API's defaults for what it leaves out."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from dnsserver.sources.manifests.fields import FieldError, Fields
from dnsserver.sources.manifests.settings import Family
from dnsserver.sources.manifests.stated import (
    ServicePort,
    Stated,
    StatedEndpoints,
    StatedImport,
    StatedNamespace,
    StatedPod,
    StatedService,
    StatedSlice,
)
from dnsserver.sources.manifests.templates import owner, pod_template
from dnsserver.sources.manifests.workloads import WORKLOADS, read_workload
from dnsserver.sources.objects import (
    ALL_PARTS,
    MAX_PORT,
    SERVICE_NAME_LABEL,
    import_from,
    service_from,
    slice_from,
    slices_from_endpoints,
)
from dnsserver.sources.structs import (
    KINDS,
    EndpointsObject,
    ImportObject,
    NamespaceObject,
    PodObject,
    ServiceObject,
    SliceObject,
    from_mapping,
)
from dnsserver.sources.texts import is_address, is_host_name, is_label
from dnsserver.zone.objects import HEADLESS, Identity, ObjectKey, Port, Service, ServiceType

#: Characters. Longest name of an object (a DNS subdomain, RFC 1123).
MAX_NAME = 253
#: Put on an Endpoints object that no EndpointSlice shall be made of (discovery.k8s.io/v1, LabelSkipMirror).
SKIP_MIRROR_LABEL = "endpointslice.kubernetes.io/skip-mirror"
#: Every namespace has it, with its name (kubernetes.io/docs/reference/labels-annotations-taints).
NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"

_FAMILIES = ("IPv4", "IPv6")
_POLICIES = ("", "SingleStack", "PreferDualStack", "RequireDualStack")
_OVER = ("Succeeded", "Failed")

Found = TypeVar("Found")


def read_object(value: Mapping[str, Any], namespace: str) -> Stated | None:
    """What *value* states, None for a kind that answers do not depend on.

    *namespace* is for an object that names none. FieldError or ObjectError: the API would refuse the object.
    """
    fields = Fields(value)
    version, kind = fields.text("apiVersion"), fields.text("kind")
    for name, text in (("kind", kind), ("apiVersion", version)):
        if not text:
            raise FieldError(f"{name} is missing, so this is no Kubernetes object")
    if (version, kind) in KINDS:
        return _read_served(fields, value, namespace)
    if (version.partition("/")[0], kind) in WORKLOADS:
        return read_workload(fields, _identity(fields, kind, namespace))
    return None


def _read_served(fields: Fields, value: Mapping[str, Any], namespace: str) -> Stated:
    kind = fields.text("kind")
    identity = _identity(fields, kind, "" if kind == NamespaceObject.kind else namespace)
    obj = from_mapping(value, namespace)
    match obj:
        case ServiceObject():
            return _service(identity, fields, obj)
        case ImportObject():
            imported = _noted(lambda note: import_from(obj, note))
            return StatedImport(identity, imported, obj.labels)
        case SliceObject():
            found = _noted(lambda note: slice_from(obj, note, ALL_PARTS))
            service = obj.labels.get(SERVICE_NAME_LABEL, "")
            return StatedSlice(identity, service, found, obj.labels)
        case EndpointsObject():
            slices = _noted(lambda note: slices_from_endpoints(obj, note))
            return StatedEndpoints(identity, slices, obj.labels, obj.labels.get(SKIP_MIRROR_LABEL) != "true")
        case PodObject():
            return _pod(identity, fields)
        case NamespaceObject():
            return StatedNamespace(identity, {**obj.labels, NAMESPACE_NAME_LABEL: identity.key.name})
    raise FieldError(f"kind {kind} is not read")


def _identity(fields: Fields, kind: str, namespace: str) -> Identity:
    metadata = fields.child("metadata")
    name = metadata.text("name")
    if not name:
        hint = "; generateName is not enough" if metadata.has("generateName") else ""
        raise FieldError(f"metadata.name is missing{hint}")
    if kind in (ServiceObject.kind, ImportObject.kind, NamespaceObject.kind) and not is_label(name):
        raise FieldError(f"metadata.name: {name!r} is no DNS label: use at most 63 of a-z, 0-9, '-'")
    if len(name) > MAX_NAME or not is_host_name(name):
        raise FieldError(f"metadata.name: {name!r} is no DNS name: use a-z, 0-9, '-', '.'")
    if kind == NamespaceObject.kind:
        return Identity(kind, ObjectKey("", name))
    namespace = metadata.text("namespace", namespace)
    if not is_label(namespace):
        raise FieldError(f"metadata.namespace: {namespace!r} is no name of a namespace")
    return Identity(kind, ObjectKey(namespace, name))


def _noted(convert: Callable[[Callable[[str], None]], Found]) -> Found:
    """What a live watch leaves out with a note is an error here: the API would not have taken it."""
    notes: list[str] = []
    found = convert(notes.append)
    if notes:
        raise FieldError(notes[0].partition(", so ")[0].partition(": ")[2])
    return found


def _service(identity: Identity, fields: Fields, obj: ServiceObject) -> StatedService:
    spec = fields.child("spec")
    service: Service = _noted(lambda note: service_from(obj, note))
    if not spec.text("type"):
        service = replace(service, type=ServiceType.CLUSTER_IP)
    ips = spec.strings("clusterIPs")
    first = spec.text("clusterIP")
    if ips and first and ips[0] != first:
        raise FieldError(f"spec.clusterIPs[0]: {ips[0]} is not spec.clusterIP, {first}: make them equal")
    if HEADLESS in service.cluster_ips and len(service.cluster_ips) > 1:
        raise FieldError("spec.clusterIPs: 'None' stands alone or not at all")
    ports = tuple(
        _service_port(port, stated)
        for port, stated in zip(service.ports, spec.children("ports"), strict=True)
    )
    return StatedService(
        identity,
        service,
        obj.labels,
        spec.texts("selector"),
        ports,
        _families(spec),
        _one_of(spec, "ipFamilyPolicy", _POLICIES),
        spec.flag("publishNotReadyAddresses"),
    )


def _service_port(port: Port, stated: Fields) -> ServicePort:
    """Without targetPort, or with 0 or "", the port itself is the target (v1, defaults.go)."""
    target = stated.number_or_text("targetPort", 0, MAX_PORT) or port.number
    if isinstance(target, str) and target.isdigit():
        raise FieldError(f"{stated.place}.targetPort: {target!r} is text; write the number without quotes")
    return ServicePort(port.name, port.protocol, port.number, target)


def _families(spec: Fields) -> tuple[Family, ...]:
    found = spec.strings("ipFamilies")
    if not set(found) <= set(_FAMILIES) or len(found) != len(set(found)):
        raise FieldError(f"spec.ipFamilies: {', '.join(found)}: use IPv4, IPv6 or both once")
    return cast(tuple[Family, ...], tuple(found))


def _one_of(fields: Fields, name: str, known: tuple[str, ...]) -> str:
    text = fields.text(name)
    if text not in known:
        raise FieldError(
            f"{fields.place}.{name}: {text!r} is not known; use {', '.join(filter(None, known))}"
        )
    return text


def _pod(identity: Identity, fields: Fields) -> StatedPod:
    status = fields.child("status")
    phase = status.text("phase")
    listed = [status.text("podIP"), *(item.text("ip") for item in status.children("podIPs"))]
    ips = tuple(dict.fromkeys(filter(None, listed)))
    for ip in ips:
        if not is_address(ip):
            raise FieldError(f"status.podIP: {ip!r} is no IP address")
    conditions = {item.text("type"): item.text("status") for item in status.children("conditions")}
    return StatedPod(
        identity,
        pod_template(fields),
        owner(fields),
        ips,
        phase,
        ready=conditions.get("Ready") == "True" if conditions else phase not in _OVER,
        terminating=fields.child("metadata").has("deletionTimestamp"),
        live=bool(phase),
    )
