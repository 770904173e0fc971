"""Replies as octets that serve everyone who asks the same question: compiled once, sent with few changes.

The plain path (lookup, sections, encode) decides what is answered; this only remembers it. What differs between two
askers of one question is the ID, RD and CD, the spelling of the name, OPT, and the size that they can take; the order
of addresses where `loadbalance` shuffles; and, in negative answers, the serial of the zone. All else is in `body`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from dnsserver.answering.reply import Reply, encode_body
from dnsserver.wire.codes import Flag, Type
from dnsserver.wire.edns import encode_options
from dnsserver.wire.limits import HEADER_SIZE
from dnsserver.wire.question import Question


class Dice(Protocol):
    """Where the order of addresses comes from: `random.Random`."""

    def sample(self, population: range, k: int) -> list[int]:
        """*k* different numbers of *population*, in random order."""
        ...


#: Octets. An address record with a pointer as owner: 2 + type, class, TTL, length (10) + address.
ADDRESS_SIZES: dict[int, int] = {Type.A: 16, Type.AAAA: 28}
#: Octets. What such records of one name and type have in common: all but the address.
_ADDRESS_HEAD = 12
#: The largest RCODE that the header alone can say (RFC 6895 section 2.3).
_RCODE_MAX = 15
#: Octets. Where the TTL is behind an owner name, and all between that name and RDATA (RFC 1035 section 4.1.3).
_TTL, _FIXED = 4, 10
#: The first octet of a compression pointer is at least this (RFC 1035 section 4.1.4).
_POINTER = 0xC0
#: Octets. From the serial to the end of an SOA record (RFC 1035 section 3.3.13).
SOA_TAIL = 20


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The part behind the question. `counts` are the six octets of the answer, authority and additional counts
    without OPT; `any_case`: right for every spelling of the question's name; `options`: RDATA of OPT."""

    rcode: int
    counts: bytes
    body: bytes
    any_case: bool
    negative: bool
    shuffled: int
    """Octets of each of the address records that the answer section ends in, where their order is to change; else 0."""
    fixed: int = 0
    """Octets in front of these: CNAMEs, signatures."""
    behind: int = 0
    """Octets behind these: the other sections."""
    options: bytes = b""
    flags: int = 0x8400
    """Of the header, without those that come from the query: QR, AA, RA."""
    authentic: bool = False
    """AD is set for clients that set AD or DO (RFC 6840 section 5.8)."""
    payload_max: int = 0
    """As in Reply."""

    def octets(self, serial: bytes, dice: Dice) -> bytes:
        """The body for one reply; *serial* is that of the zone now, four octets."""
        if self.negative:
            return self.body[:-SOA_TAIL] + serial + self.body[4 - SOA_TAIL :]
        return self._some(self.addresses, dice) if self.shuffled else self.body

    @property
    def addresses(self) -> int:
        """How many of them change their order."""
        return (len(self.body) - self.fixed - self.behind) // self.shuffled if self.shuffled else 0

    def cut(self, room: int, dice: Dice) -> tuple[bytes, bytes] | None:
        """Counts as in `counts`, and a body of at most *room* octets with some of the addresses; None when it is not
        the addresses that are too many."""
        if not self.shuffled or self.behind or room < self.fixed:
            return None
        number = min(self.addresses, (room - self.fixed) // self.shuffled)
        answers = int.from_bytes(self.counts[:2], "big") - self.addresses + number
        return answers.to_bytes(2, "big") + self.counts[2:], self._some(number, dice)

    def _some(self, number: int, dice: Dice) -> bytes:
        """The body with *number* of the addresses."""
        body, size, fixed = self.body, self.shuffled, self.fixed
        places = [fixed + size * index for index in dice.sample(range(self.addresses), number)]
        end = len(body) - self.behind
        return body[:fixed] + b"".join([body[place : place + size] for place in places]) + body[end:]


def compile_answer(
    question: Question, reply: Reply, other: Callable[[Question], Reply | None], *, shuffle: bool
) -> StoredAnswer | None:
    """The stored form of the plain path's *reply* to *question* (its name in lower case); None when there is none.

    *other* gives the reply to the same question in another spelling: where the octets agree, every spelling may share
    them, since names can then only be pointers into the question.
    """
    if shuffle and sum(record.rtype in ADDRESS_SIZES for record in reply.additional) > 1:
        return None  # the addresses of SRV and NS change their order too, and their owners are chained by pointers
    if reply.truncated or reply.rcode > _RCODE_MAX or reply.recursion_desired is not None:
        return None
    encoded = encode_body(reply, question)
    if encoded is None:
        return None
    counts, body = encoded
    shuffled, fixed, behind = _shuffled(reply, body) if shuffle else (0, 0, 0)
    twin = Question(question.name.swapcase(), question.rtype, question.rclass)
    twins_reply = other(twin)
    return StoredAnswer(
        rcode=reply.rcode,
        counts=counts,
        body=body,
        any_case=twins_reply is not None and encode_body(twins_reply, twin) == encoded,
        negative=reply.live and is_negative(reply),
        shuffled=shuffled,
        fixed=fixed,
        behind=behind,
        options=encode_options(reply.options),
        flags=_flags(reply),
        authentic=reply.authentic,
        payload_max=reply.payload_max,
    )


def ttl_places(answer: StoredAnswer) -> tuple[int, ...]:
    """Where in the body the TTLs of its records are, four octets each."""
    body, place, found = answer.body, 0, []
    for start in range(0, len(answer.counts), 2):
        for _ in range(int.from_bytes(answer.counts[start : start + 2], "big")):
            place = _name_end(body, place)
            found.append(place + _TTL)
            place += _FIXED + int.from_bytes(body[place + _FIXED - 2 : place + _FIXED], "big")
    return tuple(found)


def with_ttl(answer: StoredAnswer, places: tuple[int, ...], ttl: int) -> StoredAnswer:
    """*answer* with *ttl* in seconds at all *places*."""
    octets, body = ttl.to_bytes(4, "big"), bytearray(answer.body)
    for place in places:
        body[place : place + 4] = octets
    return replace(answer, body=bytes(body))


def _name_end(body: bytes, place: int) -> int:
    """The place behind the owner name at *place*, which our own writer has written."""
    while (length := body[place]) < _POINTER:
        place += 1 + length
        if not length:
            return place
    return place + 2


def _flags(reply: Reply) -> int:
    flags: int = Flag.QR
    if reply.authoritative:
        flags |= Flag.AA
    if reply.recursion_available:
        flags |= Flag.RA
    return flags


def is_negative(reply: Reply) -> bool:
    """Whether the reply ends in the zone's SOA record, whose serial is that of the moment."""
    return bool(reply.authority) and reply.authority[-1].rtype == Type.SOA and not reply.additional


def _shuffled(reply: Reply, body: bytes) -> tuple[int, int, int]:
    """The size of a record, and the octets in front and behind, when the answer section ends in several addresses of
    one type and name, and their order is all that changes. Nothing in the message points at these records."""
    addresses = [record.rtype for record in reply.answer if record.rtype in ADDRESS_SIZES]
    if len(addresses) < 2 or len(set(addresses)) != 1:
        return 0, 0, 0
    if any(record.rtype == Type.MX for section in (reply.answer, reply.additional) for record in section):
        return 0, 0, 0
    size, end = ADDRESS_SIZES[addresses[0]], _records_end(body, len(reply.answer))
    fixed = end - size * len(addresses)
    heads = {body[place : place + _ADDRESS_HEAD] for place in range(fixed, end, size)}
    return (size, fixed, len(body) - end) if len(heads) == 1 else (0, 0, 0)


def _records_end(body: bytes, number: int) -> int:
    """The place behind the first *number* records."""
    place = 0
    for _ in range(number):
        place = _name_end(body, place) + _FIXED
        place += int.from_bytes(body[place - 2 : place], "big")
    return place


def question_end(octets: bytes) -> int:
    """The place behind the question of a query whose name has no zero octet inside a label; -1 when it is cut, and for
    other messages than queries: responses, and other opcodes than QUERY.

    What stands before that place is compared with the octets of questions that were well formed, so no label has to
    be looked at.
    """
    end = octets.find(0, HEADER_SIZE) + 5
    return end if HEADER_SIZE + 5 <= end <= len(octets) and not octets[2] & 0xF8 else -1
