"""A plain client: one question at a time over a socket of its own, and a walk along a search list."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

from dnsserver.testing.answers import CLOSED, TIMEOUT, Answer, Record, Step

#: Seconds. Of silence, after which a question counts as lost.
TIMEOUT_S = 2.0

#: Is told the protocol and local port that a question comes from, before it is sent.
Announce = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Client:
    """Asks the server at *host* and *port*, both IP text and number."""

    host: str
    port: int
    announce: Announce = lambda _protocol, _port: None
    timeout_s: float = TIMEOUT_S

    def ask(self, name: str, rtype: str, *, tcp: bool = False) -> list[Step]:
        """One question; over TCP again when the reply has TC. Raises ValueError for what is no name or type."""
        try:
            query = dns.message.make_query(name if name.endswith(".") else f"{name}.", rtype, use_edns=0)
        except (dns.exception.DNSException, UnicodeError) as error:
            raise ValueError(f"{name} {rtype}: {error or type(error).__name__}") from None
        steps = [self._step(name, rtype, query, "tcp" if tcp else "udp")]
        if steps[0].truncated and not tcp:
            steps.append(self._step(name, rtype, query, "tcp"))
        return steps

    def _step(self, name: str, rtype: str, query: dns.message.Message, protocol: str) -> Step:
        try:
            reply = self._over_tcp(query) if protocol == "tcp" else self._over_udp(query)
        except (EOFError, ConnectionError):
            return Step(name, rtype, protocol, CLOSED)
        except (dns.exception.DNSException, TimeoutError):  # what is no reply to the question counts as none
            return Step(name, rtype, protocol, TIMEOUT)
        return Step(
            name,
            rtype,
            protocol,
            dns.rcode.to_text(reply.rcode()),
            bool(reply.flags & dns.flags.TC),
            *(_records(section) for section in (reply.answer, reply.authority, reply.additional)),
        )

    def _over_udp(self, query: dns.message.Message) -> dns.message.Message:
        """As resolvers do, wait on when something comes that is no reply to the question."""
        with socket.socket(self._family, socket.SOCK_DGRAM) as sock:
            sock.bind((self.host, 0))
            sock.setblocking(False)
            self.announce("udp", sock.getsockname()[1])
            return dns.query.udp(
                query,
                self.host,
                self.timeout_s,
                self.port,
                sock=sock,
                ignore_unexpected=True,
                ignore_errors=True,
            )

    def _over_tcp(self, query: dns.message.Message) -> dns.message.Message:
        with socket.socket(self._family, socket.SOCK_STREAM) as sock:
            sock.bind((self.host, 0))
            self.announce("tcp", sock.getsockname()[1])
            sock.settimeout(self.timeout_s)
            sock.connect((self.host, self.port))
            sock.setblocking(False)
            return dns.query.tcp(query, self.host, self.timeout_s, sock=sock)

    @property
    def _family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET


def walked(client: Client, name: str, rtype: str, tried: Sequence[str], *, tcp: bool, who: str) -> Answer:
    """The answer of a resolver that tries these names for *name*: that of the first name that has records; when none
    has, of the first that exists; then of the last. RCODEs other than NXDOMAIN, and silence, end the walk."""
    steps: list[Step] = []
    exists: int | None = None
    for candidate in tried:
        steps += client.ask(candidate, rtype, tcp=tcp)
        if steps[-1].rcode not in ("NOERROR", "NXDOMAIN") or steps[-1].answer:
            return Answer(name, rtype, tuple(steps), who)
        if steps[-1].rcode == "NOERROR" and exists is None:
            exists = len(steps) - 1
    return Answer(name, rtype, tuple(steps), who, -1 if exists is None else exists)


def _records(section: Sequence[dns.rrset.RRset]) -> tuple[Record, ...]:
    return tuple(
        Record(rrset.name.to_text(), rrset.ttl, dns.rdatatype.to_text(rrset.rdtype), data.to_text())
        for rrset in section
        for data in rrset
    )
