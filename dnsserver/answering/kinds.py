"""What kind of reply one is to those who log, cache or shorten it (RFC 2308 section 2, RFC 1034 section 3.6.2)."""

import struct
from collections.abc import Iterable
from enum import Enum

from dnsserver.answering.reply import Reply
from dnsserver.wire.codes import Class, Rcode, Type
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record

_RRSIG = 46
#: Expiration and inception, behind type, algorithm, labels and original TTL (RFC 4034 section 3.1).
_VALIDITY = struct.Struct("!8x2L")
#: Signature times are compared in 32 bits, as serial numbers (RFC 4034 section 3.1.5).
_TIME_BITS = 32


class Kind(Enum):
    """The closed set. CoreDNS has the same, and treats replies by it in `cache`, `log` and `minimal`."""

    SUCCESS = "NOERROR with records, or without a word on why there are none"
    DELEGATION = "NOERROR without answer, NS records in authority"
    NODATA = "NOERROR without answer, SOA in authority"
    NXDOMAIN = "NXDOMAIN without answer"
    FAILURE = "SERVFAIL or NOTIMP"
    TRANSFER = "to AXFR or IXFR"
    OTHER = "any other RCODE, NXDOMAIN with an answer, a signature that is not valid now"


def kind_of(question: Question, reply: Reply, *, signed_at: int | None = None) -> Kind:
    """The kind of *reply* to *question*, opcode QUERY. *signed_at*: Unix seconds at which signatures must be valid;
    None where they do not matter, as for clients that did not set DO."""
    if question.rtype in (Type.AXFR, Type.IXFR):
        return Kind.TRANSFER
    if signed_at is not None and not _are_valid(reply, signed_at):
        return Kind.OTHER
    match reply.rcode:
        case Rcode.NOERROR:
            return _without_error(reply)
        case Rcode.NXDOMAIN:
            return Kind.OTHER if reply.answer else Kind.NXDOMAIN
        case Rcode.SERVFAIL | Rcode.NOTIMP:
            return Kind.FAILURE
        case _:
            return Kind.OTHER


def has_soa(reply: Reply) -> bool:
    """Whether it says, by an SOA record, for how long there is nothing (RFC 2308 section 3)."""
    return any(record.rtype == Type.SOA for record in reply.authority)


def answers(question: Question, reply: Reply) -> bool:
    """Whether the answer section has records of the type asked at the end of the CNAME chain that begins at the name.

    A chain that loops or forks answers nothing (RFC 1034 section 3.6.2, RFC 2181 section 10.1).
    """
    if reply.rcode != Rcode.NOERROR or not reply.answer:
        return False
    records = [record for record in reply.answer if question.rclass in (Class.ANY, record.rclass)]
    name = question.name.lower()
    if question.rtype == Type.ANY:
        return any(record.owner.lower() == name for record in records)
    targets = _targets(records)
    if question.rtype == Type.CNAME:
        return len(targets.get(name, ())) == 1
    seen = set()
    while name in targets:
        if name in seen or len(targets[name]) > 1:
            return False
        seen.add(name)
        (name,) = targets[name]
    return any(record.rtype == question.rtype and record.owner.lower() == name for record in records)


def _without_error(reply: Reply) -> Kind:
    if reply.answer:
        return Kind.SUCCESS
    if has_soa(reply):
        return Kind.NODATA
    referred = any(record.rtype == Type.NS for record in reply.authority)
    return Kind.DELEGATION if referred else Kind.SUCCESS


def _targets(records: Iterable[Record]) -> dict[bytes, set[bytes]]:
    """What the CNAME records of each name point to; all names in lower case."""
    found: dict[bytes, set[bytes]] = {}
    for record in records:
        if record.rtype == Type.CNAME and record.rdata.names:
            found.setdefault(record.owner.lower(), set()).add(record.rdata.names[0].lower())
    return found


def _are_valid(reply: Reply, now: int) -> bool:
    sections = (reply.answer, reply.authority, reply.additional)
    return all(_is_valid(record, now) for section in sections for record in section)


def _is_valid(record: Record, now: int) -> bool:
    """False for a signature before its inception or behind its expiration."""
    if record.rtype != _RRSIG or len(record.rdata.head) < _VALIDITY.size:
        return True
    expiration, inception = map(int, _VALIDITY.unpack_from(record.rdata.head))
    half, whole = 1 << _TIME_BITS - 1, 1 << _TIME_BITS
    return (now - inception) % whole < half and (expiration - now) % whole < half
