"""What people are told of a look-up: it depends on what happened, and on whose rules made it happen."""

import pytest

from dnsserver.stubs import LIBRARIES, Delivery, Lookup, run_virtually
from dnsserver.stubs.advice import advice
from tests.stubs.scenarios import EXTERNAL, FOUND, SVC
from tests.stubs.scripted import Scenario, Script

CASES = (
    ("glibc", Scenario("found at once", "web", FOUND), None),
    (
        "glibc",
        Scenario("external", "www.example.com", EXTERNAL),
        "6 of 8 queries asked for names of the search list",
    ),
    ("go", Scenario("external", "www.example.com", EXTERNAL), "set ndots to 2"),
    ("glibc", Scenario("with dot", "www.example.com.", EXTERNAL), None),
    ("glibc", Scenario("ndots 1", "www.example.com", EXTERNAL, options="ndots:1"), None),
    (
        "glibc",
        Scenario("lost", "web", f"{SVC} AAAA#1 DROP\n{FOUND}"),
        "1 of 4 queries had no answer from 192.0.2.1",
    ),
    ("musl", Scenario("refused", "web", "* ANY REFUSED"), "musl takes REFUSED for no answer"),
    (
        "musl",
        Scenario("refused", "web", "* ANY REFUSED"),
        f"musl ends the search at the first failure, which was {SVC}",
    ),
    ("glibc", Scenario("refused", "web", "* ANY REFUSED"), None),
    ("musl", Scenario("no data", "web", f"{SVC} ANY NODATA"), f"the first name that exists: {SVC} does"),
    ("musl", Scenario("many dots", "a.b", options="ndots:1"), "musl does not use the search list"),
    ("glibc", Scenario("many dots", "a.b", options="ndots:1"), None),
    ("musl-1.2.3", Scenario("cut", "web", f"udp {SVC} ANY TC"), "musl 1.2.3 does not ask by TCP"),
    (
        "musl",
        Scenario("long line", "web", FOUND, search="x" * 300),
        "musl passes over a line of more than 255 octets",
    ),
    ("glibc", Scenario("dot", "web.", FOUND), "The final dot keeps glibc from the search list"),
    (
        "glibc",
        Scenario("four servers", "web", FOUND, servers=4),
        "4 name servers are named; the first 3 are asked",
    ),
    ("glibc", Scenario("TCP", "web.", "tcp * ANY DROP", options="use-vc"), "this look-up never ends"),
)


@pytest.mark.parametrize(("library", "scenario", "told"), CASES)
async def test_advice(library: str, scenario: Scenario, told: str | None) -> None:
    script = Script(scenario)

    async def network(_server: str, transport: str, octets: bytes) -> Delivery:
        said = script.answer(1, transport, octets)
        return Delivery(said) if isinstance(said, bytes) else Delivery(fate="lost")

    servers = [f"192.0.2.{number}" for number in range(1, scenario.servers + 1)]
    conf, lookup = scenario.resolv_conf(servers), Lookup(scenario.lookup)
    transcript = await run_virtually(LIBRARIES[library].stub(lookup, conf, seed=1), network)
    given = advice(LIBRARIES[library], lookup, conf, transcript)
    assert (given == ()) if told is None else any(told in sentence for sentence in given), given
