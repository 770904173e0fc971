"""cache: replies that are given without the chain, and what becomes of those of the cluster."""

from dataclasses import replace

import pytest

from dnsserver.answering.reply import Reply
from dnsserver.plugins.plugin import Plugin, Repeats
from dnsserver.wire.codes import Flag
from dnsserver.wire.question import Question
from tests.plugins.cache.stage import (
    BEGIN,
    FOUND,
    NODATA,
    NXDOMAIN,
    SERVFAIL,
    SOA,
    Stage,
    records,
    reply,
    ttls,
)
from tests.plugins.cache.test_cache_below import TREE, VALIDATED
from tests.plugins.cache.test_cache_stale import renewed

NOW = int(BEGIN)


@pytest.mark.parametrize(
    "came", [FOUND, NODATA, NXDOMAIN, SERVFAIL, reply(*["a.test. 30 IN A 192.0.2.1"], flags="AD")]
)
@pytest.mark.parametrize("flags", ["", "DO", "CD"])
async def test_it_is_what_the_chain_gives(came: Reply, flags: str) -> None:
    stage = Stage(says=came)
    assert stage.lasting(flags=flags) is None
    await stage.ask(flags=flags)
    for _ in range(4):
        stage.later(1)
        lasting = stage.lasting("A.tesT. A", flags)
        plain = await stage.ask("A.tesT. A", flags=f"{flags} AD")
        assert lasting is not None
        assert lasting.reply == plain
        assert lasting.second == int(stage.server.unix_s)
    assert len(stage.asked) == 1


async def test_until_when() -> None:
    stage = Stage()
    await stage.ask()
    stage.later(10)
    lasting = stage.lasting()
    assert lasting is not None
    assert (lasting.second, lasting.until, lasting.ages) == (NOW + 10, NOW + 30, True)
    assert ttls(lasting.reply) == [20]
    stage.later(19)
    assert stage.lasting() is not None
    stage.later(0.75)
    assert stage.lasting() is None


async def test_keepttl() -> None:
    stage = Stage("keepttl")
    await stage.ask()
    stage.later(10)
    lasting = stage.lasting()
    assert lasting is not None
    assert (lasting.until, lasting.ages, ttls(lasting.reply)) == (NOW + 30, False, [30])


@pytest.mark.parametrize(
    ("options", "age_s", "until_s"),
    [
        ("prefetch 0", 28, 30),
        ("prefetch 4", 0, 1),
        ("prefetch 4", 26, 27),
        ("prefetch 4", 27, None),
        ("prefetch 4 1m 50%", 14, 15),
        ("prefetch 4 1m 50%", 15, None),
        ("prefetch 5", 0, None),
        ("prefetch 4 10s", 10, 11),
        ("prefetch 4 10s", 11, None),
        ("serve_stale", 0, 30),
        ("serve_stale", 30, None),
    ],
)
async def test_hits_that_must_be_seen(options: str, age_s: int, until_s: int | None) -> None:
    """It was asked for four times."""
    stage = Stage(options)
    for _ in range(5):
        await stage.ask()
    stage.later(age_s)
    lasting = stage.lasting()
    assert (lasting and lasting.until) == (None if until_s is None else NOW + until_s)


@pytest.mark.parametrize("what", ["b.test. A", "a.test. AAAA", "a.test. AXFR"])
async def test_others_are_not_known(what: str) -> None:
    stage = Stage(arguments="a.test")
    await stage.ask()
    await stage.ask("b.test. A")
    assert stage.lasting(what) is None


async def test_names_below_one_that_does_not_exist() -> None:
    stage = Stage(says=VALIDATED, behind=(TREE,))
    await stage.ask(flags="DO")
    lasting = stage.lasting("x.a.test. MX", "DO")
    assert lasting is not None
    assert (lasting.reply.rcode, lasting.until) == (3, NOW + 60)


async def test_what_was_given_is_counted() -> None:
    stage = Stage()
    await stage.ask(listener=("127.0.0.1", 5353))
    lasting = stage.lasting()
    assert lasting is not None
    lasting.counted(7)
    lasting.counted(0)
    found = stage.metrics()
    assert found["requests_total{dns://127.0.0.1:5353,.,}"] == 8
    assert found["hits_total{dns://127.0.0.1:5353,success,.,}"] == 7
    assert found["misses_total{dns://127.0.0.1:5353,.,}"] == 1


async def test_counters_do_not_become_more() -> None:
    """Whoever counts may keep them."""
    stage = Stage()
    counters = set()
    for number in range(50):
        stage.says = reply(f"{number}.test. 30 IN A 192.0.2.1") if number % 2 else NXDOMAIN
        await stage.ask(f"{number}.test. A")
        lasting = stage.lasting(f"{number}.test. A")
        assert lasting is not None
        counters.add(lasting.counted)
    assert len(counters) == 2


async def test_who_is_popular_stays_so_while_it_is_asked_for() -> None:
    """The second of the hits in the chain comes 26 s behind the first, and yet without a gap of 5 s."""
    stage = Stage("prefetch 1 5s")
    assert stage.plugin.lifespan is not None
    async with stage.plugin.lifespan():
        await stage.ask()
        await stage.ask()
        for _ in range(13):
            stage.later(2)
            lasting = stage.lasting()
            assert lasting is not None
        stage.later(2)
        assert stage.lasting() is None
        await stage.ask()
        await renewed(stage)
        assert len(stage.asked) == 2


# Replies of the cluster.

LIVE = (
    reply("a.test. 0 IN A 10.0.0.1", flags="AA live"),
    reply("a.test. 30 IN CNAME b.test.", "b.test. 8 IN A 192.0.2.2", flags="AA live"),
    reply(rcode="NXDOMAIN", authority=[SOA], flags="AA live"),
    reply(authority=[SOA], flags="AA live"),
    reply("a.test. 9999 IN A 10.0.0.1", flags="AA live"),
    reply("a.test. 300 IN CNAME b.test.", flags="AA live"),
    reply(rcode="SERVFAIL", authority=[SOA], flags="AA live"),
)


@pytest.mark.parametrize("came", LIVE)
@pytest.mark.parametrize(
    "options", ["", "disable success test\ndisable denial test", "success 9984 7 6", "keepttl"]
)
async def test_live_replies_are_altered_as_the_chain_does(came: Reply, options: str) -> None:
    stage = Stage(options, says=came)
    assert stage.plugin.repeats is Repeats.ALTERED
    assert stage.plugin.alters is not None
    found = await stage.ask()
    question = Question(b"\1a\4test\0", 1)
    assert stage.plugin.alters(question, came) == found
    assert len(set(ttls(found))) == 1
    await stage.ask()
    assert len(stage.asked) == 2
    assert stage.lasting() is None
    assert stage.plugin.alters(question, came) == found  # nothing that happened in between matters


def test_live_replies_of_other_names_stay() -> None:
    stage = Stage(arguments="10 a.test")
    assert stage.plugin.alters is not None
    came = reply("b.test. 77 IN A 10.0.0.1", flags="live")
    assert stage.plugin.alters(Question(b"\1b\4test\0", 1), came) == came
    assert ttls(stage.plugin.alters(Question(b"\1A\4test\0", 1), came)) == [10]


async def test_a_mix_is_live_as_a_whole() -> None:
    """What kubernetes makes of an ExternalName: its CNAME, and what the cache itself gave for the target."""
    stage = Stage(says=FOUND)
    await stage.ask()
    target = await stage.ask()
    assert target is not None
    alias = records("alias.test. 30 IN CNAME a.test.")
    stage.says = replace(reply(flags="AA live"), answer=(*alias, *target.answer))
    stage.later(12)
    assert ttls(await stage.ask("alias.test. A")) == [30, 30]
    await stage.ask("alias.test. A")
    assert len(stage.asked) == 3
    assert not stage.asked[-1].header.flags & Flag.CD


async def test_a_name_that_the_cluster_claims() -> None:
    """A Service appears in a zone with `fallthrough`: what the upstream said is over, also where it had expired."""
    claimed: list[Question] = []
    cluster = Plugin(
        name="kubernetes",
        claims=lambda question: question in claimed,
        leaves_alone=lambda question: not question.name.startswith(b"\1a"),
    )
    stage = Stage("serve_stale", says=FOUND, behind=(cluster,))
    await stage.ask()
    assert stage.lasting() is None  # it may be claimed at any moment
    await stage.ask()
    assert len(stage.asked) == 1
    claimed.append(Question(b"\1a\4test\0", 1))
    stage.says = LIVE[0]
    for number in (2, 3):
        assert ttls(await stage.ask()) == [5]
        assert len(stage.asked) == number
    claimed.clear()
    stage.says = NXDOMAIN
    found = await stage.ask()
    assert found is not None
    assert found.rcode == 3  # and what was kept before has not come back
    stage.says = reply("b.test. 30 IN A 192.0.2.1")
    await stage.ask("b.test. A")
    assert stage.lasting("b.test. A") is not None
