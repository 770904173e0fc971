"""The TO arguments of `forward` to socket addresses."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dnsserver.config import ConfigError, Occurrence, Token
from dnsserver.observability.logs import plugin_logger
from dnsserver.transports.addresses import endpoint_text

_log = plugin_logger("forward")

#: UDP and TCP port of DNS (RFC 1035 section 4.2).
DNS_PORT = 53
#: Upstreams of one `forward`; CoreDNS's limit.
TOS_MAX = 15
#: The largest UDP and TCP port.
PORT_MAX = 65_535
#: Octets. A resolv.conf has some hundred; what is larger is another file.
RESOLV_CONF_MAX = 1 << 20

#: Transports that CoreDNS forwards by and we do not, and those that it knows and refuses.
NOT_YET, NEVER = ("tls", "https"), ("quic", "grpc", "https3", "unix")

_BRACKETS = re.compile(r"\[([^\[\]]*)\](?::(.*))?")


@dataclass(frozen=True, slots=True)
class Address:
    """`host` is an IP text, an IPv6 scope as `%eth0`."""

    host: str
    port: int = DNS_PORT

    def __str__(self) -> str:
        return endpoint_text(self.host, self.port)


def addresses_of(occurrence: Occurrence, tokens: Iterable[Token], directory: Path) -> tuple[Address, ...]:
    """What *tokens* name, in their order, each once; files count from *directory*."""
    found: list[Address] = []
    tos = tuple(tokens)
    for token in tos:
        found += _expanded(occurrence, token, directory)
    if len(tos) > TOS_MAX:
        raise occurrence.bare_error(f"more than {TOS_MAX} TOs configured: {len(tos)}")
    if not found:
        raise occurrence.bare_error("no valid upstream addresses found")
    return tuple(dict.fromkeys(found))


def _expanded(occurrence: Occurrence, token: Token, directory: Path) -> list[Address]:
    scheme, separator, rest = token.text.partition("://")
    if separator and scheme in NOT_YET:
        raise occurrence.bare_error(f"upstream {token.text}: {scheme}:// is not supported yet", token)
    if separator and scheme in NEVER:
        raise occurrence.bare_error(
            f"'{scheme}' is not supported as a destination protocol in forward: {token.text}", token
        )
    text = rest if separator and scheme == "dns" else token.text
    if not text:
        raise occurrence.bare_error(f'invalid address: "{token.text}"', token)
    try:
        address = parse_address(text)
    except ValueError as error:
        raise occurrence.bare_error(f'invalid address: "{token.text}": {error}', token) from None
    return _from_file(occurrence, token, directory / text) if address is None else [address]


def parse_address(text: str) -> Address | None:
    """`IP`, `IP:PORT`, `[IPv6]`, `[IPv6]:PORT`; None for what is no IP address, ValueError for its port."""
    brackets = _BRACKETS.fullmatch(text)
    if brackets is not None:
        host, port = brackets[1], brackets[2]
    elif text.count(":") == 1:
        host, port = text.split(":")
    else:
        host, port = text, None
    try:
        host = str(ipaddress.ip_address(host))
    except ValueError:
        return None
    if port is None:
        return Address(host)
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= PORT_MAX):
        raise ValueError(f"the port must be 1 to {PORT_MAX}")
    return Address(host, int(port))


def _from_file(occurrence: Occurrence, token: Token, path: Path) -> list[Address]:
    """The name servers of a file in the form of resolv.conf; nothing else in it counts."""
    try:
        if not path.is_file():
            raise _no_file(occurrence, token)
        with path.open("rb") as file:
            octets = file.read(RESOLV_CONF_MAX + 1)
    except OSError as error:
        raise occurrence.bare_error(f'failed to open file "{token.text}": {error.strerror}', token) from None
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
        raise _no_file(occurrence, token) from None
    if len(octets) > RESOLV_CONF_MAX:
        raise occurrence.bare_error(f'file "{token.text}" is larger than {RESOLV_CONF_MAX} octets', token)
    return list(_name_servers(octets.decode("utf-8", "replace"), path))


def _no_file(occurrence: Occurrence, token: Token) -> ConfigError:
    hint = "" if "/" in token.text else "; host names are not supported yet"
    return occurrence.bare_error(f'not an IP address or file: "{token.text}"{hint}', token)


def _name_servers(text: str, path: Path) -> Iterable[Address]:
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] != "nameserver":
            continue
        try:
            yield Address(str(ipaddress.ip_address(words[1])))
        except ValueError:
            _log.warning("%s: nameserver %s is not an IP address and is not used", path, words[1])
