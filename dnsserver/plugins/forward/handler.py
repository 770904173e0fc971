"""Queries that other servers answer (coredns-compat.md, section 3.4)."""

import asyncio
import functools
import itertools
from dataclasses import dataclass

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.forward.asking import PLUGIN, Asked, ask
from dnsserver.plugins.forward.counting import ForwardCounters
from dnsserver.plugins.forward.in_flight import InFlight, TooManyError
from dnsserver.plugins.forward.metadata import note
from dnsserver.plugins.forward.probes import Probes
from dnsserver.plugins.forward.settings import ROUNDS, ForwardSettings
from dnsserver.plugins.forward.spelling import respelled
from dnsserver.plugins.forward.telling import NO_HEALTHY, Option, no_reply, own_limit, with_cause
from dnsserver.plugins.forward.upstreams import Upstream, Upstreams
from dnsserver.plugins.plugin import Handler
from dnsserver.transports.exchange import ExchangePlaces
from dnsserver.transports.upstream.peer import TIMED_OUT, ExchangeError, OwnWantError
from dnsserver.wire.codes import ExtendedError, Rcode
from dnsserver.wire.edns import told_cause

#: Seconds. Between two failures of one question beyond ROUNDS with each upstream: `max_connect_attempts 0` shall not be
#: a flood where upstreams refuse at once.
PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Outcome:
    """A reply to the name *asked*, and the upstream that gave it; "" for our own SERVFAIL."""

    reply: Reply
    asked: bytes
    upstream: str = ""


class Forward:
    """Forwards the names of one `forward`, in every class; other names go to the next handler."""

    def __init__(
        self,
        following: Handler,
        settings: ForwardSettings,
        upstreams: Upstreams,
        probes: Probes,
        places: ExchangePlaces,
        counters: ForwardCounters,
    ) -> None:
        """*places* are those of the whole server."""
        self._next = following
        self._settings = settings
        self._upstreams = upstreams
        self._probes = probes
        self._places = places
        self._counters = counters
        self._in_flight: InFlight[Outcome] = InFlight()
        self._queries = 0

    def __repr__(self) -> str:
        return f"<Forward in_flight={self._queries} {self._upstreams!r}>"

    async def __call__(self, query: Query) -> Reply | None:
        return await self.answer(query, asyncio.get_running_loop().time() + self._settings.total_s)

    async def answer(self, query: Query, deadline: float) -> Reply | None:
        """The reply, before *deadline* by the event loop's clock."""
        if not self._settings.takes(query.name):
            return await self._next(query)
        most = self._settings.max_concurrent
        if most and self._queries >= most:
            self._counters.rejected += 1
            error = f"concurrent queries exceeded maximum {most}"
            return Reply(rcode=Rcode.REFUSED, options=(own_limit(error),), plugin=PLUGIN, error=error)
        self._queries += 1
        try:
            outcome = await self._outcome(query, deadline)
            note(query, outcome.upstream)
            if outcome.upstream and isinstance(self._next, Forward) and self._goes_on(outcome.reply):
                return await self._next.answer(query, deadline)
        finally:
            self._queries -= 1
        return respelled(outcome.reply, outcome.asked, query.question.name)

    def _goes_on(self, reply: Reply) -> bool:
        """Whether the next `forward` shall answer in place of *reply*."""
        if reply.rcode in self._settings.next_rcodes:
            return True
        return self._settings.next_on_nodata and reply.rcode == Rcode.NOERROR and not reply.answer

    async def _outcome(self, query: Query, deadline: float) -> Outcome:
        """What upstreams say, asked for this query or for an equal one."""
        asked, settings = Asked.of(query), self._settings
        tcp = settings.force_tcp or (query.arrival.protocol != "udp" and not settings.prefer_udp)
        work = functools.partial(self._placed, asked, tcp, deadline)
        try:
            return await self._in_flight.ask((tcp, asked.key), deadline, work, self._joined)
        except TooManyError:
            error = "too many queries wait for replies to equal ones"
            return self._failed(asked, error, own_limit(error))
        except TimeoutError:
            told = told_cause(ExtendedError.NO_REACHABLE_AUTHORITY, "no reply to an equal query in time")
            return self._failed(asked, f"no reply to an equal query in time: {TIMED_OUT}", told)

    def _joined(self) -> None:
        self._counters.coalesced += 1

    async def _placed(self, asked: Asked, tcp: bool, deadline: float) -> Outcome:
        if not self._places.take():
            error = f"upstream exchanges exceeded maximum {self._places.most}, our share of the limit of open files"
            return self._failed(asked, error, own_limit("too many questions to upstreams at a time"))
        try:
            return await self._asked(asked, tcp, deadline)
        finally:
            self._places.give_back()

    async def _asked(self, asked: Asked, tcp: bool, deadline: float) -> Outcome:
        """The first upstream's reply; SERVFAIL with the last error when none comes in time."""
        now = asyncio.get_running_loop().time
        error, told = self._upstreams.trouble, NO_HEALTHY
        refused: Outcome | None = None
        failures, replies = itertools.count(1), itertools.count(1)
        for upstream in self._upstreams.attempts():
            if now() >= deadline:
                break
            try:
                reply = await self._exchange(asked, upstream, tcp, deadline)
            except OwnWantError as failure:
                # the next one could not be asked either
                error, told = str(failure), own_limit(failure.reason)
                break
            except ExchangeError as failure:
                error, told = str(failure), no_reply(upstream.name, failure)
                self._probes.start(upstream, self._settings)
                if await self._is_enough(next(failures)):
                    break
                continue
            outcome = Outcome(with_cause(reply, upstream.name), asked.question.name, upstream.name)
            if reply.rcode not in self._settings.failover or next(replies) >= len(self._upstreams):
                return outcome
            refused = outcome
        return refused or self._failed(asked, error, told)

    async def _is_enough(self, failures: int) -> bool:
        """Whether a question that has failed so often is given up."""
        rounds = ROUNDS * len(self._upstreams)
        most = self._settings.max_connect_attempts
        most = rounds if most is None else most
        if most and failures >= most:
            return True
        if failures >= rounds:
            await asyncio.sleep(PAUSE_S)
        return False

    async def _exchange(self, asked: Asked, upstream: Upstream, tcp: bool, deadline: float) -> Reply:
        """One attempt. Raises ExchangeError."""
        reply = await self._timed(asked, upstream, tcp, deadline)
        if reply.truncated and self._settings.prefer_udp and not tcp and upstream.link.has_udp:
            return await self._timed(asked, upstream, True, deadline)
        return reply

    async def _timed(self, asked: Asked, upstream: Upstream, tcp: bool, deadline: float) -> Reply:
        settings, now = self._settings, asyncio.get_running_loop().time
        begun = now()
        scramble, read_s = settings.randomize_case, settings.read_s
        reply = await ask(asked, upstream, tcp=tcp, scramble=scramble, read_s=read_s, deadline=deadline)
        self._counters.lasted(upstream.name, reply.rcode, now() - begun)
        return reply

    def _failed(self, asked: Asked, error: str, told: Option) -> Outcome:
        """SERVFAIL, with *error* for the operator and *told* for the client."""
        reply = Reply(rcode=Rcode.SERVFAIL, options=(told,), plugin=PLUGIN, error=error)
        return Outcome(reply, asked.question.name)
