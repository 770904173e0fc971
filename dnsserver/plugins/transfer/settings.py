"""What `transfer` is told in the Corefile."""

import ipaddress
from dataclasses import dataclass

from dnsserver.config import Directive, Occurrence, Property, Token
from dnsserver.plugins.addresses import Address, parse_address
from dnsserver.wire import names


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRule:
    """Who may have `zones`: `anyone`, or the hosts of `to`, which are told of changes. `source`: the address that they
    are told from, "" for whichever the system takes."""

    zones: tuple[bytes, ...]
    anyone: bool
    to: tuple[Address, ...]
    source: str = ""

    def allows(self, host: str) -> bool:
        """Whether the client with this IP text may transfer."""
        return self.anyone or any(ipaddress_of(address.host) == ipaddress_of(host) for address in self.to)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSettings:
    rules: tuple[TransferRule, ...]

    @classmethod
    def from_directive(cls, directive: Directive, zones: tuple[str, ...]) -> "TransferSettings":
        return cls(rules=tuple(_rule(occurrence, zones) for occurrence in directive.occurrences))

    def rule(self, origin: bytes) -> TransferRule | None:
        """The rule with the longest zone at or above *origin* (lower case)."""
        for suffix in names.suffixes(origin):
            for rule in self.rules:
                if suffix in rule.zones:
                    return rule
        return None


def ipaddress_of(host: str) -> object:
    """A text as what it means: IPv6 has several spellings."""
    return ipaddress.ip_address(host)


def host_port(line: Property, token: Token) -> Address:
    """`IP`, `IP:PORT`, `[IP]:PORT`."""
    try:
        address = parse_address(token.text)
    except ValueError as error:
        raise line.bare_error(f"{error}", token) from None
    if address is None:
        raise line.bare_error(f"must specify an IP address: `{token.text}'", token)
    return address


def _rule(occurrence: Occurrence, zones: tuple[str, ...]) -> TransferRule:
    to: list[Address] = []
    anyone, source = False, ""
    for line in occurrence.properties:
        match line.text:
            case "to":
                for token in line.at_least(1):
                    if token.text == "*":
                        anyone = True
                    else:
                        to.append(host_port(line, token))
            case "source":
                token = line.one()
                if source:
                    raise line.error("source already specified")
                source = _source(line, token)
            case _:
                raise line.error(f'unknown property "{line.text}"', line.name)
    if not anyone and not to:
        raise occurrence.error("'to' is required")
    origins = tuple(map(names.from_text, occurrence.zones(zones)))
    return TransferRule(zones=origins, anyone=anyone, to=tuple(dict.fromkeys(to)), source=source)


def _source(line: Property, token: Token) -> str:
    try:
        return str(ipaddress.ip_address(token.text))
    except ValueError:
        raise line.error(f'invalid source address "{token.text}"', token) from None
