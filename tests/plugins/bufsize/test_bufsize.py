"""bufsize: the size of queries and replies."""

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply, encode
from dnsserver.plugins.bufsize import setup
from dnsserver.plugins.bufsize.settings import BufsizeSettings
from dnsserver.plugins.plugin import Repeats
from dnsserver.wire.edns import Edns
from dnsserver.wire.message import Message
from tests.plugins.helpers import address, directive, handler, query, refused, site

MANY = tuple(address(f"192.0.2.{number}") for number in range(200))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("bufsize", 1232),
        ("bufsize 512", 512),
        ("bufsize 4096", 4096),
        ("bufsize 600\nbufsize 700", 600),
    ],
)
def test_settings(text: str, size: int) -> None:
    assert BufsizeSettings.from_directive(directive(text)).size == size


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("bufsize 511", "511"),
        ("bufsize 4097", "4097"),
        ("bufsize x", "x"),
        ("bufsize 512 512", "512"),
        ("bufsize {\nx\n}", "x"),
    ],
)
def test_refused(text: str, word: str) -> None:
    line = 2 if "{" not in text else 3
    assert refused(setup, text) == (
        f"plugin/bufsize: Corefile:{line} - Error during parsing: "
        f"Wrong argument count or unexpected line ending after '{word}'"
    )


@pytest.mark.parametrize(
    ("payload", "protocol", "passed_on", "told", "fits"),
    [
        (4096, "udp", 600, 600, 600),
        (601, "udp", 600, 600, 600),
        (600, "udp", 600, 600, 600),
        (520, "udp", 520, 520, 520),
        (100, "udp", 100, 100, 512),
        (4096, "tcp", 600, 600, 65535),
        (None, "udp", None, None, 512),
    ],
)
async def test_sizes(
    payload: int | None, protocol: str, passed_on: int | None, told: int | None, fits: int
) -> None:
    seen: list[Query] = []

    async def following(asked: Query) -> Reply:
        seen.append(asked)
        return Reply(answer=MANY, plugin="x", live=True)

    edns = None if payload is None else Edns(payload, do=True, options=((10, b"cookie!!"),))
    asked = query(edns=edns, protocol=protocol)
    found = await handler(setup, "bufsize 600", following)(asked)
    assert found is not None
    (upstream,) = seen
    decoded = Message.decode(upstream.octets)
    assert (decoded.edns and decoded.edns.payload) == passed_on
    assert decoded.edns == upstream.edns
    assert decoded.questions == (asked.question,)
    assert upstream.octets == asked.octets or passed_on == 600
    octets = encode(found, asked)
    message = Message.decode(octets)
    assert (message.edns and message.edns.payload) == told
    assert fits - 40 < len(octets) <= fits or (fits == 65535 and len(message.answer) == 200)
    plugin = setup(directive("bufsize 600"), site())
    assert plugin.repeats is Repeats.ALTERED
    assert plugin.alters is not None
    assert plugin.alters(asked.question, Reply(answer=MANY, plugin="x", live=True)) == found


async def test_the_lower_limit_counts() -> None:
    async def following(_: Query) -> Reply:
        return Reply(payload_max=550)

    found = await handler(setup, "bufsize 600", following)(query())
    assert found is not None
    assert found.payload_max == 550


async def test_silence_stays_silence() -> None:
    async def following(_: Query) -> None:
        return None

    assert await handler(setup, "bufsize", following)(query()) is None
