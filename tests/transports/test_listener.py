"""All sockets of a server: bound together or not at all, with reasons; and the addresses of this host."""

import asyncio
import errno
import gc
import ipaddress
import os
import re
import socket
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import ifaddr
import pytest

from dnsserver.transports.addresses import addresses_of, endpoint_text, host_text, local_addresses
from dnsserver.transports.binding import BoundSockets, ListenError, bind_all
from dnsserver.transports.limits import DEFAULT_LIMITS, TransportCounters, TransportLimits
from dnsserver.transports.listener import Listener
from dnsserver.transports.pool import ConnectionPool
from dnsserver.transports.responder import Arrival
from tests.transports.clients import (
    PATIENCE_S,
    QUICK,
    ask,
    closed,
    echo,
    open_files,
    query,
    receive_from,
    soon,
    tcp_client,
    udp_client,
    until,
)

HOSTS = ("127.0.0.1", "127.0.0.2", "::1")


async def test_several_addresses_one_port_udp_and_tcp() -> None:
    async with Listener.bind([(host, 0) for host in HOSTS], echo, limits=QUICK) as listener:
        ports = {port for _, port in listener.endpoints}
        assert len(ports) == 1
        assert tuple(host for host, _ in listener.endpoints) == HOSTS
        (port,) = ports
        for host in HOSTS:
            async with udp_client(host) as client, tcp_client(host, port) as streams:
                assert await client.ask(query(1), (host, port)) == (query(1), (host, port))
                assert await ask(streams, query(2)) == query(2)
        assert (listener.counters.udp_sent, listener.counters.tcp_sent) == (3, 3)
        await until(lambda: listener.counters.tcp_connections_now == 0)
        assert repr(listener) == (
            f"<Listener 127.0.0.1:{port} 127.0.0.2:{port} [::1]:{port} udp=0 tcp=0 connections=0>"
        )


async def test_every_address() -> None:
    arrivals: list[Arrival] = []

    async def responder(octets: bytes, arrival: Arrival) -> bytes | None:
        arrivals.append(arrival)
        return octets

    async with Listener.bind([("", 0)], responder, limits=QUICK) as listener:
        assert tuple(host for host, _ in listener.endpoints) == ("0.0.0.0", "::")
        (port,) = {port for _, port in listener.endpoints}
        for host in HOSTS:
            async with (
                udp_client("::" if ":" in host else "0.0.0.0") as client,
                tcp_client(host, port) as streams,
            ):
                assert (await client.ask(query(1), (host, port)))[1] == (host, port)
                assert await ask(streams, query(2)) == query(2)
    assert {(arrival.protocol, arrival.server_host, arrival.server_port) for arrival in arrivals} == {
        (protocol, host, port) for protocol in ("udp", "tcp") for host in HOSTS
    }
    assert all("ffff" not in arrival.client_host for arrival in arrivals)


async def test_link_local_addresses_keep_their_scope() -> None:
    """On hosts that have one: asked on the wildcard and on itself."""
    found = [address for _, name in socket.if_nameindex() for address in addresses_of(name) if "%" in address]
    arrivals: list[Arrival] = []

    async def responder(octets: bytes, arrival: Arrival) -> bytes | None:
        arrivals.append(arrival)
        return octets

    for address in found[:1]:
        for bound in ("::", address):
            async with (
                Listener.bind([(bound, 0)], responder, limits=QUICK) as listener,
                udp_client("::") as client,
            ):
                port = listener.endpoints[0][1]
                name = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0][4]
                client.sock.sendto(query(), name)
                _, origin = await soon(receive_from(client.sock))
                assert host_text(origin) == address
                async with tcp_client(address, port) as streams:
                    assert await ask(streams, query()) == query()
    assert {arrival.server_host for arrival in arrivals} == set(found[:1])
    assert {arrival.client_host for arrival in arrivals} == set(found[:1])


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0"])
def test_a_port_in_use_is_an_error_and_nothing_stays_bound(protocol: str, host: str) -> None:
    with closing(bind_all([(host, 0)])) as taken:
        ((_, port),) = taken.endpoints
        for sock in taken.tcp if protocol == "udp" else taken.udp:
            sock.close()
        gc.collect()
        files = open_files()
        with pytest.raises(ListenError) as caught:
            bind_all([("127.0.0.3", 0), (host, port), ("127.0.0.4", 0)])
        assert open_files() == files
        text = f"listen {protocol} {endpoint_text(host, port)}: bind: address already in use"
        assert str(caught.value).startswith(text)
        assert caught.value.hint == f"another process listens there; `ss -lnptu sport = :{port}` shows which"
        assert caught.value.errno == errno.EADDRINUSE


def test_an_address_of_another_host() -> None:
    with pytest.raises(
        ListenError, match=r"listen tcp 203\.0\.113\.9:5353: bind: cannot assign requested address"
    ):
        bind_all([("203.0.113.9", 5353)])


@pytest.mark.parametrize("host", ["localhost", "300.1.1.1", "eth0", "1.2.3", "fe80::1%nosuch0", "é"])
def test_a_host_that_is_no_address(host: str) -> None:
    with pytest.raises(
        ListenError, match=f"^listen tcp {re.escape(endpoint_text(host, 53))}: not a valid IP address$"
    ):
        bind_all([(host, 53)])


def test_a_port_that_is_none() -> None:
    with pytest.raises(ListenError, match=r"^listen tcp 127\.0\.0\.1:70000: invalid port$"):
        bind_all([("127.0.0.1", 70_000)])


def test_a_privileged_port_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(socket.socket):
        def bind(self, _address: object) -> None:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(socket, "socket", Refused)
    with pytest.raises(
        ListenError, match=r"^listen tcp :53: bind: permission denied .*NET_BIND_SERVICE.*1053"
    ):
        bind_all([("", 53)])


def test_a_host_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnlyIPv4(socket.socket):
        def __init__(self, family: int = socket.AF_INET, *rest: int) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
            super().__init__(family, *rest)

    monkeypatch.setattr(socket, "socket", OnlyIPv4)
    with closing(bind_all([("", 0)])) as bound:
        assert [host for host, _ in bound.endpoints] == ["0.0.0.0"]
    with pytest.raises(ListenError, match="address family not supported"):
        bind_all([("::1", 0)])


def test_port_0_is_tried_until_it_is_free_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = 3

    class Unlucky(socket.socket):
        def bind(self, address: Any) -> None:
            nonlocal refusals
            if self.type == socket.SOCK_DGRAM and address[1] and refusals:
                refusals -= 1
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            super().bind(address)

    monkeypatch.setattr(socket, "socket", Unlucky)
    with closing(bind_all([("127.0.0.1", 0)])) as bound:
        assert len(bound.endpoints) == 1
    assert refusals == 0


def test_workers_share_a_udp_port_and_no_other_server_gets_in() -> None:
    with closing(bind_all([("127.0.0.1", 0)], reuse_udp_port=True)) as one:
        with closing(bind_all(one.udp_endpoints, protocols=("udp",), reuse_udp_port=True)) as two:
            assert one.endpoints == two.endpoints
        for reused in (True, False):
            with pytest.raises(ListenError, match="address already in use"):
                bind_all(one.endpoints, reuse_udp_port=reused)


def test_sockets_ask_for_large_buffers() -> None:
    with closing(bind_all([("127.0.0.1", 0)])) as bound, socket.socket(type=socket.SOCK_DGRAM) as plain:
        sizes = [sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) for sock in (bound.udp[0], plain)]
        assert sizes[0] >= sizes[1]


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of Linux")
def test_buffers_beyond_the_limit_of_the_system() -> None:
    """Who may exceed net.core.rmem_max does: 5 times of it here."""
    most = int(Path("/proc/sys/net/core/rmem_max").read_text())
    limits = replace(DEFAULT_LIMITS, udp_socket_buffer=5 * most)
    with closing(bind_all([("127.0.0.1", 0)], protocols=("udp",), limits=limits)) as bound:
        size = bound.udp[0].getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    assert size >= (5 if _may_exceed() else 1) * most


def _may_exceed() -> bool:
    """Whether this process may set SO_RCVBUFFORCE."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        try:
            sock.setsockopt(socket.SOL_SOCKET, 33, 4096)
        except PermissionError:
            return False
    return True


async def test_another_process_takes_over_without_loss() -> None:
    """A worker is replaced: its successor has the same sockets, and questions keep coming."""
    stop = asyncio.Event()
    asked = 0

    async def ask_on(port: int) -> None:
        nonlocal asked
        async with udp_client() as client:
            while not stop.is_set():
                asked += 1
                assert (await client.ask(query(asked), ("127.0.0.1", port)))[0][12:] == b"question"
                async with tcp_client("127.0.0.1", port) as streams:
                    assert await ask(streams, query(7)) == query(7)

    def listener() -> Listener:
        copies = (tuple(each.dup() for each in some) for some in (bound.udp, bound.tcp))
        return Listener(BoundSockets(*copies), echo, now=lambda *_: None)

    bound = bind_all([("127.0.0.1", 0)])
    old = listener()
    await old.start()
    ((_, port),) = old.endpoints
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(ask_on(port))
        for _ in range(5):
            await asyncio.sleep(0.05)
            await old.close(grace_s=PATIENCE_S, handed_over=True)
            old = listener()
            await old.start()
        stop.set()
    await old.close()
    bound.close()
    assert asked > 20


async def test_counters_and_limits_are_shared_by_all_sockets() -> None:
    limits = TransportLimits(tcp_connections=1)
    async with Listener.bind([(host, 0) for host in HOSTS[:2]], echo, limits=limits) as listener:
        port = listener.endpoints[0][1]
        async with tcp_client(HOSTS[0], port) as one:
            await ask(one, query())
            async with tcp_client(HOSTS[1], port) as two:
                await ask(two, query())
            assert listener.counters.tcp_replaced == 1


async def test_listeners_that_share_a_pool_make_room_for_each_other() -> None:
    pool = ConnectionPool(TransportLimits(tcp_connections=2), TransportCounters())
    async with (
        Listener.bind([(HOSTS[0], 0)], echo, pool=pool) as one,
        Listener.bind([(HOSTS[1], 0)], echo, pool=pool) as two,
    ):
        async with tcp_client(*one.endpoints[0]) as first, tcp_client(*one.endpoints[0]) as second:
            assert await ask(first, query()) == await ask(second, query()) == query()
            async with tcp_client(*two.endpoints[0]) as third:
                assert await ask(third, query()) == query()
                assert await closed(first[0]) == b""
                assert await ask(second, query()) == query()
            assert (pool.counters.tcp_replaced, pool.counters.tcp_refused) == (1, 0)
        assert one.counters is two.counters


async def test_arrivals_name_the_socket_that_they_came_in_by() -> None:
    arrivals: list[Arrival] = []

    async def responder(octets: bytes, arrival: Arrival) -> bytes | None:
        arrivals.append(arrival)
        return octets

    async with Listener.bind([("", 0)], responder, limits=QUICK) as listener:
        port = listener.endpoints[0][1]
        for host in HOSTS:
            async with udp_client(host) as client, tcp_client(host, port) as streams:
                await client.ask(query(1), (host, port))
                await ask(streams, query(2))
    assert {(arrival.server_host, arrival.listener) for arrival in arrivals} == {
        ("127.0.0.1", ("0.0.0.0", port)),
        ("127.0.0.2", ("0.0.0.0", port)),
        ("::1", ("::", port)),
    }


async def test_close_before_start_and_twice() -> None:
    listener = Listener.bind([("127.0.0.1", 0)], echo)
    (endpoint,) = listener.endpoints
    await listener.close()
    await listener.close(grace_s=1)
    bind_all([endpoint]).close()


def test_bound_sockets_name_each_endpoint_once() -> None:
    with closing(bind_all([("127.0.0.1", 0), ("127.0.0.1", 0)])) as bound:
        assert isinstance(bound, BoundSockets)
        assert len(bound.udp) == len(bound.tcp) == len(bound.endpoints) == 1


def test_addresses_of_loopback() -> None:
    name = next(name for _, name in socket.if_nameindex() if "127.0.0.1" in addresses_of(name))
    assert name.startswith("lo")


def test_addresses_of_an_interface_that_does_not_exist() -> None:
    with pytest.raises(LookupError, match='not a valid IP address or interface name: "nosuch0"'):
        addresses_of("nosuch0")


def test_local_addresses_can_be_bound_and_are_not_loopback() -> None:
    for address in local_addresses():
        parsed = ipaddress.ip_address(address)
        assert not parsed.is_loopback
        if not parsed.is_link_local:
            bind_all([(address, 0)]).close()


def test_addresses_of_a_host_with_all_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    adapters = [
        ifaddr.Adapter("lo", "lo", [ifaddr.IP("127.0.0.1", 8, "lo"), ifaddr.IP(("::1", 0, 0), 128, "lo")]),
        ifaddr.Adapter(
            "eth0",
            "eth0",
            [
                ifaddr.IP("10.0.0.7", 24, "eth0"),
                ifaddr.IP(("fd00::7", 0, 0), 64, "eth0"),
                ifaddr.IP(("fe80::7", 0, 2), 64, "eth0"),
            ],
        ),
        ifaddr.Adapter("nodelocaldns", "nodelocaldns", [ifaddr.IP("169.254.20.10", 32, "nodelocaldns")]),
        ifaddr.Adapter("again", "again", [ifaddr.IP("10.0.0.7", 32, "again")]),
    ]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: adapters)
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(1, "lo"), (2, "eth0"), (9, "empty0")])
    assert local_addresses() == ("10.0.0.7", "fd00::7", "fe80::7", "169.254.20.10")
    assert addresses_of("eth0") == ("10.0.0.7", "fd00::7", "fe80::7%eth0")
    assert addresses_of("nodelocaldns") == ("169.254.20.10",)
    assert addresses_of("empty0") == ()


HOST_TEXTS = {
    "10.0.0.1": ("10.0.0.1", 53),
    "10.0.0.2": ("::ffff:10.0.0.2", 53, 0, 0),
    "fd00::1": ("fd00::1", 53, 0, 0),
    "fe80::1%nic7": ("fe80::1", 53, 0, 7),
    "fe80::2%nic7": ("fe80::2%nic7", 53, 0, 7),
    "fe80::3%8": ("fe80::3", 53, 0, 8),
}


@pytest.mark.parametrize(("text", "address"), HOST_TEXTS.items())
def test_host_text(text: str, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def name_of(index: int) -> str:
        if index != 7:
            raise OSError(errno.ENXIO, "no such interface")
        return "nic7"

    monkeypatch.setattr(socket, "if_indextoname", name_of)
    assert host_text(address) == text
