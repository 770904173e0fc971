"""What `forward` is told in the Corefile."""

from dataclasses import dataclass, replace
from pathlib import Path

from dnsserver.config import Line, Occurrence, Property
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.forward.addresses import Address, addresses_of
from dnsserver.wire import names
from dnsserver.wire.errors import NameTextError

_log = plugin_logger("forward")

#: Seconds. What a client's question may take in all: stub resolvers give up after 5 s (resolv.conf(5), `timeout`).
TOTAL_S = 5.0
#: Seconds. One exchange with one upstream; CoreDNS's read time-out.
ATTEMPT_S = 2.0
#: Seconds. One health check; CoreDNS's.
PROBE_S = 1.0
#: `max_fails` has 32 bits in CoreDNS.
FAILS_MAX = (1 << 32) - 1

POLICIES = ("random", "round_robin", "sequential")

#: Options of CoreDNS 1.14.7 that we do not have yet.
NOT_YET = frozenset(
    "expire max_age max_idle_conns max_connect_attempts read_timeout tls tls_servername next next_on_nodata failover"
    " failfast_all_unhealthy_upstreams doh_method source_address resolver".split()
)


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
class ForwardSettings:
    """One `forward`: which names, to whom, and how."""

    zone: bytes
    """Names at and below it are forwarded; lower case."""
    upstreams: tuple[Address, ...]
    excepted: tuple[bytes, ...] = ()
    """Names at and below these are not, but for `zone` itself; lower case."""
    force_tcp: bool = False
    """Ask by TCP whatever the client came by."""
    prefer_udp: bool = False
    """Ask by UDP whatever the client came by, and by TCP again when the reply is truncated."""
    policy: str = "random"
    """Which upstream is asked first: one of POLICIES."""
    max_concurrent: int = 0
    """Questions in flight; one more is refused. 0: no limit."""
    max_fails: int = 2
    """An upstream that fails more health checks in a row is passed over. 0: never, and there are no checks."""
    probe: Probe = Probe()
    total_s: float = TOTAL_S
    attempt_s: float = ATTEMPT_S
    probe_s: float = PROBE_S

    @classmethod
    def from_occurrence(cls, occurrence: Occurrence, directory: Path) -> "ForwardSettings":
        """Files among the upstreams are read now, relative to *directory*."""
        origin, *tos = occurrence.at_least(2)
        zones = occurrence.zones((), (origin,))
        if len(zones) > 1:
            _log.warning(
                "Unsupported CIDR notation: '%s' expands to multiple zones. Using only '%s'.",
                origin,
                zones[0],
            )
        settings = cls(zone=_name(occurrence, zones[0]), upstreams=())
        for line in occurrence.properties:
            settings = _with_option(settings, line)
        return replace(settings, upstreams=addresses_of(occurrence, tos, directory))


def _with_option(settings: ForwardSettings, line: Property) -> ForwardSettings:
    match line.text:
        case "except":
            line.at_least(1)
            more = tuple(_name(line, zone) for zone in line.zones(()))
            return replace(settings, excepted=settings.excepted + more)
        case "force_tcp":
            line.no_arguments()
            return replace(settings, force_tcp=True)
        case "prefer_udp":
            line.no_arguments()
            return replace(settings, prefer_udp=True)
        case "policy":
            return replace(settings, policy=_policy(line))
        case "max_concurrent":
            return replace(settings, max_concurrent=_max_concurrent(line))
        case "max_fails":
            fails = line.integer(line.one(), 0, FAILS_MAX, function="strconv.ParseUint")
            return replace(settings, max_fails=fails)
        case "health_check":
            return replace(settings, probe=_probe(line))
        case name if name in NOT_YET:
            raise line.bare_error(f"option {name} is not supported yet", line.name)
        case _:
            raise line.unknown()


def _name(line: Line, text: str) -> bytes:
    try:
        return names.from_text(text).lower()
    except (NameTextError, UnicodeEncodeError):
        raise line.bare_error(f"unable to normalize '{text}'") from None


def _policy(line: Property) -> str:
    token = line.one()
    if token.text not in POLICIES:
        raise line.error(f"unknown policy '{token.text}'", token)
    return token.text


def _max_concurrent(line: Property) -> int:
    token = line.one()
    count = line.integer(token)
    if count < 0:
        raise line.bare_error(f"max_concurrent can't be negative: {count}", token)
    return count


def _probe(line: Property) -> Probe:
    interval, *options = line.at_least(1)
    interval_s = line.duration(interval)
    if interval_s < 0:
        raise line.bare_error(f"health_check can't be negative: {round(interval_s * 1e9)}", interval)
    probe = Probe(interval_s=interval_s)
    rest = iter(options)
    for token in rest:
        match token.text:
            case "no_rec":
                probe = replace(probe, recursion=False)
            case "domain":
                name = next(rest, None)
                if name is None:
                    raise line.argument_error(token)
                probe = replace(probe, domain=_domain(line, name.text))
            case _:
                raise line.bare_error(f"health_check: unknown option {token.text}", token)
    return probe


def _domain(line: Property, text: str) -> bytes:
    try:
        if text:
            return names.from_text(text).lower()
    except (NameTextError, UnicodeEncodeError):
        pass
    raise line.bare_error(f"health_check: invalid domain name {text}")
