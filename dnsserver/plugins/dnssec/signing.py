"""Replies with signatures, and proofs of what does not exist, made when they are asked for.

A name that does not exist is proved to have no records, by an NSEC record that covers nothing else ("compact denial of
existence", RFC 9824), so that nobody learns the zone's names and nothing has to be sorted.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from dnsserver.answering.reply import Reply
from dnsserver.plugins.dnssec.settings import DnssecSettings
from dnsserver.sources.signing import nsec_rdata
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode, Type
from dnsserver.wire.limits import LABEL_MAX, NAME_MAX
from dnsserver.wire.question import Question
from dnsserver.wire.records import Rdata, Record

#: Seconds. Signatures begin so long ago and last so long, and are made anew when less is left: CoreDNS's.
AGE_S, LIFE_S, LEFT_S = 3 * 3600, 8 * 86_400, 2 * 86_400
#: Seconds. TTL of DNSKEY.
KEY_TTL = 3600
#: The type that says in an NSEC record that the name does not exist (RFC 9824 section 2).
NXNAME = 128
#: Types that any name may have, whether it has them or not: HINFO, MX, TXT, LOC, SRV, NAPTR, CERT, SSHFP, TLSA, HIP,
#: OPENPGPKEY, SVCB, HTTPS, SPF and CAA among them. Not CNAME and NS, which would make another name of it.
_USUAL = frozenset((1, 13, 15, 16, 28, 29, 33, 35, 37, 44, 46, 47, 52, 55, 61, 64, 65, 99, 257))
_AT_APEX = _USUAL | {Type.NS, Type.SOA, Type.DNSKEY}
_AT_CUT = _USUAL | {Type.NS}

Key = tuple[bytes, bytes, int, int, tuple[Rdata, ...]]


class Signer:
    """Signs RRsets in *settings*' zones and keeps the signatures, the last used ones. *now*: Unix seconds."""

    def __init__(self, settings: DnssecSettings, now: Callable[[], float]) -> None:
        self._settings = settings
        self._now = now
        self._kept: OrderedDict[Key, tuple[int, tuple[Rdata, ...]]] = OrderedDict()
        self._split = len({key.signs_keys for key in settings.keys}) > 1
        #: By the server that was asked.
        self.hits: dict[str, int] = {}
        self.misses: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def zone_of(self, name: bytes) -> bytes | None:
        """The longest zone at or above *name* (lower case)."""
        return next((each for each in names.suffixes(name) if each in self._settings.zones), None)

    def keys(self, question: Question, server: str, *, do: bool) -> Reply:
        """The DNSKEY records of the zone that is asked for."""
        owner = question.name
        records = [Record(owner, Type.DNSKEY, KEY_TTL, key.rdata) for key in self._settings.keys]
        if do:
            records = self._signed(records, server)
        return Reply(answer=tuple(records), authoritative=True, plugin="dnssec")

    def signed(self, question: Question, reply: Reply, server: str) -> Reply:
        """*reply* as clients with DO want it."""
        zone = self.zone_of(question.name.lower())
        if zone is None or not self._settings.keys or reply.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
            return reply
        types = {record.rtype for record in reply.authority}
        if not reply.answer and reply.rcode == Rcode.NOERROR and Type.NS in types and Type.SOA not in types:
            return self._referral(reply, server)
        answer = self._signed(reply.answer, server)
        authority = self._signed(reply.authority, server)
        rcode = reply.rcode
        if Type.SOA in types:
            proof = self._proof(question, reply, server)
            authority += proof
            rcode = Rcode.NOERROR if proof else rcode
            if question.rtype == Type.NSEC and proof and not reply.answer:
                answer, authority = proof, []
        return replace(
            reply,
            rcode=rcode,
            answer=tuple(answer),
            authority=tuple(authority),
            additional=tuple(self._signed(reply.additional, server)),
        )

    def _proof(self, question: Question, reply: Reply, server: str) -> list[Record]:
        """That the last name of the reply's chain has not the type asked; nothing where that is another zone's."""
        aliases = {
            each.owner.lower(): each.rdata.names[0] for each in reply.answer if each.rtype == Type.CNAME
        }
        name = question.name
        while (target := aliases.pop(name.lower(), None)) is not None:
            name = target
        ttl = next(each.ttl for each in reply.authority if each.rtype == Type.SOA)
        zone = self.zone_of(name.lower())
        following = b"\x01\0" + name
        if zone is None or any(each.rtype == question.rtype for each in reply.answer):
            return []
        if len(following) > NAME_MAX:
            return []
        if name.lower() == zone:
            types = set(_AT_APEX)
        elif question.rtype == Type.DS:
            types = set(_AT_CUT)
        elif reply.rcode == Rcode.NXDOMAIN:
            types = {Type.RRSIG, Type.NSEC, NXNAME}
        else:
            types = set(_USUAL)
        if question.rtype != Type.NSEC:
            types.discard(question.rtype)
        return self._signed([Record(name, Type.NSEC, ttl, nsec_rdata(following, types))], server)

    def _referral(self, reply: Reply, server: str) -> Reply:
        """With the DS records signed, or a proof that there are none: NS records of a cut are not signed."""
        ds = [record for record in reply.authority if record.rtype == Type.DS]
        if not ds:
            cut = next(record for record in reply.authority if record.rtype == Type.NS)
            proof = nsec_rdata(_after(cut.owner), (Type.NS, Type.RRSIG, Type.NSEC))
            ds = [Record(cut.owner, Type.NSEC, cut.ttl, proof)]
            return replace(reply, authority=(*reply.authority, *self._signed(ds, server)))
        signatures = self._signed(ds, server)[len(ds) :]
        return replace(reply, authority=(*reply.authority, *signatures))

    def _signed(self, records: Iterable[Record], server: str) -> list[Record]:
        """*records*, and behind them the signatures of those RRsets that are in one of the zones and have none."""
        whole = list(records)
        rrsets: dict[tuple[bytes, int], list[Record]] = {}
        for record in whole:
            if record.rtype != Type.RRSIG:
                rrsets.setdefault((record.owner.lower(), record.rtype), []).append(record)
        for (owner, rtype), some in rrsets.items():
            zone = self.zone_of(owner)
            if zone is None or _has_signature(whole, owner, rtype):
                continue
            ttl = min(record.ttl for record in some)
            rdatas = tuple(record.rdata for record in some)
            for rdata in self._signatures(zone, owner, rtype, ttl, rdatas, server):
                whole.append(Record(some[0].owner, Type.RRSIG, ttl, rdata))
        return whole

    def _signatures(
        self, zone: bytes, owner: bytes, rtype: int, ttl: int, rdatas: Sequence[Rdata], server: str
    ) -> tuple[Rdata, ...]:
        """Kept ones, or new ones."""
        now = int(self._now())
        key: Key = (
            zone,
            owner,
            rtype,
            ttl,
            tuple(sorted(set(rdatas), key=lambda each: (each.head, each.names))),
        )
        kept = self._kept.get(key)
        if kept is not None and kept[0] - now > LEFT_S:
            self._kept.move_to_end(key)
            self.hits[server] = self.hits.get(server, 0) + 1
            return kept[1]
        self.misses[server] = self.misses.get(server, 0) + 1
        span = (now - AGE_S, now + LIFE_S)
        used = [
            each
            for each in self._settings.keys
            if not self._split or each.signs_keys == (rtype == Type.DNSKEY)
        ]
        made = tuple(each.sign(owner, rtype, ttl, key[4], zone, span) for each in used)
        self._kept[key] = (span[1], made)
        self._kept.move_to_end(key)
        while len(self._kept) > self._settings.capacity:
            self._kept.popitem(last=False)
        return made


def _has_signature(records: Iterable[Record], owner: bytes, rtype: int) -> bool:
    return any(
        each.rtype == Type.RRSIG
        and each.owner.lower() == owner
        and int.from_bytes(each.rdata.head[:2], "big") == rtype
        for each in records
    )


def _after(name: bytes) -> bytes:
    """A name that sorts behind *name* and everything below it, and before all others."""
    size = name[0]
    if size < LABEL_MAX and len(name) < NAME_MAX:
        return bytes((size + 1,)) + name[1 : 1 + size] + b"\0" + name[1 + size :]
    return b"\x01\0" + name if len(name) + 2 <= NAME_MAX else name
