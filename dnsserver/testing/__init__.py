"""For the test suites of others: a cluster's DNS in process, and a Kubernetes API in memory (docs/testing.md).

Importing this package imports nothing else until a name is used: pytest does so in every run.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dnsserver.testing.answers import Answer
    from dnsserver.testing.cluster_dns import ClusterDNS
    from dnsserver.testing.threaded_cluster_dns import ThreadedClusterDNS
    from dnsserver.testing.threaded_kube_api import ThreadedKubeApi

__all__ = ["Answer", "ClusterDNS", "ThreadedClusterDNS", "ThreadedKubeApi"]

_MODULES = {
    "Answer": "answers",
    "ClusterDNS": "cluster_dns",
    "ThreadedClusterDNS": "threaded_cluster_dns",
    "ThreadedKubeApi": "threaded_kube_api",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
