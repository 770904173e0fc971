"""What `dns64` is told in the Corefile."""

import ipaddress
from dataclasses import dataclass, replace

from dnsserver.config import Directive, Line, Token

#: Bits. Prefixes end at an octet, and have these lengths at least and at most (RFC 6052 section 2.2).
PREFIX_MIN, PREFIX_MAX = 32, 96
#: For everybody (RFC 6052 section 2.1).
WELL_KNOWN = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dns64Settings:
    """How IPv6 addresses are made."""

    prefix: ipaddress.IPv6Network = WELL_KNOWN
    """What IPv4 addresses are put behind."""
    translate_all: bool = False
    """Also where a name has IPv6 addresses of its own."""
    allow_ipv4: bool = False
    """Also for clients that ask by IPv4."""

    @classmethod
    def from_directive(cls, directive: Directive) -> "Dns64Settings":
        """Several are merged: what a later one does not say stays. Raises ConfigError."""
        settings = cls()
        for occurrence in directive.occurrences:
            for token in occurrence.at_most(1):
                settings = replace(settings, prefix=_prefix(occurrence, token))
            for line in occurrence.properties:
                match line.text:
                    case "prefix":
                        settings = replace(settings, prefix=_prefix(line, line.one()))
                    case "translate_all":
                        settings = replace(settings, translate_all=True)
                    case "allow_ipv4":
                        settings = replace(settings, allow_ipv4=True)
                    case _:
                        raise line.unknown()
        return settings


def _prefix(line: Line, token: Token) -> ipaddress.IPv6Network:
    try:
        if "/" not in token.text:
            raise ValueError
        network = ipaddress.ip_network(token.text, strict=False)
    except ValueError:
        raise line.bare_error(f"invalid CIDR address: {token.text}", token) from None
    if isinstance(network, ipaddress.IPv4Network):
        raise line.error(f'invalid netmask 32 IPv6 address: "{network}"', token)
    if network.prefixlen % 8 or not PREFIX_MIN <= network.prefixlen <= PREFIX_MAX:
        raise line.error(f'invalid prefix length "{network}"', token)
    return network
