"""Listening sockets for HTTP: of one address, or of every address of the host."""

import contextlib
import errno
import os
import socket
from collections.abc import Callable

#: The 16 bits of a port (RFC 9293 §3.1).
_PORT_MAX = 65_535
#: Every address of the host: one socket for each IP version.
_EVERY_ADDRESS = ("0.0.0.0", "::")
#: Connections that wait for accept().
_BACKLOG = 128


class HttpListenError(Exception):
    """The HTTP port cannot be opened; the text is `listen tcp :8080: bind: address already in use`."""


def label(host: str, port: int) -> str:
    """As addresses are written with a port: `[::1]:8080`; `:8080` for every address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _as_it_is(_: socket.socket) -> None:
    pass


def bind_http(
    host: str, port: int, prepare: Callable[[socket.socket], None] = _as_it_is
) -> list[socket.socket]:
    """One listening socket, or for "" one per IP version of this host, with the same port. *prepare* is done to each
    before it is bound. Raises HttpListenError."""
    sockets: list[socket.socket] = []
    try:
        for address in (host,) if host else _EVERY_ADDRESS:
            number = sockets[0].getsockname()[1] if sockets else port
            with contextlib.ExitStack() as undo:
                try:
                    family, sockaddr = _resolve(address, number)
                    sock = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
                    prepare(sock)
                    _listen(sock, sockaddr)
                except OSError as error:
                    if sockets and error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                        continue
                    raise
                sockets.append(sock)
                undo.pop_all()
    except (OSError, OverflowError) as error:
        for sock in sockets:
            sock.close()
        reason = _error_text(error)
        raise HttpListenError(f"listen tcp {label(host, port)}: bind: {reason}") from error
    return sockets


def addresses_of(host: str) -> frozenset[str]:
    """The addresses that a listener on *host* binds; none if it is no name of this host. May ask the resolver."""
    if not host:
        return frozenset(_EVERY_ADDRESS)
    try:
        return frozenset((str(_resolve(host, 0)[1][0]),))
    except OSError:
        return frozenset()


def _resolve(host: str, port: int) -> tuple[int, tuple[object, ...]]:
    """The first address of *host*, IPv4 before IPv6 as for `localhost` in Go."""
    if not 0 <= port <= _PORT_MAX:
        raise OverflowError("invalid port")  # getaddrinfo(3) would take it modulo 65536
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return found[0][0], found[0][4]


def _listen(sock: socket.socket, address: tuple[object, ...]) -> None:
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    sock.listen(_BACKLOG)
    sock.setblocking(False)


def _error_text(error: OSError | OverflowError) -> str:
    if isinstance(error, socket.gaierror) or not isinstance(error, OSError) or error.errno is None:
        return str(error)
    text = os.strerror(error.errno)
    return text[:1].lower() + text[1:]
