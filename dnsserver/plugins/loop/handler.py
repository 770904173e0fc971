"""Questions of a zone whose forwarding may lead back to us (coredns-compat.md, section 3.10)."""

from dataclasses import dataclass

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.loop.probing import Probe, is_probe, returned
from dnsserver.plugins.plugin import Handler
from dnsserver.wire import names
from dnsserver.wire.codes import ExtendedError, Rcode, Type
from dnsserver.wire.edns import told_cause

#: What clients and the log are told.
TEXT = "what is forwarded comes back (plugin loop)"


@dataclass(frozen=True, slots=True)
class Loop:
    """Answers the questions of *probe* that come back. While they do, the zone's questions get SERVFAIL instead of what
    *next* gives: plugin `forward` stands behind this one, plugins with data of their own in front."""

    next: Handler
    probe: Probe

    async def __call__(self, query: Query) -> Reply | None:
        zone = self.probe.zone
        if query.question.rtype == Type.HINFO and is_probe(query.name, zone):
            return returned(query)
        if not self.probe.looping or not names.is_below(query.name, zone):
            return await self.next(query)
        options = (told_cause(ExtendedError.OTHER, TEXT),)
        return Reply(rcode=Rcode.SERVFAIL, options=options, plugin="loop", error=TEXT)
