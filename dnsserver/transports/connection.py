"""One client over TCP: questions in any number, answers as they are ready (RFC 7766 §6.2.1.1, §7).

How they lie in the octets is the business of its `Conversation`: DNS itself, or HTTP.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import chain
from typing import Any, cast

from dnsserver.transports.addresses import endpoint_text
from dnsserver.transports.asking import ask
from dnsserver.transports.conversation import Asked, Conversation, DnsConversation, Octets
from dnsserver.transports.limits import TransportLimits
from dnsserver.transports.pool import ConnectionPool
from dnsserver.transports.responder import Arrival, Responder
from dnsserver.wire.frames import PREFIX
from dnsserver.wire.stream import CutShort, FirstOfMany


@dataclass(frozen=True, slots=True)
class ConnectionContext:
    """What the connections of one listener have in common."""

    responder: Responder
    pool: ConnectionPool
    limits: TransportLimits
    """Of this listener; the pool has those of all together."""
    conversation: Callable[[], Conversation]
    spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None] | None]
    read_buffer: memoryview
    """Shared: event loops fill it and call `buffer_updated` without doing anything in between."""
    made: Callable[["TcpConnection"], None]
    lost: Callable[["TcpConnection"], None]


class TcpConnection(asyncio.BufferedProtocol):
    """Reads while there is room for questions and the client reads its answers; one timer for all limits.

    The timer is lazy: it is set when there is none, or a later one; at its time it looks whether the deadline
    has moved.
    """

    __slots__ = (
        "_arrival",
        "_asked",
        "_blocked_at",
        "_context",
        "_draining_since",
        "_held",
        "_input_ended",
        "_paused",
        "_queued",
        "_queued_octets",
        "_since",
        "_talk",
        "_tasks",
        "_timer",
        "_transport",
        "_unblocked",
        "_unsent",
        "_unsent_since",
    )

    def __init__(self, context: ConnectionContext, arrival: Arrival) -> None:
        self._context = context
        self._arrival = arrival
        self._transport: asyncio.Transport | None = None
        self._talk = context.conversation()
        self._queued: deque[Asked] = deque()
        self._queued_octets = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked = 0
        self._since = 0.0  # of the present wait: for the first question, for the rest of one, for another
        self._blocked_at: float | None = None
        self._unsent = 0
        self._unsent_since: float | None = None
        self._unblocked = asyncio.Event()
        self._paused = False
        self._input_ended = False
        self._draining_since: float | None = None
        self._held = 0
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        client = endpoint_text(self._arrival.client_host, self._arrival.client_port)
        return (
            f"<TcpConnection {client} asked={self._asked} in_flight={len(self._tasks)} "
            f"queued={len(self._queued)} held={self._held}>"
        )

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)  # "paused" shall mean: something is unread
        self._context.made(self)
        self._since = _now()
        self._context.pool.active(self)
        self._settle()

    def connection_lost(self, _exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None
        self._queued.clear()
        self._queued_octets = 0
        for task in self._tasks:
            task.cancel()
        pool = self._context.pool
        pool.held -= self._held
        self._held = 0
        pool.forget(self)
        pool.leave(self._arrival.client_host)
        self._context.lost(self)

    def get_buffer(self, _sizehint: int) -> memoryview:
        return self._context.read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        if not self._input_ended:
            self._take(self._context.read_buffer[:nbytes])

    def eof_received(self) -> bool:
        """The client has asked all it wanted, and may still read: keep the way to it open."""
        if self._talk.buffered and not self._input_ended:
            self._context.pool.counters.tcp_malformed += 1
        self._input_ended = True
        self._settle()
        return True

    def pause_writing(self) -> None:
        self._blocked_at = _now()
        self._settle()

    def resume_writing(self) -> None:
        self._blocked_at = None
        self._unblocked.set()
        if not self._talk.buffered:
            self._since = _now()
        self.pump()

    # What the listener and the pool call.

    @property
    def idle(self) -> bool:
        """Nothing is owed to the client: it may be closed at any time (RFC 7766 §6.2.3)."""
        unread = self._blocked_at is not None or self._talk.unsent
        return not (self._tasks or self._queued or unread or self._talk.buffered)

    def pump(self) -> None:
        """Begin with as many queued questions as there are places."""
        places = self._context.limits.tcp_in_flight_per_connection
        while self._queued and self._blocked_at is None and len(self._tasks) < places:
            if not self._context.pool.begin(self):
                break
            query, place = self._queued.popleft()
            self._queued_octets -= len(query)
            task = self._context.spawn(self._answer(query, place), "tcp answer")
            if task is None:
                self._context.pool.end()
                break
            self._tasks.add(task)
            task.add_done_callback(self._answered)
        self._settle()

    def drain(self) -> None:
        """Close as soon as nothing is owed; a first question that is on its way is still answered."""
        if self._draining_since is None:
            self._draining_since = _now()
            self._write(self._talk.goodbye())
        self._settle()

    def replace(self) -> None:
        self._close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # The rest.

    def _take(self, data: Octets) -> None:
        talk, counters = self._talk, self._context.pool.counters
        was_between = not talk.buffered
        asked = talk.feed(data)
        self._input_ended = self._input_ended or talk.ended
        counters.tcp_malformed += talk.malformed
        most = self._context.limits.tcp_questions
        if most and self._asked + len(asked) >= most:
            asked = asked[: most - self._asked]
            self._input_ended = True
        self._asked += len(asked)
        if self._asked and (asked or (was_between and talk.buffered)):
            self._since = _now()
        for question in asked:
            self._queued.append(question)
            self._queued_octets += len(question[0])
        if asked:
            counters.tcp_received += len(asked)
            self._context.pool.active(self)
        self._write(talk.output())
        self.pump()

    def _write(self, octets: bytes) -> None:
        if octets and self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    async def _answer(self, query: bytes, place: int) -> None:
        context, counters = self._context, self._context.pool.counters
        reply = await ask(context.responder, query, self._arrival, context.limits, counters)
        if self._transport is not None and not self._transport.is_closing():
            if isinstance(reply, FirstOfMany) and isinstance(self._talk, DnsConversation):
                await self._send_all(reply, place)
                return
            if isinstance(reply, CutShort) and isinstance(self._talk, DnsConversation):
                self._write(self._talk.reply(place, reply)[: PREFIX + reply.sent])
                self._close()
                return
            # Elsewhere one question has one message for reply, and a part of a zone is none.
            reply = None if isinstance(reply, FirstOfMany) else reply
            self._write(self._talk.reply(place, reply))
            counters.tcp_sent += bool(reply)

    async def _send_all(self, reply: FirstOfMany, place: int) -> None:
        """A zone transfer: each message is made when the client has read those before it."""
        try:
            for message in chain((reply,), reply.rest):
                while self._blocked_at is not None:
                    self._unblocked.clear()
                    await self._unblocked.wait()
                if self._transport is None or self._transport.is_closing():
                    return
                self._write(self._talk.reply(place, message))
                self._context.pool.counters.tcp_sent += 1
                await asyncio.sleep(0)
        except Exception:
            self.abort()  # the client must not wait for the rest
            raise

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._context.pool.end()
        self._input_ended = self._input_ended or self._talk.ended
        if self._transport is not None:
            if not self._talk.buffered:
                self._since = _now()
            if self._talk.more:
                self._take(b"")
            else:
                self.pump()

    def _settle(self) -> None:
        """After every event: go on reading or not, close if all is done, count what is held, set the timer."""
        if self._transport is None or self._transport.is_closing():
            return
        draining = self._draining_since is not None
        finished = self._input_ended or (draining and self._asked and not self._talk.buffered)
        if finished and not (self._tasks or self._queued or self._talk.unsent):
            self._close()
            return
        self._steer_reading(self._transport)
        self._count_held(self._transport)
        self._set_timer()

    def _steer_reading(self, transport: asyncio.Transport) -> None:
        # A client that has to make room for replies says so in octets that have to be read.
        pause = (
            (bool(self._queued) and not self._talk.unsent) or self._talk.more or self._blocked_at is not None
        )
        if self._input_ended or pause == self._paused:
            return
        self._paused = pause
        if pause:
            transport.pause_reading()
        else:
            self._since = _now()
            transport.resume_reading()

    def _count_held(self, transport: asyncio.Transport) -> None:
        unsent = self._talk.unsent
        if unsent < self._unsent or not self._unsent:  # it takes some, or all
            self._unsent_since = _now() if unsent else None
        self._unsent = unsent
        held = self._talk.buffered + self._queued_octets + unsent + transport.get_write_buffer_size()
        pool = self._context.pool
        grows = held > self._held
        pool.held += held - self._held
        self._held = held
        if grows and pool.overloaded(held):
            pool.counters.tcp_overload += 1
            transport.abort()

    def _deadline(self) -> tuple[float, str]:
        """When patience ends, and the counter for that, if any. Not reading one's answers weighs most."""
        limits = self._context.limits
        blocked_at = self._blocked_at if self._blocked_at is not None else self._unsent_since
        if blocked_at is not None:
            return blocked_at + limits.tcp_write_s, "tcp_unread"
        if not self._asked and not self._talk.buffered and self._draining_since is not None:
            return self._draining_since + limits.tcp_last_question_s, ""
        if not self._asked:
            return self._since + limits.tcp_first_read_s, "tcp_slow"
        if self._talk.buffered and not self._paused and not self._input_ended:
            return self._since + limits.tcp_message_s, "tcp_slow"
        if self._tasks or self._queued:
            return math.inf, ""
        return self._since + limits.tcp_idle_s, "tcp_idle"

    def _set_timer(self) -> None:
        deadline, _ = self._deadline()
        if deadline == math.inf or (self._timer is not None and self._timer.when() <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        deadline, counter = self._deadline()
        if self._transport is None or deadline > _now():
            self._set_timer()
            return
        if counter:
            counters = self._context.pool.counters
            setattr(counters, counter, getattr(counters, counter) + 1)
        if counter == "tcp_slow" and (self._tasks or self._queued):
            self._input_ended = True  # what was asked in full is still answered
            self._settle()
        elif counter == "tcp_unread":
            self._transport.abort()
        else:
            self._close()

    def _close(self) -> None:
        """Close when all is written; the timer stays for a client that does not read it."""
        if self._transport is not None and not self._transport.is_closing():
            self._write(self._talk.goodbye())
            self._transport.close()
            if self._blocked_at is not None:
                self._set_timer()


def _now() -> float:
    return asyncio.get_running_loop().time()
