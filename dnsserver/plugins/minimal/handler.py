"""Replies without authority and additional sections (coredns-compat.md, section 3.11)."""

from dataclasses import dataclass, replace

from dnsserver.answering.kinds import Kind, kind_of
from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Handler
from dnsserver.wire.codes import Opcode
from dnsserver.wire.question import Question


@dataclass(frozen=True, slots=True)
class Minimal:
    """Shortens the replies that *next* gives."""

    next: Handler

    async def __call__(self, query: Query) -> Reply | None:
        reply = await self.next(query)
        if reply is None or query.header.opcode != Opcode.QUERY:
            return reply
        return shortened(query.question, reply)


def shortened(question: Question, reply: Reply) -> Reply:
    """*reply* without authority and additional sections, unless these are what it says (denials, delegations)."""
    if kind_of(question, reply) is not Kind.SUCCESS or not (reply.authority or reply.additional):
        return reply
    return replace(reply, authority=(), additional=())
