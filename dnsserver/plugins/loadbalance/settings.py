"""What `loadbalance` is told in the Corefile."""

import ipaddress
import re
from dataclasses import dataclass, replace
from pathlib import Path

from dnsserver.config import Directive, Occurrence, Property, Token, seconds

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Seconds between two looks at the file of weights; CoreDNS's.
RELOAD_S = 30.0
#: Go's CIDR notation: Python would take a bare address and a dotted mask too.
_CIDR = re.compile(r"[0-9A-Fa-f.:]+/[0-9]{1,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadbalanceSettings:
    """`prefer`: addresses in these networks come first, those of the first network before those of the second.
    `weights`: the file of the policy `weighted`, looked at every `reload_s` seconds; None with `round_robin`."""

    prefer: tuple[Network, ...] = ()
    weights: Path | None = None
    reload_s: float = RELOAD_S

    @classmethod
    def from_directive(cls, directive: Directive, directory: Path) -> "LoadbalanceSettings":
        """The last policy counts. Raises ConfigError."""
        settings = cls()
        for occurrence in directive.occurrences:
            file = _weights(occurrence)
            weights = None if file is None else directory / file
            settings = replace(settings, weights=weights, reload_s=RELOAD_S)
            for line in occurrence.properties:
                settings = _with_line(settings, line)
        return settings


def _with_line(settings: LoadbalanceSettings, line: Property) -> LoadbalanceSettings:
    match line.text:
        case "prefer":
            networks = tuple(_network(line, token) for token in line.arguments)
            return replace(settings, prefer=settings.prefer + networks)
        case "reload" if settings.weights is not None:
            return replace(settings, reload_s=_reload(line))
        case _:
            raise line.unknown()


def _weights(occurrence: Occurrence) -> str | None:
    """The file of the policy `weighted`, None for `round_robin`."""
    match occurrence.texts:
        case () | ("round_robin",):
            return None
        case ("round_robin", *_):
            raise occurrence.error("unknown property for round_robin")
        case ("weighted", file):
            return file
        case ("weighted",):
            raise occurrence.error("missing weight file argument")
        case ("weighted", *_):
            raise occurrence.error("unexpected argument(s)")
        case words:
            raise occurrence.bare_error(f"unknown policy: {words[0]}", occurrence.arguments[0])


def _reload(line: Property) -> float:
    if not line.arguments:
        raise line.error("reload duration value is missing")
    if len(line.arguments) > 1:
        raise line.error("unexpected argument")
    text = line.texts[0]
    try:
        reload_s = seconds(text)
    except ValueError:
        raise line.error(f"invalid reload duration '{text}'") from None
    if reload_s < 0:
        raise line.error(f"invalid reload duration '{text}'")
    return reload_s


def _network(line: Property, token: Token) -> Network:
    try:
        if _CIDR.fullmatch(token.text):
            return ipaddress.ip_network(token.text, strict=False)
    except ValueError:
        pass
    raise line.error(f'invalid CIDR "{token.text}": invalid CIDR address: {token.text}', token)
