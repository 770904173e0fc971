"""Records as master files have them (RFC 1035 section 5.1) [dns]."""

from ipaddress import IPv4Address

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.records import Rdata

#: Types whose RDATA is one name behind so many octets of 16-bit numbers: those that clusters have by the thousand.
_NAME_BEHIND: dict[int, int] = {Type.CNAME: 0, Type.NS: 0, Type.PTR: 0, Type.SRV: 6}


def rdata_text(rtype: int, rdata: Rdata) -> str:
    """RDATA with absolute names in presentation format; as `\\# LENGTH HEX` where it is not what its type should have
    (RFC 3597 section 5)."""
    found = _common(rtype, rdata)
    if found is not None:
        return found
    octets = rdata.head + b"".join(rdata.names) + rdata.tail
    try:
        parsed = dns.rdata.from_wire(
            dns.rdataclass.IN, dns.rdatatype.RdataType.make(rtype), octets, 0, len(octets)
        )
    except dns.exception.DNSException:
        return f"\\# {len(octets)} {octets.hex()}"
    return parsed.to_text()


def _common(rtype: int, rdata: Rdata) -> str | None:
    """As the library has it, and much faster; None for what is of no common type, or not in its usual form."""
    if rtype == Type.A and len(rdata.head) == 4 and not rdata.names and not rdata.tail:
        return str(IPv4Address(rdata.head))
    behind = _NAME_BEHIND.get(rtype)
    if behind is None or len(rdata.head) != behind or len(rdata.names) != 1 or rdata.tail:
        return None
    numbers = (str(int.from_bytes(rdata.head[place : place + 2], "big")) for place in range(0, behind, 2))
    return " ".join((*numbers, names.to_text(rdata.names[0])))
