"""Signs replies when they are asked for."""

from collections.abc import Iterable
from dataclasses import dataclass

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.config import Directive
from dnsserver.observability.families import AnyFamily, Family, Kind
from dnsserver.plugins.dnssec.settings import DnssecSettings
from dnsserver.plugins.dnssec.signing import Signer
from dnsserver.plugins.place import server_label
from dnsserver.plugins.plugin import Handler, Plugin, Site
from dnsserver.wire.codes import Class, Opcode, Type


def setup(directive: Directive, site: Site) -> Plugin:
    """Raises ConfigError."""
    settings = DnssecSettings.from_directive(directive, site.zones, site.directory)
    signer = Signer(settings, site.server.now)

    def wrap(following: Handler) -> Handler:
        return DnssecHandler(following, signer)

    return Plugin(
        name="dnssec",
        wrap=wrap,
        leaves_alone=lambda question: signer.zone_of(question.name.lower()) is None,
        metrics=lambda: _families(signer),
    )


@dataclass(frozen=True, slots=True)
class DnssecHandler:
    """Signs what *next* says to clients that set DO, and gives the zones' keys to all."""

    next: Handler
    signer: Signer

    async def __call__(self, query: Query) -> Reply | None:
        question = query.question
        zone = self.signer.zone_of(query.name)
        plain = question.rclass != Class.IN or query.header.opcode != Opcode.QUERY
        if zone is None or plain or question.rtype in (Type.AXFR, Type.IXFR):
            return await self.next(query)
        do = query.edns is not None and query.edns.do
        if question.rtype == Type.DNSKEY and query.name == zone:
            return self.signer.keys(question, server_label(query.arrival), do=do)
        reply = await self.next(query)
        if reply is None or not do:
            return reply
        return self.signer.signed(question, reply, server_label(query.arrival))


def _families(signer: Signer) -> Iterable[AnyFamily]:
    servers = sorted({*signer.hits, *signer.misses})

    def counted(name: str, text: str, numbers: dict[str, int]) -> Family:
        samples = tuple(((server,), float(number)) for server, number in sorted(numbers.items()))
        return Family(f"coredns_dnssec_{name}", Kind.COUNTER, text, ("server",), samples)

    yield counted("cache_hits_total", "The count of cache hits.", signer.hits)
    yield counted("cache_misses_total", "The count of cache misses.", signer.misses)
    entries = tuple(((server, "signature"), float(len(signer))) for server in servers)
    text = "The number of elements in the dnssec cache."
    yield Family("coredns_dnssec_cache_entries", Kind.GAUGE, text, ("server", "type"), entries)
