"""UDP: each datagram on its own, replies from the address that was asked, and errors that are survived."""

import asyncio
import gc
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from dnsserver.transports.binding import bind_all
from dnsserver.transports.limits import TransportLimits
from dnsserver.transports.responder import Arrival, Responder
from dnsserver.transports.udp import DgramPort, UdpListener
from dnsserver.transports.wildcard import WildcardPort, reply_path
from tests.transports.clients import (
    PATIENCE_S,
    QUICK,
    SILENCE_S,
    UdpClient,
    echo,
    hang,
    open_files,
    query,
    receive_from,
    silent,
    soon,
    udp_client,
    until,
)


@asynccontextmanager
async def listening(
    responder: Responder, host: str = "127.0.0.1", limits: TransportLimits = QUICK
) -> AsyncIterator[UdpListener]:
    (sock,) = bind_all([(host, 0)], protocols=("udp",), limits=limits).udp
    async with UdpListener(sock, responder, limits=limits) as listener:
        yield listener


async def nothing_comes(client: UdpClient) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SILENCE_S):
            await receive_from(client.sock)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1"])
async def test_one_address(host: str) -> None:
    arrivals: list[Arrival] = []

    async def responder(octets: bytes, arrival: Arrival) -> bytes | None:
        arrivals.append(arrival)
        return octets[::-1]

    async with listening(responder, host) as listener, udp_client(host) as client:
        reply = await client.ask(query(), (host, listener.port))
        assert reply == (query()[::-1], (host, listener.port))
        assert arrivals == [
            Arrival("udp", host, client.sock.getsockname()[1], host, listener.port, (host, listener.port))
        ]
        assert (listener.counters.udp_received, listener.counters.udp_sent) == (1, 1)
        assert repr(listener).startswith("<UdpListener ")


WILDCARDS = [("0.0.0.0", "127.0.0.1"), ("0.0.0.0", "127.0.0.2"), ("0.0.0.0", "127.9.8.7"), ("::", "::1")]


@pytest.mark.parametrize(("bound", "asked"), WILDCARDS)
async def test_a_reply_leaves_from_the_address_that_was_asked(bound: str, asked: str) -> None:
    arrivals: list[Arrival] = []

    async def responder(octets: bytes, arrival: Arrival) -> bytes | None:
        arrivals.append(arrival)
        return octets

    async with listening(responder, bound) as listener, udp_client(bound) as client:
        octets, origin = await client.ask(query(), (asked, listener.port))
        assert (octets, origin) == (query(), (asked, listener.port))
        assert arrivals[0].server_host == asked


def test_reply_path_keeps_the_interface_of_link_local_addresses_only() -> None:
    index, name = socket.if_nameindex()[0]
    local = socket.inet_pton(socket.AF_INET6, "fe80::1")
    packed = local + index.to_bytes(4, sys.byteorder)
    host, ((_, _, back),) = reply_path(socket.IPPROTO_IPV6, packed)
    assert (host, back) == (f"fe80::1%{name}", packed)
    routed = socket.inet_pton(socket.AF_INET6, "fd00::1")
    host, ((_, _, back),) = reply_path(socket.IPPROTO_IPV6, routed + packed[16:])
    assert (host, back) == ("fd00::1", routed + bytes(4))


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_a_large_datagram_comes_whole(host: str) -> None:
    sizes: list[int] = []

    async def responder(octets: bytes, _: Arrival) -> bytes | None:
        sizes.append(len(octets))
        return octets[:12]

    async with listening(responder, host) as listener, udp_client() as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        for size in (512, 4096, 65_507):
            await client.ask(bytes(size), ("127.0.0.1", listener.port))
    assert sizes == [512, 4096, 65_507]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_a_slow_answer_holds_nobody_up(host: str) -> None:
    go_on = asyncio.Event()

    async def responder(octets: bytes, _: Arrival) -> bytes | None:
        if octets[1] == 1:
            await go_on.wait()
        return octets

    async with listening(responder, host, TransportLimits()) as listener, udp_client() as client:
        to = ("127.0.0.1", listener.port)
        await client.send(query(1), to)
        assert (await client.ask(query(2), to))[0] == query(2)
        assert listener.counters.udp_now == 1
        go_on.set()
        assert (await client.receive())[0] == query(1)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_beyond_the_limit_in_flight_datagrams_are_dropped(host: str) -> None:
    limits = replace(QUICK, udp_in_flight=3, answer_s=PATIENCE_S)
    async with listening(hang, host, limits) as listener, udp_client() as client:
        for number in range(10):
            await client.send(query(number), ("127.0.0.1", listener.port))
        await until(lambda: listener.counters.udp_received == 10)
        assert (listener.counters.udp_now, listener.counters.udp_dropped) == (3, 7)
        assert "in_flight=3" in repr(listener)
    assert listener.counters.udp_now == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_what_a_broken_responder_does_is_survived(host: str, caplog: pytest.LogCaptureFixture) -> None:
    async def responder(octets: bytes, _: Arrival) -> bytes | None:
        match octets[1]:
            case 1:
                raise RuntimeError("broken")
            case 2:
                await asyncio.Event().wait()
            case 3:
                return bytes(65_536)
            case 4:
                return "text"  # type: ignore[return-value]
            case 5:
                raise asyncio.CancelledError
            case 6:
                return bytes(65_530)  # more than a datagram can hold: EMSGSIZE
            case 7:
                raise TimeoutError
        return octets

    async with listening(responder, host) as listener, udp_client() as client:
        to = ("127.0.0.1", listener.port)
        for number in range(1, 8):
            await client.send(query(number), to)
            assert (await client.ask(query(100 + number), to))[0] == query(100 + number)
        await until(lambda: listener.counters.udp_now == 0)
        counters = listener.counters
        assert (counters.answers_failed, counters.answers_late) == (4, 1)
        assert counters.udp_send_errors == 1
        assert (counters.udp_received, counters.udp_sent) == (14, 7)
    assert sum("the responder" in line for line in caplog.messages) == 3  # times 1, 2 and 4


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
async def test_clients_that_have_gone(host: str) -> None:
    """Each reply meets a closed port: an ICMP error comes back."""
    loopback = "::1" if ":" in host else "127.0.0.1"
    async with listening(echo, host) as listener, udp_client(loopback) as client:
        for _ in range(50):
            async with udp_client(loopback) as gone:
                await gone.send(query(), (loopback, listener.port))
        assert (await client.ask(query(), (loopback, listener.port)))[0] == query()


@pytest.mark.parametrize("error", [ConnectionRefusedError, PermissionError, OSError(105, "No buffer space")])
async def test_an_old_error_costs_no_reply(error: OSError | type[OSError]) -> None:
    """asyncio_dgram raises it at the next call, which is somebody else's."""
    async with listening(echo) as listener, udp_client() as client:
        to = ("127.0.0.1", listener.port)
        await client.ask(query(), to)
        carrier = listener._carrier
        assert isinstance(carrier, DgramPort)
        for _ in range(3):
            carrier._stream._excq.put_nowait(error if isinstance(error, OSError) else error())
        assert (await client.ask(query(2), to))[0] == query(2)
        assert (await client.ask(query(3), to))[0] == query(3)
        assert listener.counters.udp_send_errors + listener.counters.udp_receive_errors == 3


class _Failing(socket.socket):
    """A socket whose calls fail as often as told."""

    failures: tuple[OSError, ...] = ()

    def _fail(self) -> None:
        if self.failures:
            error, *rest = self.failures
            self.failures = tuple(rest)
            raise error


class _FailingReceive(_Failing):
    def recvmsg_into(self, *arguments, **names):  # type: ignore[no-untyped-def]
        self._fail()
        return super().recvmsg_into(*arguments, **names)


class _FailingSend(_Failing):
    def sendmsg(self, *arguments, **names):  # type: ignore[no-untyped-def]
        self._fail()
        return super().sendmsg(*arguments, **names)


ERRORS = (ConnectionRefusedError(111, "refused"), OSError(105, "ENOBUFS"), PermissionError(1, "EPERM"))


@pytest.mark.parametrize("kind", [_FailingReceive, _FailingSend])
async def test_errors_of_a_wildcard_socket_are_counted_and_survived(kind: type[_Failing]) -> None:
    sock = kind(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("0.0.0.0", 0))
    async with UdpListener(sock, echo, limits=QUICK) as listener, udp_client() as client:
        assert isinstance(listener._carrier, WildcardPort)
        assert repr(listener._carrier) == "<WildcardPort 0.0.0.0>"
        sock.failures = ERRORS
        to = ("127.0.0.1", listener.port)
        for number in range(len(ERRORS)):
            await client.send(query(number), to)
        await until(lambda: listener.counters.udp_received == len(ERRORS))
        assert (await client.ask(query(9), to))[0] in {query(number) for number in (0, 1, 2, 9)}
        assert listener.counters.udp_receive_errors + listener.counters.udp_send_errors == len(ERRORS)


async def test_a_stream_that_the_loop_gave_up_is_opened_again() -> None:
    async with listening(echo) as listener, udp_client() as client:
        to = ("127.0.0.1", listener.port)
        await client.ask(query(), to)
        carrier = listener._carrier
        assert isinstance(carrier, DgramPort)
        assert repr(carrier) == "<DgramPort 127.0.0.1>"
        carrier._stream.close()
        await until(lambda: listener.counters.udp_reopened == 1)
        assert (await client.ask(query(2), to))[0] == query(2)


async def test_a_flood_leaves_the_event_loop_its_turns() -> None:
    limits = replace(QUICK, udp_batch=8)
    taken: list[int] = []
    async with listening(silent, "0.0.0.0", limits) as listener, udp_client() as client:
        for _ in range(100):
            client.sock.sendto(query(), ("127.0.0.1", listener.port))
        while listener.counters.udp_received < 100:
            before = listener.counters.udp_received
            await asyncio.sleep(0)
            taken.append(listener.counters.udp_received - before)
    assert max(taken) == 8


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_close_answers_what_has_arrived(host: str) -> None:
    async def slow(octets: bytes, _: Arrival) -> bytes | None:
        await asyncio.sleep(0.02)
        return octets

    async with listening(slow, host) as listener, udp_client() as client:
        for number in range(20):
            client.sock.sendto(query(number), ("127.0.0.1", listener.port))
        await listener.close(grace_s=PATIENCE_S)  # nothing was received so far
        got = {(await client.receive())[0] for _ in range(20)}
        assert got == {query(number) for number in range(20)}


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_close_waits_no_longer_than_its_grace(host: str) -> None:
    cancelled = asyncio.Event()

    async def responder(_octets: bytes, _: Arrival) -> bytes | None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return None

    limits = replace(QUICK, answer_s=PATIENCE_S)
    async with listening(responder, host, limits) as listener, udp_client() as client:
        await client.send(query(), ("127.0.0.1", listener.port))
        await until(lambda: listener.counters.udp_now == 1)
        started = asyncio.get_running_loop().time()
        await listener.close(grace_s=0.05)
        assert asyncio.get_running_loop().time() - started < 2
        assert cancelled.is_set()
        await listener.close()  # again: nothing to do


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_files_and_port_are_free_after_close(host: str) -> None:
    gc.collect()
    before = open_files()
    async with listening(echo, host) as listener:
        port = listener.port
    assert open_files() == before
    bind_all([(host, port)], protocols=("udp",)).close()


async def test_silence_is_an_answer() -> None:
    async with listening(silent) as listener, udp_client() as client:
        await client.send(query(), ("127.0.0.1", listener.port))
        await until(lambda: listener.counters.udp_received == 1)
        await nothing_comes(client)
        assert listener.counters.udp_sent == 0


async def test_cancelled_owner_closes_all() -> None:
    async def owner(ports: asyncio.Queue[int]) -> None:
        async with listening(hang, "0.0.0.0") as listener:
            ports.put_nowait(listener.port)
            await asyncio.Event().wait()

    ports: asyncio.Queue[int] = asyncio.Queue()
    task = asyncio.create_task(owner(ports))
    port = await soon(ports.get())
    async with udp_client() as client:
        await client.send(query(), ("127.0.0.1", port))
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert {other.get_name() for other in asyncio.all_tasks() if "udp" in other.get_name()} == set()
    bind_all([("0.0.0.0", port)], protocols=("udp",)).close()
