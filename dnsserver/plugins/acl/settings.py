"""What `acl` is told in the Corefile."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from dnsserver.config import Directive, Occurrence, Property, Token
from dnsserver.plugins.zone_names import wire_zones
from dnsserver.wire.codes import type_number

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SECTIONS = ("type", "net")
_ALL = "*"


class Action(Enum):
    """What becomes of a query."""

    ALLOW = "allow"
    BLOCK = "block"
    FILTER = "filter"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Policy:
    """*types* and *networks*: None stands for all of them."""

    action: Action
    types: frozenset[int] | None = None
    networks: tuple[Network, ...] | None = None

    def is_for_type(self, rtype: int) -> bool:
        return self.types is None or rtype in self.types

    def is_for_client(self, address: Address) -> bool:
        return self.networks is None or any(address in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class Rule:
    """One `acl`: its zones (wire names in lower case), and its policies in file order."""

    zones: tuple[bytes, ...]
    policies: tuple[Policy, ...]


@dataclass(frozen=True, slots=True)
class AclSettings:
    """Rules in file order."""

    rules: tuple[Rule, ...]

    @classmethod
    def from_directive(cls, directive: Directive, zones: tuple[str, ...]) -> "AclSettings":
        """Raises ConfigError. *zones* are the block's."""
        return cls(tuple(_rule(occurrence, zones) for occurrence in directive.occurrences))


def _rule(occurrence: Occurrence, zones: tuple[str, ...]) -> Rule:
    policies = tuple(map(_policy, occurrence.properties))
    return Rule(wire_zones(occurrence, occurrence.zones(zones)), policies)


def _policy(line: Property) -> Policy:
    try:
        action = Action(line.text.lower())
    except ValueError:
        raise line.error(
            f"unexpected token \"{line.text}\"; expect 'allow', 'block', 'filter' or 'drop'", line.name
        ) from None
    types: frozenset[int] | None = None
    networks: tuple[Network, ...] | None = None
    given: set[str] = set()
    for section, tokens in _sections(line):
        if section == "type":
            more = _types(line, tokens)
            types = more if section not in given else _both(types, more)
        else:
            nets = _networks(line, tokens)
            networks = nets if section not in given or nets is None else (networks or ()) + nets
        given.add(section)
    return Policy(action, types, networks)


def _both(some: frozenset[int] | None, more: frozenset[int] | None) -> frozenset[int] | None:
    return None if some is None or more is None else some | more


def _sections(line: Property) -> Iterator[tuple[str, list[Token]]]:
    """Each `type` or `net`, with what follows it."""
    rest = list(line.arguments)
    while rest:
        head = rest.pop(0)
        if head.text.lower() not in _SECTIONS:
            raise line.error(f"unexpected token \"{head.text}\"; expect 'type | net'", head)
        tokens = []
        while rest and rest[0].text.lower() not in _SECTIONS:
            tokens.append(rest.pop(0))
        if not tokens:
            raise line.error(f'no token specified in "{head.text.lower()}" section', head)
        yield head.text.lower(), tokens


def _types(line: Property, tokens: list[Token]) -> frozenset[int] | None:
    found = set()
    for token in tokens:
        if token.text == _ALL:
            return None
        number = type_number(token.text) if token.text.isupper() else None
        if number is None:
            raise line.error(f'unexpected token "{token.text}"; expect legal QTYPE', token)
        found.add(number)
    return frozenset(found)


def _networks(line: Property, tokens: list[Token]) -> tuple[Network, ...] | None:
    """A bare address is a network of one."""
    found: list[Network] = []
    for token in tokens:
        if token.text == _ALL:
            return None
        try:
            if not token.text.rpartition("/")[2].isalnum() and "/" in token.text:
                raise ValueError  # a netmask with dots, which Go does not know
            found.append(ipaddress.ip_network(token.text, strict=False))
        except ValueError:
            raise line.error(f'illegal CIDR notation "{_with_length(token.text)}"', token) from None
    return tuple(found)


def _with_length(text: str) -> str:
    if "/" in text:
        return text
    return text + ("/128" if ":" in text else "/32")
