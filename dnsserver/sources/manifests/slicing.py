"""EndpointSlices as the cluster's controller makes them of Services and pods (pkg/controller/endpointslice)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from dnsserver.sources.manifests.addressing import family_of
from dnsserver.sources.manifests.hashing import suffix
from dnsserver.sources.manifests.settings import Family
from dnsserver.sources.manifests.stated import PodTemplate, ServicePort, StatedPod, StatedService
from dnsserver.sources.texts import MAX_LABEL
from dnsserver.zone.objects import Endpoint, EndpointSlice, ObjectKey, Port

#: Characters of the suffix of a slice's name.
SLICE_SUFFIX = 5


class PodIndex:
    """Pods by namespace and label, so that each Service looks at few of them."""

    def __init__(self, pods: Iterable[StatedPod]) -> None:
        self._by_label: dict[tuple[str, str, str], list[StatedPod]] = defaultdict(list)
        for pod in sorted(pods, key=lambda item: item.identity):
            for name, value in pod.template.labels.items():
                self._by_label[pod.identity.key.namespace, name, value].append(pod)

    def selected(self, namespace: str, selector: Mapping[str, str]) -> Iterator[StatedPod]:
        """The pods that carry all labels of *selector*, which is not empty, in the order of their names."""
        wanted = selector.items()
        fewest = min((self._by_label.get((namespace, *label), []) for label in wanted), key=len)
        return (pod for pod in fewest if wanted <= pod.template.labels.items())


def slices_of(
    service: StatedService, families: Iterable[Family], pods: PodIndex, taken: Mapping[ObjectKey, object]
) -> Iterator[EndpointSlice]:
    """The slices of *service*: one for each family and each set of port numbers that its ready pods have.

    *taken* are names that stated slices have.
    """
    namespace, name = service.identity.key
    ready = [pod for pod in pods.selected(namespace, service.selector) if _ready(pod, service)]
    for family in families:
        groups: dict[tuple[Port, ...], list[Endpoint]] = defaultdict(list)
        for pod in ready:
            address = next((ip for ip in pod.ips if family_of(ip) == family), "")
            if address:
                groups[_ports(service.ports, pod.template)].append(_endpoint(pod, address, name))
        for ports, endpoints in groups.items():
            key = _slice_key(service.identity.key, family, ports, taken)
            yield EndpointSlice(key, name, tuple(endpoints), ports)


def _ready(pod: StatedPod, service: StatedService) -> bool:
    """Finished pods are never endpoints; of the others, publishNotReadyAddresses takes all."""
    if pod.phase in ("Succeeded", "Failed"):
        return False
    return service.publish_not_ready or (pod.ready and not pod.terminating)


def _endpoint(pod: StatedPod, address: str, service: str) -> Endpoint:
    """With the hostname only where the pod says that it belongs to this Service."""
    hostname = pod.template.hostname if pod.template.subdomain == service else ""
    name = pod.identity.key.name
    return Endpoint(address, hostname, name if len(name) <= MAX_LABEL else "")


def _ports(ports: Iterable[ServicePort], template: PodTemplate) -> tuple[Port, ...]:
    """The Service's ports with the numbers that they have in the pod; a name that the pod lacks is left out."""
    found = []
    for port in ports:
        if isinstance(port.target, int):
            found.append(Port(port.name, port.protocol, port.target))
            continue
        for candidate in template.ports:
            if (candidate.name, candidate.protocol) == (port.target, port.protocol):
                found.append(Port(port.name, port.protocol, candidate.number))
                break
    return tuple(found)


def _slice_key(
    service: ObjectKey, family: Family, ports: tuple[Port, ...], taken: Mapping[ObjectKey, object]
) -> ObjectKey:
    attempt = 0
    shown = " ".join(f"{port.name}/{port.protocol}/{port.number}" for port in ports)
    while True:
        ending = suffix(SLICE_SUFFIX, "EndpointSlice", *service, family, shown, str(attempt))
        key = ObjectKey(service.namespace, f"{service.name}-{ending}")
        if key not in taken:
            return key
        attempt += 1
