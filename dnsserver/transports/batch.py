"""UDP in batches on Linux: many datagrams per system call, answered in place (recvmmsg(2), sendmmsg(2)).

A system call costs more than a stored answer does, so that is where the time goes: one call here takes up to BATCH
questions from the kernel, one gives it their replies. What has no answer at hand goes the ordinary way, a task each.

The kernel's structures are laid out by hand in memory of ours, as 64-bit words: `struct mmsghdr` is eight of them on
every 64-bit Linux (`usable` says whether this is one).
"""

import asyncio
import ctypes
import errno
import logging
import socket
import struct
import sys

from dnsserver.transports.addresses import SocketAddress
from dnsserver.transports.limits import TransportCounters, TransportLimits
from dnsserver.transports.responder import AnswerNow
from dnsserver.transports.wildcard import Deliver, WildcardPort

#: Datagrams per system call. More gain nothing measurable, and hold the event loop longer.
BATCH = 64
#: Batches per wake-up of the event loop: some 2 ms, then others have their turn.
ROUNDS = 4
#: Octets. Room for one datagram each way. A longer query is cut and so malformed; CoreDNS cuts at 512.
SLOT = 4096
#: Octets. Room for a socket address (sockaddr_in6 has 28), and for one pktinfo with its header (40 for IPv6).
_NAME, _CONTROL = 32, 64

_MSG_DONTWAIT = socket.MSG_DONTWAIT
#: Words of struct mmsghdr: name, its length, iovec, their number, control, its length, flags, octets received.
_WORDS = 8
_HEADER = struct.Struct("=QII")
_IPV4_ADDRESS = struct.Struct("!2xH4s")
_IPV6_ADDRESS = struct.Struct("!2xHI16s")

_log = logging.getLogger(__name__)


def usable() -> bool:
    """Whether datagrams can be taken in batches on this platform and event loop.

    The words are laid out for 64 bits, lowest octet first.
    """
    reader = hasattr(asyncio.get_running_loop(), "add_reader")
    layout = ctypes.sizeof(ctypes.c_void_p) == 8 and sys.byteorder == "little"
    return reader and sys.platform == "linux" and layout and _allowed()


def _allowed() -> bool:
    """Whether both calls are there, and no filter (seccomp) forbids them: all they say is then "no such file"."""
    if _LIBC is None:
        return False
    _LIBC.recvmmsg(-1, None, 0, _MSG_DONTWAIT, None)
    receiving = ctypes.get_errno()
    _LIBC.sendmmsg(-1, None, 0, _MSG_DONTWAIT)
    return receiving == ctypes.get_errno() == errno.EBADF


def _load() -> ctypes.CDLL | None:
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        for name in ("recvmmsg", "sendmmsg"):
            getattr(libc, name).restype = ctypes.c_int
    except (OSError, AttributeError):
        return None
    libc.recvmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p]
    libc.sendmmsg.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]
    return libc


_LIBC = _load() if sys.platform == "linux" else None


class _Slots:
    """Memory of BATCH datagrams with their addresses, ancillary data, and the kernel's headers for them."""

    def __init__(self) -> None:
        self.data = bytearray(BATCH * SLOT)
        self.names = bytearray(BATCH * _NAME)
        self.controls = bytearray(BATCH * _CONTROL)
        self._iovecs = bytearray(BATCH * 16)
        self._headers = bytearray(BATCH * _WORDS * 8)
        self.lengths = memoryview(self._iovecs).cast("Q")
        self.words = memoryview(self._headers).cast("Q")
        self.address = _address(self._headers)
        data, names, controls, iovecs = map(_address, (self.data, self.names, self.controls, self._iovecs))
        self.name_addresses = [names + slot * _NAME for slot in range(BATCH)]
        self.control_addresses = [controls + slot * _CONTROL for slot in range(BATCH)]
        for slot in range(BATCH):
            self.lengths[2 * slot] = data + slot * SLOT
            self.lengths[2 * slot + 1] = SLOT
            self.words[slot * _WORDS + 2] = iovecs + slot * 16
            self.words[slot * _WORDS + 3] = 1


def _address(memory: bytearray) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


class BatchPort(WildcardPort):
    """Carry the datagrams of one socket in batches; *now* answers what can be answered at once."""

    def __init__(
        self, sock: socket.socket, limits: TransportLimits, counters: TransportCounters, now: AnswerNow
    ) -> None:
        super().__init__(sock, limits, counters)
        self._now = now
        self._in = _Slots()
        self._out = _Slots()
        for slot in range(BATCH):
            self._in.words[slot * _WORDS] = self._in.name_addresses[slot]
            self._in.words[slot * _WORDS + 4] = self._in.control_addresses[slot]
        self._ready(BATCH)

    def __repr__(self) -> str:
        return f"<BatchPort {self._host}>"

    async def run(self, deliver: Deliver) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._sock.fileno(), self._readable, deliver)
        try:
            await asyncio.Event().wait()
        finally:
            loop.remove_reader(self._sock.fileno())

    def take(self, deliver: Deliver) -> bool:
        return self._take_batch(deliver) > 0

    def _readable(self, deliver: Deliver) -> None:
        for _ in range(ROUNDS):
            if self._take_batch(deliver) < BATCH:
                return

    def _take_batch(self, deliver: Deliver) -> int:
        """The number of datagrams taken; 0 when none waits."""
        assert _LIBC is not None
        taken: int = _LIBC.recvmmsg(self._sock.fileno(), self._in.address, BATCH, _MSG_DONTWAIT, None)
        if taken <= 0:
            if ctypes.get_errno() not in (errno.EAGAIN, errno.EINTR):
                self._counters.udp_receive_errors += 1
            return 0
        answered = 0
        data, words, ipv6 = self._in.data, self._in.words, self._sock.family == socket.AF_INET6
        try:
            for slot in range(taken):
                place = slot * SLOT
                query = bytes(data[place : place + (words[slot * _WORDS + 7] & 0xFFFFFFFF)])
                reply = self._at_hand(query, ipv6)
                if reply is None:
                    host, back = self._path(self._ancillary(slot))
                    deliver(query, self._client(slot), host, back)
                else:
                    self._put(answered, slot, reply)
                    answered += 1
        finally:
            self._counters.udp_received += answered  # those that were delivered are counted there
            if answered:
                self._send_batch(answered)
            self._ready(taken)
        return taken

    def _at_hand(self, query: bytes, ipv6: bool) -> bytes | None:
        """The reply to send at once; None: the ordinary way, which also is for what breaks the promise of `now`."""
        reply: object = None
        try:
            reply = self._now(query, "udp", ipv6)
        except Exception as error:
            self._failed(f"raised {error!r}", error)
        if isinstance(reply, bytes):
            return reply if 0 < len(reply) <= SLOT else None
        if reply is not None:
            self._failed("gave what cannot be sent", None)
        return None

    def _failed(self, what: str, error: Exception | None) -> None:
        """Count, and log the 1st, 2nd, 4th, 8th... time: a client must not be able to fill the log."""
        counters = self._counters
        counters.answers_failed += 1
        if counters.answers_failed & (counters.answers_failed - 1) == 0:
            _log.error(
                "what gives the answers at hand %s (time %d)", what, counters.answers_failed, exc_info=error
            )

    def _put(self, place: int, slot: int, reply: bytes) -> None:
        """Write *reply* as number *place* of the batch to send: to the sender of *slot*, from where that was sent."""
        out, into, size = self._out, self._in, len(reply)
        start = place * SLOT
        out.data[start : start + size] = reply
        out.lengths[2 * place + 1] = size
        word, source = place * _WORDS, slot * _WORDS
        out.words[word] = into.name_addresses[slot]
        out.words[word + 1] = into.words[source + 1]
        out.words[word + 4] = into.control_addresses[slot]
        out.words[word + 5] = into.words[source + 5]
        self._free_interface(slot)

    def _free_interface(self, slot: int) -> None:
        """The route back need not lead through the interface that the query came by; link-local addresses apart."""
        place = slot * _CONTROL
        control = self._in.controls
        if self._sock.family == socket.AF_INET:
            control[place + 16 : place + 20] = b"\0\0\0\0"
        elif not (control[place + 16] == 0xFE and control[place + 17] & 0xC0 == 0x80):
            control[place + 32 : place + 36] = b"\0\0\0\0"

    def _send_batch(self, count: int) -> None:
        """A full socket buffer loses what is left, as a full queue on the way would; a refused one is passed over."""
        assert _LIBC is not None
        sent = 0
        while sent < count:
            address = self._out.address + sent * _WORDS * 8
            done: int = _LIBC.sendmmsg(self._sock.fileno(), address, count - sent, _MSG_DONTWAIT)
            if done > 0:
                sent += done
                self._counters.udp_sent += done
            elif ctypes.get_errno() != errno.EINTR:
                sent += 1
                self._counters.udp_send_errors += 1

    def _ready(self, count: int) -> None:
        """The kernel writes what it used of each room into the header; make it whole again."""
        words = self._in.words
        for slot in range(count):
            words[slot * _WORDS + 1] = _NAME
            words[slot * _WORDS + 5] = _CONTROL

    def _ancillary(self, slot: int) -> list[tuple[int, int, bytes]]:
        place = slot * _CONTROL
        used = self._in.words[slot * _WORDS + 5]
        if used < 16:
            return []
        size, level, kind = _HEADER.unpack_from(self._in.controls, place)
        return [(level, kind, bytes(self._in.controls[place + 16 : place + size]))]

    def _client(self, slot: int) -> SocketAddress:
        place = slot * _NAME
        if self._sock.family == socket.AF_INET:
            port, packed = _IPV4_ADDRESS.unpack_from(self._in.names, place)
            return socket.inet_ntop(socket.AF_INET, packed), port
        port, flow, packed = _IPV6_ADDRESS.unpack_from(self._in.names, place)
        scope = int.from_bytes(self._in.names[place + 24 : place + 28], sys.byteorder)
        return socket.inet_ntop(socket.AF_INET6, packed), port, flow, scope
