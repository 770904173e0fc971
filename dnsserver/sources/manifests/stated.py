"""What manifests state, cut down to what answers depend on: more than slim objects, as controllers read more."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dnsserver.sources.manifests.settings import Family
from dnsserver.sources.selectors import Selector
from dnsserver.zone.objects import EndpointSlice, Identity, Port, Service, ServiceImport


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller in metadata.ownerReferences, in the namespace of the object."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class ServicePort:
    """`target` is a port number, or the name of a container's port."""

    name: str
    protocol: str
    number: int
    target: int | str


@dataclass(frozen=True, slots=True)
class StatedService:
    """`service` has the clusterIPs that are stated; `families` and `policy` say what else it is due."""

    identity: Identity
    service: Service
    labels: Mapping[str, str]
    selector: Mapping[str, str]
    ports: tuple[ServicePort, ...]
    families: tuple[Family, ...]
    policy: str
    publish_not_ready: bool


@dataclass(frozen=True, slots=True)
class StatedImport:
    identity: Identity
    service_import: ServiceImport
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StatedSlice:
    """`slice` is None for one that holds names instead of addresses."""

    identity: Identity
    service: str
    slice: EndpointSlice | None
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StatedEndpoints:
    """An Endpoints object (v1), and the slices that mirroring makes of it."""

    identity: Identity
    slices: tuple[EndpointSlice, ...]
    labels: Mapping[str, str]
    mirrored: bool


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """What a pod's labels and spec say, be it in a Pod or in the template of a workload."""

    labels: Mapping[str, str]
    hostname: str
    subdomain: str
    ports: tuple[Port, ...]


@dataclass(frozen=True, slots=True)
class StatedPod:
    """`live`: a cluster wrote its status, so an address that is not stated does not exist."""

    identity: Identity
    template: PodTemplate
    owner: Owner | None
    ips: tuple[str, ...]
    phase: str
    ready: bool
    terminating: bool
    live: bool


@dataclass(frozen=True, slots=True)
class Workload:
    """Something that keeps pods. `pods` is None for one per node; `first` is a StatefulSet's lowest ordinal."""

    identity: Identity
    owner: Owner | None
    template: PodTemplate
    selector: Selector
    pods: int | None
    first: int
    indexed: bool


@dataclass(frozen=True, slots=True)
class StatedNamespace:
    identity: Identity
    labels: Mapping[str, str]


Stated = StatedService | StatedImport | StatedSlice | StatedEndpoints | StatedPod | Workload | StatedNamespace


@dataclass(frozen=True, slots=True)
class Content:
    """What one file states. `lines` says where each object starts."""

    path: Path
    objects: Mapping[Identity, Stated] = field(default_factory=dict)
    lines: Mapping[Identity, int] = field(default_factory=dict)
    namespaces: frozenset[str] = frozenset()
    ignored: Counter[str] = field(default_factory=Counter)
