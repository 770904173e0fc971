"""Rules in the order of the file on queries, in the other order on replies."""

from dataclasses import dataclass

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Handler
from dnsserver.plugins.rewrite.answers import Answering, Lookup
from dnsserver.plugins.rewrite.rules import Rule
from dnsserver.wire.codes import ExtendedError, Rcode
from dnsserver.wire.edns import told_cause
from dnsserver.wire.errors import NameTextError

_INVALID = told_cause(ExtendedError.OTHER, "plugin rewrite makes an invalid name of it")


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Asks *next* what the rules make of a query. The client's question is in the reply whatever was asked."""

    next: Handler
    rules: tuple[Rule, ...]
    lookup: Lookup

    async def __call__(self, query: Query) -> Reply | None:
        asked = query
        answering: list[Answering] = []
        for rule in self.rules:
            try:
                applied = rule.change.applied(asked)
            except NameTextError as error:
                return Reply(
                    rcode=Rcode.SERVFAIL,
                    options=(_INVALID,),
                    error=f"invalid name after rewrite: {error}",
                )
            if applied is None:
                continue
            asked = applied.query
            answering += applied.answering
            if rule.stops:
                break
        reply = await self.next(asked)
        for each in reversed(answering):
            if reply is None:
                return None
            reply = await each.answered(reply, asked, self.lookup)
        return reply
