"""Create, update, patch and delete, as the API server does them, without HTTP."""

import re
import time
import uuid
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import msgspec

from dnsserver.sources.manifests.addressing import Allocator
from dnsserver.sources.manifests.settings import SERVICE_RANGES
from dnsserver.testing.kube_api.errors import bad_request, conflict, exists, invalid, not_found
from dnsserver.testing.kube_api.resources import CRD_GROUP, DEFINITION_HINT, UNDEFINED, of_definition
from dnsserver.testing.kube_api.store import Filter, Key, Store, Stored, Table, key_of
from dnsserver.zone.addresses import is_ip_address
from dnsserver.zone.objects import ObjectKey

Obj = dict[str, Any]

#: A name in a path: what `IsValidPathSegmentName` lets pass, and not longer than a DNS subdomain.
_NAME = re.compile(r"(?!\.{1,2}$)[^/%]{1,253}")
#: Kinds whose names are in DNS: labels (RFC 1035 for Services, RFC 1123 for Namespaces).
_LABELS = {
    "Service": re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"),
    "Namespace": re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"),
}
#: Characters behind `generateName` (apiserver, names.SimpleNameGenerator).
_RANDOM_CHARACTERS = 5
#: What an update never changes.
_KEPT: tuple[str, ...] = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
)


class _Metadata(msgspec.Struct):
    """The shape of the metadata that matters to the API server."""

    name: str | None = None
    generateName: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resourceVersion: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    finalizers: list[str] | None = None
    ownerReferences: list[dict[str, Any]] | None = None


class _ServiceSpec(msgspec.Struct):
    """The shape of the part of a Service that is completed."""

    type: str = "ClusterIP"
    clusterIP: str | None = None
    clusterIPs: list[str] | None = None
    ports: list[dict[str, Any]] | None = None


class _Shape(msgspec.Struct):
    metadata: _Metadata
    spec: dict[str, Any] | None = None
    status: dict[str, Any] | None = None


def create(store: Store, table: Table, namespace: str, body: Obj) -> Stored:
    """Raises ApiError."""
    resource = table.resource
    obj = _checked(table, namespace, "", body)
    metadata = obj["metadata"]
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = f"{metadata['generateName']}{uuid.uuid4().hex[:_RANDOM_CHARACTERS]}"
    _check_name(table, obj)
    key = key_of(obj)
    if resource.namespaced and ("", namespace) not in store.tables["", "namespaces"].objects:
        raise not_found(store.tables["", "namespaces"].resource, namespace)
    if key in table.objects:
        raise exists(resource, key[1])
    metadata.update(uid=str(uuid.uuid4()), creationTimestamp=timestamp(), generation=1)
    for field in ("deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion"):
        metadata.pop(field, None)
    if resource.status:
        obj.pop("status", None)
    _complete(store, obj, None)
    return _put(store, table, obj, must_exist=False)


def update(store: Store, table: Table, key: Key, body: Obj, subresource: str) -> Stored:
    """PUT. Raises ApiError."""
    return _update(store, table, key, lambda _: body, subresource)


def patch(store: Store, table: Table, key: Key, change: Callable[[Obj], Obj], subresource: str) -> Stored:
    """PATCH; *change* makes the new object of the old one. Raises ApiError."""
    return _update(store, table, key, change, subresource)


def delete(store: Store, table: Table, key: Key, options: Mapping[str, Any]) -> bytes:
    """The object as it is afterwards, or was at last. Raises ApiError."""
    before = _found(table, key)
    obj = msgspec.json.decode(before.octets)
    for field, value in (options.get("preconditions") or {}).items():
        if obj["metadata"].get(field) != value:
            raise conflict(table.resource, key[1], f"Precondition failed: {field} in precondition: {value}")
    if not obj["metadata"].get("finalizers"):
        return store.delete(table, key)
    if "deletionTimestamp" in obj["metadata"]:
        return before.octets
    obj["metadata"].update(deletionTimestamp=timestamp(), deletionGracePeriodSeconds=0)
    return store.put(obj, must_exist=True).octets


def delete_all(store: Store, table: Table, chosen: Filter) -> None:
    """All that *chosen* chooses."""
    for key in [key for key, item in table.objects.items() if chosen.chooses(item)]:
        delete(store, table, key, {})


def _found(table: Table, key: Key) -> Stored:
    found = table.objects.get(key)
    if found is None:
        raise not_found(table.resource, key[1])
    return found


def _update(store: Store, table: Table, key: Key, change: Callable[[Obj], Obj], subresource: str) -> Stored:
    before = _found(table, key)
    old: Obj = msgspec.json.decode(before.octets)
    new = _checked(table, *key, change(deepcopy(old)))
    given, metadata = new["metadata"].get("resourceVersion"), old["metadata"]
    if given and given != metadata["resourceVersion"]:
        why = "the object has been modified; please apply your changes to the latest version and try again"
        raise conflict(table.resource, key[1], why)
    if new["metadata"].get("uid") not in (None, "", metadata.get("uid")):
        raise conflict(
            table.resource, key[1], f"Precondition failed: UID in object meta: {metadata.get('uid')}"
        )
    if subresource == "status":
        new = {**old, "status": new["status"]} if "status" in new else {**old}
    elif table.resource.status:
        new.pop("status", None)
        new |= {"status": old["status"]} if "status" in old else {}
    new["metadata"] = {
        **{field: value for field, value in new["metadata"].items() if field not in _KEPT},
        **{field: metadata[field] for field in _KEPT if field in metadata},
        "resourceVersion": metadata["resourceVersion"],
    }
    _complete(store, new, old)
    if new == old:
        return before  # the API server makes no event of a write that changes nothing
    if _specified(new) != _specified(old) and "generation" in metadata:
        new["metadata"]["generation"] = metadata["generation"] + 1
    if "deletionTimestamp" in metadata and not new["metadata"].get("finalizers"):
        last = store.delete(table, key)
        return Stored(key, store.version, last, {}, {})
    return _put(store, table, new, must_exist=True)


def _put(store: Store, table: Table, obj: Obj, *, must_exist: bool) -> Stored:
    if table.resource.group == CRD_GROUP:
        try:
            of_definition(obj)
        except UNDEFINED as error:
            why = f"{DEFINITION_HINT} ({error!r})"
            raise invalid(table.resource, obj["metadata"]["name"], why) from None
        obj["status"] = _established(obj)
    return store.put(obj, must_exist=must_exist)


def _specified(obj: Obj) -> Obj:
    return {field: value for field, value in obj.items() if field not in ("metadata", "status")}


def _checked(table: Table, namespace: str, name: str, body: Any) -> Obj:
    """*body* as an object of *table*: what it says of itself is what the path says. Raises ApiError."""
    resource = table.resource
    if not isinstance(body, dict):
        raise bad_request("the body is no JSON object")
    if (body.get("kind") or resource.kind) != resource.kind:
        raise bad_request(f"the object is a {body['kind']}, and {resource.kind} is what this path has")
    if (body.get("apiVersion") or resource.api_version) != resource.api_version:
        raise bad_request(f"the object is of {body['apiVersion']}, and this path of {resource.api_version}")
    metadata = body.get("metadata") or {}
    try:
        msgspec.convert({**body, "metadata": metadata}, _Shape)
        if (resource.group, resource.kind) == ("", "Service"):
            msgspec.convert(body.get("spec") or {}, _ServiceSpec)
    except msgspec.ValidationError as error:
        raise bad_request(f"the object has a field of the wrong type: {error}") from None
    if (metadata.get("namespace") or namespace) != namespace:
        raise bad_request("the namespace of the object does not match the namespace on the request")
    if name and (metadata.get("name") or name) != name:
        raise bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
        )
    where = {"namespace": namespace} if resource.namespaced else {}
    whole = {**metadata, **where, **({"name": name} if name else {})}
    return {**body, "apiVersion": resource.api_version, "kind": resource.kind, "metadata": whole}


def _check_name(table: Table, obj: Obj) -> None:
    name = obj["metadata"].get("name")
    if not isinstance(name, str) or not name:
        raise invalid(table.resource, "", "metadata.name: Required value: name or generateName is required")
    pattern = _LABELS.get(obj["kind"], _NAME)
    if not pattern.fullmatch(name):
        raise invalid(
            table.resource, name, f"metadata.name: Invalid value: {name!r}: does not match {pattern.pattern}"
        )


def _complete(store: Store, obj: Obj, old: Obj | None) -> None:
    """What the API server itself adds to a Service: type, protocols, and the address that it keeps for life."""
    if obj["kind"] != "Service" or obj["apiVersion"] != "v1":
        return
    spec = obj["spec"] = obj.get("spec") or {}
    spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    if spec["type"] == "ExternalName":
        return
    before = (old or {}).get("spec") or {}
    if spec.get("clusterIP") not in (None, "", "None") and not is_ip_address(spec["clusterIP"]):
        raise bad_request(
            f"spec.clusterIP: Invalid value: {spec['clusterIP']!r}: must be an IP address or None"
        )
    if not spec.get("clusterIP"):
        spec["clusterIP"] = before.get("clusterIP") or _free_address(store, key_of(obj))
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    spec.setdefault("sessionAffinity", "None")
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    spec.setdefault("ipFamilies", ["IPv6" if ":" in spec["clusterIP"] else "IPv4"])


def _free_address(store: Store, key: Key) -> str:
    """The same that a manifest without one gets."""
    services = store.tables["", "services"].objects.values()
    specs = [msgspec.json.decode(item.octets).get("spec") or {} for item in services]
    taken = (str(spec.get("clusterIP")) for spec in specs if isinstance(spec, dict))
    allocator = Allocator("Services", SERVICE_RANGES[0], filter(is_ip_address, taken))
    return allocator.address(ObjectKey(*key))


def _established(definition: Obj) -> Obj:
    """The status of a definition that is served from now on."""
    now = definition["metadata"].get("creationTimestamp", timestamp())
    conditions = [
        {"type": kind, "status": "True", "reason": reason, "message": "", "lastTransitionTime": now}
        for kind, reason in (("NamesAccepted", "NoConflicts"), ("Established", "InitialNamesAccepted"))
    ]
    stored_versions = [each["name"] for each in definition["spec"]["versions"] if each["storage"]]
    return {
        "conditions": conditions,
        "acceptedNames": definition["spec"]["names"],
        "storedVersions": stored_versions,
    }


def timestamp() -> str:
    """Now, as metav1.Time has it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
