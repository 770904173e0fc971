"""The resources that the API server in memory has from the start, and those that CustomResourceDefinitions add."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CRD_GROUP = "apiextensions.k8s.io"
#: What `of_definition` raises for what defines nothing, and how that is mended.
UNDEFINED = (LookupError, TypeError, AttributeError, StopIteration)
DEFINITION_HINT = "spec: group, names, scope and versions with one storage version are needed"


@dataclass(frozen=True, slots=True)
class Resource:
    """`status`: it has a subresource of this name, and only that changes the status. `returned`: who deletes an object
    gets it back, and not a Status (apiserver, `ReturnDeletedObject`)."""

    plural: str
    kind: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    status: bool = False
    returned: bool = False
    short: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """As error texts name it: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def folder(self, namespace: str = "") -> str:
        """The path of its lists."""
        base = f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"
        return f"{base}/namespaces/{namespace}/{self.plural}" if namespace else f"{base}/{self.plural}"


BUILT_IN = (
    Resource("configmaps", "ConfigMap", short=("cm",)),
    Resource("endpoints", "Endpoints", short=("ep",)),
    Resource("events", "Event", short=("ev",)),
    Resource("limitranges", "LimitRange", short=("limits",)),
    Resource("namespaces", "Namespace", namespaced=False, status=True, short=("ns",)),
    Resource("nodes", "Node", namespaced=False, status=True, short=("no",)),
    Resource("persistentvolumeclaims", "PersistentVolumeClaim", status=True, returned=True, short=("pvc",)),
    Resource(
        "persistentvolumes", "PersistentVolume", namespaced=False, status=True, returned=True, short=("pv",)
    ),
    Resource("pods", "Pod", status=True, returned=True, short=("po",)),
    Resource("replicationcontrollers", "ReplicationController", status=True, short=("rc",)),
    Resource("resourcequotas", "ResourceQuota", status=True, returned=True, short=("quota",)),
    Resource("secrets", "Secret"),
    Resource("serviceaccounts", "ServiceAccount", returned=True, short=("sa",)),
    Resource("services", "Service", status=True, returned=True, short=("svc",)),
    Resource("controllerrevisions", "ControllerRevision", "apps"),
    Resource("daemonsets", "DaemonSet", "apps", status=True, short=("ds",)),
    Resource("deployments", "Deployment", "apps", status=True, short=("deploy",)),
    Resource("replicasets", "ReplicaSet", "apps", status=True, short=("rs",)),
    Resource("statefulsets", "StatefulSet", "apps", status=True, short=("sts",)),
    Resource("cronjobs", "CronJob", "batch", status=True, short=("cj",)),
    Resource("jobs", "Job", "batch", status=True),
    Resource(
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        "autoscaling",
        "v2",
        status=True,
        short=("hpa",),
    ),
    Resource("leases", "Lease", "coordination.k8s.io"),
    Resource("endpointslices", "EndpointSlice", "discovery.k8s.io"),
    Resource("ingressclasses", "IngressClass", "networking.k8s.io", namespaced=False),
    Resource("ingresses", "Ingress", "networking.k8s.io", status=True, short=("ing",)),
    Resource("networkpolicies", "NetworkPolicy", "networking.k8s.io", short=("netpol",)),
    Resource("poddisruptionbudgets", "PodDisruptionBudget", "policy", status=True, short=("pdb",)),
    Resource("clusterrolebindings", "ClusterRoleBinding", "rbac.authorization.k8s.io", namespaced=False),
    Resource("clusterroles", "ClusterRole", "rbac.authorization.k8s.io", namespaced=False),
    Resource("rolebindings", "RoleBinding", "rbac.authorization.k8s.io"),
    Resource("roles", "Role", "rbac.authorization.k8s.io"),
    Resource("storageclasses", "StorageClass", "storage.k8s.io", namespaced=False, short=("sc",)),
    Resource(
        "customresourcedefinitions", "CustomResourceDefinition", CRD_GROUP, namespaced=False, status=True
    ),
    # Not of Kubernetes itself, but cluster DNS reads them (KEP-1645).
    Resource("serviceexports", "ServiceExport", "multicluster.x-k8s.io", "v1alpha1", status=True),
    Resource("serviceimports", "ServiceImport", "multicluster.x-k8s.io", "v1alpha1", status=True),
)


def of_definition(definition: Mapping[str, Any]) -> Resource:
    """What a CustomResourceDefinition (v1) defines, in its storage version. KeyError and the like when it is none."""
    spec = definition["spec"]
    names = spec["names"]
    version = next(each for each in spec["versions"] if each["storage"])
    return Resource(
        names["plural"],
        names["kind"],
        spec["group"],
        version["name"],
        spec["scope"] == "Namespaced",
        status="status" in (version.get("subresources") or {}),
        returned=True,
        short=tuple(names.get("shortNames") or ()),
    )
