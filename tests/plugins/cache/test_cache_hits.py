"""cache: what is given from what was kept."""

import asyncio
from dataclasses import replace

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.wire.codes import Flag, Rcode
from dnsserver.wire.message import Message
from tests.plugins.cache.stage import (
    ADDRESS,
    FOUND,
    NODATA,
    NXDOMAIN,
    SERVFAIL,
    SOA,
    Stage,
    lines,
    reply,
    ttls,
)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("a.test. A", "A.tEsT. A", True),
        ("a.test. A", "a.test. AAAA", False),
        ("a.test. A", "b.test. A", False),
        ("a.test. A", "a.test. A EDNS", True),
        ("a.test. A", "a.test. A AD", True),
        ("a.test. A", "a.test. A DO", False),
        ("a.test. A DO", "a.test. A DO", True),
        ("a.test. A", "a.test. A CD", False),
        ("a.test. A CD", "a.test. A CD", True),
        ("a.test. A", "a.test. A CH", False),
    ],
)
async def test_who_shares_a_reply(first: str, second: str, same: bool) -> None:
    stage = Stage()
    for asked in (first, second):
        name, rtype, *flags = asked.split()
        await stage.ask(f"{name} {rtype}", flags=" ".join(flags))
    assert len(stage.asked) == (1 if same else 2)


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("flags", ["", "AA", "RA", "AA RA"])
async def test_flags(flags: str, protocol: str) -> None:
    stage = Stage(says=reply(ADDRESS, flags=flags))
    first, second = await stage.ask(), await stage.ask(protocol=protocol)
    assert first is not None
    assert second is not None
    assert (first.authoritative, first.recursion_available) == ("AA" in flags, "RA" in flags)
    assert (second.authoritative, second.recursion_available) == (True, "RA" in flags)
    assert (first.plugin, second.plugin) == ("forward", "cache")


@pytest.mark.parametrize("came", [FOUND, NODATA, NXDOMAIN, SERVFAIL])
async def test_rcode_and_records_are_those_that_came(came: Reply) -> None:
    stage = Stage(says=came)
    first, second = await stage.ask(), await stage.ask()
    assert second is not None
    assert second.rcode == came.rcode
    assert lines(second) == lines(first)
    assert len(stage.asked) == 1


@pytest.mark.parametrize(
    ("asker", "reader", "authentic"),
    [
        ("", "", False),
        ("", "AD", True),
        ("AD", "", False),
        ("AD", "AD", True),
        ("DO", "DO", True),
        ("", "EDNS", False),
    ],
)
@pytest.mark.parametrize("stored", [False, True])
async def test_authentic_data_for_those_who_ask(
    asker: str, reader: str, authentic: bool, stored: bool
) -> None:
    stage = Stage(says=reply(ADDRESS, flags="AD" if stored else ""))
    first, second = await stage.ask(flags=asker), await stage.ask(flags=reader)
    assert len(stage.asked) == 1
    assert first is not None
    assert second is not None
    assert first.authentic == (stored and asker in ("AD", "DO"))
    assert second.authentic == (stored and authentic)


async def test_whether_data_are_authentic_is_always_asked() -> None:
    stage = Stage()
    await stage.ask("a.tEst. A", flags="EDNS CD")
    query = stage.asked[0]
    message = Message.decode(query.octets)
    assert query.header.flags == message.header.flags == Flag.RD | Flag.AD | Flag.CD
    assert message.questions == (query.question,)
    assert message.edns == query.edns


async def test_all_records_count_down_together() -> None:
    stage = Stage(says=reply("a.test. 300 IN CNAME b.test.", "b.test. 20 IN A 192.0.2.2", authority=[SOA]))
    found = []
    for _ in range(20):
        found.append(ttls(await stage.ask()))
        stage.later(1)
    assert found == [[left] * 3 for left in range(20, 0, -1)]


async def test_entries_of_one_second_tick_together() -> None:
    """Whole Unix seconds: a reply that was kept at x.25 and one at x.95 are a second older at the same moment."""
    stage = Stage()
    await stage.ask("a.test. A")
    stage.later(0.7)
    await stage.ask("a.test. AAAA")
    stage.later(0.1)
    assert ttls(await stage.ask("a.test. A")) == [29]
    await stage.ask("a.test. AAAA")


async def test_keepttl() -> None:
    stage = Stage("keepttl")
    await stage.ask()
    for _ in range(29):
        stage.later(1)
        assert ttls(await stage.ask()) == [30]
    assert len(stage.asked) == 1
    stage.later(1)
    await stage.ask()
    assert len(stage.asked) == 2


async def test_a_clock_that_went_back_ends_what_is_kept() -> None:
    stage = Stage()
    await stage.ask()
    stage.later(-3600)
    assert ttls(await stage.ask()) == [30]
    assert len(stage.asked) == 2


async def test_the_question_comes_back_as_it_was_spelt() -> None:
    stage = Stage(says=reply("A.Test. 30 IN CNAME b.Test.", "b.Test. 30 IN A 192.0.2.2"))
    await stage.ask("A.Test. A")
    assert lines(await stage.ask("a.tEST. A")) == [
        "a.tEST. 30 IN CNAME b.Test.",
        "b.Test. 30 IN A 192.0.2.2",
    ]
    assert len(stage.asked) == 1


async def test_extended_errors_are_kept_and_a_failure_says_that_it_is() -> None:
    bogus = (15, b"\0\x06bogus")
    stage = Stage(says=replace(SERVFAIL, options=(bogus,), error="no upstream"))
    first, second = await stage.ask(), await stage.ask()
    assert first is not None
    assert second is not None
    assert (first.options, first.error) == ((bogus,), "no upstream")
    assert (second.options, second.error) == (
        (bogus, (15, b"\0\x0da failure that plugin cache keeps")),
        "",
    )  # Cached Error; it was logged once


async def test_options_belong_to_one_message() -> None:
    """OPT among the records (an upstream's mistake) goes."""
    opt = replace(FOUND.answer[0], rtype=41, ttl=0)
    stage = Stage(says=replace(FOUND, answer=(*FOUND.answer, opt), authority=(opt,), additional=(opt,)))
    assert lines(await stage.ask()) == lines(await stage.ask()) == [ADDRESS]


async def test_a_failure_does_not_hide_an_answer() -> None:
    """Two ask at the same time; who asks first hears last, and of a failure."""
    answered = asyncio.Event()
    stage = Stage("servfail 5m")

    async def script(_: Query) -> Reply:
        if len(stage.asked) == 1:
            await answered.wait()
            return SERVFAIL
        return FOUND

    stage.says = script
    first = asyncio.create_task(stage.ask())
    await asyncio.sleep(0)
    await stage.ask()
    answered.set()
    assert (await first or FOUND).rcode == Rcode.SERVFAIL
    assert lines(await stage.ask()) == [ADDRESS]
    stage.later(30)
    assert (await stage.ask() or FOUND).rcode == Rcode.SERVFAIL
    assert len(stage.asked) == 2


@pytest.mark.parametrize("denial", [NODATA, NXDOMAIN])
async def test_a_denial_ends_the_answer_before_it(denial: Reply) -> None:
    """It was heard later; when it ends the answer does not come back."""
    answered = asyncio.Event()
    stage = Stage("denial 9984 5")

    async def script(_: Query) -> Reply:
        if len(stage.asked) == 1:
            await answered.wait()
            return denial
        return FOUND

    stage.says = script
    first = asyncio.create_task(stage.ask())
    await asyncio.sleep(0)
    await stage.ask()
    answered.set()
    await first
    assert (await stage.ask() or FOUND).answer == ()
    stage.later(5)
    assert lines(await stage.ask()) == [ADDRESS]
    assert len(stage.asked) == 3


async def test_an_answer_ends_the_denial_before_it() -> None:
    answered = asyncio.Event()
    stage = Stage()

    async def script(_: Query) -> Reply:
        if len(stage.asked) == 1:
            await answered.wait()
            return FOUND
        return NXDOMAIN

    stage.says = script
    first = asyncio.create_task(stage.ask())
    await asyncio.sleep(0)
    await stage.ask()
    answered.set()
    await first
    assert lines(await stage.ask()) == [ADDRESS]
    assert len(stage.asked) == 2
