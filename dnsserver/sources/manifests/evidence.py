"""Manifests as evidence: whole objects with file and line, and those that a cluster's controllers would add to them.

What is added has the place of what it is made of: a pod that of its workload, an EndpointSlice that of its Service.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dnsserver.explaining import fields
from dnsserver.explaining.evidence import SERVICE_NAME_LABEL, Evidence, Place, Whole, place_of
from dnsserver.sources.manifests.addressing import ShortageError
from dnsserver.sources.manifests.building import Assembled, assemble
from dnsserver.sources.manifests.files import scan
from dnsserver.sources.manifests.kinds import NAMESPACE_NAME_LABEL
from dnsserver.sources.manifests.reading import (
    BrokenError,
    Entry,
    content_of,
    document_entries,
    entries,
    file_text,
)
from dnsserver.sources.manifests.settings import (
    DEFAULT_NAMESPACE,
    DOCUMENTS_PATH,
    ManifestError,
    ManifestSettings,
)
from dnsserver.sources.manifests.stated import StatedPod, StatedService
from dnsserver.sources.objects import ALL_PARTS
from dnsserver.zone.objects import EndpointSlice, Feed, ObjectKey

#: Kinds that are in no namespace, of those that a file with manifests often has; their names are not looked at.
CLUSTER_WIDE = frozenset(
    {"Namespace", "Node", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}
)
#: The kinds that causes are looked for in.
KINDS_READ = ("Namespace", "Service", "EndpointSlice", "Pod", "StatefulSet", "ServiceImport")
#: What nobody stated and everybody has: a pod that is made is ready.
_READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def manifest_evidence(settings: ManifestSettings) -> Evidence:
    """All that the manifests of *settings* state and make, whatever its selectors leave out. It reads files, and may be
    called in a thread. Raises ManifestError."""
    problems: list[str] = []
    read: list[tuple[Path, list[Entry]]] = []
    found = scan(tuple(path.absolute() for path in settings.paths))
    problems += [f"{path}: no such file or folder: correct the path" for path in found.missing]
    problems += [f"{path}: {reason}" for path, reason in found.unreadable.items()]
    contents = []
    for path in (*found.files, *((DOCUMENTS_PATH,) if settings.documents is not None else ())):
        try:
            read.append((path, _entries(path, settings)))
            contents.append(content_of(*read[-1]))
        except BrokenError as error:
            problems.append(str(error))
    everything = replace(
        settings, feeds=frozenset(Feed), parts=ALL_PARTS, label_selector="", namespace_selector=""
    )
    if problems:
        raise ManifestError(problems)
    try:
        return _evidence(read, assemble(contents, everything))
    except ShortageError as error:
        raise ManifestError([str(error)]) from error


def _entries(path: Path, settings: ManifestSettings) -> list[Entry]:
    if path == DOCUMENTS_PATH and settings.documents is not None:
        return list(document_entries(settings.documents))
    return list(entries(path, file_text(path)))


def _evidence(read: Iterable[tuple[Path, list[Entry]]], assembled: Assembled) -> Evidence:
    stated = Evidence(tuple(whole for path, found in read for whole in _stated(path, found)))
    return Evidence(
        (
            *_services(stated, assembled),
            *_pods(stated, assembled),
            *_namespaces(stated, assembled),
            *stated.objects,
            *_slices(stated, assembled),
        )
    )


def _stated(path: Path, found: Iterable[Entry]) -> Iterator[Whole]:
    for entry in found:
        if isinstance(entry.value, Mapping):
            place = place_of(entry.value, file=_shown(path), line=entry.line)
            if not place.namespace and place.kind not in CLUSTER_WIDE:
                place = replace(place, namespace=DEFAULT_NAMESPACE)
            yield Whole(place, entry.value)


def _shown(path: Path) -> str:
    """As somebody here would write it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _services(stated: Evidence, assembled: Assembled) -> Iterator[Whole]:
    """Services, with the addresses that they are given."""
    for key, service in assembled.services.items():
        whole = stated.get("Service", *key)
        if whole is not None:
            ips = list(service.service.cluster_ips)
            more = {"clusterIP": ips[0], "clusterIPs": ips} if ips else {}
            yield Whole(whole.place, _with(whole.value, spec=more))


def _pods(stated: Evidence, assembled: Assembled) -> Iterator[Whole]:
    """Pods, with the addresses that they are given, and those that workloads keep."""
    for key, pod in assembled.pods.items():
        whole = stated.get("Pod", *key)
        address = {"podIP": pod.ips[0], "podIPs": [{"ip": ip} for ip in pod.ips]} if pod.ips else {}
        names = {"hostname": pod.template.hostname, "subdomain": pod.template.subdomain}
        spec = {name: text for name, text in names.items() if text}
        if whole is not None:
            value = _with(
                whole.value, metadata={"labels": dict(pod.template.labels)}, spec=spec, status=address
            )
            yield Whole(whole.place, value)
        else:
            yield _made_pod(key, pod, spec, address, stated)


def _made_pod(
    key: ObjectKey, pod: StatedPod, spec: Mapping[str, Any], status: Mapping[str, Any], stated: Evidence
) -> Whole:
    owner = stated.get(pod.owner.kind, key.namespace, pod.owner.name) if pod.owner else None
    template = fields.mapping(owner.value, "spec", "template", "spec") if owner else {}
    value = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**_metadata(key), "labels": dict(pod.template.labels)},
        "spec": {**template, **spec},
        "status": {**_READY, **status},
    }
    return Whole(_made("Pod", key, owner), value)


def _slices(stated: Evidence, assembled: Assembled) -> Iterator[Whole]:
    """Those that are stated nowhere. Of an Endpoints object, or of a Service and its pods."""
    for made in assembled.slices:
        if stated.get("EndpointSlice", *made.key) is not None:
            continue
        origin = stated.get("Endpoints", *made.service_key) or stated.get("Service", *made.service_key)
        service = assembled.services.get(made.service_key)
        yield Whole(_made("EndpointSlice", made.key, origin), _slice(made, service))


def _slice(made: EndpointSlice, service: StatedService | None) -> dict[str, Any]:
    labels = {**(service.labels if service else {}), SERVICE_NAME_LABEL: made.service}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**_metadata(made.key), "labels": labels},
        "endpoints": [
            {
                "addresses": [endpoint.address],
                "conditions": {"ready": True},
                **({"hostname": endpoint.hostname} if endpoint.hostname else {}),
                **({"targetRef": {"kind": "Pod", "name": endpoint.pod_name}} if endpoint.pod_name else {}),
            }
            for endpoint in made.endpoints
        ],
        "ports": [
            {"name": port.name, "protocol": port.protocol.upper(), "port": port.number} for port in made.ports
        ],
    }


def _namespaces(stated: Evidence, assembled: Assembled) -> Iterator[Whole]:
    """All, with the label that each has by itself."""
    for namespace in assembled.namespaces:
        label = {NAMESPACE_NAME_LABEL: namespace.name}
        whole = stated.get("Namespace", "", namespace.name)
        if whole is None:
            value = {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": namespace.name, "labels": label},
            }
            yield Whole(_made("Namespace", namespace.key, None), value)
        else:
            metadata = fields.mapping(whole.value, "metadata")
            labels = {**whole.labels, **label}
            yield Whole(whole.place, {**whole.value, "metadata": {**metadata, "labels": labels}})


def _made(kind: str, key: ObjectKey, origin: Whole | None) -> Place:
    made_by = None if origin is None else origin.place
    file, line = ("", 0) if made_by is None else (made_by.file, made_by.line)
    return Place(kind, key.namespace, key.name, file=file, line=line, made_by=made_by)


def _metadata(key: ObjectKey) -> dict[str, str]:
    return {"namespace": key.namespace, "name": key.name}


def _with(value: Mapping[str, Any], **parts: Mapping[str, Any]) -> dict[str, Any]:
    """*value* with more in some of its mappings."""
    more = {name: {**fields.mapping(value, name), **part} for name, part in parts.items() if part}
    return {**value, **more}
