"""Records that a signed zone has besides signatures."""

from collections.abc import Iterable

import dns.dnssec
import dns.name
import dns.rdatatype
from dns.rdtypes.util import Bitmap

from dnsserver.sources.signing.keys import ZoneKey, decoded
from dnsserver.wire.codes import Type
from dnsserver.wire.records import Rdata, Record


def nsec_rdata(following: bytes, types: Iterable[int]) -> Rdata:
    """RDATA of NSEC: the next name, and the types that are there (RFC 4034 section 4.1)."""
    return Rdata(following + type_bitmap(types))


def type_bitmap(types: Iterable[int]) -> bytes:
    """Types as RFC 4034 section 4.1.2 writes them."""
    windows = Bitmap.from_rdtypes(
        [dns.rdatatype.RdataType.make(rtype) for rtype in sorted(set(types))]
    ).windows
    return b"".join(bytes((window, len(bitmap))) + bitmap for window, bitmap in windows)


def cds_records(key: ZoneKey, zone: bytes, ttl: int) -> tuple[Record, ...]:
    """What tells the parent zone of *key*: CDS with SHA-256, and CDNSKEY (RFC 7344)."""
    dnskey = decoded(Type.DNSKEY, key.rdata.head)
    cds = dns.dnssec.make_cds(dns.name.from_wire(zone, 0)[0], dnskey, "SHA256").to_wire() or b""
    return Record(zone, Type.CDS, ttl, Rdata(cds)), Record(zone, Type.CDNSKEY, ttl, key.rdata)
