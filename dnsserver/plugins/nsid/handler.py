"""The option NSID in replies (RFC 5001 section 2.3)."""

from dataclasses import dataclass, replace

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Handler
from dnsserver.wire.codes import OPTION_NSID


@dataclass(frozen=True, slots=True)
class Nsid:
    """Adds *data* to the replies of *next* to queries with the option."""

    next: Handler
    data: bytes

    async def __call__(self, query: Query) -> Reply | None:
        reply = await self.next(query)
        if reply is None or query.edns is None or not _asks(query.edns.options):
            return reply
        others = tuple(option for option in reply.options if option[0] != OPTION_NSID)
        return replace(reply, options=(*others, (OPTION_NSID, self.data)))


def _asks(options: tuple[tuple[int, bytes], ...]) -> bool:
    return any(code == OPTION_NSID for code, _ in options)
