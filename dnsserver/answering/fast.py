"""Octets of a query and a stored answer to octets of the reply: the plain path's reply, or None to step aside.

Every check of `query.read_query` and every octet of `reply.encode` has its counterpart here; the judge in tests/fast
compares both on random queries.
"""

import struct

from dnsserver.answering.stored import Shuffle, StoredAnswer
from dnsserver.wire.limits import HEADER_SIZE, MESSAGE_MAX, UDP_PAYLOAD_CLASSIC, UDP_PAYLOAD_MAX

#: Octets. OPT without options (RFC 6891 section 6.1.2).
_OPT_SIZE = 11
_COUNTS_PLAIN = b"\0\1\0\0\0\0\0\0"
_COUNTS_EDNS = b"\0\1\0\0\0\0\0\1"
_OPT_TYPE = b"\0\0\x29"
_OPTION = struct.Struct("!HH")


def fast_reply(
    octets: bytes, end: int, stored: StoredAnswer, serial: bytes, shuffle: Shuffle, *, udp: bool
) -> bytes | None:
    """The reply to the query *octets* whose question ends at *end* and has the answer *stored*.

    None for everything that is not an ordinary query, and for replies that the client cannot take whole.
    """
    high, low = octets[2], octets[3]
    if high & 0xF8:  # a response, or another opcode than QUERY
        return None
    counts = octets[4:HEADER_SIZE]
    if counts == _COUNTS_PLAIN:
        opt, limit, numbers = b"", UDP_PAYLOAD_CLASSIC, stored.counts
    elif counts == _COUNTS_EDNS:
        opt = _reply_opt(octets, end)
        if not opt:
            return None
        payload = opt[3] << 8 | opt[4]
        limit = min(max(UDP_PAYLOAD_CLASSIC, payload), UDP_PAYLOAD_MAX)
        numbers = stored.counts_with_opt
    else:
        return None
    # Before the body is made: shuffling thousands of records for a client that cannot take them would be for nothing.
    if end + len(stored.body) + len(opt) > (limit if udp else MESSAGE_MAX):
        return None
    body = stored.octets(serial, shuffle)
    flags = bytes((0x84 | high & 1, stored.rcode | low & 0x10))
    return octets[:2] + flags + b"\0\1" + numbers + octets[HEADER_SIZE:end] + body + opt


def _reply_opt(octets: bytes, end: int) -> bytes:
    """The OPT record of the reply: size and DO as in the query, no options; empty when the query's is not ordinary."""
    opt = octets[end : end + _OPT_SIZE]
    if len(opt) < _OPT_SIZE or opt[:3] != _OPT_TYPE or opt[6]:  # cut, another type, or another version than 0
        return b""
    if opt[9] or opt[10]:
        place = end + _OPT_SIZE
        stop = place + (opt[9] << 8 | opt[10])
        if stop > len(octets):
            return b""
        while place + _OPTION.size <= stop:
            place += _OPTION.size + _OPTION.unpack_from(octets, place)[1]
        if place != stop:
            return b""
    return opt[:5] + b"\0\0" + bytes((opt[7] & 0x80,)) + b"\0\0\0"
