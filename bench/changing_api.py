"""The API server of the scene `churn`, a process of its own: `python -m bench.changing_api RATE`.

A line `change` on standard input begins changes, RATE a second; a line `rest` ends them. Prints a JSON object per line:
the address when it is up, and after `rest` what was changed. It is nice: dnsperf and the prober, on the same core, get
that core when they want it, so that the load is as even with changes as without.
"""

import asyncio
import contextlib
import json
import os
import sys
from itertools import count

from bench.cluster import HEADLESS, UNASKED, endpoints, objects
from dnsserver.testing.kube_api import KubeApi, slice_of

#: As nice as can be.
NICENESS = 19


class Changes:
    """Half of them belong to Services that nobody asks for, the other half to the headless ones that are asked."""

    def __init__(self, api: KubeApi, rate: int) -> None:
        self._api = api
        self._rate = rate
        self._numbers = count()
        self.done = 0
        self.last = ("", "")
        """The headless Service that was changed last, and the address that it has got."""

    async def run(self) -> None:
        """Until it is cancelled. What was missed while others had the core is caught up with."""
        loop = asyncio.get_running_loop()
        begun, self.done = loop.time(), 0
        for number in self._numbers:
            await asyncio.sleep(max(0.0, begun + self.done / self._rate - loop.time()))
            self._change(number)
            self.done += 1

    def _change(self, number: int) -> None:
        turn = number // 2
        if number % 2:
            name, addresses = f"hl-{turn % HEADLESS}", endpoints(turn % HEADLESS, 1 + turn // HEADLESS)
            self.last = (name, addresses[-1])
        else:
            name, addresses = f"other-{turn % UNASKED}", [f"10.230.{number >> 8 & 255}.{number & 255}"]
        self._api.update(slice_of(name, addresses))


async def serve(rate: int) -> None:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    async with KubeApi() as api:
        api.add(*objects())
        changes = Changes(api, rate)
        print(json.dumps({"url": api.url}), flush=True)
        while await reader.readline() == b"change\n":
            task = asyncio.create_task(changes.run(), name="changes")
            await reader.readline()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            name, address = changes.last
            print(json.dumps({"changes": changes.done, "name": name, "address": address}), flush=True)


if __name__ == "__main__":
    os.nice(NICENESS)
    asyncio.run(serve(int(sys.argv[1])))
