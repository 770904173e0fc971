"""A Kubernetes API server for tests: over HTTP, in memory, with faults by script.

Served as a real one does (checked against kube-apiserver where tests can have one):

- get, list, watch, create, update (PUT), patch, delete, deletecollection of the kinds in `resources.BUILT_IN`, and of
  custom resources once their CustomResourceDefinition is there; the subresource `status`; discovery and probes.
- lists in pages, label selectors, field selectors (`store.FIELDS`), watches with bookmarks, streaming lists, 410 after
  `KubeApi.compact`; resourceVersion, uid, generation, 409 for stale writes, finalizers, `generateName`.
- JSON patch, merge patch, and strategic merge patch for built-in kinds.
- Of admission: namespaces must exist, Services get type, protocols, `clusterIP` (one, IPv4) and families.
- With `access.Access`: bearer tokens of ServiceAccounts, given out by TokenRequests, and RBAC by the ClusterRoles and
  ClusterRoleBindings that are stored.

`python -m dnsserver.testing.kube_api` is a server of that kind as a process, which keeps its objects over a restart.

Not served, and told with a Status: server-side apply and protobuf (415), dry runs (400), other subresources (`scale`,
`log`, `exec`, `proxy`: 404), other versions of a kind than one (404), OpenAPI (404). Not done: validation by schema,
defaults but those of Services, admission webhooks, Roles in one namespace, garbage collection, and whatever
controllers do. So no Deployment makes Pods here; but DNS that is fed from here (fixture `cluster_dns`) has the names of
the Pods and EndpointSlices that a cluster would make.
"""

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
from dnsserver.testing.kube_api.requests import Request
from dnsserver.testing.kube_api.samples import (
    imported_slice,
    namespace,
    pod,
    service,
    service_import,
    slice_of,
)
from dnsserver.testing.kube_api.server import KubeApi, ServerTls

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
