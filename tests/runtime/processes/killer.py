"""A program that the tests run: kill a process that writes to a slot in a loop, and look at what is left; 50 times.

It prints the number of kills, and how many of them found a value.
"""

import itertools
import os
import signal
import sys
import time

from dnsserver.runtime.processes import Slot

KILLS = 50
#: Octets, so many that a fair part of the writer's time is the copying.
SIZE = 1 << 20
VALUES = tuple(bytes([number]) * (SIZE - number) for number in range(7))
#: Seconds that a writer lives, at least; some more each time, so that the kills hit different places.
LIFE_S = 0.004


def main() -> int:
    slot = Slot(SIZE)
    found = 0
    for kill in range(KILLS):
        pid = os.fork()
        if not pid:
            write_for_ever(slot)
        deadline = time.monotonic() + LIFE_S + kill * 0.000_37
        while time.monotonic() < deadline:
            assert slot.read() in (None, *VALUES)  # while it is written
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        found += slot.read() in VALUES
    sys.stdout.write(f"{KILLS} {found}\n")
    return os.EX_OK


def write_for_ever(slot: Slot) -> None:
    for octets in itertools.cycle(VALUES):
        slot.write(octets)


if __name__ == "__main__":
    sys.exit(main())
