"""UDP in batches: the same promises as one by one (test_udp.py), and those that only batches can break."""

import asyncio
import gc
import logging
import tracemalloc
from dataclasses import replace
from itertools import count

import pytest

from dnsserver.transports.batch import BATCH, ROUNDS, SLOT
from dnsserver.transports.limits import TransportLimits
from dnsserver.transports.responder import AnswerNow, Arrival, Responder
from tests.transports.batches import (
    ADDRESSES,
    WAITING,
    at_hand,
    client_of,
    counted,
    even_at_hand,
    listening,
    nothing_at_hand,
    replies,
    slow,
)
from tests.transports.clients import (
    PATIENCE_S,
    QUICK,
    echo,
    hang,
    open_files,
    query,
    silent,
    udp_client,
    until,
)

ROUNDS_OF_STARTING = 500
#: Octets that a round may leave behind, on average: less than any object has.
LEFT_PER_ROUND = 8


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
