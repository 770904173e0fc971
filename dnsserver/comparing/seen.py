"""A reply as a client sees it: without what may differ from one reply to the next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dnsserver.sources.zonefile.printing import rdata_text
from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Type, rcode_name, type_name
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question
from dnsserver.wire.records import Rdata, Record

#: Octets. The serial is the first of the numbers behind the names of a SOA record, MINIMUM the last (RFC 1035 3.3.13).
_SERIAL = _MINIMUM = 4
#: Records of one reply that are shown.
SHOWN_RECORDS = 6

#: Owner name in lower case, and type.
RRsetKey = tuple[bytes, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """`aliases` are the targets of CNAME records, from the name asked on; `data` type and RDATA of all other records of
    the answer; names in lower case, SOA records without serial. TTLs and `minimum` are seconds; `minimum` is None
    without a SOA record in the authority section.
    """

    rcode: int
    authoritative: bool
    recursion_available: bool
    aliases: tuple[bytes, ...]
    data: frozenset[tuple[int, Rdata]]
    ttls: Mapping[RRsetKey, int]
    minimum: int | None

    @classmethod
    def of(cls, message: Message, question: Question) -> "Seen":
        """The reply *message* to *question*."""
        flags = message.header.flags
        denial = (
            [record for record in message.authority if record.rtype == Type.SOA] if _denies(message) else []
        )
        return cls(
            message.rcode,
            bool(flags & Flag.AA),
            bool(flags & Flag.RA),
            _aliases(message.answer, question.name.lower()),
            frozenset((one.rtype, _plain(one)) for one in message.answer if one.rtype != Type.CNAME),
            _ttls((*message.answer, *denial)),
            int.from_bytes(denial[0].rdata.tail[-_MINIMUM:], "big") if denial else None,
        )

    @property
    def negative(self) -> bool:
        """NXDOMAIN or NODATA (RFC 2308)."""
        return not self.data

    def __str__(self) -> str:
        """`NOERROR: CNAME a.example. A 192.0.2.1`."""
        aliases = [f"CNAME {names.to_text(target)}" for target in self.aliases]
        found = sorted(f"{type_name(rtype)} {rdata_text(rtype, rdata)}" for rtype, rdata in self.data)
        more = [f"and {len(found) - SHOWN_RECORDS} more"] if len(found) > SHOWN_RECORDS else []
        listed = ", ".join([*aliases, *found[:SHOWN_RECORDS], *more])
        return f"{rcode_name(self.rcode)}: {listed or 'no records'}"


def _denies(message: Message) -> bool:
    return all(record.rtype == Type.CNAME for record in message.answer)


def _plain(record: Record) -> Rdata:
    """RDATA to compare."""
    rdata = record.rdata
    tail = rdata.tail[_SERIAL:] if record.rtype == Type.SOA else rdata.tail
    return Rdata(rdata.head, tuple(name.lower() for name in rdata.names), tail)


def _aliases(answer: Iterable[Record], name: bytes) -> tuple[bytes, ...]:
    targets = {
        record.owner.lower(): record.rdata.names[0].lower() for record in answer if record.rtype == Type.CNAME
    }
    found: list[bytes] = []
    while (target := targets.pop(name, None)) is not None:
        found.append(target)
        name = target
    return (*found, *sorted(targets.values()))  # those that hang on nothing are a shape too


def _ttls(records: Iterable[Record]) -> dict[RRsetKey, int]:
    """The least TTL of each RRset (RFC 2181 section 5.2)."""
    found: dict[RRsetKey, int] = {}
    for record in records:
        key = record.owner.lower(), record.rtype
        found[key] = min(record.ttl, found.get(key, record.ttl))
    return found
