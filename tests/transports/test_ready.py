"""Ready replies in the loop over a batch: found, written in place of their queries, counted."""

import asyncio
import logging
from dataclasses import dataclass, field

import pytest

from dnsserver.transports import batch
from dnsserver.transports.batch import BATCH, ROUNDS, SLOT
from dnsserver.transports.limits import TransportLimits
from dnsserver.transports.listener import Listener
from dnsserver.transports.responder import Finders, ReadyReply
from tests.transports.batches import (
    ADDRESSES,
    WAITING,
    at_hand,
    carrier,
    client_of,
    counted,
    even_at_hand,
    listening,
    nothing_at_hand,
    replies,
    slow,
)
from tests.transports.clients import PATIENCE_S, QUICK, hang, query, udp_client, until

QUERY = query(0x4142)


@dataclass
class Table:
    """Three dictionaries of ready replies, and what was told of those that were given."""

    first: dict[bytes, ReadyReply] = field(default_factory=dict)
    second: dict[bytes, ReadyReply] = field(default_factory=dict)
    third: dict[bytes, ReadyReply] = field(default_factory=dict)
    told: list[tuple[int, float]] = field(default_factory=list)
    batches: int = 0

    def find(self) -> Finders:
        self.batches += 1
        return self.first.get, self.second.get, self.third.get

    def given(self, replies: int, seconds: float) -> None:
        self.told.append((replies, seconds))

    @property
    def number(self) -> int:
        return sum(replies for replies, _ in self.told)


def text(number: int) -> bytes:
    return b"question %d" % number


def ready(
    reply: bytes, tally: list[int] | None = None, changing: tuple[int, list[bytes]] | None = None
) -> ReadyReply:
    """*reply* is what stands behind the ID."""
    return reply, 2 + len(reply), [0] if tally is None else tally, changing, None


def unasked(octets: bytes, _protocol: str, _ipv6: bool) -> bytes | None:
    raise AssertionError(octets)


@pytest.mark.parametrize(("bound", "asked"), ADDRESSES)
async def test_a_ready_reply_gets_the_querys_id(bound: str, asked: str) -> None:
    tally = [5]
    table = Table({QUERY[2:]: ready(b"the reply", tally)})
    async with listening(unasked, host=bound, ready=table) as listener, client_of(listener, asked) as client:
        for number in (0, 1, 0x4142, 0xFFFF):
            octets = query(number)
            client.sock.send(octets)
            assert (await client.receive()) == (octets[:2] + b"the reply", (asked, listener.port))
        assert tally == [9]
        assert counted(listener) == (4, 4, 0, 0)
        assert listener.counters.answers_failed == 0
    assert table.number == 4
    assert all(0 < seconds < PATIENCE_S for _, seconds in table.told)


@pytest.mark.parametrize(
    "octets", [QUERY + b"x", QUERY[:-1], b"\0" + QUERY, QUERY.upper(), QUERY[:2], b"A", b""]
)
async def test_other_octets_find_nothing(octets: bytes) -> None:
    """Every octet behind the ID counts; what has none is not looked up as something else."""
    table = Table({QUERY[2:]: ready(b"wrong")})
    async with listening(at_hand, ready=table) as listener, client_of(listener) as client:
        client.sock.send(octets)
        assert await replies(client, 1) == [octets + b"!"]
    assert table.told == []


async def test_the_first_place_is_looked_at_first() -> None:
    table = Table(
        {b"both": ready(b"first"), b"one": ready(b"one")}, {b"both": ready(b"second"), b"two": ready(b"two")}
    )
    async with listening(unasked, ready=table) as listener, client_of(listener) as client:
        for octets in (b"IDboth", b"IDone", b"IDtwo"):
            client.sock.send(octets)
        assert await replies(client, 3) == [b"IDfirst", b"IDone", b"IDtwo"]
    assert table.number == 3
    assert [entry[2] for entry in (*table.first.values(), *table.second.values())] == [[1], [1], [0], [1]]


async def test_where_to_look_is_asked_with_each_batch() -> None:
    table = Table({b"query": ready(b"old")})
    async with listening(at_hand, ready=table) as listener, client_of(listener) as client:
        for reply, found in (
            (b"IDold", {b"query": ready(b"old")}),
            (b"IDnew", {b"query": ready(b"new")}),
            (b"IDquery!", {}),
        ):
            table.first = found
            before = table.batches
            client.sock.send(b"IDquery")
            assert await replies(client, 1) == [reply]
            assert table.batches > before


@pytest.mark.parametrize("place", [2, 3, 7, 18])
async def test_octets_that_change_are_those_of_now(place: int) -> None:
    """In every slot; no other octet changes, and nothing is left of the value before."""
    now = [b"...."]
    tally = [0]
    table = Table({b"query": ready(bytes(20), tally, (place, now)), b"other": ready(bytes(20))})
    async with listening(unasked, ready=table) as listener, client_of(listener) as client:
        for value in (b"\1\2\3\4", b"\0\0\0\0", b"abcd"):
            now[0] = value
            for octets in (b"IDquery", b"IDother", b"ICquery"):
                client.sock.send(octets)
            changed = bytes(place - 2) + value + bytes(18 - place)
            assert await replies(client, 3) == sorted((b"ID" + changed, b"ID" + bytes(20), b"IC" + changed))
    assert tally == [6]


@pytest.mark.parametrize("number", [1, 9, BATCH, BATCH + 1, WAITING])
async def test_three_ways_in_one_batch(number: int) -> None:
    """Ready, at hand and slow ones one after another: each client gets its own reply, every count is exact."""
    tallies = ([0], [0])
    now = [b"1234"]
    table = Table()
    for each in range(0, number, 3):
        changing = (4, now) if each % 2 else None
        table.first[query(each, text(each))[2:]] = ready(b"..----.. %d" % each, tallies[each % 2], changing)
    asked = [query(each, text(each)) for each in range(number)]
    expected = []
    for each, octets in enumerate(asked):
        if each % 3:
            expected.append(octets + (b"?" if each % 2 else b"!"))
        else:
            expected.append(octets[:2] + (b"..1234.. %d" if each % 2 else b"..----.. %d") % each)
    async with (
        listening(even_at_hand, slow, "0.0.0.0", TransportLimits(), table) as listener,
        client_of(listener) as client,
    ):
        for octets in asked:
            client.sock.send(octets)
        assert await replies(client, number) == sorted(expected)
        await until(lambda: listener.counters.udp_now == 0)
        assert counted(listener) == (number, number, 0, 0)
    assert [each[0] for each in tallies] == [len(range(0, number, 6)), len(range(3, number, 6))]
    assert table.number == len(range(0, number, 3))
    assert all(replies for replies, _ in table.told), "a batch without any tells nothing"


@pytest.mark.parametrize(
    ("size", "fits"), [(SLOT - 1, True), (SLOT, True), (SLOT + 1, False), (60_000, False)]
)
async def test_a_ready_reply_larger_than_a_slot_takes_another_way(size: int, fits: bool) -> None:
    table = Table({b"query": ready(b"." * (size - 2), changing=(3, [b"1234"])), b"small": ready(b"small")})
    async with listening(nothing_at_hand, slow, ready=table) as listener, client_of(listener) as client:
        for octets in (b"IDsmall", b"IDquery", b"IDsmall"):
            client.sock.send(octets)
        large = b"ID.1234" + b"." * (size - 7) if fits else b"IDquery?"
        assert await replies(client, 3) == sorted((b"IDsmall", large, b"IDsmall"))
        assert counted(listener) == (3, 3, 0, 0)
    assert table.first[b"query"][2] == [int(fits)]
    assert table.number == 2 + fits


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
async def test_slots_are_whole_again_after_each_batch(host: str) -> None:
    """A short ready reply in a slot, then a long query, then a long ready reply, then a short one."""
    loopback = "::1" if ":" in host else "127.0.0.1"
    table = Table({b"short": ready(b"s"), b"long": ready(b"l" * (SLOT - 2))})
    async with (
        listening(at_hand, host=host, ready=table) as listener,
        client_of(listener, loopback) as client,
    ):
        for _ in range(2):
            for octets, reply in (
                (b"IDshort", b"IDs"),
                (bytes(SLOT - 1), bytes(SLOT - 1) + b"!"),
                (b"IDlong", b"ID" + b"l" * (SLOT - 2)),
                (b"IDshort", b"IDs"),
                (b"", b"!"),
                (bytes(2000), bytes(2000) + b"!"),
            ):
                for _ in range(3):
                    client.sock.send(octets)
                assert await replies(client, 3) == [reply] * 3
        assert counted(listener) == (36, 36, 0, 0)


async def test_a_table_that_fails_costs_nobody_the_reply(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Table):
        def find(self) -> Finders:
            raise RuntimeError("broken")

    async with listening(even_at_hand, slow, ready=Broken()) as listener, client_of(listener) as client:
        for _ in range(2):  # the reader lives on
            for number in range(10):
                client.sock.send(query(number))
            assert await replies(client, 10) == sorted(
                query(number) + (b"?" if number & 1 else b"!") for number in range(10)
            )
        assert 2 <= listener.counters.answers_failed <= 20
        assert counted(listener) == (20, 20, 0, 0)
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert "RuntimeError('broken') (time 1)" in lines[0]


async def test_each_ip_version_has_its_own() -> None:
    """As metrics tell clients apart by it."""
    tables = {ipv6: Table({QUERY[2:]: ready(b"%d" % ipv6)}) for ipv6 in (False, True)}
    hosts = ("127.0.0.1", "::1")
    async with Listener.bind(
        [(host, 0) for host in hosts], hang, limits=QUICK, now=unasked, ready=tables.__getitem__
    ) as listener:
        for host in hosts:
            async with udp_client(host) as client:
                reply, _ = await client.ask(QUERY, (host, listener.endpoints[0][1]))
                assert reply == QUERY[:2] + (b"1" if ":" in host else b"0")
    assert [tables[ipv6].number for ipv6 in (False, True)] == [1, 1]


# Turns.


@pytest.mark.parametrize(("turn_s", "most"), [(PATIENCE_S, ROUNDS * BATCH), (0.0, BATCH)])
async def test_a_flood_leaves_the_event_loop_its_turns(
    turn_s: float, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket is never empty: each datagram is followed by the next before it is answered. A turn is over after so
    many batches, and after so much time."""
    monkeypatch.setattr(batch, "TURN_S", turn_s)
    async with listening(at_hand) as listener, client_of(listener) as client:
        carrier(listener)._now = lambda octets, *_: octets if client.sock.send(octets) else None
        for number in range(WAITING):
            client.sock.send(query(number))
        taken = []
        for _ in range(50):
            before = listener.counters.udp_received
            await asyncio.sleep(0)
            taken.append(listener.counters.udp_received - before)
        assert max(taken) == most
        assert sum(taken) >= 40 * most
        carrier(listener)._now = at_hand


def test_a_turn_is_short() -> None:
    """TCP, the probes and the source wait that long."""
    assert 0.0005 <= batch.TURN_S <= 0.005
