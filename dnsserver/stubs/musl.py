"""musl's getaddrinfo(3): one socket, all queries to all servers at once, and a search that few answers let go on.

Sources: `src/network/lookup_name.c`, `res_msend.c`, `res_mkquery.c` of musl 1.2.5 (Alpine 3.20 and later; 1.2.4 differs
in buffer sizes alone) and of 1.2.3 (Alpine 3.17 and earlier, Debian 12), which knows no TCP and ends a search with
EAI_NONAME for NODATA. Times are whole milliseconds there and here; where the timeout is no multiple of `attempts`, musl
may or may not send once more in the last moment (the wake-ups are late by a hair), and here it does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from dnsserver.stubs.hosts import Hosts
from dnsserver.stubs.machine import Broken, Channel, Close, Reply, Send, Stub, wait
from dnsserver.stubs.outcome import Lookup, Outcome
from dnsserver.stubs.queries import Answer, Query, queries
from dnsserver.stubs.resolvconf import ResolvConf
from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Rcode
from dnsserver.wire.errors import NameTextError

#: Characters of a name, with its final dot (lookup_name.c, `__lookup_name`).
NAME_MAX = 254
#: Characters of a name with a search domain and the end of the string (lookup_name.c, `canon`).
SEARCHED_MAX = 256
#: Addresses that are kept (lookup.h, MAXADDRS).
ADDRESSES_MAX = 48
#: Octets of an answer that are read: 512 until 1.2.3, 4800 since 1.2.5 (lookup_name.c, ABUF_SIZE).
ANSWER_MAX = 4800
#: Immediate retries after SERVFAIL for each query and each round (res_msend.c, `servfail_retry`).
SERVFAIL_RETRIES = 2

_TEXTS = {
    "EAI_NONAME": "Name does not resolve",
    "EAI_NODATA": "Name has no usable address",
    "EAI_AGAIN": "Try again",
    "EAI_FAIL": "Non-recoverable error",
}


def getaddrinfo(
    lookup: Lookup, conf: ResolvConf, hosts: Hosts, idents: Iterator[int], *, recent: bool = True
) -> Stub[Outcome]:
    """*recent*: 1.2.4 or later."""
    no_data = "EAI_NODATA" if recent else "EAI_NONAME"
    if not 0 < len(lookup.name) <= NAME_MAX:
        return _failed("EAI_NONAME")
    literal = hosts.literal(lookup)
    if literal is not None:
        return literal if literal.addresses else _failed(no_data)
    stated = hosts.find(lookup)
    if stated:
        return Outcome(stated)
    if hosts.all(lookup.name):
        return _failed(no_data)
    if conf.attempts == 0:
        # res_msend.c divides the timeout by it.
        return Outcome(error="SIGFPE", text="Floating point exception (attempts:0)")
    return (yield from _Search(lookup, conf, idents, recent).run())


def _failed(error: str) -> Outcome:
    return Outcome(error=error, text=_TEXTS[error])


@dataclass(slots=True)
class _Search:
    lookup: Lookup
    conf: ResolvConf
    idents: Iterator[int]
    recent: bool
    _now: float = 0.0
    _sockets: int = 0

    def run(self) -> Stub[Outcome]:
        """name_from_dns_search. With ndots dots the search list is not used at all."""
        name = self.lookup.name
        bare = name.removesuffix(".")
        if not bare or bare.endswith("."):
            return _failed("EAI_NONAME")
        absolute = name.count(".") >= self.conf.ndots or name != bare
        for domain in () if absolute else self.conf.search:
            if len(bare) + 1 + len(domain) < SEARCHED_MAX:
                outcome = yield from self._query(f"{bare}.{domain}")
                if outcome is not None:
                    return outcome
        outcome = yield from self._query(bare)
        return outcome or _failed("EAI_NONAME")

    def _query(self, text: str) -> Stub[Outcome | None]:
        """name_from_dns; None lets the search go on."""
        if text.endswith("..") and not self.recent:
            return (yield from self._malformed())
        try:
            name = names.from_text(text)
        except NameTextError:
            return None if self.recent else _failed("EAI_NONAME")
        asked = queries(name, self.lookup.family.types, self.idents, authentic=False, payload=None)
        self._sockets += 1
        exchange = _Exchange(
            self.conf, asked, self.recent, self._now, Channel("udp", self._sockets, connected=False)
        )
        answers = yield from exchange.run()
        self._now = exchange.now
        self._sockets += len(exchange.streams)
        for answer in answers:
            if answer is None or answer.rcode == Rcode.SERVFAIL:
                return _failed("EAI_AGAIN")
            if answer.rcode == Rcode.NXDOMAIN:
                return None
            if answer.rcode != Rcode.NOERROR:
                return _failed("EAI_FAIL")
        return self._found([answer for answer in answers if answer], text)

    def _malformed(self) -> Stub[Outcome]:
        """With the root as search domain 1.2.3 sends what no server can read, and waits. Here nothing is sent."""
        if self.conf.timeout:
            self._now = (yield from wait(self._now + self.conf.timeout)).at
        return _failed("EAI_AGAIN")

    def _found(self, answers: list[Answer], text: str) -> Outcome:
        """1.2.4 and later read the answers last query first, and of each only what was asked for."""
        found: list[str] = []
        types = self.lookup.family.types
        pairs = list(zip(answers, types, strict=True))
        for answer, rtype in reversed(pairs) if self.recent else pairs:
            found += answer.addresses(rtype)
        if not found:
            return _failed("EAI_NODATA" if self.recent else "EAI_NONAME")
        canonical = next((answer.canonical for answer in answers if answer.canonical), text)
        return Outcome(tuple(found[:ADDRESSES_MAX]), canonical=canonical)


@dataclass(slots=True)
class _Exchange:
    """`__res_msend_rc`: an answer for each query, None where none came in time."""

    conf: ResolvConf
    asked: tuple[Query, ...]
    recent: bool
    now: float
    socket: Channel
    answers: list[Answer | None] = field(default_factory=list)
    streams: dict[Channel, int] = field(default_factory=dict)
    """Sockets of queries that are asked again by TCP."""
    _retries: int = 0

    def run(self) -> Stub[list[Answer | None]]:
        self.answers = [None] * len(self.asked)
        begun = _milliseconds(self.now)
        timeout = 1000 * self.conf.timeout
        interval = timeout // self.conf.attempts
        last = begun - interval
        while _milliseconds(self.now) - begun < timeout and None in self.answers:
            if _milliseconds(self.now) - last >= interval:
                yield from self._send_all()
                last = _milliseconds(self.now)
            event = yield from wait((last + interval) / 1000)
            self.now = event.at
            if isinstance(event, Broken):
                break
            if isinstance(event, Reply) and not (yield from self._take(event)):
                break
        yield Close(self.socket)
        for channel in self.streams:
            yield Close(channel)
        return self.answers

    def _send_all(self) -> Stub[None]:
        """Whatever is not answered, to every server."""
        for place, query in enumerate(self.asked):
            if self.answers[place] is None and place not in self.streams.values():
                for server in self.conf.servers:
                    yield Send(self.socket, server, query.encode())
        self._retries = SERVFAIL_RETRIES * len(self.asked)

    def _take(self, reply: Reply) -> Stub[bool]:
        """False ends the exchange with what there is."""
        if reply.channel in self.streams:
            return self._take_from_stream(reply)
        answer = Answer.read(reply.octets)
        place = self._place(answer)
        if answer is None or place is None:
            return True
        if answer.rcode == Rcode.SERVFAIL and self._retries:
            self._retries -= 1
            yield Send(self.socket, reply.server, self.asked[place].encode())
        if answer.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
            return True
        cut = answer.has(Flag.TC) or len(answer.octets) > ANSWER_MAX
        if self.recent and cut:
            channel = Channel("tcp", self.socket.number + 1 + len(self.streams))
            self.streams[channel] = place
            yield Send(channel, reply.server, self.asked[place].encode())
        else:
            self.answers[place] = answer
        return True

    def _place(self, answer: Answer | None) -> int | None:
        """The query with that ID, unless it has its answer; the question is not looked at."""
        for place, query in enumerate(self.asked):
            if answer is not None and query.ident == answer.header.id:
                free = self.answers[place] is None and place not in self.streams.values()
                return place if free else None
        return None

    def _take_from_stream(self, reply: Reply) -> bool:
        """An error by TCP ends all, whatever else is on its way."""
        answer = Answer.read(reply.octets)
        if answer is None or answer.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
            return False
        self.answers[self.streams[reply.channel]] = answer
        return True


def _milliseconds(seconds: float) -> int:
    """As mtime() cuts them off; what is a hair below a whole one is that one."""
    return int(seconds * 1000 + 1e-6)
