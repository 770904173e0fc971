"""Upper and lower case of names: every client gets its own spelling back."""

from collections.abc import Iterable
from dataclasses import replace

from dnsserver.answering.reply import Reply
from dnsserver.transports.upstream.randomness import RANDOM
from dnsserver.wire import names
from dnsserver.wire.records import Record


def scrambled(name: bytes) -> bytes:
    """*name* with each letter in upper or lower case at random ("0x20": some 10 bits more for who wants to guess)."""
    bits = RANDOM.octets(len(name))
    # Length octets are at most 63 and no letters.
    return bytes(
        octet ^ 0x20 if chance & 1 and chr(octet | 0x20) in _LETTERS else octet
        for octet, chance in zip(name, bits, strict=True)
    )


_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")


def respelled(reply: Reply, asked: bytes, wanted: bytes) -> Reply:
    """*reply* to the question for the name *asked*, as if *wanted* had been asked for, the same in another case.

    Servers point into the question where names in their reply end like it, so these ends come back as they were asked.
    """
    if asked == wanted:
        return reply
    ends = dict(zip(names.suffixes(asked), names.suffixes(wanted), strict=True))
    return reply.with_records(
        _records(reply.answer, ends),
        _records(reply.authority, ends),
        _records(reply.additional, ends),
    )


def _records(records: Iterable[Record], ends: dict[bytes, bytes]) -> tuple[Record, ...]:
    return tuple(
        replace(
            record,
            owner=_name(record.owner, ends),
            rdata=replace(record.rdata, names=tuple(_name(name, ends) for name in record.rdata.names))
            if record.rdata.names
            else record.rdata,
        )
        for record in records
    )


def _name(name: bytes, ends: dict[bytes, bytes]) -> bytes:
    for end in names.suffixes(name):
        wanted = ends.get(end)
        if wanted is not None:
            return name[: len(name) - len(end)] + wanted
    return name
