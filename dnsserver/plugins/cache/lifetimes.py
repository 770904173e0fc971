"""For how long a reply is kept, which is the TTL that all its records get (coredns-compat.md, section 3.5)."""

from collections.abc import Iterable

from dnsserver.answering.kinds import Kind, answers, has_soa, kind_of
from dnsserver.answering.reply import Reply
from dnsserver.plugins.cache.settings import FLOOR_S, CacheSettings
from dnsserver.wire.codes import Type
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record

#: Seconds. The largest TTL that everybody reads alike (RFC 2181 section 8).
TTL_MAX = (1 << 31) - 1

#: Those that say that there is nothing, and for how long.
DENIALS = frozenset((Kind.NODATA, Kind.NXDOMAIN))
#: Those whose records' TTLs count; the others have CoreDNS's shortest.
_WITH_TTL = DENIALS | {Kind.SUCCESS}


def kept_kind(question: Question, reply: Reply, *, signed_at: int | None = None) -> Kind:
    """As `kind_of`; but a CNAME chain that ends without data, with an SOA that says for how long, is NODATA (RFC 2308
    section 2.2)."""
    kind = kind_of(question, reply, signed_at=signed_at)
    chained = kind is Kind.SUCCESS and bool(reply.answer)
    return Kind.NODATA if chained and has_soa(reply) and not answers(question, reply) else kind


def lifetime_s(kind: Kind, reply: Reply, settings: CacheSettings) -> int:
    """Seconds: the least TTL of all its records, within the limits of its half."""
    if kind is Kind.FAILURE:
        return int(settings.servfail_s)
    half = settings.denial if kind in DENIALS else settings.success
    least = FLOOR_S
    if kind in _WITH_TTL:
        least = min((record.ttl for record in _records(reply)), default=FLOOR_S)
    return min(max(least, half.floor_s), half.ceiling_s, TTL_MAX)


def with_ttl(reply: Reply, ttl_s: int) -> Reply:
    """*reply* with this TTL in every record. OPT is none: it speaks of one message only (RFC 6891 section 6.2.1)."""
    return reply.with_records(
        _with_ttl(reply.answer, ttl_s),
        _with_ttl(reply.authority, ttl_s),
        _with_ttl(reply.additional, ttl_s),
    )


def levelled(question: Question, reply: Reply, settings: CacheSettings) -> Reply:
    """*reply* with the TTL that it would be kept for, so that the first client sees no other than those behind it."""
    return with_ttl(reply, lifetime_s(kept_kind(question, reply), reply, settings))


def _with_ttl(records: tuple[Record, ...], ttl_s: int) -> tuple[Record, ...]:
    if not records:
        return ()
    return tuple(
        record
        if record.ttl == ttl_s
        else Record(record.owner, record.rtype, ttl_s, record.rdata, record.rclass)
        for record in records
        if record.rtype != Type.OPT
    )


def _records(reply: Reply) -> Iterable[Record]:
    for section in (reply.answer, reply.authority, reply.additional):
        yield from (record for record in section if record.rtype != Type.OPT)
