"""Rounds against servers that change their minds, say nothing, or cut."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from dnsserver.comparing.asking import Server
from dnsserver.comparing.differences import Kind
from dnsserver.comparing.presence import SILENT_MOST, GoneError
from dnsserver.comparing.rounds import Outcome, Rules, compare
from dnsserver.comparing.seen import Seen
from dnsserver.plugins.addresses import Address
from dnsserver.wire import names
from dnsserver.wire.codes import Flag, Type
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record, address_rdata
from tests.comparing.replies import question
from tests.support.upstream import (
    Script,
    Upstream,
    closing,
    reply_to,
    sending,
    sent,
    serving,
    silent,
    upstream,
)

ZONE = names.from_text("cluster.local")
RULES = Rules(zone=ZONE, qps=10_000, concurrency=4, retries=2, pause_s=0.0)
#: Seconds. For replies that come from this process.
TIMEOUT_S = 0.3
QUESTIONS = [question(f"web-{number}.default.svc.cluster.local. A") for number in range(12)]
FLAGS = Flag.AA.value


def answer(octets: bytes, address: str = "10.0.0.1", ttl: int = 30) -> bytes:
    owner = Message.decode(octets).questions[0].name
    return reply_to(octets, [Record(owner, Type.A, ttl, address_rdata(address))], flags=FLAGS)


def good(octets: bytes, protocol: str) -> Sequence[bytes]:
    return sent(answer(octets), protocol)


@asynccontextmanager
async def server(script: Script) -> AsyncIterator[tuple[Server, Upstream]]:
    async with upstream(script) as running:
        asking = Server(Address("127.0.0.1", running.port), TIMEOUT_S)
        try:
            yield asking, running
        finally:
            asking.close()


async def outcome(
    old: Script, new: Script, questions: Sequence[Question] = QUESTIONS, rules: Rules = RULES
) -> Outcome:
    async with server(old) as (left, _), server(new) as (right, _):
        return await compare(questions, left, right, rules)


async def test_all_equal_and_each_asked_once() -> None:
    told: list[tuple[int, int, int]] = []
    async with server(good) as (old, old_asked), server(good) as (new, new_asked):
        found = await compare(QUESTIONS, old, new, RULES, lambda *progress: told.append(progress))
    assert (found.asked, found.equal, found.findings) == (12, 12, [])
    assert (len(old_asked.asked), len(new_asked.asked)) == (12, 12)
    assert told[-1][:2] == (1, 12)


def changing(*addresses: str) -> Script:
    """Another address each time a name is asked; the last one stays."""
    times: dict[bytes, int] = {}

    def script(octets: bytes, protocol: str) -> Sequence[bytes]:
        name = Message.decode(octets).questions[0].name
        number = times[name] = times.get(name, -1) + 1
        return sent(answer(octets, addresses[min(number, len(addresses) - 1)]), protocol)

    return script


async def test_a_change_of_the_cluster_is_no_difference() -> None:
    found = await outcome(changing("10.0.0.9", "10.0.0.1"), good)
    assert (found.equal, found.findings) == (12, [])


async def test_a_difference_stays_one() -> None:
    found = await outcome(changing("10.0.0.9"), good)
    assert found.equal == 0
    assert found.kinds == {Kind.ANSWER: 12}
    assert found.findings[0].difference.old == "NOERROR: A 10.0.0.9"


async def test_what_is_equal_is_not_asked_again() -> None:
    def one_other(octets: bytes, protocol: str) -> Sequence[bytes]:
        name = Message.decode(octets).questions[0].name
        return sent(answer(octets, "10.0.0.9" if name == QUESTIONS[3].name else "10.0.0.1"), protocol)

    async with server(good) as (old, old_asked), server(one_other) as (new, new_asked):
        found = await compare(QUESTIONS, old, new, RULES)
    assert [one.question for one in found.findings] == [QUESTIONS[3]]
    assert (len(old_asked.asked), len(new_asked.asked)) == (14, 14)


@pytest.mark.parametrize(
    "script", [silent, sending(b"\0\1\2"), closing], ids=["silent", "rubbish", "closing"]
)
async def test_no_reply_is_told_apart(script: Script) -> None:
    rules = replace(RULES, retries=1)
    found = await outcome(good, script, QUESTIONS[:2], rules)
    assert found.kinds == {Kind.NO_REPLY: 2}
    assert found.findings[0].difference.old == "replied"
    assert "i/o timeout" in found.findings[0].difference.new


MANY = [question(f"web-{number}.default.svc.cluster.local. A") for number in range(10 * SILENT_MOST)]


@pytest.mark.parametrize("left", [0, 1], ids=["old", "new"])
async def test_a_server_that_goes_ends_it(left: int) -> None:
    """Not after a time-out for every question that is left, and again in each round."""
    before = 2 * SILENT_MOST

    def leaving(octets: bytes, protocol: str) -> Sequence[bytes]:
        nonlocal before
        before -= 1
        return good(octets, protocol) if before >= 0 else ()

    rules = replace(RULES, concurrency=50)
    scripts = (leaving, good) if left == 0 else (good, leaving)
    with pytest.raises(GoneError, match=r"does not answer: .* given up at question [2-9]\d\d of 1,000"):
        await outcome(*scripts, MANY, rules)


async def test_a_server_that_drops_some_on_purpose_is_asked_on() -> None:
    def dropping(octets: bytes, protocol: str) -> Sequence[bytes]:
        soa = Message.decode(octets).questions[0].rtype == Type.SOA
        return sent(answer(octets), protocol) if soa else ()

    asked = MANY[: 2 * SILENT_MOST]
    found = await outcome(dropping, good, asked, replace(RULES, concurrency=100, retries=0))
    assert found.kinds == {Kind.NO_REPLY: len(asked)}


async def test_a_lost_datagram_is_asked_for_again() -> None:
    lost: set[bytes] = set()

    def lossy(octets: bytes, protocol: str) -> Sequence[bytes]:
        name = Message.decode(octets).questions[0].name
        if name not in lost:
            lost.add(name)
            return ()
        return good(octets, protocol)

    found = await outcome(good, lossy)
    assert (found.equal, found.findings) == (12, [])


async def test_truncated_replies_are_asked_for_by_tcp() -> None:
    def truncating(octets: bytes, protocol: str) -> Sequence[bytes]:
        if protocol == "udp":
            return [reply_to(octets, flags=FLAGS | Flag.TC)]
        return good(octets, protocol)

    async with server(truncating) as (old, asked), server(good) as (new, _):
        found = await compare(QUESTIONS, old, new, RULES)
    assert (found.equal, found.findings) == (12, [])
    assert sorted(asked.protocols) == ["tcp"] * 12 + ["udp"] * 12


async def test_truncated_without_tcp_is_no_reply() -> None:
    def truncating(octets: bytes, protocol: str) -> Sequence[bytes] | None:
        return [reply_to(octets, flags=FLAGS | Flag.TC)] if protocol == "udp" else None

    found = await outcome(truncating, good, QUESTIONS[:1], replace(RULES, retries=0))
    assert found.kinds == {Kind.NO_REPLY: 1}


def counting_down(start: int) -> Script:
    """One second less each time."""
    left = iter(range(start, 0, -1))

    def script(octets: bytes, protocol: str) -> Sequence[bytes]:
        return sent(answer(octets, ttl=next(left)), protocol)

    return script


@pytest.mark.parametrize(("start", "kinds"), [(30, {}), (100, {Kind.TTL: 1})])
async def test_cached_ttls(start: int, kinds: dict[Kind, int]) -> None:
    found = await outcome(counting_down(start), good, QUESTIONS[:1])
    assert found.kinds == kinds


def refused_soa(octets: bytes, protocol: str) -> Sequence[bytes]:
    return sent(reply_to(octets, rcode=3, flags=FLAGS), protocol)


@pytest.mark.parametrize(
    ("rules", "kinds", "accepted", "ignored"),
    [
        (RULES, {}, 1, {}),
        (replace(RULES, strict=True), {Kind.RCODE: 1}, 0, {}),
        (replace(RULES, ignored=frozenset({Kind.RCODE})), {}, 0, {Kind.RCODE: 1}),
    ],
    ids=["accepted", "strict", "ignored"],
)
async def test_what_is_listed_and_what_is_ignored(
    rules: Rules, kinds: dict[Kind, int], accepted: int, ignored: dict[Kind, int]
) -> None:
    asked = [question("svc.cluster.local. TXT")]
    found = await outcome(refused_soa, serving(flags=FLAGS), asked, rules)
    assert (found.kinds, found.accepted.total(), found.ignored) == (kinds, accepted, ignored)
    assert found.equal == 0


async def test_questions_are_held_back() -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    found = await outcome(good, good, QUESTIONS, replace(RULES, qps=20, concurrency=2))
    assert found.equal == 12
    assert loop.time() - begun >= (12 - 2) / 20 * 0.9


async def test_no_more_under_way_than_allowed() -> None:
    under_way = most = 0

    class Slow(Server):
        async def ask(self, question: Question) -> Seen:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            try:
                return await super().ask(question)
            finally:
                under_way -= 1

    async with upstream(good) as running, server(good) as (new, _):
        old = Slow(Address("127.0.0.1", running.port), TIMEOUT_S)
        await compare(QUESTIONS, old, new, replace(RULES, concurrency=3))
        old.close()
    assert most == 3
