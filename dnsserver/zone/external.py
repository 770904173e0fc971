"""Names of Services for clients outside of the cluster, `SVC.NS.X` (cluster-dns-behaviour.md, section 14.1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.records import Record, name_rdata
from dnsserver.zone.addresses import packed
from dnsserver.zone.apex import soa_of
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import HEADLESS, EndpointSlice, Feed, Identity, ObjectKey, Service, ServiceType
from dnsserver.zone.policy import RecordPolicy
from dnsserver.zone.reverse import ForwardZone, addresses_within, is_reverse, pointer_node, reverse_name
from dnsserver.zone.rrset import EMPTY_NODE, Node, RRset, address_rrsets, node
from dnsserver.zone.tables import AddressKind
from dnsserver.zone.view import NOTHING, Find, Owner, ServiceTable, is_exposed, records_of

#: The first label of the zone's name server, and of the mailbox in its SOA record, both below `apex`.
NAME_SERVER, HOSTMASTER = names.prefix((b"ns1",)), names.prefix((b"hostmaster",))


@dataclass(frozen=True, slots=True)
class Outside:
    """What is shown outside. `apex` (a wire prefix in lower case): the name below the zone that its name server's lies
    below. `headless`: Services without an external address show their endpoints."""

    apex: bytes
    headless: bool = False


def outside_services(state: ClusterState, outside: Outside) -> Find:
    """What a Service is to clients outside: its external addresses, or the alias of a load balancer's hostname, of
    which a name can have one only (RFC 2181 section 10.1); else, with `headless`, its endpoints."""

    def find(key: ObjectKey) -> tuple[Service, Sequence[EndpointSlice]] | None:
        service = state.service(key)
        if service is None:
            return None
        if service.external_ips:
            return Service(key, cluster_ips=service.external_ips, ports=service.ports), ()
        if service.external_hosts:
            alias = service.external_hosts[0]
            return Service(key, ServiceType.EXTERNAL_NAME, ports=service.ports, external_name=alias), ()
        slices = state.slices_of(key) if outside.headless else []
        if not any(slice_.endpoints for slice_ in slices):
            return None
        # A Service that has an address inside has none here: its name stands above those of its endpoints.
        return Service(key, cluster_ips=(HEADLESS,) if service.headless else ()), slices

    return find


class ExternalView:
    """One zone of external names over the cluster's state, or PTR records of external addresses in a reverse zone.

    `origin` is lower case; *primary* is the zone that PTR targets lie in.
    """

    def __init__(
        self,
        origin: bytes,
        primary: bytes,
        state: ClusterState,
        policy: RecordPolicy,
        services: ServiceTable,
        outside: Outside,
    ) -> None:
        self.origin = origin
        self.state = state
        self._policy = policy
        self._services = services
        self._outside = outside
        self._name_server = NAME_SERVER + outside.apex
        self._reverse = is_reverse(origin)
        self._forward_zone = ForwardZone(primary, policy, partial(is_exposed, state=state, policy=policy))

    def __repr__(self) -> str:
        return f"<ExternalView {names.to_text(self.origin)}>"

    @property
    def soa(self) -> RRset:
        ttl = self._policy.ttl
        return soa_of(self.state, self._name_server, HOSTMASTER + self._outside.apex, ttl, ttl)

    def depends_on(self, name: bytes) -> ObjectKey | None:
        """As Zone has it."""
        split = names.split_at(name, self.origin)
        if split is None or self._reverse or split[0] in (b"", self._name_server):
            return None
        labels = names.labels(split[0] + names.ROOT)
        if len(labels) < 2:
            return NOTHING
        return ObjectKey(labels[-1].decode("latin-1"), labels[-2].decode("latin-1"))

    def is_own(self, name: bytes) -> bool:
        """Whether *name* (lower case) is the zone's apex, or at or below the name server's parent: no Service's."""
        split = names.split_at(name, self.origin)
        return split is not None and (not split[0] or self._below_apex(split[0]))

    def node(self, relative: bytes) -> Node | None:
        """As Zone has it."""
        if relative == b"":
            return node(self.soa, self._name_servers())
        if relative == self._name_server:
            return node(*self._glue())
        if self._below_apex(relative):
            return EMPTY_NODE if relative == self._outside.apex else None
        if self._reverse:
            return pointer_node(
                relative + self.origin, self.state, (AddressKind.EXTERNAL,), self._forward_zone, self._targets
            )
        found = self._forward(names.labels(relative + names.ROOT))
        above_apex = names.is_below(self._outside.apex + names.ROOT, relative + names.ROOT)
        return EMPTY_NODE if found is None and above_apex else found

    def _forward(self, labels: Sequence[bytes]) -> Node | None:
        namespace = labels[-1].decode("latin-1")
        if not is_exposed(namespace, self.state, self._policy):
            return None
        if len(labels) == 1:
            return EMPTY_NODE
        found = self._services.names_of(ObjectKey(namespace, labels[-2].decode("latin-1")))
        return None if found is None else found.below(labels[:-2])

    def _below_apex(self, relative: bytes) -> bool:
        return names.is_below(relative + names.ROOT, self._outside.apex + names.ROOT)

    def _targets(self, address: bytes) -> Iterator[bytes]:
        shown = self._forward_zone
        return (
            shown.service(key) for key in self.state.external_owners(address) if shown.exposed(key.namespace)
        )

    def records(self) -> Iterator[Record]:
        """Every record but the SOA record, as they are when they are asked for."""
        return records_of(self, (owner.relative for owner in self.owners()))

    def owners(self) -> Iterator[Owner]:
        """Every name that has records."""
        yield from (Owner(b""), Owner(self._name_server))
        yield from self._reverse_owners() if self._reverse else self._service_owners()

    def _service_owners(self) -> Iterator[Owner]:
        """The names of Services, and of what is below them."""
        for key in self.state.keys(Feed.SERVICES):
            found = self._services.names_of(key)
            if found is not None and is_exposed(key.namespace, self.state, self._policy):
                own = names.prefix((key.name.encode(), key.namespace.encode()))
                owners = (Owner(left + own, found.made_of(left)) for left in found)
                yield from (owner for owner in owners if not self._below_apex(owner.relative))

    def _reverse_owners(self) -> Iterator[Owner]:
        services = (self.state.service(key) for key in self.state.keys(Feed.SERVICES))
        texts = (text for service in services if service is not None for text in service.external_ips)
        for address in addresses_within(texts, self.origin):
            owners = (
                key
                for key in self.state.external_owners(address)
                if self._forward_zone.exposed(key.namespace)
            )
            made_of = tuple(Identity("Service", key) for key in owners)
            yield Owner(reverse_name(address)[: -len(self.origin)], made_of)

    # The zone's own names.

    def _name_servers(self) -> RRset:
        additional = tuple((self._name_server, rrset) for rrset in self._glue() if rrset.rdatas)
        target = name_rdata(self._name_server, relative=True)
        return RRset(Type.NS, self._policy.ttl, (target,), additional)

    def _glue(self) -> tuple[RRset, RRset]:
        found = (octets for text in self._own_addresses() if (octets := packed(text)) is not None)
        return address_rrsets(found, self._policy.ttl)

    def _own_addresses(self) -> list[str]:
        """Under which clients outside reach this server: those of the Services in front of it, or else its own."""
        own = [octets for text in self._policy.own_addresses if (octets := packed(text)) is not None]
        slices = [slice_ for address in own for slice_ in self.state.slices_at(address)]
        if not slices:
            return list(self._policy.own_addresses)
        found: list[str] = []
        for slice_ in slices:
            service = self.state.service(slice_.service_key)
            if service is None:
                continue
            if self._outside.headless and service.headless:
                found += [endpoint.address for endpoint in slice_.endpoints]
            else:
                found += service.external_ips
        return found


def external_views(
    origins: Sequence[bytes], state: ClusterState, policy: RecordPolicy, outside: Outside
) -> tuple[ExternalView, ...]:
    """The zones of a `k8s_external` directive, in their order; PTR records point into the first that is no reverse
    zone. *policy* must have nothing `below` a namespace."""
    primary = next((origin for origin in origins if not is_reverse(origin)), origins[0])
    services = ServiceTable(state, policy, outside_services(state, outside))
    return tuple(ExternalView(origin, primary, state, policy, services, outside) for origin in origins)
