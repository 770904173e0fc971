"""Emulators with real sockets and real time ask what they ask in virtual time."""

import asyncio

import pytest

from dnsserver.stubs import LIBRARIES, Lookup, Servers, run_really, run_virtually
from tests.stubs.emulating import emulated
from tests.stubs.scenarios import SCENARIOS
from tests.stubs.scripted import Scenario, Script
from tests.stubs.serving import serving
from tests.support.process import free_port
from tests.support.upstream import closed_port

CHOSEN = (
    "service in own namespace",
    "external name, ndots 5",
    "answer cut",
    "TCP wanted",
    "answer cut, SERVFAIL by TCP",
    "SERVFAIL once",
    "one at a time, new sockets",
    "AAAA lost once",
)
SERVER = "192.0.2.1"
#: Seconds. No look-up here takes longer.
PATIENCE_S = 10.0
#: Seconds around what a look-up takes: clocks are read at different moments, and the machine may be busy.
EARLY_S, LATE_S = 0.05, 1.5


def scenario(title: str) -> Scenario:
    return next(each for each in SCENARIOS if each.title == title)


@pytest.mark.parametrize("library", ["glibc", "musl", "go"])
@pytest.mark.parametrize("title", CHOSEN)
async def test_real_time_equals_virtual_time(library: str, title: str) -> None:
    wanted, port = scenario(title), free_port()
    told = await emulated(library, wanted)
    stub = LIBRARIES[library].stub(Lookup(wanted.lookup, wanted.family), wanted.resolv_conf([SERVER]), seed=1)
    async with serving(Script(wanted), ["127.0.0.1"], port) as served, asyncio.timeout(PATIENCE_S):
        transcript = await run_really(stub, {SERVER: ("127.0.0.1", port)})
    heard = [line for _, line in served.asked]
    ours = [line for _, line in told.asked]
    # A and AAAA of Go, and musl's two connections, come from sockets of their own.
    assert (heard if library == "glibc" else sorted(heard)) == (ours if library == "glibc" else sorted(ours))
    assert transcript.outcome == told.outcome
    assert transcript.seconds is not None
    assert told.seconds is not None
    assert told.seconds - EARLY_S <= transcript.seconds < told.seconds + LATE_S


async def test_nobody_listens() -> None:
    """A connected socket hears of it; musl's is not, and waits."""
    conf = f"nameserver {SERVER}\noptions timeout:1 attempts:1\n"
    place = "127.0.0.1", closed_port()
    for library, seconds in (("glibc", 0.0), ("go", 0.0), ("musl", 1.0)):
        for run in (run_really, run_virtually):
            stub = LIBRARIES[library].stub(Lookup("web."), conf)
            places = {SERVER: place}
            transcript = await (
                run_really(stub, places) if run is run_really else run_virtually(stub, Servers(places))
            )
            assert not transcript.outcome.addresses
            assert transcript.seconds is not None
            assert seconds - EARLY_S <= transcript.seconds < seconds + LATE_S, library
            assert transcript.answers == 0


@pytest.mark.parametrize("library", ["glibc", "musl", "go"])
async def test_no_way_to_the_server(library: str) -> None:
    """A broadcast address, to which the kernel does not send for a socket that has not asked for that."""
    stub = LIBRARIES[library].stub(Lookup("web."), f"nameserver {SERVER}\noptions timeout:1 attempts:1\n")
    transcript = await run_really(stub, {SERVER: ("255.255.255.255", 53)})
    assert transcript.outcome.error
    assert transcript.answers == 0


async def test_tcp_has_no_time_out_in_glibc() -> None:
    """In virtual time that is told at once; really it lasts."""
    wanted = Scenario("", "web.", "* ANY DROP", options="use-vc timeout:1")
    assert (await emulated("glibc", wanted)).seconds is None
    stub = LIBRARIES["glibc"].stub(Lookup("web."), wanted.resolv_conf([SERVER]))
    port = free_port()
    async with serving(Script(wanted), ["127.0.0.1"], port):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await run_really(stub, {SERVER: ("127.0.0.1", port)})


async def test_a_silent_server_counts_as_lost() -> None:
    """After the patience, not after the library's time-out."""
    stub = LIBRARIES["glibc"].stub(Lookup("web."), f"nameserver {SERVER}\n")
    wanted, port = Scenario("", "web.", "* ANY DROP"), free_port()
    async with serving(Script(wanted), ["127.0.0.1"], port) as served:
        network = Servers({SERVER: ("127.0.0.1", port)}, patience_s=0.1)
        transcript = await run_virtually(stub, network)
    assert (transcript.seconds, transcript.outcome.error) == (10.0, "EAI_AGAIN")
    assert len(served.asked) == 4
