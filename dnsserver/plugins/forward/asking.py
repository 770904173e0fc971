"""A query to an upstream, and its octets back to a reply."""

import secrets
from collections.abc import Callable

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.forward.addresses import Address
from dnsserver.transports.exchange import ExchangeError, exchange_tcp, exchange_udp
from dnsserver.wire import names
from dnsserver.wire.codes import OPTION_EDE, Flag, Rcode
from dnsserver.wire.errors import WireError
from dnsserver.wire.header import Header
from dnsserver.wire.limits import HEADER_SIZE
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question

PLUGIN = "forward"
#: Bits. The ID of a message (RFC 1035 section 4.1.1).
ID_BITS = 16
#: Octets. TYPE, CLASS, TTL and RDLENGTH of a record; RDLENGTH are the last two (RFC 1035 section 4.1.3).
RECORD_FIXED = 10


async def ask(query: Query, address: Address, *, tcp: bool, timeout_s: float) -> Reply:
    """Send *query* on as it came, with an ID that cannot be guessed. Raises ExchangeError."""
    ident = secrets.randbits(ID_BITS)
    exchange = exchange_tcp if tcp else exchange_udp
    octets = ident.to_bytes(2, "big") + query.octets[2 : _end(query)]
    reply = await exchange(octets, address.host, address.port, _replies_to(query, ident), timeout_s)
    try:
        return _as_reply(Message.decode(reply))
    except WireError as error:
        # Some servers set TC and cut inside a record; the bit is all that the client needs.
        header = Header.decode(reply)
        if header.flags & Flag.TC and not tcp:
            return Reply(rcode=header.rcode, truncated=True, plugin=PLUGIN)
        raise ExchangeError(f"bad reply from {address}: {error}") from None


def _end(query: Query) -> int:
    """Where the client's message ends. What stands behind it is not the client's question, and does not go on."""
    octets, header = query.octets, query.header
    _, place = Question.decode(octets, HEADER_SIZE)
    for _ in range(header.answers + header.authorities + header.additionals):
        _, place = names.decode(octets, place)
        place += RECORD_FIXED
        place += int.from_bytes(octets[place - 2 : place], "big")
    return place


def _replies_to(query: Query, ident: int) -> Callable[[bytes], bool]:
    def accept(octets: bytes) -> bool:
        if len(octets) < HEADER_SIZE:
            return False
        header = Header.decode(octets)
        if header.id != ident or not header.flags & Flag.QR or header.opcode != query.header.opcode:
            return False
        if header.questions == 0:
            # Servers that could not read the question cannot repeat it; such a reply says nothing about the name.
            return header.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN) and not header.answers
        try:
            question, _ = Question.decode(octets, HEADER_SIZE)
        except WireError:
            return (
                True  # from the server asked, or from one who guessed the ID; the caller finds it malformed
            )
        asked = query.question
        same = (question.name.lower(), question.rtype, question.rclass) == (
            query.name,
            asked.rtype,
            asked.rclass,
        )
        return same and header.questions == 1

    return accept


def _as_reply(message: Message) -> Reply:
    flags = message.header.flags
    options = message.edns.options if message.edns else ()
    return Reply(
        rcode=message.rcode,
        answer=message.answer,
        authority=message.authority,
        additional=message.additional,
        authoritative=bool(flags & Flag.AA),
        recursion_available=bool(flags & Flag.RA),
        authentic=bool(flags & Flag.AD),
        truncated=bool(flags & Flag.TC),
        options=tuple(option for option in options if option[0] == OPTION_EDE),
        plugin=PLUGIN,
    )
