"""For the test suites of others: a cluster's DNS in process, and a Kubernetes API in memory.

Importing this package imports nothing else until a name is used: test runners import it in every run.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dnsserver.testing.cluster_dns import ClusterDNS

__all__ = ["ClusterDNS"]


def __getattr__(name: str) -> Any:
    if name != "ClusterDNS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dnsserver.testing.cluster_dns import ClusterDNS

    return ClusterDNS
