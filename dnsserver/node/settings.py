"""What the command line says about a node."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

Address = IPv4Address | IPv6Address

#: Seconds between two looks at interface and rules: node-cache's default (coredns-compat.md, section 7.1).
SYNC_S = 60.0
#: Seconds between two looks at the folders of the ConfigMaps: node-cache's. A look reads a few small files; kubelet
#: itself needs up to a minute to write a changed ConfigMap, so there is nothing to be gained from watching.
CONFIG_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """`addresses` are served, on `port`; `interface` gets them if `manages_interface`. `health_port`: probes come
    there. `base_corefile` is made into `corefile`, with what the folder `kube_dns` has, and `cluster_dns` for the
    address of the cluster's DNS: what the environment says of the Service `upstream_service`, "" if nothing.
    `metrics`: host and port where errors are counted. `reload_by_signal`: tell the server of a changed Corefile;
    otherwise the plugin `reload` in it has to see. `keeps`: leave interface and rules at the end."""

    addresses: tuple[Address, ...]
    port: int
    interface: str
    manages_interface: bool
    manages_rules: bool
    health_port: int
    base_corefile: Path
    corefile: Path
    kube_dns: Path | None
    upstream_service: str
    cluster_dns: str
    metrics: tuple[str, int]
    sync_s: float
    config_s: float = CONFIG_S
    reload_by_signal: bool
    keeps: bool

    @property
    def manages_network(self) -> bool:
        return self.manages_interface or self.manages_rules


def service_variable(service: str) -> str:
    """The environment variable in which each pod finds the ClusterIP of a Service of its namespace."""
    return f"{service.upper().replace('-', '_')}_SERVICE_HOST"
