"""Between the sockets and the answers: notes every exchange, and lets those go wrong that the script names."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from dnsserver.answering.query import Query, Rejected, read_query
from dnsserver.answering.reply import Reply, encode
from dnsserver.faults.dice import Asked, Counts, met
from dnsserver.faults.fault import DELAY_MAX_S, Fault, FaultError, Kind
from dnsserver.faults.script import read_script
from dnsserver.faults.transcript import Exchange, Transcript
from dnsserver.transports.responder import Arrival, Responder
from dnsserver.wire import names
from dnsserver.wire.stream import CutShort

#: What a wrong ID differs in from the right one.
_OTHER_ID = 0x5A5A


class Faults:
    """The faults of a server, and its transcript. To be used in the thread of the server's event loop.

    *script* is text (see `script`) or faults; raises FaultError. *told* hears of every exchange. `clients` says whom
    a query over UDP or TCP from a local port comes from, in place of the address that it has.
    """

    def __init__(
        self,
        script: str | Iterable[Fault] = (),
        *,
        seed: int = 0,
        told: Callable[[Exchange], None] | None = None,
        clients: Mapping[tuple[str, int], str] | None = None,
    ) -> None:
        self.transcript = Transcript()
        self._told = told
        self._clients = clients if clients is not None else {}
        self._over = asyncio.Event()
        self.set(script, seed=seed)

    def __repr__(self) -> str:
        return f"<Faults {len(self._faults)}, seed {self._seed}>"

    def set(self, script: str | Iterable[Fault] = (), *, seed: int = 0) -> None:
        """Other faults from now on; the times of questions are counted anew. Raises FaultError."""
        self._faults = read_script(script) if isinstance(script, str) else _checked(script)
        self._seed = seed
        self._counts = Counts()

    def end(self) -> None:
        """Whatever is delayed now or later is not answered: the server stops."""
        self._over.set()

    def around(self, respond: Responder) -> Responder:
        """*respond* with faults."""

        async def faulty(octets: bytes, arrival: Arrival) -> bytes | None:
            return await self._respond(respond, octets, arrival)

        return faulty

    async def _respond(self, respond: Responder, octets: bytes, arrival: Arrival) -> bytes | None:
        client = self._clients.get((arrival.protocol, arrival.client_port))
        if client is not None:
            arrival = replace(arrival, client_host=client)
        query = read_query(octets, arrival)
        if isinstance(query, Rejected):
            return await respond(octets, arrival)
        name = names.to_text(query.name).rstrip(".") or "."
        asked = Asked(arrival.client_host, arrival.protocol, name, query.question.rtype)
        n = self._counts.next(asked)
        wrong = met(self._faults, self._seed, asked, n)
        reply = await self._delayed(wrong) and await self._reply(respond, query, wrong)
        self._note(asked, n, reply or None, wrong)
        return reply or None

    def _note(self, asked: Asked, n: int, sent: bytes | None, wrong: tuple[Fault, ...]) -> None:
        faults = tuple(map(str, wrong))
        exchange = Exchange.of(asked.client, asked.protocol, asked.name, asked.rtype, n, sent, faults)
        self.transcript.add(exchange)
        if self._told is not None:
            self._told(exchange)

    async def _delayed(self, wrong: tuple[Fault, ...]) -> bool:
        """Wait as long as is wanted; False when the server stops meanwhile."""
        wait_s = min(sum(fault.delay_s for fault in wrong), DELAY_MAX_S)
        if not wait_s:
            return True
        try:
            async with asyncio.timeout(wait_s):
                await self._over.wait()
        except TimeoutError:
            return True
        return False

    async def _reply(self, respond: Responder, query: Query, wrong: tuple[Fault, ...]) -> bytes | None:
        last = wrong[-1] if wrong else None
        match last:
            case Fault(kind=Kind.DROP):
                return None
            case Fault(kind=Kind.RCODE, rcode=rcode):
                return encode(Reply(rcode=rcode), query)
            case Fault(kind=Kind.TRUNCATE):
                # glibc takes an empty answer without AA and RA for a referral, whatever TC says (res_send.c).
                return encode(Reply(truncated=True, authoritative=True), query)
        reply = await respond(query.octets, query.arrival)
        if last is None or reply is None:
            return reply
        if last.kind is Kind.WRONG_ID:
            return (query.header.id ^ _OTHER_ID).to_bytes(2, "big") + reply[2:]
        return CutShort.of(reply, last.octets) if last.kind is Kind.CUT else reply


def _checked(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """What is no fault would raise at each query. FaultError."""
    listed = tuple(faults) if isinstance(faults, Iterable) else (faults,)
    wrong = (
        [faults] if isinstance(faults, Fault) else [each for each in listed if not isinstance(each, Fault)]
    )
    if wrong:
        raise FaultError(
            f"faults={wrong[0]!r}: give the text of a script, or a list of faults as [drop(nth=1)]"
        )
    return listed
