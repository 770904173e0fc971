"""UDP in batches: the same promises as one by one (test_udp.py), and those that only batches can break."""

import asyncio
import ctypes
import errno
import gc
import logging
import socket
import sys
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count

import pytest

from dnsserver.transports import batch
from dnsserver.transports.batch import BATCH, ROUNDS, SLOT, BatchPort
from dnsserver.transports.binding import bind_all
from dnsserver.transports.limits import TransportCounters, TransportLimits
from dnsserver.transports.responder import AnswerNow, Arrival, Responder
from dnsserver.transports.udp import DgramPort, UdpListener
from dnsserver.transports.wildcard import WildcardPort
from tests.end_to_end.clients import dig_told
from tests.end_to_end.netns import Namespace
from tests.support.process import REPOSITORY, ServerProcess
from tests.support.tools import must_run, tool
from tests.transports.clients import (
    PATIENCE_S,
    QUICK,
    UdpClient,
    echo,
    hang,
    open_files,
    query,
    silent,
    udp_client,
    until,
)

WILDCARDS = (("0.0.0.0", "127.0.0.1"), ("0.0.0.0", "127.0.0.2"), ("0.0.0.0", "127.9.8.7"), ("::", "::1"))
ADDRESSES = (("127.0.0.1", "127.0.0.1"), ("127.0.0.2", "127.0.0.2"), ("::1", "::1"), *WILDCARDS)
#: Octets of kernel buffer, each way: what every Linux grants. `WAITING` small datagrams fit.
BUFFER, WAITING = 212_992, 300
#: Octets. Place of the port in a socket address, and of the interface in the pktinfo behind its header (IPv4, IPv6).
PORT = slice(2, 4)
INTERFACE_4, INTERFACE_6 = slice(16, 20), slice(32, 36)
ROUNDS_OF_STARTING = 500
#: Octets that a round may leave behind, on average: less than any object has.
LEFT_PER_ROUND = 8


def at_hand(octets: bytes, _protocol: str, _ipv6: bool) -> bytes | None:
    return octets + b"!"


def even_at_hand(octets: bytes, _protocol: str, _ipv6: bool) -> bytes | None:
    """Every other ID has its answer at hand."""
    return None if octets[1] & 1 else octets + b"!"


def nothing_at_hand(_octets: bytes, _protocol: str, _ipv6: bool) -> bytes | None:
    return None


async def slow(octets: bytes, _: Arrival) -> bytes | None:
    await asyncio.sleep(0.001)
    return octets + b"?"


@asynccontextmanager
async def listening(
    now: AnswerNow, responder: Responder = hang, host: str = "127.0.0.1", limits: TransportLimits = QUICK
) -> AsyncIterator[UdpListener]:
    (sock,) = bind_all([(host, 0)], protocols=("udp",), limits=limits).udp
    async with UdpListener(sock, responder, limits=limits, now=now) as listener:
        assert isinstance(listener._carrier, BatchPort)
        yield listener


@asynccontextmanager
async def client_of(listener: UdpListener, host: str = "127.0.0.1") -> AsyncIterator[UdpClient]:
    """Connected: replies from elsewhere than *host* do not reach it."""
    async with udp_client("::1" if ":" in host else "127.0.0.1") as client:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            client.sock.setsockopt(socket.SOL_SOCKET, option, BUFFER)
        client.sock.connect((host, listener.port))
        yield client


async def replies(client: UdpClient, number: int) -> list[bytes]:
    return sorted([(await client.receive())[0] for _ in range(number)])


def carrier(listener: UdpListener) -> BatchPort:
    assert isinstance(listener._carrier, BatchPort)
    return listener._carrier


def counted(listener: UdpListener) -> tuple[int, int, int, int]:
    found = listener.counters
    return found.udp_received, found.udp_sent, found.udp_receive_errors, found.udp_send_errors


@pytest.mark.parametrize(("bound", "asked"), ADDRESSES)
async def test_a_reply_leaves_from_the_address_that_was_asked(bound: str, asked: str) -> None:
    asked_now: list[tuple[bytes, str, bool]] = []
    arrivals: list[Arrival] = []

    def now(octets: bytes, protocol: str, ipv6: bool) -> bytes | None:
        asked_now.append((octets, protocol, ipv6))
        return even_at_hand(octets, protocol, ipv6)

    async def responder(octets: bytes, arrival: Arrival) -> bytes | None:
        arrivals.append(arrival)
        return octets + b"?"

    async with listening(now, responder, bound) as listener, udp_client(bound) as client:
        to = (asked, listener.port)
        assert await client.ask(query(2), to) == (query(2) + b"!", to)
        assert await client.ask(query(3), to) == (query(3) + b"?", to)
        port = client.sock.getsockname()[1]
        home = arrivals[0].client_host
        assert arrivals == [Arrival("udp", home, port, asked, listener.port, (bound, listener.port))]
        assert asked_now == [(query(number), "udp", ":" in bound) for number in (2, 3)]
        assert counted(listener) == (2, 2, 0, 0)
        assert repr(listener._carrier) == f"<BatchPort {bound}>"


@pytest.mark.parametrize(
    "number", [1, BATCH - 1, BATCH, BATCH + 1, ROUNDS * BATCH, ROUNDS * BATCH + 1, WAITING]
)
@pytest.mark.parametrize("now", [at_hand, even_at_hand, nothing_at_hand])
async def test_everything_that_waits_is_answered(number: int, now: AnswerNow) -> None:
    """Answers at hand and slow ones in one batch; every reply goes out once, every counter is exact."""
    limits = TransportLimits()
    async with listening(now, slow, "0.0.0.0", limits) as listener, client_of(listener) as client:
        asked = [query(each) for each in range(number)]
        for octets in asked:
            client.sock.send(octets)
        expected = [now(octets, "udp", False) or octets + b"?" for octets in asked]
        assert await replies(client, number) == sorted(expected)
        await until(lambda: listener.counters.udp_now == 0)
        assert counted(listener) == (number, number, 0, 0)
        assert listener.counters.udp_dropped == 0


async def test_answers_at_hand_do_not_wait_for_those_in_flight() -> None:
    limits = replace(QUICK, udp_in_flight=3, answer_s=PATIENCE_S)
    async with listening(even_at_hand, hang, limits=limits) as listener, client_of(listener) as client:
        for number in range(20):
            client.sock.send(query(number))
        assert await replies(client, 10) == sorted(query(number) + b"!" for number in range(0, 20, 2))
        counters = listener.counters
        assert (counters.udp_received, counters.udp_sent) == (20, 10)
        assert (counters.udp_now, counters.udp_dropped) == (3, 7)


async def test_a_broken_promise_takes_the_ordinary_way(caplog: pytest.LogCaptureFixture) -> None:
    """What `now` raises, or gives that is no reply, costs neither that client its reply nor anybody else."""

    def now(octets: bytes, _protocol: str, _ipv6: bool) -> bytes | None:
        match octets[1] % 5:
            case 0:
                raise RuntimeError("broken")
            case 1:
                return "text"  # type: ignore[return-value]
            case 2:
                return bytearray(20)  # type: ignore[return-value]
            case 3:
                return b""
        return octets + b"!"

    async with listening(now, slow) as listener, client_of(listener) as client:
        for _ in range(2):  # the reader lives on
            for number in range(100):
                client.sock.send(query(number))
            assert await replies(client, 100) == sorted(
                query(number) + (b"!" if number % 5 == 4 else b"?") for number in range(100)
            )
        assert listener.counters.answers_failed == 2 * 60
        assert counted(listener) == (200, 200, 0, 0)
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(lines) == 7  # times 1, 2, 4 ... 64
    assert "RuntimeError('broken') (time 1)" in lines[0]


@pytest.mark.parametrize("way", ["at hand", "ordinary"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_datagrams_of_every_size(way: str, host: str) -> None:
    """What is longer than a slot is cut to one; nothing of it is taken for the next datagram."""
    seen: list[int] = []

    def now(octets: bytes, _protocol: str, _ipv6: bool) -> bytes | None:
        seen.append(len(octets))
        return None if way == "ordinary" else str(len(octets)).encode()

    async def responder(octets: bytes, _: Arrival) -> bytes | None:
        return str(len(octets)).encode()

    sizes = [0, 1, 11, 12, 0, SLOT - 1, SLOT, SLOT + 1, 65_507, 0, 512]
    loopback = "::1" if ":" in host else "127.0.0.1"
    async with listening(now, responder, host) as listener, client_of(listener, loopback) as client:
        for size in sizes:
            client.sock.send(bytes(size))
        expected = [min(size, SLOT) for size in sizes]
        assert await replies(client, len(sizes)) == sorted(str(size).encode() for size in expected)
        assert seen == expected
        assert counted(listener) == (len(sizes), len(sizes), 0, 0)


@pytest.mark.parametrize(("size", "way"), [(1, b"!"), (SLOT, b"!"), (SLOT + 1, b"?"), (60_000, b"?")])
async def test_a_reply_larger_than_a_slot_takes_the_ordinary_way(size: int, way: bytes) -> None:
    async def responder(_octets: bytes, _: Arrival) -> bytes | None:
        return b"?" * size

    async with listening(lambda *_: b"!" * size, responder) as listener, client_of(listener) as client:
        for _ in range(3):
            client.sock.send(query())
        assert await replies(client, 3) == [way * size] * 3
        assert counted(listener) == (3, 3, 0, 0)


async def test_a_short_reply_after_a_long_one_is_short() -> None:
    """Slots are used again: nothing of the last datagram or reply may be left in them."""
    sizes = count(1000, -1)
    async with (
        listening(lambda octets, *_: octets[:12] + b"x" * next(sizes)) as listener,
        client_of(listener) as client,
    ):
        for number in range(100):
            client.sock.send(query(number, bytes(200 - number)))
        assert sorted(map(len, await replies(client, 100))) == list(range(12 + 901, 12 + 1001))
        assert counted(listener) == (100, 100, 0, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
async def test_clients_that_have_gone(host: str) -> None:
    """Each reply meets a closed port. Linux tells an unconnected socket nothing of the ICMP error."""
    loopback = "::1" if ":" in host else "127.0.0.1"
    async with listening(at_hand, host=host) as listener, client_of(listener, loopback) as client:
        for _ in range(3):
            for _ in range(30):
                async with udp_client(loopback) as gone:
                    gone.sock.sendto(query(), (loopback, listener.port))
            client.sock.send(query(7))
            assert await replies(client, 1) == [query(7) + b"!"]
        assert counted(listener) == (93, 93, 0, 0)


async def test_icmp_errors_are_counted_and_survived() -> None:
    """The same on a socket that asks for the errors: each comes up at a call for somebody else."""
    async with listening(at_hand) as listener, client_of(listener) as client:
        listener._sock.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR (ip(7))
        for _ in range(30):
            async with udp_client() as gone:
                gone.sock.sendto(query(), ("127.0.0.1", listener.port))
        await until(lambda: listener.counters.udp_received == 30)
        await until(lambda: sum(counted(listener)[2:]) > 0)
        client.sock.send(query(7))
        assert await replies(client, 1) == [query(7) + b"!"]
        assert counted(listener)[0] == 31
        assert counted(listener)[1] + counted(listener)[3] == 31


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_replies_that_cannot_be_sent_stop_nobody(host: str) -> None:
    """A client's port 0 is such a case (raw sockets can send from it): EINVAL."""
    slots = count()

    def now(octets: bytes, _protocol: str, _ipv6: bool) -> bytes | None:
        place = next(slots) * 32
        if octets[1] % 3 == 0:
            carrier(listener)._in.names[place + PORT.start : place + PORT.stop] = b"\0\0"
        return octets + b"!"

    async with listening(now, host=host) as listener, client_of(listener, host) as client:
        for number in range(60):
            client.sock.send(query(number))
        assert await replies(client, 40) == [query(number) + b"!" for number in range(60) if number % 3]
        assert counted(listener) == (60, 40, 0, 20)


class _Libc:
    """The library, but each call first does as told: an errno to fail with, or the most datagrams to take."""

    def __init__(self, *, receive: tuple[int, ...] = (), send: tuple[int, ...] = ()) -> None:
        assert batch._LIBC is not None
        self._real = batch._LIBC
        self._receive = [-number for number in receive]
        self._send = list(send)

    def recvmmsg(self, file: int, address: int, number: int, flags: int, timeout: None) -> int:
        if self._receive and number:
            return _failed(self._receive.pop(0))
        return int(self._real.recvmmsg(file, address, number, flags, timeout))

    def sendmmsg(self, file: int, address: int, number: int, flags: int) -> int:
        told = self._send.pop(0) if self._send and number else number
        return int(self._real.sendmmsg(file, address, told, flags)) if told >= 0 else _failed(told)


def _failed(number: int) -> int:
    ctypes.set_errno(-number)
    return -1


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        ((-errno.EINTR, -errno.EINTR), range(10)),
        ((-errno.EPERM,), range(1, 10)),
        ((3, -errno.ENETUNREACH), (0, 1, 2, 4, 5, 6, 7, 8, 9)),
        ((1, 1, 1, -errno.EINTR, 1), range(10)),
        ((4, *(-errno.EAGAIN,) * 6), range(4)),  # the socket's buffer is full
        ((-errno.ENOBUFS,) * 10, ()),
    ],
    ids=str,
)
async def test_what_the_kernel_does_not_take(
    told: tuple[int, ...], sent: range | tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(at_hand) as listener, client_of(listener) as client:
        monkeypatch.setattr(batch, "_LIBC", _Libc(send=told))
        for number in range(10):
            client.sock.send(query(number))
        assert await replies(client, len(sent)) == [query(number) + b"!" for number in sent]
        await until(lambda: counted(listener) == (10, len(sent), 0, 10 - len(sent)))
        client.sock.send(query(99))
        assert await replies(client, 1) == [query(99) + b"!"]


async def test_errors_of_receiving_are_counted_and_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = (errno.EINTR, errno.ECONNREFUSED, errno.ENOMEM, errno.EAGAIN)
    async with listening(at_hand) as listener, client_of(listener) as client:
        monkeypatch.setattr(batch, "_LIBC", _Libc(receive=errors))
        client.sock.send(query())
        assert await replies(client, 1) == [query() + b"!"]
        assert counted(listener) == (1, 1, 2, 0)


@pytest.mark.parametrize(("bound", "asked"), ADDRESSES)
async def test_close_answers_what_has_arrived(bound: str, asked: str) -> None:
    async with (
        listening(even_at_hand, slow, bound, TransportLimits()) as listener,
        client_of(listener, asked) as client,
    ):
        for number in range(WAITING):
            client.sock.send(query(number))
        await listener.close(grace_s=PATIENCE_S)  # nothing was received so far
        expected = [query(number) + (b"?" if number & 1 else b"!") for number in range(WAITING)]
        assert await replies(client, WAITING) == sorted(expected)
        assert counted(listener) == (WAITING, WAITING, 0, 0)


@pytest.mark.parametrize("responder", [echo, silent, hang])
async def test_close_ends_while_a_client_goes_on_asking(responder: Responder) -> None:
    """Its datagrams go nowhere once the socket drains."""
    async with listening(even_at_hand, responder) as listener, udp_client() as client:

        async def flood() -> None:
            for number in count():
                client.sock.sendto(query(number % 256), ("127.0.0.1", listener.port))
                await asyncio.sleep(0)

        flooding = asyncio.create_task(flood())
        await until(lambda: listener.counters.udp_sent > 100)
        async with asyncio.timeout(PATIENCE_S):
            await listener.close(grace_s=PATIENCE_S / 2)
        flooding.cancel()
        await asyncio.wait([flooding])
        assert listener._sock.fileno() < 0


async def test_a_flood_leaves_the_event_loop_its_turns() -> None:
    """The socket is never empty: each datagram is followed by the next before it is answered."""
    async with listening(at_hand) as listener, client_of(listener) as client:
        carrier(listener)._now = lambda octets, *_: octets if client.sock.send(octets) else None
        for number in range(WAITING):
            client.sock.send(query(number))
        taken = []
        for _ in range(50):
            before = listener.counters.udp_received
            await asyncio.sleep(0)
            taken.append(listener.counters.udp_received - before)
        assert max(taken) == ROUNDS * BATCH
        assert sum(taken) >= 40 * ROUNDS * BATCH
        carrier(listener)._now = at_hand


async def test_starting_and_closing_leaves_nothing_behind() -> None:
    async def rounds() -> tuple[int, int]:
        for number in range(ROUNDS_OF_STARTING):
            async with listening(at_hand) as listener:
                client.sock.sendto(query(number % 256), ("127.0.0.1", listener.port))
                await client.receive()
        gc.collect()
        return open_files(), tracemalloc.get_traced_memory()[0]

    async with udp_client() as client:
        tracemalloc.start()
        try:
            files, before = await rounds()
            again, after = await rounds()
        finally:
            tracemalloc.stop()
    assert again == files
    assert after - before < LEFT_PER_ROUND * ROUNDS_OF_STARTING


@pytest.mark.parametrize(
    ("host", "asked", "kept"),
    [
        ("0.0.0.0", "192.0.2.1", False),
        ("0.0.0.0", "169.254.0.1", False),
        ("::", "fd00::1", False),
        ("::", "febf::1", True),
        ("::", "fe80::1", True),
        ("::", "fec0::1", False),
        ("::", "::1", False),
    ],
)
def test_only_a_link_local_reply_is_tied_to_its_interface(host: str, asked: str, kept: bool) -> None:
    slot, index = 5, (7).to_bytes(4, sys.byteorder)
    (sock,) = bind_all([(host, 0)], protocols=("udp",)).udp
    with sock:
        port = BatchPort(sock, QUICK, TransportCounters(), at_hand)
        packed = socket.inet_pton(sock.family, asked)
        control = bytes(16) + (packed + index if ":" in host else index + packed + packed)
        port._in.controls[slot * 64 : slot * 64 + len(control)] = control
        before = bytes(port._in.controls)
        port._free_interface(slot)
        place = INTERFACE_6 if ":" in host else INTERFACE_4
        found = port._in.controls[slot * 64 :][place]
        assert found == (index if kept else bytes(4))
        port._in.controls[slot * 64 + place.start : slot * 64 + place.stop] = index
        assert port._in.controls == before


@pytest.mark.parametrize(("host", "place"), [("127.0.0.2", INTERFACE_4), ("::1", INTERFACE_6)])
async def test_a_reply_may_leave_by_another_interface(host: str, place: slice) -> None:
    async with listening(at_hand, host="::" if ":" in host else "0.0.0.0") as listener:
        async with client_of(listener, host) as client:
            client.sock.send(query())
            assert await replies(client, 1) == [query() + b"!"]
        assert carrier(listener)._in.controls[place] == bytes(4)
        assert carrier(listener)._in.controls[:16] != bytes(16)


async def test_a_datagram_without_pktinfo_spoils_no_later_one() -> None:
    """Its reply leaves from where the route suggests; the next one's room for pktinfo is whole again."""
    async with listening(even_at_hand, slow, "0.0.0.0") as listener, udp_client("0.0.0.0") as client:
        to = ("127.0.0.2", listener.port)
        for number, wanted in enumerate((1, 0, 0, 1, 1, 0, 1)):
            listener._sock.setsockopt(socket.IPPROTO_IP, 8, wanted)  # IP_PKTINFO (ip(7))
            for each in (2 * number, 2 * number + 1):
                reply, origin = await client.ask(query(each), to)
                assert reply[:-1] == query(each)
                assert origin == (to if wanted else ("127.0.0.1", listener.port))
        assert counted(listener) == (14, 14, 0, 0)


@pytest.mark.netns
@pytest.mark.tool("dig", "ip")
def test_link_local_clients_are_answered_each_on_its_link() -> None:
    """Two links with the same addresses at their ends: nothing but the interface tells the clients apart."""
    name = "nginx.default.svc.cluster.local"
    corefile = "cluster.local {\n kubernetes {\n manifests zones/demo\n }\n}\n"
    with Namespace() as host, Namespace() as first, Namespace() as second:
        for number, client in enumerate((first, second)):
            words = f"link add near{number} netns {host.name} type veth peer name far netns {client.name}"
            must_run((tool("ip"), *words.split()))
            for namespace, device, address in (
                (host, f"near{number}", "fe80::1"),
                (client, "far", "fe80::9"),
            ):
                namespace.ip("link", "set", device, "addrgenmode", "none", "up")
                namespace.address(device, (f"{address}/64",))
        with ServerProcess("-conf", "stdin", cwd=REPOSITORY, prefix=host.prefix, stdin=corefile) as server:
            server.wait_for("dnsserver-")
            for client in (first, second, first, second):
                code, text = client.run(
                    tool("dig"), "@fe80::1%far", "+notcp", "+time=2", "+tries=1", name, "A"
                )
                assert code == 0, text
                assert "unexpected source" not in text
                assert dig_told(text).data == ("10.8.5.220",)


@pytest.fixture
def no_batches(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """A platform on which `usable` must be False."""
    with monkeypatch.context() as patch:
        match request.param:
            case "no library":
                patch.setattr(batch, "_LIBC", None)
            case "sending is forbidden":
                patch.setattr(batch, "_LIBC", _Forbidding(errno.EBADF, errno.EPERM))
            case "receiving is unknown":
                patch.setattr(batch, "_LIBC", _Forbidding(errno.ENOSYS, errno.EBADF))
            case "highest octet first":
                patch.setattr("dnsserver.transports.batch.sys.byteorder", "big")
            case "32 bits":
                patch.setattr("dnsserver.transports.batch.ctypes.sizeof", lambda _: 4)
        yield


class _Forbidding:
    def __init__(self, receive: int, send: int) -> None:
        self._receive, self._send = -receive, -send

    def recvmmsg(self, *_: object) -> int:
        return _failed(self._receive)

    def sendmmsg(self, *_: object) -> int:
        return _failed(self._send)


PLATFORMS = ["no library", "sending is forbidden", "receiving is unknown", "highest octet first", "32 bits"]


@pytest.mark.parametrize("no_batches", PLATFORMS, indirect=True)
@pytest.mark.parametrize(("host", "kind"), [("127.0.0.1", DgramPort), ("0.0.0.0", WildcardPort)])
@pytest.mark.usefixtures("no_batches")
async def test_without_batches_datagrams_come_one_by_one(host: str, kind: type) -> None:
    (sock,) = bind_all([(host, 0)], protocols=("udp",)).udp
    async with UdpListener(sock, echo, limits=QUICK, now=at_hand) as listener, udp_client() as client:
        assert type(listener._carrier) is kind
        assert (await client.ask(query(), ("127.0.0.1", listener.port)))[0] == query()


async def test_batches_are_used_here() -> None:
    assert batch.usable()
