"""The text of RDATA to RDATA [dns]. All types of the library, and any other as `\\# LENGTH HEX` (RFC 3597 section 5).

Types that make up large zones are read here: the library takes ten times as long for each record.
"""

import socket
import struct
from functools import lru_cache

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from dnsserver.sources.zonefile.errors import RecordTextError
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.errors import NameTextError, WireError
from dnsserver.wire.limits import LABEL_MAX, NAME_MAX
from dnsserver.wire.message import rdata_from_octets
from dnsserver.wire.records import Rdata, name_rdata

_ADDRESSES = {Type.A: socket.AF_INET, Type.AAAA: socket.AF_INET6}
_NAMES = frozenset((Type.NS, Type.CNAME, Type.PTR, Type.DNAME))
#: Types of questions and of the protocol's own records: no zone has them (RFC 6895 section 3.1).
_NO_DATA = frozenset((0, Type.OPT, *range(249, 256)))


@lru_cache(maxsize=256)
def type_from_text(text: str) -> int | None:
    """The RR type with this mnemonic, or of the form `TYPE65280`; None when there is none that a zone can have."""
    try:
        number = int(dns.rdatatype.from_text(text))
    except (dns.exception.DNSException, ValueError):
        return None
    return None if number in _NO_DATA else number


def name_from_text(text: str, origin: bytes) -> bytes:
    """The absolute name that *text* means below *origin* (RFC 1035 section 5.1). Raises RecordTextError."""
    if text == "@":
        return origin
    try:
        name = names.from_text(text) if "\\" in text or not text.isascii() else _plain_name(text)
    except NameTextError as error:
        raise RecordTextError(str(error)) from None
    if _is_absolute(text):
        return name
    name = name[:-1] + origin
    if len(name) > NAME_MAX:
        raise RecordTextError(f"'{text}' below {names.to_text(origin)} is longer than {NAME_MAX} octets")
    return name


def rdata_from_text(rtype: int, text: str, origin: bytes) -> Rdata:
    """*text*, without comments and parentheses, as RDATA of *rtype*. Raises RecordTextError."""
    try:
        if rtype in _ADDRESSES and not text.startswith("\\"):
            return Rdata(socket.inet_pton(_ADDRESSES[Type(rtype)], text))
        if rtype in _NAMES and " " not in text and "\t" not in text and text[:1] not in ("\\", '"', ""):
            return name_rdata(name_from_text(text, origin))
        found = dns.rdata.from_text(
            dns.rdataclass.IN, dns.rdatatype.RdataType.make(rtype), text, _origin(origin), relativize=False
        )
        octets = found.to_wire(origin=_origin(origin))
        return rdata_from_octets(rtype, octets or b"")
    except OSError:
        raise RecordTextError(f"'{text}' is no {'IPv4' if rtype == Type.A else 'IPv6'} address") from None
    except (dns.exception.DNSException, WireError, struct.error, ValueError) as error:
        raise RecordTextError(_reason(error)) from None


@lru_cache(maxsize=64)
def _origin(origin: bytes) -> dns.name.Name:
    return dns.name.from_wire(origin, 0)[0]


def _plain_name(text: str) -> bytes:
    """The same as `names.from_text` for ASCII without escapes; large zones have millions of them."""
    parts = (text[:-1] if text[-1:] == "." else text).encode().split(b".")
    if text in (".", "") or not all(0 < len(part) <= LABEL_MAX for part in parts):
        return names.from_text(text)  # the root, or the words for what is wrong
    name = b"".join([bytes((len(part),)) + part for part in parts]) + names.ROOT
    return name if len(name) <= NAME_MAX else names.from_text(text)


def _is_absolute(text: str) -> bool:
    """Whether *text* ends in a dot that is not escaped."""
    if not text.endswith("."):
        return False
    escapes = len(text[:-1]) - len(text[:-1].rstrip("\\"))
    return escapes % 2 == 0


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
