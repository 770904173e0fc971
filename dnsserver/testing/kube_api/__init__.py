"""A faithful API server for tests: list and watch over HTTP, in memory, with faults by script."""

from dnsserver.testing.kube_api.faults import (
    Fault,
    cut,
    expired,
    forbidden,
    half_json,
    mute,
    silent,
    slow,
    status,
    too_large,
    watch_line,
)
from dnsserver.testing.kube_api.samples import (
    imported_slice,
    namespace,
    pod,
    service,
    service_import,
    slice_of,
)
from dnsserver.testing.kube_api.server import KubeApi, Request, ServerTls

__all__ = [
    "Fault",
    "KubeApi",
    "Request",
    "ServerTls",
    "cut",
    "expired",
    "forbidden",
    "half_json",
    "imported_slice",
    "mute",
    "namespace",
    "pod",
    "service",
    "service_import",
    "silent",
    "slice_of",
    "slow",
    "status",
    "too_large",
    "watch_line",
]
