"""The class of a reply: success, denial or error (coredns-compat.md, section 3.2)."""

from dnsserver.answering.kinds import Kind, kind_of
from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.wire.codes import Opcode

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
