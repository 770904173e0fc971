"""whoami: the client's own address."""

import pytest

from dnsserver.plugins.plugin import Handler
from dnsserver.plugins.whoami import setup
from dnsserver.wire import names
from dnsserver.wire.codes import Class, Type
from dnsserver.wire.records import Record, address_rdata, srv_rdata
from tests.plugins.helpers import handler, query, refused, replying


@pytest.fixture
def whoami() -> Handler:
    return handler(setup, "whoami", replying(None))


@pytest.mark.parametrize(
    ("protocol", "client", "shown", "rtype"),
    [
        ("udp", "10.1.2.3", "10.1.2.3", Type.A),
        ("tcp", "10.1.2.3", "10.1.2.3", Type.A),
        ("udp", "2001:db8::7", "2001:db8::7", Type.AAAA),
        ("udp", "fe80::1%eth0", "fe80::1", Type.AAAA),
    ],
)
async def test_reply(whoami: Handler, protocol: str, client: str, shown: str, rtype: int) -> None:
    reply = await whoami(query("Example.ORG.", "MX", protocol=protocol, client=client))
    owner = names.from_text("Example.ORG.")
    port = names.from_text(f"_{protocol}.Example.ORG.")
    assert reply is not None
    assert (reply.rcode, reply.authoritative, reply.answer, reply.plugin) == (0, True, (), "whoami")
    assert reply.additional == (
        Record(owner, rtype, 0, address_rdata(shown)),
        Record(port, Type.SRV, 0, srv_rdata(0, 0, 40000, names.ROOT)),
    )


async def test_root(whoami: Handler) -> None:
    reply = await whoami(query("."))
    assert reply is not None
    assert [names.to_text(record.owner) for record in reply.additional] == [".", "_udp."]


async def test_name_without_room_for_a_label_has_no_port(whoami: Handler) -> None:
    reply = await whoami(query(".".join(["a" * 63] * 3 + ["a" * 60]) + "."))
    assert reply is not None
    assert [record.rtype for record in reply.additional] == [Type.A]


async def test_other_classes_go_on(whoami: Handler) -> None:
    assert await whoami(query(rclass=Class.CH)) is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "whoami example.org",
            "plugin/whoami: Corefile:2 - Error during parsing: "
            "Wrong argument count or unexpected line ending after 'example.org'",
        ),
        (
            "whoami\nwhoami x",
            "plugin/whoami: Corefile:3 - Error during parsing: "
            "Wrong argument count or unexpected line ending after 'x'",
        ),
        (
            "whoami {\ncolour\n}",
            "plugin/whoami: Corefile:3 - Error during parsing: "
            "Wrong argument count or unexpected line ending after 'colour'",
        ),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == error


async def test_twice_is_once() -> None:
    assert await handler(setup, "whoami\nwhoami", replying(None))(query()) is not None
