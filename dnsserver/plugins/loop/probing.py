"""A question whose answer nobody else knows: when it is answered, what we forward has come back to us.

CoreDNS ends the process when its question has come back twice. Here the cluster's own zones go on being answered:
forwarding stops, and the question is asked again until it does not come back any more.
"""

import asyncio
import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.observability.families import Family, Kind
from dnsserver.observability.logs import plugin_logger
from dnsserver.transports.addresses import endpoint_text, is_wildcard
from dnsserver.transports.tasks import TaskHome
from dnsserver.wire import names
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Flag, Type
from dnsserver.wire.header import Header
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record, txt_rdata

_log = plugin_logger("loop")

#: Questions in a row that come back: with our own asking, CoreDNS's three sightings. One may have strayed.
RETURNS = 2
#: Seconds that we try to get any reply for, and between two tries; CoreDNS's.
PATIENCE_S, RETRY_S = 30.0, 1.0
#: Seconds between two looks whether a loop that was found is still there.
HEAL_S = 30.0
#: Bits of the numbers that the two labels in front of the zone are; CoreDNS's.
LABEL_BITS = 62

#: Of this run of the program: every process of it has the same, as it is made before any of them is forked. What one
#: process asks may come back to another.
_KEY = os.urandom(32)


def _seal(zone: bytes, text: bytes) -> bytes:
    """What only a process of this run can put behind *text*."""
    digest = hmac.digest(_KEY, zone.lower() + b"\0" + text, hashlib.sha256)
    return b"%d" % (int.from_bytes(digest[:8], "big") >> (64 - LABEL_BITS))


def probe_name(zone: bytes) -> bytes:
    first = b"%d" % secrets.randbits(LABEL_BITS)
    return names.prefix((first, _seal(zone, first))) + zone


def is_probe(name: bytes, zone: bytes) -> bool:
    """Whether *name* is what `probe_name` makes for *zone*, in any process of this run."""
    split = names.split_at(name, zone)
    labels = () if split is None else names.labels(split[0] + names.ROOT)
    return len(labels) == 2 and hmac.compare_digest(labels[1], _seal(zone, labels[0]))


def returned(query: Query) -> Reply:
    """The answer to a question of ours that has come back: who brought it, and where to. It goes the way back to the
    process that asked."""
    arrival = query.arrival
    host, port = arrival.listener
    way = f"{endpoint_text(arrival.client_host, arrival.client_port)} -> " + endpoint_text(
        "" if is_wildcard(host) else host, port
    )
    rdata = txt_rdata(_seal(query.name, b"returned"), way.encode())  # HINFO is two strings as well
    return Reply(answer=(Record(query.question.name, Type.HINFO, 0, rdata),), plugin="loop")


def way_of(reply: Reply, name: bytes) -> str:
    """`SRC -> DST` if *reply* is one of `returned`; "" if it is not."""
    seal = _seal(name, b"returned")
    head = bytes((len(seal),)) + seal
    for record in reply.answer:
        if record.rtype == Type.HINFO and record.rdata.head.startswith(head):
            return record.rdata.head[len(head) + 1 :].decode("ascii", "replace")
    return ""


class Probe:
    """Knows whether there is a loop. *ask* forwards a question, as `Loop.next`; *upstreams* says whereto."""

    def __init__(self, zone: bytes, upstreams: Callable[[], Awaitable[Sequence[str]]]) -> None:
        self.zone = zone
        self.looping = False
        self.ask: Callable[[Query], Awaitable[Reply | None]] | None = None
        self._upstreams = upstreams

    def __repr__(self) -> str:
        return f"<Probe {self._zone_text} looping={self.looping}>"

    @property
    def _zone_text(self) -> str:
        return names.to_text(self.zone)

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """The first questions are asked once the sockets are open, or soon after."""
        home = TaskHome("loop")
        await home.open()
        home.spawn(self._run(), f"look for a loop of {self._zone_text}")
        try:
            yield
        finally:
            await home.close()

    async def _run(self) -> None:
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        found = await self._look()
        while found is None and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(RETRY_S)
            found = await self._look()
        while self.looping:
            await asyncio.sleep(HEAL_S)
            if await self._look() is False:
                self.looping = False
                _log.info(
                    'the loop for zone "%s" is gone: its questions are forwarded again', self._zone_text
                )

    async def _look(self) -> bool | None:
        """Whether questions come back; None when the upstreams gave no reply to go by."""
        for _ in range(RETURNS):
            name = probe_name(self.zone)
            reply = None if self.ask is None else await self.ask(_probe_query(name))
            if reply is None or reply.error:
                return None
            way = way_of(reply, name)
            if not way:
                return False
        await self._tell(way, name)
        return True

    async def _tell(self, way: str, name: bytes) -> None:
        if self.looping:
            return
        self.looping = True
        _log.critical(
            'Loop (%s) detected for zone "%s", see https://coredns.io/plugins/loop#troubleshooting. Query: "HINFO %s".'
            " What this server forwards comes back to it: %s. Until that is mended such questions get SERVFAIL;"
            " all others are answered",
            way,
            self._zone_text,
            names.to_text(name),
            ", ".join(await self._upstreams()),
        )

    def families(self) -> Iterator[Family]:
        yield Family(
            "dnsserver_loop_detected",
            Kind.GAUGE,
            "1 while what is forwarded for the zone comes back, else 0.",
            ("zone",),
            (((self._zone_text,), float(self.looping)),),
            together=max,
        )


def _probe_query(name: bytes) -> Query:
    header = Header(secrets.randbits(16), flags=Flag.RD, questions=1)
    question = Question(name, Type.HINFO)
    return Query(
        header, question, None, Arrival("udp", "127.0.0.1", 0, "", 0), header.encode() + question.encode()
    )
