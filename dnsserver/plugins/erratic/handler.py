"""Replies that are late, cut or missing (coredns-compat.md, section 3.11)."""

import asyncio

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.erratic.settings import ErraticSettings
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode, Type
from dnsserver.wire.names import prefix
from dnsserver.wire.records import Rdata, Record, address_rdata, name_rdata, soa_rdata

PLUGIN = "erratic"
#: Records of a `large` reply.
LARGE = 30
#: Queries between which `/ready` finds the plugin ready: from the first, up to before the second.
READY_FROM, READY_UNTIL = 3, 5

_ADDRESSES: dict[int, Rdata] = {
    Type.A: address_rdata("192.0.2.53"),
    Type.AAAA: address_rdata("2001:db8::53"),
}
_SOA = soa_rdata(
    names.from_text("sns.dns.icann.org."),
    names.from_text("noc.dns.icann.org."),
    2018050825,
    7200,
    3600,
    1209600,
    3600,
)


class Erratic:
    """Answers every query itself; every so many of them badly."""

    def __init__(self, settings: ErraticSettings) -> None:
        self._settings = settings
        self._queries = 0

    def __repr__(self) -> str:
        return f"<Erratic queries={self._queries}>"

    def waiting_for(self) -> str:
        if READY_FROM <= self._queries < READY_UNTIL:
            return ""
        return f"queries {READY_FROM} to {READY_UNTIL - 1}; {self._queries} so far"

    async def __call__(self, query: Query) -> Reply | None:
        settings, number = self._settings, self._queries
        self._queries += 1
        if _is_turn(settings.drop, number):
            return None
        if _is_turn(settings.delay, number):
            await asyncio.sleep(settings.delay_s)
        return self._reply(query, truncated=_is_turn(settings.truncate, number))

    def _reply(self, query: Query, *, truncated: bool) -> Reply:
        question = query.question
        if question.rtype == Type.AXFR:
            records = _transfer(question.name)
            answer = records if truncated else (*records, records[0])
            return Reply(answer=answer, authoritative=True, plugin=PLUGIN)
        rdata = _ADDRESSES.get(question.rtype)
        if rdata is None:
            return Reply(rcode=Rcode.SERVFAIL, plugin=PLUGIN)
        count = LARGE if self._settings.large and question.rtype == Type.A else 1
        answer = (Record(question.name, question.rtype, 0, rdata),) * count
        return Reply(answer=answer, authoritative=True, truncated=truncated, plugin=PLUGIN)


def _is_turn(amount: int, number: int) -> bool:
    return amount > 0 and number % amount == 0


def _transfer(zone: bytes) -> tuple[Record, ...]:
    """A small zone, without the SOA record at its end."""
    a, b = (prefix((label,)) + zone for label in (b"a", b"b"))
    return (
        Record(zone, Type.SOA, 0, _SOA),
        Record(zone, Type.NS, 0, name_rdata(b)),
        Record(zone, Type.NS, 0, name_rdata(a)),
        Record(a, Type.AAAA, 0, address_rdata("2001:bd8::53")),
        Record(b, Type.AAAA, 0, address_rdata("2001:500::54")),
    )
