"""cache: which replies are kept, and for how long."""

from collections.abc import Iterable

import pytest

from dnsserver.answering.reply import Reply
from tests.plugins.cache.stage import ADDRESS, NODATA, NXDOMAIN, SOA, Stage, reply, ttls

ALIAS = "a.test. 300 IN CNAME b.test."
ALIAS_BACK = "b.test. 300 IN CNAME a.test."
TARGET = "b.test. 20 IN A 192.0.2.2"
NS = "test. 600 IN NS ns.test."
GLUE = "ns.test. 9 IN A 192.0.2.53"
WITH_SOA = [SOA]


def address(ttl: int) -> str:
    return f"a.test. {ttl} IN A 192.0.2.1"


#: What was asked, what came, the TTL that all records have in the reply, and whether it is kept.
KEPT: Iterable[tuple[str, Reply, int, bool]] = (
    ("a.test. A", reply(ADDRESS), 30, True),
    ("a.test. A", reply(address(0)), 5, True),
    ("a.test. A", reply(address(1)), 5, True),
    ("a.test. A", reply(address(3601)), 3600, True),
    ("a.test. A", reply(address(2**31)), 3600, True),
    ("a.test. A", reply(ADDRESS, additional=[GLUE]), 9, True),
    ("a.test. A", reply(ADDRESS, authority=[NS], additional=[GLUE]), 9, True),
    # Aliases.
    ("a.test. A", reply(ALIAS, TARGET), 20, True),
    ("a.test. CNAME", reply(ALIAS), 300, True),
    ("a.test. A", reply(ALIAS), 300, False),
    ("a.test. A", reply(ALIAS, authority=WITH_SOA), 60, True),
    ("a.test. A", reply(ALIAS, ALIAS_BACK, TARGET), 20, False),
    ("a.test. A", reply(ALIAS, "a.test. 300 IN CNAME c.test.", TARGET), 20, False),
    ("a.test. A", reply(ALIAS, ALIAS, TARGET), 20, True),
    ("a.test. A", reply("b.test. 30 IN A 192.0.2.2"), 30, False),
    ("a.test. ANY", reply(ALIAS), 300, True),
    ("a.test. ANY", reply(TARGET), 20, False),
    ("A.test. A", reply("a.TEST. 30 IN CNAME B.test.", "b.TEST. 30 IN A 192.0.2.2"), 30, True),
    # Denials.
    ("a.test. A", NODATA, 60, True),
    ("a.test. A", NXDOMAIN, 60, True),
    ("a.test. A", reply(rcode="NXDOMAIN", authority=["test. 7200 IN SOA a. b. 1 1 1 1 1"]), 1800, True),
    ("a.test. A", reply(rcode="NXDOMAIN", authority=["test. 0 IN SOA a. b. 1 1 1 1 900"]), 5, True),
    ("a.test. A", reply(rcode="NXDOMAIN"), 0, False),
    ("a.test. A", reply(rcode="NXDOMAIN", authority=[NS]), 600, False),
    ("a.test. A", reply(ALIAS, rcode="NXDOMAIN", authority=WITH_SOA), 5, False),
    # Failures, and what else there is.
    ("a.test. A", reply(rcode="SERVFAIL"), 0, True),
    ("a.test. A", reply(rcode="SERVFAIL", authority=WITH_SOA), 5, True),
    ("a.test. A", reply(rcode="NOTIMP"), 0, True),
    ("a.test. A", reply(rcode="REFUSED", authority=[NS]), 5, False),
    ("a.test. A", reply(rcode="FORMERR"), 0, False),
    ("a.test. A", reply(rcode="BADVERS"), 0, False),
    ("a.test. A", reply(), 0, True),
    ("a.test. A", reply(additional=[GLUE]), 9, True),
    ("a.test. A", reply(authority=[NS], additional=[GLUE]), 5, True),
    ("a.test. A", reply(ADDRESS, flags="TC"), 30, False),
    ("a.test. A", reply(ADDRESS, flags="live"), 30, False),
    ("a.test. A", reply(address(1), flags="live"), 5, False),
    (
        "a.test. A",
        reply(rcode="NXDOMAIN", authority=["test. 1 IN SOA a. b. 1 1 1 1 1"], flags="live"),
        5,
        False,
    ),
)


@pytest.mark.parametrize(("what", "came", "ttl", "kept"), KEPT)
async def test_what_is_kept(what: str, came: Reply, ttl: int, kept: bool) -> None:
    stage = Stage(says=came)
    first = await stage.ask(what)
    assert set(ttls(first)) <= {ttl}
    assert first is not None
    assert (first.rcode, len(ttls(first))) == (came.rcode, len(ttls(came)))
    second = await stage.ask(what)
    assert len(stage.asked) == (1 if kept else 2)
    assert ttls(second) == ttls(first)


@pytest.mark.parametrize(
    ("came", "lasts_s"),
    [
        (reply(address(0)), 5),
        (reply(ADDRESS), 30),
        (reply(ALIAS, TARGET), 20),
        (NXDOMAIN, 60),
        (reply(rcode="SERVFAIL"), 5),
        (reply(rcode="NOTIMP"), 5),
        (reply(), 5),
        (reply(authority=[NS]), 5),
    ],
)
async def test_how_long_it_is_kept(came: Reply, lasts_s: int) -> None:
    stage = Stage(says=came)
    await stage.ask()
    stage.later(lasts_s - 1)
    await stage.ask()
    assert len(stage.asked) == 1
    stage.later(1)
    await stage.ask()
    assert len(stage.asked) == 2


@pytest.mark.parametrize(
    ("arguments", "options", "came", "ttl"),
    [
        ("10", "", reply(ADDRESS), 10),
        ("10", "", NXDOMAIN, 10),
        ("7200", "", reply(address(7000)), 7000),
        ("", "success 9984 20", reply(ADDRESS), 20),
        ("", "success 9984 20", NXDOMAIN, 60),
        ("", "denial 9984 20", NXDOMAIN, 20),
        ("", "denial 9984 20", NODATA, 20),
        ("", "denial 9984 20", reply(ADDRESS), 30),
        ("", "success 9984 3600 40", reply(ADDRESS), 40),
        ("", "success 9984 3600 0", reply(address(1)), 1),
        ("", "denial 9984 3600 90", NXDOMAIN, 90),
        ("", "success 9984 3 40", reply(ADDRESS), 3),
        ("5", "success 9984 20", reply(ADDRESS), 20),
        ("", "success 9984 99999999999 99999999999", reply(ADDRESS), 2**31 - 1),
        ("", "servfail 2s", reply(rcode="SERVFAIL", authority=[SOA]), 2),
        ("", "servfail 1500ms", reply(rcode="SERVFAIL", authority=[SOA]), 1),
    ],
)
async def test_limits(arguments: str, options: str, came: Reply, ttl: int) -> None:
    stage = Stage(options, arguments, came)
    assert ttls(await stage.ask()) == [ttl]
    stage.later(ttl - 1)
    assert ttls(await stage.ask()) == [1]
    assert len(stage.asked) == 1
    stage.later(1)
    await stage.ask()
    assert len(stage.asked) == 2


@pytest.mark.parametrize(
    ("options", "came"),
    [
        ("servfail 0", reply(rcode="SERVFAIL")),
        ("servfail 500ms", reply(rcode="NOTIMP")),
        ("success 9984 3600 0", reply(address(0))),
        ("denial 9984 3600 0", reply(rcode="NXDOMAIN", authority=["test. 0 IN SOA a. b. 1 1 1 1 900"])),
    ],
)
async def test_what_lasts_for_no_second_is_not_kept(options: str, came: Reply) -> None:
    stage = Stage(options, says=came)
    assert set(ttls(await stage.ask())) <= {0}
    await stage.ask()
    assert len(stage.asked) == 2


@pytest.mark.parametrize(
    ("options", "what", "came", "kept"),
    [
        ("disable success", "a.test. A", reply(ADDRESS), False),
        ("disable success", "a.test. A", NXDOMAIN, True),
        ("disable denial", "a.test. A", reply(ADDRESS), True),
        ("disable denial", "a.test. A", NXDOMAIN, False),
        ("disable denial", "a.test. A", NODATA, False),
        ("disable denial", "a.test. A", reply(rcode="SERVFAIL"), False),
        ("disable success test", "A.Test. A", reply(ADDRESS), False),
        ("disable success a.test b.test", "a.test. A", reply(ADDRESS), False),
        ("disable success est", "a.test. A", reply(ADDRESS), True),
        ("disable denial b.test", "a.test. A", NXDOMAIN, True),
        ("disable success\ndisable denial", "a.test. A", NXDOMAIN, False),
    ],
)
async def test_disable(options: str, what: str, came: Reply, kept: bool) -> None:
    """It has no say in TTLs: they get the limits all the same."""
    stage = Stage(options, "10", came)
    first = await stage.ask(what)
    assert set(ttls(first)) <= {10} | ({5} if came.rcode == 2 else set())
    await stage.ask(what)
    assert len(stage.asked) == (1 if kept else 2)


SIGNATURE = "a.test. 30 IN RRSIG A 8 2 30 {expires} {begins} 1 test. AAAA"


@pytest.mark.parametrize(
    ("expires", "begins", "flags", "kept"),
    [
        ("20231201000000", "20231101000000", "DO", True),
        ("20231102000000", "20231101000000", "DO", False),
        ("20231201000000", "20231130000000", "DO", False),
        ("20231102000000", "20231101000000", "", True),
    ],
)
async def test_signatures_of_another_time_are_not_kept(
    expires: str, begins: str, flags: str, kept: bool
) -> None:
    """It is 14 November 2023."""
    stage = Stage(says=reply(ADDRESS, SIGNATURE.format(expires=expires, begins=begins)))
    assert ttls(await stage.ask(flags=flags)) == ([30, 30] if kept else [5, 5])
    await stage.ask(flags=flags)
    assert len(stage.asked) == (1 if kept else 2)


@pytest.mark.parametrize(
    ("what", "flags"), [("a.test. SOA", "NOTIFY"), ("a.test. AXFR", ""), ("a.test. IXFR", "")]
)
async def test_transfers_and_notifications_pass_as_they_are(what: str, flags: str) -> None:
    stage = Stage(arguments="10", says=reply(address(77)))
    assert ttls(await stage.ask(what, flags=flags)) == [77]
    await stage.ask(what, flags=flags)
    assert len(stage.asked) == 2
    assert stage.metrics() == {}


async def test_names_outside_the_zones_pass_as_they_are() -> None:
    stage = Stage(arguments="10 b.test", says=reply(authority=["test. 77 IN SOA a. b. 1 1 1 1 1"]))
    for _ in range(2):
        assert ttls(await stage.ask("bb.test. A")) == [77]
        assert ttls(await stage.ask("x.B.test. A")) == [10]
    assert [query.question.name for query in stage.asked] == [
        b"\2bb\4test\0",
        b"\1x\1B\4test\0",
        b"\2bb\4test\0",
    ]


async def test_zones_of_the_block_are_the_default() -> None:
    stage = Stage(arguments="10", says=reply(address(77)), zones=("b.test.",))
    assert ttls(await stage.ask()) == [77]
    assert ttls(await stage.ask("b.test. A")) == [10]


@pytest.mark.parametrize(
    ("options", "says"),
    [("success 1024 30 0", reply(address(0))), ("servfail 0s", reply(rcode="SERVFAIL"))],
)
async def test_what_has_no_time_is_never_stale(options: str, says: Reply) -> None:
    stage = Stage(f"serve_stale\n{options}", says=says)
    for number in range(3):
        await stage.ask()
        assert len(stage.asked) == number + 1
    assert stage.metrics()["served_stale_total{dns://:53,.,}"] == 0


async def test_silence_stays_silence() -> None:
    stage = Stage(says=None)
    assert await stage.ask() is None
    assert await stage.ask() is None
    assert len(stage.asked) == 2
