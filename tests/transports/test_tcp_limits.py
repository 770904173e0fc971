"""TCP: clients that are slow, greedy or idle are cut; a listener that ends lets answers finish."""

import asyncio
import socket
from dataclasses import replace

import pytest

from dnsserver.transports.responder import Arrival
from dnsserver.wire.frames import frame
from tests.transports.clients import (
    PATIENCE_S,
    QUICK,
    ask,
    closed,
    echo,
    hang,
    query,
    read_message,
    reset_when_closed,
    silent,
    soon,
    tcp_client,
    udp_client,
    until,
)
from tests.transports.tcp_serving import PATIENT, listening


async def test_a_client_that_asks_nothing_is_cut() -> None:
    async with listening(echo) as listener, tcp_client("127.0.0.1", listener.port) as (reader, _):
        assert await closed(reader) == b""
        assert listener.counters.tcp_slow == 1


async def test_an_idle_client_is_cut() -> None:
    async with listening(echo) as listener, tcp_client("127.0.0.1", listener.port) as streams:
        clock = asyncio.get_running_loop().time
        for number in range(4):
            await ask(streams, query(number))
            await asyncio.sleep(QUICK.tcp_idle_s / 4)  # each question starts the time again
        asked = clock()
        await ask(streams, query(9))
        assert await closed(streams[0]) == b""
        assert clock() - asked >= QUICK.tcp_idle_s * 0.9
        assert listener.counters.tcp_idle == 1


async def test_a_client_that_waits_for_its_answer_is_not_idle() -> None:
    async def slow(octets: bytes, _: Arrival) -> bytes | None:
        await asyncio.sleep(0.15)
        return octets

    limits = replace(PATIENT, tcp_idle_s=0.05, tcp_first_read_s=0.05, tcp_message_s=0.05)
    async with listening(slow, limits) as listener, tcp_client("127.0.0.1", listener.port) as streams:
        assert await ask(streams, query()) == query()
        assert listener.counters.tcp_idle == 0


@pytest.mark.parametrize("asked_before", [0, 1])
async def test_a_trickled_question_does_not_live_for_ever(asked_before: int) -> None:
    async with listening(echo) as listener, tcp_client("127.0.0.1", listener.port) as (reader, writer):
        for number in range(asked_before):
            assert await ask((reader, writer), query(number)) == query(number)
        started = asyncio.get_running_loop().time()
        writer.write(b"\0\xff")
        while listener.counters.tcp_slow == 0:
            writer.write(b"x")
            await asyncio.sleep(0.01)
        assert 0.09 <= asyncio.get_running_loop().time() - started < PATIENCE_S
        assert await closed(reader) == b""


async def test_a_trickled_question_does_not_spoil_those_before_it() -> None:
    async def slow(octets: bytes, _: Arrival) -> bytes | None:
        await asyncio.sleep(0.25)
        return octets

    async with listening(slow) as listener, tcp_client("127.0.0.1", listener.port) as (reader, writer):
        writer.write(frame(query(1)) + b"\0")
        assert await read_message(reader) == query(1)
        assert await closed(reader) == b""
        assert listener.counters.tcp_slow == 1


async def test_a_client_that_never_reads_is_cut_and_others_are_served() -> None:
    async def much(octets: bytes, _: Arrival) -> bytes | None:
        return octets[:12] + bytes(60_000)

    async with listening(much) as listener:
        port = listener.port
        with socket.socket() as greedy:
            greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            greedy.setblocking(False)
            await asyncio.get_running_loop().sock_connect(greedy, ("127.0.0.1", port))
            await asyncio.get_running_loop().sock_sendall(greedy, frame(query()) * 1_000)
            async with tcp_client("127.0.0.1", port) as streams:
                assert (await ask(streams, query(2)))[:2] == query(2)[:2]
            await until(lambda: listener.counters.tcp_unread == 1)
            assert listener.counters.tcp_received < 1_100
            assert listener.counters.tcp_sent < 1_000


async def test_a_client_that_reads_slowly_but_reads_is_kept() -> None:
    async def much(octets: bytes, _: Arrival) -> bytes | None:
        return octets[:12] + bytes(30_000)

    limits = replace(PATIENT, tcp_write_s=1.0)
    async with (
        listening(much, limits) as listener,
        tcp_client("127.0.0.1", listener.port) as (reader, writer),
    ):
        writer.write(frame(query()) * 200)
        for _ in range(200):
            assert len(await read_message(reader)) == 30_012
            await asyncio.sleep(0.001)
        assert listener.counters.tcp_unread == 0


async def test_what_all_may_hold_is_bounded() -> None:
    limits = replace(PATIENT, tcp_held_octets=100_000)
    async with listening(echo, limits) as listener:
        port = listener.port
        async with tcp_client("127.0.0.1", port) as one, tcp_client("127.0.0.1", port) as two:
            one[1].write(b"\xff\xff" + bytes(60_000))
            await until(lambda: listener._pool.held > 60_000)
            two[1].write(b"\xff\xff" + bytes(60_000))
            await closed(two[0])
            assert listener.counters.tcp_overload == 1
            async with tcp_client("127.0.0.1", port) as three:
                assert await ask(three, query()) == query()


async def test_beyond_the_limit_the_longest_idle_connection_makes_room() -> None:
    async with listening(echo, replace(PATIENT, tcp_connections=3)) as listener:
        port = listener.port
        async with (
            tcp_client("127.0.0.1", port) as one,
            tcp_client("127.0.0.1", port) as two,
            tcp_client("127.0.0.1", port) as three,
        ):
            for number, streams in enumerate((one, two, three, one)):
                await ask(streams, query(number))
            async with tcp_client("127.0.0.1", port) as four:
                assert await ask(four, query(4)) == query(4)
                assert await closed(two[0]) == b""
                assert await ask(one, query(5)) == query(5)
                assert listener.counters.tcp_replaced == 1
                assert listener.counters.tcp_refused == 0


async def test_beyond_the_limit_with_none_idle_the_new_one_is_refused() -> None:
    async with listening(hang, replace(PATIENT, tcp_connections=2)) as listener:
        port = listener.port
        async with tcp_client("127.0.0.1", port) as one, tcp_client("127.0.0.1", port) as two:
            for _, writer in (one, two):
                writer.write(frame(query()))
            await until(lambda: listener.counters.tcp_now == 2)
            async with tcp_client("127.0.0.1", port) as (reader, _):
                assert await closed(reader) == b""
            assert listener.counters.tcp_refused == 1
            assert listener.counters.tcp_connections_now == 2


async def test_one_client_cannot_take_all_connections() -> None:
    async with listening(echo, replace(PATIENT, tcp_connections_per_client=2), "0.0.0.0") as listener:
        port = listener.port
        async with (
            tcp_client("127.0.0.1", port, source="127.0.0.9") as one,
            tcp_client("127.0.0.1", port, source="127.0.0.9") as two,
        ):
            assert await ask(one, query()) == await ask(two, query()) == query()
            async with tcp_client("127.0.0.1", port, source="127.0.0.9") as (reader, _):
                assert await closed(reader) == b""
            assert listener.counters.tcp_refused_per_client == 1
            async with tcp_client("127.0.0.1", port, source="127.0.0.8") as other:
                assert await ask(other, query()) == query()
        await until(lambda: listener.counters.tcp_connections_now == 0)
        async with tcp_client("127.0.0.1", port, source="127.0.0.9") as again:
            assert await ask(again, query()) == query()


async def test_drain_lets_answers_finish_and_closes_the_idle() -> None:
    go_on = asyncio.Event()

    async def responder(octets: bytes, _: Arrival) -> bytes | None:
        if octets[1] == 1:
            await go_on.wait()
        return octets

    async with listening(responder, PATIENT) as listener:
        port = listener.port
        async with tcp_client("127.0.0.1", port) as busy, tcp_client("127.0.0.1", port) as idle:
            await ask(idle, query(2))
            busy[1].write(frame(query(1)))
            await until(lambda: listener.counters.tcp_now == 1)
            closing = asyncio.create_task(listener.close(grace_s=PATIENCE_S))
            assert await closed(idle[0]) == b""
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
            go_on.set()
            assert await read_message(busy[0]) == query(1)
            assert await closed(busy[0]) == b""
            await soon(closing)


async def test_drain_serves_who_had_connected_already() -> None:
    """With SO_REUSEPORT another process takes over: what the kernel gave to us must not be lost."""
    async with listening(echo, PATIENT) as listener:
        with socket.create_connection(("127.0.0.1", listener.port)) as early:
            early.send(frame(query(3)))
            await listener.close(grace_s=PATIENCE_S)  # the event loop has had no turn since
            early.settimeout(PATIENCE_S)
            assert early.recv(100) == frame(query(3))
            assert early.recv(100) == b""


async def test_drain_does_not_wait_for_who_has_not_asked() -> None:
    async with listening(echo, PATIENT) as listener, tcp_client("127.0.0.1", listener.port) as (reader, _):
        await until(lambda: listener.counters.tcp_connections_now == 1)
        started = asyncio.get_running_loop().time()
        await listener.close(grace_s=PATIENCE_S)
        assert asyncio.get_running_loop().time() - started < 1
        assert await closed(reader) == b""
        assert listener.counters.tcp_slow == 0


async def test_drain_answers_a_first_question_that_is_on_its_way() -> None:
    async with (
        listening(echo, PATIENT) as listener,
        tcp_client("127.0.0.1", listener.port) as (reader, writer),
        tcp_client("127.0.0.1", listener.port) as (other, slowly),
    ):
        slowly.write(frame(query(2))[:5])
        await until(lambda: listener.counters.tcp_connections_now == 2)
        closing = asyncio.create_task(listener.close(grace_s=PATIENCE_S))
        await asyncio.sleep(PATIENT.tcp_last_question_s / 4)
        writer.write(frame(query(1)))
        assert await read_message(reader) == query(1)
        assert await closed(reader) == b""
        await asyncio.sleep(PATIENT.tcp_last_question_s * 2)
        slowly.write(frame(query(2))[5:])
        assert await read_message(other) == query(2)
        await soon(closing)


async def test_drain_ends_with_its_grace() -> None:
    async with (
        listening(hang, PATIENT) as listener,
        tcp_client("127.0.0.1", listener.port) as (reader, writer),
    ):
        writer.write(frame(query()))
        await until(lambda: listener.counters.tcp_now == 1)
        started = asyncio.get_running_loop().time()
        await listener.close(grace_s=0.05)
        assert 0.04 <= asyncio.get_running_loop().time() - started < 2
        assert await closed(reader) == b""


async def test_cancelled_owner_closes_all() -> None:
    async def owner(ports: asyncio.Queue[int]) -> None:
        async with listening(hang, PATIENT) as listener:
            ports.put_nowait(listener.port)
            await asyncio.Event().wait()

    ports: asyncio.Queue[int] = asyncio.Queue()
    task = asyncio.create_task(owner(ports))
    port = await soon(ports.get())
    async with tcp_client("127.0.0.1", port) as (reader, writer):
        writer.write(frame(query()))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert await closed(reader) == b""
    assert {other for other in asyncio.all_tasks() if other.get_name().startswith("tcp")} == set()


async def test_clients_that_reset_at_once() -> None:
    async with listening(echo, PATIENT) as listener:
        for _ in range(200):
            with socket.socket() as client:
                reset_when_closed(client)
                client.connect(("127.0.0.1", listener.port))
                client.send(b"\0")
        async with tcp_client("127.0.0.1", listener.port) as streams:
            assert await ask(streams, query()) == query()
        await until(lambda: listener.counters.tcp_connections_now == 0)


async def test_udp_and_silence_do_not_matter_to_tcp() -> None:
    async with listening(silent, PATIENT) as listener, udp_client() as client:
        await client.send(query(), ("127.0.0.1", listener.port))  # nobody listens there
        assert listener.counters.udp_received == 0
