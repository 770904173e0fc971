"""Values to the octets of a message, with name compression and a limit (RFC 1035 section 4.1.4)."""

import struct
from collections.abc import Iterable

from dnsserver.wire.header import Header, encode_header
from dnsserver.wire.limits import HEADER_SIZE, POINTER_OFFSET_MAX
from dnsserver.wire.question import Question
from dnsserver.wire.records import COMPRESSIBLE, Record

_FIXED = struct.Struct("!HHL")


class MessageWriter:
    """Writes records as long as they fit; a record that does not fit leaves no trace.

    `limit` and `reserved` (room kept for the OPT record) are octets.
    """

    def __init__(self, header: Header, question: Question | None, limit: int, reserved: int = 0) -> None:
        self._header = header
        self._limit = limit - reserved
        self._offsets: dict[bytes, int] = {}
        self._out = bytearray(HEADER_SIZE)
        self._counts = [0, 0, 0, 0]
        if question is not None:
            self._counts[0] = 1
            self._put_name(question.name)
            self._out += question.encode_fixed()

    @property
    def size(self) -> int:
        """Octets written so far, without OPT."""
        return len(self._out)

    def put_all(self, section: int, records: Iterable[Record]) -> bool:
        """Append *records* to *section* (1 answer, 2 authority, 3 additional); False at the first without room."""
        return not records or all(self._put(section, record) for record in records)

    def finish(self, *, flags: int = 0, opt: bytes = b"") -> bytes:
        """The message; *flags* are set in addition to the header's, *opt* is an encoded OPT record."""
        header, counts = self._header, self._counts
        if opt:
            counts = [*counts[:3], counts[3] + 1]
        self._out[:HEADER_SIZE] = encode_header(
            header.id, header.opcode, header.rcode, header.flags | flags, *counts
        )
        return bytes(self._out) + opt

    def _put(self, section: int, record: Record) -> bool:
        start, known = len(self._out), len(self._offsets)
        self._put_name(record.owner)
        self._out += _FIXED.pack(record.rtype, record.rclass, record.ttl)
        place, rdata = len(self._out), record.rdata
        self._out += b"\0\0" + rdata.head
        compress = record.rtype in COMPRESSIBLE
        for name in rdata.names:
            if compress:
                self._put_name(name)
            else:
                self._out += name
        self._out += rdata.tail
        size = len(self._out) - place - 2
        if len(self._out) > self._limit or size > 0xFFFF:
            del self._out[start:]
            for name in list(self._offsets)[known:]:
                del self._offsets[name]
            return False
        self._out[place : place + 2] = size.to_bytes(2, "big")
        self._counts[section] += 1
        return True

    def _put_name(self, name: bytes) -> None:
        """Append *name*, from its longest suffix that stands already on as a pointer. Case is kept: a suffix in
        another case is another suffix."""
        place = 0
        while size := name[place]:
            suffix = name[place:]
            offset = self._offsets.get(suffix)
            if offset is not None:
                self._out += (0xC000 | offset).to_bytes(2, "big")
                return
            if len(self._out) <= POINTER_OFFSET_MAX:
                self._offsets[suffix] = len(self._out)
            self._out += name[place : place + 1 + size]
            place += 1 + size
        self._out.append(0)
