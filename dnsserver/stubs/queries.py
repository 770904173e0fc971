"""The packets of stub resolvers: a query as each library writes it, and what it looks at in a reply."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address

from dnsserver.wire import names
from dnsserver.wire.codes import Class, Flag, Opcode, Rcode, Type
from dnsserver.wire.edns import Edns
from dnsserver.wire.errors import WireError
from dnsserver.wire.header import Header
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question


@dataclass(frozen=True, slots=True)
class Query:
    """`payload` is the UDP size in octets that an OPT record offers, None without one."""

    ident: int
    question: Question
    authentic: bool = False
    payload: int | None = None

    def encode(self) -> bytes:
        flags = Flag.RD | (Flag.AD if self.authentic else 0)
        opt = Edns(self.payload).encode() if self.payload is not None else b""
        header = Header(self.ident, Opcode.QUERY, flags=flags, questions=1, additionals=1 if opt else 0)
        return header.encode() + self.question.encode() + opt


def queries(
    name: bytes, types: tuple[Type, ...], idents: Iterator[int], *, authentic: bool, payload: int | None
) -> tuple[Query, ...]:
    """A query for each of *types*; their IDs differ."""
    found: list[Query] = []
    for rtype in types:
        ident = next(idents)
        while any(ident == query.ident for query in found):
            ident = next(idents)
        found.append(Query(ident, Question(name, rtype), authentic, payload))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply as a stub sees it; `message` is None when what follows the header cannot be read."""

    octets: bytes
    header: Header
    message: Message | None

    @classmethod
    def read(cls, octets: bytes) -> "Answer | None":
        """None for fewer octets than a header has."""
        try:
            header = Header.decode(octets)
        except WireError:
            return None
        try:
            return cls(octets, header, Message.decode(octets, header))
        except WireError:
            return cls(octets, header, None)

    def has(self, flag: Flag) -> bool:
        return bool(self.header.flags & flag)

    @property
    def rcode(self) -> int:
        """That of the header alone: C libraries do not look into OPT."""
        return self.header.rcode

    @property
    def positive(self) -> bool:
        """NOERROR, with anything in the answer section."""
        return self.rcode == Rcode.NOERROR and self.header.answers > 0

    @property
    def lame(self) -> bool:
        """An empty NOERROR of a server that is neither authoritative nor recursive; a referral, most likely."""
        header = self.header
        empty = self.rcode == Rcode.NOERROR and not header.answers and not header.additionals
        return empty and not self.has(Flag.AA) and not self.has(Flag.RA)

    def asks(self, question: Question) -> bool:
        """Whether it repeats *question*, in whatever case."""
        found = self.message.questions if self.message else ()
        return len(found) == 1 and _folded(found[0]) == _folded(question)

    def addresses(self, rtype: int, owner: bytes | None = None) -> tuple[str, ...]:
        """Those of *rtype*; with *owner* only those at that name, or where the CNAMEs before them lead."""
        found = []
        for record in self.message.answer if self.message else ():
            if record.rclass != Class.IN:
                continue
            if record.rtype == Type.CNAME:
                owner = owner and record.rdata.names[0]
            elif record.rtype == rtype and (owner is None or record.owner.lower() == owner.lower()):
                found.append(str(ip_address(record.rdata.head)))
        return tuple(found)

    @property
    def canonical(self) -> str:
        """Where the CNAMEs lead, without the final dot; "" without any."""
        aliases = [item for item in self.message.answer if item.rtype == Type.CNAME] if self.message else []
        return names.to_text(aliases[-1].rdata.names[0]).rstrip(".") if aliases else ""


def _folded(question: Question) -> Question:
    return replace(question, name=question.name.lower())
