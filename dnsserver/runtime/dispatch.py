"""Octets to the site that answers, and its reply back to octets (cluster-dns-behaviour.md, section 15)."""

import logging
from collections.abc import Mapping

from dnsserver.answering.query import Query, Rejected, read_query
from dnsserver.answering.reply import Reply, encode
from dnsserver.runtime.sites import BuiltSite
from dnsserver.wire import names
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Class, Rcode, Type, type_name

LOG = logging.getLogger("dnsserver.server")


class Dispatcher:
    """Answers what arrives at one listener, by the site with the longest matching zone."""

    def __init__(self, sites: Mapping[bytes, BuiltSite]) -> None:
        self._sites = sites
        # Section 15: one block that takes them lets them in for the whole listener.
        self._classes_beyond_in = any(site.classes_beyond_in for site in sites.values())
        self._debug = any(plugin.debug for site in sites.values() for plugin in site.plugins)
        #: Exceptions that a handler let through; each is a bug.
        self.panics = 0

    async def respond(self, octets: bytes, arrival: Arrival) -> bytes | None:
        """What to send for *octets*, or None for silence. Never raises but for cancellation."""
        query = read_query(octets, arrival)
        if isinstance(query, Rejected):
            return query.octets
        try:
            reply = await self.resolve(query)
            return None if reply is None else encode(reply, query)
        except Exception as error:
            self.panics += 1
            self._tell(query, error)
            return encode(Reply(rcode=Rcode.SERVFAIL), query)

    def _tell(self, query: Query, error: Exception) -> None:
        """One line; the stack is shown by `debug`, and by `errors { stacktrace }`."""
        name, rtype = names.to_text(query.question.name), type_name(query.question.rtype)
        LOG.error(
            "no answer for %s %s, this is a bug: %r",
            name,
            rtype,
            error,
            exc_info=error if self._debug else None,
        )

    async def resolve(self, query: Query) -> Reply | None:
        """The reply of the site that owns the name."""
        if query.question.rclass != Class.IN and not self._classes_beyond_in:
            return Reply(rcode=Rcode.REFUSED)
        site = self._site(query.name, query.question.rtype)
        if site is None or not site.plugins:
            return Reply(rcode=Rcode.REFUSED)
        return await site.handler(query)

    def _site(self, name: bytes, rtype: int) -> BuiltSite | None:
        zones = [suffix for suffix in names.suffixes(name) if suffix in self._sites]
        if not zones:
            return None
        # DS belongs to the parent's side of a cut (RFC 4035 section 3.1.4.1). The root block does not count as a
        # parent: it is where everything that is not ours goes.
        if rtype == Type.DS and zones[0] == name and len(zones) > 1 and zones[1] != names.ROOT:
            return self._sites[zones[1]]
        return self._sites[zones[0]]
