"""nsid: the option in replies."""

import socket

import dns.asyncquery
import dns.edns
import dns.message
import pytest

from dnsserver.answering.reply import Reply
from dnsserver.plugins.nsid import setup
from dnsserver.wire.edns import Edns
from tests.plugins.helpers import handler, query, refused, replying
from tests.runtime.helpers import PATIENCE_S, server_of

ASKING = Edns(1232, options=((3, b""),))


@pytest.mark.parametrize(
    ("text", "edns", "options"),
    [
        ("nsid", ASKING, ((3, socket.gethostname().encode()),)),
        ("nsid rack 4", ASKING, ((3, b"rack 4"),)),
        ("nsid x", Edns(1232, options=((10, b"cookie12"),)), ()),
        ("nsid x", Edns(1232), ()),
        ("nsid x", None, ()),
    ],
)
async def test_option(text: str, edns: Edns | None, options: tuple[tuple[int, bytes], ...]) -> None:
    reply = await handler(setup, text, replying(Reply()))(query(edns=edns))
    assert reply is not None
    assert reply.options == options


async def test_other_options_stay_and_another_nsid_does_not() -> None:
    before = Reply(options=((15, b"\0\1"), (3, b"upstream")))
    reply = await handler(setup, "nsid x", replying(before))(query(edns=ASKING))
    assert reply == Reply(options=((15, b"\0\1"), (3, b"x")))


async def test_silence_stays_silence() -> None:
    assert await handler(setup, "nsid x", replying(None))(query(edns=ASKING)) is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("nsid\nnsid", "this plugin can only be used once per Server Block (Corefile:3)"),
        (
            "nsid {\nx\n}",
            "Corefile:3 - Error during parsing: Wrong argument count or unexpected line ending after 'x'",
        ),
    ],
)
def test_refused(text: str, error: str) -> None:
    assert refused(setup, text) == f"plugin/nsid: {error}"


async def test_over_the_network() -> None:
    asked = dns.message.make_query(
        "example.org", "A", use_edns=0, options=[dns.edns.GenericOption(dns.edns.OptionType.NSID, b"")]
    )
    async with server_of(".:0 {\nbind 127.0.0.1\nnsid one\nwhoami\n}") as running:
        reply = await dns.asyncquery.udp(asked, "127.0.0.1", PATIENCE_S, running.endpoints[0][1])
    assert [option.to_wire() for option in reply.options] == [b"one"]
