"""A zone transfer's records to messages (RFC 5936 section 2.2)."""

from collections.abc import Iterator
from itertools import chain

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply, header_of, opt_of
from dnsserver.wire.limits import MESSAGE_MAX, POINTER_OFFSET_MAX
from dnsserver.wire.records import Record
from dnsserver.wire.writer import MessageWriter

#: Octets of a message, unless one record needs more: names can be compressed up to there (RFC 1035 section 4.1.4), and
#: a message takes a millisecond or two.
FILLED = POINTER_OFFSET_MAX


def messages(reply: Reply, query: Query) -> Iterator[bytes]:
    """The records of *reply* and those that follow, in as few messages as it takes; each is made when asked for."""
    opt = opt_of(reply, query)

    def writer(limit: int) -> MessageWriter:
        return MessageWriter(header_of(reply, query), query.question, limit, reserved=len(opt))

    following: Iterator[Record] = iter(()) if reply.following is None else reply.following()
    current, filled = writer(FILLED), False
    for record in chain(reply.answer, following):
        if current.put_all(1, (record,)):
            filled = True
            continue
        if filled:
            yield current.finish(opt=opt)
        current = writer(FILLED)
        if not current.put_all(1, (record,)):
            current = writer(MESSAGE_MAX)
            current.put_all(1, (record,))
        filled = True
    yield current.finish(opt=opt)
