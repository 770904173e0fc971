"""The class of a reply: success, denial or error (coredns-compat.md, section 3.2)."""

from dnsserver.answering.kinds import Kind, kind_of
from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.wire.codes import Opcode, Type
from dnsserver.wire.question import Question

CLASSES = frozenset(("success", "denial", "error"))

_CLASS_OF = {
    Kind.SUCCESS: "success",
    Kind.DELEGATION: "success",
    Kind.NODATA: "denial",
    Kind.NXDOMAIN: "denial",
}


def classify(query: Query, reply: Reply | None, now: float) -> str:
    """The class of *reply*; no reply at all is an error. *now*: Unix seconds, for the age of signatures."""
    if reply is None or query.header.opcode != Opcode.QUERY:
        return "error"
    wants_signatures = query.edns is not None and query.edns.do
    kind = kind_of(query.question, reply, signed_at=int(now) if wants_signatures else None)
    return _CLASS_OF.get(kind, "error")


def may_be_of(classes: frozenset[str], question: Question, reply: Reply) -> bool:
    """Whether *reply* can be of one of *classes*, whoever asks *question*, opcode QUERY."""
    if _CLASS_OF.get(kind_of(question, reply), "error") in classes:
        return True
    # Signatures have a time, and only some clients want them.
    sections = (reply.answer, reply.authority, reply.additional)
    return "error" in classes and any(record.rtype == Type.RRSIG for part in sections for record in part)
