"""Records as master files have them (RFC 1035 section 5.1) [dns]."""

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from dnsserver.wire.records import Rdata


def rdata_text(rtype: int, rdata: Rdata) -> str:
    """RDATA with absolute names in presentation format; as `\\# LENGTH HEX` where it is not what its type should have
    (RFC 3597 section 5)."""
    octets = rdata.head + b"".join(rdata.names) + rdata.tail
    try:
        found = dns.rdata.from_wire(
            dns.rdataclass.IN, dns.rdatatype.RdataType.make(rtype), octets, 0, len(octets)
        )
    except dns.exception.DNSException:
        return f"\\# {len(octets)} {octets.hex()}"
    return found.to_text()
