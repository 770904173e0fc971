"""One Service and its EndpointSlices to the owner names at and below it (cluster-dns-behaviour.md, sections 4, 5).

Owner names are wire prefixes relative to the Service's own name, in lower case:

    ""                    SVC.NS.svc.Z               A, AAAA, SRV; or CNAME
    "_http._tcp"          _http._tcp.SVC.NS.svc.Z    A, AAAA, SRV of the endpoints that have this port
    "_tcp"                _tcp.SVC.NS.svc.Z          exists, empty
    "web-0", "10-4-1-32"  EP.SVC.NS.svc.Z            A, AAAA, SRV of one endpoint
    "web-0.east"          EP.CLUSTER.SVC.NS.svc.Z    the same of a ServiceImport (section 11.1)
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.errors import NameTextError
from dnsserver.wire.limits import LABEL_MAX
from dnsserver.wire.records import name_rdata, srv_rdata
from dnsserver.zone.addresses import packed
from dnsserver.zone.objects import EndpointSlice, Identity, ObjectKey, Port, Service, ServiceType
from dnsserver.zone.policy import RecordPolicy
from dnsserver.zone.rrset import EMPTY_NODE, Node, RRset, address_rrsets, node
from dnsserver.zone.slice_targets import SliceTargets

#: SRV priority of all records (section 5).
PRIORITY = 0
#: Weight that is shared out among the candidates of one SRV answer (section 5).
WEIGHT_TOTAL = 100


class _LazyNode(Mapping[int, RRset]):
    """A node whose RRsets are made when they are first looked at: most questions are for addresses, and SRV records
    of many endpoints cost ten times as much."""

    __slots__ = ("_addresses", "_candidates", "_made", "_ttl", "_types")

    def __init__(
        self,
        addresses: Sequence[bytes],
        candidates: Callable[[], Iterable["_Candidate"]],
        *,
        has_srv: bool,
        ttl: int,
    ) -> None:
        self._addresses = addresses
        self._candidates = candidates
        self._ttl = ttl
        sizes = {len(address) for address in addresses}
        present = {Type.A: 4 in sizes, Type.AAAA: 16 in sizes, Type.SRV: has_srv}
        self._types = tuple(rtype for rtype, there in present.items() if there)
        self._made: dict[int, RRset] = {}

    def __getitem__(self, rtype: int) -> RRset:
        if rtype not in self._types:
            raise KeyError(rtype)
        if rtype not in self._made:
            if rtype == Type.SRV:
                self._made[rtype] = _srv(list(self._candidates()), self._ttl)
            else:
                ipv4, ipv6 = address_rrsets(self._addresses, self._ttl)
                self._made |= {Type.A: ipv4, Type.AAAA: ipv6}
        return self._made[rtype]

    def __iter__(self) -> Iterator[int]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One address and port that may answer. `target` is relative to the zone; no port: addresses only."""

    target: bytes
    address: bytes
    port: Port | None


class ServiceNames(Mapping[bytes, Node]):
    """Every existing name at and below *service*: none at all when the Service itself does not exist for DNS.

    Nodes are made when they are first looked at. *earlier* are the names before a change of the Service or of one of
    its slices: what did not change is taken over.
    """

    def __init__(
        self,
        service: Service,
        slices: Sequence[EndpointSlice],
        policy: RecordPolicy,
        earlier: "ServiceNames | None" = None,
    ) -> None:
        self._service = service
        self._policy = policy
        self._own = names.prefix((service.key.name.encode(), service.key.namespace.encode(), *policy.below))
        # Nothing below an ExternalName exists, even where a slice is tied to it (section 4.4).
        self._raw = () if service.type is ServiceType.EXTERNAL_NAME else tuple(slices)
        self._known: Mapping[ObjectKey, SliceTargets] = {} if earlier is None else earlier.slices_made
        self._made_slices: dict[ObjectKey, SliceTargets] | None = None
        self._nodes: dict[bytes, Node] = {}

    def __getitem__(self, owner: bytes) -> Node:
        made = self._nodes.get(owner)
        if made is None:
            made = self._make(owner)
            if made is None:
                raise KeyError(owner)  # not remembered: clients can ask for any number of names
            self._nodes[owner] = made
        return made

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._owners())

    def __len__(self) -> int:
        return len(self._owners())

    def below(self, labels: Sequence[bytes]) -> Node | None:
        """What is at the name of *labels*, in lower case, below the Service's own.

        The underscores of port and protocol are optional (an extension, section 2); they cannot be empty. Below a
        ServiceImport one of the two must be there, as the two labels without any are an endpoint and its cluster.
        """
        exact = self.get(names.prefix(labels))
        if exact is not None or len(labels) not in (1, 2):
            return exact
        if any(label == b"_" for label in labels):
            return None
        if self._policy.clusterset and not any(label.startswith(b"_") for label in labels):
            return None
        return self.get(names.prefix(b"_" + label.removeprefix(b"_") for label in labels))

    def in_zone(self, zone: str, *, prefer: bool) -> Node | None:
        """The endpoints of a headless Service in the topology zone *zone* ("": none are); where there are none, all
        with *prefer*, and else a name without records (section 11.2). Not remembered: clients can ask for any number
        of zones."""
        if not self._service.headless:
            return None
        found = [
            _Candidate(target.name, target.address, port)
            for made in self._slices.values()
            for target in made.targets
            if zone and target.zone == zone
            for port in made.slice.ports or (None,)
        ]
        if found:
            return self._node(found)
        return self.get(b"", EMPTY_NODE) if prefer else EMPTY_NODE

    def made_of(self, owner: bytes) -> tuple[Identity, ...]:
        """The objects that the records at *owner* are made of, first the one that it is named after."""
        own = Identity("ServiceImport" if self._policy.clusterset else "Service", self._service.key)
        if self._service.type is ServiceType.EXTERNAL_NAME:
            return (own,)
        named = [made for made in self._slices.values() if owner in made.by_owner]
        if named:
            return (*_identities(named), own)
        tied = [made for made in self._slices.values() if made.targets] if self._service.headless else []
        return (own, *_identities(tied))

    def in_zones(self, directives: Iterable[bytes]) -> Iterator[tuple[bytes, tuple[Identity, ...]]]:
        """The names of the topology zones that endpoints of a headless Service are in, each with every one of
        *directives* behind it, and what their records are made of."""
        if not self._service.headless:
            return
        zones: dict[str, list[SliceTargets]] = defaultdict(list)
        for made in self._slices.values():
            for zone in {target.zone for target in made.targets if target.zone}:
                zones[zone].append(made)
        for zone, found in sorted(zones.items()):
            labels = zone.encode().split(b".")
            if all(0 < len(label) <= LABEL_MAX for label in labels):
                own = Identity("Service", self._service.key)
                for directive in directives:
                    yield names.prefix((*labels, directive)), (own, *_identities(found))

    @property
    def slices_made(self) -> Mapping[ObjectKey, SliceTargets]:
        """What has been made of slices so far, here or before the change."""
        return self._known if self._made_slices is None else self._made_slices

    @property
    def _slices(self) -> Mapping[ObjectKey, SliceTargets]:
        """Made when first needed: the name of a Service with a clusterIP does not depend on its endpoints."""
        if self._made_slices is None:
            self._made_slices = {}
            for slice_ in self._raw:
                made = self._known.get(slice_.key)
                if made is None or made.slice is not slice_:
                    made = SliceTargets(slice_, self._policy)
                self._made_slices[slice_.key] = made
            self._known = {}
        return self._made_slices

    def _owners(self) -> dict[bytes, None]:
        if not self._exists:
            return {}
        owners = [b"", *self._named_ports, *self._between]
        for made in self._slices.values():
            owners.extend(made.by_owner)
        return dict.fromkeys(owners)

    def _make(self, owner: bytes) -> Node | None:
        if not self._exists:
            return None
        if self._service.type is ServiceType.EXTERNAL_NAME:
            return self._of_alias(owner)
        if owner == b"":
            return self._own_node()
        endpoints = list(self._endpoint_candidates(owner))
        if endpoints:
            return self._node(endpoints)
        named = self._named_ports.get(owner)
        if named is not None:
            return self._node([each for each in self._own_candidates() if _named(each.port) == named])
        return EMPTY_NODE if owner in self._between else None

    def _of_alias(self, owner: bytes) -> Node | None:
        alias = _alias(self._service, self._policy)
        if owner == b"" or alias is None:
            return alias
        named = self._named_ports.get(owner)
        if named is None:
            return EMPTY_NODE if owner in self._between else None
        (target,) = alias[Type.CNAME].rdatas[0].names
        ports = [port.number for port in self._service.ports if _named(port) == named]
        weight = max(1, WEIGHT_TOTAL // len(ports))
        rdatas = tuple(srv_rdata(PRIORITY, weight, number, target) for number in dict.fromkeys(ports))
        return node(RRset(Type.SRV, self._policy.ttl, rdatas))

    def _own_node(self) -> Node:
        """The Service's own name. Its addresses are at hand, without a candidate for each port of each."""
        addresses, ports = self._addresses, self._service.ports
        if self._service.headless:
            tied = [made for made in self._slices.values() if made.targets]
            addresses = tuple(target.address for made in tied for target in made.targets)
            ports = tuple(port for made in tied for port in made.slice.ports)
        has_srv = bool(addresses) and any(port.number >= 0 for port in ports)
        return _LazyNode(addresses, self._own_candidates, has_srv=has_srv, ttl=self._policy.ttl)

    def _node(self, candidates: Sequence[_Candidate]) -> Node:
        addresses = [candidate.address for candidate in candidates]
        has_srv = any(each.port is not None and each.port.number >= 0 for each in candidates)
        return _LazyNode(addresses, lambda: candidates, has_srv=has_srv, ttl=self._policy.ttl)

    @cached_property
    def _exists(self) -> bool:
        if self._service.type is ServiceType.EXTERNAL_NAME:
            return _alias(self._service, self._policy) is not None
        if self._service.headless or self._policy.ignore_empty_service:
            return any(made.targets for made in self._slices.values())
        return True

    @cached_property
    def _named_ports(self) -> Mapping[bytes, tuple[bytes, bytes]]:
        """`_port._proto` to port name and protocol."""
        ports = self._service.ports
        if self._service.headless:
            ports = tuple(port for made in self._slices.values() if made.targets for port in made.slice.ports)
        elif self._service.type is ServiceType.EXTERNAL_NAME:
            ports = ports if self._policy.alias_ports else ()
        elif not self._addresses:
            ports = ()
        found = dict.fromkeys(pair for port in ports if (pair := _named(port)) is not None)
        return {names.prefix((b"_" + name, b"_" + protocol)): (name, protocol) for name, protocol in found}

    @cached_property
    def _between(self) -> frozenset[bytes]:
        """Empty non-terminals: `_proto`, and what stands above an endpoint whose name has several labels."""
        found = {names.prefix((b"_" + protocol,)) for _, protocol in self._named_ports.values()}
        for made in self._slices.values():
            for owner in made.by_owner:
                parts = names.labels(owner + names.ROOT)
                found.update(names.prefix(parts[place:]) for place in range(1, len(parts)))
        return frozenset(found)

    @cached_property
    def _addresses(self) -> tuple[bytes, ...]:
        """The clusterIPs."""
        return tuple(address for text in self._service.cluster_ips if (address := packed(text)) is not None)

    def _own_candidates(self) -> Iterator[_Candidate]:
        if self._service.headless:
            for made in self._slices.values():
                for target in made.targets:
                    for port in made.slice.ports or (None,):
                        yield _Candidate(target.name, target.address, port)
            return
        for port in self._service.ports or (None,):
            for address in self._addresses:
                yield _Candidate(self._own, address, port)

    def _endpoint_candidates(self, owner: bytes) -> Iterator[_Candidate]:
        for made in self._slices.values():
            for target in made.by_owner.get(owner, ()):
                for port in made.slice.ports or (None,):
                    yield _Candidate(target.name, target.address, port)


def _identities(slices: Iterable[SliceTargets]) -> Iterator[Identity]:
    return (Identity("EndpointSlice", made.slice.key) for made in slices)


def _alias(service: Service, policy: RecordPolicy) -> Node | None:
    """A CNAME; nothing when the target is an IP address (section 4.4) or no domain name."""
    if packed(service.external_name) is not None:
        return None
    try:
        target = names.from_text(service.external_name)
    except NameTextError:
        return None
    return None if target == names.ROOT else node(RRset(Type.CNAME, policy.ttl, (name_rdata(target),)))


def _named(port: Port | None) -> tuple[bytes, bytes] | None:
    """Name and protocol in lower case; None for a port whose name and protocol make no labels."""
    if port is None or not port.name:
        return None
    pair = port.name.lower().encode(), port.protocol.lower().encode()
    return pair if all(0 < len(part) < LABEL_MAX for part in pair) else None


def _srv(candidates: Sequence[_Candidate], ttl: int) -> RRset:
    """One record per distinct target and port (section 5).

    The weight counts all candidates, those without a port too, or with one that has no number: -1 in the API's slim
    objects.
    """
    weight = max(1, WEIGHT_TOTAL // len(candidates)) if candidates else 1
    ported = [
        (candidate, candidate.port.number)
        for candidate in candidates
        if candidate.port is not None and candidate.port.number >= 0
    ]
    pairs = dict.fromkeys((candidate.target, number) for candidate, number in ported)
    rdatas = tuple(srv_rdata(PRIORITY, weight, number, target, relative=True) for target, number in pairs)
    additional = tuple(
        (target, rrset)
        for target, addresses in _by_target(candidate for candidate, _ in ported).items()
        for rrset in address_rrsets(addresses, ttl)
        if rrset.rdatas
    )
    return RRset(Type.SRV, ttl, rdatas, additional)


def _by_target(candidates: Iterable[_Candidate]) -> Mapping[bytes, list[bytes]]:
    """Addresses by target without regard to case; the first spelling stands for the group."""
    spelling: dict[bytes, bytes] = {}
    groups: dict[bytes, list[bytes]] = defaultdict(list)
    for candidate in candidates:
        groups[spelling.setdefault(candidate.target.lower(), candidate.target)].append(candidate.address)
    return groups
