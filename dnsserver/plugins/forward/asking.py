"""A client's query as upstreams get it, and an upstream's octets back to a reply."""

from dataclasses import dataclass

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.forward.spelling import respelled, scrambled
from dnsserver.plugins.forward.upstreams import Upstream
from dnsserver.transports.upstream.peer import ExchangeError
from dnsserver.wire import names
from dnsserver.wire.codes import OPTION_EDE, Flag, Rcode
from dnsserver.wire.errors import WireError
from dnsserver.wire.header import Header
from dnsserver.wire.limits import HEADER_SIZE
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question

PLUGIN = "forward"
#: Octets. TYPE and CLASS of a question (RFC 1035 section 4.1.2).
QUESTION_FIXED = 4
#: Octets. TYPE, CLASS, TTL and RDLENGTH of a record; RDLENGTH are the last two (RFC 1035 section 4.1.3).
RECORD_FIXED = 10
#: The octet with QR, opcode, AA, TC and RD: QR and opcode of a reply to an ordinary query, as far as it is the mask's.
_REPLY, _REPLY_MASK = 0x80, 0xF8
_ONE = b"\0\1"
_AA, _TC, _RA, _AD = Flag.AA.value, Flag.TC.value, Flag.RA.value, Flag.AD.value


@dataclass(frozen=True, slots=True)
class Asked:
    """A message for upstreams, and what its question is; `exact`: replies must repeat it in its case.

    `octets` is as the client sent it, but for the ID, and ends where the client's message ends: what stands behind it
    is no part of the question, and does not go on.
    """

    octets: bytes
    question: Question
    opcode: int
    exact: bool = False

    @classmethod
    def of(cls, query: Query) -> "Asked":
        return cls(query.octets[: _end(query)], query.question, query.header.opcode)

    @property
    def key(self) -> bytes:
        """The same for messages that upstreams must answer alike: all but the ID and the case of the name."""
        octets, name = self.octets, self.question.name
        end = HEADER_SIZE + len(name)
        if octets[HEADER_SIZE:end] != name:
            return octets[2:]  # a name with pointers, which nobody sends
        return octets[2:HEADER_SIZE] + name.lower() + octets[end:]

    def in_random_case(self) -> "Asked":
        octets, name = self.octets, self.question.name
        end = HEADER_SIZE + len(name)
        if octets[HEADER_SIZE:end] != name:
            return self
        name = scrambled(name)
        question = Question(name, self.question.rtype, self.question.rclass)
        return Asked(octets[:HEADER_SIZE] + name + octets[end:], question, self.opcode, exact=True)

    def accepts(self, reply: bytes) -> bool:
        """Whether *reply*, which has the right ID and came from the right server, is one to this question."""
        end = HEADER_SIZE + len(self.question.name) + QUESTION_FIXED
        if (
            len(reply) >= end
            and reply[2] & _REPLY_MASK == _REPLY | self.opcode << 3
            and reply[4:6] == _ONE
            and reply[HEADER_SIZE:end] == self.octets[HEADER_SIZE:end]
        ):
            return True
        return self._accepts_otherwise(reply)

    def _accepts_otherwise(self, reply: bytes) -> bool:
        if len(reply) < HEADER_SIZE:
            return False
        header = Header.decode(reply)
        if not header.flags & Flag.QR or header.opcode != self.opcode:
            return False
        if header.questions == 0:
            # Servers that could not read the question cannot repeat it; such a reply says nothing about the name.
            return header.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN) and not header.answers
        try:
            question, _ = Question.decode(reply, HEADER_SIZE)
        except WireError:
            # From the server asked, or from one who guessed the ID; whoever decodes it finds it malformed.
            return True
        return header.questions == 1 and self._is_same(question)

    def _is_same(self, question: Question) -> bool:
        asked = self.question
        if (question.rtype, question.rclass) != (asked.rtype, asked.rclass):
            return False
        if self.exact:
            return question.name == asked.name
        return question.name.lower() == asked.name.lower()


async def ask(
    asked: Asked, upstream: Upstream, *, tcp: bool, scramble: bool, read_s: float, deadline: float
) -> Reply:
    """The reply of *upstream* within *read_s* and before *deadline* (seconds; of the event loop).

    With *scramble*, in random case where it goes by UDP. Raises ExchangeError.
    """
    by_udp = upstream.link.has_udp and not tcp
    sent = asked.in_random_case() if scramble and by_udp else asked
    octets = await upstream.link.ask(sent.octets, sent.accepts, tcp=tcp, read_s=read_s, deadline=deadline)
    try:
        reply = _as_reply(Message.decode(octets))
    except WireError as error:
        # Some servers set TC and cut inside a record; the bit is all that the client needs.
        header = Header.decode(octets)
        if header.flags & Flag.TC and by_udp:
            return Reply(rcode=header.rcode, truncated=True, plugin=PLUGIN)
        raise ExchangeError(f"bad reply from {upstream.name}: {error}") from None
    return respelled(reply, sent.question.name, asked.question.name)


def _end(query: Query) -> int:
    """Where the client's message ends."""
    octets, header, name = query.octets, query.header, query.question.name
    place = HEADER_SIZE + len(name)
    if octets[HEADER_SIZE:place] == name:
        place += QUESTION_FIXED
    else:
        _, place = Question.decode(octets, HEADER_SIZE)
    for _ in range(header.answers + header.authorities + header.additionals):
        if octets[place]:
            _, place = names.decode(octets, place)
        else:
            place += 1  # the root: OPT
        place += RECORD_FIXED
        place += int.from_bytes(octets[place - 2 : place], "big")
    return place


def _as_reply(message: Message) -> Reply:
    flags = message.header.flags
    options = message.edns.options if message.edns else None
    return Reply(
        rcode=message.rcode,
        answer=message.answer,
        authority=message.authority,
        additional=message.additional,
        authoritative=bool(flags & _AA),
        recursion_available=bool(flags & _RA),
        authentic=bool(flags & _AD),
        truncated=bool(flags & _TC),
        options=tuple(option for option in options if option[0] == OPTION_EDE) if options else (),
        plugin=PLUGIN,
    )
