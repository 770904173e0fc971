"""Why there is no answer from upstream, for clients with EDNS (RFC 8914)."""

from dataclasses import replace

from dnsserver.answering.reply import Reply
from dnsserver.transports.upstream.peer import ExchangeError
from dnsserver.wire.codes import ExtendedError, Rcode, rcode_name
from dnsserver.wire.edns import told_cause

#: An EDNS option: code and data.
Option = tuple[int, bytes]

#: RCODEs of upstreams that say nothing about the name.
_FAILURES = frozenset((Rcode.FORMERR, Rcode.SERVFAIL, Rcode.NOTIMP, Rcode.REFUSED, Rcode.NOTAUTH))

#: Nobody was asked.
NO_HEALTHY = told_cause(ExtendedError.NO_REACHABLE_AUTHORITY, "no upstream is healthy")


def own_limit(text: str) -> Option:
    """It is this server that cannot ask."""
    return told_cause(ExtendedError.OTHER, text)


def no_reply(upstream: str, failure: ExchangeError) -> Option:
    """The last one asked did not answer."""
    if failure.timed_out:
        return told_cause(ExtendedError.NO_REACHABLE_AUTHORITY, f"no reply in time from {upstream}")
    return told_cause(ExtendedError.NETWORK_ERROR, f"{failure.reason}: {upstream}")


def with_cause(reply: Reply, upstream: str) -> Reply:
    """*reply* with who failed, where its RCODE is an error; what *upstream* itself has said of it stays alone."""
    if reply.rcode not in _FAILURES or reply.options:
        return reply
    text = f"{rcode_name(reply.rcode)} from {upstream}"
    return replace(reply, options=(told_cause(ExtendedError.OTHER, text),))
