"""Open the sockets of a server: all of them, or none and a reason."""

import contextlib
import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dnsserver.transports.addresses import SocketAddress, endpoint_text, host_text
from dnsserver.transports.limits import DEFAULT_LIMITS, TransportLimits

#: Ports tried before we say that none is free for UDP and TCP alike.
_PORT_ATTEMPTS = 64
#: The 16 bits of a port (RFC 768, RFC 9293 §3.1).
_PORT_MAX = 65_535
#: Every address of the host: one socket for each IP version.
_EVERY_ADDRESS = ("0.0.0.0", "::")
#: What a host without IPv6 says of "::".
_NO_SUCH_FAMILY = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})
#: The options for the two buffers of a socket, and those that go beyond net.core.rmem_max and wmem_max, which are
#: Linux's alone (SO_RCVBUFFORCE and SO_SNDBUFFORCE in socket(7)) and have no names in Python.
_LINUX = sys.platform == "linux"
_BUFFERS = ((socket.SO_RCVBUF, 33 if _LINUX else None), (socket.SO_SNDBUF, 32 if _LINUX else None))

_HINTS = {
    errno.EADDRINUSE: "another process listens there; `ss -lnptu sport = :{port}` shows which",
    errno.EADDRNOTAVAIL: "no interface of this host has that address",
    errno.EACCES: "ports below 1024 need root or the capability NET_BIND_SERVICE, or lower "
    "net.ipv4.ip_unprivileged_port_start, or listen on another port, such as 1053",
    errno.EMFILE: "the limit of open files is too low; see `ulimit -n`",
}


#: Is done to a socket before it is bound. Raises OSError.
Prepare = Callable[[socket.socket], None]


def _as_it_is(_: socket.socket) -> None:
    pass


class ListenError(Exception):
    """A socket cannot be opened. The text begins as CoreDNS's does, `hint` says how to mend it."""

    def __init__(self, text: str, hint: str = "", number: int = 0) -> None:
        super().__init__(f"{text} ({hint})" if hint else text)
        self.hint = hint
        self.errno = number


@dataclass(frozen=True, slots=True)
class BoundSockets:
    """Sockets that are bound, and in the case of TCP listening; whoever takes them closes them."""

    udp: tuple[socket.socket, ...]
    tcp: tuple[socket.socket, ...]

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each, the port as chosen where 0 was asked for."""
        return _names((*self.tcp, *self.udp))

    @property
    def udp_endpoints(self) -> tuple[tuple[str, int], ...]:
        return _names(self.udp)

    def close(self) -> None:
        self.close_udp()
        for sock in self.tcp:
            sock.close()

    def close_udp(self) -> None:
        for sock in self.udp:
            sock.close()


def _names(sockets: Iterable[socket.socket]) -> tuple[tuple[str, int], ...]:
    names = [sock.getsockname() for sock in sockets]
    return tuple(dict.fromkeys((host_text(name), int(name[1])) for name in names))


def bind_all(
    endpoints: Iterable[tuple[str, int]],
    *,
    protocols: Sequence[str] = ("tcp", "udp"),
    reuse_udp_port: bool = False,
    prepare: Prepare = _as_it_is,
    limits: TransportLimits = DEFAULT_LIMITS,
) -> BoundSockets:
    """A socket per endpoint and protocol, or `ListenError` and none.

    Hosts are IP texts, with scope where needed; "" means every address. All endpoints with port 0 get the same
    port, free for all of them. *reuse_udp_port*: others of this user may open the same UDP ports; that nobody else
    serves there is seen from the TCP ports. *prepare* may say otherwise.
    """
    wanted = list(dict.fromkeys(endpoints))
    attempts = _PORT_ATTEMPTS if any(port == 0 for _, port in wanted) else 1
    while True:
        attempts -= 1
        try:
            return _bind_once(_numbered(wanted), protocols, reuse_udp_port, prepare, limits)
        except ListenError as error:
            if error.errno != errno.EADDRINUSE or not attempts:
                raise


def _numbered(endpoints: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """The endpoints with a port that is free now, at least on one of them, in place of 0."""
    host = next((host for host, port in endpoints if port == 0), None)
    if host is None:
        return endpoints
    probe = _socket("udp", host or _EVERY_ADDRESS[0], 0, host, _as_it_is)
    with contextlib.closing(probe):
        free = int(probe.getsockname()[1])
    return [(host, port or free) for host, port in endpoints]


def _bind_once(
    endpoints: list[tuple[str, int]],
    protocols: Sequence[str],
    reuse_udp_port: bool,
    prepare: Prepare,
    limits: TransportLimits,
) -> BoundSockets:
    bound: dict[str, list[socket.socket]] = {"tcp": [], "udp": []}

    def prepared(sock: socket.socket) -> None:
        prepare(sock)
        if sock.type == socket.SOCK_DGRAM:
            if reuse_udp_port:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            _ask_for_buffers(sock, limits.udp_socket_buffer)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # over old connections in TIME_WAIT

    try:
        for protocol in protocols:
            for host, port in endpoints:
                bound[protocol] += _sockets(protocol, host, port, prepared, limits.tcp_backlog)
    except BaseException:
        BoundSockets(tuple(bound["udp"]), tuple(bound["tcp"])).close()
        raise
    return BoundSockets(tuple(bound["udp"]), tuple(bound["tcp"]))


def _sockets(protocol: str, host: str, port: int, prepare: Prepare, backlog: int) -> list[socket.socket]:
    """One socket, or for "" one per IP version that this host has."""
    made: list[socket.socket] = []
    try:
        for address in (host,) if host else _EVERY_ADDRESS:
            try:
                made.append(_socket(protocol, address, port, host, prepare, backlog))
            except ListenError as error:
                if not (made and error.errno in _NO_SUCH_FAMILY):
                    raise
    except ListenError:
        for sock in made:
            sock.close()
        raise
    return made


def _socket(
    protocol: str,
    address: str,
    port: int,
    label: str,
    prepare: Prepare,
    backlog: int = 0,
) -> socket.socket:
    where = f"listen {protocol} {endpoint_text(label, port)}"
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    family, name = _resolve(address, port, where)
    step = "socket"
    try:
        sock = socket.socket(family, kind)
        try:
            step = "setsockopt"
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            prepare(sock)
            step = "bind"
            sock.bind(name)
            if kind == socket.SOCK_STREAM:
                sock.listen(backlog)
            sock.setblocking(False)
        except BaseException:
            sock.close()
            raise
    except OSError as error:
        raise _listen_error(f"{where}: {step}", error, port) from error
    return sock


def _resolve(address: str, port: int, where: str) -> tuple[int, SocketAddress]:
    """The socket address; stricter than getaddrinfo(3), which takes `1.2.3` for 1.2.0.3 and port 70000 for 4464."""
    if not 0 <= port <= _PORT_MAX:
        raise ListenError(f"{where}: invalid port", number=errno.EINVAL)
    try:
        ipaddress.ip_address(address)
        found = socket.getaddrinfo(address, port, flags=socket.AI_NUMERICHOST)
    except (ValueError, OSError) as error:
        raise ListenError(f"{where}: not a valid IP address", number=errno.EINVAL) from error
    return found[0][0], found[0][4]


def _listen_error(where: str, error: OSError, port: int) -> ListenError:
    number = error.errno or errno.EINVAL
    reason = os.strerror(number)
    hint = _HINTS.get(number, "").format(port=port)
    return ListenError(f"{where}: {reason[:1].lower()}{reason[1:]}", hint, number)


def _ask_for_buffers(sock: socket.socket, octets: int) -> None:
    """What comes while nobody reads waits there: during a reload, or until a process that died has its successor."""
    for option, beyond_the_limit in _BUFFERS:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, option, octets)
        if beyond_the_limit is not None and sock.getsockopt(socket.SOL_SOCKET, option) < octets:
            with contextlib.suppress(OSError):  # for those with the capability NET_ADMIN
                sock.setsockopt(socket.SOL_SOCKET, beyond_the_limit, octets)
