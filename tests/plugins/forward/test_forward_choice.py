"""forward: which names, and whom to ask."""

import itertools
import random
from pathlib import Path

import pytest

from dnsserver.plugins.forward import setup
from dnsserver.plugins.forward.counting import ForwardCounters
from dnsserver.plugins.forward.options import settings_of
from dnsserver.plugins.forward.upstreams import Upstreams
from dnsserver.wire.codes import Rcode
from tests.plugins.forward.hasty import ANSWER, ask, forwarding, upstreams
from tests.plugins.helpers import address, directive, handler, query, replying
from tests.support.upstream import serving


@pytest.mark.parametrize(
    ("name", "forwarded"),
    [
        ("a.test.", True),
        ("x.A.TEST.", True),
        ("xa.test.", False),
        ("test.", False),
        ("no.a.test.", False),
        ("x.No.a.test.", False),
        ("xno.a.test.", True),
    ],
)
async def test_names(name: str, forwarded: bool) -> None:
    async with upstreams(serving(ANSWER)) as (served,):
        forward = forwarding([served.port], "except no.a.test", replying(None), origin="A.test")
        reply = await forward(query(name))
        assert (reply is not None, bool(served.asked)) == (forwarded, forwarded)


async def test_from_itself_is_never_excepted() -> None:
    async with upstreams(serving(ANSWER)) as (served,):
        forward = forwarding([served.port], "except test", replying(None), origin="a.test")
        assert await forward(query("a.test.")) is not None
        assert await forward(query("x.a.test.")) is None


async def test_several_stand_behind_each_other() -> None:
    async with upstreams(serving(ANSWER), serving(rcode=Rcode.NXDOMAIN)) as (first, second):
        text = (
            f"forward a.test 127.0.0.1:{first.port}\n"
            f"forward test 127.0.0.1:{second.port}\n"
            f"forward b.test 127.0.0.1:{first.port}"
        )
        chain = handler(setup, text, replying(None))
        assert (await ask(chain, query("x.a.test."))).rcode == Rcode.NOERROR
        assert (await ask(chain, query("x.b.test."))).rcode == Rcode.NXDOMAIN
        assert await chain(query("example.")) is None


async def asked_first(policy: str, count: int) -> list[int]:
    """Which of three upstreams answered each of *count* queries."""
    replies = [serving((address(f"192.0.2.{number}"),)) for number in range(3)]
    async with upstreams(*replies) as served:
        forward = forwarding([one.port for one in served], policy)
        return [(await ask(forward)).answer[0].rdata.head[3] for _ in range(count)]


async def test_policies() -> None:
    random.seed(5)
    assert await asked_first("policy sequential", 5) == [0] * 5
    assert await asked_first("policy round_robin", 7) == [0, 1, 2, 0, 1, 2, 0]
    for text in ("policy random", ""):
        found = await asked_first(text, 40)
        assert set(found) == {0, 1, 2}
        assert found != [0, 1, 2] * 13 + [0]


async def test_round_robin_goes_on_with_the_others_in_order() -> None:
    async with upstreams(serving(ANSWER)) as (good,):
        settings = settings_of(
            directive(
                f"forward . 10.0.0.1 10.0.0.2 127.0.0.1:{good.port} {{\npolicy round_robin\n}}"
            ).occurrences[0],
            Path("/"),
        )
    turns = Upstreams(settings, ForwardCounters())
    orders = [[one.address.host[-1] for one in itertools.islice(turns.attempts(), 3)] for _ in range(3)]
    assert orders == [["1", "2", "1"], ["2", "1", "1"], ["1", "1", "2"]]
