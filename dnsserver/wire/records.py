"""Resource records as values: RDATA with its names set apart, so that a writer can compress them."""

import struct
from dataclasses import dataclass
from ipaddress import ip_address

from dnsserver.wire.codes import Class, Type

#: Types whose RDATA names a writer may compress: those of RFC 1035 (RFC 3597 section 4).
COMPRESSIBLE = frozenset((Type.NS, Type.CNAME, Type.SOA, Type.PTR, Type.MX))


@dataclass(frozen=True, slots=True)
class Rdata:
    """RDATA as `head`, then names, then `tail`. Every RDATA that has names to compress has this shape.

    With `relative`, the names are wire prefixes without root, below the origin of a zone; `below` makes them whole.
    """

    head: bytes = b""
    names: tuple[bytes, ...] = ()
    tail: bytes = b""
    relative: bool = False

    def below(self, origin: bytes) -> "Rdata":
        """The same with absolute names: *origin* (in the case wanted) is put behind relative ones."""
        if not self.relative:
            return self
        return Rdata(self.head, tuple(name + origin for name in self.names), self.tail)


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record with an absolute owner name; `ttl` in seconds."""

    owner: bytes
    rtype: int
    ttl: int
    rdata: Rdata
    rclass: int = Class.IN


def address_rdata(address: str) -> Rdata:
    """RDATA of an A or AAAA record. Raises ValueError when *address* is no IP address."""
    return Rdata(ip_address(address).packed)


def name_rdata(name: bytes, *, relative: bool = False) -> Rdata:
    """RDATA of CNAME, NS, PTR."""
    return Rdata(names=(name,), relative=relative)


def srv_rdata(priority: int, weight: int, port: int, target: bytes, *, relative: bool = False) -> Rdata:
    """RDATA of SRV (RFC 2782)."""
    return Rdata(struct.pack("!HHH", priority, weight, port), (target,), relative=relative)


def txt_rdata(*texts: bytes) -> Rdata:
    """RDATA of TXT: strings of up to 255 octets each (RFC 1035 section 3.3.14)."""
    return Rdata(b"".join(bytes((len(text),)) + text for text in texts))


def soa_rdata(
    mname: bytes, rname: bytes, serial: int, refresh: int, retry: int, expire: int, minimum: int
) -> Rdata:
    """RDATA of SOA (RFC 1035 section 3.3.13); times in seconds."""
    return Rdata(b"", (mname, rname), struct.pack("!5L", serial, refresh, retry, expire, minimum))
