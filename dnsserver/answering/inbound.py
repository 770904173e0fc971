"""A zone transfer's messages to records, as the one who asked reads them (RFC 5936 section 2.2)."""

from collections.abc import Iterator

from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Rcode, Type, rcode_name
from dnsserver.wire.errors import WireError
from dnsserver.wire.header import Header
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record

#: Octets. What a transfer may have in all: some 20 million records.
TRANSFER_MAX = 1 << 30


class TransferError(Exception):
    """The messages are no transfer of the zone."""


def transfer_query(origin: bytes, ident: int, rtype: int = Type.AXFR) -> bytes:
    """The message that asks for the zone, or with SOA for its serial."""
    return Header(ident, 0, 0, 0, 1).encode() + Question(origin, rtype).encode()


class InboundTransfer:
    """Takes one message after another; `done` with the second SOA record. `soa` is the first."""

    def __init__(self, origin: bytes) -> None:
        self._origin = origin
        self._ident: int | None = None
        self._size = 0
        self.soa: Record | None = None
        self.done = False

    def feed(self, octets: bytes) -> Iterator[Record]:
        """The records of the next message, the SOA record once. Raises TransferError."""
        self._size += len(octets)
        if self._size > TRANSFER_MAX:
            raise TransferError(f"more than {TRANSFER_MAX} octets")
        try:
            message = Message.decode(octets)
        except WireError as error:
            raise TransferError(f"bad message: {error}") from None
        self._check(message)
        for record in message.answer:
            if self.done:
                raise TransferError("records behind the last SOA record")
            if record.rtype != Type.SOA or record.owner.lower() != self._origin:
                if self.soa is None:
                    raise TransferError("the first record is not the zone's SOA record")
                yield record
            elif self.soa is None:
                self.soa = record
                yield record
            elif record.rdata.tail != self.soa.rdata.tail:
                raise TransferError("first and last SOA record differ")
            else:
                self.done = True

    def _check(self, message: Message) -> None:
        if self._ident is None:
            self._ident = message.header.id
        if message.header.id != self._ident or not message.header.flags & Flag.QR:
            raise TransferError("a message that is no reply to the question")
        if message.rcode != Rcode.NOERROR:
            raise TransferError(f"bad xfr rcode: {rcode_name(message.rcode)}")
        if not message.answer:
            raise TransferError(f"no records of {names.to_text(self._origin)}")


def serial_of(octets: bytes, origin: bytes) -> int:
    """The serial in the reply to a question for the SOA record. Raises TransferError."""
    try:
        message = Message.decode(octets)
    except WireError as error:
        raise TransferError(f"bad message: {error}") from None
    if message.rcode != Rcode.NOERROR:
        raise TransferError(f"rcode was {rcode_name(message.rcode)}")
    for record in message.answer:
        if record.rtype == Type.SOA and record.owner.lower() == origin:
            return int.from_bytes(record.rdata.tail[:4], "big")
    raise TransferError("no SOA record in the answer")
