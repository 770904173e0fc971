"""An EndpointSlice as names see it: each ready endpoint with its own name below the Service (section 4.3)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dnsserver.wire import names
from dnsserver.wire.limits import LABEL_MAX
from dnsserver.zone.addresses import packed
from dnsserver.zone.objects import Endpoint, EndpointSlice
from dnsserver.zone.policy import RecordPolicy


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint: its name (a wire prefix relative to the zone, in the object's case), address (octets) and topology
    zone."""

    name: bytes
    address: bytes
    zone: str = ""


class SliceTargets:
    """Made once per version of a slice: a Service of many slices pays for the one that changes.

    `by_owner` has the endpoints by their name relative to the Service, in lower case; several may share one.
    """

    __slots__ = ("by_owner", "slice", "targets")

    def __init__(self, slice_: EndpointSlice, policy: RecordPolicy) -> None:
        self.slice = slice_
        self.targets = tuple(_targets(slice_, policy))
        own = len(service_prefix(slice_, policy))
        by_owner: dict[bytes, list[Target]] = defaultdict(list)
        for target in self.targets:
            by_owner[target.name[:-own].lower()].append(target)
        self.by_owner: Mapping[bytes, list[Target]] = by_owner


def service_prefix(slice_: EndpointSlice, policy: RecordPolicy) -> bytes:
    """The name of the Service or ServiceImport that *slice_* belongs to, relative to the zone."""
    service = slice_.imported if policy.clusterset else slice_.service
    return names.prefix((service.encode(), slice_.key.namespace.encode(), *policy.below))


def endpoint_name(slice_: EndpointSlice, endpoint: Endpoint, policy: RecordPolicy) -> bytes:
    """The endpoint's name relative to the zone. A pod name with dots gives several labels."""
    return names.prefix(endpoint_labels(endpoint, policy)) + _above_endpoints(slice_, policy)


def _above_endpoints(slice_: EndpointSlice, policy: RecordPolicy) -> bytes:
    """The name that the endpoints' own stand below: of a ServiceImport, that of the cluster they are in."""
    cluster = _labels(slice_.cluster) if policy.clusterset and slice_.cluster else ()
    return names.prefix(cluster) + service_prefix(slice_, policy)


def endpoint_labels(endpoint: Endpoint, policy: RecordPolicy) -> tuple[bytes, ...]:
    """The endpoint's own labels below its Service: one, but for a pod name with dots.

    A hostname or pod name that cannot stand in a domain name is passed over: the address does.
    """
    pod_name = endpoint.pod_name if policy.endpoint_pod_names else ""
    for text in (endpoint.hostname, pod_name):
        labels = _labels(text) if text else ()
        if labels:
            return labels
    if ":" not in endpoint.address:
        return (endpoint.address.replace(".", "-").encode(),)
    dashed = endpoint.address.replace(":", "-")
    return ((dashed + "0" if dashed.endswith("-") else dashed).encode(),)


def _targets(slice_: EndpointSlice, policy: RecordPolicy) -> Iterator[Target]:
    above = _above_endpoints(slice_, policy)
    for endpoint in slice_.endpoints:
        address = packed(endpoint.address)
        if address is not None:
            name = names.prefix(endpoint_labels(endpoint, policy)) + above
            yield Target(name, address, endpoint.zone)


def _labels(text: str) -> tuple[bytes, ...]:
    """The labels that *text* means, none when it is no relative domain name."""
    try:
        parts = tuple(part.encode() for part in text.split("."))
    except UnicodeEncodeError:
        return ()
    return parts if all(0 < len(part) <= LABEL_MAX for part in parts) else ()
