"""cache: `prefetch`."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.wire.codes import Flag
from tests.plugins.cache.stage import FOUND, NXDOMAIN, SERVFAIL, Stage, reply, ttls
from tests.plugins.cache.test_cache_stale import Gate, renewed
from tests.support.upstream import until

LONG = reply("a.test. 100 IN A 192.0.2.1")


@contextlib.asynccontextmanager
async def staged(options: str, says: Reply = LONG) -> AsyncIterator[Stage]:
    stage = Stage(options, says=says)
    assert stage.plugin.lifespan is not None
    async with stage.plugin.lifespan():
        await stage.ask()
        stage.asked.clear()
        yield stage


async def hits(stage: Stage, number: int) -> None:
    for _ in range(number):
        await stage.ask()


@pytest.mark.parametrize(
    ("options", "before", "age_s", "fetched"),
    [
        ("", 9, 99, False),
        ("prefetch 0", 9, 99, False),
        ("prefetch 3 5m", 2, 90, True),
        ("prefetch 3 5m", 2, 89, False),
        ("prefetch 3 5m", 1, 90, False),
        ("prefetch 1", 0, 90, True),
        ("prefetch 3 90s", 2, 90, True),
        ("prefetch 3 89s", 2, 90, False),
        ("prefetch 3", 2, 99, False),
        ("prefetch 3 5m 50%", 2, 50, True),
        ("prefetch 3 5m 50%", 2, 49, False),
    ],
)
async def test_when(options: str, before: int, age_s: int, fetched: bool) -> None:
    async with staged(options) as stage:
        await hits(stage, before)
        stage.later(age_s)
        assert ttls(await stage.ask()) == [100 - age_s]
        await renewed(stage)
        assert len(stage.asked) == (1 if fetched else 0)
        assert ttls(await stage.ask()) == [100 if fetched else 100 - age_s]


async def test_one_at_a_time() -> None:
    async with staged("prefetch 1") as stage:
        stage.says = gate = Gate(LONG)
        stage.later(95)
        await hits(stage, 20)
        await until(lambda: len(stage.asked) == 1)
        gate.opened.set()
        await renewed(stage)
        assert len(stage.asked) == 1
        assert ttls(await stage.ask()) == [100]


async def test_hits_are_carried_on() -> None:
    async with staged("prefetch 5 5m") as stage:
        await hits(stage, 4)
        for number in range(1, 4):
            stage.later(95)
            await hits(stage, 1)
            await renewed(stage)
            assert len(stage.asked) == number


@pytest.mark.parametrize("came", [SERVFAIL, reply(rcode="REFUSED"), None])
@pytest.mark.parametrize("first", [LONG, NXDOMAIN])
async def test_a_failure_leaves_what_there_is(first: Reply, came: Reply | None) -> None:
    async with staged("prefetch 1 5m 90%", first) as stage:
        stage.says = came
        stage.later(30)
        before = await stage.ask()
        await renewed(stage)
        assert len(stage.asked) == 1
        assert ttls(await stage.ask()) == ttls(before)


async def test_another_reply_takes_its_place() -> None:
    async with staged("prefetch 1") as stage:
        stage.says = NXDOMAIN
        stage.later(95)
        await hits(stage, 1)
        await renewed(stage)
        found = await stage.ask()
        assert found is not None
        assert found.rcode == 3


async def test_the_query_asks_what_the_client_asked() -> None:
    async with staged("prefetch 1") as stage:
        await stage.ask(flags="DO")
        stage.later(95)
        stage.asked.clear()
        await stage.ask("A.test. A", flags="DO")
        await renewed(stage)
        (query,) = stage.asked
        assert query.question.name == b"\1A\4test\0"
        assert query.edns is not None
        assert query.edns.do
        assert query.header.flags == Flag.RD | Flag.AD


async def test_two_seconds_of_life_are_enough() -> None:
    """The window is rounded up: a tenth of 5 s is the last second."""
    async with staged("prefetch 1", reply("a.test. 5 IN A 192.0.2.1")) as stage:
        stage.later(3)
        await hits(stage, 1)
        await renewed(stage)
        assert stage.asked == []
        stage.later(1)
        await hits(stage, 1)
        await renewed(stage)
        assert len(stage.asked) == 1


async def test_a_bounded_number_at_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dnsserver.plugins.cache.renewing.RENEWALS_MAX", 3)
    async with staged("prefetch 1", FOUND) as stage:
        names = [f"{number}.test. A" for number in range(5)]

        async def script(query: Query) -> Reply:
            owner = f"{query.name[1:2].decode()}.test."
            return reply(f"{owner} 30 IN A 192.0.2.1")

        stage.says = script
        for name in names:
            await stage.ask(name)
        stage.later(29)
        stage.says = gate = Gate(SERVFAIL)
        stage.asked.clear()
        for name in names:
            assert ttls(await stage.ask(name)) == [1]
        await until(lambda: len(stage.asked) == 3)
        assert "under_way=3" in repr(stage.handler)
        gate.opened.set()
        await renewed(stage)
        assert len(stage.asked) == 3
