"""RRsets and nodes: what a zone holds under one owner name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dnsserver.wire.codes import Type
from dnsserver.wire.limits import NAME_MAX
from dnsserver.wire.records import Rdata, Record


@dataclass(frozen=True, slots=True)
class RRset:
    """Records of one type under one owner; `ttl` in seconds.

    `additional` are addresses that help with the names in the RDATA: owner (a wire prefix relative to the zone's
    origin) and its RRset. They may be fewer than that owner has: an SRV record's port need not exist everywhere.
    """

    rtype: int
    ttl: int
    rdatas: tuple[Rdata, ...]
    additional: tuple[tuple[bytes, "RRset"], ...] = ()

    def records(self, owner: bytes, origin: bytes) -> tuple[Record, ...]:
        """The records under the absolute name *owner*, in the zone whose origin the client spelled *origin*.

        A name that would be too long below this origin cannot be asked for, so its record is of no use.
        """
        whole = (rdata.below(origin) for rdata in self.rdatas)
        return tuple(
            Record(owner, self.rtype, self.ttl, rdata)
            for rdata in whole
            if all(len(name) <= NAME_MAX for name in rdata.names)
        )

    def additional_records(self, origin: bytes) -> tuple[Record, ...]:
        return tuple(
            record
            for owner, rrset in self.additional
            if len(owner + origin) <= NAME_MAX
            for record in rrset.records(owner + origin, origin)
        )


#: An owner name that exists: its RRsets by type. One without any is an empty non-terminal.
Node = Mapping[int, RRset]

EMPTY_NODE: Node = {}


def node(*rrsets: RRset) -> Node:
    """A node of the RRsets that have records."""
    return {rrset.rtype: rrset for rrset in rrsets if rrset.rdatas}


def address_rrsets(packed: Iterable[bytes], ttl: int) -> tuple[RRset, RRset]:
    """A and AAAA of these addresses (4 or 16 octets), each once, in the order of their first mention."""
    distinct = dict.fromkeys(packed)
    return (
        RRset(Type.A, ttl, tuple(Rdata(octets) for octets in distinct if len(octets) == 4)),
        RRset(Type.AAAA, ttl, tuple(Rdata(octets) for octets in distinct if len(octets) == 16)),
    )
