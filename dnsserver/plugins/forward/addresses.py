"""The TO arguments of `forward` to upstreams (coredns-compat.md, section 3.4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dnsserver.config import Occurrence, Token
from dnsserver.config.errors import ConfigError
from dnsserver.observability.logs import plugin_logger
from dnsserver.plugins.addresses import DNS_PORT, Address, ip_text, split_port
from dnsserver.transports.addresses import endpoint_text
from dnsserver.wire import names
from dnsserver.wire.errors import NameTextError

_log = plugin_logger("forward")

#: The ports of each scheme that is served: DNS over TLS (RFC 7858 section 3.1), over HTTPS (RFC 8484 section 4.1).
PORTS = {"dns": DNS_PORT, "tls": 853, "https": 443}
#: Schemes that CoreDNS knows and does not forward by, with the ports that its messages name.
NEVER = {"quic": 853, "grpc": 443, "https3": 443, "unix": 0}
#: Upstreams of one `forward`; CoreDNS's limit.
TOS_MAX = 15
#: Octets. A resolv.conf has some hundred; what is larger is another file.
RESOLV_CONF_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class HostName:
    """An upstream whose addresses are looked up when the server starts."""

    name: str
    port: int = DNS_PORT
    scheme: str = "dns"
    server_name: str = ""

    def __str__(self) -> str:
        return endpoint_text(self.name, self.port)

    def at(self, host: str) -> Address:
        """Its upstream at the IP address *host*. Who names a server by name means its certificate's name, too."""
        server_name = self.server_name or ("" if self.scheme == "dns" else self.name)
        return Address(host, self.port, self.scheme, server_name)


To = Address | HostName


def upstreams_of(
    occurrence: Occurrence, tokens: Iterable[Token], directory: Path, tls_servername: str = ""
) -> tuple[To, ...]:
    """What *tokens* name, in their order, each address once; files count from *directory*. Raises ConfigError."""
    tos = tuple(tokens)
    found: dict[str, To] = {}
    for token in tos:
        for to in _expanded(occurrence, token, directory):
            if to.server_name and tls_servername and to.scheme == "tls":
                raise occurrence.bare_error(
                    f"both forward ('{tls_servername}') and proxy level ('{to.server_name}') TLS servernames are set "
                    f"for upstream proxy '{to.scheme}://{to}'",
                    token,
                )
            found.setdefault(str(to), to)
    if not found:
        raise occurrence.bare_error("no valid upstream addresses found")
    if len(tos) > TOS_MAX:
        raise occurrence.bare_error(f"more than {TOS_MAX} TOs configured: {len(tos)}")
    return tuple(found.values())


def _expanded(occurrence: Occurrence, token: Token, directory: Path) -> list[To]:
    scheme, separator, rest = token.text.partition("://")
    if separator and scheme in NEVER:
        raise occurrence.bare_error(
            f"'{scheme}' is not supported as a destination protocol in forward: {token.text}", token
        )
    if not separator or scheme not in PORTS:
        scheme, rest = "dns", token.text
    if scheme == "https" and "/" in rest:
        raise occurrence.bare_error(
            f"paths are not allowed in HTTPS upstream addresses (the /dns-query path is used by default): {token.text}",
            token,
        )
    if not rest:
        raise occurrence.bare_error(f'invalid address: "{token.text}"', token)
    rest, server_name = (rest, "") if scheme == "dns" else without_server_name(rest)
    try:
        host, port = split_port(rest)
    except ValueError as error:
        raise occurrence.bare_error(f'invalid address: "{token.text}": {error}', token) from None
    address = ip_text(host)
    if address is not None:
        return [Address(address, port or PORTS[scheme], scheme, server_name)]
    if scheme == "dns" and ("/" in rest or (directory / rest).exists()):
        return list(_from_file(occurrence, token, directory / rest))
    if not _is_host_name(host):
        raise occurrence.bare_error(f'not an IP address, file, or valid domain: "{token.text}"', token)
    return [HostName(host, port or PORTS[scheme], scheme, server_name)]


def without_server_name(text: str) -> tuple[str, str]:
    """`9.9.9.9%dns.quad9.net:853` as `9.9.9.9:853` and the name; the port may stand behind the name alone."""
    host, percent, name = text.rpartition("%")
    if not percent:
        return text, ""
    host = f"{host}]" if host.startswith("[") else host
    name, colon, port = name.rpartition(":") if ":" in name else (name, "", "")
    return host + colon + port, name.removesuffix("]")


def _is_host_name(host: str) -> bool:
    """Whether *host* can be looked up. A last label of digits is that of a broken IP address (RFC 3696 section 2)."""
    try:
        found = names.labels(names.from_text(host))
    except (NameTextError, UnicodeEncodeError):
        return False
    return bool(found) and not found[-1].isdigit() and ":" not in host


def _from_file(occurrence: Occurrence, token: Token, path: Path) -> Iterable[Address]:
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
    return _name_servers(octets.decode("utf-8", "replace"), path)


def _no_file(occurrence: Occurrence, token: Token) -> ConfigError:
    return occurrence.bare_error(f'not an IP address or file: "{token.text}"', token)


def _name_servers(text: str, path: Path) -> Iterable[Address]:
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] != "nameserver":
            continue
        host = ip_text(words[1])
        if host is None:
            _log.warning("%s: nameserver %s is not an IP address and is not used", path, words[1])
        else:
            yield Address(host)
