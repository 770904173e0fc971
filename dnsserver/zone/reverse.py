"""Reverse names: octets or nibbles to addresses (RFC 1035 section 3.5, RFC 3596 section 2.5)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import islice

from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.records import name_rdata
from dnsserver.zone.addresses import packed
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import Endpoint, EndpointSlice, Feed, Identity, ObjectKey
from dnsserver.zone.policy import RecordPolicy
from dnsserver.zone.rrset import EMPTY_NODE, Node, RRset, node
from dnsserver.zone.slice_targets import endpoint_name
from dnsserver.zone.tables import AddressKind

#: PTR records of one address, and EndpointSlices looked at for them. An address in more slices is no pod's but that of
#: a busy node, or of somebody who wants one question to cost much.
PTR_MAX = 256

IN_ADDR_ARPA = names.from_text("in-addr.arpa.")
IP6_ARPA = names.from_text("ip6.arpa.")

_NIBBLES = b"0123456789abcdef"


@dataclass(frozen=True, slots=True)
class AddressRange:
    """The addresses below a reverse name, packed; one address when it is whole."""

    low: bytes
    high: bytes


def is_reverse(zone: bytes) -> bool:
    """Whether *zone* lies in the reverse trees, their roots included."""
    return names.is_below(zone, IN_ADDR_ARPA) or names.is_below(zone, IP6_ARPA)


def address_range(name: bytes) -> AddressRange | None:
    """What addresses the reverse name *name* (lower case) stands above; None when it is no proper reverse name."""
    split = names.split_at(name, IN_ADDR_ARPA)
    if split is not None:
        return _ipv4_range(names.labels(split[0] + names.ROOT))
    split = names.split_at(name, IP6_ARPA)
    if split is not None:
        return _ipv6_range(names.labels(split[0] + names.ROOT))
    return None


def _ipv4_range(labels: Sequence[bytes]) -> AddressRange | None:
    if len(labels) > 4:
        return None
    octets = bytearray()
    for label in reversed(labels):
        # isdigit on bytes is ASCII only; a leading zero would give one address two names
        if not label.isdigit() or (label[0] == 0x30 and len(label) > 1) or len(label) > 3 or int(label) > 255:
            return None
        octets.append(int(label))
    missing = 4 - len(octets)
    return AddressRange(bytes(octets) + b"\0" * missing, bytes(octets) + b"\xff" * missing)


def _ipv6_range(labels: Sequence[bytes]) -> AddressRange | None:
    if len(labels) > 32 or any(len(label) != 1 or label not in _NIBBLES for label in labels):
        return None
    digits = b"".join(reversed(labels)).decode()
    return AddressRange(bytes.fromhex(digits.ljust(32, "0")), bytes.fromhex(digits.ljust(32, "f")))


def reverse_name(address: bytes) -> bytes:
    """The name of an address (4 or 16 octets)."""
    return names.from_text(ip_address(address).reverse_pointer)


def addresses_within(texts: Iterable[str], zone: bytes) -> Iterator[bytes]:
    """Those of the addresses *texts* (4 or 16 octets) whose reverse names are in *zone*, each once."""
    span = address_range(zone)
    seen: set[bytes] = set()
    for text in texts:
        address = packed(text)
        if address is None or span is None or len(address) != len(span.low) or address in seen:
            continue
        if span.low <= address <= span.high:
            seen.add(address)
            yield address


def addresses_inside(state: ClusterState) -> Iterator[str]:
    """The addresses of Services, ServiceImports and endpoints; those of slices, too, whose Service is not there."""
    for key in state.keys(Feed.SERVICES):
        service = state.service(key)
        if service is not None:
            yield from service.cluster_ips
    for key in state.keys(Feed.SERVICE_IMPORTS):
        imported = state.service_import(key)
        if imported is not None:
            yield from imported.ips
    for slice_ in state.slices():
        yield from (endpoint.address for endpoint in slice_.endpoints)


@dataclass(frozen=True, slots=True)
class ForwardZone:
    """Where the names lie that PTR records point at. `exposed` tells whether a namespace may show."""

    origin: bytes
    policy: RecordPolicy
    exposed: Callable[[str], bool]

    def service(self, key: ObjectKey) -> bytes:
        """The absolute name of a Service or ServiceImport."""
        return names.prefix((key.name.encode(), key.namespace.encode(), *self.policy.below)) + self.origin


def reverse_node(
    name: bytes, state: ClusterState, forward: ForwardZone, clusterset: ForwardZone | None
) -> Node | None:
    """The node of a reverse name (section 6).

    What has a name in *forward* points there, the rest in *clusterset*, where there is one. A partial name exists when
    an address below it has a PTR record (RFC 8020).
    """
    kinds = [AddressKind.CLUSTER_IP, AddressKind.ENDPOINT]
    if clusterset is not None:
        kinds.append(AddressKind.CLUSTERSET_IP)

    def targets(address: bytes) -> Iterator[bytes]:
        own = list(islice(_targets(address, state, forward), PTR_MAX))
        return iter(own) if own or clusterset is None else _targets(address, state, clusterset)

    return pointer_node(name, state, kinds, forward, targets)


def pointer_node(
    name: bytes,
    state: ClusterState,
    kinds: Collection[AddressKind],
    forward: ForwardZone,
    targets: Callable[[bytes], Iterator[bytes]],
) -> Node | None:
    """The node of a reverse name that points at *targets* of its address (4 or 16 octets), at most PTR_MAX of them."""
    span = address_range(name)
    if span is None:
        return None
    if span.low != span.high:
        there = state.any_address_within(kinds, span.low, span.high, forward.exposed)
        return EMPTY_NODE if there else None
    found = list(islice(dict.fromkeys(targets(span.low)), PTR_MAX))
    return node(RRset(Type.PTR, forward.policy.ttl, tuple(map(name_rdata, found)))) if found else None


def pointing(
    address: bytes, state: ClusterState, forward: ForwardZone, clusterset: ForwardZone | None
) -> tuple[Identity, ...]:
    """The objects that the PTR records of *address* (4 or 16 octets) are made of."""
    found = list(islice(_pointers(address, state, forward), PTR_MAX))
    if not found and clusterset is not None:
        found = list(islice(_pointers(address, state, clusterset), PTR_MAX))
    return tuple(dict.fromkeys(each for _, made_of in found for each in made_of))


def _targets(address: bytes, state: ClusterState, forward: ForwardZone) -> Iterator[bytes]:
    return (target for target, _ in _pointers(address, state, forward))


def _pointers(
    address: bytes, state: ClusterState, forward: ForwardZone
) -> Iterator[tuple[bytes, tuple[Identity, ...]]]:
    """A Service at its clusterIP wins, the first only; else every endpoint name of the address, up to PTR_MAX; each
    with what it is made of."""
    clusterset = forward.policy.clusterset
    kind = "ServiceImport" if clusterset else "Service"
    services = (service.key for service in state.services_at(address))
    for key in state.import_owners(address) if clusterset else services:
        if forward.exposed(key.namespace):
            yield forward.service(key), (Identity(kind, key),)
            return
    shown = (
        slice_
        for slice_ in state.slices_at(address)
        if (slice_.imported if clusterset else slice_.service) and forward.exposed(slice_.key.namespace)
    )
    for slice_ in islice(shown, PTR_MAX):
        for endpoint in _endpoints_at(address, slice_):
            name = endpoint_name(slice_, endpoint, forward.policy) + forward.origin
            service = slice_.import_key if clusterset else slice_.service_key
            yield name, (Identity("EndpointSlice", slice_.key), Identity(kind, service))


def _endpoints_at(address: bytes, slice_: EndpointSlice) -> list[Endpoint]:
    """The endpoints of *slice_* at *address*, which it is known to have."""
    text = str(ip_address(address))
    # Nearly all addresses are spelled canonically, and comparing texts is twenty times as fast as parsing them.
    found = [endpoint for endpoint in slice_.endpoints if endpoint.address == text]
    return found or [endpoint for endpoint in slice_.endpoints if packed(endpoint.address) == address]
