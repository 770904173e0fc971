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
import time
from array import array

from dnsserver.transports.addresses import SocketAddress
from dnsserver.transports.limits import TransportCounters, TransportLimits
from dnsserver.transports.responder import AnswerNow, Finders, NothingReady, ReadyReplies
from dnsserver.transports.wildcard import Deliver, WildcardPort, is_link_local
from dnsserver.wire.limits import UDP_PAYLOAD_MAX

#: Datagrams per system call. More gain nothing measurable, and hold the event loop longer.
BATCH = 64
#: Batches per wake-up of the event loop, and seconds after which no other is begun: then others have their turn.
ROUNDS, TURN_S = 4, 0.002
#: Octets. Room for one datagram, and then its reply, of which none is longer. A longer query is cut and so malformed;
#: CoreDNS cuts at 512.
SLOT = UDP_PAYLOAD_MAX
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
    """Memory of BATCH datagrams with their addresses, ancillary data, and the kernel's headers for them.

    A reply is written where its query was and goes out with the same header: to that address, with that ancillary
    data. Only its length differs.
    """

    def __init__(self) -> None:
        self.data = bytearray(BATCH * SLOT)
        self.view = memoryview(self.data)
        self.names = bytearray(BATCH * _NAME)
        self.controls = bytearray(BATCH * _CONTROL)
        self._iovecs = bytearray(BATCH * 16)
        self._headers = bytearray(BATCH * _WORDS * 8)
        self.lengths = memoryview(self._iovecs).cast("Q")[1::2]
        self.words = memoryview(self._headers).cast("Q")
        self.received = memoryview(self._headers).cast("I")[14::16]
        self.address = _address(self._headers)
        data, names, controls, iovecs = map(_address, (self.data, self.names, self.controls, self._iovecs))
        whole = memoryview(self._iovecs).cast("Q")
        for slot in range(BATCH):
            whole[2 * slot : 2 * slot + 2] = array("Q", (data + slot * SLOT, SLOT))
            pointers = (
                names + slot * _NAME,
                _NAME,
                iovecs + slot * 16,
                1,
                controls + slot * _CONTROL,
                _CONTROL,
            )
            self.words[slot * _WORDS : slot * _WORDS + 6] = array("Q", pointers)
        self._new = bytes(self._iovecs), bytes(self._headers)

    def renew(self, count: int) -> None:
        """Make the first *count* ready for receiving: both ways use up what a header says of its room."""
        iovecs, headers = self._new
        self._iovecs[: count * 16] = iovecs[: count * 16]
        self._headers[: count * _WORDS * 8] = headers[: count * _WORDS * 8]


def _address(memory: bytearray) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


class BatchPort(WildcardPort):
    """Carry the datagrams of one socket in batches. *ready* has replies that only want their ID, *now* answers what
    else can be answered at once."""

    def __init__(
        self,
        sock: socket.socket,
        limits: TransportLimits,
        counters: TransportCounters,
        now: AnswerNow,
        ready: ReadyReplies | None = None,
    ) -> None:
        super().__init__(sock, limits, counters)
        self._now = now
        self._ready = ready if ready is not None else NothingReady()
        self._ipv6 = sock.family == socket.AF_INET6
        self._slots = _Slots()
        self._interfaces = memoryview(self._slots.controls).cast("I")[
            (8 if self._ipv6 else 4) :: _CONTROL // 4
        ]
        self._no_interfaces = memoryview(array("I", bytes(4 * BATCH)))

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
        begun = time.perf_counter()
        for _ in range(ROUNDS):
            if self._take_batch(deliver) < BATCH or time.perf_counter() - begun > TURN_S:
                return

    def _take_batch(self, deliver: Deliver) -> int:
        """The number of datagrams taken; 0 when none waits."""
        assert _LIBC is not None
        taken: int = _LIBC.recvmmsg(self._sock.fileno(), self._slots.address, BATCH, _MSG_DONTWAIT, None)
        if taken <= 0:
            if ctypes.get_errno() not in (errno.EAGAIN, errno.EINTR):
                self._counters.udp_receive_errors += 1
            return 0
        begun = time.perf_counter()
        others: list[int] = []
        try:
            given = self._answer(taken, others, deliver)
            self._counters.udp_received += taken - len(others)  # those that were delivered are counted there
            if self._chooses:
                self._free_interfaces(taken)
            self._send_but(others, taken)
        finally:
            self._slots.renew(taken)
        if given:
            self._ready.given(given, time.perf_counter() - begun)
        return taken

    def _answer(self, taken: int, others: list[int], deliver: Deliver) -> int:
        """Write the replies that are at hand; *others* gets the slots without. Returns how many were ready.

        This is where the time of a query goes that is not the kernel's: each line here costs some 40 ns of it, and
        what can be done for the whole batch is done outside.
        """
        find, find_other, find_passing = self._finders()
        data, lengths = self._slots.data, self._slots.lengths
        whole = bytes(
            self._slots.view[: taken * SLOT]
        )  # slices of bytes are bytes: half the cost of two copies
        place, given = 0, 0
        for slot, size in enumerate(self._slots.received[:taken].tolist()):
            query = whole[place + 2 : place + size]
            found = find(query) or find_other(query) or find_passing(query)
            if found is not None:
                reply, end, tally, changing, _ = found
                if end <= SLOT:
                    data[place + 2 : place + end] = reply
                    lengths[slot] = end
                    if changing is not None:
                        start, now = changing
                        data[place + start : place + start + 4] = now[0]
                    tally[0] += 1
                    given += 1
                    place += SLOT
                    continue
            if not self._answer_one(slot, whole[place : place + size], deliver):
                others.append(slot)
            place += SLOT
        return given

    def _finders(self) -> Finders:
        try:
            return self._ready.find()
        except Exception as error:  # then all take the way that is guarded one by one
            self._failed(f"raised {error!r}", error)
            return NothingReady().find()

    def _answer_one(self, slot: int, query: bytes, deliver: Deliver) -> bool:
        """Whether the reply was written; else it takes the ordinary way."""
        reply = self._at_hand(query)
        if reply is None:
            host, back = self._path(self._ancillary(slot))
            deliver(query, self._client(slot), host, back)
            return False
        self._slots.data[slot * SLOT : slot * SLOT + len(reply)] = reply
        self._slots.lengths[slot] = len(reply)
        return True

    def _at_hand(self, query: bytes) -> bytes | None:
        """The reply to send at once; None: the ordinary way, which also is for what breaks the promise of `now`."""
        reply: object = None
        try:
            reply = self._now(query, "udp", self._ipv6)
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

    def _free_interfaces(self, taken: int) -> None:
        """The route back need not lead through the interface that the query came by; link-local addresses apart."""
        controls = self._slots.controls
        if self._ipv6 and 0xFE in controls[16 : taken * _CONTROL : _CONTROL]:
            for slot in range(taken):
                if not is_link_local(controls[slot * _CONTROL + 16 : slot * _CONTROL + 18]):
                    self._interfaces[slot] = 0
        else:
            self._interfaces[:taken] = self._no_interfaces[:taken]

    def _send_but(self, others: list[int], taken: int) -> None:
        """Send the replies in the first *taken* slots, but for *others*."""
        first = 0
        for slot in (*others, taken):
            if slot > first:
                self._send(first, slot)
            first = slot + 1

    def _send(self, first: int, end: int) -> None:
        """A full socket buffer loses what is left, as a full queue on the way would; a refused one is passed over."""
        assert _LIBC is not None
        while first < end:
            address = self._slots.address + first * _WORDS * 8
            done: int = _LIBC.sendmmsg(self._sock.fileno(), address, end - first, _MSG_DONTWAIT)
            if done > 0:
                first += done
                self._counters.udp_sent += done
                continue
            error = ctypes.get_errno()
            if error != errno.EINTR:
                lost = end - first if error in (errno.EAGAIN, errno.ENOBUFS) else 1
                first += lost
                self._counters.udp_send_errors += lost

    def _ancillary(self, slot: int) -> list[tuple[int, int, bytes]]:
        place = slot * _CONTROL
        used = self._slots.words[slot * _WORDS + 5]
        if used < 16:
            return []
        size, level, kind = _HEADER.unpack_from(self._slots.controls, place)
        return [(level, kind, bytes(self._slots.controls[place + 16 : place + size]))]

    def _client(self, slot: int) -> SocketAddress:
        place = slot * _NAME
        if not self._ipv6:
            port, packed = _IPV4_ADDRESS.unpack_from(self._slots.names, place)
            return socket.inet_ntop(socket.AF_INET, packed), port
        port, flow, packed = _IPV6_ADDRESS.unpack_from(self._slots.names, place)
        scope = int.from_bytes(self._slots.names[place + 24 : place + 28], sys.byteorder)
        return socket.inet_ntop(socket.AF_INET6, packed), port, flow, scope
