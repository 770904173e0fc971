"""What all manifests together make: slim objects by feed, with what the cluster's controllers would add.

What is stated is never changed. Added are pods of workloads, addresses of pods and Services, EndpointSlices of
Services that have a selector and no stated slice or Endpoints object, and namespaces that are named anywhere.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from dnsserver.sources.manifests.addressing import Allocator, family_of
from dnsserver.sources.manifests.kinds import NAMESPACE_NAME_LABEL
from dnsserver.sources.manifests.settings import INITIAL_NAMESPACES, Family, ManifestSettings
from dnsserver.sources.manifests.slicing import PodIndex, slices_of
from dnsserver.sources.manifests.stated import (
    Content,
    Stated,
    StatedEndpoints,
    StatedImport,
    StatedNamespace,
    StatedPod,
    StatedService,
    StatedSlice,
    Workload,
)
from dnsserver.sources.manifests.workloads import all_pods
from dnsserver.sources.objects import FINISHED_PHASES
from dnsserver.sources.selectors import Selector, parse
from dnsserver.zone.objects import (
    HEADLESS,
    ClusterObject,
    EndpointSlice,
    Feed,
    Namespace,
    ObjectKey,
    Pod,
    ServiceType,
)

#: Slim objects of each feed by key.
Target = dict[Feed, dict[ObjectKey, ClusterObject]]

_BOTH: tuple[Family, ...] = ("IPv4", "IPv6")
_Kind = TypeVar("_Kind", bound=Stated)


def build(contents: Iterable[Content], settings: ManifestSettings) -> Target:
    """The state of the cluster. ShortageError when addresses or pods do not suffice."""
    return _Builder(tuple(contents), settings).target()


@dataclass(frozen=True, slots=True)
class Assembled:
    """What is stated, with what controllers would add; *slices* and *namespaces* are slim."""

    services: Mapping[ObjectKey, StatedService]
    pods: Mapping[ObjectKey, StatedPod]
    slices: tuple[EndpointSlice, ...]
    namespaces: tuple[Namespace, ...]


def assemble(contents: Iterable[Content], settings: ManifestSettings) -> Assembled:
    """The same before it is cut down. ShortageError as `build`."""
    return _Builder(tuple(contents), settings).assembled()


@dataclass(slots=True)
class _Addresses:
    """Allocators by family, made when first needed."""

    sort: str
    ranges: tuple[str, ...]
    taken: set[str]
    made: dict[Family, Allocator] = field(default_factory=dict)

    def give(self, key: ObjectKey, family: Family) -> str:
        if family not in self.made:
            network = next(text for text in self.ranges if family_of(text) == family)
            taken = (address for address in self.taken if family_of(address) == family)
            self.made[family] = Allocator(self.sort, network, taken)
        return self.made[family].address(key)


class _Builder:
    def __init__(self, contents: tuple[Content, ...], settings: ManifestSettings) -> None:
        self._settings = settings
        self._contents = contents
        objects = [item for content in contents for item in content.objects.values()]
        self._services = _by_key(objects, StatedService)
        self._imports = _by_key(objects, StatedImport)
        self._slices = _by_key(objects, StatedSlice)
        self._endpoints = _by_key(objects, StatedEndpoints)
        self._pods = _by_key(objects, StatedPod)
        self._workloads = [item for item in objects if isinstance(item, Workload)]
        self._namespaces = {
            item.identity.key.name: item.labels for item in objects if isinstance(item, StatedNamespace)
        }
        self._selector = parse(settings.label_selector) if settings.label_selector.strip() else Selector(())

    def assembled(self) -> Assembled:
        services, pods = self._kept()
        slices = tuple(self._all_slices(services, pods))
        return Assembled(services, pods, slices, tuple(self._slim_namespaces()))

    def _kept(self) -> tuple[dict[ObjectKey, StatedService], dict[ObjectKey, StatedPod]]:
        """All Services and pods, with their addresses."""
        taken = self._stated_addresses()
        services = self._with_addresses(taken)
        pods = all_pods(self._pods, self._workloads, self._settings)
        return services, self._with_pod_addresses(pods, taken)

    def target(self) -> Target:
        services, pods = self._kept()
        feeds: dict[Feed, Iterable[ClusterObject]] = {
            Feed.SERVICES: (item.service for item in services.values() if self._selected(item.labels)),
            Feed.SERVICE_IMPORTS: (
                item.service_import for item in self._imports.values() if self._selected(item.labels)
            ),
            Feed.ENDPOINT_SLICES: self._all_slices(services, pods),
            Feed.PODS: self._slim_pods(pods),
            Feed.NAMESPACES: self._slim_namespaces(),
        }
        return {
            feed: {item.key: item for item in objects}
            for feed, objects in feeds.items()
            if feed in self._settings.feeds
        }

    def _selected(self, labels: Mapping[str, str]) -> bool:
        return self._selector.matches(labels)

    # Addresses.

    def _stated_addresses(self) -> set[str]:
        found = {ip for item in self._services.values() for ip in item.service.cluster_ips if ip != HEADLESS}
        found |= {ip for pod in self._pods.values() for ip in pod.ips}
        stated = [item.slice for item in self._slices.values() if item.slice]
        stated += [item for endpoints in self._endpoints.values() for item in endpoints.slices]
        return found | {endpoint.address for item in stated for endpoint in item.endpoints}

    def _with_addresses(self, taken: set[str]) -> dict[ObjectKey, StatedService]:
        """All Services with clusterIPs, in the order of their keys."""
        addresses = _Addresses("Services", self._settings.service_ranges, taken)
        found = {}
        for key, item in sorted(self._services.items()):
            service = item.service
            families = self._families(item)
            if service.type is not ServiceType.EXTERNAL_NAME and not service.headless:
                stated = {family_of(ip) for ip in service.cluster_ips}
                more = tuple(addresses.give(key, family) for family in families if family not in stated)
                service = replace(service, cluster_ips=service.cluster_ips + more) if more else service
            found[key] = replace(item, service=service, families=families)
        return found

    def _families(self, item: StatedService) -> tuple[Family, ...]:
        """The families of a Service, its first one first (kubernetes.io/docs/concepts/services-networking/dual-stack).

        RequireDualStack gives both on a single-stack cluster too: the manifest is for one that has both.
        """
        stated = tuple(family_of(ip) for ip in item.service.cluster_ips if ip != HEADLESS)
        families = item.families or stated or self._settings.families[:1]
        dual = item.policy == "PreferDualStack" and len(self._settings.families) > 1
        if dual or item.policy == "RequireDualStack":
            families += _BOTH
        return tuple(dict.fromkeys(families + stated))

    def _with_pod_addresses(
        self, pods: Mapping[ObjectKey, StatedPod], taken: set[str]
    ) -> dict[ObjectKey, StatedPod]:
        """All pods with addresses, in the order of their keys. What a live pod lacks it does not have."""
        addresses = _Addresses("pods", self._settings.pod_ranges, taken)
        wanted = dict.fromkeys(self._settings.families)
        for service in self._services.values():
            wanted.update(dict.fromkeys(self._families(service) if service.selector else ()))
        found = {}
        for key, pod in sorted(pods.items()):
            if pod.ips or pod.live:
                found[key] = pod
            else:
                found[key] = replace(pod, ips=tuple(addresses.give(key, family) for family in wanted))
        return found

    # Slices.

    def _all_slices(
        self, services: Mapping[ObjectKey, StatedService], pods: Mapping[ObjectKey, StatedPod]
    ) -> Iterator[EndpointSlice]:
        sliced = set()
        for item in self._slices.values():
            sliced.add(ObjectKey(item.identity.key.namespace, item.service))
            wanted = None if item.slice is None else self._wanted(item.slice)
            if wanted is not None and self._selected(item.labels):
                yield wanted
        if not self._settings.parts.own:
            return
        for key, endpoints in sorted(self._endpoints.items()):
            if key in sliced or key not in services:
                continue  # the slices are stated too (a dump), or mirroring has no Service to mirror for
            sliced.add(key)
            if endpoints.mirrored and self._selected(endpoints.labels):
                yield from endpoints.slices
        index = PodIndex(pods.values())
        for key, service in services.items():
            external = service.service.type is ServiceType.EXTERNAL_NAME
            if service.selector and not external and key not in sliced and self._selected(service.labels):
                yield from slices_of(service, service.families, index, self._slices)

    def _wanted(self, slice_: EndpointSlice) -> EndpointSlice | None:
        """*slice_* without the parts that nobody asks for; None when nothing is left."""
        parts = self._settings.parts
        if not parts.own:
            if not slice_.imported:
                return None
            slice_ = replace(slice_, service="")
        if slice_.imported and not parts.imported:
            slice_ = replace(slice_, imported="", cluster="")
        if not parts.zones and any(endpoint.zone for endpoint in slice_.endpoints):
            slice_ = replace(slice_, endpoints=tuple(replace(each, zone="") for each in slice_.endpoints))
        return slice_

    # Slim objects.

    def _slim_pods(self, pods: Mapping[ObjectKey, StatedPod]) -> Iterator[Pod]:
        for key, pod in pods.items():
            if pod.phase not in FINISHED_PHASES and self._selected(pod.template.labels):
                yield Pod(key, pod.ips[0] if pod.ips else "", pod.terminating)

    def _slim_namespaces(self) -> Iterator[Namespace]:
        text = self._settings.namespace_selector
        selector = parse(text) if text.strip() else Selector(())
        names = {*INITIAL_NAMESPACES, *self._namespaces}
        for content in self._contents:
            names |= content.namespaces
        for name in sorted(names):
            if selector.matches(self._namespaces.get(name, {NAMESPACE_NAME_LABEL: name})):
                yield Namespace(name)


def _by_key(objects: Iterable[Stated], kind: type[_Kind]) -> dict[ObjectKey, _Kind]:
    return {item.identity.key: item for item in objects if isinstance(item, kind)}
