"""Numbers of the DNS protocol that the code speaks of by name (IANA, "Domain Name System (DNS) Parameters")."""

from enum import IntEnum

import dnslib


class Type(IntEnum):
    """RR types that some rule of ours names. Any other 16-bit number is a valid type too."""

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    PTR = 12
    HINFO = 13
    MX = 15
    TXT = 16
    AAAA = 28
    SRV = 33
    DNAME = 39
    OPT = 41
    DS = 43
    RRSIG = 46
    NSEC = 47
    DNSKEY = 48
    CDS = 59
    CDNSKEY = 60
    SVCB = 64
    HTTPS = 65
    IXFR = 251
    AXFR = 252
    ANY = 255


class Class(IntEnum):
    IN = 1
    CH = 3
    HS = 4
    NONE = 254
    ANY = 255


class Rcode(IntEnum):
    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    YXDOMAIN = 6
    NOTAUTH = 9
    BADVERS = 16


class Opcode(IntEnum):
    QUERY = 0
    NOTIFY = 4
    UPDATE = 5


class Flag(IntEnum):
    """Bits of the second 16-bit word of the header (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6).

    Several of them are an int: combining members of an IntFlag would cost more than the rest of a header.
    """

    QR = 0x8000
    AA = 0x0400
    TC = 0x0200
    RD = 0x0100
    RA = 0x0080
    Z = 0x0040
    AD = 0x0020
    CD = 0x0010


class ExtendedError(IntEnum):
    """INFO-CODEs of Extended DNS Errors (RFC 8914 section 4)."""

    OTHER = 0
    STALE_ANSWER = 3
    CACHED_ERROR = 13
    NOT_READY = 14
    BLOCKED = 15
    FILTERED = 17
    PROHIBITED = 18
    STALE_NXDOMAIN_ANSWER = 19
    NOT_AUTHORITATIVE = 20
    NOT_SUPPORTED = 21
    NO_REACHABLE_AUTHORITY = 22
    NETWORK_ERROR = 23


#: EDNS option number of the name server identifier (RFC 5001 section 4.1).
OPTION_NSID = 3
#: EDNS option number of padding (RFC 7830 section 3).
OPTION_PADDING = 12
#: EDNS option number of Extended DNS Errors (RFC 8914 section 2).
OPTION_EDE = 15


def type_name(rtype: int) -> str:
    """The mnemonic of an RR type, `TYPE123` for one that has none (RFC 3597 section 5)."""
    return str(dnslib.QTYPE.forward.get(rtype, f"TYPE{rtype}"))


def type_number(name: str) -> int | None:
    """The RR type with this mnemonic (any case) or `TYPE123` form; None when there is none."""
    found = dnslib.QTYPE.reverse.get(name.upper())
    if found is not None:
        return int(found)
    digits = name.upper().removeprefix("TYPE")
    if digits.isascii() and digits.isdigit() and name[:4].upper() == "TYPE" and int(digits) <= 0xFFFF:
        return int(digits)
    return None


def class_name(rclass: int) -> str:
    """The mnemonic of a class, `CLASS123` for one that has none (RFC 3597 section 5)."""
    try:
        return Class(rclass).name
    except ValueError:
        return f"CLASS{rclass}"


def rcode_name(rcode: int) -> str:
    """The mnemonic of an RCODE, `RCODE123` for one that has none."""
    try:
        return Rcode(rcode).name
    except ValueError:
        return str(dnslib.RCODE.forward.get(rcode, f"RCODE{rcode}"))


#: RCODEs that are spoken of by name in configurations only (IANA, "DNS RCODEs").
_OTHER_RCODES = {
    "YXRRSET": 7,
    "NXRRSET": 8,
    "NOTZONE": 10,
    "BADSIG": 16,
    "BADKEY": 17,
    "BADTIME": 18,
    "BADMODE": 19,
    "BADNAME": 20,
    "BADALG": 21,
    "BADTRUNC": 22,
    "BADCOOKIE": 23,
}


def rcode_number(name: str) -> int | None:
    """The RCODE with this mnemonic in upper case; None when there is none."""
    known = Rcode.__members__.get(name)
    return _OTHER_RCODES.get(name) if known is None else int(known)


def class_number(name: str) -> int | None:
    """The class with this mnemonic in upper case; None when there is none."""
    known = Class.__members__.get(name)
    return None if known is None else int(known)
