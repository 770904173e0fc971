"""Pod records, `10-4-1-32.NS.pod.Z` (cluster-dns-behaviour.md, section 7)."""

from ipaddress import IPv6Address, ip_address

from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.policy import PodMode, RecordPolicy
from dnsserver.zone.rrset import Node, address_rrsets, node


def pod_node(label: str, namespace: str, state: ClusterState, policy: RecordPolicy) -> Node | None:
    """The node of a pod name in a namespace that is exposed; None when there is none."""
    if policy.pods is PodMode.DISABLED or "." in label or ":" in label:
        return None  # an address as it is, in one label with escapes, is no pod name
    text = address_text(label)
    if policy.pods is PodMode.VERIFIED and not any(
        pod.key.namespace == namespace for pod in state.pods_at(text)
    ):
        return None
    octets = _octets(text)
    return None if octets is None else node(*address_rrsets((octets,), policy.ttl))


def pod_label(address: str) -> bytes:
    """The label that means *address*, as it is spelled."""
    return address.replace(".", "-").replace(":", "-").encode()


def address_text(label: str) -> str:
    """The address that a pod label means: three single dashes are dots, any others colons."""
    if label.count("-") == 3 and "--" not in label:
        return label.replace("-", ".")
    return label.replace("-", ":")


def _octets(text: str) -> bytes | None:
    if "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.packed
    return address.packed
