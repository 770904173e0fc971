"""UDP on a wildcard address: each reply leaves from the address that was asked (RFC 3542 §6.2, ip(7)).

A socket bound to 0.0.0.0 or :: would reply from whatever address the route suggests, and the client would drop that.
So the kernel is asked to say with each datagram where it went to, and is told the same with each reply.
"""

import asyncio
import functools
import socket
import struct
import sys
from collections.abc import Callable

from dnsserver.transports.addresses import SocketAddress, host_text, is_wildcard, scope_text
from dnsserver.transports.limits import DATAGRAM_MAX, TransportCounters, TransportLimits

#: One ancillary message: level, type, octets.
Ancillary = tuple[int, int, bytes]
#: Takes a datagram: its octets, its sender, the host it was sent to, and what sends the reply from there.
Deliver = Callable[[bytes, SocketAddress, str, tuple[Ancillary, ...]], None]

#: linux/in.h; the socket module has the name since Python 3.14 only.
_IP_PKTINFO = 8
#: struct in_pktinfo: interface, address to reply from, address in the header (ip(7)).
_PKTINFO_4 = struct.Struct("=I4s4s")
#: struct in6_pktinfo: address, interface (RFC 3542 §6.1).
_PKTINFO_6 = struct.Struct("=16sI")
#: Octets for ancillary data; both structs fit twice.
_ANCILLARY_OCTETS = 128
#: Reply paths remembered: one per local address and interface asked lately.
_PATHS_KEPT = 1024


def can_reply_from_asked(sock: socket.socket) -> bool:
    """Whether *sock* is bound to a wildcard, on a platform and loop where its replies can be sent as above."""
    reader = hasattr(asyncio.get_running_loop(), "add_reader") and hasattr(sock, "recvmsg_into")
    return is_wildcard(sock.getsockname()[0]) and sys.platform == "linux" and reader


@functools.lru_cache(maxsize=_PATHS_KEPT)
def reply_path(level: int, packed: bytes) -> tuple[str, tuple[Ancillary, ...]]:
    """From the pktinfo of a datagram: the host that was asked, and the pktinfo for its reply."""
    if level == socket.IPPROTO_IP:
        _, local, _ = _PKTINFO_4.unpack(packed[: _PKTINFO_4.size])
        # The interface stays open: the route back need not lead through the one that has the address.
        back = _PKTINFO_4.pack(0, local, bytes(4))
        return socket.inet_ntop(socket.AF_INET, local), ((level, _IP_PKTINFO, back),)
    local, index = _PKTINFO_6.unpack(packed[: _PKTINFO_6.size])
    host = socket.inet_ntop(socket.AF_INET6, local)
    link_local = is_link_local(local)
    back = _PKTINFO_6.pack(local, index if link_local else 0)
    named = f"{host}%{scope_text(index)}" if link_local else host
    return named, ((level, socket.IPV6_PKTINFO, back),)


def is_link_local(packed: bytes | bytearray) -> bool:
    """Whether an IPv6 address, of which two octets are enough, means something on one link only (RFC 4291 §2.5.6)."""
    return packed[0] == 0xFE and packed[1] & 0xC0 == 0x80


class WildcardPort:
    """Carry datagrams of one socket, which may be a wildcard one."""

    def __init__(self, sock: socket.socket, limits: TransportLimits, counters: TransportCounters) -> None:
        self._sock = sock
        self._batch = limits.udp_batch
        self._counters = counters
        self._host = host_text(sock.getsockname())
        self._buffer = bytearray(DATAGRAM_MAX)
        self._view = memoryview(self._buffer)
        # On one address there is no choice, and the kernel need not tell of each datagram what is known.
        self._chooses = is_wildcard(self._host)
        if self._chooses and sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        elif self._chooses:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)

    def __repr__(self) -> str:
        return f"<WildcardPort {self._host}>"

    async def run(self, deliver: Deliver) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._sock.fileno(), self.take, deliver)
        try:
            await asyncio.Event().wait()
        finally:
            loop.remove_reader(self._sock.fileno())

    def take(self, deliver: Deliver) -> bool:
        """Deliver at most a batch of what waits in the socket; False when nothing more does."""
        for _ in range(self._batch):
            try:
                size, ancillary, _, client = self._sock.recvmsg_into([self._buffer], _ANCILLARY_OCTETS)
            except (BlockingIOError, InterruptedError):
                return False
            except OSError:  # an ICMP error of an earlier reply, or no memory; the next wake-up goes on
                self._counters.udp_receive_errors += 1
                return True
            host, back = self._path(ancillary)
            deliver(bytes(self._view[:size]), client, host, back)
        return True

    async def send(self, reply: bytes, client: SocketAddress, back: tuple[Ancillary, ...]) -> bool:
        """Whether the kernel took the reply. A full socket buffer loses it, as a full queue on the way would."""
        try:
            self._sock.sendmsg([reply], back, 0, client)
        except OSError:
            self._counters.udp_send_errors += 1
            return False
        return True

    def close(self) -> None:
        """Nothing is kept but the socket, which the listener owns."""

    def _path(self, ancillary: list[Ancillary]) -> tuple[str, tuple[Ancillary, ...]]:
        for level, kind, packed in ancillary:
            if (level, kind) in _PKTINFO_KINDS:
                return reply_path(level, packed)
        return self._host, ()


_PKTINFO_KINDS = frozenset(
    {(socket.IPPROTO_IP, _IP_PKTINFO), (socket.IPPROTO_IPV6, getattr(socket, "IPV6_PKTINFO", 50))}
)
