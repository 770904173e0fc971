"""Quick replies behind real Corefiles, where random ones seldom lead: cuts between blocks, chains, counts, corners."""

import struct
from collections.abc import Iterator

import pytest

from dnsserver.observability.counters import OTHER
from dnsserver.plugins.kubernetes.state_answers import StateAnswers
from dnsserver.wire.codes import Type
from dnsserver.wire.message import Message
from dnsserver.zone.objects import ClusterObject, Namespace
from tests.answering.packets import AA, AD, CD, QR, RA, RD, TC, Z, message, opcode, opt
from tests.answers.objects import external, headless, namespaces, service, slice_of
from tests.answers.scene import wire_name
from tests.fast.court import CREATED, block, court

WITH_OPT = (1, 0, 0, 1)
COOKIE = struct.pack("!HH", 10, 8) + b"8 octets"
PROMETHEUS = "prometheus 127.0.0.1:0"
#: Types that the metrics name, and those that they sum up as "other".
NAMED, OTHERS = (Type.A, Type.AAAA, Type.SRV, Type.DS, 65), (Type.HINFO, Type.OPT, 0, 99, 65280, 65535)
LABEL = "x" * 62


def objects(addresses: int = 3) -> tuple[ClusterObject, ...]:
    listed = " ".join(f"10.0.{number >> 8}.{number & 255}" for number in range(addresses))
    return (
        *namespaces("default"),
        service("default/web", "10.96.0.1", "http:80"),
        headless("default/db", "http:80"),
        slice_of("default/db", "x", listed, "http:80"),
        external("default/alias", "web.default.svc.cluster.local"),
    )


def asked(name: str, rtype: int = Type.A, rclass: int = 1) -> bytes:
    return wire_name(name) + struct.pack("!HH", rtype, rclass)


def named(name: str, rtype: int = Type.A) -> bytes:
    """A usual query for a name in the namespace."""
    return message(asked(f"{name}.default.svc.cluster.local.", rtype), RD)


def with_opt(question: bytes, payload: int = 1232, ttl: int = 0, rdata: bytes = b"") -> bytes:
    return message(question + opt(payload, ttl, rdata), RD, WITH_OPT)


def shown(reply: bytes | None) -> Message:
    assert reply is not None
    return Message.decode(reply)


# Which block answers.


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_the_ds_record_at_a_cut_is_the_parents(order: tuple[int, int]) -> None:
    """The parent's block has another TTL: it shows in the SOA record who answered."""
    blocks = (
        block("cluster.local", "kubernetes { \n ttl 7 \n }"),
        block("svc.cluster.local", "kubernetes { \n ttl 9 \n }"),
    )
    async with court("".join(blocks[each] for each in order), objects()) as judge:
        for name, rtype, ttl in (
            ("svc.cluster.local.", Type.DS, 7),
            ("svc.cluster.local.", Type.TXT, 9),
            ("cluster.local.", Type.DS, 7),
            ("web.default.svc.cluster.local.", Type.DS, 9),
        ):
            for spelled in (name, name.upper()):
                reply = shown(await judge.twice(message(asked(spelled, rtype), RD)))
                assert [record.ttl for record in reply.authority] == [ttl], name
        assert judge.ready == 4


async def test_the_root_block_has_no_say_in_a_cut() -> None:
    text = block(".", "kubernetes . {\n ttl 7\n }") + block("cluster.local", "kubernetes {\n ttl 9\n }")
    async with court(text, objects()) as judge:
        reply = shown(await judge.twice(message(asked("cluster.local.", Type.DS), RD)))
        assert [record.ttl for record in reply.authority] == [9]
        assert (await judge.twice(message(asked("."), RD))) is not None
        assert judge.ready == 2


@pytest.mark.parametrize("line", ["loadbalance round_robin {\nprefer 10.0.0.2/32\n}", "log"])
async def test_plugins_that_want_every_query_get_it(line: str) -> None:
    async with court(block("cluster.local", line, "kubernetes"), objects()) as judge:
        for octets in (
            named("db"),
            named("web"),
            named("none"),
            with_opt(asked("db.default.svc.cluster.local.")),
        ):
            for protocol in ("udp", "tcp"):
                assert await judge.twice(octets, protocol) is None
        reply = shown(await judge.dispatcher.respond(named("db"), judge.arrival()))
        if line.startswith("loadbalance"):
            assert reply.answer[0].rdata.head == bytes((10, 0, 0, 2))


@pytest.mark.parametrize(("line", "orders"), [("loadbalance", 6), ("errors", 1)])
async def test_addresses_are_shuffled_where_loadbalance_is(line: str, orders: int) -> None:
    async with court(block("cluster.local", line, "kubernetes"), objects()) as judge:
        found = [shown(await judge.ask(named("db"))).answer for _ in range(200)]
        assert len(set(found)) == orders
        assert len({frozenset(each) for each in found}) == 1
        assert (judge.ready == 0) == (orders > 1)


@pytest.mark.parametrize("judged", [0.0, 1.0])
@pytest.mark.parametrize("with_edns", [False, True])
async def test_shuffled_addresses_that_do_not_fit(judged: float, with_edns: bool) -> None:
    """Some of them, others each time, and TC; the judge of live replies sees nothing wrong in that."""
    question = asked("db.default.svc.cluster.local.")
    octets = with_opt(question, 512) if with_edns else message(question, RD)
    async with court(
        block("cluster.local", "loadbalance", "kubernetes"), objects(100), judged=judged
    ) as judge:
        found = [await judge.ask(octets) for _ in range(30)]
        assert all(shown(reply).header.flags & TC for reply in found)
        assert len({record for reply in found for record in shown(reply).answer}) > 90
        assert judge.dispatcher.misjudged == 0


# Chains.


async def test_a_chain_hangs_on_every_service_along_it() -> None:
    chain = (
        *objects(),
        external("default/one", "two.default.svc.cluster.local"),
        external("default/two", "web.default.svc.cluster.local"),
    )
    changes: tuple[ClusterObject, ...] = (
        service("default/web", "10.96.0.2"),
        external("default/two", "db.default.svc.cluster.local"),
        slice_of("default/db", "x", "10.0.0.9"),
        external("default/two", "none.default.svc.cluster.local"),
        service("default/none", "10.96.0.3"),
    )
    queries = (named("one"), named("one", Type.AAAA), message(asked("ONE.default.svc.cluster.local."), RD))
    async with court(block("cluster.local", "kubernetes"), chain) as judge:
        for changed in changes:
            before = [await judge.twice(octets) for octets in queries]
            judge.clusters.put(changed, CREATED)  # the serial stays
            after = [await judge.twice(octets) for octets in queries]
            assert before[0] != after[0], changed


async def test_what_hangs_on_one_service_stays_while_another_changes() -> None:
    async with court(block("cluster.local", "kubernetes"), objects()) as judge:
        await judge.twice(named("web"))
        before = judge.ready
        judge.clusters.put(service("default/other", "10.96.0.7"), CREATED + 1)
        await judge.ask(named("web"))
        assert judge.ready == before + 1
        judge.clusters.put(service("default/web", "10.96.0.8"), CREATED + 1)
        assert shown(await judge.ask(named("web"))).answer[0].rdata.head == bytes((10, 96, 0, 8))
        assert judge.ready == before + 1


@pytest.mark.parametrize("payload", [None, 512, 1232])
@pytest.mark.parametrize("links", range(2, 9))
async def test_long_chains_that_end_in_nothing(links: int, payload: int | None) -> None:
    """Where the SOA record does not fit, no octet of the CNAME records is taken for its serial."""
    names = [f"{number}{LABEL}" for number in range(links)]
    chain = [
        external(f"default/{one}", f"{other}.default.svc.cluster.local")
        for one, other in zip(names, [*names[1:], "web"], strict=True)
    ]
    question = asked(f"{names[0]}.default.svc.cluster.local.", Type.TXT)
    octets = message(question, RD) if payload is None else with_opt(question, payload)
    async with court(block("cluster.local", "kubernetes"), (*objects(), *chain)) as judge:
        for now in range(3):
            reply = shown(await judge.twice(octets))
            cut = payload != 1232 and links > 5
            assert bool(reply.header.flags & TC) == cut
            assert len(reply.authority) == (not cut)
            judge.clusters.put(service("default/other", f"10.96.0.{now}"), CREATED + now)
        assert judge.ready == 3


async def test_the_serial_is_that_of_now() -> None:
    """Of a negative answer that the change of another Service does not end."""
    queries = (
        named("web", Type.AAAA),
        named("none"),
        with_opt(asked("web.default.svc.cluster.local.", Type.TXT), ttl=0x8000),
    )
    async with court(block("cluster.local", "kubernetes"), objects()) as judge:
        for now in (CREATED + 10, CREATED + 20):
            judge.clusters.put(service("default/other", f"10.96.0.{now - CREATED}"), now)
            for octets in queries:
                for reply in (await judge.twice(octets), await judge.ask(octets, "tcp")):
                    (soa,) = shown(reply).authority
                    assert int.from_bytes(soa.rdata.tail[:4], "big") == now
        assert judge.ready == 3 * len(queries), "all but the first of each"


# Counts.


def every_way(question: bytes) -> Iterator[tuple[bytes, str]]:
    """Ready, stored, and over TCP; with OPT, DO, options, in other cases."""
    yield message(question, RD), "udp"
    yield message(question, RD), "tcp"
    yield with_opt(question, 1232, 0x8000), "udp"
    yield with_opt(question, 1232, 0x8000), "tcp"
    yield with_opt(question, 1232, 0x8000, COOKIE), "udp"
    yield with_opt(question, 1233, 0, COOKIE), "udp"
    yield message(question[:-4].upper() + question[-4:], RD), "udp"
    yield message(question, RD) + b"more", "udp"


@pytest.mark.parametrize("line", ["", "loadbalance"])
async def test_every_way_is_counted_as_the_chain_counts(line: str) -> None:
    """By type, DO, IP version, RCODE and sizes; `court` counts each reply as the chain does."""
    text = block("cluster.local svc.cluster.local", line, PROMETHEUS, "kubernetes")
    text += block("example", "kubernetes cluster.local") + block(".", PROMETHEUS, "kubernetes .")
    async with court(text, objects()) as judge:
        for name in ("db", "web", "none", "alias"):
            for rtype in (*NAMED, *OTHERS):
                for octets, protocol in every_way(asked(f"{name}.default.svc.cluster.local.", rtype)):
                    for ipv6 in (False, True):
                        await judge.twice(octets, protocol, ipv6=ipv6)
        await judge.twice(message(asked("cluster.local.", Type.SOA), RD))
        await judge.twice(message(asked("a."), RD))
        judge.check_counts()
        counted = judge.expected[wire_name("svc.cluster.local.")].exchanges
        types = {exchange[2] for exchange in counted}
        assert types == {*NAMED, OTHER}
        assert {exchange[5] for exchange in counted} == {exchange[1] for exchange in counted} == {False, True}
        assert judge.ready > 100


async def test_sizes_that_clients_choose_do_not_pile_up() -> None:
    """What is tallied by size has few sizes: the other queries are counted one by one."""
    question = asked("web.default.svc.cluster.local.")
    async with court(block("cluster.local", PROMETHEUS, "kubernetes"), objects()) as judge:
        for size in range(300):
            await judge.ask(message(question, RD) + bytes(size), "udp")
            await judge.ask(message(question, RD) + bytes(size), "tcp")
            await judge.ask(with_opt(question, size, rdata=struct.pack("!HH", 12, size) + bytes(size)))
            await judge.ask(with_opt(question, 512 + size))
            await judge.ask(with_opt(question, 1232, size << 16))
            await judge.ask(message(question, size))
        fast = judge.dispatcher._fast
        assert fast is not None
        assert len(fast.tallies._kinds) <= 4
        assert len(fast.ready(ipv6=False).find()[0].__self__) < 30  # type: ignore[attr-defined]
        judge.check_counts()


# Corners.


CORNERS = (
    *(
        message(asked("web.default.svc.cluster.local."), word)
        for word in (0, RD, CD, AD, TC, AA, RA, Z, 15, 0x07FF)
    ),
    *(
        message(asked("web.default.svc.cluster.local.") + opt(size, ttl), RD | CD, WITH_OPT)
        for size in (0, 1, 511, 512, 513, 1232, 4095, 4096, 4097, 65535)
        for ttl in (0, 0x8000, 0x7FFF, 0xFFFF, 0xFF00_0000)
    ),
    *(message(asked("web.default.svc.cluster.local.", rtype), RD) for rtype in (0, 41, 6, 2, 250, 65535)),
    *(
        message(asked(name, rtype), RD)
        for name in (".", "local.", "cluster.local.")
        for rtype in (1, 2, 6, 43)
    ),
    message(b"\3a\0b\7default\3svc\7cluster\5local\0\0\1\0\1", RD),
    message(b"\3A\xc3\xa4\7default\3svc\7cluster\5local\0\0\1\0\1", RD),
    message(b"\1*\7default\3svc\7cluster\5local\0\0\1\0\1", RD),
)
FOR_THE_CHAIN = (
    *(message(asked("web.default.svc.cluster.local.", rtype), RD) for rtype in (251, 252, 255)),
    *(message(asked("web.default.svc.cluster.local.", 1, rclass), RD) for rclass in (0, 3, 4, 254, 255)),
    *(
        message(asked("web.default.svc.cluster.local."), word)
        for word in (QR, QR | RD, opcode(4), opcode(5) | RD)
    ),
    with_opt(asked("web.default.svc.cluster.local."), ttl=0x1_0000),
    with_opt(asked("web.default.svc.cluster.local."), rdata=COOKIE[:-1]),
    message(asked("web.default.svc.cluster.local."), RD, (2, 0, 0, 0)),
    message(asked("web.default.svc.cluster.local."), RD, (1, 1, 0, 0)),
    message(asked("web.default.svc.cluster.local."), RD, WITH_OPT),
    message(wire_name("web.default.svc.cluster.local."), RD),
    message(b"\3web\xc0\x0c\0\1\0\1", RD),
    message(b"\3a\0b", RD),
    message(),
)


@pytest.mark.parametrize("line", ["errors", "loadbalance"])
async def test_corners(line: str) -> None:
    """`court` compares; what is no ordinary query is left to the chain."""
    async with court(
        block(". cluster.local", line, "any", "kubernetes cluster.local . "), objects()
    ) as judge:
        for octets in CORNERS * 2:
            for protocol in ("udp", "tcp"):
                await judge.twice(octets, protocol)
        assert judge.aside == 8, "the name with a zero octet inside a label"
        before = judge.fast
        for octets in FOR_THE_CHAIN[:-1]:
            for protocol in ("udp", "tcp"):
                assert await judge.twice(octets, protocol) is None, octets.hex()
        assert judge.fast == before
        assert judge.dispatcher.panics == 0


async def test_namespaces_end_everything() -> None:
    async with court(block("cluster.local", "kubernetes"), objects()) as judge:
        for octets in (
            named("web"),
            named("none"),
            with_opt(asked("web.default.svc.cluster.local."), rdata=COOKIE),
        ):
            assert await judge.twice(octets) is not None
        judge.clusters.drop(Namespace("default"), CREATED)
        for octets in (named("web"), with_opt(asked("web.default.svc.cluster.local."), rdata=COOKIE)):
            assert shown(await judge.twice(octets)).header.rcode == 3


async def test_a_change_that_does_not_say_what_ends_everything() -> None:
    async with court(block("cluster.local", "kubernetes"), objects()) as judge:
        queries = (
            named("web"),
            named("none"),
            with_opt(asked("db.default.svc.cluster.local."), rdata=COOKIE),
        )
        for octets in queries:
            await judge.twice(octets)
        fast = judge.dispatcher._fast
        assert fast is not None
        assert repr(fast) == "<FastPath ready=2 stored=1>"
        fast._changed(None)
        assert repr(fast) == "<FastPath ready=0 stored=0>"


# Effort.


@pytest.mark.parametrize(
    ("line", "name", "first", "later"),
    [
        ("errors", "web", 1, 0),
        ("loadbalance", "web", 1, 0),
        ("loadbalance", "db", 3, 0),
        ("errors", "out", 1, 1),
    ],
)
async def test_how_often_the_state_is_asked(
    line: str, name: str, first: int, later: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for what can be ready, three times for what is stored (in two spellings), once for each query that takes
    the chain."""
    real, seen = StateAnswers.repeatable, []

    def counting(self: StateAnswers, question: object) -> object:
        seen.append(question)
        return real(self, question)  # type: ignore[arg-type]

    monkeypatch.setattr(StateAnswers, "repeatable", counting)
    there = (*objects(), external("default/out", "www.example.com"))
    async with court(block("cluster.local", line, "kubernetes"), there) as judge:
        await judge.ask(named(name))
        assert len(seen) == first
        for _ in range(10):
            seen.clear()
            await judge.ask(named(name))
            assert len(seen) == later
