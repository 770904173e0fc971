"""Slim cluster objects: what DNS needs of a Service, ServiceImport, EndpointSlice, Pod or Namespace, and no more.

Sources build these on arrival and drop the rest of the object; every field costs memory for every object.
Fields hold what the API says, in its spelling (cluster-dns-behaviour.md, section 13).
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class ObjectKey(NamedTuple):
    """Identity of a namespaced object. A Namespace itself has the key `("", name)`."""

    namespace: str
    name: str


class Identity(NamedTuple):
    """An object of the cluster, of any kind. `kind` is the API's spelling."""

    kind: str
    key: ObjectKey

    def __str__(self) -> str:
        return f"{self.kind} {'/'.join(part for part in self.key if part)}"


class Feed(Enum):
    """One watched resource; the value is its plural API name, as RBAC rules spell it."""

    SERVICES = "services"
    ENDPOINT_SLICES = "endpointslices"
    NAMESPACES = "namespaces"
    PODS = "pods"
    SERVICE_IMPORTS = "serviceimports"


class ServiceType(Enum):
    """spec.type of a Service. `UNSET` (not valid in the API) is treated by its clusterIPs."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"
    EXTERNAL_NAME = "ExternalName"
    UNSET = ""


#: spec.clusterIP of a headless Service.
HEADLESS = "None"


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a Service or EndpointSlice. `name` is "" when unnamed; `protocol` is lower case (tcp, udp, sctp)."""

    name: str
    protocol: str
    number: int


@dataclass(frozen=True, slots=True)
class Service:
    """`cluster_ips` is spec.clusterIPs, or (spec.clusterIP,) when that is empty; ("None",) marks a headless one.

    `external_ips` are spec.externalIPs, then the addresses in status.loadBalancer.ingress; `external_hosts` the
    hostnames there.
    """

    key: ObjectKey
    type: ServiceType = ServiceType.CLUSTER_IP
    cluster_ips: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    external_name: str = ""
    external_ips: tuple[str, ...] = ()
    external_hosts: tuple[str, ...] = ()

    @property
    def headless(self) -> bool:
        return bool(self.cluster_ips) and self.cluster_ips[0] == HEADLESS


@dataclass(frozen=True, slots=True)
class ServiceImport:
    """A Service of a set of clusters (MCS-API): spec.ips are `ips`; `headless` says that spec.type is Headless."""

    key: ObjectKey
    headless: bool = False
    ips: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of a *ready* endpoint. An endpoint with several addresses becomes several of these.

    `pod_name` is targetRef.name when that is shorter than 64 octets, else "". `zone` is its topology zone in lower
    case where zones matter (option `zonal`), else "".
    """

    address: str
    hostname: str = ""
    pod_name: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class EndpointSlice:
    """`service` is the label kubernetes.io/service-name, "" when absent. `endpoints` holds the ready ones only.

    Where ServiceImports are served, `imported` is the label multicluster.kubernetes.io/service-name, and `cluster` the
    label multicluster.kubernetes.io/source-cluster, else "".
    """

    key: ObjectKey
    service: str
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[Port, ...] = ()
    imported: str = ""
    cluster: str = ""

    @property
    def service_key(self) -> ObjectKey:
        return ObjectKey(self.key.namespace, self.service)

    @property
    def import_key(self) -> ObjectKey:
        return ObjectKey(self.key.namespace, self.imported)


@dataclass(frozen=True, slots=True)
class Pod:
    """`ip` is status.podIP. `terminating`: metadata.deletionTimestamp is set."""

    key: ObjectKey
    ip: str
    terminating: bool = False


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace that exists (and passes the `namespace_labels` selector, where one is set)."""

    name: str

    @property
    def key(self) -> ObjectKey:
        return ObjectKey("", self.name)


ClusterObject = Service | ServiceImport | EndpointSlice | Pod | Namespace
