"""Log formats: text with placeholders, taken apart once and filled in per query."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply, encode
from dnsserver.wire import names
from dnsserver.wire.codes import Flag, class_name, rcode_name, type_name
from dnsserver.wire.header import Header

COMMON = (
    '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}"'
    " {rcode} {>rflags} {rsize} {duration}"
)
COMBINED = COMMON + ' "{>opcode}"'

#: What stands for a value that there is not.
EMPTY = "-"
#: An innermost pair of braces.
_BRACES = re.compile(r"(\{[^{}]*\})")
_FLAGS = (Flag.QR, Flag.AA, Flag.TC, Flag.RD, Flag.RA, Flag.Z, Flag.AD, Flag.CD)


@dataclass(frozen=True)
class Exchange:
    """A query, its reply (None when nothing is sent), and the nanoseconds between them."""

    query: Query
    reply: Reply | None
    duration_ns: int

    @cached_property
    def octets(self) -> bytes:
        """The reply as the client gets it."""
        return b"" if self.reply is None else encode(self.reply, self.query)


Field = Callable[[Exchange], str]


class Format:
    """A format, taken apart."""

    def __init__(self, text: str) -> None:
        self._parts: tuple[str | Field, ...] = tuple(_part(piece) for piece in _BRACES.split(text))

    def fill(self, exchange: Exchange) -> str:
        return "".join(part if isinstance(part, str) else part(exchange) for part in self._parts)


def _part(piece: str) -> str | Field:
    """A placeholder's value, or that of a label; anything else is text."""
    if piece.startswith("{/"):
        return _label(piece[2:-1])
    return FIELDS.get(piece, piece)


def _label(name: str) -> Field:
    def value(exchange: Exchange) -> str:
        found = exchange.query.labels.get(name)
        return EMPTY if found is None else found()

    return value


def _host(text: str) -> str:
    return f"[{text}]" if ":" in text else text


def _rcode(exchange: Exchange) -> str:
    """The mnemonic, or the number of an RCODE that has none."""
    return EMPTY if exchange.reply is None else rcode_name(exchange.reply.rcode).removeprefix("RCODE")


def _flags(exchange: Exchange) -> str:
    """The flags that are set in the reply, in the order of the header."""
    if not exchange.octets:
        return EMPTY
    flags = Header.decode(exchange.octets).flags
    return ",".join(str(flag.name).lower() for flag in _FLAGS if flag & flags)


def _seconds(exchange: Exchange) -> str:
    """Seconds with as many decimals as there are, never with an exponent."""
    return format((Decimal(exchange.duration_ns) / 1_000_000_000).normalize(), "f") + "s"


def _do(exchange: Exchange) -> str:
    edns = exchange.query.edns
    return "true" if edns is not None and edns.do else "false"


FIELDS: Mapping[str, Field] = {
    "{type}": lambda exchange: type_name(exchange.query.question.rtype),
    "{name}": lambda exchange: names.to_text(exchange.query.name),
    "{class}": lambda exchange: class_name(exchange.query.question.rclass),
    "{proto}": lambda exchange: exchange.query.arrival.protocol,
    "{size}": lambda exchange: str(len(exchange.query.octets)),
    "{remote}": lambda exchange: _host(exchange.query.arrival.client_host),
    "{port}": lambda exchange: str(exchange.query.arrival.client_port),
    "{local}": lambda exchange: _host(exchange.query.arrival.server_host),
    "{>id}": lambda exchange: str(exchange.query.header.id),
    "{>opcode}": lambda exchange: str(exchange.query.header.opcode),
    "{>do}": _do,
    "{>bufsize}": lambda exchange: str(exchange.query.size_limit),
    "{rcode}": _rcode,
    "{rsize}": lambda exchange: str(len(exchange.octets)),
    "{duration}": _seconds,
    "{>rflags}": _flags,
}
