"""A reply as values, and the one place that makes it fit (RFC 2181 section 9, RFC 6891)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from dnsserver.answering.query import Query, reply_flags
from dnsserver.wire.codes import OPTION_PADDING, Flag, Rcode
from dnsserver.wire.edns import OPTION_HEAD, Edns
from dnsserver.wire.header import Header
from dnsserver.wire.limits import HEADER_SIZE, MESSAGE_MAX, UDP_PAYLOAD_CLASSIC
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record
from dnsserver.wire.writer import MessageWriter

#: Octets. Replies that are padded have a multiple of it (RFC 8467 section 4.1).
PADDING_BLOCK = 468


@dataclass(frozen=True, slots=True)
class Reply:
    """What a chain of plugins answers; ID, question, RD, CD and OPT are added when it is encoded.

    `options` are EDNS options (code, data) that go to clients which sent EDNS. `truncated` asks for TC whatever
    the size. `plugin` is who wrote it, "" for the server itself; `error` says, for the operator, why this is no answer.
    `live`: made of what may change at any moment, such as the cluster's objects, so no cache keeps it. `payload_max`:
    octets that it may have over UDP whatever the client can take; 0: no limit of ours. `recursion_desired`: RD, where
    it is not to be the query's.
    """

    rcode: int = Rcode.NOERROR
    answer: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    authoritative: bool = False
    recursion_available: bool = False
    authentic: bool = False
    truncated: bool = False
    options: tuple[tuple[int, bytes], ...] = ()
    plugin: str = ""
    error: str = ""
    live: bool = False
    payload_max: int = 0
    recursion_desired: bool | None = None
    following: Callable[[], Iterator[Record]] | None = field(default=None, compare=False)
    """The records behind those of `answer` in a zone transfer, in as many messages as it takes; over TCP only."""

    def with_records(
        self, answer: tuple[Record, ...], authority: tuple[Record, ...], additional: tuple[Record, ...]
    ) -> "Reply":
        """The same with other records; as `dataclasses.replace`, in a third of its time."""
        return Reply(
            self.rcode,
            answer,
            authority,
            additional,
            self.authoritative,
            self.recursion_available,
            self.authentic,
            self.truncated,
            self.options,
            self.plugin,
            self.error,
            self.live,
            self.payload_max,
            self.recursion_desired,
            self.following,
        )


def encode(reply: Reply, query: Query) -> bytes:
    """*reply* in the octets that *query*'s client can take.

    Answer and authority lose records from the end, and TC says so; additional is help that was not asked for and
    loses its last records without a word (RFC 2181 section 9).
    """
    opt, limit = opt_of(reply, query), _limit(reply, query)
    if reply.options and HEADER_SIZE + len(query.question.encode()) + len(opt) > limit:
        opt = opt_of(replace(reply, options=()), query)  # texts of other servers may have any length
    writer = MessageWriter(header_of(reply, query), query.question, limit, reserved=len(opt))
    complete = writer.put_all(1, reply.answer) and writer.put_all(2, reply.authority)
    if complete:
        writer.put_all(3, reply.additional)
    truncated = reply.truncated or not complete
    if query.wants_padding:
        opt = opt_of(reply, query, _padding(writer.size + len(opt)))
    return writer.finish(flags=Flag.TC if truncated else 0, opt=opt)


def header_of(reply: Reply, query: Query) -> Header:
    """The header of *reply*, but for TC and counts."""
    return Header(query.header.id, query.header.opcode, reply.rcode & 15, _flags(reply, query))


def encode_body(reply: Reply, question: Question) -> tuple[bytes, bytes] | None:
    """Six octets of counts (those behind the question's), and all records, without OPT; None if too much."""
    writer = MessageWriter(Header(0), question, MESSAGE_MAX)
    if not all(
        writer.put_all(number, records)
        for number, records in enumerate((reply.answer, reply.authority, reply.additional), 1)
    ):
        return None
    octets = writer.finish()
    return octets[6:HEADER_SIZE], octets[HEADER_SIZE + len(question.encode()) :]


def _limit(reply: Reply, query: Query) -> int:
    """Octets. A client can always take the classic size, so nobody may go below it."""
    limit = query.size_limit
    if not reply.payload_max or query.arrival.protocol != "udp":
        return limit
    return min(limit, max(reply.payload_max, UDP_PAYLOAD_CLASSIC))


def _flags(reply: Reply, query: Query) -> int:
    flags = reply_flags(query)
    if reply.recursion_desired is not None:
        flags = flags & ~Flag.RD | (Flag.RD if reply.recursion_desired else 0)
    if reply.authoritative:
        flags |= Flag.AA
    if reply.recursion_available:
        flags |= Flag.RA
    if reply.authentic:
        flags |= Flag.AD
    return flags


def opt_of(reply: Reply, query: Query, more: tuple[tuple[int, bytes], ...] = ()) -> bytes:
    """OPT goes to those who sent one: their size (or our limit) and DO bit, none of their options (section 18)."""
    if query.edns is None:
        return b""
    payload = query.edns.payload
    if reply.payload_max:
        payload = min(payload, reply.payload_max)
    options = reply.options + more
    answer = Edns(payload, do=query.edns.do, options=options, extended_rcode=reply.rcode >> 4)
    return answer.encode()


def _padding(size: int) -> tuple[tuple[int, bytes], ...]:
    """The option that brings a message of *size* octets to a multiple of the block (RFC 8467 section 4.1)."""
    full = -(-(size + OPTION_HEAD) // PADDING_BLOCK) * PADDING_BLOCK
    room = min(full, MESSAGE_MAX) - size - OPTION_HEAD
    return ((OPTION_PADDING, bytes(room)),) if room >= 0 else ()
