"""header: bits of queries and replies."""

import pytest

from dnsserver.answering.query import Query
from dnsserver.answering.reply import Reply, encode
from dnsserver.plugins.header import setup
from dnsserver.plugins.header.settings import HeaderSettings
from dnsserver.plugins.plugin import Repeats
from dnsserver.wire.codes import Flag
from dnsserver.wire.header import Header
from tests.plugins.helpers import directive, handler, query, refused, site

AA, RA, RD, CD, QR = Flag.AA, Flag.RA, Flag.RD, Flag.CD, Flag.QR
NONE = 0


@pytest.mark.parametrize(
    ("rules", "asked", "passed_on", "replied"),
    [
        ("query set rd", NONE, RD, QR),
        ("query clear rd", RD | CD, CD, QR | RD | CD),
        ("query set aa ra", RD, RD | AA | RA, QR | RD),
        ("query clear aa RA", RD | AA | RA, RD, QR | RD),
        ("query set rd\nquery clear rd", NONE, NONE, QR),
        ("response set aa", RD, RD, QR | RD | AA),
        ("response set ra", RD, RD, QR | RD | RA),
        ("response set rd", NONE, NONE, QR | RD),
        ("response clear rd", RD | CD, RD | CD, QR | CD),
        ("Response SET aa Ra\nQUERY clear rd", RD, NONE, QR | RD | AA | RA),
        ("response set aa\nresponse clear aa", RD, RD, QR | RD),
    ],
)
async def test_bits(rules: str, asked: Flag, passed_on: Flag, replied: Flag) -> None:
    seen: list[Query] = []

    async def following(found: Query) -> Reply:
        seen.append(found)
        return Reply()

    client = query(flags=asked)
    found = await handler(setup, f"header {{\n{rules}\n}}", following)(client)
    assert found is not None
    assert seen[0].header.flags == Header.decode(seen[0].octets).flags == passed_on
    assert (seen[0].header.id, seen[0].question) == (client.header.id, client.question)
    assert Header.decode(encode(found, client)).flags == replied
    plugin = setup(directive(f"header {{\n{rules}\n}}"), site())
    assert plugin.repeats is Repeats.ALTERED
    assert plugin.alters is not None
    assert plugin.alters(client.question, Reply()) == found


@pytest.mark.parametrize(
    ("rules", "replied"),
    [("response clear aa", RA), ("response clear ra", AA), ("response clear aa ra", NONE)],
)
async def test_bits_that_were_set(rules: str, replied: Flag) -> None:
    async def following(_: Query) -> Reply:
        return Reply(authoritative=True, recursion_available=True)

    found = await handler(setup, f"header {{\n{rules}\n}}", following)(query())
    assert found is not None
    assert Header.decode(encode(found, query())).flags == QR | RD | replied


async def test_silence_stays_silence() -> None:
    async def following(_: Query) -> None:
        return None

    assert await handler(setup, "header {\nresponse set aa\n}", following)(query()) is None


RULE = "setting up rule: {} (Corefile:3)"


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ("Both set aa", RULE.format("invalid selector=both should be query or response")),
        ("set aa", RULE.format("invalid selector=set should be query or response")),
        ("query", RULE.format("no flag action provided")),
        ("query set", RULE.format("invalid length for flags, at least one should be provided")),
        ("query flip aa", RULE.format("unknown flag action=flip, should be set or clear")),
        ("query set AD", RULE.format("unknown/unsupported flag=ad")),
        ("response set aa tc", RULE.format("unknown/unsupported flag=tc")),
    ],
)
def test_refused(rule: str, error: str) -> None:
    assert refused(setup, f"header {{\n{rule}\n}}") == f"plugin/header: {error}"


def test_at_least_one_rule() -> None:
    assert refused(setup, "header") == (
        "plugin/header: Corefile:2 - Error during parsing: "
        "Wrong argument count or unexpected line ending after 'header'"
    )


def test_the_first_counts(caplog: pytest.LogCaptureFixture) -> None:
    text = "header {\nresponse set aa\n}\nheader {\nresponse clear aa\n}"
    assert HeaderSettings.from_directive(directive(text)) == HeaderSettings(response=((AA, True),))
    assert caplog.messages == ["Corefile:5: the first 'header' of a server block counts alone"]
