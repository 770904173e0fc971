"""The ConfigMap `kube-dns`: stub domains and upstream servers for the whole cluster (coredns-compat.md, 7.2)."""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from dnsserver.node.errors import ErrorType, NodeError

STUB_DOMAINS, UPSTREAM_SERVERS = "stubDomains", "upstreamNameservers"
#: Of the time of kube-dns; nobody serves federations any more.
FEDERATIONS = "federations"
#: As many as resolv.conf(5) has room for.
UPSTREAM_SERVERS_MAX = 3
#: A DNS-1123 subdomain, as Kubernetes has it: 253 characters at most.
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_DOMAIN_MAX = 253
_PORT_MAX = 65_535


@dataclass(frozen=True, slots=True)
class KubeDns:
    """`stub_domains`: zone -> its servers, sorted by zone. `upstream_servers`: those for all names outside of the
    cluster; none: those of the node."""

    stub_domains: tuple[tuple[str, tuple[str, ...]], ...] = ()
    upstream_servers: tuple[str, ...] = ()

    @classmethod
    def from_data(cls, data: Mapping[str, str]) -> "KubeDns":
        """*data* as the ConfigMap has it. Raises NodeError: then all of it is to be ignored."""
        domains = _json(data, STUB_DOMAINS, {})
        if not isinstance(domains, dict):
            raise _wrong(f'{STUB_DOMAINS} has to be like {{"acme.example": ["192.0.2.53"]}}')
        servers = _json(data, UPSTREAM_SERVERS, [])
        found = _servers(UPSTREAM_SERVERS, servers) if servers else ()
        if len(found) > UPSTREAM_SERVERS_MAX:
            raise _wrong(f"{UPSTREAM_SERVERS} has {len(found)} servers; {UPSTREAM_SERVERS_MAX} may be there")
        return cls(
            tuple((_domain(name), _servers(name, domains[name])) for name in sorted(domains)),
            found,
        )


def unknown_key(data: Mapping[str, str]) -> NodeError | None:
    """To be told of. The others count nevertheless, as for node-cache: names would be lost."""
    unknown = sorted(set(data) - {STUB_DOMAINS, UPSTREAM_SERVERS, FEDERATIONS})
    if not unknown:
        return None
    return _wrong(f"unknown key {unknown[0]!r}; it may have {STUB_DOMAINS} and {UPSTREAM_SERVERS}")


def _json(data: Mapping[str, str], key: str, absent: object) -> object:
    try:
        value = json.loads(data.get(key) or "null")
    except (ValueError, RecursionError) as error:
        raise _wrong(f"{key} is no JSON: {error}") from None
    return absent if value is None else value


def _domain(name: str) -> str:
    if len(name) > _DOMAIN_MAX or not _DOMAIN.fullmatch(name):
        raise _wrong(f"{STUB_DOMAINS} has {name!r}, which is no name of a domain in lower case")
    return name


def _servers(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise _wrong(f'{key} needs a list of servers, such as ["192.0.2.53", "192.0.2.54:5353"]')
    return tuple(_server(key, server) for server in value)


def _server(key: str, server: object) -> str:
    """An IP address, with a port or without: what `forward` takes."""
    text = server if isinstance(server, str) else ""
    host, port = text, "53"
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") if rest else port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        ipaddress.ip_address(host)
        if not (port.isascii() and port.isdigit() and 0 < int(port) <= _PORT_MAX):
            raise ValueError
    except ValueError:
        raise _wrong(f"{key} has {server!r}, which is no IP address with or without a port") from None
    return text


def _wrong(text: str) -> NodeError:
    return NodeError(ErrorType.CONFIGMAP, f"ConfigMap kube-dns: {text}")
