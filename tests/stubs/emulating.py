"""A scenario run by an emulator, in virtual time."""

from dataclasses import dataclass

from dnsserver.stubs import LIBRARIES, Delivery, Lookup, Outcome, run_virtually
from dnsserver.stubs.machine import Transport
from tests.stubs.scripted import CLOSE, DROP, HOSTS, Scenario, Script, line


@dataclass(frozen=True, slots=True)
class Told:
    """What was asked, each with the seconds since the look-up began, how it ended, and after how many seconds."""

    asked: tuple[tuple[float, str], ...]
    outcome: Outcome
    seconds: float | None


async def emulated(library: str, scenario: Scenario) -> Told:
    """Run *scenario* by the emulator of *library*; the servers answer at once."""
    script = Script(scenario)
    addresses = [f"192.0.2.{number}" for number in range(1, scenario.servers + 1)]

    async def network(server: str, transport: Transport, octets: bytes) -> Delivery:
        said = script.answer(addresses.index(server) + 1, transport, octets)
        if isinstance(said, bytes):
            return Delivery(said)
        return Delivery(fate="closed" if said == CLOSE else "lost") if said in (CLOSE, DROP) else Delivery()

    lookup = Lookup(scenario.lookup, scenario.family)
    stub = LIBRARIES[library].stub(lookup, scenario.resolv_conf(addresses), HOSTS, seed=1)
    transcript = await run_virtually(stub, network)
    asked = tuple(
        (exchange.at, line(addresses.index(exchange.server) + 1, exchange.transport, exchange.octets))
        for exchange in transcript.exchanges
    )
    return Told(asked, transcript.outcome, transcript.seconds)
