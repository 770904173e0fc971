"""A cache in front of replies that a test writes in presentation format, at a time that the test sets."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.observability.families import Family
from dnsserver.plugins.cache import setup
from dnsserver.plugins.plugin import Lasting, Plugin, Remembers, Site
from dnsserver.wire import names
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Class, Flag, type_number
from dnsserver.wire.edns import Edns
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record
from tests.answers.case import record_text
from tests.plugins.helpers import FakeServer, directive, query

#: Unix seconds, somewhere within a second.
BEGIN = 1_700_000_000.25
SOA = "test. 60 IN SOA ns.test. host.test. 1 7200 1800 86400 10"
ADDRESS = "a.test. 30 IN A 192.0.2.1"


def records(*lines: str) -> tuple[Record, ...]:
    """Records by lines `OWNER TTL CLASS TYPE RDATA`."""
    message = dns.message.Message(id=1)
    for line in lines:
        owner, ttl, rclass, rtype, rdata = line.split(maxsplit=4)
        message.answer.append(dns.rrset.from_text(owner, int(ttl), rclass, rtype, rdata))
    return Message.decode(message.to_wire()).answer


def reply(
    *answer: str,
    rcode: str = "NOERROR",
    authority: Iterable[str] = (),
    additional: Iterable[str] = (),
    plugin: str = "forward",
    flags: str = "RA",
) -> Reply:
    """A reply of another plugin; *flags*: AA, RA, AD, TC, and `live`."""
    return Reply(
        rcode=int(dns.rcode.from_text(rcode)),
        answer=records(*answer),
        authority=records(*authority),
        additional=records(*additional),
        authoritative="AA" in flags,
        recursion_available="RA" in flags,
        authentic="AD" in flags,
        truncated="TC" in flags,
        live="live" in flags,
        plugin=plugin,
    )


def lines(found: Reply | None) -> list[str]:
    """All records of a reply."""
    assert found is not None
    return [
        record_text(record)
        for section in (found.answer, found.authority, found.additional)
        for record in section
    ]


def ttls(found: Reply | None) -> list[int]:
    assert found is not None
    return [record.ttl for section in (found.answer, found.authority, found.additional) for record in section]


NODATA = reply(authority=[SOA])
NXDOMAIN = reply(rcode="NXDOMAIN", authority=[SOA])
SERVFAIL = reply(rcode="SERVFAIL")
FOUND = reply(ADDRESS)

#: The answer to a query, in place of one that is always the same.
Script = Callable[[Query], Awaitable[Reply | None]]


@dataclass
class Stage:
    """`says` is what the plugin behind answers; `asked` are the queries that came there."""

    options: str = ""
    arguments: str = ""
    says: Reply | Script | None = FOUND
    behind: tuple[Plugin, ...] = ()
    zones: tuple[str, ...] = (".",)
    view: str = ""
    asked: list[Query] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = FakeServer(unix_s=BEGIN)
        text = f"cache {self.arguments}" + (f" {{\n{self.options}\n}}" if self.options else "")
        place = Site(
            zones=self.zones,
            server=self.server,
            directory=Path("/"),
            block=lambda: (self.plugin, *self.behind),
            view=self.view,
        )
        self.plugin = setup(directive(text), place)
        assert self.plugin.wrap is not None
        self.handler = self.plugin.wrap(self._answer)

    async def _answer(self, asked: Query) -> Reply | None:
        self.asked.append(asked)
        return await self.says(asked) if callable(self.says) else self.says

    def later(self, seconds: float) -> None:
        self.server.unix_s += seconds

    async def ask(
        self,
        what: str = "a.test. A",
        *,
        flags: str = "",
        listener: tuple[str, int] = ("0.0.0.0", 53),
        protocol: str = "udp",
    ) -> Reply | None:
        """*flags*: DO, EDNS, AD, CD, NOTIFY, CH."""
        name, rtype = what.split()
        wanted: int = Flag.RD
        wanted |= Flag.AD if "AD" in flags else 0
        wanted |= Flag.CD if "CD" in flags else 0
        edns = Edns(1232, do="DO" in flags) if "DO" in flags or "EDNS" in flags else None
        asked = query(
            name,
            rtype,
            edns=edns,
            flags=wanted,
            opcode=4 if "NOTIFY" in flags else 0,
            rclass=Class.CH if "CH" in flags else Class.IN,
        )
        arrival = Arrival(protocol, "10.1.2.3", 40000, "10.96.0.10", 53, listener)
        return await self.handler(replace(asked, arrival=arrival))

    def lasting(self, what: str = "a.test. A", flags: str = "") -> Lasting | None:
        name, rtype = what.split()
        remembers: Remembers | None = self.plugin.remembers
        assert remembers is not None
        number = type_number(rtype)
        assert number is not None
        question = Question(names.from_text(name), number)
        return remembers.lasting(question, do="DO" in flags, cd="CD" in flags)

    def metrics(self) -> dict[str, float]:
        """Each sample as `name{label values}` without `coredns_cache_` in front."""
        assert self.plugin.metrics is not None
        found = {}
        for family in self.plugin.metrics():
            assert isinstance(family, Family)
            for labels, number in family.samples:
                found[f"{family.name.removeprefix('coredns_cache_')}{{{','.join(labels)}}}"] = number
        return found
