"""Which server block answers, and what the server says by itself (coredns-compat.md, 1.6 and 1.10)."""

import logging
from collections.abc import Mapping

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.config import ServerBlock, ServerKey
from dnsserver.plugins.plugin import Handler, Plugin, chain
from dnsserver.runtime.dispatch import Dispatcher
from dnsserver.runtime.sites import BuiltSite
from dnsserver.wire import names
from dnsserver.wire.arrival import Arrival
from dnsserver.wire.codes import Class, Flag, Opcode, Rcode, Type
from dnsserver.wire.header import Header
from dnsserver.wire.message import Message
from dnsserver.wire.question import Question
from dnsserver.wire.records import Record, txt_rdata

ARRIVAL = Arrival("udp", "127.0.0.1", 40_000, "127.0.0.1", 53)


def octets(name: str, rtype: int = Type.A, rclass: int = Class.IN) -> bytes:
    header = Header(77, Opcode.QUERY, 0, Flag.RD, 1)
    return header.encode() + Question(names.from_text(name), rtype, rclass).encode()


def site(zone: str, *plugins: Plugin) -> BuiltSite:
    block = ServerBlock((ServerKey("dns", zone, 53, zone),), (), "Corefile", 1)
    return BuiltSite(block, plugins, chain(plugins), ())


def telling(zone: str, *, classes_beyond_in: bool = False) -> BuiltSite:
    """A site whose answers are the zone's name."""

    async def answer(query: Query) -> Reply:
        record = Record(query.question.name, Type.TXT, 0, txt_rdata(zone.encode()), query.question.rclass)
        return Reply(answer=(record,), authoritative=True)

    return site(zone, Plugin(name="telling", wrap=lambda _: answer, classes_beyond_in=classes_beyond_in))


def handled(handler: Handler) -> BuiltSite:
    return site(".", Plugin(name="handled", wrap=lambda _: handler))


def dispatcher(*sites: BuiltSite) -> Dispatcher:
    table: Mapping[bytes, BuiltSite] = {names.from_text(item.block.keys[0].zone): item for item in sites}
    return Dispatcher(table)


async def reply(to: Dispatcher, sent: bytes) -> Message:
    found = await to.respond(sent, ARRIVAL)
    assert found is not None
    message = Message.decode(found)
    assert message.header.id == 77
    assert message.header.flags & Flag.QR
    return message


async def who(to: Dispatcher, name: str, rtype: int = Type.A, rclass: int = Class.IN) -> str:
    """The zone of the block that answers, or the RCODE."""
    message = await reply(to, octets(name, rtype, rclass))
    if not message.answer:
        return Rcode(message.header.rcode).name
    rdata = message.answer[0].rdata
    return (rdata.head + rdata.tail)[1:].decode()


ZONES = ("cluster.local.", "svc.cluster.local.", "example.", "sub.example.", "deep.er.sub.example.")


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("cluster.local", "cluster.local."),
        ("a.cluster.local", "cluster.local."),
        ("svc.cluster.local", "svc.cluster.local."),
        ("a.b.svc.cluster.local", "svc.cluster.local."),
        ("A.B.SvC.cLuStEr.LoCaL", "svc.cluster.local."),
        ("xcluster.local", "."),
        ("local", "."),
        (".", "."),
        ("er.sub.example", "sub.example."),
        ("deep.er.sub.example", "deep.er.sub.example."),
    ],
)
async def test_longest_zone_answers(name: str, zone: str) -> None:
    assert await who(dispatcher(*map(telling, (*ZONES, "."))), name) == zone


@pytest.mark.parametrize("name", ["example.org", "local", "."])
async def test_no_block_is_refused(name: str) -> None:
    assert await who(dispatcher(*map(telling, ZONES)), name) == "REFUSED"


async def test_block_without_plugins_is_refused() -> None:
    assert await who(dispatcher(site(".")), "example.org") == "REFUSED"


async def test_no_fall_over_between_blocks() -> None:
    """A block that matches owns the name, whatever it makes of it."""
    found = dispatcher(telling("."), site("example.", Plugin(name="empty", debug=True)))
    assert await who(found, "a.example") == "SERVFAIL"
    assert await who(found, "a.test") == "."


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("sub.example", "example."),
        ("a.sub.example", "sub.example."),
        ("deep.er.sub.example", "sub.example."),
        ("example", "example."),
        ("cluster.local", "cluster.local."),
        ("svc.cluster.local", "cluster.local."),
        ("elsewhere", "."),
    ],
)
async def test_ds_is_the_parents_matter_unless_that_is_the_root(name: str, zone: str) -> None:
    assert await who(dispatcher(*map(telling, (*ZONES, "."))), name, Type.DS) == zone


@pytest.mark.parametrize("rclass", [Class.CH, Class.HS, Class.NONE, Class.ANY, 4711])
async def test_other_classes_are_refused(rclass: int) -> None:
    assert await who(dispatcher(telling("."), telling("example.")), "a.example", rclass=rclass) == "REFUSED"


async def test_one_block_lets_other_classes_in_for_the_whole_listener() -> None:
    found = dispatcher(telling(".", classes_beyond_in=True), telling("example."))
    assert await who(found, "a.example", rclass=Class.CH) == "example."
    assert await who(found, "version.bind", rclass=Class.CH) == "."


@pytest.mark.parametrize("debug", [False, True])
async def test_exception_is_servfail_and_logged(debug: bool, caplog: pytest.LogCaptureFixture) -> None:
    """One line; `debug` adds the stack."""

    async def broken(query: Query) -> Reply | None:
        raise LookupError(f"nothing known of {query.question.rtype}")

    found = dispatcher(site(".", Plugin(name="broken", wrap=lambda _: broken, debug=debug)))
    with caplog.at_level(logging.ERROR, "dnsserver"):
        message = await reply(found, octets("A.Example."))
    assert message.header.rcode == Rcode.SERVFAIL
    assert message.questions == (Question(names.from_text("A.Example."), Type.A),)
    assert found.panics == 1
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    for part in ("A.Example. A", "this is a bug", "LookupError('nothing known of 1')"):
        assert part in record.getMessage()
    assert bool(record.exc_info) == debug


async def test_reply_that_cannot_be_encoded_is_servfail_too(caplog: pytest.LogCaptureFixture) -> None:
    async def unwritable(query: Query) -> Reply | None:
        return Reply(answer=(Record(query.question.name, Type.A, -1, txt_rdata(b"x")),))

    found = dispatcher(handled(unwritable))
    assert await who(found, "a.example") == "SERVFAIL"
    assert found.panics == 1
    assert "this is a bug" in caplog.text


async def test_server_lives_on_after_an_exception() -> None:
    async def sometimes(query: Query) -> Reply | None:
        if query.name.startswith(b"\3bad"):
            raise RuntimeError
        return Reply(rcode=Rcode.NXDOMAIN)

    found = dispatcher(handled(sometimes))
    assert [await who(found, name) for name in ("bad.", "good.", "bad.")] == [
        "SERVFAIL",
        "NXDOMAIN",
        "SERVFAIL",
    ]
    assert found.panics == 2


async def test_handler_may_say_nothing() -> None:
    async def mute(_: Query) -> Reply | None:
        return None

    assert await dispatcher(handled(mute)).respond(octets("a."), ARRIVAL) is None


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        (b"", None),
        (octets("a.")[:11], None),
        (Header(77, 0, 0, Flag.QR, 1).encode() + octets("a.")[12:], None),
        (Header(77, Opcode.UPDATE, 0, 0, 1).encode() + octets("a.")[12:], Rcode.NOTIMP),
        (Header(77, 0, 0, 0, 2).encode() + octets("a.")[12:] * 2, Rcode.FORMERR),
        (Header(77, 0, 0, 0, 0).encode(), Rcode.FORMERR),
        (octets("a.")[:-1], Rcode.FORMERR),
    ],
    ids=["empty", "short", "a reply", "update", "two questions", "no question", "cut"],
)
async def test_what_is_no_query_never_reaches_a_block(sent: bytes, wanted: Rcode | None) -> None:
    async def never(query: Query) -> Reply | None:
        raise AssertionError(query)

    found = dispatcher(handled(never))
    answer = await found.respond(sent, ARRIVAL)
    assert (None if answer is None else Header.decode(answer).rcode) == wanted
    assert found.panics == 0
