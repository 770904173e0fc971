"""minimal: which sections are left."""

import pytest

from dnsserver.answering.reply import Reply
from dnsserver.plugins.minimal import setup
from dnsserver.plugins.plugin import Repeats
from tests.plugins.cache.stage import ADDRESS, SOA, reply
from tests.plugins.helpers import directive, handler, query, refused, replying, site

NS = "test. 600 IN NS ns.test."
GLUE = "ns.test. 9 IN A 192.0.2.53"


@pytest.mark.parametrize(
    ("came", "shortened"),
    [
        (reply(ADDRESS), False),
        (reply(ADDRESS, authority=[NS]), True),
        (reply(ADDRESS, additional=[GLUE]), True),
        (reply(ADDRESS, authority=[NS], additional=[GLUE], flags="AA RA AD live"), True),
        (reply(ADDRESS, authority=[SOA]), True),
        (reply(additional=[GLUE]), True),
        (reply(authority=[NS], additional=[GLUE]), False),
        (reply(authority=[SOA]), False),
        (reply(rcode="NXDOMAIN", authority=[SOA]), False),
        (reply(ADDRESS, rcode="NXDOMAIN", authority=[SOA]), False),
        (reply(rcode="SERVFAIL", authority=[SOA]), False),
        (reply(rcode="REFUSED", authority=[NS], additional=[GLUE]), False),
    ],
)
async def test_sections(came: Reply, shortened: bool) -> None:
    found = await handler(setup, "minimal", replying(came))(query("a.test."))
    assert found is not None
    assert (found.authority, found.additional) == (
        ((), ()) if shortened else (came.authority, came.additional)
    )
    assert (found.rcode, found.answer, found.authentic) == (came.rcode, came.answer, came.authentic)
    plugin = setup(directive("minimal"), site())
    assert plugin.repeats is Repeats.ALTERED
    assert plugin.alters is not None
    assert plugin.alters(query("a.test.").question, came) == found


@pytest.mark.parametrize(("rtype", "opcode"), [("AXFR", 0), ("IXFR", 0), ("SOA", 4)])
async def test_transfers_stay_as_they_are(rtype: str, opcode: int) -> None:
    came = reply(ADDRESS, additional=[GLUE])
    assert await handler(setup, "minimal", replying(came))(query("a.test.", rtype, opcode=opcode)) == came


async def test_silence_stays_silence() -> None:
    assert await handler(setup, "minimal", replying(None))(query()) is None


@pytest.mark.parametrize(("text", "word"), [("minimal example.org", "example.org"), ("minimal {\nx\n}", "x")])
def test_refused(text: str, word: str) -> None:
    line = 2 if "{" not in text else 3
    assert refused(setup, text) == (
        f"plugin/minimal: Corefile:{line} - Error during parsing: "
        f"Wrong argument count or unexpected line ending after '{word}'"
    )
