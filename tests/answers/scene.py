"""A cluster, the options of the block that serves it, and the world outside."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.config import ServerBlock
from dnsserver.plugins.kubernetes.handler import KubernetesHandler
from dnsserver.plugins.kubernetes.state_answers import StateAnswers
from dnsserver.plugins.plugin import Handler, Plugin, no_next_plugin
from dnsserver.runtime.dispatch import Dispatcher
from dnsserver.runtime.sites import BuiltSite
from dnsserver.transports.tcp import TcpListener
from dnsserver.transports.udp import UdpListener
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Rcode
from dnsserver.wire.header import Header
from dnsserver.wire.question import Question
from dnsserver.wire.records import Rdata, Record
from dnsserver.zone.cluster import ClusterState
from dnsserver.zone.objects import (
    ClusterObject,
    EndpointSlice,
    Feed,
    Namespace,
    Pod,
    Service,
    ServiceImport,
)
from dnsserver.zone.policy import RecordPolicy
from dnsserver.zone.reverse import is_reverse
from dnsserver.zone.view import zone_views
from tests.answers.case import Case, normal

#: Unix seconds at which every scene is made.
CREATED = 1_700_000_000
#: Seconds that a test waits for a reply.
PATIENCE_S = 5.0

DEFAULTS = RecordPolicy()
LOOPBACK = "127.0.0.1"
ARRIVAL = Arrival("tcp", LOOPBACK, 40_000, LOOPBACK, 53)
FEED_OF: Mapping[type, Feed] = {
    Service: Feed.SERVICES,
    EndpointSlice: Feed.ENDPOINT_SLICES,
    Namespace: Feed.NAMESPACES,
    Pod: Feed.PODS,
    ServiceImport: Feed.SERVICE_IMPORTS,
}


@dataclass(frozen=True, slots=True)
class Outside:
    """What others answer to one question. `rcode` None: they do not answer at all."""

    answer: tuple[str, ...] = ()
    rcode: int | None = Rcode.NOERROR
    authority: tuple[str, ...] = ()
    truncated: bool = False

    def reply(self) -> Reply | None:
        if self.rcode is None:
            return None
        return Reply(
            rcode=self.rcode,
            answer=tuple(map(record, self.answer)),
            authority=tuple(map(record, self.authority)),
            recursion_available=True,
            truncated=self.truncated,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`missing` are the feeds without a full list yet. `outside` is the next plugin, by "NAME TYPE"; None: there is
    none."""

    name: str
    objects: tuple[ClusterObject, ...]
    zones: tuple[str, ...] = ("cluster.local.", "in-addr.arpa.", "ip6.arpa.")
    multicluster: tuple[str, ...] = ()
    policy: RecordPolicy = DEFAULTS
    missing: frozenset[Feed] = frozenset()
    fallthrough: tuple[str, ...] | None = None
    outside: Mapping[str, Outside] | None = field(default=None, hash=False)

    def state(self) -> ClusterState:
        state = ClusterState(Feed, CREATED)
        for feed in Feed:
            held = [item for item in self.objects if FEED_OF[type(item)] is feed]
            if feed not in self.missing:
                state.replace(feed, held, CREATED)
            else:
                for item in held:
                    state.put(feed, item, CREATED)
        return state

    def handler(self, state: ClusterState | None = None) -> Handler:
        """The chain that serves the scene; the whole server is this chain."""
        _, wrap = self.parts(self.state() if state is None else state)
        return wrap(self._next())

    def parts(self, state: ClusterState) -> tuple[StateAnswers, Callable[[Handler], Handler]]:
        """What the state alone answers, and what makes the chain around the next handler."""
        origins = [wire_name(zone) for zone in self.zones]
        shared = tuple(map(wire_name, self.multicluster))
        primary = next(origin for origin in origins if not is_reverse(origin) and origin not in shared)
        views = zone_views(origins, primary, state, self.policy, shared)
        answers = StateAnswers(state, views, tuple(map(wire_name, self.fallthrough or ())), self.policy)

        def wrap(following: Handler) -> Handler:
            async def whole_server(query: Query) -> Reply | None:
                return await handler(query)

            handler: Handler = KubernetesHandler(answers, following, whole_server)
            return handler

        return answers, wrap

    def _next(self) -> Handler:
        outside = self.outside
        if outside is None:
            return no_next_plugin

        async def answer(query: Query) -> Reply | None:
            rtype = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(query.question.rtype))
            name = dns.name.from_wire(query.name, 0)[0].to_text()
            return outside.get(f"{name} {rtype}", Outside(rcode=Rcode.REFUSED)).reply()

        return answer

    def soa(self, qname: str) -> str:
        """The line of the SOA record that a reply about *qname* carries (section 10)."""
        zones = [zone for zone in self.zones if f".{qname}".lower().endswith(f".{zone}".replace("..", "."))]
        size = len(max(zones, key=len, default="."))
        zone = "" if size == 1 else qname[-size:]
        ttl = self.policy.ttl
        return (
            f"{zone or '.'} {min(ttl, 300)} SOA ns.dns.{zone} hostmaster.{zone} "
            f"{CREATED} 7200 1800 86400 {ttl}"
        )


def record(line: str) -> Record:
    """The record of a line "OWNER TTL TYPE RDATA"."""
    owner, ttl, _, rtype, text = normal(line).split(maxsplit=4)
    number = dns.rdatatype.from_text(rtype)
    rdata = dns.rdata.from_text(dns.rdataclass.IN, number, text)
    return Record(wire_name(owner), number, int(ttl), Rdata(rdata.to_wire() or b""))


def wire_name(text: str) -> bytes:
    return dns.name.from_text(text).to_wire() or b""


def query_value(name: str, rtype: str, rclass: str = "IN", arrival: Arrival = ARRIVAL) -> Query:
    """The value that a handler gets for a question."""
    number, class_number = dns.rdatatype.from_text(rtype), dns.rdataclass.from_text(rclass)
    question = Question(wire_name(name), number, class_number)
    return Query(Header(1, questions=1), question, None, arrival, b"")


def dispatcher(handler: Handler) -> Dispatcher:
    """The front of a server whose only block is the root with *handler*."""
    block = ServerBlock((), (), "test", 1)
    return Dispatcher({b"\0": BuiltSite(block, (Plugin(name="kubernetes"),), handler, ())})


@dataclass(frozen=True, slots=True)
class Served:
    """A scene behind real sockets."""

    dispatcher: Dispatcher
    udp: UdpListener
    tcp: TcpListener

    async def over_udp(self, octets: bytes, patience_s: float = PATIENCE_S) -> bytes:
        """The datagram that comes back. Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect((LOOPBACK, self.udp.port))
            await loop.sock_sendall(sock, octets)
            async with asyncio.timeout(patience_s):
                return await loop.sock_recv(sock, 65_535)

    async def over_tcp(self, octets: bytes, patience_s: float = PATIENCE_S) -> bytes:
        """The message that comes back; empty when the server closes without one."""
        reader, writer = await asyncio.open_connection(LOOPBACK, self.tcp.port)
        try:
            writer.write(len(octets).to_bytes(2, "big") + octets)
            async with asyncio.timeout(patience_s):
                size = int.from_bytes(await reader.readexactly(2), "big")
                return await reader.readexactly(size)
        finally:
            writer.close()
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def serving(scene: Scene, state: ClusterState | None = None) -> AsyncIterator[Served]:
    """The scene on free ports of the loopback address."""
    front = dispatcher(scene.handler(state))
    udp_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp_socket.bind((LOOPBACK, 0))
    tcp_socket = socket.create_server((LOOPBACK, 0))
    async with UdpListener(udp_socket, front.respond) as udp, TcpListener(tcp_socket, front.respond) as tcp:
        yield Served(front, udp, tcp)


@dataclass(frozen=True, slots=True)
class Table:
    """Cases on one scene; `section` is that of the rules."""

    section: str
    scene: Scene
    cases: Sequence[Case] = ()
