"""Names that every zone has: the apex with SOA and NS, `ns.dns`, `dns-version` (sections 3 and 10)."""

from collections.abc import Iterator

from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.records import Rdata, name_rdata, soa_rdata, txt_rdata
from dnsserver.zone.addresses import packed
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import EndpointSlice
from dnsserver.zone.policy import RecordPolicy
from dnsserver.zone.rrset import EMPTY_NODE, Node, RRset, address_rrsets, node
from dnsserver.zone.slice_targets import endpoint_name, service_prefix

#: Version of the Kubernetes DNS schema that the answers follow (Kubernetes DNS specification, section 2.2).
SCHEMA_VERSION = b"1.1.0"
#: The same for clusterset zones (KEP-1645, multicluster DNS specification, section 2.2).
CLUSTERSET_SCHEMA_VERSION = b"1.0.0"
#: Seconds. TTL of the schema version record: 28800, fixed (Kubernetes DNS specification, section 2.2).
SCHEMA_VERSION_TTL = 28800
#: Seconds. The SOA record's own TTL is never above this (section 10).
SOA_TTL_MAX = 300
#: Seconds. SOA timers (section 10).
SOA_REFRESH, SOA_RETRY, SOA_EXPIRE = 7200, 1800, 86400

NS_DNS = names.prefix((b"ns", b"dns"))
HOSTMASTER = names.prefix((b"hostmaster",))
#: Names whose records change with the cluster: SOA and NS, and the server's addresses.
CHANGING = frozenset((b"", NS_DNS))
DNS_VERSION = names.prefix((b"dns-version",))


def soa(state: ClusterState, policy: RecordPolicy) -> RRset:
    """The SOA RRset, relative to the zone."""
    return soa_of(state, NS_DNS, HOSTMASTER, min(policy.ttl, SOA_TTL_MAX), policy.ttl)


def soa_of(state: ClusterState, mname: bytes, rname: bytes, ttl: int, minimum: int) -> RRset:
    """A SOA RRset with these names and seconds, relative to the zone."""
    rdata = soa_rdata(mname, rname, state.serial & 0xFFFFFFFF, SOA_REFRESH, SOA_RETRY, SOA_EXPIRE, minimum)
    return RRset(Type.SOA, ttl, (Rdata(rdata.head, rdata.names, rdata.tail, relative=True),))


def fixed_node(relative: bytes, state: ClusterState, policy: RecordPolicy) -> Node | None:
    """The node of a name that depends on no namespace; None when *relative* (lower case) is no such name."""
    if relative == b"":
        return node(soa(state, policy), name_servers(state, policy))
    if relative == DNS_VERSION:
        version = CLUSTERSET_SCHEMA_VERSION if policy.clusterset else SCHEMA_VERSION
        return node(RRset(Type.TXT, SCHEMA_VERSION_TTL, (txt_rdata(version),)))
    if relative == NS_DNS:
        return node(*_glue([address for _, address in _servers(state, policy)], policy))
    if relative == names.prefix((b"dns",)):
        return EMPTY_NODE
    return None


def name_servers(state: ClusterState, policy: RecordPolicy) -> RRset:
    """NS: the Services in front of this server, else `ns.dns`; their addresses as additional (section 3.2)."""
    glue: dict[bytes, list[bytes]] = {}
    for name, address in _servers(state, policy):
        glue.setdefault(name, [])
        if address is not None:
            glue[name].append(address)
    additional = tuple(
        (name, rrset) for name, found in glue.items() for rrset in _glue(found, policy) if rrset.rdatas
    )
    rdatas = tuple(name_rdata(name, relative=True) for name in glue)
    return RRset(Type.NS, policy.ttl, rdatas, additional)


def _glue(addresses: list[bytes] | list[bytes | None], policy: RecordPolicy) -> tuple[RRset, RRset]:
    return address_rrsets((address for address in addresses if address is not None), policy.ttl)


def _servers(state: ClusterState, policy: RecordPolicy) -> list[tuple[bytes, bytes | None]]:
    """Names (relative) and addresses under which this server can be asked; an address may be unknown."""
    own = [octets for text in policy.own_addresses if (octets := packed(text)) is not None]
    found: list[tuple[bytes, bytes | None]] = []
    for address in own:
        for slice_ in state.slices_at(address):
            found.extend(_service_in_front(slice_, state, policy))
    if found:
        # The Service has no name in a clusterset zone, only addresses.
        return [(NS_DNS, address) for _, address in found] if policy.clusterset else found
    return [(NS_DNS, address) for address in own] or [(NS_DNS, None)]


def _service_in_front(
    slice_: EndpointSlice, state: ClusterState, policy: RecordPolicy
) -> Iterator[tuple[bytes, bytes | None]]:
    service = state.service(slice_.service_key)
    if service is None:
        return
    if service.headless:
        for endpoint in slice_.endpoints:
            yield endpoint_name(slice_, endpoint, policy), packed(endpoint.address)
        return
    for text in service.cluster_ips:
        yield service_prefix(slice_, policy), packed(text)
