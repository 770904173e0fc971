"""Whether a quick reply is what the plain path says to the same query (docs/architecture.md, "A query")."""

from collections import Counter
from dataclasses import replace

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply, encode
from dnsserver.answering.stored import ADDRESS_SIZES
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.errors import WireError
from dnsserver.wire.limits import HEADER_SIZE
from dnsserver.wire.message import Message

_TCP = Arrival("tcp", "", 0, "", 0)


def is_just(reply: bytes, query: Query, plain: Reply, *, restless: bool) -> bool:
    """*plain* is the plain path's reply to *query*; *restless*: its addresses may stand in another order."""
    expected = encode(plain, query)
    if expected == reply:
        return True
    whole = replace(query, arrival=_TCP)  # from a client that can take any message
    return restless and _reordered(reply, expected, encode(plain, whole))


def _reordered(one: bytes, other: bytes, whole: bytes) -> bool:
    """Whether *one* reply is the *other* with addresses in another order; where not all fit, with any of *whole*'s."""
    if one[:HEADER_SIZE] != other[:HEADER_SIZE] or len(one) != len(other):
        return False
    try:
        first, second, all_of_it = map(Message.decode, (one, other, whole))
    except WireError:
        return False
    if (first.questions, first.edns, first.authority) != (second.questions, second.edns, second.authority):
        return False
    for mine, theirs, everything in (
        (first.answer, second.answer, all_of_it.answer),
        (first.additional, second.additional, all_of_it.additional),
    ):
        settled = [[each.rtype in ADDRESS_SIZES or each for each in some] for some in (mine, theirs)]
        if settled[0] != settled[1] or not Counter(mine) <= Counter(everything):
            return False
    return True
