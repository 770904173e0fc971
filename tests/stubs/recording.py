"""Run by a program's name inside a network namespace: scenarios with a real library, and what it asked.

    python -m tests.stubs.recording TITLES COMMAND...     as root; prints JSON: title -> queries, outcome

TITLES is a JSON list. COMMAND takes the family (4, 6, *) and the name, and prints lines as `programs` says. Each
scenario has servers of its own, on 127.0.N.1 to 127.0.N.3, port 53, and its resolv.conf in a mount namespace.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dnsserver.stubs import Family
from tests.stubs.scenarios import SCENARIOS
from tests.stubs.scripted import Scenario, Script
from tests.stubs.serving import serving

#: Scenarios at the same time: they wait, most of the time.
PARALLEL = 12
#: Seconds. No look-up takes longer, or it hangs.
PATIENCE_S = 15.0
#: Where libraries ask, whatever resolv.conf says (RFC 1035 section 4.2).
DNS_PORT = 53
MODES = {Family.BOTH: "*", Family.IPV4: "4", Family.IPV6: "6"}
#: Shows its first argument as /etc/resolv.conf to the command behind it.
_WITH_RESOLV_CONF = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'

Recorded = dict[str, Any]


async def record(scenario: Scenario, number: int, command: Sequence[str], folder: Path) -> Recorded:
    """Run *scenario* as the *number*-th."""
    hosts = [f"127.0.{number}.{place}" for place in range(1, scenario.servers + 1)]
    resolv_conf = folder / f"{number}.conf"
    resolv_conf.write_text(scenario.resolv_conf(hosts))
    async with serving(Script(scenario), hosts, DNS_PORT) as served:
        told = await _run(command, resolv_conf, scenario)
    asked = served.asked
    begun = asked[0][0] if asked else 0.0
    return {"asked": [(round(at - begun, 3), text) for at, text in asked], **told}


async def _run(command: Sequence[str], resolv_conf: Path, scenario: Scenario) -> Recorded:
    words = ("unshare", "-m", "sh", "-c", _WITH_RESOLV_CONF, "sh", str(resolv_conf), *command)
    process = await asyncio.create_subprocess_exec(
        *words, MODES[scenario.family], scenario.lookup, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return {"addresses": [], "seconds": None}
    lines = [text.partition(" ") for text in out.decode().splitlines()]
    found: Recorded = {"addresses": [value for key, _, value in lines if key == "address"]}
    found.update({key: value for key, _, value in lines if key in ("error", "text")})
    found["seconds"] = float(next(value for key, _, value in lines if key == "seconds"))
    return found


async def record_all(command: Sequence[str], titles: Sequence[str]) -> dict[str, Recorded]:
    """The scenarios with these *titles*, by title."""
    turn = asyncio.Semaphore(PARALLEL)

    async def one(scenario: Scenario, number: int, folder: Path) -> Recorded:
        async with turn:
            return await record(scenario, number, command, folder)

    chosen = [(number, each) for number, each in enumerate(SCENARIOS, 1) if each.title in titles]
    with tempfile.TemporaryDirectory() as folder:
        found = await asyncio.gather(*(one(each, number, Path(folder)) for number, each in chosen))
    return {each.title: told for (_, each), told in zip(chosen, found, strict=True)}


if __name__ == "__main__":
    wanted, *program = sys.argv[1:]
    sys.stdout.write(json.dumps(asyncio.run(record_all(program, json.loads(wanted)))))
