"""What `forward` is told in the Corefile, as values; `options.py` reads them."""

from dataclasses import dataclass

from dnsserver.plugins.addresses import Address
from dnsserver.plugins.forward.addresses import To
from dnsserver.wire import names

#: Seconds. What a client's question may take in all: stub resolvers give up after 5 s (resolv.conf(5), `timeout`), and
#: are to hear before that also from a server that is busy, whose timers are late.
TOTAL_S = 4.5
#: Seconds. Waiting for a reply of one upstream; CoreDNS's read time-out.
READ_S = 2.0
#: Seconds. One health check; CoreDNS's.
PROBE_S = 1.0
#: Failed exchanges per question and upstream; CoreDNS's, so that all are asked twice before the answer is SERVFAIL.
ROUNDS = 2

POLICIES = ("random", "round_robin", "sequential")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How a failed upstream is looked after until it answers again."""

    interval_s: float = 0.5
    """Seconds between two health checks."""
    recursion: bool = True
    """The RD bit of the check."""
    domain: bytes = names.ROOT
    """The name whose NS records the check asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files for TLS; "" for none: the system's CAs, no certificate of ours."""

    ca: str = ""
    cert: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardSettings:
    """One `forward`: which names, to whom, and how. Times in seconds."""

    zone: bytes
    """Names at and below it are forwarded; lower case."""
    upstreams: tuple[To, ...]
    excepted: tuple[bytes, ...] = ()
    """Names at and below these are not, but for `zone` itself; lower case."""
    force_tcp: bool = False
    """Ask by TCP whatever the client came by."""
    prefer_udp: bool = False
    """Ask by UDP whatever the client came by, and by TCP again when the reply is truncated."""
    randomize_case: bool = False
    """Ask over UDP in random upper and lower case, and take only replies that repeat it."""
    policy: str = "random"
    """Which upstream is asked first: one of POLICIES."""
    max_concurrent: int = 0
    """Questions in flight; one more is refused. 0: no limit."""
    max_fails: int = 2
    """An upstream that fails more health checks in a row is passed over. 0: never, and there are no checks."""
    max_connect_attempts: int | None = None
    """Failed exchanges per question. 0: as many as there is time for; None: ROUNDS with each upstream."""
    failfast: bool = False
    """When all upstreams are down, none is asked."""
    failover: frozenset[int] = frozenset()
    """RCODEs on which the next upstream is asked."""
    next_rcodes: frozenset[int] = frozenset()
    """RCODEs on which the next `forward` of the block is asked."""
    next_on_nodata: bool = False
    """The same for NOERROR without answers."""
    probe: Probe = Probe()
    expire_s: float = 10.0
    """Without a question, until a connection is closed."""
    max_age_s: float = 0.0
    """The whole life of a connection. 0: no limit."""
    max_idle_conns: int = 0
    """Connections without a question, per upstream. 0: no limit."""
    tls: TlsFiles = TlsFiles()
    tls_servername: str = ""
    """The name that upstreams' certificates must have; "" for their addresses."""
    doh_method: str = "POST"
    source_address: str = ""
    """The address that upstreams are asked from; "" for any."""
    resolvers: tuple[Address, ...] = ()
    """Who is asked for host names of upstreams; nobody: the host's resolver."""
    total_s: float = TOTAL_S
    read_s: float = READ_S
    probe_s: float = PROBE_S

    def takes(self, name: bytes) -> bool:
        """Whether the name, in lower case, is to be forwarded."""
        if name == self.zone:
            return True
        return names.is_below(name, self.zone) and not any(
            names.is_below(name, excepted) for excepted in self.excepted
        )
