"""Questions put to a server's plugins beside its sockets, to see what becomes of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from dnsserver.answering.query import Query, Rejected, read_query
from dnsserver.answering.reply import Reply
from dnsserver.config import ConfigError
from dnsserver.plugins.plugin import Plugin
from dnsserver.runtime.choosing import SiteChoice
from dnsserver.runtime.server import ClusterDnsServer
from dnsserver.runtime.sites import BuiltListener, BuiltSite
from dnsserver.runtime.tracing import RESOLVER, Trace
from dnsserver.transports.limits import DEFAULT_LIMITS
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Flag, Rcode
from dnsserver.wire.edns import Edns
from dnsserver.wire.header import Header
from dnsserver.wire.question import Question

#: Plugins whose life beside the chain has nothing to do with answers, or reaches beyond this process: probes and
#: metrics, watching the Corefile, telling secondaries, writing signed zones, asking oneself.
BYSTANDERS = frozenset(
    {"errors", "health", "loop", "pprof", "prometheus", "ready", "reload", "sign", "tls", "trace", "transfer"}
)
#: Octets. What a client offers (DNS flag day 2020).
PAYLOAD = 1232
#: Port of a client that is not there.
CLIENT_PORT = 53_000


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """`site` is None when no server block takes the query; `error` is what a handler raised, "" for nothing."""

    reply: Reply | None
    trace: Trace
    site: BuiltSite | None
    error: str = ""


@contextlib.asynccontextmanager
async def opened(server: ClusterDnsServer, *, follows: bool) -> AsyncIterator[None]:
    """*server* with all that its plugins need to answer, but without sockets and bystanders.

    *follows*: with the sources of the cluster's objects too; else they run already. Raises ConfigError.
    """
    async with contextlib.AsyncExitStack() as exits:
        needed = [plugin for plugin in server.plugins() if plugin.name not in BYSTANDERS]
        if follows:
            for plugin in needed:
                if plugin.follow is not None:
                    await exits.enter_async_context(plugin.follow())
        for plugin in needed:
            if plugin.lifespan is not None:
                await exits.enter_async_context(plugin.lifespan())
        yield


class Rehearsal:
    """Asks the plugins of *server*, which has to be entered, or `opened`."""

    def __init__(self, server: ClusterDnsServer) -> None:
        if not server.built:
            raise ConfigError("the Corefile has no server block, so nothing is answered")
        self._choices = {built.where: SiteChoice(built.sites) for built in server.built}
        self._refreshes = tuple(plugin.refresh for plugin in server.plugins() if plugin.refresh is not None)

    async def ask(self, question: Question, client: str, listener: BuiltListener) -> Rehearsed:
        """What becomes of *question* when the address *client* asks it at *listener*, with EDNS, by UDP."""
        for refresh in self._refreshes:
            refresh()
        query = _query(question, client, listener)
        choice, trace = self._choices[listener.where], Trace()
        site = _site(choice, listener, query)
        if site is None:
            return Rehearsed(Reply(rcode=Rcode.REFUSED), trace, None)

        async def elsewhere(inner: Query) -> Reply | None:
            found = _site(choice, listener, inner)
            if found is None:
                return Reply(rcode=Rcode.REFUSED)
            trace.depth += 1
            try:
                return await trace.chain(found.plugins)(inner)
            finally:
                trace.depth -= 1

        token = RESOLVER.set(elsewhere)
        try:
            async with asyncio.timeout(DEFAULT_LIMITS.answer_s):
                return Rehearsed(await trace.chain(site.plugins)(query), trace, site)
        except TimeoutError:
            return Rehearsed(None, trace, site, f"no reply within {DEFAULT_LIMITS.answer_s:g} s")
        except Exception as error:  # as the dispatcher: a bug of a plugin is SERVFAIL
            return Rehearsed(Reply(rcode=Rcode.SERVFAIL), trace, site, repr(error))
        finally:
            RESOLVER.reset(token)


def _site(choice: SiteChoice, listener: BuiltListener, query: Query) -> BuiltSite | None:
    zone = choice.zone(query)
    return None if zone is None else listener.sites[zone]


def _query(question: Question, client: str, listener: BuiltListener) -> Query:
    """As a stub resolver asks."""
    octets = Header(0, 0, 0, Flag.RD, 1, 0, 0, 1).encode() + question.encode() + Edns(PAYLOAD).encode()
    wildcard = "::" if ip_address(client).version == 6 else "0.0.0.0"
    host = listener.address or wildcard
    protocol = "udp" if listener.scheme == "dns" else "tcp"
    arrival = Arrival(
        protocol, client, CLIENT_PORT, host, listener.port, (host, listener.port), listener.scheme
    )
    query = read_query(octets, arrival)
    assert not isinstance(query, Rejected), "our own query is well-formed"
    return query


def chained(plugins: Sequence[Plugin]) -> tuple[str, ...]:
    """The names of the plugins that see queries, in order."""
    return tuple(plugin.name for plugin in plugins if plugin.wrap is not None)
