"""Slim cluster objects: what DNS needs of a Service, EndpointSlice, Pod or Namespace, and no more.

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


class Feed(Enum):
    """One watched resource; the value is its plural API name, as RBAC rules spell it."""

    SERVICES = "services"
    ENDPOINT_SLICES = "endpointslices"
    NAMESPACES = "namespaces"
    PODS = "pods"


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
    """`cluster_ips` is spec.clusterIPs, or (spec.clusterIP,) when that is empty; ("None",) marks a headless one."""

    key: ObjectKey
    type: ServiceType = ServiceType.CLUSTER_IP
    cluster_ips: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    external_name: str = ""

    @property
    def headless(self) -> bool:
        return bool(self.cluster_ips) and self.cluster_ips[0] == HEADLESS


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of a *ready* endpoint. An endpoint with several addresses becomes several of these.

    `pod_name` is targetRef.name when that is shorter than 64 octets, else "".
    """

    address: str
    hostname: str = ""
    pod_name: str = ""


@dataclass(frozen=True, slots=True)
class EndpointSlice:
    """`service` is the label kubernetes.io/service-name, "" when absent. `endpoints` holds the ready ones only."""

    key: ObjectKey
    service: str
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[Port, ...] = ()

    @property
    def service_key(self) -> ObjectKey:
        return ObjectKey(self.key.namespace, self.service)


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


ClusterObject = Service | EndpointSlice | Pod | Namespace
