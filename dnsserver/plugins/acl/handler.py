"""Queries that are allowed, and what becomes of the others (coredns-compat.md, section 3.11; RFC 8914)."""

import ipaddress
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.explaining.cause import SHORT
from dnsserver.observability.families import Family, Kind
from dnsserver.plugins.acl.settings import Action, Address, Rule
from dnsserver.plugins.place import server_label
from dnsserver.plugins.plugin import Handler
from dnsserver.plugins.zone_names import longest
from dnsserver.wire import names
from dnsserver.wire.codes import ExtendedError, Rcode
from dnsserver.wire.edns import told_cause
from dnsserver.wire.question import Question

PLUGIN = "acl"

_BLOCKED = told_cause(ExtendedError.BLOCKED, SHORT["blocked-by-acl"])
_FILTERED = told_cause(ExtendedError.FILTERED, "records left out by plugin acl")
_REPLIES = {
    Action.BLOCK: Reply(rcode=Rcode.REFUSED, options=(_BLOCKED,), plugin=PLUGIN),
    Action.FILTER: Reply(options=(_FILTERED,), plugin=PLUGIN),
    Action.DROP: None,
}
_FAMILIES = {
    Action.BLOCK: ("blocked", "Counter of DNS requests being blocked."),
    Action.FILTER: ("filtered", "Counter of DNS requests being filtered."),
    Action.DROP: ("dropped", "Counter of DNS requests being dropped."),
}


@dataclass(slots=True)
class AclCounts:
    """Queries by what became of them, where they came in and, unless they were allowed, the zone of the rule."""

    view: str
    allowed: Counter[str] = field(default_factory=Counter)
    others: dict[Action, Counter[tuple[str, str]]] = field(
        default_factory=lambda: {action: Counter() for action in _REPLIES}
    )

    def families(self) -> Iterator[Family]:
        allowed = tuple(((server, self.view), float(number)) for server, number in self.allowed.items())
        yield Family(
            "coredns_acl_allowed_requests_total",
            Kind.COUNTER,
            "Counter of DNS requests being allowed.",
            ("server", "view"),
            allowed,
        )
        for action, (word, text) in _FAMILIES.items():
            samples = tuple(
                ((server, zone, self.view), float(number))
                for (server, zone), number in self.others[action].items()
            )
            name = f"coredns_acl_{word}_requests_total"
            yield Family(name, Kind.COUNTER, text, ("server", "zone", "view"), samples)


@dataclass(frozen=True, slots=True)
class Acl:
    """The first policy that is for the query decides; a query that none is for is allowed."""

    next: Handler
    rules: tuple[Rule, ...]
    counts: AclCounts

    async def __call__(self, query: Query) -> Reply | None:
        action, zone = self._decided(query)
        server = server_label(query.arrival)
        if action is Action.ALLOW:
            self.counts.allowed[server] += 1
            return await self.next(query)
        self.counts.others[action][server, names.to_text(zone)] += 1
        return _REPLIES[action]

    def _decided(self, query: Query) -> tuple[Action, bytes]:
        address = _client(query)
        for rule in self.rules:
            zone = longest(query.name, rule.zones)
            if zone is None:
                continue
            for policy in rule.policies:
                if policy.is_for_type(query.question.rtype) and policy.is_for_client(address):
                    return policy.action, zone
        return Action.ALLOW, names.ROOT


def allows_everybody(rules: tuple[Rule, ...], question: Question) -> bool:
    """Whether no client at all is kept from asking this."""
    name = question.name.lower()
    for rule in rules:
        if longest(name, rule.zones) is None:
            continue
        for policy in rule.policies:
            if not policy.is_for_type(question.rtype):
                continue
            if policy.action is not Action.ALLOW:
                return False
            if policy.networks is None:
                return True
    return True


def _client(query: Query) -> Address:
    """Without its scope, which says nothing about who it is."""
    return ipaddress.ip_address(query.arrival.client_host.partition("%")[0])
