"""Faults as clients meet them, over real sockets; and that a seed decides all of them."""

import asyncio
import itertools
import time
from collections.abc import Sequence

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from dnsserver.faults import Fault, Faults, cut, delay, drop, rcode, truncate, wrong_id
from dnsserver.faults.dice import QUESTIONS_MAX, Asked, Counts, met
from dnsserver.testing import ClusterDNS

OBJECTS = [
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"clusterIP": address, "ports": [{"port": 80}]},
    }
    for name, address in (("web", "10.96.0.1"), ("db", "10.96.0.2"))
]
WEB, DB = "web.default.svc.cluster.local", "db.default.svc.cluster.local"
#: Seconds. Where silence is expected, and where a reply is.
SHORT_S, LONG_S = 0.2, 10.0


async def ask(
    served: ClusterDNS, name: str, rtype: str = "A", *, tcp: bool = False, timeout_s: float = LONG_S
) -> str:
    """What a client sees: addresses, an RCODE, TC, or the name of what went wrong."""
    query = dns.message.make_query(name, rtype)
    exchange = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    try:
        reply = await exchange(query, served.host, timeout=timeout_s, port=served.port)
    except (dns.exception.DNSException, EOFError) as error:
        return type(error).__name__
    if reply.flags & dns.flags.TC:
        return "TC"
    return " ".join(data.to_text() for rrset in reply.answer for data in rrset) or dns.rcode.to_text(
        reply.rcode()
    )


CASES: tuple[tuple[str, Fault, bool, Sequence[str]], ...] = (
    ("drop the first", drop(nth=1), False, ("Timeout", "10.96.0.1", "10.96.0.1")),
    ("drop over TCP", drop(nth=1), True, ("Timeout", "10.96.0.1")),
    ("servfail the second", rcode(2, nth=2), False, ("10.96.0.1", "SERVFAIL", "10.96.0.1")),
    ("refused from the second on", rcode(5, nth=(2, 0)), False, ("10.96.0.1", "REFUSED", "REFUSED")),
    ("another name", rcode(2, name="db.*"), False, ("10.96.0.1",)),
    ("this name, in any case", rcode(2, name="WEB.*.cluster.local."), False, ("SERVFAIL",)),
    ("another type", rcode(2, type="AAAA"), False, ("10.96.0.1",)),
    ("another client", rcode(2, client="10.0.0.0/8"), False, ("10.96.0.1",)),
    ("this client", rcode(2, client="127.0.0.0/8"), False, ("SERVFAIL",)),
    ("a client of the other family", rcode(2, client="::1"), False, ("10.96.0.1",)),
    ("truncated over UDP", truncate(protocol="udp"), False, ("TC",)),
    ("not over TCP", truncate(protocol="udp"), True, ("10.96.0.1",)),
    ("wrong ID", wrong_id(nth=1), False, ("BadResponse", "10.96.0.1")),
    ("cut over TCP", cut(20, nth=1), True, ("EOFError", "10.96.0.1")),
    ("cut before the first octet", cut(0, nth=1), True, ("EOFError", "10.96.0.1")),
)


@pytest.mark.parametrize(
    ("fault", "tcp", "seen"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
async def test_what_a_client_sees(fault: Fault, tcp: bool, seen: Sequence[str]) -> None:
    faults = Faults([fault])
    async with ClusterDNS(OBJECTS, faults=faults) as served:
        for wanted in seen:
            timeout_s = SHORT_S if wanted == "Timeout" else LONG_S
            assert await ask(served, WEB, tcp=tcp, timeout_s=timeout_s) == wanted
        assert len(faults.transcript) == len(seen)


async def test_delay() -> None:
    async with ClusterDNS(OBJECTS, faults=Faults([delay(0.1, name="web.*")])) as served:
        begun = time.monotonic()
        web, db = asyncio.create_task(ask(served, WEB)), asyncio.create_task(ask(served, DB))
        assert await db == "10.96.0.2"
        assert not web.done()  # a later question has overtaken it
        assert await web == "10.96.0.1"
        assert time.monotonic() - begun >= 0.1


async def test_delay_and_another_fault() -> None:
    faults = Faults("delay 50ms\nrcode SERVFAIL nth=1\ndrop nth=1")
    async with ClusterDNS(OBJECTS, faults=faults) as served:
        assert await ask(served, WEB) == "SERVFAIL"
    assert (
        faults.transcript.text() == f"127.0.0.1 udp {WEB} A #1: SERVFAIL [delay 50ms; rcode SERVFAIL nth=1]\n"
    )


async def test_a_server_with_delayed_replies_stops_at_once() -> None:
    faults = Faults([delay(9)])
    async with ClusterDNS(OBJECTS, faults=faults) as served:
        assert await ask(served, WEB, timeout_s=SHORT_S) == "Timeout"
        begun = time.monotonic()
    assert time.monotonic() - begun < 2


async def test_other_faults_while_it_runs() -> None:
    faults = Faults()
    async with ClusterDNS(OBJECTS, faults=faults) as served:
        assert await ask(served, WEB) == "10.96.0.1"
        faults.set("rcode SERVFAIL nth=1")
        assert [await ask(served, WEB) for _ in range(2)] == ["SERVFAIL", "10.96.0.1"]
        faults.set()
        assert await ask(served, WEB) == "10.96.0.1"


async def test_transcript_for_people_and_machines() -> None:
    faults = Faults("drop type=TXT\ntruncate type=AAAA")
    async with ClusterDNS(OBJECTS, faults=faults) as served:
        for name, rtype in ((WEB, "A"), (WEB, "TXT"), (WEB, "AAAA"), ("none." + WEB, "A"), (WEB, "A")):
            await ask(served, name, rtype, timeout_s=SHORT_S if rtype == "TXT" else LONG_S)
    assert faults.transcript.text().splitlines() == [
        f"127.0.0.1 udp {WEB} A #1: NOERROR A 10.96.0.1",
        f"127.0.0.1 udp {WEB} TXT #1: (silence) [drop type=TXT]",
        f"127.0.0.1 udp {WEB} AAAA #1: NOERROR TC [truncate type=AAAA]",
        f"127.0.0.1 udp none.{WEB} A #1: NXDOMAIN",
        f"127.0.0.1 udp {WEB} A #2: NOERROR A 10.96.0.1",
    ]
    assert [each.as_dict() for each in faults.transcript][1] == {
        "client": "127.0.0.1",
        "protocol": "udp",
        "name": WEB,
        "type": "TXT",
        "n": 1,
        "rcode": "",
        "truncated": False,
        "answer": [],
        "faults": ["drop type=TXT"],
    }


async def one_run(seed: int) -> str:
    """Some questions, many at the same time, in an order that the event loop chooses."""
    faults = Faults(
        "delay 5ms probability=0.5\nrcode SERVFAIL probability=0.3\nwrong-id probability=0.2", seed=seed
    )
    async with ClusterDNS(OBJECTS, faults=faults) as served:
        for _ in range(4):
            questions = itertools.product(
                (WEB, DB, f"x.{WEB}", f"x.{DB}"), ("A", "AAAA", "SRV", "TXT"), (False, True)
            )
            await asyncio.gather(*(ask(served, name, rtype, tcp=tcp) for name, rtype, tcp in questions))
    return faults.transcript.sorted_text()


async def test_same_seed_and_questions_same_transcript() -> None:
    first, again, other = await one_run(7), await one_run(7), await one_run(8)
    assert first == again
    assert first != other
    assert first.count("\n") == 128


def test_probability_is_a_share_of_questions() -> None:
    fault = drop(probability=0.3)
    asked = [Asked("10.0.0.1", "udp", f"n{number}.test", 1) for number in range(4000)]
    share = sum(bool(met([fault], 1, each, 1)) for each in asked) / len(asked)
    assert 0.27 < share < 0.33


def test_faults_in_front_do_not_change_the_dice() -> None:
    fault = drop(probability=0.5)
    asked = [Asked("10.0.0.1", "udp", f"n{number}.test", 1) for number in range(100)]
    more = [rcode(2, type="TXT"), fault]
    assert [met([fault], 1, each, 1) for each in asked] == [met(more, 1, each, 1) for each in asked]


def test_counts_are_bounded() -> None:
    counts = Counts()
    first = Asked("10.0.0.1", "udp", "first.test", 1)
    assert [counts.next(first), counts.next(first)] == [1, 2]
    for number in range(QUESTIONS_MAX):
        counts.next(Asked("10.0.0.1", "udp", f"n{number}.test", 1))
    assert counts.next(first) == 1
