"""TCP: pipelining, partial frames, lengths that lie, clients that are slow, greedy or gone."""

import asyncio
from dataclasses import replace

import pytest

from dnsserver.transports.responder import Arrival
from dnsserver.wire.frames import TcpFrames, frame
from tests.transports.clients import (
    ask,
    closed,
    echo,
    hang,
    query,
    read_message,
    reset_when_closed,
    soon,
    tcp_client,
    until,
)
from tests.transports.tcp_serving import PATIENT, listening


@pytest.mark.parametrize(
    ("bound", "host"), [("127.0.0.1",) * 2, ("::1",) * 2, ("0.0.0.0", "127.0.0.2"), ("::", "::1")]
)
async def test_a_question_and_its_answer(bound: str, host: str) -> None:
    arrivals: list[Arrival] = []

    async def responder(octets: bytes, arrival: Arrival) -> bytes | None:
        arrivals.append(arrival)
        return octets[::-1]

    async with listening(responder, PATIENT, bound) as listener, tcp_client(host, listener.port) as streams:
        assert await ask(streams, query()) == query()[::-1]
        name = streams[1].get_extra_info("sockname")
        assert arrivals == [Arrival("tcp", name[0], name[1], host, listener.port, (bound, listener.port))]
        assert repr(listener).endswith("connections=1>")
        (connection,) = listener._connections
        assert "asked=1 in_flight=0 queued=0" in repr(connection)


async def test_pipelined_questions_are_answered_as_they_are_ready() -> None:
    first = asyncio.Event()

    async def responder(octets: bytes, _: Arrival) -> bytes | None:
        if octets[1] == 1:
            await first.wait()
        return octets

    async with (
        listening(responder, PATIENT) as listener,
        tcp_client("127.0.0.1", listener.port) as (reader, writer),
    ):
        writer.write(b"".join(frame(query(number)) for number in (1, 2, 3)))
        assert {await read_message(reader), await read_message(reader)} == {query(2), query(3)}
        first.set()
        assert await read_message(reader) == query(1)
        assert (listener.counters.tcp_received, listener.counters.tcp_sent) == (3, 3)


async def test_many_pipelined_questions_are_bounded_in_flight() -> None:
    most = running = 0

    async def responder(octets: bytes, _: Arrival) -> bytes | None:
        nonlocal most, running
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return octets

    limits = replace(PATIENT, tcp_in_flight_per_connection=5)
    async with (
        listening(responder, limits) as listener,
        tcp_client("127.0.0.1", listener.port) as (reader, writer),
    ):
        writer.write(b"".join(frame(query(number)) for number in range(500)))
        got = {await read_message(reader) for _ in range(500)}
        assert got == {query(number) for number in range(500)}
    assert most == 5


async def test_reading_stops_while_questions_wait() -> None:
    limits = replace(PATIENT, tcp_in_flight_per_connection=2)
    async with listening(hang, limits) as listener, tcp_client("127.0.0.1", listener.port) as (_, writer):
        writer.write(frame(query()) * 200_000)
        await until(lambda: listener.counters.tcp_received > 2)
        await asyncio.sleep(0.05)
        assert listener.counters.tcp_received < 2_000
        assert listener._pool.held < 65_536


async def test_questions_in_flight_are_bounded_over_all_connections_and_fair() -> None:
    go_on = asyncio.Event()

    async def responder(octets: bytes, _: Arrival) -> bytes | None:
        await go_on.wait()
        return octets

    limits = replace(PATIENT, tcp_in_flight=4)
    async with listening(responder, limits) as listener:
        port = listener.port
        async with tcp_client("127.0.0.1", port) as one, tcp_client("127.0.0.1", port) as two:
            one[1].write(frame(query(1)) * 10)
            await until(lambda: listener.counters.tcp_now == 4)
            two[1].write(frame(query(2)) * 10)
            await until(lambda: listener.counters.tcp_received == 20)
            assert listener.counters.tcp_now == 4
            go_on.set()
            assert [await read_message(one[0]) for _ in range(10)] == [query(1)] * 10
            assert [await read_message(two[0]) for _ in range(10)] == [query(2)] * 10


@pytest.mark.parametrize("size", [1, 2, 3, 5])
async def test_frames_in_pieces(size: int) -> None:
    async with (
        listening(echo, PATIENT) as listener,
        tcp_client("127.0.0.1", listener.port) as (reader, writer),
    ):
        stream = frame(query(1)) + frame(query(2, bytes(300))) + frame(query(3))
        for at in range(0, len(stream), size):
            writer.write(stream[at : at + size])
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        got = {await read_message(reader) for _ in range(3)}
        assert got == {query(1), query(2, bytes(300)), query(3)}


async def test_the_longest_message_both_ways() -> None:
    async with listening(echo, PATIENT) as listener, tcp_client("127.0.0.1", listener.port) as streams:
        long = query(7, bytes(65_535 - 12))
        assert await ask(streams, long) == long


LIES = {
    "empty": b"\0\0",
    "shorter than a header": b"\0\x0b" + bytes(11),
    "one octet": b"\0\1x",
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
async def test_too_short_a_message_ends_the_connection(lie: bytes) -> None:
    """What was asked before is answered, what comes after is not."""

    async def slow(octets: bytes, _: Arrival) -> bytes | None:
        await asyncio.sleep(0.01)
        return octets

    async with (
        listening(slow, PATIENT) as listener,
        tcp_client("127.0.0.1", listener.port) as (reader, writer),
    ):
        writer.write(frame(query(1)) + lie + frame(query(2)))
        assert await read_message(reader) == query(1)
        assert await closed(reader) == b""
        assert listener.counters.tcp_malformed == 1
        assert listener.counters.tcp_received - listener.counters.tcp_sent <= 2


async def test_a_length_longer_than_what_comes() -> None:
    async with listening(echo) as listener:
        async with tcp_client("127.0.0.1", listener.port) as (reader, writer):
            writer.write(b"\xff\xff" + query())
            assert await closed(reader) == b""
            await until(lambda: listener.counters.tcp_slow == 1)
        async with tcp_client("127.0.0.1", listener.port) as (reader, writer):
            writer.write(frame(query()) + b"\xff\xff" + query())
            writer.write_eof()
            assert await read_message(reader) == query()
            assert await closed(reader) == b""
            assert listener.counters.tcp_malformed == 1


async def test_silence_is_an_answer_and_the_connection_stays() -> None:
    async def responder(octets: bytes, _: Arrival) -> bytes | None:
        return octets if octets[1] == 2 else None

    async with (
        listening(responder, PATIENT) as listener,
        tcp_client("127.0.0.1", listener.port) as (reader, writer),
    ):
        writer.write(frame(query(1)) + frame(query(2)))
        assert await read_message(reader) == query(2)
        assert listener.counters.tcp_sent == 1


async def test_a_half_closed_client_gets_its_answers() -> None:
    async def slow(octets: bytes, _: Arrival) -> bytes | None:
        await asyncio.sleep(0.02)
        return octets

    async with listening(slow, replace(PATIENT, tcp_in_flight_per_connection=3)) as listener:
        async with tcp_client("127.0.0.1", listener.port) as (reader, writer):
            writer.write(b"".join(frame(query(number)) for number in range(10)))
            writer.write_eof()
            got = TcpFrames().feed(await closed(reader))
            assert set(got) == {query(number) for number in range(10)}
        await until(lambda: listener.counters.tcp_connections_now == 0)


async def test_a_client_that_leaves_cancels_its_questions() -> None:
    cancelled = asyncio.Event()

    async def responder(_octets: bytes, _: Arrival) -> bytes | None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return None

    async with listening(responder, PATIENT) as listener:
        async with tcp_client("127.0.0.1", listener.port) as (_, writer):
            writer.write(frame(query()))
            await until(lambda: listener.counters.tcp_now == 1)
            reset_when_closed(writer.get_extra_info("socket"))
        await soon(cancelled.wait())
        await until(lambda: listener.counters.tcp_now == 0)


async def test_what_a_broken_responder_does_is_survived() -> None:
    async def responder(octets: bytes, _: Arrival) -> bytes | None:
        match octets[1]:
            case 1:
                raise RuntimeError("broken")
            case 2:
                await asyncio.Event().wait()
            case 3:
                return bytes(65_536)
            case 4:
                raise asyncio.CancelledError
        return octets

    limits = replace(PATIENT, answer_s=0.05)
    async with (
        listening(responder, limits) as listener,
        tcp_client("127.0.0.1", listener.port) as (reader, writer),
    ):
        writer.write(b"".join(frame(query(number)) for number in range(1, 6)))
        assert await read_message(reader) == query(5)
        await until(lambda: listener.counters.tcp_now == 0)
        assert (listener.counters.answers_failed, listener.counters.answers_late) == (2, 1)
        assert await ask((reader, writer), query(9)) == query(9)
