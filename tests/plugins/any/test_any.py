"""any: HINFO for ANY."""

import pytest

from dnsserver.plugins.any import setup
from dnsserver.wire import names
from dnsserver.wire.codes import Class, Type
from tests.plugins.helpers import handler, query, refused, replying


async def test_any_gets_hinfo() -> None:
    reply = await handler(setup, "any")(query("Any.Test.", "ANY"))
    assert reply is not None
    assert (reply.rcode, reply.authoritative, reply.plugin) == (0, False, "any")
    (record,) = reply.answer
    assert (names.to_text(record.owner), record.rtype, record.ttl) == ("Any.Test.", Type.HINFO, 8482)
    assert record.rdata.head == b"\x0dANY obsoleted\x0cSee RFC 8482"


@pytest.mark.parametrize(("rtype", "rclass"), [("A", Class.IN), ("HINFO", Class.IN), ("ANY", Class.CH)])
async def test_the_rest_goes_on(rtype: str, rclass: int) -> None:
    assert await handler(setup, "any", replying(None))(query(rtype=rtype, rclass=rclass)) is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "any thing",
            "plugin/any: Corefile:2 - Error during parsing: "
            "Wrong argument count or unexpected line ending after 'thing'",
        ),
        ("any {\nthing\n}", "plugin/any: Corefile:3 - Error during parsing: unknown property 'thing'"),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == error
