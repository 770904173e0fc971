"""Run a stub in virtual time: replies are asked for at once, time-outs are counted and not waited for."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from dnsserver.stubs.machine import (
    Action,
    Broken,
    Channel,
    Close,
    Event,
    Expired,
    Reply,
    Send,
    Stub,
    Transport,
    Wait,
)
from dnsserver.stubs.outcome import Outcome
from dnsserver.stubs.transcript import Exchange, Transcript


@dataclass(frozen=True, slots=True)
class Delivery:
    """What becomes of one query: octets after `delay` seconds, a socket that breaks, or nothing ever ("lost")."""

    octets: bytes = b""
    delay: float = 0.0
    fate: Literal["answered", "lost", "refused", "closed"] = "answered"


#: Server (as resolv.conf names it), transport and query to what becomes of it.
Network = Callable[[str, Transport, bytes], Awaitable[Delivery]]


async def run_virtually(stub: Stub[Outcome], network: Network) -> Transcript:
    """Run *stub* to its end. What it sends without waiting in between is put to *network* at the same time."""
    return await _Run(stub, network).run()


class _Run:
    def __init__(self, stub: Stub[Outcome], network: Network) -> None:
        self._stub = stub
        self._network = network
        self._transcript = Transcript(seconds=None)
        self._now = 0.0
        self._asked: list[tuple[Exchange, asyncio.Task[Delivery]]] = []
        self._coming: list[tuple[float, int, Exchange, Delivery]] = []
        self._closed: set[Channel] = set()
        self._numbers = itertools.count()

    async def run(self) -> Transcript:
        async with asyncio.TaskGroup() as tasks:
            event: Event | None = None
            while (action := self._advance(event)) is not None:
                event = None
                if isinstance(action, Send):
                    self._send(action, tasks)
                elif isinstance(action, Close):
                    self._closed.add(action.channel)
                else:
                    event = await self._next(action)
                    if event is None:
                        break
                    self._now = event.at
            for _, task in self._asked:
                task.cancel()
        for _, _, exchange, delivery in self._coming:
            exchange.broken = "unheard" if delivery.fate == "answered" else delivery.fate
        self._stub.close()
        return self._transcript

    def _advance(self, event: Event | None) -> Action | None:
        """What the stub does next; None when it has ended."""
        try:
            return self._stub.send(event)
        except StopIteration as end:
            self._transcript.outcome = end.value
            self._transcript.seconds = self._now
            return None

    def _send(self, action: Send, tasks: asyncio.TaskGroup) -> None:
        exchange = self._transcript.sent(self._now, action.channel, action.server, action.octets)
        self._asked.append((exchange, tasks.create_task(self._deliver(action))))

    async def _deliver(self, action: Send) -> Delivery:
        return await self._network(action.server, action.channel.transport, action.octets)

    async def _next(self, action: Wait) -> Event | None:
        """What comes first; None when nothing will ever come."""
        for exchange, task in self._asked:
            delivery = await task
            if delivery.fate != "lost":
                entry = exchange.at + delivery.delay, next(self._numbers), exchange, delivery
                heapq.heappush(self._coming, entry)
        self._asked.clear()
        while self._coming and (action.until is None or self._coming[0][0] <= action.until):
            at, _, exchange, delivery = heapq.heappop(self._coming)
            event = self._arrived(max(at, self._now), exchange, delivery)
            if event is not None:
                return event
        return None if action.until is None else Expired(max(action.until, self._now))

    def _arrived(self, at: float, exchange: Exchange, delivery: Delivery) -> Event | None:
        """None for what the program does not hear of: its socket is closed, or not connected."""
        channel = exchange.channel
        if channel in self._closed:
            exchange.broken = "unheard" if delivery.fate == "answered" else delivery.fate
            return None
        if delivery.fate == "answered":
            exchange.answered, exchange.reply = at, delivery.octets
            return Reply(at, channel, exchange.server, delivery.octets)
        if not channel.connected:
            exchange.answered, exchange.broken = at, delivery.fate
            return None
        self._transcript.broke(at, channel, delivery.fate)
        return Broken(at, channel, refused=delivery.fate == "refused")
