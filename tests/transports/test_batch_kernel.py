"""UDP in batches and the kernel: its errors, the way back (pktinfo), and platforms without batches."""

import errno
import socket
import sys
from collections.abc import Iterable, Iterator
from itertools import count

import pytest

from dnsserver.transports import batch
from dnsserver.transports.batch import BATCH, BatchPort
from dnsserver.transports.binding import bind_all
from dnsserver.transports.limits import TransportCounters
from dnsserver.transports.udp import DgramPort, UdpListener
from dnsserver.transports.wildcard import WildcardPort
from tests.end_to_end.clients import dig_told
from tests.end_to_end.netns import Namespace
from tests.support.process import REPOSITORY, ServerProcess
from tests.support.tools import must_run, tool
from tests.transports.batches import (
    Libc,
    at_hand,
    carrier,
    client_of,
    counted,
    even_at_hand,
    failed,
    listening,
    replies,
    slow,
)
from tests.transports.clients import QUICK, echo, query, udp_client, until

#: Octets. Place of the port in a socket address, and of the interface in the pktinfo behind its header (IPv4, IPv6).
PORT = slice(2, 4)
INTERFACE_4, INTERFACE_6 = slice(16, 20), slice(32, 36)


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
            carrier(listener)._slots.names[place + PORT.start : place + PORT.stop] = b"\0\0"
        return octets + b"!"

    async with listening(now, host=host) as listener, client_of(listener, host) as client:
        for number in range(60):
            client.sock.send(query(number))
        assert await replies(client, 40) == [query(number) + b"!" for number in range(60) if number % 3]
        assert counted(listener) == (60, 40, 0, 20)


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        ((-errno.EINTR, -errno.EINTR), range(10)),
        ((-errno.EPERM,), range(1, 10)),
        ((3, -errno.ENETUNREACH), (0, 1, 2, 4, 5, 6, 7, 8, 9)),
        ((1, 1, 1, -errno.EINTR, 1), range(10)),
        ((4, -errno.EAGAIN), range(4)),  # the socket's buffer is full: the others are not tried
        ((-errno.ENOBUFS,), ()),
    ],
    ids=str,
)
async def test_what_the_kernel_does_not_take(
    told: tuple[int, ...], sent: range | tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(at_hand) as listener, client_of(listener) as client:
        monkeypatch.setattr(batch, "_LIBC", Libc(send=told))
        for number in range(10):
            client.sock.send(query(number))
        assert await replies(client, len(sent)) == [query(number) + b"!" for number in sent]
        await until(lambda: counted(listener) == (10, len(sent), 0, 10 - len(sent)))
        client.sock.send(query(99))
        assert await replies(client, 1) == [query(99) + b"!"]


async def test_errors_of_receiving_are_counted_and_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = (errno.EINTR, errno.ECONNREFUSED, errno.ENOMEM, errno.EAGAIN)
    async with listening(at_hand) as listener, client_of(listener) as client:
        monkeypatch.setattr(batch, "_LIBC", Libc(receive=errors))
        client.sock.send(query())
        assert await replies(client, 1) == [query() + b"!"]
        assert counted(listener) == (1, 1, 2, 0)


#: Addresses that were asked, and whether the reply is tied to the interface.
PATHS_4 = (("192.0.2.1", False), ("169.254.0.1", False), ("254.128.0.1", False))
PATHS_6 = (
    ("fd00::1", False),
    ("fec0::1", False),
    ("::1", False),
    ("2001:db8::fe80", False),
    ("febf::1", True),
    ("fe80::1", True),
    ("ff02::1", False),
)


def controls_of(paths: Iterable[tuple[str, bool]], *, freed: bool) -> bytes:
    """Ancillary data of datagrams to these addresses, by interface 7; *freed*: as they are to be for the replies."""
    whole = b""
    for asked, kept in paths:
        index = (0 if freed and not kept else 7).to_bytes(4, sys.byteorder)
        packed = socket.inet_pton(socket.AF_INET6 if ":" in asked else socket.AF_INET, asked)
        whole += (b"h" * 16 + (packed + index if ":" in asked else index + packed + packed)).ljust(64, b".")
    return whole


@pytest.mark.parametrize(
    ("host", "paths"),
    [
        ("0.0.0.0", PATHS_4),
        ("::", PATHS_6),
        ("::", PATHS_6[::-1]),
        ("::", PATHS_6[:3]),
        *(("::", (path,)) for path in PATHS_6),
        ("::", (PATHS_6 * BATCH)[:BATCH]),
        ("0.0.0.0", (PATHS_4 * BATCH)[:BATCH]),
    ],
    ids=str,
)
def test_only_a_link_local_reply_is_tied_to_its_interface(
    host: str, paths: tuple[tuple[str, bool], ...]
) -> None:
    """In one batch, whatever its neighbours are; and what is behind the batch stays as it is."""
    (sock,) = bind_all([(host, 0)], protocols=("udp",)).udp
    with sock:
        port = BatchPort(sock, QUICK, TransportCounters(), at_hand)
        controls = port._slots.controls
        behind = (controls_of(PATHS_6 if ":" in host else PATHS_4, freed=False) * BATCH)[
            64 * len(paths) : 64 * BATCH
        ]
        controls[:] = controls_of(paths, freed=False) + behind
        port._free_interfaces(len(paths))
        assert controls == controls_of(paths, freed=True) + behind


@pytest.mark.parametrize(("host", "place"), [("127.0.0.2", INTERFACE_4), ("::1", INTERFACE_6)])
async def test_a_reply_may_leave_by_another_interface(host: str, place: slice) -> None:
    async with listening(at_hand, host="::" if ":" in host else "0.0.0.0") as listener:
        async with client_of(listener, host) as client:
            client.sock.send(query())
            assert await replies(client, 1) == [query() + b"!"]
        assert carrier(listener)._slots.controls[place] == bytes(4)
        assert carrier(listener)._slots.controls[:16] != bytes(16)


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
        return failed(self._receive)

    def sendmmsg(self, *_: object) -> int:
        return failed(self._send)


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
