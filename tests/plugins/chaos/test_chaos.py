"""chaos: version, authors and host name in class CH."""

import random
import socket

import pytest

import dnsserver
from dnsserver.plugins.chaos import setup
from dnsserver.plugins.chaos.settings import ChaosSettings
from dnsserver.wire.codes import Class, Type
from tests.plugins.helpers import directive, handler, query, refused, replying, site

OWN = f"dnsserver-{dnsserver.__version__}".encode()


@pytest.mark.parametrize(
    ("text", "version", "authors"),
    [
        ("chaos", OWN, ()),
        ('chaos "name server"', b"name server", ()),
        ("chaos v7 Zoe Ada Zoe", b"v7", (b"Ada", b"Zoe")),
        ("chaos " + "v" * 300, b"v" * 255, ()),
        ("chaos v7 " + "é" * 200, b"v7", ("é".encode() * 127,)),
    ],
)
def test_settings(text: str, version: bytes, authors: tuple[bytes, ...]) -> None:
    assert ChaosSettings.from_directive(directive(text)) == ChaosSettings(version=version, authors=authors)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("chaos {\nx\n}", "plugin/chaos: Corefile:3 - Error during parsing: unknown property 'x'"),
        (
            "chaos a\nchaos b",
            "plugin/chaos: this plugin can only be used once per Server Block (Corefile:3)",
        ),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == error


def test_lets_other_classes_in() -> None:
    assert setup(directive("chaos"), site()).classes_beyond_in


async def texts(name: str, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    monkeypatch.setattr(socket, "gethostname", lambda: "coredns-7d")
    reply = await handler(setup, "chaos v7 Ada Bob Cyd")(query(name, "TXT", rclass=Class.CH))
    assert reply is not None
    assert (reply.rcode, reply.authoritative, reply.plugin) == (0, False, "chaos")
    assert {(record.ttl, record.rclass, record.rtype) for record in reply.answer} == {(0, Class.CH, Type.TXT)}
    return [record.rdata.head for record in reply.answer]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("version.bind.", b"\x02v7"),
        ("VERSION.server.", b"\x02v7"),
        ("hostname.bind.", b"\x0acoredns-7d"),
        ("id.server.", b"\x0acoredns-7d"),
    ],
)
async def test_names(name: str, text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await texts(name, monkeypatch) == [text]


async def test_authors_in_changing_order(monkeypatch: pytest.MonkeyPatch) -> None:
    random.seed(1)
    orders = {tuple(await texts("authors.bind.", monkeypatch)) for _ in range(50)}
    assert len(orders) == 6
    assert all(sorted(order) == [b"\x03Ada", b"\x03Bob", b"\x03Cyd"] for order in orders)


async def test_no_authors_is_an_empty_answer() -> None:
    reply = await handler(setup, "chaos")(query("authors.bind.", "TXT", rclass=Class.CH))
    assert reply is not None
    assert (reply.rcode, reply.answer) == (0, ())


async def test_host_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_name() -> str:
        raise OSError

    monkeypatch.setattr(socket, "gethostname", no_name)
    reply = await handler(setup, "chaos")(query("id.server.", "TXT", rclass=Class.CH))
    assert reply is not None
    assert reply.answer[0].rdata.head == b"\x09localhost"


@pytest.mark.parametrize(
    ("name", "rtype", "rclass"),
    [
        ("version.bind.", "TXT", Class.IN),
        ("version.bind.", "A", Class.CH),
        ("version.bind.example.", "TXT", Class.CH),
        ("version.bind.", "TXT", Class.HS),
    ],
)
async def test_the_rest_goes_on(name: str, rtype: str, rclass: int) -> None:
    assert await handler(setup, "chaos", replying(None))(query(name, rtype, rclass=rclass)) is None
