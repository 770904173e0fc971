"""Octets from a client to a query, or to what they deserve instead (cluster-dns-behaviour.md, section 15)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import OPTION_PADDING, Class, Flag, Opcode, Rcode
from dnsserver.wire.edns import Edns
from dnsserver.wire.errors import WireError
from dnsserver.wire.header import Header
from dnsserver.wire.limits import HEADER_SIZE, MESSAGE_MAX, UDP_PAYLOAD_CLASSIC, UDP_PAYLOAD_MAX
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question

#: Records that a query may carry: IXFR has an SOA in authority (RFC 1995), NOTIFY one in answer (RFC 1996),
#: and additional has room for OPT and TSIG.
ANSWERS_MAX, AUTHORITIES_MAX, ADDITIONALS_MAX = 1, 1, 2

#: What plugins know of a query, by label (`kubernetes/namespace`); a value is made when somebody asks for it.
Labels = Mapping[str, Callable[[], str]]
NO_LABELS: Labels = MappingProxyType({})

#: Bits that a bare error reply echoes from the query; AA and Z are cleared.
_ECHOED_ON_ERROR = Flag.TC | Flag.RD | Flag.RA | Flag.AD | Flag.CD


@dataclass(frozen=True, slots=True)
class Query:
    """One question with all that decides its answer. `octets` is the message as it came.

    `trail` are the names (lower case) that led to this one, where the server asks itself (`follow`). `labels` is its
    metadata, empty unless the server block has the plugin `metadata`.
    """

    header: Header
    question: Question
    edns: Edns | None
    arrival: Arrival
    octets: bytes
    trail: tuple[bytes, ...] = ()
    labels: Labels = field(default_factory=lambda: NO_LABELS, compare=False)

    @property
    def name(self) -> bytes:
        """The qname in lower case; `question.name` has the case in which it was asked."""
        return self.question.name.lower()

    @property
    def wants_padding(self) -> bool:
        """Whether the size of the reply is to tell no one on the way anything (RFC 7830 section 4)."""
        if self.edns is None or self.arrival.scheme == "dns":
            return False
        return any(code == OPTION_PADDING for code, _ in self.edns.options)

    @property
    def size_limit(self) -> int:
        """Octets that one reply may have."""
        if self.arrival.protocol != "udp":
            return MESSAGE_MAX
        if self.edns is None:
            return UDP_PAYLOAD_CLASSIC
        return min(max(UDP_PAYLOAD_CLASSIC, self.edns.payload), UDP_PAYLOAD_MAX)


@dataclass(frozen=True, slots=True)
class Rejected:
    """The octets are no query that may be answered: send these, or nothing."""

    octets: bytes | None
    rcode: int


def read_query(octets: bytes, arrival: Arrival) -> Query | Rejected:
    """Check and decode what a client sent. Never raises."""
    if len(octets) < HEADER_SIZE:
        return Rejected(None, Rcode.FORMERR)
    header = Header.decode(octets)
    if header.flags & Flag.QR:
        return Rejected(None, Rcode.FORMERR)
    if header.opcode not in (Opcode.QUERY, Opcode.NOTIFY):
        return Rejected(bare_error(header, Rcode.NOTIMP), Rcode.NOTIMP)
    if (
        header.questions != 1
        or header.answers > ANSWERS_MAX
        or header.authorities > AUTHORITIES_MAX
        or header.additionals > ADDITIONALS_MAX
    ):
        return Rejected(bare_error(header, Rcode.FORMERR), Rcode.FORMERR)
    try:
        message = Message.decode(octets, header)
    except WireError as error:
        return Rejected(bare_error(header, error.rcode), error.rcode)
    query = Query(header, message.questions[0], message.edns, arrival, octets)
    if message.edns is not None and message.edns.version != 0:
        return Rejected(_bad_version(query), Rcode.BADVERS)
    return query


def follow(query: Query, target: bytes) -> Query:
    """The question that the server asks itself for *target*, with the client's type, EDNS size and DO bit.

    For ExternalName Services (section 4.4): class IN, none of the client's EDNS options.
    """
    question = Question(target, query.question.rtype, Class.IN)
    edns = None if query.edns is None else Edns(query.edns.payload, do=query.edns.do)
    flags = query.header.flags & (Flag.RD | Flag.CD)
    header = Header(query.header.id, Opcode.QUERY, 0, flags, 1, 0, 0, 0 if edns is None else 1)
    octets = header.encode() + question.encode() + (b"" if edns is None else edns.encode())
    return Query(header, question, edns, query.arrival, octets, (*query.trail, query.name), query.labels)


def about(query: Query, question: Question) -> Query:
    """*query* as if its client had asked *question*: what it says besides stays, but for records other than OPT."""
    edns = query.edns
    header = replace(
        query.header, questions=1, answers=0, authorities=0, additionals=0 if edns is None else 1
    )
    octets = header.encode() + question.encode() + (b"" if edns is None else edns.encode())
    return replace(query, header=header, question=question, octets=octets)


def asked_as(query: Query, question: Question, edns: Edns | None) -> Query:
    """*query* with another question or other EDNS, as it would have come with them; other records are left out."""
    header = query.header
    plain = Header(header.id, header.opcode, header.rcode, header.flags, 1, 0, 0, 0 if edns is None else 1)
    octets = plain.encode() + question.encode() + (b"" if edns is None else edns.encode())
    return replace(query, header=plain, question=question, edns=edns, octets=octets)


def bare_error(header: Header, rcode: int) -> bytes:
    """A reply of 12 octets, for messages of which no more than the header can be trusted."""
    opcode = header.opcode if rcode == Rcode.NOTIMP else 0
    return Header(header.id, opcode, rcode, header.flags & _ECHOED_ON_ERROR | Flag.QR).encode()


def reply_flags(query: Query) -> int:
    """QR, and for opcode QUERY the client's RD and CD."""
    kept = query.header.flags & (Flag.RD | Flag.CD) if query.header.opcode == Opcode.QUERY else 0
    return Flag.QR | kept


def _bad_version(query: Query) -> bytes:
    """BADVERS tells the highest version that we know, and nothing else (RFC 6891 section 6.1.3)."""
    do = query.edns is not None and query.edns.do
    edns = Edns(payload=0, do=do, extended_rcode=Rcode.BADVERS >> 4)
    header = Header(query.header.id, query.header.opcode, Rcode.BADVERS & 15, reply_flags(query), 1, 0, 0, 1)
    return header.encode() + query.question.encode() + edns.encode()
