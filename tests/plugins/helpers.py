"""What tests of plugins need: directives from Corefile text, queries, and a server that is not there."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dnsserver.answering.query import Query, read_query
from dnsserver.answering.reply import Reply
from dnsserver.config import ConfigError, Directive, parse
from dnsserver.observability.counters import QueryCounters
from dnsserver.observability.families import AnyFamily
from dnsserver.plugins.plugin import Handler, Measured, Plugin, Reloading, Site, no_next_plugin
from dnsserver.runtime.reloading import NEVER
from dnsserver.transports.exchange import ExchangePlaces
from dnsserver.transports.limits import TransportCounters
from dnsserver.wire import names
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Class, Flag, type_number
from dnsserver.wire.edns import Edns
from dnsserver.wire.header import Header
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record, address_rdata

Setup = Callable[[Directive, Site], Plugin]


@dataclass
class FakeServer:
    """A server of *members* at the time *unix_s*, which *stops* when told so; `forgotten`: how often it was told to
    repeat nothing."""

    members: tuple[Plugin, ...] = ()
    unix_s: float = 0.0
    stops: bool = False
    asked: list[Query] = field(default_factory=list)
    forgotten: int = 0
    configuration: Reloading = NEVER

    async def resolve(self, query: Query) -> Reply | None:
        self.asked.append(query)
        return None

    def forget(self) -> None:
        self.forgotten += 1

    def plugins(self) -> tuple[Plugin, ...]:
        return self.members

    def now(self) -> float:
        return self.unix_s

    def stopping(self) -> bool:
        return self.stops

    @property
    def exchanges(self) -> ExchangePlaces:
        return ExchangePlaces(1)

    def measured(self) -> Measured:
        return Measured(QueryCounters(), TransportCounters())

    def others(self) -> tuple[AnyFamily, ...]:
        return ()

    def folder(self) -> Path:
        raise AssertionError("no plugin needs a folder before it runs")

    def process(self) -> int:
        return os.getpid()

    def unmanned(self) -> str:
        return ""

    @property
    def reloading(self) -> Reloading:
        return self.configuration


def directive(text: str, directory: Path = Path("/")) -> Directive:
    """The plugin whose lines *text* is; they start at line 2 of `Corefile`."""
    name = text.split()[0]
    corefile = parse(
        f". {{\n{text}\n}}\n", file="Corefile", directory=directory, directives=[name], environ={}
    )
    found = corefile.blocks[0].directive(name)
    assert found is not None
    return found


def site(server: FakeServer | None = None, directory: Path = Path("/")) -> Site:
    return Site(zones=(".",), server=server or FakeServer(), directory=directory)


def handler(
    setup: Setup, text: str, following: Handler = no_next_plugin, server: FakeServer | None = None
) -> Handler:
    """The handler that *text* makes around *following*."""
    plugin = setup(directive(text), site(server))
    assert plugin.wrap is not None
    return plugin.wrap(following)


def refused(setup: Setup, text: str, directory: Path = Path("/")) -> str:
    """The error text for *text*."""
    with pytest.raises(ConfigError) as caught:
        setup(directive(text, directory), site(directory=directory))
    return str(caught.value)


def replying(reply: Reply | None) -> Handler:
    """A handler that always gives *reply*."""

    async def answer(_: Query) -> Reply | None:
        return reply

    return answer


def query(
    name: str = "example.org.",
    rtype: str = "A",
    *,
    rclass: int = Class.IN,
    protocol: str = "udp",
    client: str = "10.1.2.3",
    edns: Edns | None = None,
    opcode: int = 0,
    flags: int = Flag.RD,
) -> Query:
    """A query from port 40000 of *client* to port 53 of 10.96.0.10, with ID 4711."""
    number = type_number(rtype)
    assert number is not None
    octets = Header(4711, opcode, 0, flags, 1, 0, 0, 1 if edns else 0).encode()
    octets += Question(names.from_text(name), number, rclass).encode()
    octets += edns.encode() if edns else b""
    found = read_query(octets, Arrival(protocol, client, 40000, "10.96.0.10", 53))
    assert isinstance(found, Query)
    return found


def address(text: str, owner: str = "example.org.", ttl: int = 30) -> Record:
    """An A or AAAA record."""
    rdata = address_rdata(text)
    return Record(names.from_text(owner), 1 if len(rdata.head) == 4 else 28, ttl, rdata)
