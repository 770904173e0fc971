"""A zone of fixed content, as master files and transfers give it.

Each owner name is one entry of a dictionary: the name, and its records packed into octets. A record takes its own
size and 12 octets, a name some 160, so that a million names fit into 200 MiB; RRsets are made when they are asked for.
"""

import bisect
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.message import rdata_from_octets
from dnsserver.wire.records import Rdata, Record
from dnsserver.zone.canonical import name_of, sort_key
from dnsserver.zone.rrset import RRset

#: Type, TTL and size of a packed record, in front of its RDATA.
_PACKED = struct.Struct("!HLH")
#: Octets of one name's records from which on they are gathered in place: a name may have 100,000.
_LARGE = 4096
#: Types that only zones signed with hashed denial have.
_HASHED = {50: "NSEC3", 51: "NSEC3PARAM"}


class ZoneDataError(ValueError):
    """These records make no zone."""


@dataclass(frozen=True, slots=True)
class StaticNode:
    """What one name has: RRsets by type, and the RRSIG records by the type that they cover (RFC 4034 section 3)."""

    rrsets: Mapping[int, RRset]
    signatures: Mapping[int, RRset]


_NOTHING = StaticNode({}, {})


class StaticZone:
    """`origin` is lower case. Made by ZoneBuilder; nothing changes it."""

    __slots__ = ("__weakref__", "_cuts", "_nodes", "_secure", "origin", "soa")

    def __init__(
        self, origin: bytes, nodes: dict[bytes, bytes], cuts: frozenset[bytes], secure: list[bytes]
    ) -> None:
        """*cuts*: the names with NS or DNAME records; *secure*: the sort keys of those with NSEC, in order."""
        self.origin = origin
        self._nodes = nodes
        self._cuts = cuts
        self._secure = secure
        #: The SOA RRset.
        self.soa = self.node(origin).rrsets[Type.SOA]

    def __repr__(self) -> str:
        return f"<StaticZone {names.to_text(self.origin)} serial={self.serial} names={len(self._nodes)}>"

    def __len__(self) -> int:
        """Names, those without records too."""
        return len(self._nodes)

    @property
    def serial(self) -> int:
        return int.from_bytes(self.soa.rdatas[0].tail[:4], "big")

    @property
    def times(self) -> tuple[int, int, int, int]:
        """Refresh, retry, expire and minimum of the SOA record, in seconds (RFC 1035 section 3.3.13)."""
        refresh, retry, expire, minimum = struct.unpack("!4L", self.soa.rdatas[0].tail[4:])
        return refresh, retry, expire, minimum

    def __contains__(self, name: bytes) -> bool:
        """Whether *name*, in lower case, exists: it has records, or names below it have."""
        return name in self._nodes

    def is_cut(self, name: bytes) -> bool:
        """Whether *name*, in lower case, has NS or DNAME records."""
        return name in self._cuts

    def node(self, name: bytes) -> StaticNode:
        """What is at *name*, in lower case; nothing also where the name does not exist."""
        packed = self._nodes.get(name)
        return _unpacked(packed) if packed else _NOTHING

    def before(self, name: bytes) -> bytes | None:
        """The last name with an NSEC record that is *name* or sorts before it; None in zones without."""
        if not self._secure:
            return None
        place = bisect.bisect_right(self._secure, sort_key(name))
        return name_of(self._secure[place - 1])

    def names(self) -> Iterator[bytes]:
        """All names, those without records too."""
        return iter(self._nodes)

    def records(self) -> Iterator[Record]:
        """Every record but the SOA record, that of the origin first; signatures behind what they cover."""
        yield from self._records_at(self.origin)
        for name, packed in self._nodes.items():
            if packed and name != self.origin:
                yield from self._records_at(name)

    def _records_at(self, name: bytes) -> Iterator[Record]:
        found = self.node(name)
        for rtype in (*found.rrsets, *(found.signatures.keys() - found.rrsets.keys())):
            for rrset in (found.rrsets.get(rtype), found.signatures.get(rtype)):
                if rrset is not None and rrset.rtype != Type.SOA:
                    yield from rrset.records(name, self.origin)


class ZoneBuilder:
    """Takes records in any order, then makes the zone of them.

    Of records that are there twice one stays (RFC 2181 section 5), of several SOA records the last.
    """

    def __init__(self, origin: bytes) -> None:
        self.origin = origin.lower()
        self._nodes: dict[bytes, bytes | bytearray] = {}
        self._cuts: set[bytes] = set()
        self._secure: set[bytes] = set()
        self._soa: bytes | None = None
        #: Records that are not of this zone, and were left out.
        self.foreign = 0

    def add(self, record: Record) -> None:
        """Raises ZoneDataError."""
        owner, rtype = record.owner.lower(), record.rtype
        if rtype in _HASHED:
            raise ZoneDataError(
                f"NSEC3 zone is not supported, dropping RR: {names.to_text(owner)} for zone: "
                f"{names.to_text(self.origin)}"
            )
        if not names.is_below(owner, self.origin) or (rtype == Type.SOA and owner != self.origin):
            self.foreign += 1
            return
        rdata = record.rdata
        octets = rdata.head + b"".join(rdata.names) + rdata.tail
        packed = _PACKED.pack(rtype, record.ttl, len(octets)) + octets
        if rtype == Type.SOA:
            self._soa = packed
            return
        if rtype == Type.DNAME or (rtype == Type.NS and owner != self.origin):
            self._cuts.add(owner)
        elif rtype == Type.NSEC:
            self._secure.add(owner)
        present = self._nodes.get(owner, b"")
        if len(present) > _LARGE and not isinstance(present, bytearray):
            present = self._nodes[owner] = bytearray(present)
        if isinstance(present, bytearray):
            present += packed
        else:
            self._nodes[owner] = present + packed

    def build(self) -> StaticZone:
        """The zone; this object is of no use then. Raises ZoneDataError without SOA record."""
        if self._soa is None:
            raise ZoneDataError(f"no SOA record for origin {names.to_text(self.origin)}")
        nodes = self._nodes
        nodes[self.origin] = self._soa + nodes.get(self.origin, b"")
        for name in list(nodes):
            packed = nodes[name]
            if isinstance(packed, bytearray):
                nodes[name] = bytes(packed)
            self._add_parents(name)
        done: dict[bytes, bytes] = nodes  # type: ignore[assignment]  # every bytearray was replaced above
        return StaticZone(self.origin, done, frozenset(self._cuts), sorted(map(sort_key, self._secure)))

    def _add_parents(self, name: bytes) -> None:
        """The names between *name* and the origin exist too, without records (RFC 4592 section 2.2.2)."""
        while len(name) > len(self.origin):
            name = name[1 + name[0] :]
            if name in self._nodes:
                return
            self._nodes[name] = b""


def _unpacked(packed: bytes) -> StaticNode:
    """The RRsets of a name; TTLs that differ within one are an error, and the lowest counts (RFC 2181 section 5.2)."""
    found: dict[tuple[int, int], tuple[int, dict[Rdata, None]]] = {}
    place = 0
    while place < len(packed):
        rtype, ttl, size = _PACKED.unpack_from(packed, place)
        place += _PACKED.size
        rdata = rdata_from_octets(rtype, packed[place : place + size])
        place += size
        covered = int.from_bytes(rdata.head[:2], "big") if rtype == Type.RRSIG else 0
        other = found.get((rtype, covered))
        if other is None:
            found[rtype, covered] = (ttl, {rdata: None})
        else:
            other[1][rdata] = None
            found[rtype, covered] = (min(ttl, other[0]), other[1])
    rrsets: dict[int, RRset] = {}
    signatures: dict[int, RRset] = {}
    for (rtype, covered), (ttl, rdatas) in found.items():
        rrset = RRset(rtype, ttl, tuple(rdatas))
        if rtype == Type.RRSIG:
            signatures[covered] = rrset
        else:
            rrsets[rtype] = rrset
    return StaticNode(rrsets, signatures)
