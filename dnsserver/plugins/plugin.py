"""What a plugin is: settings read from a directive, and a handler around the next handler."""

from collections.abc import Awaitable, Callable

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.wire.codes import Rcode

#: Answers a query. None: send nothing at all.
Handler = Callable[[Query], Awaitable[Reply | None]]


async def no_next_plugin(query: Query) -> Reply | None:  # noqa: ARG001 - the end of every chain
    """The end of a chain: nobody answered (section 11.3)."""
    return Reply(rcode=Rcode.SERVFAIL)
