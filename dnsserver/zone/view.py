"""A zone as lookups see it: an owner name to the node that is there (cluster-dns-behaviour.md, section 2)."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple, Protocol

from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.limits import NAME_MAX
from dnsserver.wire.records import Record
from dnsserver.zone import apex
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import HEADLESS, EndpointSlice, Feed, Identity, ObjectKey, Service
from dnsserver.zone.pod_names import pod_label, pod_node
from dnsserver.zone.policy import PodMode, RecordPolicy
from dnsserver.zone.reading import PIN, PREFER, ZONE_LABEL
from dnsserver.zone.reverse import (
    ForwardZone,
    addresses_inside,
    addresses_within,
    is_reverse,
    pointing,
    reverse_name,
    reverse_node,
)
from dnsserver.zone.rrset import EMPTY_NODE, Node, RRset
from dnsserver.zone.service_names import ServiceNames

#: A key that no object has: what depends on it never changes.
NOTHING = ObjectKey("", "")
#: Services whose names are kept made between two changes; of ordinary size they take a few MiB.
KEPT_SERVICES = 1024
#: Records that all of those can have together, at some 600 octets each. A Service that has more by itself is made
#: anew for each question.
KEPT_RECORDS = 50_000


class Owner(NamedTuple):
    """A name that has records: its labels left of the zone (a wire prefix), and the objects that these are made
    of, first the one that it is named after; none for names of the zone itself."""

    relative: bytes
    made_of: tuple[Identity, ...] = ()


#: What a key stands for in a zone: what names are made of; None: nothing.
Find = Callable[[ObjectKey], tuple[Service, Sequence[EndpointSlice]] | None]


class Zone(Protocol):
    """What lookups need of a zone; `origin` is in lower case."""

    @property
    def origin(self) -> bytes: ...

    @property
    def state(self) -> ClusterState: ...

    @property
    def soa(self) -> RRset: ...

    def depends_on(self, name: bytes) -> ObjectKey | None:
        """Whose change can change what is at *name*, besides its namespace's: a Service, NOTHING; None: anything."""

    def node(self, relative: bytes) -> Node | None:
        """What is at the name with the labels *relative* (a wire prefix in lower case) left of the origin."""


def own_services(state: ClusterState) -> Find:
    """The cluster's own Services."""

    def find(key: ObjectKey) -> tuple[Service, Sequence[EndpointSlice]] | None:
        service = state.service(key)
        return None if service is None else (service, state.slices_of(key))

    return find


def service_imports(state: ClusterState) -> Find:
    """ServiceImports, as if they were Services (section 11.1)."""

    def find(key: ObjectKey) -> tuple[Service, Sequence[EndpointSlice]] | None:
        found = state.service_import(key)
        if found is None:
            return None
        ips = (HEADLESS,) if found.headless else found.ips
        return Service(key, cluster_ips=ips, ports=found.ports), state.slices_of_import(key)

    return find


class ServiceTable:
    """The names below each Service that *find* knows, made when first asked for. A change marks the Service's names as
    old; the next question makes new ones, of which the slices that did not change are taken over."""

    def __init__(self, state: ClusterState, policy: RecordPolicy, find: Find | None = None) -> None:
        """*find*: the cluster's own Services, unless given."""
        self._find = own_services(state) if find is None else find
        self._policy = policy
        self._made: OrderedDict[ObjectKey, ServiceNames] = OrderedDict()
        self._records: dict[ObjectKey, int] = {}
        self._records_all = 0
        self._old: set[ObjectKey] = set()
        state.subscribe(self._changed)

    def __repr__(self) -> str:
        return f"<ServiceTable services={len(self._made)} records={self._records_all}>"

    def names_of(self, key: ObjectKey) -> ServiceNames | None:
        """None when there is no such Service."""
        made = self._made.get(key)
        if made is not None and key not in self._old:
            self._made.move_to_end(key)
            return made
        if made is not None:
            self._forget(key)
        found = self._find(key)
        if found is None:
            return None
        service, slices = found
        made = ServiceNames(service, slices, self._policy, made)
        self._keep(key, made, _records_of(service, slices))
        return made

    def _keep(self, key: ObjectKey, made: ServiceNames, records: int) -> None:
        """Hold it, in place of those whose last use is the longest ago where there are more than may be."""
        if records > KEPT_RECORDS:
            return
        self._made[key] = made
        self._records[key] = records
        self._records_all += records
        while len(self._made) > KEPT_SERVICES or self._records_all > KEPT_RECORDS:
            self._forget(next(iter(self._made)))

    def _forget(self, key: ObjectKey) -> None:
        del self._made[key]
        self._records_all -= self._records.pop(key)
        self._old.discard(key)

    def _changed(self, keys: frozenset[ObjectKey] | None) -> None:
        self._old.update(self._made if keys is None else keys & self._made.keys())


def _records_of(service: Service, slices: Sequence[EndpointSlice]) -> int:
    """What can be made of a Service at most: one record for each port of each address, and itself."""
    own = len(service.cluster_ips) * max(1, len(service.ports))
    return 1 + own + sum(len(each.endpoints) * max(1, len(each.ports)) for each in slices)


class ZoneView:
    """One configured zone over the cluster's state: forward records, or PTR records in a reverse zone.

    `origin` is lower case; `primary` is the zone that PTR targets lie in, *clusterset* that for what has no name there.
    `policy` is how the records are made, `services` what they are made of.
    """

    def __init__(
        self,
        origin: bytes,
        primary: bytes,
        state: ClusterState,
        policy: RecordPolicy,
        services: ServiceTable,
        clusterset: tuple[bytes, RecordPolicy] | None = None,
    ) -> None:
        self.origin = origin
        self.state = state
        self.policy = policy
        self.services = services
        self._reverse = is_reverse(origin)
        self._forward_zone = ForwardZone(primary, policy, self.exposed)
        self._clusterset = clusterset and ForwardZone(*clusterset, self.exposed)

    def __repr__(self) -> str:
        return f"<ZoneView {names.to_text(self.origin)}>"

    @property
    def soa(self) -> RRset:
        return apex.soa(self.state, self.policy)

    def depends_on(self, name: bytes) -> ObjectKey | None:
        """As Zone has it. Names with a topology zone can end with any change: clients can make up any number of them,
        and they must not take the place of what is named by Services alone."""
        split = names.split_at(name, self.origin)
        if split is None or self._reverse or split[0] in apex.CHANGING:
            return None
        labels = names.labels(split[0] + names.ROOT)
        if labels[-1] == b"svc" and len(labels) > 2:
            if self._zonal(labels[:-3]):
                return None
            return ObjectKey(labels[-2].decode("latin-1"), labels[-3].decode("latin-1"))
        return None if labels[-1] == b"pod" and self.policy.pods is PodMode.VERIFIED else NOTHING

    def node(self, relative: bytes) -> Node | None:
        """As Zone has it."""
        fixed = apex.fixed_node(relative, self.state, self.policy)
        if fixed is not None:
            return fixed
        if self._reverse:
            return reverse_node(relative + self.origin, self.state, self._forward_zone, self._clusterset)
        return self._forward(names.labels(relative + names.ROOT))

    def records(self) -> Iterator[Record]:
        """Every record but the SOA record, as they are when they are asked for; no names of pods (section 12)."""
        own = self._reverse_owners() if self._reverse else self._service_owners()
        return records_of(self, chain((b"", apex.NS_DNS, apex.DNS_VERSION), own))

    def owners(self) -> Iterator[Owner]:
        """Every name that has records, but for those that clients can make up: of pods where these are not verified,
        and of topology zones without endpoints under PREFER."""
        yield from (Owner(fixed) for fixed in (b"", apex.NS_DNS, apex.DNS_VERSION))
        if self._reverse:
            for address in addresses_within(addresses_inside(self.state), self.origin):
                made_of = pointing(address, self.state, self._forward_zone, self._clusterset)
                yield Owner(reverse_name(address)[: -len(self.origin)], made_of)
            return
        for own, found in self._services_named():
            yield from (Owner(left + own, found.made_of(left)) for left in found)
            if self.policy.zonal and not self.policy.clusterset:
                for left, made_of in found.in_zones((PIN, PREFER)):
                    yield Owner(left + names.prefix((ZONE_LABEL,)) + own, made_of)
        yield from self._pod_owners()

    def _service_owners(self) -> Iterator[bytes]:
        """The names of Services, or ServiceImports, and of what is below them."""
        for own, service_names in self._services_named():
            yield from (left + own for left in service_names)

    def _services_named(self) -> Iterator[tuple[bytes, ServiceNames]]:
        """Each Service, or ServiceImport: its name relative to the zone, and what is at and below it."""
        for key in self.state.keys(Feed.SERVICE_IMPORTS if self.policy.clusterset else Feed.SERVICES):
            found = self.services.names_of(key)
            if found is not None:
                yield names.prefix((key.name.encode(), key.namespace.encode(), *self.policy.below)), found

    def _reverse_owners(self) -> Iterator[bytes]:
        """The reverse names of all addresses in this zone."""
        for address in addresses_within(addresses_inside(self.state), self.origin):
            yield reverse_name(address)[: -len(self.origin)]

    def _pod_owners(self) -> Iterator[Owner]:
        """The names of the pods that are known."""
        if self.policy.pods is not PodMode.VERIFIED:
            return
        for pod in sorted(self.state.pods(), key=lambda pod: pod.key):
            first = min(
                other.key for other in self.state.pods_at(pod.ip) if other.key.namespace == pod.key.namespace
            )
            if first == pod.key and pod.ip:
                yield Owner(
                    names.prefix((pod_label(pod.ip), pod.key.namespace.encode(), b"pod")),
                    (Identity("Pod", pod.key),),
                )

    def _forward(self, labels: Sequence[bytes]) -> Node | None:
        kind = labels[-1]
        if kind not in (b"svc", b"pod"):
            return None
        if len(labels) == 1:
            return EMPTY_NODE
        namespace = labels[-2].decode("latin-1")
        if not self.exposed(namespace):
            return None
        if kind == b"pod":
            return self._pod(labels, namespace)
        if len(labels) == 2:
            return EMPTY_NODE
        found = self.services.names_of(ObjectKey(namespace, labels[-3].decode("latin-1")))
        if found is None:
            return None
        return _in_topology_zone(found, labels[:-3]) if self._zonal(labels[:-3]) else found.below(labels[:-3])

    def _pod(self, labels: Sequence[bytes], namespace: str) -> Node | None:
        if self.policy.pods is PodMode.DISABLED or len(labels) > 3:
            return None
        if len(labels) == 2:
            return EMPTY_NODE
        return pod_node(labels[0].decode("latin-1"), namespace, self.state, self.policy)

    def _zonal(self, labels: Sequence[bytes]) -> bool:
        """Whether *labels*, which stand below a Service, are of a name with a topology zone."""
        return self.policy.zonal and not self.policy.clusterset and labels[-1:] == [ZONE_LABEL]

    def exposed(self, namespace: str) -> bool:
        return is_exposed(namespace, self.state, self.policy)


def zone_views(
    origins: Sequence[bytes],
    primary: bytes,
    state: ClusterState,
    policy: RecordPolicy,
    clustersets: Collection[bytes] = (),
) -> tuple[ZoneView, ...]:
    """The zones of a `kubernetes` block, in their order. Those of *clustersets* have the names of ServiceImports, whose
    PTR records point at the first of them."""
    shared = replace(policy, clusterset=True)
    services, imports = ServiceTable(state, policy), ServiceTable(state, shared, service_imports(state))
    first = next((origin for origin in origins if origin in clustersets), None)

    def view(origin: bytes) -> ZoneView:
        if origin in clustersets:
            return ZoneView(origin, primary, state, shared, imports)
        return ZoneView(origin, primary, state, policy, services, None if first is None else (first, shared))

    return tuple(map(view, origins))


def records_of(zone: Zone, owners: Iterable[bytes]) -> Iterator[Record]:
    """Every record but the SOA record at *owners*, which are relative to *zone*."""
    for owner in owners:
        for rrset in (zone.node(owner.lower()) or EMPTY_NODE).values():
            if rrset.rtype != Type.SOA and len(owner + zone.origin) <= NAME_MAX:
                yield from rrset.records(owner + zone.origin, zone.origin)


def is_exposed(namespace: str, state: ClusterState, policy: RecordPolicy) -> bool:
    """Whether names in *namespace* exist at all."""
    return (not policy.namespaces or namespace in policy.namespaces) and state.has_namespace(namespace)


def _in_topology_zone(found: ServiceNames, labels: Sequence[bytes]) -> Node | None:
    """What is at the name of *labels*, of which the last is ZONE_LABEL, below a Service."""
    directive, zone = labels[-2:-1], labels[:-2]
    if directive not in ([], [PIN], [PREFER]) or any(b"." in label for label in zone):
        return None
    # The value of a zone may have dots, and then is several labels. Without any the name stands above those that exist.
    text = b".".join(zone).decode("latin-1")
    return found.in_zone(text, prefer=bool(zone) and directive == [PREFER])
