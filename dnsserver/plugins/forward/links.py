"""How questions get to one upstream: UDP and TCP, or TLS, or HTTPS."""

import asyncio
import functools
from dataclasses import dataclass, field

from dnsserver.plugins.addresses import Address
from dnsserver.plugins.forward.counting import ForwardCounters
from dnsserver.plugins.forward.settings import ForwardSettings
from dnsserver.transports.upstream.peer import Accept, Peer
from dnsserver.transports.upstream.pool import Keeping, PooledQuestions
from dnsserver.transports.upstream.stream import StreamConnection
from dnsserver.transports.upstream.tls import ALPN_HTTP2, ClientTls, client_context
from dnsserver.transports.upstream.udp import UdpQuestions


class Link:
    """One upstream's sockets. They are opened when there is something to ask."""

    def __init__(self, pool: PooledQuestions, udp: UdpQuestions | None = None) -> None:
        self._pool = pool
        self._udp = udp

    def __repr__(self) -> str:
        return f"<Link {self._udp!r} {self._pool!r}>"

    @property
    def has_udp(self) -> bool:
        return self._udp is not None

    async def ask(self, octets: bytes, accept: Accept, *, tcp: bool, read_s: float, deadline: float) -> bytes:
        """The first reply to *octets*, whose ID is replaced, that *accept* takes; *tcp*: not by UDP.

        It comes within *read_s* and before *deadline* by the event loop's clock. Raises ExchangeError.
        """
        if self._udp is None or tcp:
            return await self._pool.ask(octets, accept, read_s, deadline)
        left = max(0.0, deadline - asyncio.get_running_loop().time())
        return await self._udp.ask(octets, accept, min(read_s, left))

    def close(self) -> None:
        self._pool.close()
        if self._udp is not None:
            self._udp.close()


@dataclass(slots=True)
class Links:
    """Makes the links of one `forward`; TLS contexts are made once, as each reads the system's CAs."""

    settings: ForwardSettings
    counters: ForwardCounters
    _contexts: dict[str, ClientTls] = field(default_factory=dict)

    def to(self, address: Address) -> Link:
        settings, name = self.settings, str(address)
        peer = Peer(address.host, address.port, settings.source_address)
        pooled = functools.partial(
            PooledQuestions,
            peer,
            keeping=Keeping(
                expire_s=settings.expire_s, max_age_s=settings.max_age_s, max_idle=settings.max_idle_conns
            ),
        )
        if address.scheme == "dns":
            udp = UdpQuestions(peer, self.counters.connection(name, "udp"))
            return Link(pooled(StreamConnection, counted=self.counters.connection(name, "tcp")), udp)
        tls = self._tls(address)
        if address.scheme == "tls":
            return Link(pooled(StreamConnection, tls=tls, counted=self.counters.connection(name, "tcp-tls")))
        # Imported here: few have such upstreams, and HTTP/2 takes time and memory to import.
        from dnsserver.transports.upstream.https import HttpsConnection

        authority = name if not tls.server_name else _authority(tls.server_name, address.port)
        make = functools.partial(HttpsConnection, method=settings.doh_method, authority=authority)
        counted = self.counters.connection(name, "https")
        return Link(pooled(make, tls=tls, side_by_side=1, counted=counted))

    def _tls(self, address: Address) -> ClientTls:
        held = self._contexts.get(address.scheme)
        if held is None:
            files = self.settings.tls
            protocols = (ALPN_HTTP2,) if address.scheme == "https" else ()
            held = ClientTls(client_context(files.ca, files.cert, files.key, protocols))
            self._contexts[address.scheme] = held
        return ClientTls(held.context, self.settings.tls_servername or address.server_name)


def _authority(name: str, port: int) -> str:
    """What a request says of its server; without the port that goes without saying (RFC 9110 section 4.2.2)."""
    return name if port == 443 else f"{name}:{port}"
