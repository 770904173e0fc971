"""forward: many questions at once, and upstreams that mean harm."""

import asyncio
import random
import resource
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.plugins.forward.counting import ForwardCounters
from dnsserver.plugins.forward.in_flight import InFlight, TooManyError
from dnsserver.plugins.forward.spelling import respelled, scrambled
from dnsserver.transports.exchange import ExchangePlaces
from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Rcode, Type
from dnsserver.wire.edns import Edns
from dnsserver.wire.message import Message
from dnsserver.wire.records import Record, name_rdata
from tests.plugins.forward.hasty import ANSWER, ask, forwarding, upstreams
from tests.plugins.helpers import address, query
from tests.support.upstream import PATIENCE_S, reply_to, sent, serving, silent, until

# Equal questions are asked once.


async def test_a_thousand_equal_questions_are_one() -> None:
    counters = ForwardCounters()
    async with upstreams(serving(ANSWER)) as (served,):
        forward = forwarding([served.port], counters=counters, attempt_s=PATIENCE_S, total_s=PATIENCE_S)
        replies = await asyncio.gather(*(ask(forward) for _ in range(1_000)))
        assert [reply.answer for reply in replies] == [ANSWER] * 1_000
        assert (len(served.asked), counters.coalesced) == (1, 999)
        await ask(forward)
        assert len(served.asked) == 2  # what has been answered is not kept


ASKED = query()


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        (query("EXAMPLE.org."), True),
        (replace(ASKED, octets=b"\x99\x99" + ASKED.octets[2:]), True),
        (query(client="10.9.9.9"), True),
        (query("www.example.org."), False),
        (query(rtype="AAAA"), False),
        (query(rtype="TYPE97"), False),
        (query(rclass=3), False),
        (query(flags=Flag.RD | Flag.CD), False),
        (query(flags=Flag.RD | Flag.AD), False),
        (query(flags=0), False),
        (query(edns=Edns(1232)), False),
        (query(edns=Edns(1232, do=True)), False),
        (query(edns=Edns(1232, options=((8, b"\0\1\x18\0\x0a\0\0"),))), False),
        (query(protocol="tcp"), False),
    ],
)
async def test_which_questions_are_equal(other: object, shared: bool) -> None:
    async with upstreams(serving(ANSWER)) as (served,):
        forward = forwarding([served.port])
        await asyncio.gather(ask(forward, query()), ask(forward, other))  # type: ignore[arg-type]
        assert len(served.asked) == (1 if shared else 2)


async def test_type_65_and_97_are_not_equal() -> None:
    """Their numbers differ by the bit that makes letters upper and lower case."""
    async with upstreams(serving()) as (served,):
        forward = forwarding([served.port])
        await asyncio.gather(*(ask(forward, query(rtype=f"TYPE{number}")) for number in (65, 97)))
        assert len(served.asked) == 2


async def test_everybody_gets_their_own_spelling() -> None:
    async with upstreams(serving()) as (served,):
        alias = names.from_text("www.example.org.")

        def script(octets: bytes, by: str) -> Sequence[bytes]:
            asked = Message.decode(octets).questions[0].name
            target = b"\3www" + asked
            records = (
                Record(asked, Type.CNAME, 7, name_rdata(target)),
                Record(target, Type.A, 7, ANSWER[0].rdata),
            )
            return sent(reply_to(octets, records), by)

        served.script = script
        forward = forwarding([served.port])
        spellings = ("example.org.", "EXAMPLE.org.", "eXaMpLe.OrG.")
        replies = await asyncio.gather(*(ask(forward, query(text)) for text in spellings))
        assert len(served.asked) == 1
        for text, reply in zip(spellings, replies, strict=True):
            name = names.from_text(text)
            assert reply.answer[0].owner == name
            assert reply.answer[0].rdata.names == (b"\3www" + name,)
            assert reply.answer[1].owner == b"\3www" + name
            assert reply.answer[1].owner.lower() == alias


async def test_who_goes_away_takes_nobody_along() -> None:
    async with upstreams(silent) as (served,):
        forward = forwarding([served.port], attempt_s=PATIENCE_S, total_s=PATIENCE_S)
        first, second, third = (asyncio.ensure_future(ask(forward)) for _ in range(3))
        await until(lambda: len(served.asked) == 1)
        second.cancel()
        await asyncio.wait((second,))
        assert len(served.asked) == 1
        served.script = serving(ANSWER)
        first.cancel()  # it was the one who asked: the third asks anew
        assert (await third).answer == ANSWER
        assert len(served.asked) == 2


async def test_failures_are_shared_too() -> None:
    async with upstreams(silent) as (served,):
        forward = forwarding([served.port], "max_connect_attempts 1", attempt_s=0.05)
        replies = await asyncio.gather(*(ask(forward) for _ in range(50)))
        assert {reply.rcode for reply in replies} == {Rcode.SERVFAIL}
        assert len(served.asked) == 1


async def test_those_who_wait_are_bounded_and_have_their_own_time() -> None:
    table: InFlight[str] = InFlight(followers_max=1)
    loop = asyncio.get_running_loop()
    gate = asyncio.Event()

    async def work() -> str:
        await gate.wait()
        return "done"

    late = loop.time() + PATIENCE_S
    first = asyncio.ensure_future(table.ask("key", late, work, lambda: None))
    await asyncio.sleep(0)
    hasty = asyncio.ensure_future(table.ask("key", loop.time() + 0.01, work, lambda: None))
    await asyncio.sleep(0)
    with pytest.raises(TooManyError):
        await table.ask("key", late, work, lambda: None)
    with pytest.raises(TimeoutError):
        await hasty
    gate.set()
    assert await first == "done"
    assert repr(table) == "<InFlight questions=0 followers=0>"


# Very many different ones.


def resident() -> int:
    """Octets of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def numbered(number: int, like: Query = query("n000000.test.")) -> Query:  # noqa: B008 - a value
    """One of very many queries, made quickly."""
    zeros, digits = b"000000", b"%06d" % number
    question = replace(like.question, name=like.question.name.replace(zeros, digits))
    return replace(like, question=question, octets=like.octets.replace(zeros, digits))


@pytest.mark.alone
async def test_a_hundred_thousand_questions_at_a_silent_upstream() -> None:
    """Memory is bounded, and everybody gets an answer in time."""
    most, everybody, at_once = 200, 100_000, 2_000
    found: Counter[str] = Counter()
    slowest = 0.0
    async with upstreams(silent) as (served,):

        def forget(_octets: bytes, _by: str) -> Sequence[bytes]:
            served.asked.clear()
            served.ports.clear()
            return ()

        served.script = forget
        forward = forwarding([served.port], places=ExchangePlaces(most), attempt_s=0.4, total_s=1.0)

        async def one(asked: Query) -> None:
            nonlocal slowest
            begun = time.monotonic()
            reply = await ask(forward, asked)
            slowest = max(slowest, time.monotonic() - begun)
            found["full" if "exceeded maximum" in reply.error else reply.error[-11:]] += 1
            assert reply.rcode == Rcode.SERVFAIL

        before = resident()
        async with asyncio.TaskGroup() as group:
            for start in range(0, everybody, at_once):
                for number in range(start, start + at_once):
                    group.create_task(one(numbered(number)))
                await asyncio.sleep(0)
        grown = resident() - before
    assert sum(found.values()) == everybody
    assert set(found) == {"full", "i/o timeout"}
    assert slowest < 5.0
    assert grown < 64 << 20
    assert repr(forward).startswith("<Forward in_flight=0 ")


# Those who guess.


@pytest.mark.parametrize("options", ["", "randomize_case"])
async def test_a_spoofer_who_knows_everything_but_the_address(options: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.2", 0))
        async with upstreams(silent) as (served,):

            def forge(octets: bytes, by: str) -> Sequence[bytes]:
                other.sendto(reply_to(octets, (address("192.0.2.66"),)), ("127.0.0.1", served.ports[-1]))
                return sent(reply_to(octets, ANSWER), by)

            served.script = forge
            forward = forwarding([served.port], options, attempt_s=2, total_s=5)
            for number in range(100):  # beyond those that get fresh sockets
                assert (await ask(forward, query(f"n{number}.test."))).answer == ANSWER


async def test_many_questions_share_ports_and_never_in_a_row() -> None:
    """Where there are many, sockets are used again: at random, and each by one question at a time."""
    async with upstreams(serving(ANSWER)) as (served,):
        forward = forwarding([served.port], attempt_s=2, total_s=5)
        for start in range(0, 2_000, 50):
            await asyncio.gather(
                *(ask(forward, query(f"n{number}.test.")) for number in range(start, start + 50))
            )
        ports = Counter(served.ports)
        assert len(ports) >= 50
        assert max(ports.values()) < 200
        idents = {octets[:2] for _, octets in served.asked}
        assert len(idents) > 1_800


# Random case.


async def test_random_case() -> None:
    def script(octets: bytes, by: str) -> Sequence[bytes]:
        asked = Message.decode(octets).questions[0].name
        return sent(reply_to(octets, (replace(ANSWER[0], owner=asked),)), by)

    async with upstreams(script) as (served,):
        forward = forwarding([served.port], "randomize_case")
        for _ in range(20):
            reply = await ask(forward, query("Example.ORG."))
            assert reply.answer[0].owner == names.from_text("Example.ORG.")
        spellings = {Message.decode(octets).questions[0].name for _, octets in served.asked}
        assert len(spellings) > 10
        assert {name.lower() for name in spellings} == {names.from_text("example.org.")}


async def test_random_case_must_come_back() -> None:
    def lowered(octets: bytes, by: str) -> Sequence[bytes]:
        question = Message.decode(octets).questions[0]
        return sent(reply_to(octets, ANSWER, question=replace(question, name=question.name.lower())), by)

    name = "a-name-with-so-many-letters-that-some-are-upper.example.org."
    async with upstreams(lowered) as (served,):
        plain, careful = (
            forwarding([served.port]),
            forwarding([served.port], "randomize_case", attempt_s=0.05),
        )
        assert (await ask(plain, query(name))).answer == ANSWER
        assert (await ask(careful, query(name))).rcode == Rcode.SERVFAIL
        assert (await ask(careful, query(name, protocol="tcp"))).answer == ANSWER  # needs no such tricks


def test_spelling() -> None:
    name = names.from_text("a1-b.Example.ORG.")
    assert scrambled(name).lower() == name.lower()
    assert len({scrambled(name) for _ in range(50)}) > 20
    reply = Reply(authority=(Record(names.from_text("eXAMPLE.org."), Type.SOA, 1, ANSWER[0].rdata),))
    asked, wanted = names.from_text("www.eXAMPLE.org."), names.from_text("WWW.example.Org.")
    assert respelled(reply, asked, wanted).authority[0].owner == names.from_text("example.Org.")
    assert respelled(reply, asked, asked) is reply


# Replies that are much, or go in circles.


async def test_giant_reply() -> None:
    records = tuple(address(f"10.0.{n // 256}.{n % 256}") for n in range(4_000))
    async with upstreams(serving(records)) as (served,):
        reply = await ask(forwarding([served.port], attempt_s=2, total_s=5), query(protocol="tcp"))
        assert reply.answer == records


async def test_aliases_in_a_circle_come_back_as_they_are() -> None:
    one, two = names.from_text("example.org."), names.from_text("b.test.")
    circle = (Record(one, Type.CNAME, 7, name_rdata(two)), Record(two, Type.CNAME, 7, name_rdata(one)))
    async with upstreams(serving(circle)) as (served,):
        assert (await ask(forwarding([served.port]))).answer == circle
        assert len(served.asked) == 1


async def test_any_octets_are_taken_or_passed_over() -> None:
    """Replies with octets changed, cut and added: an answer, SERVFAIL, or the time is over, and never an exception."""
    rng = random.Random(11)

    def mutate(octets: bytes, by: str) -> Sequence[bytes]:
        reply = bytearray(reply_to(octets, ANSWER, additional=(address("192.0.2.2", "www.example.org."),)))
        for _ in range(rng.randrange(6)):
            reply[rng.randrange(2, len(reply))] = rng.randrange(256)
        del reply[rng.randrange(12, len(reply) + 40) :]
        return sent(bytes(reply) + rng.randbytes(rng.randrange(3)), by)

    async with upstreams(mutate) as (served,):
        for protocol in ("udp", "tcp"):
            forward = forwarding([served.port], "max_connect_attempts 1", attempt_s=0.05)
            asking = (ask(forward, query(f"n{n}.test.", protocol=protocol)) for n in range(400))
            replies = await asyncio.gather(*asking)
            assert len(replies) == 400
