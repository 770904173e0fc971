"""Replies, and their stored form, for the tests of the fast path."""

import struct

from dnsserver.answering.fast import fast_reply
from dnsserver.answering.query import Query, read_query
from dnsserver.answering.reply import Reply, encode
from dnsserver.answering.stored import StoredAnswer, compile_answer, question_end
from dnsserver.wire import names
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Rcode, Type
from dnsserver.wire.question import Question
from dnsserver.wire.records import Rdata, Record, name_rdata, soa_rdata
from tests.answering.packets import HEADER, NAME, QUESTION

#: Serial of the zone when the answer was stored, and now.
THEN, NOW = 1_000, 0xFEDC_BA98
SERIAL = NOW.to_bytes(4, "big")
END = HEADER + len(QUESTION)
#: Octets of an A record whose owner is a pointer, and of OPT without options.
A_SIZE, OPT_SIZE = 16, 11
ZONE = names.from_text("cluster.local.")
TARGET = names.from_text("pod.nginx.default.svc.cluster.local.")
WITH_OPT = (1, 0, 0, 1)
ALIAS = Record(NAME, Type.CNAME, 5, name_rdata(TARGET))


class InOrder:
    """Dice by which the first come first."""

    def sample(self, population: range, k: int) -> list[int]:
        return list(population)[:k]


class Backwards:
    """Dice by which the last come first."""

    def sample(self, population: range, k: int) -> list[int]:
        return list(population)[::-1][:k]


def asked(name: bytes = NAME, rtype: int = Type.A) -> Question:
    return Question(name, rtype)


def addresses(number: int, owner: bytes = NAME) -> tuple[Record, ...]:
    return tuple(
        Record(owner, Type.A, 5, Rdata(struct.pack("!L", 0x0A00_0000 + each))) for each in range(number)
    )


def soa(origin: bytes, serial: int = THEN) -> Record:
    """As a zone gives it: its names end in the zone as the question spells it."""
    first, second = (names.prefix(parts) + origin for parts in ((b"ns", b"dns"), (b"hostmaster",)))
    return Record(origin, Type.SOA, 5, soa_rdata(first, second, serial, 7200, 1800, 86400, 5))


def negative(origin: bytes = ZONE, serial: int = THEN, rcode: int = Rcode.NXDOMAIN) -> Reply:
    return Reply(rcode=rcode, authority=(soa(origin, serial),), authoritative=True, live=True)


def positive(*answer: Record, additional: tuple[Record, ...] = ()) -> Reply:
    return Reply(answer=answer, additional=additional, authoritative=True)


def stored(reply: Reply, other: Reply | None = None, *, shuffle: bool = False) -> StoredAnswer:
    found = compile_answer(asked(), reply, lambda _: other, shuffle=shuffle)
    assert found is not None
    return found


def plainly(reply: Reply, octets: bytes, protocol: str = "udp") -> bytes:
    query = read_query(octets, Arrival(protocol, "192.0.2.1", 4711, "192.0.2.2", 53))
    assert isinstance(query, Query)
    return encode(reply, query)


def quickly(reply: Reply, octets: bytes, *, udp: bool = True, shuffle: bool = False) -> bytes | None:
    end = question_end(octets)
    found = stored(reply, shuffle=shuffle)
    return None if end < 0 else fast_reply(octets, end, found, SERIAL, InOrder(), udp=udp)
