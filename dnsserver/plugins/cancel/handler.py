"""A deadline for the plugins behind (coredns-compat.md, section 3.11)."""

import asyncio
from dataclasses import dataclass

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.plugin import Handler
from dnsserver.wire import names
from dnsserver.wire.codes import ExtendedError, Rcode, type_name
from dnsserver.wire.edns import told_cause

_log = plugin_logger("cancel")
#: What Go says of a deadline that has passed.
ERROR = "context deadline exceeded"
_TOLD = told_cause(ExtendedError.OTHER, "no answer in the time that plugin cancel gives")


@dataclass(frozen=True, slots=True)
class Cancel:
    """SERVFAIL when *next* takes longer than *timeout_s* seconds; what it was doing ends."""

    next: Handler
    timeout_s: float

    async def __call__(self, query: Query) -> Reply | None:
        try:
            async with asyncio.timeout(self.timeout_s) as deadline:
                return await self.next(query)
        except TimeoutError:
            if not deadline.expired():
                raise
        # `errors` stands behind this plugin, and has been cancelled with the rest.
        name, rtype = names.to_text(query.name), type_name(query.question.rtype)
        _log.error("%d %s %s: %s", Rcode.SERVFAIL, name, rtype, ERROR)
        return Reply(rcode=Rcode.SERVFAIL, options=(_TOLD,), plugin="cancel", error=ERROR)
