"""Options of the `k8s_external` directive (coredns-compat.md, section 3.11)."""

from dataclasses import dataclass, replace

from dnsserver.config import Directive, Occurrence, Property
from dnsserver.config.lexer import shown
from dnsserver.wire import names
from dnsserver.wire.errors import NameTextError
from dnsserver.zone.policy import DEFAULT_TTL

#: Seconds. The highest TTL that `ttl` accepts.
TTL_MAX = 3600
#: The name below each zone that the name of its name server lies below.
APEX = names.prefix((b"dns",))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalSettings:
    """Zones are wire names, `apex` is a wire prefix, all in lower case; `ttl` is in seconds."""

    zones: tuple[bytes, ...] = ()
    apex: bytes = APEX
    ttl: int = DEFAULT_TTL
    headless: bool = False
    fallthrough: tuple[bytes, ...] = ()
    """Zones below which a name that does not exist goes to the next plugin."""

    @classmethod
    def from_directive(cls, directive: Directive, zones: tuple[str, ...]) -> "ExternalSettings":
        """Raises ConfigError. `zones` are the block's own. Options of several directives add up, the last zones
        count."""
        settings = cls()
        for occurrence in directive.occurrences:
            settings = replace(settings, zones=_wire_zones(occurrence, occurrence.zones(zones)))
            for line in occurrence.properties:
                settings = _option(settings, line)
        return settings


def _option(settings: ExternalSettings, line: Property) -> ExternalSettings:
    match line.text:
        case "ttl":
            token = line.at_least(1)[0]
            ttl = line.integer(token)
            if not 0 <= ttl <= TTL_MAX:
                raise line.error(f"ttl must be in range [0, {TTL_MAX}]: {ttl}", token)
            return replace(settings, ttl=ttl)
        case "apex":
            return replace(settings, apex=_apex(line))
        case "headless":
            for token in line.arguments:
                raise line.error(f"unknown property '{shown(token.text)}'", token)
            return replace(settings, headless=True)
        case "fallthrough":
            return replace(settings, fallthrough=_wire_zones(line, line.zones((".",))))
    raise line.unknown()


def _apex(line: Property) -> bytes:
    token = line.at_least(1)[0]
    try:
        name = names.from_text(token.text.lower())
    except NameTextError as error:
        raise line.error(f"apex: {error}", token) from None
    if name == names.ROOT:
        raise line.error("apex must be a name below the zone", token)
    return name.removesuffix(names.ROOT)


def _wire_zones(line: Occurrence | Property, zones: tuple[str, ...]) -> tuple[bytes, ...]:
    try:
        return tuple(dict.fromkeys(names.from_text(zone) for zone in zones))
    except NameTextError as error:
        raise line.error(str(error)) from None
