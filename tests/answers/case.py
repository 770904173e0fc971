"""One question and the reply it must get, in presentation format."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from dnsserver.answering.reply import Reply
from dnsserver.wire.codes import rcode_name
from dnsserver.wire.records import Record

#: In a section's lines: the SOA record of the zone that the question lies in.
SOA = "SOA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`ask` is "NAME TYPE" or "NAME CLASS TYPE"; lines are "OWNER TTL TYPE RDATA" with "@" for the name asked.

    Lines of a section may come in any order, but for CNAMEs, which lead the way. `big`: the reply does not
    fit 512 octets, so it is not asked for over UDP without EDNS. `ede`: the
    Extended DNS Error that clients with EDNS get.
    """

    ask: str
    answer: tuple[str, ...] = ()
    authority: tuple[str, ...] = ()
    additional: tuple[str, ...] = ()
    rcode: str = "NOERROR"
    aa: bool = True
    tc: bool = False
    big: bool = False
    ede: int | None = None

    def __str__(self) -> str:
        return self.ask.replace(" ", "-")

    @property
    def name(self) -> str:
        return self.ask.split()[0]

    @property
    def rtype(self) -> str:
        return self.ask.split()[-1]

    @property
    def rclass(self) -> str:
        words = self.ask.split()
        return words[1] if len(words) == 3 else "IN"

    def shown(self, soa: str) -> "Shown":
        """What a reply must show; *soa* is the line that stands for SOA."""

        def lines(section: tuple[str, ...]) -> tuple[str, ...]:
            return arranged(normal(soa if line == SOA else line, self.name) for line in section)

        return Shown(
            self.rcode,
            self.aa,
            self.tc,
            lines(self.answer),
            lines(self.authority),
            lines(self.additional),
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client sees of a reply."""

    rcode: str
    aa: bool
    tc: bool
    answer: tuple[str, ...]
    authority: tuple[str, ...]
    additional: tuple[str, ...]


def found(ask: str, *answer: str, additional: Iterable[str] = ()) -> Case:
    """A positive answer."""
    return Case(ask=ask, answer=answer, additional=tuple(additional))


def nodata(ask: str, *answer: str) -> Case:
    """NOERROR without the type asked, SOA in authority; *answer* are the CNAMEs on the way."""
    return Case(ask=ask, answer=answer, authority=(SOA,))


def nxdomain(ask: str, *answer: str) -> Case:
    """NXDOMAIN, SOA in authority; *answer* are the CNAMEs on the way."""
    return Case(ask=ask, answer=answer, authority=(SOA,), rcode="NXDOMAIN")


def error(ask: str, rcode: str, ede: int | None = None) -> Case:
    """An RCODE and nothing else, not authoritative; *ede* as Case has it."""
    return Case(ask=ask, rcode=rcode, aa=False, ede=ede)


def refused(ask: str) -> Case:
    """A transfer, or a class that is not served: Not Supported."""
    return error(ask, "REFUSED", 21)


def not_ready(ask: str) -> Case:
    """A name error while the cluster is not known yet."""
    return Case(ask=ask, rcode="SERVFAIL", authority=(SOA,), ede=14)


def big(case: Case) -> Case:
    return replace(case, big=True)


def each(ask: Iterable[str], *names: str) -> list[str]:
    """Every name with every type: the questions of a matrix."""
    return [f"{name} {rtype}" for name in names for rtype in ask]


def normal(line: str, qname: str = "@") -> str:
    """A line as dnspython spells it, "@" replaced."""
    owner, ttl, rtype, *rest = line.split(maxsplit=3)
    rdata = dns.rdata.from_text("IN", rtype, rest[0] if rest else "")
    return f"{qname if owner == '@' else owner} {int(ttl)} IN {rtype} {rdata.to_text()}"


def arranged(lines: Iterable[str]) -> tuple[str, ...]:
    """The CNAMEs at the front as they are, the others sorted; nothing is merged."""
    kept = list(lines)
    aliases = 0
    while aliases < len(kept) and kept[aliases].split()[3] == "CNAME":
        aliases += 1
    return (*kept[:aliases], *sorted(kept[aliases:]))


def reply_shown(reply: Reply) -> Shown:
    """What the value of a reply shows."""
    return Shown(
        rcode_name(reply.rcode),
        reply.authoritative,
        reply.truncated,
        arranged(map(record_text, reply.answer)),
        arranged(map(record_text, reply.authority)),
        arranged(map(record_text, reply.additional)),
    )


def message_shown(message: dns.message.Message) -> Shown:
    """What octets show, decoded with `one_rr_per_rrset`."""
    return Shown(
        dns.rcode.to_text(message.rcode()),
        bool(message.flags & dns.flags.AA),
        bool(message.flags & dns.flags.TC),
        arranged(map(rrset_text, message.answer)),
        arranged(map(rrset_text, message.authority)),
        arranged(map(rrset_text, message.additional)),
    )


def record_text(record: Record) -> str:
    rdata = record.rdata
    octets = rdata.head + b"".join(rdata.names) + rdata.tail
    rclass = dns.rdataclass.RdataClass.make(record.rclass)
    rtype = dns.rdatatype.RdataType.make(record.rtype)
    shown = dns.rdata.from_wire(rclass, rtype, octets, 0, len(octets))
    return _text(dns.name.from_wire(record.owner, 0)[0], record.ttl, record.rclass, record.rtype, shown)


def rrset_text(rrset: dns.rrset.RRset) -> str:
    (rdata,) = rrset
    return _text(rrset.name, rrset.ttl, rrset.rdclass, rrset.rdtype, rdata)


def _text(owner: dns.name.Name, ttl: int, rclass: int, rtype: int, rdata: dns.rdata.Rdata) -> str:
    class_text = dns.rdataclass.to_text(dns.rdataclass.RdataClass.make(rclass))
    type_text = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rtype))
    return f"{owner.to_text()} {ttl} {class_text} {type_text} {rdata.to_text()}"
