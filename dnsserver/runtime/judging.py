"""Whether a quick reply is what the plain path says to the same query (docs/architecture.md, "A query")."""

from collections import Counter
from collections.abc import Sequence

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply, encode
from dnsserver.answering.stored import ADDRESS_SIZES
from dnsserver.wire.errors import WireError
from dnsserver.wire.limits import HEADER_SIZE
from dnsserver.wire.message import Message
from dnsserver.wire.records import Record

#: Place of the number of additional records in a message (RFC 1035 section 4.1.1).
_ADDITIONALS = 10


def is_just(reply: bytes, query: Query, plain: Reply, *, restless: bool) -> bool:
    """*plain* is the plain path's reply to *query*; *restless*: its addresses may stand in another order."""
    expected = encode(plain, query)
    if expected == reply:
        return True
    return restless and (_recompressed(reply, expected) or _reordered(reply, expected, plain))


def _recompressed(one: bytes, other: bytes) -> bool:
    """Whether they say the same, but for pointers: a name that another server spelt as this client does may be one."""
    if one[:HEADER_SIZE] != other[:HEADER_SIZE]:
        return False
    try:
        return Message.decode(one) == Message.decode(other) and not _has_more(one)
    except WireError:
        return False


def _has_more(octets: bytes) -> bool:
    """Whether something stands behind the message that *octets* begin with."""
    try:
        Message.decode(octets[:-1])
    except WireError:
        return False
    return True


def _reordered(one: bytes, other: bytes, whole: Reply) -> bool:
    """Whether *one* reply is the *other* with addresses in another order; where not all fit, with any of *whole*'s.

    How many additional addresses fit depends on which they are: IPv6 ones are longer.
    """
    if one[:_ADDITIONALS] != other[:_ADDITIONALS]:
        return False
    try:
        first, second = map(Message.decode, (one, other))
    except WireError:
        return False
    if (first.questions, first.edns, first.authority) != (second.questions, second.edns, second.authority):
        return False
    if len(second.additional) == len(whole.additional) and len(one) != len(other):
        return False
    return _like(first.answer, second.answer, whole.answer) and (
        (
            len(second.additional) < len(whole.additional)
            and Counter(first.additional) <= Counter(whole.additional)
        )
        or _like(first.additional, second.additional, whole.additional)
    )


def _like(some: Sequence[Record], others: Sequence[Record], whole: Sequence[Record]) -> bool:
    """Whether *some* are as many as *others*, with all but addresses in the same places, and all from *whole*."""
    settled = [[each.rtype in ADDRESS_SIZES or each for each in records] for records in (some, others)]
    return settled[0] == settled[1] and Counter(some) <= Counter(whole)
