"""The class of a reply: success, denial or error (coredns-compat.md, section 3.2)."""

import struct

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.wire.codes import Opcode, Rcode, Type
from dnsserver.wire.records import Record

CLASSES = frozenset(("success", "denial", "error"))

_RRSIG = 46
#: Expiration and inception, behind type, algorithm, labels and original TTL (RFC 4034 section 3.1).
_VALIDITY = struct.Struct("!8x2L")
#: Signature times are compared in 32 bits, as serial numbers (RFC 4034 section 3.1.5).
_TIME_BITS = 32


def classify(query: Query, reply: Reply | None, now: float) -> str:
    """The class of *reply*; no reply at all is an error. *now*: Unix seconds, for the age of signatures."""
    if reply is None or query.header.opcode != Opcode.QUERY or query.question.rtype in (Type.AXFR, Type.IXFR):
        return "error"
    if query.edns is not None and query.edns.do and _has_expired(reply, now):
        return "error"
    if reply.rcode == Rcode.NXDOMAIN:
        return "error" if reply.answer else "denial"
    if reply.rcode != Rcode.NOERROR:
        return "error"
    denies = not reply.answer and any(record.rtype == Type.SOA for record in reply.authority)
    return "denial" if denies else "success"


def _has_expired(reply: Reply, now: float) -> bool:
    sections = (reply.answer, reply.authority, reply.additional)
    return any(not _is_valid(record, int(now)) for section in sections for record in section)


def _is_valid(record: Record, now: int) -> bool:
    """False for a signature before its inception or behind its expiration."""
    if record.rtype != _RRSIG or len(record.rdata.head) < _VALIDITY.size:
        return True
    expiration, inception = map(int, _VALIDITY.unpack_from(record.rdata.head))
    half, whole = 1 << _TIME_BITS - 1, 1 << _TIME_BITS
    return (now - inception) % whole < half and (expiration - now) % whole < half
