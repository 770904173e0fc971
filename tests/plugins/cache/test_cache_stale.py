"""cache: `serve_stale` and `serve_stale_policy`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.wire.codes import Rcode
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
from tests.support.upstream import until

_TEXT = b"kept by plugin cache, and out of date"
STALE_ANSWER, STALE_NXDOMAIN = (15, b"\0\x03" + _TEXT), (15, b"\0\x13" + _TEXT)
NEW = reply("a.test. 30 IN A 192.0.2.99")
REFUSED = reply(rcode="REFUSED")
CUT = reply("a.test. 30 IN A 192.0.2.99", flags="TC")
NO_ANSWER = reply("a.test. 30 IN CNAME b.test.")
EMPTY = reply()


@dataclass
class Gate:
    """Answers with `then`, but not before it is opened."""

    then: Reply | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, _: Query) -> Reply | None:
        await self.opened.wait()
        return self.then


@contextlib.asynccontextmanager
async def staged(options: str, first: Reply = FOUND, *, age_s: float = 40) -> AsyncIterator[Stage]:
    """A cache that has *first*, which is *age_s* seconds old."""
    stage = Stage(options, says=first)
    assert stage.plugin.lifespan is not None
    async with stage.plugin.lifespan():
        await stage.ask()
        stage.later(age_s)
        stage.asked.clear()
        yield stage


async def renewed(stage: Stage) -> None:
    """Wait for the end of what is renewed in the background."""
    await until(lambda: "under_way=0" in repr(stage.handler))


def data(found: Reply | None) -> str:
    assert found is not None
    return found.answer[0].rdata.head.hex() if found.answer else f"rcode {int(found.rcode)}"


OLD_DATA, NEW_DATA = data(FOUND), data(NEW)


async def test_off_by_default() -> None:
    async with staged("") as stage:
        stage.says = SERVFAIL
        assert data(await stage.ask()) == "rcode 2"


@pytest.mark.parametrize(
    ("options", "age_s", "stale"),
    [
        ("serve_stale", 30, True),
        ("serve_stale", 30 + 3599, True),
        ("serve_stale", 30 + 3600, False),
        ("serve_stale 10s", 39, True),
        ("serve_stale 10s", 40, False),
        ("serve_stale 0", 30, False),
        ("serve_stale 500ms", 30, False),
    ],
)
async def test_how_long(options: str, age_s: int, stale: bool) -> None:
    async with staged(options, age_s=age_s) as stage:
        stage.says = SERVFAIL
        assert data(await stage.ask()) == (OLD_DATA if stale else "rcode 2")


@pytest.mark.parametrize(
    ("options", "ttl"),
    [
        ("serve_stale", 0),
        ("serve_stale 1h immediate 30s", 30),
        ("serve_stale 1h verify", 0),
        ("serve_stale 1h verify 0 7s", 7),
        ("serve_stale 1h verify 1s 7s", 7),
        ("serve_stale\nkeepttl", 0),
    ],
)
async def test_ttl_of_a_stale_reply(options: str, ttl: int) -> None:
    async with staged(options) as stage:
        stage.says = SERVFAIL
        found = await stage.ask()
        assert found is not None
        assert ttls(found) == [ttl]
        assert (found.authoritative, found.rcode, found.options) == (True, Rcode.NOERROR, (STALE_ANSWER,))


async def test_a_stale_denial_says_so() -> None:
    async with staged("serve_stale", NXDOMAIN, age_s=90) as stage:
        found = await stage.ask()
        assert found is not None
        assert (found.rcode, found.options, lines(found)) == (
            Rcode.NXDOMAIN,
            (STALE_NXDOMAIN,),
            [SOA.replace("60", "0", 1)],
        )


async def test_immediate_renews_in_the_background() -> None:
    async with staged("serve_stale") as stage:
        stage.says = gate = Gate(NEW)
        assert data(await stage.ask()) == OLD_DATA
        gate.opened.set()
        await renewed(stage)
        assert data(await stage.ask()) == NEW_DATA
        assert len(stage.asked) == 1


async def test_immediate_renews_one_at_a_time() -> None:
    async with staged("serve_stale") as stage:
        stage.says = gate = Gate(NEW)
        for _ in range(50):
            assert data(await stage.ask()) == OLD_DATA
        await until(lambda: len(stage.asked) == 1)
        assert "under_way=1" in repr(stage.handler)
        gate.opened.set()
        await renewed(stage)
        assert len(stage.asked) == 1


#: What came, and whether it takes the place of an answer that has expired.
BETTER = (
    (NEW, True),
    (NODATA, True),
    (NXDOMAIN, True),
    (EMPTY, True),
    (NO_ANSWER, True),
    (SERVFAIL, False),
    (REFUSED, False),
    (CUT, False),
    (None, False),
    (reply("a.test. 30 IN A 192.0.2.99", rcode="NXDOMAIN"), False),
)


@pytest.mark.parametrize(("came", "better"), BETTER)
async def test_immediate_what_takes_its_place(came: Reply | None, better: bool) -> None:
    async with staged("serve_stale") as stage:
        stage.says = came
        await stage.ask()
        await renewed(stage)
        stage.says = SERVFAIL
        found = await stage.ask()
        kept = better and came is not NO_ANSWER
        assert data(found) == (data(came) if kept else OLD_DATA)


@pytest.mark.parametrize(("came", "better"), BETTER)
@pytest.mark.parametrize("limit", ["", "10s"])
async def test_verify_asks_first(came: Reply | None, better: bool, limit: str) -> None:
    async with staged(f"serve_stale 1h verify {limit}") as stage:
        stage.says = came
        found = await stage.ask()
        assert data(found) == (data(came) if better else OLD_DATA)
        assert found is not None
        assert (found.options == (STALE_ANSWER,)) is not better
        if better and found.answer:
            assert ttls(found) == [30]


async def test_verify_by_tcp_when_the_reply_is_truncated() -> None:
    async with staged("serve_stale 1h verify") as stage:

        async def script(query: Query) -> Reply:
            return CUT if query.arrival.protocol == "udp" else NEW

        stage.says = script
        assert data(await stage.ask()) == NEW_DATA
        assert [query.arrival.protocol for query in stage.asked] == ["udp", "tcp"]


async def test_verify_that_takes_too_long_goes_on_in_the_background() -> None:
    async with staged("serve_stale 1h verify 20ms") as stage:
        stage.says = gate = Gate(NEW)
        assert data(await stage.ask()) == OLD_DATA
        assert data(await stage.ask()) == OLD_DATA
        gate.opened.set()
        await renewed(stage)
        assert data(await stage.ask()) == NEW_DATA
        assert len(stage.asked) == 1  # who came second waited for the same attempt


async def test_verify_waits_without_a_timeout() -> None:
    async with staged("serve_stale 1h verify") as stage:
        stage.says = gate = Gate(NEW)
        asking = [asyncio.create_task(stage.ask()) for _ in range(20)]
        await until(lambda: len(stage.asked) == 1)
        assert not any(task.done() for task in asking)
        gate.opened.set()
        assert {data(found) for found in await asyncio.gather(*asking)} == {NEW_DATA}
        assert len(stage.asked) == 1


@pytest.mark.parametrize("options", ["serve_stale 1h immediate 0s 30s", "serve_stale 1h verify 0 0s 30s"])
async def test_recheck(options: str) -> None:
    async with staged(options) as stage:
        stage.says = SERVFAIL
        await stage.ask()
        await renewed(stage)
        stage.says = NEW
        stage.later(29)
        assert data(await stage.ask()) == OLD_DATA
        await renewed(stage)
        assert len(stage.asked) == 1
        stage.later(1)
        await stage.ask()
        await renewed(stage)
        assert data(await stage.ask()) == NEW_DATA
        assert len(stage.asked) == 2


async def test_recheck_when_the_clock_goes_back() -> None:
    """Else nobody would try again before it has caught up."""
    async with staged("serve_stale 1h immediate 0s 30s") as stage:
        stage.says = SERVFAIL
        await stage.ask()
        await renewed(stage)
        stage.says = NEW
        stage.later(-86_400)
        await stage.ask()
        await renewed(stage)
        assert data(await stage.ask()) == NEW_DATA


@pytest.mark.parametrize("options", ["serve_stale", "serve_stale 1h verify"])
async def test_without_recheck_every_query_tries(options: str) -> None:
    async with staged(options) as stage:
        stage.says = SERVFAIL
        for number in range(3):
            await stage.ask()
            await renewed(stage)
            assert len(stage.asked) == number + 1


async def test_with_recheck_nobody_waits_for_an_attempt_of_another() -> None:
    async with staged("serve_stale 1h verify 0 0s 30s") as stage:
        stage.says = gate = Gate(NEW)
        first = asyncio.create_task(stage.ask())
        await until(lambda: len(stage.asked) == 1)
        assert data(await stage.ask()) == OLD_DATA
        gate.opened.set()
        assert data(await first) == NEW_DATA


async def test_a_reply_of_the_cluster_ends_what_was_kept() -> None:
    live = reply("a.test. 30 IN A 10.0.0.1", flags="live")
    async with staged("serve_stale") as stage:
        stage.says = live
        assert data(await stage.ask()) == OLD_DATA
        await renewed(stage)
        for _ in range(2):
            assert data(await stage.ask()) == data(live)


async def test_renewals_end_with_the_plugin() -> None:
    async with staged("serve_stale") as stage:
        stage.says = Gate(NEW)
        await stage.ask()
        await until(lambda: len(stage.asked) == 1)
    assert not [task for task in asyncio.all_tasks() if "cache" in task.get_name()]
    assert data(await stage.ask()) == OLD_DATA
    assert len(stage.asked) == 1


async def test_a_renewal_that_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    async with staged("serve_stale") as stage:

        async def script(_: Query) -> Reply:
            raise RuntimeError("bug")

        stage.says = script
        await stage.ask()
        await renewed(stage)
        assert caplog.messages == ["cache renewals: a task failed"]
        stage.says = NEW
        await stage.ask()
        await renewed(stage)
        assert data(await stage.ask()) == NEW_DATA


# serve_stale_policy prefer_positive.

POLICY = "serve_stale_policy prefer_positive"
NOTIMP = reply(rcode="NOTIMP")
NOT_BETTER = (NXDOMAIN, NODATA, SERVFAIL, NOTIMP, EMPTY, NO_ANSWER, REFUSED, None)


@pytest.mark.parametrize("came", NOT_BETTER)
@pytest.mark.parametrize("mode", ["immediate", "verify", "verify 10s"])
async def test_an_answer_is_preferred(came: Reply | None, mode: str) -> None:
    async with staged(f"serve_stale 1h {mode}\n{POLICY}") as stage:
        stage.says = came
        for _ in range(3):
            assert data(await stage.ask()) == OLD_DATA
            await renewed(stage)
        stage.later(3600)
        assert data(await stage.ask() or SERVFAIL) != OLD_DATA


@pytest.mark.parametrize("came", [NXDOMAIN, NODATA])
async def test_without_the_policy_it_is_not(came: Reply) -> None:
    async with staged("serve_stale") as stage:
        stage.says = came
        await stage.ask()
        await renewed(stage)
        assert data(await stage.ask()) == data(came)


@pytest.mark.parametrize("mode", ["immediate", "verify"])
async def test_another_answer_takes_the_place(mode: str) -> None:
    async with staged(f"serve_stale 1h {mode}\n{POLICY}") as stage:
        for came in (NXDOMAIN, EMPTY, NEW):
            stage.says = came
            await stage.ask()
            await renewed(stage)
        assert data(await stage.ask()) == NEW_DATA


async def test_denials_are_given_where_there_is_no_answer() -> None:
    async with staged(f"serve_stale\n{POLICY}", NXDOMAIN, age_s=0) as stage:
        assert data(await stage.ask()) == "rcode 3"
        assert stage.asked == []


async def test_spelling_of_a_verified_reply() -> None:
    async with staged("serve_stale 1h verify 10s") as stage:
        assert lines(await stage.ask("A.test. A")) == [ADDRESS.replace("a.", "A.", 1)]
