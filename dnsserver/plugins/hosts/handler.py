"""Queries to names of a hosts file (coredns-compat.md, section 3.7)."""

from dataclasses import dataclass

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.hosts.settings import HostsSettings
from dnsserver.plugins.hosts.table import SIZES, split_addresses, split_names
from dnsserver.plugins.hosts.watching import KnownHosts
from dnsserver.plugins.plugin import Handler
from dnsserver.plugins.zone_names import longest
from dnsserver.wire.codes import Class, ExtendedError, Rcode, Type
from dnsserver.wire.edns import told_cause
from dnsserver.wire.question import Question
from dnsserver.wire.records import Rdata, Record, name_rdata
from dnsserver.zone.reverse import address_range

PLUGIN = "hosts"
_UNKNOWN = told_cause(ExtendedError.OTHER, "the name is not among those of plugin hosts")


@dataclass(frozen=True, slots=True)
class HostsAnswers:
    """What is said to a question of class IN; None: the next plugin is asked."""

    settings: HostsSettings
    known: KnownHosts

    def reply(self, question: Question) -> Reply | None:
        if question.rtype == Type.PTR:
            return self._reverse(question)
        name = question.name.lower()
        if longest(name, self.settings.zones) is None:
            return None
        records: tuple[Record, ...] = ()
        if question.rtype in SIZES:
            records = self._records(question, name)
        elif self.settings.passes_unsupported and self._falls_through(name):
            return None
        if records or self.known.has(name):
            return Reply(answer=records, authoritative=True, plugin=PLUGIN)
        return self._unknown(name)

    def leaves_alone(self, question: Question) -> bool:
        return self.reply(question) is None

    def _records(self, question: Question, name: bytes) -> tuple[Record, ...]:
        rtype = Type(question.rtype)
        addresses = split_addresses(self.known.addresses(name, rtype), SIZES[rtype])
        return tuple(
            Record(question.name, rtype, self.settings.ttl, Rdata(address))
            for address in dict.fromkeys(addresses)
        )

    def _reverse(self, question: Question) -> Reply | None:
        """In any zone; an address without name is the next plugin's, whatever `fallthrough` says."""
        found = address_range(question.name.lower())
        if found is None or found.low != found.high:
            return None
        targets = dict.fromkeys(split_names(self.known.names_of(found.low)))
        if not targets:
            return None
        ttl = self.settings.ttl
        records = tuple(Record(question.name, Type.PTR, ttl, name_rdata(target)) for target in targets)
        return Reply(answer=records, authoritative=True, plugin=PLUGIN)

    def _unknown(self, name: bytes) -> Reply | None:
        """SERVFAIL, not NXDOMAIN: there is no zone, so no SOA that says for how long the name does not exist."""
        if self._falls_through(name):
            return None
        return Reply(rcode=Rcode.SERVFAIL, options=(_UNKNOWN,), plugin=PLUGIN)

    def _falls_through(self, name: bytes) -> bool:
        return longest(name, self.settings.fallthrough) is not None


@dataclass(frozen=True, slots=True)
class Hosts:
    """Answers the names that it knows; the rest goes to *next*."""

    next: Handler
    answers: HostsAnswers

    async def __call__(self, query: Query) -> Reply | None:
        if query.question.rclass == Class.IN:
            reply = self.answers.reply(query.question)
            if reply is not None:
                return reply
        return await self.next(query)
