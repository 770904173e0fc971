"""Server keys: `[SCHEME://]ZONE[:PORT]` (coredns-compat.md, section 1.5)."""

from __future__ import annotations

from dataclasses import dataclass

from dnsserver.config.errors import ConfigError
from dnsserver.config.lexer import shown
from dnsserver.config.zones import split_port, zones_of

#: The schemes a server block may have, and their ports (`dns` takes the program's default port instead).
SCHEME_PORTS = {"dns": 53, "tls": 853, "quic": 853, "https": 443, "https3": 443, "grpc": 443}
#: The largest port of TCP and UDP; 0 lets the operating system choose.
MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class ServerKey:
    """One zone that a block serves, on one port and transport; `text` is how the Corefile has it."""

    scheme: str
    zone: str
    port: int
    text: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.zone}:{self.port}"

    @property
    def shown(self) -> str:
        """For people: `.:53`, and the scheme only where it is not DNS itself."""
        return f"{self.zone}:{self.port}" if self.scheme == "dns" else str(self)


def split_scheme(text: str) -> tuple[str, str]:
    """The scheme (`dns` if there is none) and what follows it; ConfigError for a scheme that nothing serves."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return "dns", text
    if scheme not in SCHEME_PORTS:
        raise ConfigError(
            f"unknown scheme '{scheme}' in '{shown(text)}'; use one of {', '.join(SCHEME_PORTS)}"
        )
    return scheme, rest


def server_keys(text: str, default_port: int) -> tuple[ServerKey, ...]:
    """The keys of one word before a block: several for a CIDR between two labels; ConfigError without place."""
    scheme, rest = split_scheme(text)
    name, digits = split_port(rest)
    zones = zones_of(name)
    default = default_port if scheme == "dns" else SCHEME_PORTS[scheme]
    port = int(digits) if digits else default
    if not 0 <= port <= MAX_PORT:
        raise ConfigError(f"address {port}: invalid port")
    return tuple(ServerKey(scheme, zone, port, text) for zone in zones)


def zones_from(text: str) -> tuple[str, ...]:
    """The zones of blank-separated names and CIDRs, normalised; a scheme and port are dropped, as plugins do.

    ConfigError, without place, for what is no zone.
    """
    zones: list[str] = []
    for word in text.split():
        name, _ = split_port(split_scheme(word)[1])
        zones += zones_of(name)
    return tuple(dict.fromkeys(zones))
