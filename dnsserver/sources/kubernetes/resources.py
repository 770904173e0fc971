"""The resources that feed the cluster state: where they are, and what reading them needs."""

from dataclasses import dataclass

from dnsserver.sources.kubernetes.settings import LiveSettings
from dnsserver.sources.objects import IMPORT_NAME_LABEL, OWN_SLICES, SliceParts
from dnsserver.sources.structs import (
    ApiObject,
    ImportObject,
    NamespaceObject,
    PodObject,
    ServiceObject,
    SliceObject,
)
from dnsserver.zone.objects import Feed

#: Pods that have finished are not sent at all (cluster-dns-behaviour.md, section 13).
RUNNING_PODS = "status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown"


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource in all namespaces; `group` is "" for the core group."""

    feed: Feed
    kind: type[ApiObject]
    group: str = ""
    version: str = "v1"
    label_selector: str = ""
    field_selector: str = ""
    parts: SliceParts = OWN_SLICES
    """What is kept of EndpointSlices."""

    @property
    def path(self) -> str:
        prefix = f"/apis/{self.group}" if self.group else "/api"
        return f"{prefix}/{self.version}/{self.feed.value}"

    @property
    def shown(self) -> str:
        """As `kubectl` takes it: endpointslices.discovery.k8s.io."""
        return f"{self.feed.value}.{self.group}" if self.group else self.feed.value

    @property
    def selectors(self) -> dict[str, str]:
        """Request parameters that choose objects."""
        found = {"labelSelector": self.label_selector, "fieldSelector": self.field_selector}
        return {name: text for name, text in found.items() if text}

    @property
    def rule(self) -> str:
        """The ClusterRole rule that reading needs."""
        return f'{{apiGroups: ["{self.group}"], resources: ["{self.feed.value}"], verbs: ["list", "watch"]}}'


def resources(settings: LiveSettings) -> list[Resource]:
    """What *settings* ask to be watched, in a fixed order."""
    labels = settings.labels.text if settings.labels else ""
    namespace_labels = settings.namespace_labels.text if settings.namespace_labels else ""
    # Without endpoints of its own Services the cluster's slices are those that others gave.
    some = [text for text in (labels, "" if settings.parts.own else IMPORT_NAME_LABEL) if text]
    every = (
        Resource(Feed.SERVICES, ServiceObject, label_selector=labels),
        Resource(
            Feed.ENDPOINT_SLICES,
            SliceObject,
            group="discovery.k8s.io",
            label_selector=",".join(some),
            parts=settings.parts,
        ),
        Resource(Feed.NAMESPACES, NamespaceObject, label_selector=namespace_labels),
        Resource(Feed.PODS, PodObject, label_selector=labels, field_selector=RUNNING_PODS),
        Resource(
            Feed.SERVICE_IMPORTS,
            ImportObject,
            group="multicluster.x-k8s.io",
            version="v1alpha1",
            label_selector=labels,
        ),
    )
    return [resource for resource in every if resource.feed in settings.feeds]
