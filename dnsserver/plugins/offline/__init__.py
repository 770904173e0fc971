"""Plugin `offline`: every name that reaches it does not exist."""

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.config import Directive
from dnsserver.plugins.plugin import Handler, Plugin, Site
from dnsserver.wire.codes import Class, Rcode

__all__ = ["setup"]


def setup(directive: Directive, site: Site) -> Plugin:  # noqa: ARG001 - nothing of the block matters
    """Raises ConfigError."""
    occurrence = directive.once()
    occurrence.no_arguments()
    occurrence.no_properties()
    return Plugin(name="offline", wrap=_handler)


def _handler(next_handler: Handler) -> Handler:
    async def offline(query: Query) -> Reply | None:
        if query.question.rclass != Class.IN:
            return await next_handler(query)
        return Reply(rcode=Rcode.NXDOMAIN, plugin="offline")

    return offline
