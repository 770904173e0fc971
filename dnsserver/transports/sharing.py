"""Sockets on addresses where another server of this user answers at the same time: the one that this one replaces, or
its successor (SO_REUSEPORT in socket(7)). Linux only."""

import socket

#: IP_FREEBIND and IPV6_FREEBIND (ip(7), linux/in6.h), without names in Python: an address may be bound before an
#: interface has it.
_FREEBIND = {socket.AF_INET: (socket.IPPROTO_IP, 15), socket.AF_INET6: (socket.IPPROTO_IPV6, 78)}


def share(sock: socket.socket) -> None:
    """Let others of this user bind what *sock* is about to bind, which need not be there yet. Raises OSError."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    level, option = _FREEBIND[sock.family]
    sock.setsockopt(level, option, 1)
