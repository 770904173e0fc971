"""loadbalance: the order of records."""

import random
from ipaddress import ip_network
from pathlib import Path

import pytest

from dnsserver.answering.reply import Reply
from dnsserver.plugins.loadbalance import setup
from dnsserver.plugins.loadbalance.settings import LoadbalanceSettings
from dnsserver.wire import names
from dnsserver.wire.codes import Rcode, Type
from dnsserver.wire.records import Rdata, Record, name_rdata, txt_rdata
from tests.plugins.helpers import address, directive, handler, query, refused, replying

OWNER = names.from_text("example.org.")
CNAMES = tuple(Record(OWNER, Type.CNAME, 5, name_rdata(names.from_text(f"c{n}."))) for n in range(3))
REST = tuple(Record(OWNER, Type.TXT, 5, txt_rdata(str(n).encode())) for n in range(3))
MXS = tuple(Record(OWNER, Type.MX, 5, Rdata(b"\0\1", (names.from_text(f"m{n}."),))) for n in range(3))
ADDRESSES = (address("10.0.0.1"), address("2001:db8::1"), address("10.0.0.2"))


@pytest.fixture(autouse=True)
def _same_chance_each_time() -> None:
    random.seed(7)


@pytest.mark.parametrize(
    ("text", "prefer"),
    [
        ("loadbalance", ()),
        ("loadbalance round_robin", ()),
        ("loadbalance {\nprefer\n}", ()),
        (
            "loadbalance {\nprefer 10.0.0.1/8 fd00::/8\nprefer 1.2.3.4/32\n}",
            ("10.0.0.0/8", "fd00::/8", "1.2.3.4/32"),
        ),
        ("loadbalance {\nprefer 10.0.0.0/8\n}\nloadbalance {\nprefer ::/0\n}", ("10.0.0.0/8", "::/0")),
    ],
)
def test_settings(text: str, prefer: tuple[str, ...]) -> None:
    expected = LoadbalanceSettings(prefer=tuple(map(ip_network, prefer)))
    assert LoadbalanceSettings.from_directive(directive(text), Path("/")) == expected


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("loadbalance fair", "unknown policy: fair (Corefile:2)"),
        ("loadbalance round_robin x", "Corefile:2 - Error during parsing: unknown property for round_robin"),
        ("loadbalance {\nprefers 1\n}", "Corefile:3 - Error during parsing: unknown property 'prefers'"),
        *(
            (
                f"loadbalance {{\nprefer {cidr}\n}}",
                f'Corefile:3 - Error during parsing: invalid CIDR "{cidr}": invalid CIDR address: {cidr}',
            )
            for cidr in ("10.0.0.1", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "x/8")
        ),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/loadbalance: {error}"


async def orders(reply: Reply, text: str = "loadbalance", rtype: str = "A") -> list[Reply]:
    balanced = handler(setup, text, replying(reply))
    found = [await balanced(query(rtype=rtype)) for _ in range(100)]
    assert all(one is not None for one in found)
    return [one for one in found if one is not None]


@pytest.mark.parametrize("section", ["answer", "authority", "additional"])
async def test_every_section_is_ordered_by_kind(section: str) -> None:
    records = (*MXS, *ADDRESSES, *REST, *CNAMES)
    for reply in await orders(Reply(answer=records, authority=records, additional=records)):
        found = getattr(reply, section)
        assert found[:6] == (*CNAMES, *REST)
        assert set(found[6:9]) == set(ADDRESSES)
        assert set(found[9:]) == set(MXS)


async def test_addresses_and_mail_servers_take_all_orders() -> None:
    replies = await orders(Reply(answer=(*ADDRESSES, *MXS)))
    assert len({reply.answer[:3] for reply in replies}) == 6
    assert len({reply.answer[3:] for reply in replies}) == 6


@pytest.mark.parametrize(
    ("reply", "rtype"),
    [
        (Reply(answer=ADDRESSES, rcode=Rcode.NXDOMAIN), "A"),
        (Reply(answer=ADDRESSES), "AXFR"),
        (Reply(answer=ADDRESSES), "IXFR"),
        (Reply(answer=ADDRESSES[:1]), "A"),
    ],
)
async def test_left_as_it_is(reply: Reply, rtype: str) -> None:
    assert {one.answer for one in await orders(reply, rtype=rtype)} == {reply.answer}


async def test_the_rest_of_the_reply_stays() -> None:
    reply = Reply(answer=ADDRESSES, authoritative=True, plugin="kubernetes", options=((15, b"x"),))
    found = (await orders(reply))[0]
    assert (found.authoritative, found.plugin, found.options) == (True, "kubernetes", ((15, b"x"),))


async def test_silence_stays_silence() -> None:
    assert await handler(setup, "loadbalance", replying(None))(query()) is None


async def test_prefer() -> None:
    near = (address("10.1.0.1"), address("10.1.0.2"))
    six = (address("fd00::1"),)
    far = (address("192.0.2.1"), address("192.0.2.2"))
    records = (*REST[:1], *far, *six, *near, *MXS[:1], *CNAMES[:1])
    text = "loadbalance {\nprefer 10.1.0.0/16 fd00::/8\n}"
    replies = await orders(Reply(answer=records, additional=records), text)
    for reply in replies:
        for found in (reply.answer, reply.additional):
            assert found[0] == CNAMES[0]
            assert set(found[1:3]) == set(near)
            assert found[3] == six[0]
            assert set(found[4:6]) == set(far)
            assert found[6:] == (MXS[0], REST[0])
    assert len({reply.answer for reply in replies}) == 4
