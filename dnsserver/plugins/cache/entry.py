"""One reply that is kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from dnsserver.answering.kinds import Kind
from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.wire.codes import ExtendedError, Flag, Rcode
from dnsserver.wire.edns import told_cause
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record

PLUGIN = "cache"
#: Name in lower case, type, class, DO, CD. EDNS or none, RD, AD and the client make no difference.
Key = tuple[bytes, int, int, bool, bool]
#: In place of the type in the key of a reply that is right for every type, and for the names below: no RR type.
EVERY_TYPE = -1

#: Octets. What an entry and one of its records take besides their names and data (CPython 3.11, 64 bits).
ENTRY_OCTETS, RECORD_OCTETS, NAME_OCTETS = 1_000, 250, 90

_OUT_OF_DATE = "kept by plugin cache, and out of date"
_STALE = told_cause(ExtendedError.STALE_ANSWER, _OUT_OF_DATE)
_STALE_NXDOMAIN = told_cause(ExtendedError.STALE_NXDOMAIN_ANSWER, _OUT_OF_DATE)
_CACHED_ERROR = told_cause(ExtendedError.CACHED_ERROR, "a failure that plugin cache keeps")


@dataclass(slots=True, eq=False)
class Renewal:
    """One attempt to get an entry's reply anew. When it has `ended`: `reply` for the client, `entry` if it was kept;
    None when there was nothing that may take the place of what there is."""

    ended: asyncio.Event = field(default_factory=asyncio.Event)
    reply: Reply | None = None
    entry: Entry | None = None


@dataclass(slots=True, eq=False)
class Entry:
    """`reply` has the owner `name` (lower case) where it is the name asked for; `ttl_s` is how long it lasts from
    `stored` on, a whole Unix second, so that all entries count down together. `answers`: it has what was asked for.
    `server`: the label of the server that it was stored for. `good`: under `serve_stale_policy prefer_positive`, the
    last reply that answered, when this one does not."""

    reply: Reply
    kind: Kind
    name: bytes
    ttl_s: int
    stored: int
    answers: bool
    server: str
    good: Entry | None = None
    octets: int = 0
    hits: int = 0
    last_hit: float = 0.0
    renewal: Renewal | None = None
    retry_at: float = 0.0

    def left_s(self, now: float) -> int:
        """Seconds of life, 0 or less when it has expired. A clock that went back says nothing of the age: expired."""
        age_s = int(now) - self.stored
        return self.ttl_s - age_s if age_s >= 0 else 0

    def seen(self, now: float, gap_s: float) -> None:
        """Count a hit; after a longer gap the count begins anew."""
        self.hits = 1 if self.last_hit < now - gap_s else self.hits + 1
        self.last_hit = now

    def answering(self) -> Entry | None:
        """This one or the one before, whichever has what was asked for."""
        return self if self.answers else self.good

    def given(self, question: Question, ttl_s: int, *, stale: bool = False) -> Reply:
        """The reply to *question* with this TTL, AD as it was stored.

        AA is set as CoreDNS sets it: old stub resolvers drop replies without.
        """
        note: tuple[tuple[int, bytes], ...] = ()
        if stale:
            note = (_STALE_NXDOMAIN if self.kind is Kind.NXDOMAIN else _STALE,)
        elif self.reply.rcode == Rcode.SERVFAIL:
            note = (_CACHED_ERROR,)
        reply, asked = self.reply, question.name
        return Reply(
            rcode=reply.rcode,
            answer=self._spelt(reply.answer, asked, ttl_s),
            authority=self._spelt(reply.authority, asked, ttl_s),
            additional=self._spelt(reply.additional, asked, ttl_s),
            authoritative=True,
            recursion_available=reply.recursion_available,
            authentic=reply.authentic,
            options=reply.options + note,
            plugin=PLUGIN,
        )

    def _spelt(self, records: tuple[Record, ...], asked: bytes, ttl_s: int) -> tuple[Record, ...]:
        """Names that are the one asked for are spelt as in the question, so that a pointer to it does for them."""
        own = self.name
        return tuple(
            Record(
                asked if record.owner is own else record.owner,
                record.rtype,
                ttl_s,
                record.rdata,
                record.rclass,
            )
            for record in records
        )


def key_of(question: Question, *, do: bool, cd: bool) -> Key:
    return question.name.lower(), question.rtype, question.rclass, do, cd


def wants_signatures(query: Query) -> bool:
    """Whether the client set DO."""
    return query.edns is not None and query.edns.do


def for_client(reply: Reply, query: Query) -> Reply:
    """*reply* without AD if the client set neither DO nor AD (RFC 6840 section 5.8)."""
    if not reply.authentic or wants_signatures(query) or query.header.flags & Flag.AD:
        return reply
    return replace(reply, authentic=False)


def shared(reply: Reply, name: bytes) -> Reply:
    """*reply* with *name* itself, in lower case, as owner wherever an owner is that name."""
    return reply.with_records(
        _shared(reply.answer, name),
        _shared(reply.authority, name),
        _shared(reply.additional, name),
    )


def octets_of(reply: Reply, name: bytes) -> int:
    """About how many octets of memory an entry with *reply* takes."""
    octets = ENTRY_OCTETS + len(name) + sum(len(data) for _, data in reply.options)
    for section in (reply.answer, reply.authority, reply.additional):
        for record in section:
            rdata = record.rdata
            octets += RECORD_OCTETS + len(rdata.head) + len(rdata.tail)
            octets += sum(NAME_OCTETS + len(found) for found in rdata.names)
            octets += 0 if record.owner is name else NAME_OCTETS + len(record.owner)
    return octets


def _shared(records: tuple[Record, ...], name: bytes) -> tuple[Record, ...]:
    if not records:
        return ()
    return tuple(
        Record(name, record.rtype, record.ttl, record.rdata, record.rclass)
        if record.owner.lower() == name
        else record
        for record in records
    )
