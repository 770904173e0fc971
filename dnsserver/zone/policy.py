"""How a `kubernetes` block wants its records made (cluster-dns-behaviour.md, section 14)."""

from dataclasses import dataclass
from enum import Enum

#: Seconds. Default TTL of records from the cluster.
DEFAULT_TTL = 5


class PodMode(Enum):
    """Whether `10-4-1-32.default.pod.Z` answers: never, always, or when such a pod is known (section 7)."""

    DISABLED = "disabled"
    INSECURE = "insecure"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPolicy:
    """`namespaces` empty: all are exposed. `own_addresses`: where this server can be reached, for NS and `ns.dns`.

    `zonal`: names with a topology zone answer. `clusterset`: the names are those of ServiceImports; their endpoints
    carry the name of their cluster. `below`: the labels between a namespace and the zone. `alias_ports`: ports of a
    Service that is an alias have SRV records.
    """

    ttl: int = DEFAULT_TTL
    pods: PodMode = PodMode.DISABLED
    endpoint_pod_names: bool = False
    ignore_empty_service: bool = False
    namespaces: frozenset[str] = frozenset()
    own_addresses: tuple[str, ...] = ()
    zonal: bool = False
    clusterset: bool = False
    below: tuple[bytes, ...] = (b"svc",)
    alias_ports: bool = False
