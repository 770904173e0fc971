"""A question to an outcome: the closed set of what a zone can say (RFC 1034 section 4.3.2, RFC 2308)."""

from dataclasses import dataclass

from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record
from dnsserver.zone.rrset import RRset
from dnsserver.zone.view import Zone

#: CNAMEs followed inside one zone (section 4.4: a chain of 12 is cut).
CHAIN_MAX = 11


@dataclass(frozen=True, slots=True)
class Found:
    """`owner` has an RRset of the type asked."""

    owner: bytes
    rrset: RRset


@dataclass(frozen=True, slots=True)
class NoData:
    """The name exists, without the type asked."""


@dataclass(frozen=True, slots=True)
class NxDomain:
    """The name does not exist, nor anything below it."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The chain leaves the zone for `target`."""

    target: bytes


@dataclass(frozen=True, slots=True)
class Endless:
    """The chain comes back to itself, or is too long."""


Outcome = Found | NoData | NxDomain | Elsewhere | Endless


@dataclass(frozen=True, slots=True)
class Resolution:
    """The CNAMEs on the way, and what is at the end of it. `origin` is the zone as the question spells it."""

    cnames: tuple[Record, ...]
    outcome: Outcome
    origin: bytes


def resolve(zone: Zone, question: Question) -> Resolution:
    """Look *question* up in *zone*, which must be at or above its name, and follow CNAMEs inside the zone."""
    split = names.split_at(question.name, zone.origin)
    if split is None:
        raise ValueError(f"{names.to_text(question.name)} is not in {zone!r}")
    origin = split[1]
    cnames: list[Record] = []
    seen = set()
    owner, relative = question.name, split[0]
    while True:
        found = zone.node(relative.lower())
        if found is None:
            return Resolution(tuple(cnames), NxDomain(), origin)
        alias = found.get(Type.CNAME)
        if alias is None or question.rtype == Type.CNAME:
            rrset = found.get(question.rtype)
            return Resolution(tuple(cnames), NoData() if rrset is None else Found(owner, rrset), origin)
        cnames.extend(alias.records(owner, origin))
        if question.rtype == Type.ANY:
            return Resolution((), Found(owner, alias), origin)
        seen.add(owner.lower())
        owner = alias.rdatas[0].names[0]
        if owner.lower() in seen or len(cnames) > CHAIN_MAX:
            return Resolution((), Endless(), origin)
        split = names.split_at(owner, zone.origin)
        if split is None:
            return Resolution(tuple(cnames), Elsewhere(owner), origin)
        relative = split[0]
