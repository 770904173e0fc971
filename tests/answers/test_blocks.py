"""Which server block answers, and what an error of a handler comes to (sections 8.1 and 15)."""

import logging

import dns.flags
import dns.message
import dns.rcode
import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply
from dnsserver.config import ServerBlock
from dnsserver.plugins.plugin import Handler, Plugin, no_next_plugin
from dnsserver.runtime.dispatch import Dispatcher
from dnsserver.runtime.sites import BuiltSite
from tests.answers.scene import ARRIVAL, record, wire_name


def says(text: str) -> Handler:
    """A handler whose answers tell its name."""

    async def handler(query: Query) -> Reply | None:
        return Reply(answer=(record(f'{text} 0 TXT "{query.question.rtype}"'),))

    return handler


def site(handler: Handler, *, plugins: bool = True, beyond_in: bool = False) -> BuiltSite:
    held = (Plugin(name="test", classes_beyond_in=beyond_in),) if plugins else ()
    return BuiltSite(ServerBlock((), (), "test", 1), held, handler, ())


def front(*zones: str) -> Dispatcher:
    return Dispatcher({wire_name(zone): site(says(f"from.{zone}".replace("..", "."))) for zone in zones})


async def asked(dispatcher: Dispatcher, ask: str) -> dns.message.Message:
    name, *rclass, rtype = ask.split()
    octets = await dispatcher.respond(
        dns.message.make_query(name, rtype, rclass[0] if rclass else "IN").to_wire(), ARRIVAL
    )
    assert octets is not None
    return dns.message.from_wire(octets)


CHOICES: tuple[tuple[str, str, str | None], ...] = (
    ("nginx.default.svc.cluster.local. A", "cluster.local. sub.cluster.local.", "cluster.local."),
    ("cluster.local. A", "cluster.local. sub.cluster.local.", "cluster.local."),
    ("a.SUB.Cluster.local. A", "cluster.local. sub.cluster.local.", "sub.cluster.local."),
    ("xsub.cluster.local. A", "cluster.local. sub.cluster.local.", "cluster.local."),
    ("www.example.com. A", "cluster.local. .", "."),
    ("www.example.com. A", "cluster.local. in-addr.arpa.", None),
    ("local. A", "cluster.local.", None),
    (". NS", "cluster.local. .", "."),
    (". NS", "cluster.local.", None),
    # DS of a zone is the parent's, when the parent is here too and is not just everything else
    ("sub.cluster.local. DS", "cluster.local. sub.cluster.local.", "cluster.local."),
    ("SUB.cluster.local. DS", "cluster.local. sub.cluster.local.", "cluster.local."),
    ("a.sub.cluster.local. DS", "cluster.local. sub.cluster.local.", "sub.cluster.local."),
    ("cluster.local. DS", "cluster.local.", "cluster.local."),
    ("cluster.local. DS", "cluster.local. .", "cluster.local."),
    (". DS", ".", "."),
)


@pytest.mark.parametrize(
    ("ask", "zones", "chosen"), CHOICES, ids=[f"{row[0]} of {row[1]}" for row in CHOICES]
)
async def test_the_longest_zone_answers(ask: str, zones: str, chosen: str | None) -> None:
    reply = await asked(front(*zones.split()), ask)
    if chosen is None:
        assert reply.rcode() == dns.rcode.REFUSED
        assert reply.answer == []
        assert not reply.flags & dns.flags.AA
    else:
        assert reply.answer[0].name.to_text() == f"from.{chosen}".replace("..", ".")


async def test_a_block_without_plugins_refuses() -> None:
    reply = await asked(Dispatcher({b"\0": site(no_next_plugin, plugins=False)}), "www.example.com. A")
    assert reply.rcode() == dns.rcode.REFUSED


async def test_the_end_of_a_chain_is_servfail() -> None:
    reply = await asked(Dispatcher({b"\0": site(no_next_plugin)}), "www.example.com. A")
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert (reply.answer, reply.authority, reply.additional) == ([], [], [])
    assert not reply.flags & dns.flags.AA


@pytest.mark.parametrize("beyond_in", [False, True])
async def test_other_classes_come_in_by_any_block(beyond_in: bool) -> None:
    """One block that takes them opens the listener for all."""
    dispatcher = Dispatcher(
        {
            wire_name("cluster.local."): site(says("from.cluster.local.")),
            wire_name("example.com."): site(says("from.example.com."), beyond_in=beyond_in),
        }
    )
    reply = await asked(dispatcher, "version.cluster.local. CH TXT")
    assert (reply.rcode() == dns.rcode.REFUSED) == (not beyond_in)


async def test_a_handler_that_raises_is_servfail(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(query: Query) -> Reply | None:
        raise RuntimeError(query.name)

    dispatcher = Dispatcher({b"\0": site(broken)})
    with caplog.at_level(logging.ERROR):
        reply = await asked(dispatcher, "www.example.com. A")
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert reply.question[0].name.to_text() == "www.example.com."
    assert dispatcher.panics == 1
    assert "www.example.com." in caplog.text


async def test_a_handler_that_is_silent() -> None:
    async def silent(query: Query) -> Reply | None:
        return None if query.name else Reply()

    octets = dns.message.make_query("www.example.com.", "A").to_wire()
    assert await Dispatcher({b"\0": site(silent)}).respond(octets, ARRIVAL) is None
