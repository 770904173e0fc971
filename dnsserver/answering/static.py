"""A question to what a zone of fixed content says of it: RFC 1034 section 4.3.2 with wildcards (RFC 4592), DNAME
(RFC 6672), and the proofs of a signed zone (RFC 4035 section 3.1)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dnsserver.answering.reply import Reply
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode, Type
from dnsserver.wire.errors import WireError
from dnsserver.wire.limits import NAME_MAX
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record, name_rdata
from dnsserver.zone.rrset import RRset
from dnsserver.zone.static import StaticNode, StaticZone

#: CNAMEs and DNAMEs followed for one question; one more ends the answer, as in CoreDNS.
CHAIN_MAX = 8
#: Types that are at an alias itself (RFC 4035 section 2.5).
_AT_ALIASES = frozenset((Type.CNAME, Type.RRSIG, Type.NSEC, Type.ANY))
_WILDCARD = b"\x01*"
#: Types whose RDATA names a host, whose addresses help: octets in front of the name in the head, if it stands there.
_HOSTS: dict[int, int] = {Type.NS: 0, Type.MX: 0, Type.SRV: 0, Type.SVCB: 2, Type.HTTPS: 2}


@dataclass(frozen=True, slots=True)
class Told:
    """`elsewhere`: the name outside the zone, or below one of its cuts, where a chain of CNAMEs goes on. `missing`: the
    name asked for has no records, and none stands in for it. `wildcard`: the name that did, "" when none did."""

    reply: Reply
    elsewhere: bytes | None = None
    missing: bool = False
    wildcard: bytes = b""


def tell(zone: StaticZone, question: Question, *, do: bool) -> Told:
    """What *zone* says to *question*, whose name is in it; with *do*, signatures and proofs too."""
    return _Search(zone, question, do).told()


class _Search:
    """One question on its way through the zone."""

    def __init__(self, zone: StaticZone, question: Question, do: bool) -> None:
        self._zone = zone
        self._question = question
        self._do = do
        self._origin = question.name[len(question.name) - len(zone.origin) :]
        self._answer: list[Record] = []
        self._proofs: dict[bytes, None] = {}
        self._seen: set[bytes] = set()
        self._dnames: set[bytes] = set()
        self._wildcard = b""

    def told(self) -> Told:
        name = self._question.name
        while True:
            lower = name.lower()
            if lower in self._seen or len(self._seen) > CHAIN_MAX:
                return self._done(Rcode.NOERROR)
            self._seen.add(lower)
            stop = self._cut_above(lower)
            if stop is not None and Type.DNAME not in self._zone.node(stop).rrsets:
                return self._referral(stop)
            target = self._substituted(name, stop) if stop is not None else self._found(name, lower)
            if not isinstance(target, bytes):
                return target
            if not names.is_below(target, self._zone.origin):
                return replace(self._done(Rcode.NOERROR), elsewhere=target)
            name = target

    def _cut_above(self, name: bytes) -> bytes | None:
        """The highest cut, or name with DNAME, at or above *name* inside the zone. A cut is none for DS at its very
        name (RFC 4035 section 3.1.4.1), and a DNAME only concerns what is below it."""
        zone = self._zone
        above = []
        for suffix in names.suffixes(name):
            if zone.is_cut(suffix):
                above.append(suffix)
            if len(suffix) <= len(zone.origin):
                break
        for cut in reversed(above):
            rrsets = zone.node(cut).rrsets
            delegates = Type.NS in rrsets and cut != zone.origin
            if delegates and not (cut == name and self._question.rtype == Type.DS):
                return cut
            if Type.DNAME in rrsets and cut != name:
                return cut
        return None

    # What is there.

    def _found(self, name: bytes, lower: bytes) -> bytes | Told:
        zone = self._zone
        if lower in zone:
            return self._at(zone.node(lower), name, lower)
        encloser = self._encloser(lower)
        source = _WILDCARD + encloser
        if source not in zone:
            self._deny(lower)
            self._deny(source)
            return self._negative(Rcode.NXDOMAIN, missing=not self._answer)
        # The name itself does not exist, which a signed answer has to prove (RFC 4035 section 3.1.3.3).
        self._deny(lower)
        self._wildcard = source
        return self._at(zone.node(source), name, source)

    def _at(self, node: StaticNode, name: bytes, source: bytes) -> bytes | Told:
        """What *node*, which is at *source*, says of *name*: the target of an alias, or the end of the search."""
        rtype = self._question.rtype
        alias = node.rrsets.get(Type.CNAME)
        if alias is not None and rtype not in _AT_ALIASES:
            self._put(node, Type.CNAME, name)
            return alias.rdatas[0].names[0]
        if rtype == Type.ANY and node.rrsets:
            rtype = next(iter(node.rrsets))  # one RRset is enough (RFC 8482 section 4.1)
        if rtype == Type.RRSIG and node.signatures:
            self._answer += [
                record for rrset in node.signatures.values() for record in self._records(rrset, name)
            ]
            return self._positive(rtype)
        rrset = node.rrsets.get(rtype)
        if rrset is None:
            self._deny(source)
            missing = not node.rrsets and not self._answer and not self._wildcard
            return self._negative(Rcode.NOERROR, missing=missing)
        self._put(node, rtype, name)
        return self._positive(rtype, rrset)

    def _substituted(self, name: bytes, owner: bytes) -> bytes | Told:
        """By the DNAME at *owner*: the target, after DNAME and CNAME were put into the answer (RFC 6672 section 3)."""
        node = self._zone.node(owner)
        dname = node.rrsets[Type.DNAME]
        if owner not in self._dnames:
            self._dnames.add(owner)
            self._put(node, Type.DNAME, self._spelled(owner))
        target = name[: len(name) - len(owner)] + dname.rdatas[0].names[0]
        if len(target) > NAME_MAX:
            return self._done(Rcode.YXDOMAIN)
        self._answer.append(Record(name, Type.CNAME, dname.ttl, name_rdata(target)))
        if self._question.rtype == Type.CNAME and name == self._question.name:
            return self._positive(Type.CNAME)
        return target

    # Replies.

    def _positive(self, rtype: int, rrset: RRset | None = None) -> Told:
        """With the zone's name servers, as CoreDNS does, unless they were asked for."""
        apex = self._zone.node(self._zone.origin)
        at_apex = rtype == Type.NS and self._question.name.lower() == self._zone.origin
        authority = [] if at_apex else self._section(apex, Type.NS, self._origin)
        authority += self._proof_records()
        additional = () if rrset is None else self._additional(rrset)
        return self._done(Rcode.NOERROR, tuple(authority), additional)

    def _negative(self, rcode: Rcode, *, missing: bool) -> Told:
        """With the SOA record, whose TTL says for how long (RFC 2308 section 3)."""
        apex, ttl = self._zone.node(self._zone.origin), min(self._zone.soa.ttl, self._zone.times[3])
        soa = [replace(record, ttl=ttl) for record in self._section(apex, Type.SOA, self._origin)]
        return replace(self._done(rcode, (*soa, *self._proof_records())), missing=missing)

    def _referral(self, cut: bytes) -> Told:
        """To the servers below *cut*, with the addresses of those whose names only they could look up otherwise."""
        node, owner = self._zone.node(cut), self._spelled(cut)
        servers = node.rrsets[Type.NS]
        authority = list(self._records(servers, owner))
        if self._do and Type.DS in node.rrsets:
            authority += self._section(node, Type.DS, owner)
        elif self._do and Type.NSEC in node.rrsets:
            authority += self._section(node, Type.NSEC, owner)
        told = self._done(Rcode.NOERROR, tuple(authority), self._additional(servers, within=cut))
        return replace(told, reply=replace(told.reply, authoritative=bool(self._answer)))

    def _done(
        self, rcode: Rcode, authority: tuple[Record, ...] = (), additional: tuple[Record, ...] = ()
    ) -> Told:
        answer = tuple(self._answer)
        return Told(Reply(rcode, answer, authority, additional, authoritative=True), wildcard=self._wildcard)

    # Records.

    def _put(self, node: StaticNode, rtype: int, owner: bytes) -> None:
        self._answer += self._section(node, rtype, owner)

    def _section(self, node: StaticNode, rtype: int, owner: bytes) -> list[Record]:
        """The RRset of this type, and what signs it if the client wants that."""
        found = [node.rrsets.get(rtype), node.signatures.get(rtype) if self._do else None]
        return [record for rrset in found if rrset is not None for record in self._records(rrset, owner)]

    def _records(self, rrset: RRset, owner: bytes) -> tuple[Record, ...]:
        return rrset.records(owner, self._zone.origin)

    def _additional(self, rrset: RRset, within: bytes | None = None) -> tuple[Record, ...]:
        """The addresses of the hosts that *rrset* names, of those below *within* (default: the origin)."""
        skipped = _HOSTS.get(rrset.rtype)
        if skipped is None:
            return ()
        hosts = (_host(rdata.names, rdata.head, skipped) for rdata in rrset.rdatas)
        found: list[Record] = []
        for host in dict.fromkeys(hosts):
            lower = host.lower()
            if names.is_below(lower, within or self._zone.origin):
                node = self._zone.node(lower)
                found += self._section(node, Type.A, host) + self._section(node, Type.AAAA, host)
        return tuple(found)

    def _spelled(self, name: bytes) -> bytes:
        """*name* as the question spells it, if it is at or above the question's name."""
        asked = self._question.name
        tail = asked[max(0, len(asked) - len(name)) :]
        return tail if tail.lower() == name else name

    # Proofs.

    def _encloser(self, name: bytes) -> bytes:
        """The closest encloser of *name*, which does not exist (RFC 4592 section 3.3.1)."""
        return next(suffix for suffix in names.suffixes(name) if suffix in self._zone)

    def _deny(self, name: bytes) -> None:
        """Note that the NSEC record at or before *name* belongs to the answer."""
        owner = self._zone.before(name) if self._do else None
        if owner is not None:
            self._proofs[owner] = None

    def _proof_records(self) -> Iterable[Record]:
        return [
            record
            for owner in self._proofs
            for record in self._section(self._zone.node(owner), Type.NSEC, owner)
        ]


def _host(found: tuple[bytes, ...], head: bytes, skipped: int) -> bytes:
    """The host that RDATA names: set apart, or (SVCB, HTTPS) in the head behind *skipped* octets."""
    if found:
        return found[0]
    try:
        return names.decode(head, skipped)[0]
    except WireError:  # a transfer may bring anything, and what is in such RDATA is the client's business
        return names.ROOT
