"""Whatever servers send, and whatever a name or a resolv.conf says, a look-up ends with an outcome that can be told."""

from random import Random

import pytest

from dnsserver.commands.asker import Asker
from dnsserver.commands.resolved import Resolved, as_json, as_text
from dnsserver.stubs import LIBRARIES, Delivery, Family, Lookup, run_virtually
from dnsserver.stubs.advice import advice
from tests.stubs.scripted import Scenario, Script

ROUNDS = 60
#: Queries. With 3 servers, 5 attempts, 3 names and both types no library sends more.
QUERIES_MAX = 500
NAMES = (
    "web",
    "web.",
    "a.b.c",
    "",
    ".",
    " ",
    "..",
    "x" * 64,
    "x..y",
    "-x",
    "_x.y",
    "\\046",
    "é",
    "::1",
    "1",
    "x." * 130,
)
SEARCHES = ("a.test b.test", "", ".", f"{'x' * 300} y", "a..b")
OPTIONS = (
    "ndots:0 ndots:15 timeout:0 attempts:0 attempts:5 timeout:30 rotate use-vc single-request single-request-reopen"
    " edns0 no-aaaa trust-ad strict-error no-tld-query"
).split()
ANSWERS = (
    "10.0.0.1 fd00::1",
    "CNAME x.test 10.0.0.1",
    "TC",
    "LAME",
    "SHORT",
    "DROP",
    "SERVFAIL",
    "REFUSED",
    "NODATA",
)


def some_scenario(random: Random) -> Scenario:
    rules = [
        f"{random.choice(('', 'udp ', 'tcp '))}* {random.choice(('A', 'AAAA#1', 'ANY'))} {random.choice(ANSWERS)}"
        for _ in range(random.randrange(5))
    ]
    return Scenario(
        "",
        random.choice(NAMES),
        "\n".join(rules),
        options=" ".join(random.sample(OPTIONS, 3)),
        family=random.choice(list(Family)),
        servers=random.randrange(1, 5),
        search=random.choice(SEARCHES),
    )


def spoiled(random: Random, octets: bytes) -> bytes:
    damaged = bytearray(octets)
    for _ in range(random.randrange(4)):
        damaged[random.randrange(len(damaged))] = random.randrange(256)
    return bytes(damaged[: random.choice((len(damaged), random.randrange(len(damaged)), 1))])


@pytest.mark.parametrize("library", LIBRARIES)
async def test_every_look_up_ends(library: str) -> None:
    random = Random(library)
    for _ in range(ROUNDS):
        scenario = some_scenario(random)
        script = Script(scenario)

        async def network(_server: str, transport: str, octets: bytes, script: Script = script) -> Delivery:
            said = script.answer(1, transport, octets)
            if not isinstance(said, bytes) or random.random() < 0.2:
                return Delivery(fate=random.choice(("lost", "refused", "closed")), delay=random.random() * 9)
            reply = spoiled(random, said) if random.random() < 0.4 else said
            return Delivery(reply, delay=random.choice((0, 0, 0.1, 3, 8)))

        conf = scenario.resolv_conf([f"192.0.2.{number}" for number in range(1, scenario.servers + 1)])
        lookup = Lookup(scenario.lookup, scenario.family)
        transcript = await run_virtually(LIBRARIES[library].stub(lookup, conf, seed=1), network)
        ended = bool(transcript.outcome.addresses) != bool(transcript.outcome.error)
        assert ended or transcript.seconds is None
        assert len(transcript.exchanges) <= QUERIES_MAX
        told = advice(LIBRARIES[library], lookup, conf, transcript)
        resolved = Resolved(LIBRARIES[library], lookup, Asker("", conf, "", ()), transcript, (), told)
        assert as_text([resolved])
        assert as_json([resolved])
