"""What `bind` is told in the Corefile."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from dnsserver.config import Directive, Line, Occurrence, Token
from dnsserver.transports.addresses import addresses_of


@dataclass(frozen=True, slots=True, kw_only=True)
class BindSettings:
    """`addresses` are IP texts, link-local IPv6 ones of interfaces with their scope.

    An address that is named twice stays twice: the check for overlapping listeners speaks of it.
    """

    addresses: tuple[str, ...]

    @classmethod
    def from_directive(cls, directive: Directive) -> "BindSettings":
        found: list[str] = []
        for occurrence in directive.occurrences:
            found += _addresses(occurrence)
        return cls(addresses=tuple(found))


def _addresses(occurrence: Occurrence) -> list[str]:
    if not occurrence.arguments:
        raise occurrence.bare_error("at least one address or interface name is expected")
    excepted: set[str] = set()
    for line in occurrence.properties:
        if line.text != "except":
            raise line.bare_error(f'invalid option "{line.text}"', line.name)
        if not line.arguments:
            raise line.bare_error("at least one address or interface must be given to except subdirective")
        excepted.update(_resolved(line, line.arguments))
    addresses = [
        address for address in _resolved(occurrence, occurrence.arguments) if address not in excepted
    ]
    if not addresses:
        raise occurrence.bare_error(
            "no address is left to listen on; name an interface that has one, or except less"
        )
    return addresses


def _resolved(line: Line, tokens: Iterable[Token]) -> list[str]:
    """Addresses as they are, in their shortest form, and interfaces as the addresses that they have now."""
    found: list[str] = []
    for token in tokens:
        try:
            found.append(str(ipaddress.ip_address(token.text)))
            continue
        except ValueError:
            pass
        try:
            found += addresses_of(token.text)
        except LookupError:
            raise line.bare_error(
                f'not a valid IP address or interface name: "{token.text}"', token
            ) from None
    return found
