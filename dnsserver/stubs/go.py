"""Go's own resolver (netgo, CGO_ENABLED=0, or GODEBUG=netdns=go), as `net.Resolver.LookupIP` uses it.

Source: `net/dnsclient_unix.go` and `net/dnsconfig_unix.go` of Go 1.26, and what 1.21 does. A and AAAA are asked by
goroutines of their own, each from sockets of its own: which is first on the wire is left to the scheduler. `options
single-request` asks one after the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from dnsserver.stubs.hosts import Hosts
from dnsserver.stubs.machine import (
    Broken,
    Channel,
    Close,
    Expired,
    Reply,
    Send,
    Stub,
    Transport,
    together,
    wait,
)
from dnsserver.stubs.outcome import Lookup, Outcome
from dnsserver.stubs.queries import Answer, Query, queries
from dnsserver.stubs.resolvconf import ResolvConf
from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Rcode, Type
from dnsserver.wire.errors import NameTextError
from dnsserver.wire.limits import LABEL_MAX

#: Octets that OPT offers (dnsclient_unix.go, maxDNSPacketSize).
EDNS_PAYLOAD = 1232
#: Characters of a name with its final dot (dnsclient.go, isDomainName).
NAME_MAX = 254

NO_SUCH_HOST, UNSUITABLE = "no such host", "no suitable address found"
_MISBEHAVING = "server misbehaving"
_LAME = "lame referral"
_UNREADABLE = "cannot unmarshal DNS message"


@dataclass(frozen=True, slots=True)
class _Tried:
    """What one name and type gave: an answer, or the error of its last try and the server that it came from."""

    rtype: Type
    now: float
    answer: Answer | None = None
    error: str = ""
    server: str = ""


@dataclass(slots=True)
class _Sockets:
    opened: int = 0

    def channel(self, transport: Transport) -> Channel:
        self.opened += 1
        return Channel(transport, self.opened)


def lookup_ip(lookup: Lookup, conf: ResolvConf, hosts: Hosts, idents: Iterator[int]) -> Stub[Outcome]:
    """LookupIP with a context that has no deadline."""
    literal = hosts.literal(lookup)
    if literal is not None:
        return literal if literal.addresses else Outcome(error=UNSUITABLE, text=_unsuitable(lookup))
    stated = Lookup(_in_hosts(lookup.name), lookup.family)
    if hosts.all(stated.name):
        fitting = hosts.find(stated)
        return Outcome(fitting) if fitting else Outcome(error=UNSUITABLE, text=_unsuitable(lookup))
    if not is_domain_name(lookup.name):
        return _failed(lookup, NO_SUCH_HOST, "")
    return (yield from _Search(lookup, conf, idents).run())


def _in_hosts(name: str) -> str:
    """As it stands in the hosts file: the final dot of a single label makes it another name (absDomainName)."""
    return name.removesuffix(".") if "." in name[:-1] else name


def _unsuitable(lookup: Lookup) -> str:
    return f"address {lookup.name}: {UNSUITABLE}"


def _failed(lookup: Lookup, error: str, server: str) -> Outcome:
    """DNSError.Error()."""
    where = f" on {_joined(server)}" if server else ""
    return Outcome(error=error, text=f"lookup {lookup.name}{where}: {error}")


def _joined(server: str) -> str:
    return f"[{server}]:53" if ":" in server else f"{server}:53"


def is_domain_name(name: str) -> bool:
    """Whether Go asks for it at all: letters, digits, '_', '-', with a letter, '_' or '-' somewhere."""
    if name == ".":
        return True
    bare = name.removesuffix(".")
    if not bare or len(bare) >= NAME_MAX:
        return False
    labels = bare.split(".")
    plain = all(char.isascii() and (char.isalnum() or char in "-_") for label in labels for char in label)
    shaped = all(0 < len(label) <= LABEL_MAX and label[0] != "-" and label[-1] != "-" for label in labels)
    return plain and shaped and not bare.replace(".", "").isdigit()


def name_list(name: str, conf: ResolvConf) -> list[str]:
    """The names that are tried, in order, with their final dots; names under .onion never are (RFC 7686)."""
    return [item for item in conf.names(name) if not item.lower().endswith(".onion.")]


@dataclass(slots=True)
class _Search:
    """goLookupIPCNAMEOrder."""

    lookup: Lookup
    conf: ResolvConf
    idents: Iterator[int]
    _sockets: _Sockets = field(default_factory=_Sockets)
    _rotated: int = 0
    _now: float = 0.0

    def run(self) -> Stub[Outcome]:
        last: _Tried | None = None
        for name in name_list(self.lookup.name, self.conf):
            tried = yield from self._both(name)
            found: list[str] = []
            canonical = ""
            for item in tried:
                if item.answer is not None:
                    found += item.answer.addresses(Type.A) + item.answer.addresses(Type.AAAA)
                    canonical = canonical or item.answer.canonical or name.rstrip(".")
                elif last is None or name == f"{self.lookup.name}.":
                    last = item
            if found:
                return Outcome(tuple(found), canonical=canonical)
        if last is None:
            return _failed(self.lookup, NO_SUCH_HOST, "")
        return _failed(self.lookup, last.error, last.server)

    def _both(self, name: str) -> Stub[list[_Tried]]:
        """All types of one name; what was tried, in the order in which it ended."""
        types = self.lookup.family.types
        if "single-request" not in self.conf:
            tried = yield from together([self._try_name(name, rtype, self._now) for rtype in types])
        else:
            tried = []
            for rtype in types:
                tried.append(
                    (yield from self._try_name(name, rtype, max(self._now, *(t.now for t in tried), 0)))
                )
        self._now = max(item.now for item in tried)
        return tried

    def _try_name(self, text: str, rtype: Type, now: float) -> Stub[_Tried]:
        """tryOneName: every server, `attempts` times, until one knows whether the name is there."""
        servers = self.conf.servers
        offset = self._rotated if "rotate" in self.conf else 0
        self._rotated += 1
        tried = _Tried(rtype, now)
        try:
            name = names.from_text(text)
        except NameTextError:
            return _Tried(rtype, now, error="cannot marshal DNS message")
        for _ in range(self.conf.attempts):
            for shift in range(len(servers)):
                server = servers[(offset + shift) % len(servers)]
                (query,) = queries(
                    name, (rtype,), self.idents, authentic="trust-ad" in self.conf, payload=EDNS_PAYLOAD
                )
                tried = yield from self._exchange(server, query, rtype, tried.now)
                if tried.answer is not None or tried.error == NO_SUCH_HOST:
                    return tried
        return tried

    def _exchange(self, server: str, query: Query, rtype: Type, now: float) -> Stub[_Tried]:
        """exchange, checkHeader and skipToAnswer: UDP, then TCP if the answer was cut, each with its own time-out."""
        transports: tuple[Transport, ...] = ("tcp",) if "use-vc" in self.conf else ("udp", "tcp")
        for transport in transports:
            channel = self._sockets.channel(transport)
            yield Send(channel, server, query.encode())
            answer, error, now = yield from self._round_trip(channel, query, now)
            yield Close(channel)
            if answer is None:
                return _Tried(rtype, now, error=_told(transport, server, error), server=server)
            if transport == "tcp" or not answer.has(Flag.TC):
                error = _checked(answer, rtype)
                return _Tried(rtype, now, None if error else answer, error, server)
        raise AssertionError("TCP ends the exchange")

    def _round_trip(
        self, channel: Channel, query: Query, now: float
    ) -> Stub[tuple[Answer | None, str, float]]:
        """The answer, or an error. By UDP what does not fit the query is passed over; by TCP it is an error."""
        until = now + self.conf.timeout
        while True:
            event = yield from wait(until)
            if isinstance(event, Expired):
                return None, "i/o timeout", event.at
            if isinstance(event, Broken):
                return None, "connection refused" if event.refused else "EOF", event.at
            if isinstance(event, Reply):
                answer = Answer.read(event.octets)
                fits = answer is not None and answer.header.id == query.ident and answer.asks(query.question)
                if fits:
                    return answer, "", event.at
                if channel.transport == "tcp":
                    return None, "invalid DNS response", event.at


def _told(transport: Transport, server: str, error: str) -> str:
    """An error of the socket as Go writes it; the client's address stands for one that is not known here."""
    where = _joined(server)
    match error:
        case "i/o timeout":
            return f"read {transport} CLIENT->{where}: {error}"
        case "connection refused":
            word = "read" if transport == "udp" else "dial"
            client = "CLIENT->" if transport == "udp" else ""
            return f"{word} {transport} {client}{where}: {word if word == 'read' else 'connect'}: {error}"
        case _:
            return error


def _checked(answer: Answer, rtype: Type) -> str:
    """Why *answer* is no answer, "" when it is one. An extended RCODE counts here, unlike with C libraries."""
    message = answer.message
    if message is None:
        return _UNREADABLE
    if message.rcode == Rcode.NXDOMAIN:
        return NO_SUCH_HOST
    if message.rcode == Rcode.NOERROR and answer.lame:
        return _LAME
    if message.rcode != Rcode.NOERROR:
        return _MISBEHAVING
    return "" if any(record.rtype == rtype for record in message.answer) else NO_SUCH_HOST
