"""What `loadbalance` is told in the Corefile."""

import ipaddress
import re
from dataclasses import dataclass

from dnsserver.config import Directive, Occurrence, Property, Token

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Go's CIDR notation: Python would take a bare address and a dotted mask too.
_CIDR = re.compile(r"[0-9A-Fa-f.:]+/[0-9]{1,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadbalanceSettings:
    """`prefer`: addresses in these networks come first, those of the first network before those of the second."""

    prefer: tuple[Network, ...] = ()

    @classmethod
    def from_directive(cls, directive: Directive) -> "LoadbalanceSettings":
        prefer: list[Network] = []
        for occurrence in directive.occurrences:
            _check_policy(occurrence)
            for line in occurrence.properties:
                if line.text != "prefer":
                    raise line.unknown()
                prefer += (_network(line, token) for token in line.arguments)
        return cls(prefer=tuple(prefer))


def _check_policy(occurrence: Occurrence) -> None:
    match occurrence.texts:
        case () | ("round_robin",):
            return
        case ("round_robin", *_):
            raise occurrence.error("unknown property for round_robin")
        case ("weighted", *_):
            raise occurrence.bare_error("policy weighted is not supported yet", occurrence.arguments[0])
        case (policy, *_):
            raise occurrence.bare_error(f"unknown policy: {policy}", occurrence.arguments[0])


def _network(line: Property, token: Token) -> Network:
    try:
        if _CIDR.fullmatch(token.text):
            return ipaddress.ip_network(token.text, strict=False)
    except ValueError:
        pass
    raise line.error(f'invalid CIDR "{token.text}": invalid CIDR address: {token.text}', token)
