"""Addresses of this host, and socket addresses as text [ifaddr]."""

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

#: A socket address as the kernel gives it: (host, port) or (host, port, flow, scope).
SocketAddress = tuple[Any, ...]

_WILDCARDS = frozenset({"0.0.0.0", "::"})
_MAPPED = "::ffff:"


def is_wildcard(host: str) -> bool:
    return host in _WILDCARDS


def host_text(address: SocketAddress) -> str:
    """The host of a socket address: bare, an IPv6 scope as `%eth0`, a mapped IPv4 address as IPv4."""
    host = str(address[0])
    if len(address) == 4:
        if host.startswith(_MAPPED) and "." in host:
            return host[len(_MAPPED) :]
        if address[3] and "%" not in host:
            return f"{host}%{scope_text(address[3])}"
    return host


def scope_text(index: int) -> str:
    """The name of an interface; its number when it has just gone."""
    try:
        return socket.if_indextoname(index)
    except OSError:
        return str(index)


def endpoint_text(host: str, port: int) -> str:
    """`127.0.0.1:53`, `[::1]:53`, and `:53` for every address of the host."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def addresses_of(interface: str) -> tuple[str, ...]:
    """The addresses of one interface, link-local ones with their scope; `LookupError` if it does not exist."""
    found = [address for name, address in _interface_addresses() if name == interface]
    if not found and interface not in {name for _, name in socket.if_nameindex()}:
        raise LookupError(f'not a valid IP address or interface name: "{interface}"')
    return tuple(_scoped(address, interface) for address in found)


def local_addresses() -> tuple[str, ...]:
    """All addresses of this host but loopback ones, bare and each once."""
    found = [str(address) for _, address in _interface_addresses() if not address.is_loopback]
    return tuple(dict.fromkeys(found))


def _scoped(address: ipaddress.IPv4Address | ipaddress.IPv6Address, interface: str) -> str:
    link_local = address.version == 6 and address.is_link_local
    return f"{address}%{interface}" if link_local else str(address)


def _interface_addresses() -> Iterator[tuple[str, ipaddress.IPv4Address | ipaddress.IPv6Address]]:
    import ifaddr  # 10 ms (ctypes); most servers never ask

    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            host = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            yield adapter.name, ipaddress.ip_address(host.partition("%")[0])
