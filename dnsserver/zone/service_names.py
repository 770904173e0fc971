"""One Service and its EndpointSlices to all owner names at and below it (cluster-dns-behaviour.md, sections 4, 5).

Owner names are wire prefixes relative to the Service's own name, in lower case:

    ""                    SVC.NS.svc.Z               A, AAAA, SRV; or CNAME
    "_http._tcp"          _http._tcp.SVC.NS.svc.Z    A, AAAA, SRV of the endpoints that have this port
    "_tcp"                _tcp.SVC.NS.svc.Z          exists, empty
    "web-0", "10-4-1-32"  EP.SVC.NS.svc.Z            A, AAAA, SRV of one endpoint
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.errors import NameTextError
from dnsserver.wire.limits import LABEL_MAX
from dnsserver.wire.records import name_rdata, srv_rdata
from dnsserver.zone.addresses import packed
from dnsserver.zone.objects import Endpoint, EndpointSlice, Port, Service, ServiceType
from dnsserver.zone.policy import RecordPolicy
from dnsserver.zone.rrset import EMPTY_NODE, Node, RRset, address_rrsets, node

#: All names at and below one Service.
ServiceNames = Mapping[bytes, Node]

NO_NAMES: ServiceNames = {}

#: SRV priority of all records (section 5).
PRIORITY = 0
#: Weight that is shared out among the candidates of one SRV answer (section 5).
WEIGHT_TOTAL = 100


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One address and port that may answer. `target` is relative to the zone; no port: addresses only."""

    target: bytes
    address: bytes
    port: Port | None


def service_names(service: Service, slices: Sequence[EndpointSlice], policy: RecordPolicy) -> ServiceNames:
    """Every existing name at and below *service*; none at all when the Service itself does not exist for DNS."""
    if service.type is ServiceType.EXTERNAL_NAME:
        return _external_name(service, policy)
    own = names.prefix((service.key.name.encode(), service.key.namespace.encode(), b"svc"))
    endpoints = list(_endpoint_candidates(own, slices, policy))
    if service.headless:
        candidates = endpoints
        exists = bool(endpoints)
    else:
        candidates = list(_cluster_ip_candidates(own, service))
        exists = bool(endpoints) or not policy.ignore_empty_service
    if not exists:
        return NO_NAMES
    found: dict[bytes, Node] = {}
    for (name, protocol), group in _by_named_port(candidates).items():
        found[names.prefix((b"_" + protocol,))] = EMPTY_NODE
        found[names.prefix((b"_" + name, b"_" + protocol))] = _node(group, policy.ttl)
    for target, group in _by_target(endpoints).items():
        relative = target[: -len(own)].lower()
        for ancestor in _ancestors(relative):
            found.setdefault(ancestor, EMPTY_NODE)
        found[relative] = _node(group, policy.ttl)
    found[b""] = _node(candidates, policy.ttl)
    return found


def endpoint_labels(endpoint: Endpoint, policy: RecordPolicy) -> tuple[bytes, ...]:
    """The endpoint's own labels below its Service (section 4.3): one, but for a pod name with dots.

    A hostname or pod name that cannot stand in a domain name is passed over: the address does.
    """
    pod_name = endpoint.pod_name if policy.endpoint_pod_names else ""
    for text in (endpoint.hostname, pod_name):
        labels = _labels(text)
        if labels:
            return labels
    if ":" not in endpoint.address:
        return (endpoint.address.replace(".", "-").encode(),)
    dashed = endpoint.address.replace(":", "-")
    return ((dashed + "0" if dashed.endswith("-") else dashed).encode(),)


def _labels(text: str) -> tuple[bytes, ...]:
    """The labels that *text* means, none when it is empty or no relative domain name."""
    try:
        parts = tuple(part.encode() for part in text.split("."))
    except UnicodeEncodeError:
        return ()
    return parts if all(0 < len(part) <= LABEL_MAX for part in parts) else ()


def endpoint_name(slice_: EndpointSlice, endpoint: Endpoint, policy: RecordPolicy) -> bytes:
    """The endpoint's name relative to the zone. A pod name with dots gives several labels."""
    service = (slice_.service.encode(), slice_.key.namespace.encode(), b"svc")
    return names.prefix((*endpoint_labels(endpoint, policy), *service))


def _external_name(service: Service, policy: RecordPolicy) -> ServiceNames:
    """A CNAME; nothing when the target is an IP address (section 4.4) or no domain name."""
    if packed(service.external_name) is not None:
        return NO_NAMES
    try:
        target = names.from_text(service.external_name)
    except NameTextError:
        return NO_NAMES
    if target == names.ROOT:
        return NO_NAMES
    return {b"": node(RRset(Type.CNAME, policy.ttl, (name_rdata(target),)))}


def _cluster_ip_candidates(own: bytes, service: Service) -> Iterable[_Candidate]:
    for port in service.ports or (None,):
        for text in service.cluster_ips:
            address = packed(text)
            if address is not None:
                yield _Candidate(own, address, port)


def _endpoint_candidates(
    own: bytes, slices: Sequence[EndpointSlice], policy: RecordPolicy
) -> Iterable[_Candidate]:
    for slice_ in slices:
        for endpoint in slice_.endpoints:
            address = packed(endpoint.address)
            if address is None:
                continue
            target = names.prefix(endpoint_labels(endpoint, policy)) + own
            for port in slice_.ports or (None,):
                yield _Candidate(target, address, port)


def _by_named_port(candidates: Iterable[_Candidate]) -> Mapping[tuple[bytes, bytes], list[_Candidate]]:
    groups: dict[tuple[bytes, bytes], list[_Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.port is not None and candidate.port.name:
            key = candidate.port.name.lower().encode(), candidate.port.protocol.lower().encode()
            groups[key].append(candidate)
    return groups


def _by_target(candidates: Iterable[_Candidate]) -> Mapping[bytes, list[_Candidate]]:
    """By target without regard to case; the first spelling stands for the group."""
    spelling: dict[bytes, bytes] = {}
    groups: dict[bytes, list[_Candidate]] = defaultdict(list)
    for candidate in candidates:
        groups[spelling.setdefault(candidate.target.lower(), candidate.target)].append(candidate)
    return groups


def _ancestors(relative: bytes) -> Iterable[bytes]:
    """The proper ancestors of a wire prefix, the empty one left out."""
    parts = names.labels(relative + names.ROOT)
    return (names.prefix(parts[place:]) for place in range(1, len(parts)))


def _node(candidates: Sequence[_Candidate], ttl: int) -> Node:
    addresses = address_rrsets((candidate.address for candidate in candidates), ttl)
    return node(*addresses, _srv(candidates, ttl))


def _srv(candidates: Sequence[_Candidate], ttl: int) -> RRset:
    """One record per distinct target and port; the weight counts all candidates, those without port too (section 5)."""
    weight = max(1, WEIGHT_TOTAL // len(candidates)) if candidates else 1
    ported = [(candidate, candidate.port) for candidate in candidates if candidate.port is not None]
    pairs = dict.fromkeys((candidate.target, port.number) for candidate, port in ported)
    rdatas = tuple(srv_rdata(PRIORITY, weight, number, target, relative=True) for target, number in pairs)
    additional = tuple(
        (target, rrset)
        for target, group in _by_target(candidate for candidate, _ in ported).items()
        for rrset in address_rrsets((candidate.address for candidate in group), ttl)
        if rrset.rdatas
    )
    return RRset(Type.SRV, ttl, rdatas, additional)
