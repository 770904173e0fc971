"""IP addresses with ports, as the Corefile has them for other servers."""

import ipaddress
import re
from dataclasses import dataclass

from dnsserver.transports.addresses import endpoint_text

#: UDP and TCP port of DNS (RFC 1035 section 4.2).
DNS_PORT = 53
#: The largest UDP and TCP port.
PORT_MAX = 65_535

_BRACKETS = re.compile(r"\[([^\[\]]*)\](?::(.*))?")


@dataclass(frozen=True, slots=True)
class Address:
    """`host` is an IP text, an IPv6 scope as `%eth0`; `server_name` what the certificate must name, "" for the host."""

    host: str
    port: int = DNS_PORT
    scheme: str = "dns"
    server_name: str = ""

    def __str__(self) -> str:
        return endpoint_text(self.host, self.port)


def split_port(text: str) -> tuple[str, int]:
    """Host and port of `HOST`, `HOST:PORT`, `IPv6`, `[IPv6]`, `[IPv6]:PORT`; 0 for no port. ValueError for its port."""
    brackets = _BRACKETS.fullmatch(text)
    port: str | None
    if brackets is not None:
        host, port = brackets[1], brackets[2]
    elif text.count(":") == 1:
        host, port = text.split(":")
    else:
        host, port = text, None
    if port is None:
        return host, 0
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= PORT_MAX):
        raise ValueError(f"the port must be 1 to {PORT_MAX}")
    return host, int(port)


def parse_address(text: str) -> Address | None:
    """`IP`, `IP:PORT`, `[IPv6]`, `[IPv6]:PORT`; None for what is no IP address, ValueError for its port."""
    host, port = split_port(text)
    address = ip_text(host)
    return None if address is None else Address(address, port or DNS_PORT)


def ip_text(host: str) -> str | None:
    """*host* as an IP address is usually written; None for what is none."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None
