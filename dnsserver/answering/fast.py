"""Octets of a query and a stored answer to octets of the reply: the plain path's reply, or None to step aside.

Every check of `query.read_query` and every octet of `reply.encode` has its counterpart here; the judge in tests/fast
compares both on random queries.
"""

import struct

from dnsserver.answering.stored import Dice, StoredAnswer, question_end
from dnsserver.wire.codes import Flag
from dnsserver.wire.limits import HEADER_SIZE, MESSAGE_MAX, UDP_PAYLOAD_CLASSIC, UDP_PAYLOAD_MAX

#: Octets. OPT without options (RFC 6891 section 6.1.2).
OPT_SIZE = 11
_COUNTS_PLAIN = b"\0\1\0\0\0\0\0\0"
_COUNTS_EDNS = b"\0\1\0\0\0\0\0\1"
_OPT_TYPE = b"\0\0\x29"
_OPTION = struct.Struct("!HH")
#: Of the third octet of a header, of the fourth, and of the flags of OPT.
_RD, _AD, _CD, _DO = 0x01, 0x20, 0x10, 0x80
#: Of the two together; an int, as those of an enum are slow.
_TC = int(Flag.TC)
#: RD; AD and CD; DO. Clients set any of them; what has other bits set is not looked for among the ready replies.
_COMMON_HIGH, _COMMON_LOW, _COMMON_EDNS = _RD, _AD | _CD, _DO
#: Octets. The sizes that resolvers ask for, now and earlier: glibc, c-ares, Go, Windows, systemd, BIND, Unbound, Knot.
_COMMON_SIZES = frozenset(
    (512, 1200, 1220, 1232, 1280, 1400, 1410, 1432, 1452, 1472, 4000, 4096, 8192, 65_494)
)


def fast_reply(
    octets: bytes, end: int, stored: StoredAnswer, serial: bytes, dice: Dice, *, udp: bool
) -> bytes | None:
    """The reply to the query *octets* whose question ends at *end* (`question_end`) and has the answer *stored*.

    None for everything that is not an ordinary query, and for replies that the client cannot take whole, unless only
    some of many addresses have to be left out.
    """
    high, low = octets[2], octets[3]
    counts = octets[4:HEADER_SIZE]
    if counts == _COUNTS_PLAIN:
        opt, limit = b"", UDP_PAYLOAD_CLASSIC
    elif counts == _COUNTS_EDNS:
        opt = _reply_opt(octets, end, stored.options)
        if not opt:
            return None
        size = opt[3] << 8 | opt[4]
        limit = min(max(UDP_PAYLOAD_CLASSIC, size), UDP_PAYLOAD_MAX)
        if stored.payload_max:
            limit = min(limit, max(stored.payload_max, UDP_PAYLOAD_CLASSIC))
            opt = opt[:3] + min(size, stored.payload_max).to_bytes(2, "big") + opt[5:]
    else:
        return None
    truncated, numbers = 0, stored.counts
    room = (limit if udp else MESSAGE_MAX) - end - len(opt)
    if len(stored.body) <= room:
        body = stored.octets(serial, dice)
    else:
        part = stored.cut(room, dice)
        if part is None:
            return None
        truncated, (numbers, body) = _TC, part
    if opt:
        numbers = numbers[:4] + (int.from_bytes(numbers[4:], "big") + 1).to_bytes(2, "big")
    flags = stored.flags | truncated | (high & _RD) << 8 | low & _CD | stored.rcode
    if stored.authentic and (low & _AD or (opt and opt[7] & _DO)):
        flags |= _AD
    return octets[:2] + flags.to_bytes(2, "big") + b"\0\1" + numbers + octets[HEADER_SIZE:end] + body + opt


def may_have_options(octets: bytes) -> bool:
    """Whether the query *octets* may have EDNS options: there is more than a question and an OPT record without any."""
    end = question_end(octets)
    return end < 0 or len(octets) > end + OPT_SIZE


def is_commonplace(octets: bytes, end: int) -> bool:
    """Whether the query *octets*, whose question ends at *end*, is likely to come again, the same but for its ID.

    That is: its name in lower case (0x20 makes a new spelling each time), nothing behind the question but OPT without
    options (a cookie is the client's own), and only flags and sizes that resolvers use: so one question has some
    hundred such queries, and not millions.
    """
    name = octets[HEADER_SIZE : end - 4]
    counts = octets[4:HEADER_SIZE]
    if octets[2] & ~_COMMON_HIGH or octets[3] & ~_COMMON_LOW or name != name.lower():
        return False
    if counts == _COUNTS_PLAIN:
        return len(octets) == end
    return counts == _COUNTS_EDNS and len(octets) == end + OPT_SIZE and _is_common_opt(octets[end:])


def _is_common_opt(opt: bytes) -> bool:
    """Whether it is OPT of version 0 without options, upper RCODE, and flags but DO."""
    size = opt[3] << 8 | opt[4]
    return (
        opt[:3] == _OPT_TYPE
        and size in _COMMON_SIZES
        and opt[5:7] == b"\0\0"
        and not opt[7] & ~_COMMON_EDNS
        and opt[8:] == b"\0\0\0"
    )


def _reply_opt(octets: bytes, end: int, options: bytes) -> bytes:
    """The OPT record of the reply: size and DO as in the query, *options* of ours; empty when the query's is not
    ordinary."""
    opt = octets[end : end + OPT_SIZE]
    if len(opt) < OPT_SIZE or opt[:3] != _OPT_TYPE or opt[6]:  # cut, another type, or another version than 0
        return b""
    if opt[9] or opt[10]:
        place = end + OPT_SIZE
        stop = place + (opt[9] << 8 | opt[10])
        if stop > len(octets):
            return b""
        while place + _OPTION.size <= stop:
            place += _OPTION.size + _OPTION.unpack_from(octets, place)[1]
        if place != stop:
            return b""
    return opt[:5] + b"\0\0" + bytes((opt[7] & _DO,)) + b"\0" + len(options).to_bytes(2, "big") + options
