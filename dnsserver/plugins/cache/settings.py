"""What `cache` is told in the Corefile (coredns-compat.md, section 3.5)."""

from dataclasses import dataclass, replace

from dnsserver.config import Directive, Line, Occurrence, Property, Token, gotext
from dnsserver.config.zones import fully_qualified, is_domain_name
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.cache.stale_settings import NEVER_STALE, Stale, stale_of
from dnsserver.wire import names
from dnsserver.wire.codes import Type
from dnsserver.wire.errors import NameTextError
from dnsserver.wire.question import Question

_log = plugin_logger("cache")

#: Seconds. The longest and the shortest that a reply is kept; CoreDNS's.
CEILING_S, DENIAL_CEILING_S, FLOOR_S = 3600, 1800, 5
#: Replies that each half keeps, before it is rounded; CoreDNS's.
CAPACITY = 10_000
#: CoreDNS spreads the replies over so many shards of equal size, none smaller than SHARD_MIN.
SHARDS, SHARD_MIN = 256, 4
#: Seconds. A failure is never kept for longer (RFC 9520 section 3.2).
SERVFAIL_MAX_S = 300.0
#: Percent of a reply's life that is left when it may be fetched again.
PERCENTAGE_MIN, PERCENTAGE_MAX = 10, 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """The replies with data, or those that deny. `floor_s` and `ceiling_s`: the least and most that one is kept, which
    are also the least and most TTL of its records. `excepted`: at and below these names none is kept."""

    capacity: int = CAPACITY
    ceiling_s: int = CEILING_S
    floor_s: int = FLOOR_S
    excepted: frozenset[bytes] = frozenset()

    @property
    def entries_max(self) -> int:
        """`capacity` as it comes out of the shards: 10,000 are 9,984, and fewer than 1,024 are 1,024."""
        return SHARDS * max(self.capacity // SHARDS, SHARD_MIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefetch:
    """A reply is fetched again before its end when it was asked for `amount` times with no gap of more than `gap_s`
    seconds, and no more than `percentage` of its life is left. Amount 0: never."""

    amount: int = 0
    gap_s: float = 60.0
    percentage: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """`zones` are wire names in lower case; `label` is what metrics call them."""

    zones: frozenset[bytes]
    label: str
    success: Half = Half()
    denial: Half = Half(ceiling_s=DENIAL_CEILING_S)
    prefetch: Prefetch = Prefetch()
    stale: Stale = NEVER_STALE
    prefer_positive: bool = False
    """A reply with data, be it stale, is preferred to a later one without."""
    servfail_s: float = float(FLOOR_S)
    """For how long a failure is kept."""
    keep_ttl: bool = False
    """TTLs do not count down."""

    def covers(self, question: Question) -> bool:
        """Whether replies to *question* are the cache's business: a name of the zones, and no transfer."""
        transfer = question.rtype in (Type.AXFR, Type.IXFR)
        return not transfer and is_below_any(question.name.lower(), self.zones)

    @classmethod
    def from_directive(cls, directive: Directive, zones: tuple[str, ...]) -> "CacheSettings":
        """*zones* are those of the server block. Raises ConfigError."""
        found = directive.once()
        settings = _with_arguments(found, zones)
        for line in found.properties:
            settings = _with_option(settings, line)
        if settings.prefer_positive and not any(line.text == "serve_stale" for line in found.properties):
            raise found.bare_error("serve_stale_policy requires serve_stale")
        policies = [line for line in found.properties if line.text == "serve_stale_policy"]
        if len(policies) > 1:
            raise policies[1].bare_error("serve_stale_policy can only be specified once", policies[1].name)
        return settings


def is_below_any(name: bytes, zones: frozenset[bytes]) -> bool:
    """Whether *name* (lower case) is one of *zones* or below one."""
    return names.ROOT in zones or (bool(zones) and any(suffix in zones for suffix in names.suffixes(name)))


def _with_arguments(found: Occurrence, zones: tuple[str, ...]) -> CacheSettings:
    """`cache [TTL] [ZONE...]`: what is no number is a zone, whatever it looks like."""
    rest = found.arguments
    success, denial = Half(), Half(ceiling_s=DENIAL_CEILING_S)
    ttl_s = _number(rest[0].text) if rest else None
    if ttl_s is not None:
        _check_ttl(found, ttl_s, rest[0])
        success, denial = replace(success, ceiling_s=ttl_s), replace(denial, ceiling_s=ttl_s)
        rest = rest[1:]
    elif rest and _is_duration(rest[0].text):
        _log.warning(
            "%s: 'cache %s' caches the zone '%s' only: a TTL is a number of seconds, without unit",
            rest[0].where,
            rest[0].text,
            rest[0].text,
        )
    named = found.zones(zones, rest)
    wire = frozenset(_wire_name(found, zone) for zone in named)
    return CacheSettings(zones=wire, label=",".join(named), success=success, denial=denial)


def _with_option(settings: CacheSettings, line: Property) -> CacheSettings:
    match line.text:
        case "success":
            return replace(settings, success=_half(settings.success, line))
        case "denial":
            return replace(settings, denial=_half(settings.denial, line))
        case "prefetch":
            return replace(settings, prefetch=_prefetch(settings.prefetch, line))
        case "serve_stale":
            return replace(settings, stale=stale_of(line))
        case "serve_stale_policy":
            policy = line.one()
            if policy.text.lower() != "prefer_positive":
                raise line.bare_error(f"invalid serve_stale_policy: {policy.text}", policy)
            return replace(settings, prefer_positive=True)
        case "servfail":
            return replace(settings, servfail_s=_servfail_s(line))
        case "disable":
            return _with_disabled(settings, line)
        case "keepttl":
            if line.arguments:
                raise line.argument_error()
            return replace(settings, keep_ttl=True)
        case _:
            raise line.argument_error(line.name)


def _half(half: Half, line: Property) -> Half:
    """`success CAPACITY [TTL [MINTTL]]`. What stands behind has no meaning to CoreDNS either, but a warning is due."""
    capacity, *rest = line.at_least(1)
    half = replace(half, capacity=line.integer(capacity))
    if rest:
        ttl_s = line.integer(rest[0])
        _check_ttl(line, ttl_s, rest[0])
        half = replace(half, ceiling_s=ttl_s)
    if rest[1:]:
        floor_s = line.integer(rest[1])
        if floor_s < 0:
            raise line.bare_error(f"cache min TTL can not be negative: {floor_s}", rest[1])
        half = replace(half, floor_s=floor_s)
    for token in rest[2:]:
        _log.warning("%s: '%s' behind the arguments of '%s' has no meaning", token.where, token, line.text)
    return half


def _prefetch(prefetch: Prefetch, line: Property) -> Prefetch:
    amount, *rest = line.between(1, 3)
    number = line.integer(amount)
    if number < 0:
        raise line.bare_error(f"prefetch amount should be positive: {number}", amount)
    prefetch = replace(prefetch, amount=number)
    if rest:
        prefetch = replace(prefetch, gap_s=line.duration(rest[0]))
    if rest[1:]:
        prefetch = replace(prefetch, percentage=_percentage(line, rest[1]))
    return prefetch


def _percentage(line: Property, token: Token) -> int:
    if token.text[-1:] != "%":
        shown = f"'{token.text[-1:]}'"
        raise line.bare_error(f"last character of percentage should be `%`, but is: {shown}", token)
    digits = token.text[:-1]
    try:
        number = gotext.integer(digits)
    except ValueError as error:
        raise line.bare_error(str(error), token) from None
    if not PERCENTAGE_MIN <= number <= PERCENTAGE_MAX:
        limits = f"[{PERCENTAGE_MIN}, {PERCENTAGE_MAX}]"
        raise line.bare_error(f"percentage should fall in range {limits}: {number}", token)
    return number


def _servfail_s(line: Property) -> float:
    token = line.one()
    servfail_s = line.duration(token)
    if servfail_s < 0:
        raise line.bare_error("invalid negative ttl for servfail", token)
    if servfail_s > SERVFAIL_MAX_S:
        raise line.bare_error("caching SERVFAIL responses over 5 minutes is not permitted", token)
    return servfail_s


def _with_disabled(settings: CacheSettings, line: Property) -> CacheSettings:
    """`disable success|denial [ZONE...]`: a second line of a kind takes the place of the first."""
    kind, *zones = line.at_least(1)
    for token in zones:
        if not is_domain_name(token.text):
            raise line.bare_error(f"invalid disabled zone: {token.text}", token)
    excepted = frozenset(_wire_name(line, fully_qualified(token.text)) for token in zones)
    excepted = excepted or frozenset((names.ROOT,))
    match kind.text:
        case "success":
            return replace(settings, success=replace(settings.success, excepted=excepted))
        case "denial":
            return replace(settings, denial=replace(settings.denial, excepted=excepted))
        case _:
            raise line.bare_error('cache type for disable must be "success" or "denial"', kind)


def _wire_name(line: Line, zone: str) -> bytes:
    try:
        return names.from_text(zone).lower()
    except NameTextError:  # such as an escape beyond \\255
        raise line.bare_error(f"zone is not a valid domain name: {zone}") from None


def _check_ttl(line: Line, ttl_s: int, token: Token) -> None:
    """0 and less are reserved."""
    if ttl_s <= 0:
        raise line.bare_error(f"cache TTL can not be zero or negative: {ttl_s}", token)


def _number(text: str) -> int | None:
    try:
        return gotext.integer(text)
    except ValueError:
        return None


def _is_duration(text: str) -> bool:
    try:
        return gotext.seconds(text) > 0
    except ValueError:
        return False
