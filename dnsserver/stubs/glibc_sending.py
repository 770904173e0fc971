"""glibc's `res_send.c`: one or two queries to the servers in turn, by UDP and TCP, until there is an answer.

As in glibc 2.31 to 2.42. Between them two things changed that packets show, both with 2.41 and in the maintained
branches of earlier ones (Debian 12 has them in its 2.36): an error in reply to the first of two queries that are sent
one after the other ends the try (bug 30081; before, the second answer was waited for, though its query had not been
sent), and an error of 12 octets without question is taken (bug 31890).
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from dnsserver.stubs.machine import Broken, Channel, Close, Event, Expired, Reply, Send, Stub, Transport, wait
from dnsserver.stubs.queries import Answer, Query
from dnsserver.stubs.resolvconf import ResolvConf
from dnsserver.wire.codes import Flag, Rcode
from dnsserver.wire.limits import HEADER_SIZE

#: What makes glibc turn to the next server.
_TROUBLES = (Rcode.SERVFAIL, Rcode.NOTIMP, Rcode.REFUSED)


class Errno(Enum):
    """errno after `res_send`, as far as its callers look at it."""

    NONE = auto()
    REFUSED = auto()
    TIMED_OUT = auto()


@dataclass(slots=True)
class ThreadState:
    """What a thread's resolver keeps from one query to the next (`struct __res_state`)."""

    one_at_a_time: bool = False
    """RES_SNGLKUP: the second query is sent when the first is answered. Set by an answer that did not come."""
    new_sockets: bool = False
    """RES_SNGLKUPREOP: and from another socket."""
    opened: int = 0
    """Sockets so far."""

    def channel(self, transport: Transport) -> Channel:
        self.opened += 1
        return Channel(transport, self.opened)


@dataclass(slots=True)
class Sent:
    """What `res_send` leaves behind: the answer buffers in the order in which they were filled, and errno."""

    first: Answer | None = None
    second: Answer | None = None
    rcode: int = Rcode.NOERROR
    """Of what was last written into the first buffer, even of a reply that was not taken."""
    errno: Errno = Errno.NONE
    now: float = 0.0

    @property
    def answered(self) -> bool:
        return self.first is not None or self.second is not None


class _End(Enum):
    """How a try ends: with answers, for the next server, once more, by TCP."""

    DONE = auto()
    NEXT = auto()
    AGAIN = auto()
    TRUNCATED = auto()


@dataclass(slots=True)
class _Try:
    """One exchange by UDP: which answers have come, or are not waited for."""

    until: float
    received: list[bool]
    written: int = 0


@dataclass(slots=True)
class Sending:
    """`__res_context_send` for *queries*, one or two."""

    conf: ResolvConf
    state: ThreadState
    queries: tuple[Query, ...]
    now: float
    recent: bool
    """With both changes."""
    sent: Sent = field(default_factory=Sent)
    _sockets: dict[str, Channel] = field(default_factory=dict)
    _heard: bool = False
    _by_stream: bool = False

    def run(self, offset: int) -> Stub[Sent]:
        """Ask the servers, beginning with that at *offset*."""
        servers = self.conf.servers
        self._by_stream = "use-vc" in self.conf
        tries = self.conf.attempts
        done = False
        while tries > 0 and not done:
            tries -= 1
            for shift in range(len(servers)):
                place = (offset + shift) % len(servers)
                if not self._by_stream:
                    done = yield from self._by_datagrams(place)
                if self._by_stream:
                    tries = 0
                    done = yield from self._by_tcp(servers[place])
                if done:
                    break
        yield from self._close()
        if not done and not self._by_stream:
            self.sent.errno = Errno.TIMED_OUT if self._heard else Errno.REFUSED
        self.sent.now = self.now
        return self.sent

    # UDP (send_dg).

    def _by_datagrams(self, place: int) -> Stub[bool]:
        """Whether there is an answer; `_by_stream` is set when there is one that did not fit."""
        seconds = self.conf.timeout << place
        if place > 0:
            seconds //= len(self.conf.servers)
        end = _End.AGAIN
        while end is _End.AGAIN:
            end = yield from self._exchange(self.conf.servers[place], max(seconds, 1))
        if end is _End.TRUNCATED:
            self._by_stream = True
        if end is not _End.DONE:
            self.sent.second = None
        if end in (_End.NEXT, _End.TRUNCATED):
            self.sent.first = None
        return end is _End.DONE and self.sent.answered

    def _exchange(self, server: str, seconds: int) -> Stub[_End]:
        attempt = _Try(self.now + seconds, [False, len(self.queries) == 1])
        yield from self._write(server, attempt)
        if len(self.queries) == 2 and not self._single:
            yield from self._write(server, attempt)
        while True:
            event = yield from wait(attempt.until)
            self.now = event.at
            if isinstance(event, Broken):
                yield from self._close()
                return _End.NEXT
            if isinstance(event, Expired):
                return (yield from self._expired(attempt))
            end = yield from self._taken(event, attempt, server)
            if end is not None:
                return end

    @property
    def _single(self) -> bool:
        flags = self.conf.flags
        return self.state.one_at_a_time or "single-request" in flags or self._reopening

    @property
    def _reopening(self) -> bool:
        return self.state.new_sockets or "single-request-reopen" in self.conf

    def _write(self, server: str, attempt: _Try) -> Stub[None]:
        channel = self._sockets.get(server)
        if channel is None:
            channel = self._sockets[server] = self.state.channel("udp")
        yield Send(channel, server, self.queries[attempt.written].encode())
        attempt.written += 1

    def _expired(self, attempt: _Try) -> Stub[_End]:
        """After one of two answers: once more, one query at a time; then from new sockets; then that answer must do."""
        pair = len(self.queries) == 2
        one_came = self.sent.first is not None and (attempt.received[0] or (pair and attempt.received[1]))
        if not one_came:
            self._heard = True
            return _End.NEXT
        if not self._single:
            self.state.one_at_a_time = True
            return _End.AGAIN
        if not self._reopening:
            self.state.new_sockets = True
            yield from self._close()
            return _End.AGAIN
        self.sent.second = None
        return _End.DONE

    def _taken(self, event: Event, attempt: _Try, server: str) -> Stub[_End | None]:
        """What a datagram leads to; None: wait on."""
        answer = Answer.read(event.octets) if isinstance(event, Reply) else None
        received = attempt.received
        pair = len(self.queries) == 2
        into_first = not pair or not any(received)
        self._heard = True
        if answer is None:
            yield from self._close()
            return _End.NEXT
        if into_first:
            self.sent.rcode = answer.rcode
        which = self._which(answer, received)
        if which is None:
            return None
        if answer.rcode in _TROUBLES or answer.lame:
            return (yield from self._troubled(which, attempt))
        if answer.has(Flag.TC):
            yield from self._close()
            return _End.TRUNCATED
        if into_first:
            self.sent.first = answer
        else:
            self.sent.second = answer
        received[which] = True
        if all(received):
            return _End.DONE
        if self._single and attempt.written == 1:
            if self._reopening:
                yield from self._close()
            yield from self._write(server, attempt)
        return None

    def _which(self, answer: Answer, received: list[bool]) -> int | None:
        """The query that *answer* answers; the last that fits."""
        short = (
            self.recent
            and len(answer.octets) == HEADER_SIZE
            and not answer.header.questions
            and answer.rcode in _TROUBLES
        )
        found = None
        for place, query in enumerate(self.queries):
            if not received[place] and answer.header.id == query.ident:
                found = place if short or answer.asks(query.question) else found
        return found

    def _troubled(self, which: int, attempt: _Try) -> Stub[_End | None]:
        pair = len(self.queries) == 2
        received = attempt.received
        if "strict-error" not in self.conf:
            if received[0] or (pair and received[1]):
                self.sent.second = None
                return _End.DONE if self.sent.first else _End.NEXT
            if pair and not (self.recent and self._single):
                self.sent.first = None
                received[which] = True
                return None
        yield from self._close()
        return _End.NEXT

    # TCP (send_vc).

    def _by_tcp(self, server: str) -> Stub[bool]:
        """Whether there is an answer. There is no time-out."""
        self.sent.first = self.sent.second = None
        for again in (True, False):
            channel = self.state.channel("tcp")
            for query in self.queries:
                yield Send(channel, server, query.encode())
            broken = yield from self._read(channel)
            yield Close(channel)
            if broken is None:
                self.sent.errno = Errno.NONE
                return True
            self.sent.first = self.sent.second = None
            self.sent.errno = Errno.REFUSED if broken.refused else Errno.NONE
            if not (again and broken.reset):
                break
        return False

    def _read(self, channel: Channel) -> Stub[Broken | None]:
        """Read until all queries are answered, whatever the RCODEs."""
        waiting = [query.ident for query in self.queries]
        while waiting:
            event = yield from wait(None)
            self.now = event.at
            if isinstance(event, Broken):
                return event
            answer = Answer.read(event.octets) if isinstance(event, Reply) else None
            if answer is None:
                return Broken(self.now, channel, refused=False)
            if self.sent.first is None or len(waiting) == len(self.queries):
                self.sent.first, self.sent.rcode = answer, answer.rcode
            else:
                self.sent.second = answer
            if answer.header.id in waiting:
                waiting.remove(answer.header.id)
        return None

    def _close(self) -> Stub[None]:
        for channel in self._sockets.values():
            yield Close(channel)
        self._sockets.clear()
