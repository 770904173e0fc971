"""Another server, what sockets to it need, and why an exchange with it failed.

The texts of errors are those of Go's net package, which users' log rules look for.
"""

import errno
import functools
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dnsserver.transports.addresses import SocketAddress, endpoint_text

#: Whether octets are the reply that is waited for. Others are dropped, and the wait goes on (RFC 5452 section 9.1).
Accept = Callable[[bytes], bool]

#: No file left, in the process or the host; no memory: these say nothing about the other server.
_OWN_WANTS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_NO_FILE = frozenset({errno.EMFILE, errno.ENFILE})


#: What Go says when nothing came in time.
TIMED_OUT = "i/o timeout"


class ExchangeError(Exception):
    """No reply: `read udp 10.0.0.1:4711->192.0.2.53:53: i/o timeout`."""

    @property
    def timed_out(self) -> bool:
        """Whether nothing came in time, neither a reply nor an error."""
        return str(self).endswith(TIMED_OUT)

    @property
    def reason(self) -> str:
        """The last part of the text, as `connection refused`."""
        return str(self).rpartition(": ")[2]


class OwnWantError(ExchangeError):
    """No reply, and not the other server's fault: `dial udp 192.0.2.53:53: socket: too many open files`."""


@dataclass(frozen=True, slots=True)
class Peer:
    """`host` is an IP text, an IPv6 scope as `%eth0`; `source` the address of ours to ask from, "" for any."""

    host: str
    port: int
    source: str = ""

    def __str__(self) -> str:
        return endpoint_text(self.host, self.port)

    def socket(self, kind: socket.SocketKind) -> tuple[socket.socket, Any]:
        """A socket that does not block, and what to connect it to. Raises ExchangeError."""
        protocol = "udp" if kind is socket.SOCK_DGRAM else "tcp"
        try:
            family, address = _numeric(self.host, self.port, kind)
            opened = socket.socket(family, kind)
        except OSError as error:
            raise failed(f"dial {protocol} {self}: ", "connect", error) from error
        try:
            opened.setblocking(False)
            if self.source:
                _bind(opened, self.source, kind)
        except OSError as error:
            opened.close()
            raise failed(f"dial {protocol} {self}: ", "bind", error) from error
        return opened, address


def _bind(opened: socket.socket, source: str, kind: socket.SocketKind) -> None:
    family, address = _numeric(source, 0, kind)
    if family != opened.family:
        raise OSError(None, f"mismatched local address type {source}")
    opened.bind(address)


def _numeric(host: str, port: int, kind: socket.SocketKind) -> tuple[int, Any]:
    """Family and socket address. No name is ever looked up, so this does not block. Raises OSError."""
    if "%" in host:
        return _resolved.__wrapped__(host, port, kind)  # interfaces come and go, and their numbers with them
    return _resolved(host, port, kind)


@functools.lru_cache(maxsize=256)
def _resolved(host: str, port: int, kind: socket.SocketKind) -> tuple[int, Any]:
    found = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)
    return found[0][0], found[0][4]


def address_text(address: SocketAddress) -> str:
    return endpoint_text(address[0], address[1])


def failed(stage: str, verb: str, error: OSError) -> ExchangeError:
    """*error* as Go words it: *stage*, then *verb*, what the system call was for."""
    kind = OwnWantError if error.errno in _OWN_WANTS else ExchangeError
    if isinstance(error, ssl.SSLError):
        return ExchangeError(f"{stage}tls: {_tls_reason(error)}")
    return kind(f"{stage}{'socket' if error.errno in _NO_FILE else verb}: {_reason(error)}")


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"failed to verify certificate: {error.verify_message}"
    return (error.reason or str(error)).replace("_", " ").lower()


def _reason(error: OSError) -> str:
    """`connection refused`: the system's words, as Go spells them."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    reason = os.strerror(error.errno)
    return reason[:1].lower() + reason[1:]
